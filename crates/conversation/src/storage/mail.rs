//! The mailboxes of one conversation: what each is for, and what the contact
//! was told of them.
//!
//! It lies in a setting beside the mailboxes' own records, which older versions
//! wrote without it: a mailbox that is not named here is in service.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis, optional_millis};
use crate::{ContactId, Secret};

/// What a mailbox of a conversation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// They write here.
    Service,
    /// They write here when nothing else takes their letters.
    Recovery,
    /// Another took its place. They still know it, as the last to be tried,
    /// until they are known to write to one in service.
    Old,
    /// They were told to write here no longer.
    Leaving {
        /// When that was confirmed; it is closed some time later.
        #[serde(with = "optional_millis")]
        since: Option<Timestamp>,
    },
}

/// One mailbox of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxNote {
    /// Its number.
    pub id: u64,
    /// What it is for.
    pub role: Role,
    /// The mailbox it is to replace, until it is open.
    pub replaces: Option<u64>,
    /// When it was asked for.
    #[serde(with = "millis")]
    pub since: Timestamp,
}

/// An address of a contact at which letters were accepted and did not arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doubt {
    /// The encoded address.
    pub address: Secret,
    /// Until when others are tried first.
    #[serde(with = "millis")]
    pub until: Timestamp,
    /// How often it came to that since a letter last arrived by it.
    pub times: u32,
}

/// What is known of the mailboxes of one conversation, on both sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MailRecord {
    /// How often the contact was told addresses, beside the first time and once
    /// for each loss.
    pub told: u64,
    /// The message that told them last (32 bytes), until it is confirmed.
    pub telling: Vec<u8>,
    /// Whether what was told last was confirmed.
    pub confirmed: bool,
    /// When the mailboxes in service are replaced; the origin of time before
    /// that was drawn.
    #[serde(with = "millis")]
    pub rotate_at: Timestamp,
    /// Whether my keys are to be renewed as soon as the turn is mine.
    pub new_keys: bool,
    /// My mailboxes, the preferred one first.
    pub mailboxes: Vec<MailboxNote>,
    /// Their recovery addresses, encoded.
    pub recovery: Vec<Secret>,
    /// Their addresses that are not to be trusted now.
    pub doubts: Vec<Doubt>,
}

impl MailRecord {
    /// What is known of the mailboxes of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&mail_of(contact))?;
        let body = body.filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes what is known of the mailboxes of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.put_setting(&mail_of(contact), &self.encode())
    }

    /// Forgets what is known of the mailboxes of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&mail_of(contact))
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
        codec::decode(body, "reading the mailboxes of a conversation")
    }

    /// The note of a mailbox.
    #[must_use]
    pub fn note(&self, id: u64) -> Option<&MailboxNote> {
        self.mailboxes.iter().find(|note| note.id == id)
    }

    /// What a mailbox is for.
    #[must_use]
    pub fn role(&self, id: u64) -> Role {
        self.note(id).map_or(Role::Service, |note| note.role)
    }

    /// Changes what a mailbox is for.
    pub fn set_role(&mut self, id: u64, role: Role, now: Timestamp) {
        match self.mailboxes.iter_mut().find(|note| note.id == id) {
            Some(note) => note.role = role,
            // One that was not named is older than those that are.
            None => self.mailboxes.insert(
                0,
                MailboxNote {
                    id,
                    role,
                    replaces: None,
                    since: now,
                },
            ),
        }
    }

    /// Whether another mailbox is being made to take the place of `id`.
    #[must_use]
    pub fn is_being_replaced(&self, id: u64) -> bool {
        self.mailboxes.iter().any(|note| note.replaces == Some(id))
    }

    /// Forgets a mailbox.
    pub fn drop_note(&mut self, id: u64) {
        self.mailboxes.retain(|note| note.id != id);
    }
}

fn mail_of(contact: ContactId) -> String {
    format!("mail of contact {}", contact.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_storage_and_damage_is_told() {
        let record = MailRecord {
            told: 3,
            telling: vec![1; 32],
            confirmed: true,
            rotate_at: Timestamp::from_secs(9),
            new_keys: true,
            mailboxes: vec![MailboxNote {
                id: 7,
                role: Role::Leaving {
                    since: Some(Timestamp::from_secs(8)),
                },
                replaces: Some(6),
                since: Timestamp::from_secs(5),
            }],
            recovery: vec![Secret::new(vec![2; 40])],
            doubts: vec![Doubt {
                address: Secret::new(vec![3; 40]),
                until: Timestamp::from_secs(10),
                times: 2,
            }],
        };
        let body = record.encode();
        assert_eq!(MailRecord::decode(&body).unwrap(), record);
        for end in 0..body.len() {
            assert!(MailRecord::decode(&body[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn a_mailbox_that_is_not_named_is_in_service() {
        assert_eq!(MailRecord::default().role(1), Role::Service);
    }
}
