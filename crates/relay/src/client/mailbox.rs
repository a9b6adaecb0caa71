//! One mailbox while the process runs.

use hushwing_delivery::{MailboxId, NetworkEvent, ReceiptId};
use hushwing_sansio::{Context, StorageError};
use zeroize::Zeroizing;

use super::records::{Link, LinkWork, Made, MailboxRecord, Queue};
use super::session::Job;
use crate::address::{LinkPlace, QueueAddress, Server};
use crate::wire::{BoxKey, QueueMode, SigningKey};

/// A mailbox while the process runs.
pub(super) struct Mailbox {
    pub(super) record: MailboxRecord,
    pub(super) key: SigningKey,
    pub(super) box_key: Option<BoxKey>,
    pub(super) subscribed: bool,
    /// `NEW` went out on this connection.
    pub(super) asked: bool,
    /// Whether it was told that the server cannot be reached.
    pub(super) told_unreachable: bool,
    /// Mailboxes with which it shall not share a server.
    pub(super) apart: Vec<MailboxId>,
    /// Servers on which it could not be made, since it was last told so.
    pub(super) tried: Vec<Server>,
    /// Servers that refused to make it, until others are chosen.
    pub(super) refused: Vec<Server>,
    /// Counts changes of the link data, so that an answer can be matched with
    /// the change it is for.
    pub(super) revision: u64,
    /// A new bundle was asked for before the first was published.
    pub(super) replace_asked: bool,
    /// The message handed up and not acknowledged yet.
    pub(super) delivered: Option<(Vec<u8>, ReceiptId)>,
}

impl Mailbox {
    pub(super) fn new(record: MailboxRecord) -> Result<Self, StorageError> {
        let key = signing_key(&record)?;
        let box_key = match &record.queue {
            Queue::Made(made) => Some(BoxKey::from_bytes(*made.box_key)),
            Queue::Wanted { .. } | Queue::Lost => None,
        };
        Ok(Self {
            record,
            key,
            box_key,
            subscribed: false,
            asked: false,
            told_unreachable: false,
            apart: Vec::new(),
            tried: Vec::new(),
            refused: Vec::new(),
            revision: 0,
            replace_asked: false,
            delivered: None,
        })
    }

    /// Begins anew at another server, under keys that none has seen. Of an
    /// invitation the link's id stays: whoever has the link looks for it there.
    pub(super) fn begin_at(
        &mut self,
        cx: &mut Context<'_>,
        server: Server,
    ) -> Result<(), StorageError> {
        self.record.server = server;
        self.record.seed = Zeroizing::new(cx.random());
        self.key = signing_key(&self.record)?;
        self.record.queue = Queue::Wanted {
            dh: Zeroizing::new(cx.random()),
        };
        self.box_key = None;
        Ok(())
    }

    /// What has to be done for it in the session with its server.
    pub(super) fn jobs(&self, id: MailboxId) -> Vec<Job> {
        match (&self.record.queue, self.record.closing) {
            (Queue::Wanted { .. }, false) => vec![Job::Create(id)],
            (Queue::Wanted { .. }, true) | (Queue::Lost, _) => Vec::new(),
            (Queue::Made(_), true) => vec![Job::Delete(id)],
            (Queue::Made(_), false) => {
                let subscribe = (!self.subscribed).then_some(Job::Subscribe(id));
                subscribe.into_iter().chain(self.link_job(id)).collect()
            }
        }
    }

    pub(super) fn link_job(&self, id: MailboxId) -> Option<Job> {
        match &self.record.link.as_ref()?.work {
            LinkWork::Done => None,
            LinkWork::Publish { .. } | LinkWork::Replace { .. } => {
                Some(Job::Link(id, self.revision))
            }
            LinkWork::Withdraw => Some(Job::Unlink(id)),
        }
    }

    pub(super) fn made(&self) -> Option<&Made> {
        match &self.record.queue {
            Queue::Made(made) => Some(made),
            Queue::Wanted { .. } | Queue::Lost => None,
        }
    }

    /// Whether the server lost it and the room above has not closed it yet.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.record.queue, Queue::Lost)
    }

    pub(super) fn opened_event(&self, mailbox: MailboxId) -> Option<NetworkEvent> {
        let made = self.made()?;
        let queue = QueueAddress {
            server: self.record.server.clone(),
            sender_id: made.sender_id.clone(),
            lockable: made.lockable,
        };
        let place = self.record.link.as_ref().map(|link| {
            let one_time = self.record.mode == QueueMode::Messaging;
            let link_id = one_time.then(|| link.id.clone());
            LinkPlace {
                server: self.record.server.clone(),
                link_id,
            }
            .to_place()
        });
        Some(NetworkEvent::MailboxOpened {
            mailbox,
            locator: queue.to_locator(),
            place,
        })
    }

    /// Whether the room above was told that it is open.
    pub(super) fn is_open(&self) -> bool {
        let publishing = |link: &Link| matches!(link.work, LinkWork::Publish { .. });
        self.made().is_some() && !self.record.link.as_ref().is_some_and(publishing)
    }
}

fn signing_key(record: &MailboxRecord) -> Result<SigningKey, StorageError> {
    SigningKey::from_seed(*record.seed)
        .map_err(|cause| StorageError::corrupt("reading a mailbox key").because(cause))
}
