//! Which group of a conversation is the present one.
//!
//! A conversation that was begun anew, after one side put a backup back, has
//! another MLS group than its first. It lies in a setting beside the contact's
//! own record, which older versions wrote without it.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use crate::{ContactId, ConversationId};

/// The present group of one conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraRecord {
    /// What the group is called (16 bytes); the first, where this is nothing, is
    /// called as the conversation is.
    pub group: Option<[u8; 16]>,
    /// Epochs of the conversation before that group's first.
    pub before: u64,
    /// When the contact asked for it, by their clock, in milliseconds; what they
    /// asked earlier is old. 0 if they never did.
    pub asked_at: u64,
    /// The letter that answered them, until they prove that it came.
    pub answer: Vec<u8>,
    /// What I asked for and was not answered yet.
    pub request: Option<RequestRecord>,
}

/// What I ask of a contact when I put a backup back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// When it was made, in milliseconds; names it.
    pub made_at: u64,
    /// The MLS KeyPackage message in it.
    pub key_package: Vec<u8>,
    /// What names its private half in the rows.
    pub reference: Vec<u8>,
    /// The contact's signature key when the backup was made (32 bytes).
    pub their_key: Vec<u8>,
    /// The letter it left in last.
    pub letter: Option<u64>,
    /// When that was.
    #[serde(with = "millis")]
    pub posted: Timestamp,
}

impl EraRecord {
    /// That of the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&era_of(contact))?;
        let body = body.filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes that of the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.put_setting(&era_of(contact), &codec::encode(self))
    }

    /// Forgets that of the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&era_of(contact))
    }

    /// Decodes the versioned body.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading which group a conversation has")
    }

    /// What the group is called, if it is not the first.
    #[must_use]
    pub fn group(&self) -> Option<ConversationId> {
        self.group.map(ConversationId)
    }
}

fn era_of(contact: ContactId) -> String {
    format!("era of contact {}", contact.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStorage;

    #[test]
    fn a_record_survives_storage_and_damage_is_told() {
        let record = EraRecord {
            group: Some([7; 16]),
            before: 9,
            asked_at: 8,
            answer: vec![1, 2],
            request: Some(RequestRecord {
                made_at: 3,
                key_package: vec![4; 9],
                reference: vec![5; 3],
                their_key: vec![6; 32],
                letter: Some(1),
                posted: Timestamp::from_secs(2),
            }),
        };
        let mut storage = MemoryStorage::new();
        record.put(&mut storage, ContactId(1)).unwrap();
        assert_eq!(EraRecord::of(&storage, ContactId(1)).unwrap(), record);
        let other = EraRecord::of(&storage, ContactId(2)).unwrap();
        assert_eq!(other, EraRecord::default());
        let body = storage.setting(&era_of(ContactId(1))).unwrap().unwrap();
        for end in 0..body.len() {
            assert!(EraRecord::decode(&body[..end]).is_err(), "{end}");
        }
    }
}
