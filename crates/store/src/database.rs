//! Opening a file, and the one transaction at a time that a driver lends.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hushwing_sansio::{StorageError, StorageErrorKind};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::storage;
use crate::files::{beside, ensure_private};
use crate::keys::FileKey;
use crate::log::Log;
use crate::memory::InSlot;
use crate::{FileLock, OpenError, Schema};

/// Every statement of a store fits: none is compiled twice.
const STATEMENTS: usize = 256;

/// Settings of an open file. The lock mode spares the shared-memory file and
/// its system calls, since there is one connection by design; the cache holds
/// the pages that a busy conversation touches; a WAL is never cut by SQLite, which
/// would give back what it holds, but when it settles. `cipher_log_level` keeps
/// SQLCipher from writing to our standard error.
const SETTINGS: &str = "
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -8192;
";

/// An open, locked, migrated, encrypted database.
///
/// Reads work at any time. Writes work only between [`Database::begin`] and
/// [`Database::commit`], so that nothing becomes durable by itself.
pub struct Database {
    // Before its place, so that it is closed before the lock is released.
    connection: Connection,
    /// How many rows had been changed when it settled; `None` where a log may be
    /// an earlier run's.
    settled: Option<u64>,
    place: Place,
}

/// Where a database lies, and what keeps it for its one user.
pub(crate) enum Place {
    File { log: Log, _lock: FileLock },
    Slot(InSlot),
}

impl Database {
    /// Opens the file at `path`, making it and its folder (mode 0700) if they
    /// are missing, and brings it to `schema`.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; each variant is told apart from the others.
    pub fn open(path: &Path, key: &FileKey, schema: &Schema) -> Result<Self, OpenError> {
        ensure_private(path)?;
        let lock = FileLock::acquire(&lock_path(path))?;
        match connect(path, key, schema) {
            Ok(connection) => {
                let log = Log::of(path);
                Ok(Self::of(connection, Place::File { log, _lock: lock }))
            }
            // The connection is closed by now: opening and closing the file a
            // second time would have dropped its POSIX locks.
            Err(OpenError::Damaged) if !salt_matches(path, key)? => Err(OpenError::WrongKey),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn of(connection: Connection, place: Place) -> Self {
        Self {
            connection,
            settled: None,
            place,
        }
    }

    /// Begins the transaction that the following calls belong to. It costs
    /// nothing on disk until something is written.
    ///
    /// # Errors
    ///
    /// If one is open already.
    pub fn begin(&mut self) -> Result<(), StorageError> {
        if let Place::Slot(slot) = &mut self.place {
            slot.go_back(&mut self.connection)?;
        }
        self.statement("BEGIN", "begin")?
            .execute([])
            .map_err(storage("begin"))
            .map(drop)
    }

    /// Makes everything since [`Database::begin`] durable.
    ///
    /// # Errors
    ///
    /// If it could not be made durable; roll back then.
    pub fn commit(&mut self) -> Result<(), StorageError> {
        self.statement("COMMIT", "commit")?
            .execute([])
            .map_err(storage("commit"))?;
        match &mut self.place {
            Place::File { .. } => Ok(()),
            Place::Slot(slot) => slot.keep(&mut self.connection).inspect_err(|_| {
                // Rows are counted from the beginning again.
                self.settled = None;
            }),
        }
    }

    /// Undoes everything since [`Database::begin`]. Without an open
    /// transaction it does nothing: the database may have rolled back by
    /// itself when it ran out of space.
    ///
    /// # Errors
    ///
    /// If the file cannot be read any more.
    pub fn rollback(&mut self) -> Result<(), StorageError> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.statement("ROLLBACK", "roll back")?
            .execute([])
            .map_err(storage("roll back"))
            .map(drop)
    }

    /// Brings what the write-ahead log holds into the database and overwrites
    /// the log with zeros; in a slot, writes over the half that is older. Between
    /// transactions.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn forget(&mut self) -> Result<(), StorageError> {
        const WHAT: &str = "clear the write-ahead log";
        if let Place::Slot(slot) = &mut self.place {
            return slot.forget(&mut self.connection);
        }
        let failed = || StorageError::new(StorageErrorKind::Failed, WHAT);
        // RESTART: nobody reads the log after it, and who writes next begins
        // it anew.
        let (busy, frames): (bool, i64) = self
            .statement("PRAGMA wal_checkpoint(RESTART)", WHAT)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(storage(WHAT))?;
        // Only another connection could be in the way, and there is none.
        if busy {
            return Err(failed());
        }
        let frames = u64::try_from(frames).map_err(|_| failed())?;
        match &mut self.place {
            Place::File { log, .. } => log.blank(frames).map_err(|error| failed().because(error)),
            Place::Slot(_) => Ok(()),
        }
    }

    /// As [`Database::forget`], where a row was changed since it last was done.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn settle(&mut self) -> Result<(), StorageError> {
        let changes = self.changes();
        if self.settled != Some(changes) {
            self.forget()?;
            self.settled = Some(changes);
        }
        Ok(())
    }

    /// How many rows were changed since the file was opened, those within
    /// virtual tables included.
    pub(crate) fn changes(&self) -> u64 {
        self.connection.total_changes()
    }

    /// How many pages the file has.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(crate) fn pages(&self) -> Result<u64, StorageError> {
        const WHAT: &str = "measure the database";
        self.statement("PRAGMA page_count", WHAT)?
            .query_row([], |row| row.get(0))
            .map_err(storage(WHAT))
    }

    /// Writes all rows anew, in the order of their keys. Between transactions.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn write_anew(&mut self) -> Result<(), StorageError> {
        self.connection
            .execute_batch("VACUUM")
            .map_err(storage("write the database anew"))
    }

    /// Reads every page and checks its authentication code, its structure and
    /// the references between rows. Slow; for a person in doubt.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Damaged`] if anything does not fit.
    pub fn check(&self) -> Result<(), StorageError> {
        const WHAT: &str = "check the database";
        let finds = |sql: &str| self.connection.prepare(sql)?.exists([]);
        let damaged = finds("PRAGMA cipher_integrity_check").map_err(storage(WHAT))?
            || finds("PRAGMA foreign_key_check").map_err(storage(WHAT))?;
        let verdict: String = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(storage(WHAT))?;
        if damaged || verdict != "ok" {
            return Err(StorageError::new(StorageErrorKind::Damaged, WHAT));
        }
        Ok(())
    }

    /// A file without a key, whose pages can be searched for what should be
    /// gone.
    #[cfg(test)]
    pub(crate) fn open_plain(path: &Path, schema: &Schema) -> Self {
        let connection = Connection::open(path).unwrap();
        Self {
            connection: configure(connection, schema).unwrap(),
            settled: None,
            place: Place::File {
                log: Log::of(path),
                _lock: FileLock::acquire(&lock_path(path)).unwrap(),
            },
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// For what SQLite lets nobody else do meanwhile.
    pub(crate) fn connection_alone(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database(..)")
    }
}

fn lock_path(path: &Path) -> PathBuf {
    beside(path, ".lock")
}

fn connect(path: &Path, key: &FileKey, schema: &Schema) -> Result<Connection, OpenError> {
    configure(keyed(path, key)?, schema)
}

/// A connection to the file, which exists, under a key that nothing was read
/// with yet.
pub(crate) fn keyed(path: &Path, key: &FileKey) -> Result<Connection, OpenError> {
    // Not SQLITE_OPEN_URI: a path is a path, whatever characters it has.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
    // The error would quote the statement, and so the key.
    connection
        .execute_batch(&key.pragma())
        .map_err(|_| OpenError::Failed(rusqlite::Error::InvalidQuery))?;
    Ok(connection)
}

/// What follows the key: settings, the first read, which shows whether the key
/// fits, and missing migrations.
fn configure(connection: Connection, schema: &Schema) -> Result<Connection, OpenError> {
    prepare(connection, SETTINGS, schema)
}

/// Gives a connection its settings and its schema.
pub(crate) fn prepare(
    mut connection: Connection,
    settings: &str,
    schema: &Schema,
) -> Result<Connection, OpenError> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else a statement is compiled again whenever another value is bound to its
    // LIMIT, in case another plan suited that one better.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(settings)?;
    schema.migrate(&mut connection)?;
    Ok(connection)
}

/// Whether the file begins with the salt that `key` gives its files, which
/// tells a damaged file from one under another key. A file too short to tell
/// counts as damaged.
fn salt_matches(path: &Path, key: &FileKey) -> io::Result<bool> {
    let mut salt = [0; FileKey::SALT];
    match File::open(path)?.read_exact(&mut salt) {
        Ok(()) => Ok(salt == key.salt()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    const SCHEMA: Schema = Schema {
        steps: &["CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"],
    };

    /// Without a key the same settings leave readable pages, so the file can be
    /// searched for what should be gone.
    #[test]
    fn deleted_text_is_not_left_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plain.db");
        let connection = configure(Connection::open(&path).unwrap(), &SCHEMA).unwrap();
        for id in 0..200 {
            let text = if id % 2 == 0 { "forget-me" } else { "keep-me" };
            connection
                .execute(
                    "INSERT INTO t (id, text) VALUES (?1, ?2)",
                    (id, text.repeat(100)),
                )
                .unwrap();
        }
        connection
            .execute("DELETE FROM t WHERE id % 2 = 0", [])
            .unwrap();
        connection.close().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(holds(b"keep-me"));
        assert!(!holds(b"forget-me"));
    }

    #[test]
    fn a_statement_is_compiled_once_whatever_is_bound_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open_plain(&dir.path().join("plain.db"), &SCHEMA);
        let sql = "SELECT id FROM t WHERE id > ?1 ORDER BY id LIMIT ?2";
        for most in 1..5 {
            let mut statement = database.statement(sql, "read").unwrap();
            assert!(!statement.exists((0, most)).unwrap());
        }
        let statement = database.statement(sql, "read").unwrap();
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    /// The log keeps what was deleted after it was written, until it settles.
    #[test]
    fn deleted_text_is_not_left_in_the_log_either() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plain.db");
        let mut database = Database::open_plain(&path, &SCHEMA);
        let run = |database: &mut Database, sql| {
            database.begin().unwrap();
            database.connection.execute(sql, []).unwrap();
            database.commit().unwrap();
        };
        let left = || {
            ["plain.db", "plain.db-wal"].map(|name| {
                let bytes = std::fs::read(dir.path().join(name)).unwrap();
                bytes.windows(9).any(|window| window == b"forget-me")
            })
        };
        run(&mut database, "INSERT INTO t VALUES (1, 'forget-me')");
        run(&mut database, "DELETE FROM t");
        assert_eq!(left(), [false, true]);
        database.settle().unwrap();
        assert_eq!(left(), [false, false]);
        // Where nothing changed, nothing is written.
        let touched = || {
            beside(&path, "-wal")
                .metadata()
                .unwrap()
                .modified()
                .unwrap()
        };
        let before = touched();
        database.begin().unwrap();
        database.commit().unwrap();
        database.settle().unwrap();
        assert_eq!(touched(), before);
    }
}
