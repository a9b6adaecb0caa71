//! Databases of a hidden profile: in memory, and sealed in their slot at each
//! commit. No path, journal or log of one stands on the disk.

use std::sync::Arc;

use hushwing_sansio::{StorageError, StorageErrorKind};
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use crate::database::Place;
use crate::error::storage;
use crate::slots::{Lease, Part, Slot};
use crate::{Database, OpenError, Schema};

const WHAT: &str = "seal the hidden profile";

/// Bytes of a page.
const PAGE: u32 = 4096;

/// As those of a file, without what concerns files.
const SETTINGS: &str = "
    PRAGMA journal_mode = MEMORY;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -8192;
";

/// A database that lies in a slot.
pub(crate) struct InSlot {
    lease: Lease,
    schema: &'static Schema,
    /// The count of changes when it was last sealed.
    sealed: u64,
    /// Whether memory may hold what the slot does not.
    ahead: bool,
}

impl Part {
    /// Pages that it may have: together with all else they fit a half. Beyond them
    /// a statement fails as on a full disk.
    const fn pages(self) -> u32 {
        match self {
            Self::Profile => 890,
            Self::Relay => 128,
        }
    }

    /// Whether it may have such a database.
    pub(crate) fn holds(self, database: &[u8]) -> bool {
        database.len() <= self.pages() as usize * PAGE as usize
    }
}

impl Database {
    /// Opens one of the databases in a slot, and brings it to `schema`.
    pub(crate) fn open_in_slot(
        slot: &Arc<Slot>,
        part: Part,
        schema: &'static Schema,
    ) -> Result<Self, OpenError> {
        let lease = slot.take(part).ok_or(OpenError::Busy { holder: None })?;
        let connection = loaded(&lease, schema)?;
        let place = Place::Slot(InSlot {
            lease,
            schema,
            sealed: 0,
            ahead: false,
        });
        Ok(Self::of(connection, place))
    }
}

impl InSlot {
    /// Makes durable what was just committed in memory. A transaction that changed
    /// nothing costs nothing.
    pub(crate) fn keep(&mut self, connection: &mut Connection) -> Result<(), StorageError> {
        let changes = connection.total_changes();
        if changes == self.sealed {
            return Ok(());
        }
        self.ahead = true;
        if let Err(error) = self.seal(connection) {
            // Where this fails as well, the next transaction does not begin.
            drop(self.go_back(connection));
            return Err(error);
        }
        self.sealed = changes;
        self.ahead = false;
        Ok(())
    }

    /// Writes what is durable once more, so that neither half holds what was
    /// deleted.
    pub(crate) fn forget(&mut self, connection: &mut Connection) -> Result<(), StorageError> {
        self.go_back(connection)?;
        self.seal(connection)
    }

    fn seal(&self, connection: &mut Connection) -> Result<(), StorageError> {
        let database = connection.serialize(MAIN_DB).map_err(storage(WHAT))?;
        self.lease.put(&database).map_err(|error| {
            let error = OpenError::from(error);
            StorageError::new(error.kind(), WHAT).because(error)
        })
    }

    /// Forgets what could not be made durable.
    pub(crate) fn go_back(&mut self, connection: &mut Connection) -> Result<(), StorageError> {
        if !self.ahead {
            return Ok(());
        }
        *connection = loaded(&self.lease, self.schema)
            .map_err(|error| StorageError::new(StorageErrorKind::Failed, WHAT).because(error))?;
        self.sealed = 0;
        self.ahead = false;
        Ok(())
    }
}

/// What the slot holds, in memory.
fn loaded(lease: &Lease, schema: &Schema) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_in_memory_with_flags(flags)?;
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    let durable = lease.durable();
    if !durable.is_empty() {
        connection.deserialize_read_exact(MAIN_DB, durable.as_slice(), durable.len(), false)?;
    }
    let limit = lease.part().pages();
    connection.execute_batch(&format!(
        "PRAGMA page_size = {PAGE}; PRAGMA max_page_count = {limit};"
    ))?;
    crate::database::prepare(connection, SETTINGS, schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::{ROOM, SETTINGS_MOST};

    #[test]
    fn a_full_profile_fits_its_half() {
        let databases = (Part::Profile.pages() + Part::Relay.pages()) * PAGE;
        let head_and_name = 22 + 64;
        let left = ROOM.checked_sub(databases as usize + head_and_name + SETTINGS_MOST);
        assert!(left.unwrap() < PAGE as usize, "no page is left over");
    }
}
