//! Changes of a contact to messages that are not here.
//!
//! They lie among the messages; which ones they are lies in a setting, because
//! most people never have any.

use hushwing_sansio::StorageError;
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec;
use crate::content::MAX_MESSAGE;
use crate::{ContactId, MessageId};

/// Changes of one contact that may wait for what they change.
pub const MOST_ORPHANS: usize = 128;
/// Bytes of content that these may have together.
pub const MOST_ORPHAN_BYTES: usize = 256 * 1024;

// One change alone always has room, so that none is stored without being noted.
const _: () = assert!(MAX_MESSAGE <= MOST_ORPHAN_BYTES && MOST_ORPHANS > 0);

/// Which changes of a contact wait for what they change, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanRecord {
    /// Ids (32 bytes) and bytes of content.
    pub waiting: Vec<(Vec<u8>, u32)>,
}

impl OrphanRecord {
    /// The orphans of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&orphans_of(contact))?;
        match body.filter(|body| !body.is_empty()) {
            Some(body) => Self::decode(&body),
            None => Ok(Self::default()),
        }
    }

    /// Writes the orphans of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        match self.is_empty() {
            true => Self::clear(storage, contact),
            false => storage.put_setting(&orphans_of(contact), &self.encode()),
        }
    }

    /// Nothing of `contact` waits any more.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&orphans_of(contact))
    }

    /// The versioned body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes what [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading changes of what is not here")
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds a change with `bytes` of content; gives those that go for it, which
    /// are older ones.
    #[must_use]
    pub fn add(&mut self, change: &MessageId, bytes: usize) -> Vec<MessageId> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.waiting.push((change.as_bytes().to_vec(), bytes));
        let mut gone = Vec::new();
        while self.waiting.len() > MOST_ORPHANS || self.bytes() > MOST_ORPHAN_BYTES as u64 {
            let (id, _) = self.waiting.remove(0);
            gone.extend(MessageId::from_bytes(&id));
        }
        gone
    }

    /// Takes a change out; whether it waited.
    pub fn remove(&mut self, change: &MessageId) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|(id, _)| id != change.as_bytes());
        self.waiting.len() < before
    }

    fn bytes(&self) -> u64 {
        self.waiting
            .iter()
            .map(|(_, bytes)| u64::from(*bytes))
            .sum()
    }
}

fn orphans_of(contact: ContactId) -> String {
    format!("orphans of contact {}", contact.0)
}
