//! How often somebody lost mailboxes, and what is to be said again for it.
//!
//! Both lie in settings: most people never have either.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::codec::{self, millis};
use super::{MailboxUse, Position, Storage};
use crate::{ContactId, MessageId};

/// What is remembered of the mailboxes that one contact or invitation lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossRecord {
    /// How many were lost so far, which counts the addresses a contact was told.
    pub count: u64,
    /// How many were lost one soon after the other, which makes the next one
    /// wait.
    pub in_a_row: u32,
    /// When the last one was replaced, or is to be.
    #[serde(with = "millis")]
    pub replaced: Timestamp,
    /// Whether the contact is not known to write elsewhere yet.
    pub standing: bool,
}

impl LossRecord {
    /// The losses of `owner`, if there were any.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, owner: MailboxUse) -> Result<Option<Self>, StorageError> {
        let body = storage.setting(&losses_of(owner))?;
        let body = body.filter(|body| !body.is_empty());
        body.map(|body| Self::decode(&body)).transpose()
    }

    /// Writes the losses of `owner`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, owner: MailboxUse) -> Result<(), StorageError> {
        storage.put_setting(&losses_of(owner), &self.encode())
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
        codec::decode(body, "reading losses of mailboxes")
    }

    /// Forgets the losses of `owner`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, owner: MailboxUse) -> Result<(), StorageError> {
        storage.remove_setting(&losses_of(owner))
    }
}

fn losses_of(owner: MailboxUse) -> String {
    match owner {
        MailboxUse::Conversation(contact) => format!("losses of contact {}", contact.0),
        MailboxUse::Invitation(id) => format!("losses of invitation {}", id.0),
        MailboxUse::Room(room) => format!("losses of room {}", room.0),
    }
}

/// What is to be said again to a contact, and how far that is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatRecord {
    /// Also what failed, and my last commit: they have another mailbox.
    pub failed: bool,
    /// Also what no face shows.
    pub control: bool,
    /// Where the message said again last stands: epoch and counter (8 bytes each),
    /// leaf (4), id (32). Its row may be gone. Empty before the first; older
    /// versions put the id alone, from which it begins anew.
    pub after: Vec<u8>,
}

impl RepeatRecord {
    /// What is to be said again to `contact`, if anything is.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Option<Self>, StorageError> {
        let body = storage.setting(&repeats_to(contact))?;
        let body = body.filter(|body| !body.is_empty());
        body.map(|body| Self::decode(&body)).transpose()
    }

    /// Writes what is to be said again to `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.put_setting(&repeats_to(contact), &self.encode())
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
        codec::decode(body, "reading what is to be said again")
    }

    /// Nothing is to be said again to `contact` any more.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&repeats_to(contact))
    }

    /// Where the message said again last stands.
    #[must_use]
    pub fn last(&self) -> Option<Position> {
        let (epoch, rest) = self.after.split_first_chunk()?;
        let (lamport, rest) = rest.split_first_chunk()?;
        let (leaf, id) = rest.split_first_chunk()?;
        Some(Position {
            epoch: u64::from_be_bytes(*epoch),
            lamport: u64::from_be_bytes(*lamport),
            leaf: u32::from_be_bytes(*leaf),
            id: MessageId::from_bytes(id).ok()?,
        })
    }

    /// What stands behind `position` is still to be said.
    pub fn go_on_after(&mut self, position: &Position) {
        self.after = [
            position.epoch.to_be_bytes().as_slice(),
            &position.lamport.to_be_bytes(),
            &position.leaf.to_be_bytes(),
            position.id.as_bytes(),
        ]
        .concat();
    }

    /// What stands at `position` is still to be said, and what stands behind it.
    pub fn go_before(&mut self, position: &Position) {
        // Nothing stands between: no leaf of a conversation is that high.
        self.go_on_after(&Position {
            lamport: position.lamport.saturating_sub(1),
            leaf: u32::MAX,
            ..*position
        });
    }
}

fn repeats_to(contact: ContactId) -> String {
    format!("repeats to {}", contact.0)
}
