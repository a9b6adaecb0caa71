//! `relay-server.db`: the queues and messages of a relay server; beside it
//! `relay-server.db-bodies` with what the messages carry.
//!
//! One connection, owned by the server's writer thread. Reads outside of a
//! transaction see committed queues, which is what its directory wants.

mod bodies;
pub mod check;
mod messages;
mod queues;

use std::fmt;
use std::path::Path;

use hushwing_relay::server::{
    Depth, Id, Name, NewRecord, Place, QueueRecord, QueueRow, Storage, StoredLink, StoredMessage,
};
use hushwing_sansio::{StorageError, Timestamp};

use crate::files::beside;
use crate::keys::FileKey;
use crate::{Database, OpenError, Schema};
use bodies::Bodies;

/// The steps that make the file.
pub(crate) const SCHEMA: Schema = Schema {
    steps: &[
        include_str!("../migrations/relay_server/0001.sql"),
        include_str!("../migrations/relay_server/0002_no_order.sql"),
    ],
};

/// An open `relay-server.db`.
pub struct RelayServerStore {
    database: Database,
    bodies: Bodies,
    /// Whether queues changed since pages were last written anew.
    queues_changed: bool,
}

/// Pages up to which a database is written anew when queues changed. That takes
/// some hundredths of a second. In a larger one there are so many pages of
/// queues that two which belong together seldom share one.
const SMALL: u64 = 2_048;

impl fmt::Debug for RelayServerStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RelayServerStore(..)")
    }
}

impl RelayServerStore {
    /// Opens the file at `path`, making it if it is missing.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(path: &Path, key: &FileKey) -> Result<Self, OpenError> {
        let database = Database::open(path, key, &SCHEMA)?;
        // The database's lock covers the bodies too.
        let used = messages::slots(&database).map_err(|_| OpenError::Damaged)?;
        let bodies = Bodies::open(&beside(path, "-bodies"), &used)?;
        Ok(Self {
            database,
            bodies,
            // The last run may have ended before it could.
            queues_changed: true,
        })
    }

    /// Begins a transaction; it costs nothing until something is written.
    ///
    /// # Errors
    ///
    /// If one is open already.
    pub fn begin(&mut self) -> Result<(), StorageError> {
        self.database.begin()
    }

    /// Makes everything since [`begin`](Self::begin) durable.
    ///
    /// # Errors
    ///
    /// If it could not be made durable; roll back then.
    pub fn commit(&mut self) -> Result<(), StorageError> {
        self.bodies.sync()?;
        self.database.commit()?;
        self.bodies.committed();
        Ok(())
    }

    /// Undoes everything since [`begin`](Self::begin).
    ///
    /// # Errors
    ///
    /// If the file cannot be read any more.
    pub fn rollback(&mut self) -> Result<(), StorageError> {
        // In any case: a slot that stays noted as given back would be written
        // over while its row lives.
        self.bodies.rolled_back();
        self.database.rollback()
    }

    /// Clears the write-ahead log, which tells in which order changes came.
    /// Between transactions.
    ///
    /// # Errors
    ///
    /// If the file cannot be written any more.
    pub fn forget(&mut self) -> Result<(), StorageError> {
        self.database.forget()
    }

    /// Whether where queues lie on their pages may tell in which order they were
    /// made: a new row is put below those that are there.
    #[must_use]
    pub fn is_disordered(&self) -> bool {
        self.queues_changed
    }

    /// Writes a small database anew in the order of its keys; one of over 8 MiB
    /// stays as it is. [`Self::forget`] then, for the log has all of it. Between
    /// transactions.
    ///
    /// # Errors
    ///
    /// If the file cannot be written any more.
    pub fn put_in_order(&mut self) -> Result<(), StorageError> {
        if self.queues_changed && self.database.pages()? <= SMALL {
            self.database.write_anew()?;
        }
        self.queues_changed = false;
        Ok(())
    }

    /// Checks the whole file; slow.
    ///
    /// # Errors
    ///
    /// [`hushwing_sansio::StorageErrorKind::Damaged`] if anything does not fit.
    pub fn check(&self) -> Result<(), StorageError> {
        self.database.check()
    }
}

impl Storage for RelayServerStore {
    fn queue(&mut self, row: QueueRow) -> Result<Option<QueueRecord>, StorageError> {
        queues::by_row(&self.database, row)
    }

    fn find(&mut self, name: &Name) -> Result<Option<QueueRecord>, StorageError> {
        queues::by_name(&self.database, name)
    }

    fn insert_queue(&mut self, queue: NewRecord) -> Result<Option<QueueRecord>, StorageError> {
        self.queues_changed = true;
        queues::insert(&self.database, queue)
    }

    fn update_queue(&mut self, record: &QueueRecord) -> Result<(), StorageError> {
        self.queues_changed = true;
        queues::update(&self.database, record)
    }

    fn delete_queue(&mut self, row: QueueRow) -> Result<(), StorageError> {
        self.queues_changed = true;
        messages::delete_all(&self.database, &mut self.bodies, row)?;
        queues::delete_link(&self.database, row)?;
        queues::delete(&self.database, row)
    }

    fn link(&mut self, row: QueueRow) -> Result<Option<StoredLink>, StorageError> {
        queues::link(&self.database, row)
    }

    fn set_link(
        &mut self,
        row: QueueRow,
        link_id: &[u8],
        link: &StoredLink,
    ) -> Result<bool, StorageError> {
        self.queues_changed = true;
        queues::set_link(&self.database, row, link_id, link)
    }

    fn delete_link(&mut self, row: QueueRow) -> Result<(), StorageError> {
        self.queues_changed = true;
        queues::delete_link(&self.database, row)
    }

    fn depth(&mut self, row: QueueRow) -> Result<Depth, StorageError> {
        messages::depth(&self.database, row)
    }

    fn head(&mut self, row: QueueRow) -> Result<Option<(Place, StoredMessage)>, StorageError> {
        messages::head(&self.database, &self.bodies, row)
    }

    fn append(&mut self, row: QueueRow, message: &StoredMessage) -> Result<Place, StorageError> {
        messages::append(&self.database, &mut self.bodies, row, message)
    }

    fn remove(&mut self, row: QueueRow, place: Place, id: &Id) -> Result<bool, StorageError> {
        messages::remove(&self.database, &mut self.bodies, row, place, id)
    }

    fn expire(&mut self, before: Timestamp, limit: u32) -> Result<u32, StorageError> {
        messages::expire(&self.database, &mut self.bodies, before, limit)
    }
}
