//! Messages that a contact asked after and that are not here.
//!
//! Kept until it was told, so that no crash lets an inquiry go unanswered.

use hushwing_sansio::StorageError;
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec;
use crate::{ContactId, MessageId};

/// Messages of one contact that may be lacking: of 16 inquiries that come before
/// an answer can leave. Of what is asked beyond, it is told when it asks again.
pub const MOST_LACKING: usize = 4_096;

/// What one contact is to be told is not here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LackRecord {
    /// Ids (32 bytes), at most [`MOST_LACKING`].
    pub messages: Vec<Vec<u8>>,
}

impl LackRecord {
    /// What is lacking of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&lacks_of(contact))?;
        let body = body.filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes what is lacking of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.put_setting(&lacks_of(contact), &self.encode())
    }

    /// Nothing of `contact` is lacking any more, as far as it asked.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&lacks_of(contact))
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
        codec::decode(body, "reading what is lacking")
    }

    /// Notes a message, if there is room.
    pub fn add(&mut self, message: &MessageId) {
        let id = message.as_bytes();
        if self.messages.len() < MOST_LACKING && !self.messages.iter().any(|known| known == id) {
            self.messages.push(id.to_vec());
        }
    }

    /// The messages.
    pub fn ids(&self) -> impl Iterator<Item = MessageId> {
        self.messages
            .iter()
            .filter_map(|id| MessageId::from_bytes(id).ok())
    }
}

fn lacks_of(contact: ContactId) -> String {
    format!("lacks of contact {}", contact.0)
}
