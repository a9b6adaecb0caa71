//! What servers answer to commands about our queues.

use hushwing_delivery::{MailboxFailure, MailboxId, NetworkEvent};
use hushwing_sansio::{Context, StorageError};

use super::machine::Client;
use super::records::{LinkWork, Made, Queue};
use super::session::Job;
use super::storage::Storage;
use crate::address::Server;
use crate::wire::{BoxKey, DhSecret, Ids, QueueMode, Response, SmpError};

impl Client {
    pub(super) fn created(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        response: &Response<'_>,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        mailbox.asked = false;
        match response {
            Response::Ids(ids) if mailbox.made().is_none() => self.made(cx, storage, id, ids),
            Response::Ids(_) => Ok(()),
            Response::Err(SmpError::Auth | SmpError::Cmd(_) | SmpError::Blocked(..)) => {
                let server = mailbox.record.server.clone();
                self.session(&server).refused = Some(cx.now());
                self.not_taken(cx, storage, id, &server)
            }
            _ => {
                let server = mailbox.record.server.clone();
                self.try_later(cx.now(), &server);
                self.mailbox_unreachable(id, &server);
                Ok(())
            }
        }
    }

    fn made(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        ids: &Ids<'_>,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        let Queue::Wanted { dh } = &mailbox.record.queue else {
            return Ok(());
        };
        let agreed = DhSecret::from_bytes(**dh)
            .ok()
            .and_then(|own| BoxKey::agree(&own, &ids.server_dh).ok());
        let Some(box_key) = agreed else {
            // With that key there is no box; the queue it made is of no use.
            let server = mailbox.record.server.clone();
            return self.not_taken(cx, storage, id, &server);
        };
        mailbox.record.queue = Queue::Made(Made {
            recipient_id: ids.recipient_id.to_vec(),
            sender_id: ids.sender_id.to_vec(),
            lockable: ids.mode == Some(QueueMode::Messaging),
            box_key: box_key.to_bytes(),
        });
        mailbox.box_key = Some(box_key);
        mailbox.subscribed = true;
        let server = mailbox.record.server.clone();
        let next = if mailbox.record.closing {
            Some(Job::Delete(id))
        } else {
            mailbox.link_job(id)
        };
        let event = (next.is_none()).then(|| mailbox.opened_event(id)).flatten();
        let session = self.session(&server);
        session.refused = None;
        session.recipients.insert(ids.recipient_id.to_vec(), id);
        next.into_iter().for_each(|job| session.enqueue(job));
        event.into_iter().for_each(|event| self.tell(event));
        self.store(storage, id)
    }

    pub(super) fn linked(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        revision: u64,
        response: &Response<'_>,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        let Some(link) = &mut mailbox.record.link else {
            return Ok(());
        };
        let working = matches!(
            link.work,
            LinkWork::Publish { .. } | LinkWork::Replace { .. }
        );
        if revision != mailbox.revision || mailbox.record.closing || !working {
            return Ok(());
        }
        let publishing = matches!(link.work, LinkWork::Publish { .. });
        match response {
            Response::Ok => {
                link.work = LinkWork::Done;
                let replaced = !publishing || mailbox.replace_asked;
                mailbox.replace_asked = false;
                let opened = publishing.then(|| mailbox.opened_event(id)).flatten();
                opened.into_iter().for_each(|event| self.tell(event));
                if replaced {
                    self.tell(NetworkEvent::BundleReplaced { mailbox: id });
                }
                self.store(storage, id)
            }
            Response::Err(SmpError::Internal | SmpError::Store(_)) => {
                let server = mailbox.record.server.clone();
                self.try_later(cx.now(), &server);
                Ok(())
            }
            _ if publishing => {
                // A mailbox without its link is of no use.
                mailbox.record.closing = true;
                let server = mailbox.record.server.clone();
                self.enqueue(&server, Job::Delete(id));
                self.mailbox_failed(id, MailboxFailure::Refused);
                self.store(storage, id)
            }
            _ => {
                link.work = LinkWork::Done;
                self.mailbox_failed(id, MailboxFailure::Refused);
                self.store(storage, id)
            }
        }
    }

    pub(super) fn unlinked(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        response: &Response<'_>,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        if !is_final(response) {
            let server = mailbox.record.server.clone();
            self.try_later(cx.now(), &server);
            return Ok(());
        }
        match &mut mailbox.record.link {
            Some(link) if matches!(link.work, LinkWork::Withdraw) => link.work = LinkWork::Done,
            _ => {}
        }
        self.store(storage, id)
    }

    pub(super) fn deleted(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        response: &Response<'_>,
    ) -> Result<(), StorageError> {
        if is_final(response) {
            return self.forget(storage, id);
        }
        if let Some(mailbox) = self.mailboxes.get(&id) {
            let server = mailbox.record.server.clone();
            self.try_later(cx.now(), &server);
        }
        Ok(())
    }

    pub(super) fn subscribed(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        id: MailboxId,
        response: &Response<'_>,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        match response {
            Response::Ok | Response::SOk(_) => mailbox.subscribed = true,
            Response::Msg {
                id: message,
                sealed,
            } => {
                mailbox.subscribed = true;
                self.message(cx, id, message, sealed);
            }
            Response::Err(SmpError::Auth | SmpError::Blocked(..)) => {
                return self.lost(storage, id);
            }
            _ => self.try_later(cx.now(), server),
        }
        Ok(())
    }
}

/// Whether a command that takes something away is done: `AUTH` says that it
/// was gone already.
fn is_final(response: &Response<'_>) -> bool {
    matches!(response, Response::Ok | Response::Err(SmpError::Auth))
}
