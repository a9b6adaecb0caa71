//! A copy of a database that is in use, under another key.
//!
//! The file is locked for its one connection, so that connection makes the copy,
//! page by page and between two transactions: schema, versions and indices are the
//! same to the bit, and no statement has to know what they are. Pages are decrypted
//! with the one key and encrypted with the other; what cannot be authenticated is
//! not copied.

use std::fs::File;
use std::io;
use std::path::Path;

use hushwing_sansio::{StorageError, StorageErrorKind};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::database::keyed;
use crate::error::storage;
use crate::files;
use crate::keys::FileKey;
use crate::{Database, OpenError};

const WHAT: &str = "copy the database";

/// A copy that a crash cut short is thrown away, so it needs no journal; it is
/// synced once, at the end.
const SETTINGS: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA temp_store = MEMORY;
";

impl Database {
    /// Copies the database into a new file at `path`, which
    /// [`Database::open`] opens with `key`. Between transactions.
    ///
    /// # Errors
    ///
    /// If a transaction is open, a page cannot be read, or there is a file at
    /// `path` or no room for one.
    pub(crate) fn snapshot(&self, path: &Path, key: &FileKey) -> Result<(), StorageError> {
        if !self.connection().is_autocommit() {
            let within = StorageError::new(StorageErrorKind::Failed, WHAT);
            return Err(within.because("copy inside of a transaction"));
        }
        files::create_new(path).map_err(system)?;
        let mut copy = keyed(path, key).map_err(opening)?;
        copy.execute_batch(SETTINGS).map_err(storage(WHAT))?;
        fill(&mut copy, self.connection())?;
        copy.close().map_err(|(_, error)| storage(WHAT)(error))?;
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(system)
    }
}

fn fill(copy: &mut Connection, from: &Connection) -> Result<(), StorageError> {
    let copying = Backup::new(from, copy).map_err(storage(WHAT))?;
    match copying.step(-1).map_err(storage(WHAT))? {
        StepResult::Done => Ok(()),
        // There is no other connection to wait for.
        _ => Err(StorageError::new(StorageErrorKind::Busy, WHAT)),
    }
}

fn opening(error: OpenError) -> StorageError {
    StorageError::new(error.kind(), WHAT).because(error)
}

fn system(error: io::Error) -> StorageError {
    opening(error.into())
}
