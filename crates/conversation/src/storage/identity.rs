//! By what a contact is known, and whether a person compared it.
//!
//! It lies in a setting beside the contact: the contact's own record says only
//! whether they are verified now.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use crate::ContactId;

/// Changes that are remembered of one contact; the oldest go.
pub const MOST_CHANGES: usize = 16;

/// What was seen of a contact's identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRecord {
    /// What it is now; nothing before there was a group.
    pub seen: Option<Seen>,
    /// The last comparison that was right.
    pub comparison: Option<Comparison>,
    /// How it changed, the newest last.
    pub changes: Vec<IdentityChange>,
}

/// An identity as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The first half of the hash behind the safety number (32 bytes).
    pub number: Vec<u8>,
    /// The contact's public signature key (32 bytes).
    pub key: Vec<u8>,
    /// The conversation the key is used in (16 bytes).
    pub conversation: Vec<u8>,
    /// Since when.
    #[serde(with = "millis")]
    pub since: Timestamp,
}

/// A comparison by a person, with the right outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// What was compared: as [`Seen::number`].
    pub number: Vec<u8>,
    /// When.
    #[serde(with = "millis")]
    pub at: Timestamp,
    /// How.
    pub how: Compared,
}

/// How a person compared a safety number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compared {
    /// The digits, read aloud or written.
    Number,
    /// The code, scanned or pasted.
    Code,
}

/// The identity of a contact became another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityChange {
    /// When it was seen here.
    #[serde(with = "millis")]
    pub at: Timestamp,
    /// What changed.
    pub kind: ChangeKind,
    /// Whether they were verified before, and are not any more.
    pub withdrew: bool,
}

/// What changed of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Their key, by the one commit that has to change it: the first of the
    /// inviter after a reusable link.
    Planned,
    /// Their key.
    Key,
    /// The conversation was begun anew.
    Conversation,
    /// My key, and so the number.
    Number,
    /// They put a backup back and began the conversation anew, with the keys
    /// they had.
    Restored,
}

impl IdentityRecord {
    /// What was seen of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&identity_of(contact))?;
        match body.filter(|body| !body.is_empty()) {
            Some(body) => Self::decode(&body),
            None => Ok(Self::default()),
        }
    }

    /// Writes what was seen of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.put_setting(&identity_of(contact), &self.encode())
    }

    /// Forgets what was seen of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&identity_of(contact))
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
        codec::decode(body, "reading an identity")
    }

    /// Notes what is seen now. Gives the change, if it is another identity than
    /// before; `planned` says whether their key was to change.
    #[must_use]
    pub fn see(&mut self, now: Seen, planned: bool) -> Option<IdentityChange> {
        let before = match &self.seen {
            Some(before) if before.number == now.number => return None,
            before => before.clone(),
        };
        let at = now.since;
        let withdrew = self
            .comparison
            .as_ref()
            .is_some_and(|compared| compared.number != now.number);
        let kind = before.as_ref().map(|before| {
            if before.conversation != now.conversation {
                ChangeKind::Conversation
            } else if before.key == now.key {
                ChangeKind::Number
            } else if planned {
                ChangeKind::Planned
            } else {
                ChangeKind::Key
            }
        });
        // Their key may be as old as it was, where only mine is new.
        let since = match (&before, kind) {
            (Some(before), Some(ChangeKind::Number)) => before.since,
            _ => at,
        };
        self.seen = Some(Seen { since, ..now });
        if withdrew {
            self.comparison = None;
        }
        let change = IdentityChange {
            at,
            kind: kind.unwrap_or(ChangeKind::Number),
            withdrew,
        };
        let worth_telling = withdrew || kind.is_some_and(|kind| kind != ChangeKind::Number);
        if !worth_telling {
            return None;
        }
        self.keep(change);
        Some(change)
    }

    /// Takes note that the contact began anew from a backup.
    pub fn note_restored(&mut self, at: Timestamp) -> IdentityChange {
        let change = IdentityChange {
            at,
            kind: ChangeKind::Restored,
            withdrew: false,
        };
        // Several in a row count as one: they must not push out what else was.
        let mut before = self.changes.iter();
        if before
            .next_back()
            .is_some_and(|last| last.kind == ChangeKind::Restored)
        {
            self.changes.pop();
        }
        self.keep(change);
        change
    }

    fn keep(&mut self, change: IdentityChange) {
        self.changes.push(change);
        if self.changes.len() > MOST_CHANGES {
            self.changes.remove(0);
        }
    }

    /// When a change took verification away that was not given again since.
    #[must_use]
    pub fn withdrawn(&self) -> Option<Timestamp> {
        if self.comparison.is_some() {
            return None;
        }
        let mut newest = self.changes.iter().rev();
        newest
            .find(|change| change.withdrew)
            .map(|change| change.at)
    }
}

fn identity_of(contact: ContactId) -> String {
    format!("identity of contact {}", contact.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(number: u8, key: u8, conversation: u8, at: u64) -> Seen {
        Seen {
            number: vec![number; 32],
            key: vec![key; 32],
            conversation: vec![conversation; 16],
            since: Timestamp::from_secs(at),
        }
    }

    fn verified() -> IdentityRecord {
        let mut record = IdentityRecord::default();
        assert_eq!(record.see(seen(1, 1, 1, 10), false), None);
        record.comparison = Some(Comparison {
            number: vec![1; 32],
            at: Timestamp::from_secs(20),
            how: Compared::Number,
        });
        record
    }

    #[test]
    fn the_same_identity_is_no_change_and_keeps_its_age() {
        let mut record = verified();
        assert_eq!(record.see(seen(1, 1, 1, 99), false), None);
        assert_eq!(record.seen, Some(seen(1, 1, 1, 10)));
        assert!(record.comparison.is_some());
    }

    #[test]
    fn another_key_or_conversation_withdraws_what_was_compared() {
        for (now, kind) in [
            (seen(2, 2, 1, 30), ChangeKind::Key),
            (seen(2, 1, 2, 30), ChangeKind::Conversation),
            (seen(2, 1, 1, 30), ChangeKind::Number),
        ] {
            let mut record = verified();
            let change = record.see(now, false).unwrap();
            assert_eq!((change.kind, change.withdrew), (kind, true));
            assert_eq!(record.comparison, None);
            assert_eq!(record.withdrawn(), Some(Timestamp::from_secs(30)));
        }
    }

    #[test]
    fn a_number_that_changes_by_my_key_alone_is_told_only_if_it_was_compared() {
        let mut record = IdentityRecord::default();
        let _ = record.see(seen(1, 1, 1, 10), false);
        assert_eq!(record.see(seen(2, 1, 1, 30), true), None);
        assert_eq!(record.seen, Some(seen(2, 1, 1, 10)));
    }

    #[test]
    fn only_the_newest_changes_are_remembered() {
        let mut record = IdentityRecord::default();
        for key in 0..40 {
            let _ = record.see(seen(key, key, 1, key.into()), false);
        }
        assert_eq!(record.changes.len(), MOST_CHANGES);
        assert_eq!(record.changes[15].at, Timestamp::from_secs(39));
        assert_eq!(IdentityRecord::decode(&record.encode()).unwrap(), record);
    }
}
