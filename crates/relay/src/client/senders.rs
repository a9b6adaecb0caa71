//! Sending: queues of somebody else.

use hushwing_delivery::{Envelope, Locator, NetworkEvent, SendFailure, SendId, Stage};
use hushwing_sansio::{Context, StorageError};

use super::body;
use super::machine::Client;
use super::records::{KeyName, key_name};
use super::sender_keys::{confirm, key_to_queue};
use super::session::{Ended, Job};
use super::storage::Storage;
use crate::address::{QueueAddress, Server};
use crate::wire::auth::Signer;
use crate::wire::{Command, Response, SmpError};

/// So many connections may break under a message before it is handed back to
/// the outbox, or under a look at a link before that fails.
pub(super) const MAX_BREAKS: u8 = 6;

/// An envelope on its way.
pub(super) struct Sending {
    queue: QueueAddress,
    /// The same as it was given.
    locator: Locator,
    envelope: Envelope,
    /// Connections that broke under it.
    breaks: u8,
    /// The server had trouble with our key, so its word on the message counts
    /// for nothing final.
    key_trouble: bool,
}

impl Client {
    fn send_failed(&mut self, send: SendId, reason: SendFailure) {
        if self.sends.remove(&send).is_some() {
            self.tell(NetworkEvent::Failed { send, reason });
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
        // The first to a mailbox since there is trouble: somebody just said it.
        if !session.pace.is_stranded(locator) {
            session.pace.hurry();
        }
        if !session.is_ready() {
            self.tell(NetworkEvent::Progress {
                send,
                stage: Stage::Connecting,
            });
        }
        let sending = Sending {
            queue,
            locator: locator.clone(),
            envelope,
            breaks: 0,
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
            let (record, key) = key_to_queue(cx, storage, server, entity)?;
            if !record.confirmed {
                let command = Command::SKey(key.public());
                let signer = Some(Signer::Ed25519(&key));
                session.transmit(cx, Job::Secure(send), entity, signer, &command);
            }
            Some(key)
        } else {
            None
        };
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
                let session = self.sessions.get_mut(&sending.queue.server);
                if let Some(session) = session {
                    session.pace.freed(&sending.locator);
                }
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
        let Some(sending) = self.sends.get_mut(&send) else {
            return;
        };
        sending.breaks += 1;
        let server = sending.queue.server.clone();
        let reason = match why {
            Ended::WrongServer => SendFailure::WrongServer,
            Ended::Broken if sending.breaks < MAX_BREAKS => {
                self.enqueue(&server, Job::Send(send));
                return;
            }
            Ended::Broken | Ended::Unreachable => SendFailure::Unreachable,
        };
        let locator = sending.locator.clone();
        self.session(&server).pace.strand(locator);
        self.send_failed(send, reason);
    }
}
