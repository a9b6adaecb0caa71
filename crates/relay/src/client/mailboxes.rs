//! The receiving half of the contract: queues of our own.

use core::time::Duration;

use hushwing_delivery::{Card, MailboxFailure, MailboxId, NetworkEvent, Purpose};
use hushwing_sansio::{Context, Moment, StorageError};
use zeroize::Zeroizing;

use super::link::LinkKeys;
use super::machine::Client;
use super::mailbox::Mailbox;
use super::records::{Link, LinkWork, MailboxRecord, Queue};
use super::session::Job;
use super::storage::Storage;
use crate::address::Server;
use crate::wire::auth::Signer;
use crate::wire::{Command, DhSecret, LinkData, Malformed, NewQueue, QueueMode, QueueRequest};

/// Somebody else subscribed with our key, or the server had trouble: how long
/// to leave it alone.
const TROUBLE_WAIT: Duration = Duration::from_secs(60);

impl Client {
    /// Takes a mailbox in and notes it at its server, or tells again that it
    /// was lost there.
    pub(super) fn adopt(&mut self, id: MailboxId, mailbox: Mailbox) {
        if mailbox.is_lost() {
            self.mailboxes.insert(id, mailbox);
            return self.mailbox_failed(id, MailboxFailure::Gone);
        }
        let session = self.session(&mailbox.record.server);
        session.mailboxes.insert(id);
        if let Some(made) = mailbox.made() {
            session.recipients.insert(made.recipient_id.clone(), id);
        }
        self.mailboxes.insert(id, mailbox);
    }

    pub(super) fn forget(
        &mut self,
        storage: &mut dyn Storage,
        id: MailboxId,
    ) -> Result<(), StorageError> {
        if let Some(mailbox) = self.mailboxes.remove(&id) {
            self.leave(id, &mailbox.record.server);
            if let Some((_, receipt)) = &mailbox.delivered {
                self.receipts.remove(receipt);
            }
        }
        storage.remove_mailbox(id)
    }

    pub(super) fn leave(&mut self, id: MailboxId, server: &Server) {
        if let Some(session) = self.sessions.get_mut(server) {
            session.mailboxes.remove(&id);
            session.recipients.retain(|_, mailbox| *mailbox != id);
        }
    }

    pub(super) fn store(
        &self,
        storage: &mut dyn Storage,
        id: MailboxId,
    ) -> Result<(), StorageError> {
        match self.mailboxes.get(&id) {
            Some(mailbox) => storage.put_mailbox(id, &mailbox.record.encode()?),
            None => Ok(()),
        }
    }

    pub(super) fn mailbox_failed(&mut self, mailbox: MailboxId, reason: MailboxFailure) {
        self.tell(NetworkEvent::MailboxFailed { mailbox, reason });
    }

    /// A mailbox cannot be made at `server` now.
    pub(super) fn mailbox_unreachable(&mut self, mailbox: MailboxId, server: &Server) {
        self.unreached = Some(server.clone());
        self.mailbox_failed(mailbox, MailboxFailure::Unreachable);
    }

    pub(super) fn open_mailbox(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        purpose: &Purpose,
        apart: Vec<MailboxId>,
    ) -> Result<(), StorageError> {
        if let Some(mailbox) = self.mailboxes.get_mut(&id) {
            mailbox.apart = apart;
            if mailbox.is_lost() {
                self.mailbox_failed(id, MailboxFailure::Gone);
                return Ok(());
            }
            // One that is still being made answers when it is.
            let event = mailbox
                .is_open()
                .then(|| mailbox.opened_event(id))
                .flatten();
            event.into_iter().for_each(|event| self.tell(event));
            return Ok(());
        }
        let Some(server) = self.choose_server(cx, &apart) else {
            self.mailbox_failed(id, MailboxFailure::NoServer);
            return Ok(());
        };
        let (mode, card) = match purpose {
            Purpose::Conversation => (QueueMode::Messaging, None),
            Purpose::Shared => (QueueMode::Contact, None),
            Purpose::OneTimeInvitation(card) => (QueueMode::Messaging, Some(card)),
            Purpose::ReusableInvitation(card) => (QueueMode::Contact, Some(card)),
        };
        let link = match card.map(|card| new_link(cx, mode, card)).transpose() {
            Ok(link) => link,
            Err(Malformed) => {
                self.mailbox_failed(id, MailboxFailure::Refused);
                return Ok(());
            }
        };
        let record = MailboxRecord {
            server: server.clone(),
            mode,
            seed: Zeroizing::new(cx.random()),
            queue: Queue::Wanted {
                dh: Zeroizing::new(cx.random()),
            },
            link,
            closing: false,
        };
        let mut mailbox = Mailbox::new(record)?;
        mailbox.apart = apart;
        self.adopt(id, mailbox);
        self.enqueue_new(&server, Job::Create(id));
        self.store(storage, id)
    }

    pub(super) fn replace_bundle(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        card: &Card,
    ) -> Result<(), StorageError> {
        let known = self.mailboxes.get_mut(&id);
        let Some(mailbox) = known.filter(|mailbox| !mailbox.is_lost()) else {
            self.mailbox_failed(id, MailboxFailure::Gone);
            return Ok(());
        };
        let sealed = LinkKeys::derive(&card.secret, mailbox.record.mode)
            .and_then(|keys| keys.seal(cx, card));
        let (Ok(sealed), Some(link)) = (sealed, &mut mailbox.record.link) else {
            self.mailbox_failed(id, MailboxFailure::Refused);
            return Ok(());
        };
        if matches!(link.work, LinkWork::Publish { .. }) {
            link.work = LinkWork::Publish { user: sealed.user };
            mailbox.replace_asked = true;
        } else {
            link.work = LinkWork::Replace { user: sealed.user };
        }
        mailbox.revision += 1;
        self.work_on_link(storage, id)
    }

    pub(super) fn withdraw_card(
        &mut self,
        storage: &mut dyn Storage,
        id: MailboxId,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        let Some(link) = &mut mailbox.record.link else {
            return Ok(());
        };
        link.work = LinkWork::Withdraw;
        mailbox.revision += 1;
        self.work_on_link(storage, id)
    }

    fn work_on_link(
        &mut self,
        storage: &mut dyn Storage,
        id: MailboxId,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get(&id) else {
            return Ok(());
        };
        if mailbox.made().is_some()
            && let Some(job) = mailbox.link_job(id)
        {
            let server = mailbox.record.server.clone();
            self.enqueue(&server, job);
        }
        self.store(storage, id)
    }

    pub(super) fn close_mailbox(
        &mut self,
        storage: &mut dyn Storage,
        id: MailboxId,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        if mailbox.made().is_none() && !mailbox.asked {
            return self.forget(storage, id);
        }
        mailbox.record.closing = true;
        if mailbox.made().is_some() {
            let server = mailbox.record.server.clone();
            self.enqueue(&server, Job::Delete(id));
        }
        self.store(storage, id)
    }

    /// Sends the command of a job, if it still makes sense.
    pub(super) fn start_mailbox_job(
        &mut self,
        cx: &mut Context<'_>,
        server: &Server,
        id: MailboxId,
        job: Job,
    ) {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(server) else {
            return;
        };
        if mailbox.record.server != *server {
            return;
        }
        let signer = Some(Signer::Ed25519(&mailbox.key));
        let Queue::Made(made) = &mailbox.record.queue else {
            let Queue::Wanted { dh } = &mailbox.record.queue else {
                return;
            };
            let Ok(dh) = DhSecret::from_bytes(**dh) else {
                return;
            };
            if job != Job::Create(id) || mailbox.asked {
                return;
            }
            let known = self.servers.iter().find(|known| known.server == *server);
            let password = known.and_then(|known| known.password.as_ref());
            let queue = NewQueue {
                auth: mailbox.key.public(),
                dh: dh.public(),
                password: password.map(|password| password.as_bytes()),
                subscribe: true,
                request: match mailbox.record.mode {
                    QueueMode::Messaging => QueueRequest::Messaging(None),
                    QueueMode::Contact => QueueRequest::Contact(None),
                },
                notifier: None,
            };
            session.transmit(cx, job, &[], signer, &Command::New(queue));
            mailbox.asked = true;
            return;
        };
        let command = match (job, &mailbox.record.link) {
            (Job::Link(_, revision), Some(link)) if revision == mailbox.revision => {
                match &link.work {
                    LinkWork::Publish { user } | LinkWork::Replace { user } => {
                        let data = LinkData {
                            fixed: &link.fixed,
                            user,
                        };
                        Command::LSet {
                            link_id: &link.id,
                            data,
                        }
                    }
                    LinkWork::Done | LinkWork::Withdraw => return,
                }
            }
            (Job::Unlink(_), _) => Command::LDel,
            (Job::Subscribe(_), _) => Command::Sub,
            (Job::Delete(_), _) => Command::Del,
            _ => return,
        };
        session.transmit(cx, job, &made.recipient_id, signer, &command);
    }

    pub(super) fn try_later(&mut self, now: Moment, server: &Server) {
        let session = self.session(server);
        session.try_again_at.get_or_insert(now + TROUBLE_WAIT);
    }

    /// Does again what was put off and is due.
    pub(super) fn try_again(&mut self, now: Moment, server: &Server) {
        let Some(session) = self.sessions.get_mut(server) else {
            return;
        };
        if !session.is_ready() || session.try_again_at.is_none_or(|due| now < due) {
            return;
        }
        session.try_again_at = None;
        session.forget_mailbox_jobs();
        for id in session.mailboxes.clone() {
            let jobs = self.mailboxes.get(&id).map(|mailbox| mailbox.jobs(id));
            for job in jobs.into_iter().flatten() {
                session.enqueue(job);
            }
        }
    }
}

/// The link of a new invitation, its data sealed and waiting to be published.
fn new_link(cx: &mut Context<'_>, mode: QueueMode, card: &Card) -> Result<Link, Malformed> {
    let keys = LinkKeys::derive(&card.secret, mode)?;
    let sealed = keys.seal(cx, card)?;
    let id = keys.link_id.unwrap_or_else(|| cx.random());
    let work = LinkWork::Publish { user: sealed.user };
    Ok(Link {
        id: id.to_vec(),
        fixed: sealed.fixed,
        work,
    })
}
