//! From a parsed command to a request whose authorisation is proved.

use std::sync::Arc;

use hushwing_sansio::Context;
use sha3::{Digest, Sha3_384};

use super::{Found, Open};
use crate::server::config::ServerConfig;
use crate::server::record::{Id, QueueRecord};
use crate::server::request::{NewQueueRequest, RecipientCommand, Request};
use crate::server::storage::StoredLink;
use crate::wire::key::AuthKey;
use crate::wire::{
    BoxKey, Command, CommandError, Credential, DhSecret, ID_LEN, LinkData, NewQueue, QueueRequest,
    SmpError, Transmission, Verdict,
};

/// Agreements a session remembers. Beyond it they are made anew, 20 us each.
const AGREED_LIMIT: usize = 256;

/// What becomes of a command that may run.
pub(super) enum Local {
    /// Answered without the engine.
    Pong,
    /// For the engine.
    Ask(Request),
}

impl Open {
    /// Proves the authorisation of `command`.
    pub(super) fn authorise(
        &mut self,
        cx: &mut Context<'_>,
        config: &ServerConfig,
        transmission: &Transmission<'_>,
        credential: Credential<'_>,
        command: Command<'_>,
        queue: Found,
    ) -> Result<Local, SmpError> {
        let request = match command {
            Command::Ping => return Ok(Local::Pong),
            Command::New(new) => {
                if !self.proves(transmission, credential, Some(&new.auth))
                    || !config.creation.allows(new.password)
                {
                    return Err(SmpError::Auth);
                }
                Request::Create(Box::new(create(cx, transmission.correlation_id, &new)?))
            }
            Command::Send { notify, body } => {
                self.send(transmission, credential, queue, notify, body)?
            }
            Command::SKey(key) => {
                let proved = self.proves(transmission, credential, Some(&key));
                let queue = found(queue, proved)?;
                Request::SecureBySender {
                    queue: queue.row,
                    key,
                }
            }
            Command::LKey(key) => {
                let proved = self.proves(transmission, credential, Some(&key));
                let queue = found(queue, proved)?;
                Request::ReserveLink {
                    queue: queue.row,
                    key,
                }
            }
            Command::LGet => {
                let queue = found(queue, true)?;
                Request::ReadLink { queue: queue.row }
            }
            other => {
                let command = recipient_command(other)?;
                let (queue, key) = self.recipient(transmission, credential, queue)?;
                Request::Recipient {
                    queue: queue.row,
                    key,
                    command,
                }
            }
        };
        Ok(Local::Ask(request))
    }

    fn send(
        &mut self,
        transmission: &Transmission<'_>,
        credential: Credential<'_>,
        queue: Found,
        notify: bool,
        body: &[u8],
    ) -> Result<Request, SmpError> {
        let key = queue.as_ref().and_then(|queue| queue.sender_key);
        let right = if credential.is_some() {
            self.proves(transmission, credential, key.as_ref())
        } else {
            key.is_none()
        };
        let queue = found(queue, right)?;
        if body.len() > self.version.max_body() {
            return Err(SmpError::LargeMsg);
        }
        Ok(Request::Send {
            queue: queue.row,
            key,
            notify,
            body: body.into(),
        })
    }

    /// The queue and which of its recipient's keys authorised.
    fn recipient(
        &mut self,
        transmission: &Transmission<'_>,
        credential: Credential<'_>,
        queue: Found,
    ) -> Result<(Arc<QueueRecord>, AuthKey), SmpError> {
        let Some(queue) = queue else {
            // As long as for a queue that is there.
            self.proves(transmission, credential, None);
            return Err(SmpError::Auth);
        };
        let key = (queue.recipient_keys.iter())
            .find(|key| self.proves(transmission, credential, Some(key)))
            .copied();
        key.map(|key| (queue, key)).ok_or(SmpError::Auth)
    }

    fn proves(
        &mut self,
        transmission: &Transmission<'_>,
        credential: Credential<'_>,
        key: Option<&AuthKey>,
    ) -> bool {
        let name = match key {
            Some(AuthKey::X25519(key)) => Some(key.0),
            _ => None,
        };
        let cached = name.and_then(|name| self.agreed.get(&name));
        let verdict = self.verifier.verify(transmission, credential, key, cached);
        if let (Verdict::Accepted(Some(agreed)), Some(name)) = (&verdict, name) {
            if self.agreed.len() >= AGREED_LIMIT {
                self.agreed.clear();
            }
            self.agreed.insert(name, agreed.clone());
        }
        verdict.is_accepted()
    }
}

fn found(queue: Found, proved: bool) -> Result<Arc<QueueRecord>, SmpError> {
    queue.filter(|_| proved).ok_or(SmpError::Auth)
}

fn stored(link: LinkData<'_>) -> StoredLink {
    StoredLink {
        fixed: link.fixed.to_vec(),
        user: link.user.to_vec(),
    }
}

fn recipient_command(command: Command<'_>) -> Result<RecipientCommand, SmpError> {
    Ok(match command {
        Command::Sub => RecipientCommand::Subscribe,
        Command::Key(key) => RecipientCommand::Secure(key),
        Command::RKey(keys) => RecipientCommand::SetKeys(keys.keys()),
        Command::LSet { link_id, data } => RecipientCommand::SetLink {
            link_id: link_id.to_vec(),
            link: stored(data),
        },
        Command::LDel => RecipientCommand::DeleteLink,
        Command::Get => RecipientCommand::Get,
        Command::Ack(id) => RecipientCommand::Acknowledge(id.to_vec()),
        Command::Off => RecipientCommand::Suspend,
        Command::Del => RecipientCommand::Delete,
        Command::Que => RecipientCommand::Inspect,
        Command::New(_)
        | Command::SKey(_)
        | Command::LKey(_)
        | Command::LGet
        | Command::Send { .. }
        | Command::Ping => return Err(SmpError::Internal),
    })
}

/// Draws ids and agrees the box key. A sender's id that the client chose must
/// be bound to its correlation id, so that nobody can claim a known one.
fn create(
    cx: &mut Context<'_>,
    correlation_id: &[u8],
    new: &NewQueue<'_>,
) -> Result<NewQueueRequest, SmpError> {
    let (link_id, chosen, data) = match new.request {
        QueueRequest::Messaging(Some((sender, data))) => (
            Some(cx.random::<ID_LEN>().to_vec()),
            Some(sender),
            Some(data),
        ),
        QueueRequest::Contact(Some((link, sender, data))) => {
            (Some(link.to_vec()), Some(sender), Some(data))
        }
        _ => (None, None, None),
    };
    let sender_id = match chosen {
        Some(sender) => chosen_sender(correlation_id, sender)?,
        None => Id(cx.random()),
    };
    let secret = DhSecret::from_bytes(cx.random()).map_err(|_| SmpError::Internal)?;
    // A key of low order would let everyone read the boxes: not a key at all.
    let box_key =
        BoxKey::agree(&secret, &new.dh).map_err(|_| SmpError::Cmd(CommandError::Syntax))?;
    Ok(NewQueueRequest {
        recipient_id: Id(cx.random()),
        sender_id,
        recipient_key: new.auth,
        box_key,
        server_dh: secret.public(),
        mode: new.request.mode(),
        subscribe: new.subscribe,
        link: link_id.zip(data.map(stored)),
        chosen: chosen.is_some(),
    })
}

fn chosen_sender(correlation_id: &[u8], sender: &[u8]) -> Result<Id, SmpError> {
    let hash = Sha3_384::digest(correlation_id);
    let right = hash
        .get(..ID_LEN)
        .is_some_and(|expected| expected == sender);
    Id::from_entity(sender)
        .filter(|_| right)
        .ok_or(SmpError::Cmd(CommandError::Prohibited))
}
