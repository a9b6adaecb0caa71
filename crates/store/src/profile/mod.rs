//! `profile.db`: one person's conversations and the post office beneath them.

mod conversation;
mod messages;
mod mls;
mod office;
mod receipts;
mod rooms;
mod said;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use hushwing_conversation::{RoomRows as _, Storage as _};
use hushwing_sansio::StorageError;
use zeroize::Zeroizing;

use crate::keys::FileKey;
use crate::slots::{Part, Slot};
use crate::{Database, OpenError, Schema};

/// A profile's storage: conversation's, MLS's and the post office's rows in
/// one file, so that one transaction changes all of them or none.
#[derive(Debug)]
pub struct ProfileStore {
    database: Database,
}

impl ProfileStore {
    /// What makes a `profile.db`.
    pub const SCHEMA: Schema = Schema {
        steps: &[
            include_str!("../migrations/profile/0001_conversation_and_office.sql"),
            include_str!("../migrations/profile/0002_held_letters.sql"),
            include_str!("../migrations/profile/0003_changes.sql"),
            include_str!("../migrations/profile/0004_owed_by_contact.sql"),
            include_str!("../migrations/profile/0005_by_kind.sql"),
            include_str!("../migrations/profile/0006_said.sql"),
            include_str!("../migrations/profile/0007_signed_receipts.sql"),
            include_str!("../migrations/profile/0008_rooms.sql"),
        ],
    };

    /// Opens, or makes, the file at `path`.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn open(path: &Path, key: &FileKey) -> Result<Self, OpenError> {
        Database::open(path, key, &Self::SCHEMA).map(|database| Self { database })
    }

    /// Opens, or makes, the one that lies in a slot.
    ///
    /// # Errors
    ///
    /// [`OpenError::Busy`] while it is open already, else as [`Database::open`].
    pub fn open_in(slot: &Arc<Slot>) -> Result<Self, OpenError> {
        Database::open_in_slot(slot, Part::Profile, &Self::SCHEMA).map(|database| Self { database })
    }

    /// As [`Database::begin`].
    ///
    /// # Errors
    ///
    /// If a transaction is open already.
    pub fn begin(&mut self) -> Result<(), StorageError> {
        self.database.begin()
    }

    /// As [`Database::commit`].
    ///
    /// # Errors
    ///
    /// If nothing was made durable.
    pub fn commit(&mut self) -> Result<(), StorageError> {
        self.database.commit()
    }

    /// As [`Database::rollback`].
    ///
    /// # Errors
    ///
    /// If the file cannot be read any more.
    pub fn rollback(&mut self) -> Result<(), StorageError> {
        self.database.rollback()
    }

    /// As [`Database::settle`].
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn settle(&mut self) -> Result<(), StorageError> {
        self.database.settle()
    }

    /// Copies the whole as it is now into a new file at `path`, under another key.
    /// Between transactions; nothing is written meanwhile.
    ///
    /// # Errors
    ///
    /// If a transaction is open, a page cannot be read, or there is a file at
    /// `path` or no room for one. What stands there then is of no use.
    pub fn snapshot(&self, path: &Path, key: &FileKey) -> Result<(), StorageError> {
        self.database.snapshot(path, key)
    }

    /// All of it without a key, for a slot. Between transactions.
    ///
    /// # Errors
    ///
    /// If a page cannot be read.
    pub fn plain(&mut self) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        self.database.plain()
    }

    /// The last number that was drawn here, 0 if none was.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn last_number(&self) -> Result<u64, StorageError> {
        conversation::last_number(&self.database)
    }

    /// Checks every page, and that every record can be read. Slow; for a person
    /// in doubt.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Damaged`](hushwing_sansio::StorageErrorKind::Damaged)
    /// if a page does not fit,
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt)
    /// if a record does not.
    pub fn check(&self) -> Result<(), StorageError> {
        self.database.check()?;
        for invitation in self.invitations()? {
            self.key_packages(invitation.id)?;
        }
        self.mailbox_records()?;
        self.joins()?;
        self.contacts()?;
        for room in self.rooms()? {
            let sound = room.map_err(|_| StorageError::corrupt("reading a room"))?;
            self.members(sound.id)?;
        }
        Ok(())
    }
}
