//! What commands mean. One engine per server; it decides in the order in which
//! it is asked, within the driver's transaction.
//!
//! Memory: subscriptions of living connections, and a bounded set of queues it
//! remembers. A queue nobody is connected to costs nothing.

mod deliver;
mod info;
mod link;
mod manage;
mod remembered;
mod subscriptions;

use std::collections::VecDeque;
use std::sync::Arc;

use hushwing_sansio::{Context, StorageError};

use super::config::ServerConfig;
use super::record::{QueueRecord, QueueRow};
use super::request::{Answer, ConnectionId, Event, Output, RecipientCommand, Request, Ticket};
use super::storage::Storage;
use crate::wire::SmpError;
use crate::wire::key::AuthKey;
use remembered::Remembered;
use subscriptions::Subscriptions;

/// A queue that is not as the directory knew it. To be applied to the
/// directory after the commit and before outputs leave.
#[derive(Clone)]
pub struct QueueChange {
    /// What was, if the queue existed; its names may be remembered.
    pub before: Option<Arc<QueueRecord>>,
    /// What is, if the queue exists.
    pub after: Option<Arc<QueueRecord>>,
}

/// Messages deleted for their age in one transaction, so that the writer is
/// not held up.
const EXPIRE_AT_ONCE: u32 = 256;

/// Why a command ends without an answer of its own.
enum Stop {
    /// The client is told this.
    Refuse(SmpError),
    /// The transaction is lost.
    Storage(StorageError),
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<SmpError> for Stop {
    fn from(error: SmpError) -> Self {
        Self::Refuse(error)
    }
}

/// The queue engine, see the module.
pub struct Engine {
    config: ServerConfig,
    remembered: Remembered,
    subscriptions: Subscriptions,
    outputs: VecDeque<(ConnectionId, Output)>,
    changes: Vec<QueueChange>,
}

impl Engine {
    /// An engine without connections. All it knows beyond them is in storage.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        Self {
            remembered: Remembered::new(config.remembered_queues),
            config,
            subscriptions: Subscriptions::default(),
            outputs: VecDeque::new(),
            changes: Vec::new(),
        }
    }

    /// Carries out one request of `from`.
    ///
    /// # Errors
    ///
    /// Only when storage fails: roll back, drop the engine, end all sessions.
    pub fn apply(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        from: ConnectionId,
        ticket: Ticket,
        request: Request,
    ) -> Result<(), StorageError> {
        let at = self.outputs.len();
        let answer = match self.run(cx, storage, from, request) {
            Ok(answer) => answer,
            Err(Stop::Refuse(error)) => Answer::Refused(error),
            Err(Stop::Storage(error)) => return Err(error),
        };
        // The answer goes before the events that the same request caused.
        self.outputs
            .insert(at, (from, Output::Answer(ticket, answer)));
        Ok(())
    }

    /// Forgets a connection and its subscriptions.
    pub fn close(&mut self, connection: ConnectionId) {
        self.subscriptions.close(connection);
    }

    /// Deletes messages older than the configured age; true if there may be
    /// more, so that the driver calls again in its next transaction.
    ///
    /// # Errors
    ///
    /// See [`Engine::apply`].
    pub fn expire(
        &mut self,
        cx: &Context<'_>,
        storage: &mut dyn Storage,
    ) -> Result<bool, StorageError> {
        // Stored times are whole hours: no message goes before its time.
        let before = deliver::hour(cx.wall() - self.config.expiry);
        let expired = storage.expire(before, EXPIRE_AT_ONCE)?;
        if expired > 0 {
            self.remembered.clear();
        }
        Ok(expired == EXPIRE_AT_ONCE)
    }

    /// The next thing for a connection, or `None` when all are drained.
    pub fn poll_output(&mut self) -> Option<(ConnectionId, Output)> {
        self.outputs.pop_front()
    }

    /// The queues that changed since the last call.
    pub fn take_changes(&mut self) -> Vec<QueueChange> {
        core::mem::take(&mut self.changes)
    }

    /// Whether messages are pushed to `connection`.
    #[must_use]
    pub fn is_subscribed(&self, connection: ConnectionId) -> bool {
        self.subscriptions.is_subscribed(connection)
    }

    /// Connections with at least one subscription, for figures.
    #[must_use]
    pub fn subscribed_connections(&self) -> usize {
        self.subscriptions.connections()
    }

    fn run(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        from: ConnectionId,
        request: Request,
    ) -> Result<Answer, Stop> {
        match request {
            Request::Create(new) => self.create(storage, from, *new),
            Request::Recipient {
                queue,
                key,
                command,
            } => {
                let record = self.record(storage, queue)?;
                if !record.recipient_keys.contains(&key) {
                    return Err(SmpError::Auth.into());
                }
                self.recipient(storage, from, record, command)
            }
            Request::SecureBySender { queue, key } => {
                let record = self.record(storage, queue)?;
                if !record.sender_may_secure() {
                    return Err(SmpError::Auth.into());
                }
                self.secure(storage, &record, key)?;
                Ok(Answer::Done)
            }
            Request::Send {
                queue,
                key,
                notify,
                body,
            } => {
                let record = self.record(storage, queue)?;
                if record.sender_key != key || !record.active {
                    return Err(SmpError::Auth.into());
                }
                self.send(cx, storage, &record, notify, body)
            }
            Request::ReserveLink { queue, key } => {
                let record = self.record(storage, queue)?;
                self.reserve_link(storage, &record, key)
            }
            Request::ReadLink { queue } => {
                let record = self.record(storage, queue)?;
                Self::read_link(storage, &record)
            }
        }
    }

    fn recipient(
        &mut self,
        storage: &mut dyn Storage,
        from: ConnectionId,
        record: Arc<QueueRecord>,
        command: RecipientCommand,
    ) -> Result<Answer, Stop> {
        match command {
            RecipientCommand::Subscribe => self.subscribe(storage, from, record),
            RecipientCommand::Secure(key) => {
                self.secure(storage, &record, key)?;
                Ok(Answer::Done)
            }
            RecipientCommand::SetKeys(keys) => self.set_keys(storage, &record, keys),
            RecipientCommand::SetLink { link_id, link } => {
                self.set_link(storage, &record, &link_id, &link)
            }
            RecipientCommand::DeleteLink => {
                self.drop_link(storage, &record)?;
                Ok(Answer::Done)
            }
            RecipientCommand::Get => self.get(storage, from, record),
            RecipientCommand::Acknowledge(id) => self.acknowledge(storage, from, record, &id),
            RecipientCommand::Suspend => self.suspend(storage, &record),
            RecipientCommand::Delete => self.delete(storage, from, &record),
            RecipientCommand::Inspect => self.inspect(storage, from, &record),
        }
    }

    /// The queue at `row` as it is now; gone queues answer as if never there.
    fn record(
        &mut self,
        storage: &mut dyn Storage,
        row: QueueRow,
    ) -> Result<Arc<QueueRecord>, Stop> {
        match self.remembered.record(storage, row)? {
            Some(record) => Ok(record),
            None => Err(SmpError::Auth.into()),
        }
    }

    /// Notes that `before` became `after`, which storage already has.
    fn changed(&mut self, before: &Arc<QueueRecord>, after: QueueRecord) -> Arc<QueueRecord> {
        let after = Arc::new(after);
        self.remembered.replace(&after);
        self.changes.push(QueueChange {
            before: Some(Arc::clone(before)),
            after: Some(Arc::clone(&after)),
        });
        after
    }

    /// First key wins; the same again is fine; another is refused.
    fn secure(
        &mut self,
        storage: &mut dyn Storage,
        record: &Arc<QueueRecord>,
        key: AuthKey,
    ) -> Result<(), Stop> {
        match record.sender_key {
            Some(present) if present == key => Ok(()),
            Some(_) => Err(SmpError::Auth.into()),
            None => {
                let secured = QueueRecord {
                    sender_key: Some(key),
                    ..(**record).clone()
                };
                storage.update_queue(&secured)?;
                self.changed(record, secured);
                Ok(())
            }
        }
    }

    fn tell(&mut self, connection: ConnectionId, event: Event) {
        self.outputs.push_back((connection, Output::Event(event)));
    }
}
