//! `relay.db`: what a profile's relay client keeps.

use std::path::Path;
use std::sync::Arc;

use hushwing_delivery::MailboxId;
use hushwing_relay::client::storage::{check_mailbox, check_sender_key};
use hushwing_relay::client::{Storage, StoredMailbox};
use hushwing_sansio::StorageError;
use zeroize::Zeroizing;

use crate::keys::FileKey;
use crate::slots::{Part, Slot};
use crate::{Database, OpenError, Schema};

/// The relay client's storage.
#[derive(Debug)]
pub struct RelayClientStore {
    database: Database,
}

impl RelayClientStore {
    /// What makes a `relay.db`.
    pub const SCHEMA: Schema = Schema {
        steps: &[include_str!(
            "migrations/relay_client/0001_mailboxes_and_sender_keys.sql"
        )],
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
        Database::open_in_slot(slot, Part::Relay, &Self::SCHEMA).map(|database| Self { database })
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

    /// As [`ProfileStore::snapshot`](crate::ProfileStore::snapshot).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn snapshot(&self, path: &Path, key: &FileKey) -> Result<(), StorageError> {
        self.database.snapshot(path, key)
    }

    /// As [`ProfileStore::plain`](crate::ProfileStore::plain).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn plain(&mut self) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        self.database.plain()
    }

    /// Checks every page, and that every record can be read. Slow; for a person
    /// in doubt.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt)
    /// if anything does not fit.
    pub fn check(&self) -> Result<(), StorageError> {
        const WHAT: &str = "checking the relay client's records";
        self.database.check()?;
        let sql = "SELECT record FROM mailboxes";
        self.database
            .all(WHAT, sql, [], |row| check_mailbox(row.bytes(0)?))?;
        let sql = "SELECT record FROM sender_keys";
        self.database
            .all(WHAT, sql, [], |row| check_sender_key(row.bytes(0)?))
            .map(drop)
    }
}

impl Storage for RelayClientStore {
    fn mailboxes(&mut self) -> Result<Vec<StoredMailbox>, StorageError> {
        let sql = "SELECT id, record FROM mailboxes ORDER BY id";
        self.database.all("reading mailboxes", sql, [], |row| {
            Ok((MailboxId(row.get(0)?), Zeroizing::new(row.get(1)?)))
        })
    }

    fn put_mailbox(&mut self, mailbox: MailboxId, record: &[u8]) -> Result<(), StorageError> {
        let sql = "INSERT INTO mailboxes (id, record) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET record = excluded.record";
        self.database
            .run("writing a mailbox", sql, (mailbox.0, record))
            .map(drop)
    }

    fn remove_mailbox(&mut self, mailbox: MailboxId) -> Result<(), StorageError> {
        let sql = "DELETE FROM mailboxes WHERE id = ?1";
        self.database
            .run("removing a mailbox", sql, [mailbox.0])
            .map(drop)
    }

    fn sender_key(&mut self, queue: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        let sql = "SELECT record FROM sender_keys WHERE queue = ?1";
        self.database
            .first("reading a sender key", sql, [queue], |row| {
                row.get(0).map(Zeroizing::new)
            })
    }

    fn put_sender_key(&mut self, queue: &[u8], record: &[u8]) -> Result<(), StorageError> {
        let sql = "INSERT INTO sender_keys (queue, record) VALUES (?1, ?2)
             ON CONFLICT (queue) DO UPDATE SET record = excluded.record";
        self.database
            .run("writing a sender key", sql, (queue, record))
            .map(drop)
    }
}
