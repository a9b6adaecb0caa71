//! What the engine is lent to remember things.

use core::fmt;
use std::sync::Arc;

use hushwing_sansio::{StorageError, Timestamp};

use super::directory::Name;
use super::record::{Id, QueueRecord, QueueRow};
use crate::wire::key::AuthKey;
use crate::wire::{BoxKey, QueueMode};

/// A queue to be created; storage draws its row.
pub struct NewRecord {
    /// Name for the recipient.
    pub recipient_id: Id,
    /// Name for the sender.
    pub sender_id: Id,
    /// The recipient's key.
    pub recipient_key: AuthKey,
    /// Boxes delivered messages.
    pub box_key: BoxKey,
    /// What it is for.
    pub mode: Option<QueueMode>,
}

impl NewRecord {
    /// The record under `row`.
    #[must_use]
    pub fn at(self, row: QueueRow) -> QueueRecord {
        QueueRecord {
            row,
            recipient_id: self.recipient_id,
            sender_id: self.sender_id,
            recipient_keys: vec![self.recipient_key],
            sender_key: None,
            box_key: self.box_key,
            mode: self.mode,
            active: true,
            link_id: None,
        }
    }
}

/// The two blobs behind a link, see [`crate::wire::LinkData`].
#[derive(Clone, PartialEq, Eq)]
pub struct StoredLink {
    /// Never changes.
    pub fixed: Vec<u8>,
    /// The owner may change it.
    pub user: Vec<u8>,
}

/// What lies at one place of a queue.
#[derive(Clone, PartialEq, Eq)]
pub enum MessageBody {
    /// A message.
    Message {
        /// Whether a notifier may be told.
        notify: bool,
        /// What the sender sent, up to 16,064 bytes.
        body: Arc<[u8]>,
    },
    /// The mark that the queue was full here.
    Quota,
}

/// A message as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its id for the recipient; random, also the nonce of its box.
    pub id: Id,
    /// In which hour the server took it.
    pub at: Timestamp,
    /// What it is.
    pub body: MessageBody,
}

impl fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredMessage(..)")
    }
}

/// Where a message lies in storage. Places grow within a queue; a place may be
/// used again once it is free, so it is always checked along with the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub i64);

/// How full a queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages in it, the quota mark counted.
    pub count: u32,
    /// Whether the last of them is the quota mark.
    pub marked: bool,
}

/// The engine's storage, lent for one call within the driver's transaction.
///
/// Reads see earlier writes of the same transaction.
pub trait Storage {
    /// The queue at `row`.
    ///
    /// # Errors
    ///
    /// [`StorageError`], as of all methods: the transaction is lost.
    fn queue(&mut self, row: QueueRow) -> Result<Option<QueueRecord>, StorageError>;

    /// The queue of this name.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn find(&mut self, name: &Name) -> Result<Option<QueueRecord>, StorageError>;

    /// Creates a queue; `None` if one of its ids is taken.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn insert_queue(&mut self, queue: NewRecord) -> Result<Option<QueueRecord>, StorageError>;

    /// Overwrites keys and state of the queue with `record`'s row. Ids, mode
    /// and link stay as they are.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn update_queue(&mut self, record: &QueueRecord) -> Result<(), StorageError>;

    /// Deletes a queue, its messages and its link.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn delete_queue(&mut self, row: QueueRow) -> Result<(), StorageError>;

    /// The link data of a queue.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn link(&mut self, row: QueueRow) -> Result<Option<StoredLink>, StorageError>;

    /// Sets id and data of a queue's link; false, and nothing changed, if
    /// another queue has that link id.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn set_link(
        &mut self,
        row: QueueRow,
        link_id: &[u8],
        link: &StoredLink,
    ) -> Result<bool, StorageError>;

    /// Removes a queue's link, if it has one.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn delete_link(&mut self, row: QueueRow) -> Result<(), StorageError>;

    /// How full a queue is.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn depth(&mut self, row: QueueRow) -> Result<Depth, StorageError>;

    /// The first message of a queue.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn head(&mut self, row: QueueRow) -> Result<Option<(Place, StoredMessage)>, StorageError>;

    /// Appends a message to a queue.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn append(&mut self, row: QueueRow, message: &StoredMessage) -> Result<Place, StorageError>;

    /// Deletes the message with this id at this place; false if it is not
    /// there.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn remove(&mut self, row: QueueRow, place: Place, id: &Id) -> Result<bool, StorageError>;

    /// Deletes up to `limit` of the oldest messages if taken before `before`,
    /// of the same time any, and returns how many.
    ///
    /// # Errors
    ///
    /// See [`Storage::queue`].
    fn expire(&mut self, before: Timestamp, limit: u32) -> Result<u32, StorageError>;
}
