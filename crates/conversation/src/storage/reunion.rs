//! What two who begin their conversation anew have to remember of how it was.
//!
//! It lies in a setting beside [`EraRecord`](super::EraRecord), and only of
//! conversations that were begun anew.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use crate::ContactId;

/// What is remembered of one conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReunionRecord {
    /// The group that was left last, while what was said there may still come.
    pub former: Option<FormerGroup>,
    /// When I made my last ask, in milliseconds; 0 if I never asked.
    pub asked: u64,
    /// The last ask of mine that an answer of mine told to be void; 0 if none.
    pub void: u64,
}

/// A group in which nothing is said any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerGroup {
    /// What it is called.
    pub group: [u8; 16],
    /// Epochs of the conversation before its first.
    pub before: u64,
    /// When it was left.
    #[serde(with = "millis")]
    pub left: Timestamp,
}

impl ReunionRecord {
    /// That of the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&reunion_with(contact))?;
        let body = body.filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes that of the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.put_setting(&reunion_with(contact), &codec::encode(self))
    }

    /// Forgets that of the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&reunion_with(contact))
    }

    /// Decodes the versioned body.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading how a conversation was begun anew")
    }
}

fn reunion_with(contact: ContactId) -> String {
    format!("reunion with contact {}", contact.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStorage;

    #[test]
    fn a_record_survives_storage_and_damage_is_told() {
        let record = ReunionRecord {
            former: Some(FormerGroup {
                group: [7; 16],
                before: 300,
                left: Timestamp::from_secs(5),
            }),
            asked: 1 << 40,
            void: 1 << 39,
        };
        let mut storage = MemoryStorage::new();
        record.put(&mut storage, ContactId(1)).unwrap();
        assert_eq!(ReunionRecord::of(&storage, ContactId(1)).unwrap(), record);
        let other = ReunionRecord::of(&storage, ContactId(2)).unwrap();
        assert_eq!(other, ReunionRecord::default());
        let body = storage.setting(&reunion_with(ContactId(1))).unwrap();
        let body = body.unwrap();
        for end in 0..body.len() {
            assert!(ReunionRecord::decode(&body[..end]).is_err(), "{end}");
        }
        ReunionRecord::clear(&mut storage, ContactId(1)).unwrap();
        assert_eq!(ReunionRecord::of(&storage, ContactId(1)).unwrap(), other);
    }
}
