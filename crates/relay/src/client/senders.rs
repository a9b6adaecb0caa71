//! The sending half of the contract: queues and links of somebody else.

use hushwing_delivery::{
    Envelope, FetchFailure, FetchId, Locator, NetworkEvent, Place, SendFailure, SendId, Stage,
};
use hushwing_sansio::{Context, StorageError};
use zeroize::Zeroizing;

use super::body;
use super::link::LinkKeys;
use super::machine::Client;
use super::session::{Ended, Job};
use super::storage::{KeyName, SenderKey, Storage, key_name};
use crate::address::{LinkPlace, QueueAddress, Server};
use crate::wire::auth::Signer;
use crate::wire::{Command, LinkData, Malformed, QueueMode, Response, SigningKey, SmpError};

/// A connection that breaks under a message is tried once more before the
/// message is handed back to the outbox.
const MAX_ATTEMPTS: u8 = 2;

/// An envelope on its way.
pub(super) struct Sending {
    queue: QueueAddress,
    envelope: Envelope,
    attempts: u8,
    /// The server had trouble with our key, so its word on the message counts
    /// for nothing final.
    key_trouble: bool,
}

/// A link being read.
pub(super) struct Fetching {
    place: LinkPlace,
    secret: Zeroizing<[u8; 32]>,
}

impl Fetching {
    fn mode(&self) -> QueueMode {
        if self.place.link_id.is_some() {
            QueueMode::Messaging
        } else {
            QueueMode::Contact
        }
    }
}

impl Client {
    fn send_failed(&mut self, send: SendId, reason: SendFailure) {
        if self.sends.remove(&send).is_some() {
            self.tell(NetworkEvent::Failed { send, reason });
        }
    }

    fn fetch_failed(&mut self, fetch: FetchId, reason: FetchFailure) {
        if self.fetches.remove(&fetch).is_some() {
            self.tell(NetworkEvent::FetchFailed { fetch, reason });
        }
    }

    pub(super) fn send(&mut self, send: SendId, locator: &Locator, envelope: Envelope) {
        let Ok(queue) = QueueAddress::from_locator(locator) else {
            let reason = SendFailure::Unreadable;
            self.tell(NetworkEvent::Failed { send, reason });
            return;
        };
        let session = self.session(&queue.server);
        session.enqueue(Job::Send(send));
        if !session.is_ready() {
            self.tell(NetworkEvent::Progress {
                send,
                stage: Stage::Connecting,
            });
        }
        let sending = Sending {
            queue,
            envelope,
            attempts: 0,
            key_trouble: false,
        };
        self.sends.insert(send, sending);
    }

    /// Sends an envelope, and before it our key if the server may not have it.
    pub(super) fn start_send(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        send: SendId,
    ) -> Result<(), StorageError> {
        let Some(sending) = self.sends.get_mut(&send) else {
            return Ok(());
        };
        let Some(session) = self.sessions.get_mut(server) else {
            return Ok(());
        };
        let entity = &sending.queue.sender_id;
        let key = if sending.queue.lockable {
            let name = key_name(KeyName::Queue, server, entity);
            let (record, key) = own_key(cx, storage, &name)?;
            if !record.confirmed {
                let command = Command::SKey(key.public());
                let signer = Some(Signer::Ed25519(&key));
                session.transmit(cx, Job::Secure(send), entity, signer, &command);
            }
            Some(key)
        } else {
            None
        };
        sending.attempts += 1;
        sending.key_trouble = false;
        let Ok(body) = body::encode(cx, &sending.envelope) else {
            self.send_failed(send, SendFailure::Unreadable);
            return Ok(());
        };
        // Nobody is notified: which queues want that is for their owners to say.
        let command = Command::Send {
            notify: false,
            body: &body,
        };
        let signer = key.as_ref().map(Signer::Ed25519);
        session.transmit(cx, Job::Send(send), entity, signer, &command);
        Ok(())
    }

    /// The server answered our key at a queue.
    pub(super) fn secured(
        &mut self,
        storage: &mut dyn Storage,
        send: SendId,
        response: Response<'_>,
    ) -> Result<(), StorageError> {
        let Some(sending) = self.sends.get_mut(&send) else {
            return Ok(());
        };
        match response {
            Response::Ok => {
                let queue = &sending.queue;
                confirm(
                    storage,
                    &key_name(KeyName::Queue, &queue.server, &queue.sender_id),
                )
            }
            // Locked by another, or gone: the message will be told the same.
            Response::Err(SmpError::Auth) => Ok(()),
            _ => {
                sending.key_trouble = true;
                Ok(())
            }
        }
    }

    pub(super) fn sent(&mut self, send: SendId, response: &Response<'_>) {
        let Some(sending) = self.sends.get(&send) else {
            return;
        };
        let reason = match response {
            Response::Ok => {
                self.sends.remove(&send);
                self.tell(NetworkEvent::Accepted { send });
                return;
            }
            Response::Err(SmpError::Auth) if sending.key_trouble => SendFailure::Unreachable,
            Response::Err(SmpError::Auth | SmpError::Blocked(..)) => SendFailure::Gone,
            Response::Err(SmpError::Quota) => SendFailure::Full,
            Response::Err(SmpError::LargeMsg | SmpError::Cmd(_)) => SendFailure::Unreadable,
            _ => SendFailure::Unreachable,
        };
        self.send_failed(send, reason);
    }

    pub(super) fn send_lost(&mut self, send: SendId, why: Ended) {
        let Some(sending) = self.sends.get(&send) else {
            return;
        };
        match why {
            Ended::WrongServer => self.send_failed(send, SendFailure::WrongServer),
            Ended::Broken if sending.attempts < MAX_ATTEMPTS => {
                let server = sending.queue.server.clone();
                self.enqueue(&server, Job::Send(send));
            }
            Ended::Broken | Ended::Unreachable => self.send_failed(send, SendFailure::Unreachable),
        }
    }

    pub(super) fn fetch(
        &mut self,
        fetch: FetchId,
        place: &Place,
        secret: [u8; 32],
        one_time: bool,
    ) {
        let secret = Zeroizing::new(secret);
        let readable = LinkPlace::from_place(place)
            .ok()
            .filter(|place| place.link_id.is_some() == one_time);
        let Some(place) = readable else {
            let reason = FetchFailure::Unreadable;
            self.tell(NetworkEvent::FetchFailed { fetch, reason });
            return;
        };
        let server = place.server.clone();
        self.fetches.insert(fetch, Fetching { place, secret });
        self.enqueue(&server, Job::Fetch(fetch));
    }

    /// Asks for a link's data; a one-time link is locked with our key by that,
    /// so the key is stored first.
    pub(super) fn start_fetch(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        fetch: FetchId,
    ) -> Result<(), StorageError> {
        let Some(fetching) = self.fetches.get(&fetch) else {
            return Ok(());
        };
        let Some(session) = self.sessions.get_mut(server) else {
            return Ok(());
        };
        let job = Job::Fetch(fetch);
        if let Some(link_id) = &fetching.place.link_id {
            let (_, key) = own_key(cx, storage, &key_name(KeyName::Link, server, link_id))?;
            let command = Command::LKey(key.public());
            session.transmit(cx, job, link_id, Some(Signer::Ed25519(&key)), &command);
            return Ok(());
        }
        let keys = LinkKeys::derive(&fetching.secret, QueueMode::Contact);
        match keys.ok().and_then(|keys| keys.link_id) {
            Some(link_id) => session.transmit(cx, job, &link_id, None, &Command::LGet),
            None => self.fetch_failed(fetch, FetchFailure::Unreadable),
        }
        Ok(())
    }

    pub(super) fn fetched(
        &mut self,
        storage: &mut dyn Storage,
        fetch: FetchId,
        response: &Response<'_>,
    ) -> Result<(), StorageError> {
        let Some(fetching) = self.fetches.get(&fetch) else {
            return Ok(());
        };
        let (sender_id, data) = match response {
            Response::Lnk { sender_id, data } => (*sender_id, data),
            Response::Err(SmpError::Auth | SmpError::Blocked(..) | SmpError::Cmd(_)) => {
                self.fetch_failed(fetch, FetchFailure::UsedOrGone);
                return Ok(());
            }
            _ => {
                self.fetch_failed(fetch, FetchFailure::Unreachable);
                return Ok(());
            }
        };
        let queue = QueueAddress {
            server: fetching.place.server.clone(),
            sender_id: sender_id.to_vec(),
            lockable: fetching.mode() == QueueMode::Messaging,
        };
        if let Some(link_id) = &fetching.place.link_id {
            keep_key(storage, &queue, link_id)?;
        }
        let event = match open(fetching, data) {
            Ok((fixed, bundle)) => NetworkEvent::Fetched {
                fetch,
                fixed,
                bundle,
                locator: queue.to_locator(),
            },
            Err(Malformed) => NetworkEvent::FetchFailed {
                fetch,
                reason: FetchFailure::Forged,
            },
        };
        self.fetches.remove(&fetch);
        self.tell(event);
        Ok(())
    }

    pub(super) fn fetch_lost(&mut self, fetch: FetchId, why: Ended) {
        let reason = match why {
            Ended::WrongServer => FetchFailure::WrongServer,
            Ended::Broken | Ended::Unreachable => FetchFailure::Unreachable,
        };
        self.fetch_failed(fetch, reason);
    }
}

fn open(fetching: &Fetching, data: &LinkData<'_>) -> Result<(Vec<u8>, Vec<u8>), Malformed> {
    let keys = LinkKeys::derive(&fetching.secret, fetching.mode())?;
    let opened = keys.open(&fetching.secret, data)?;
    Ok((opened.fixed, opened.bundle))
}

/// Our key under `name`: the one we have, or a new one, stored before anybody
/// sees it.
fn own_key(
    cx: &mut Context<'_>,
    storage: &mut dyn Storage,
    name: &[u8],
) -> Result<(SenderKey, SigningKey), StorageError> {
    let record = match storage.sender_key(name)? {
        Some(bytes) => SenderKey::decode(&bytes)?,
        None => {
            let new = SenderKey {
                seed: Zeroizing::new(cx.random()),
                confirmed: false,
            };
            storage.put_sender_key(name, &new.encode())?;
            new
        }
    };
    let key = SigningKey::from_seed(*record.seed)
        .map_err(|cause| StorageError::corrupt("reading a sender key").because(cause))?;
    Ok((record, key))
}

/// Notes that the server has our key.
fn confirm(storage: &mut dyn Storage, name: &[u8]) -> Result<(), StorageError> {
    let Some(bytes) = storage.sender_key(name)? else {
        return Ok(());
    };
    let mut record = SenderKey::decode(&bytes)?;
    if record.confirmed {
        return Ok(());
    }
    record.confirmed = true;
    storage.put_sender_key(name, &record.encode())
}

/// The key that opened a link is the key to its queue.
fn keep_key(
    storage: &mut dyn Storage,
    queue: &QueueAddress,
    link_id: &[u8],
) -> Result<(), StorageError> {
    let Some(bytes) = storage.sender_key(&key_name(KeyName::Link, &queue.server, link_id))? else {
        return Ok(());
    };
    let mut record = SenderKey::decode(&bytes)?;
    record.confirmed = true;
    let name = key_name(KeyName::Queue, &queue.server, &queue.sender_id);
    storage.put_sender_key(&name, &record.encode())
}
