//! How opening fails, and how the database's errors become the rooms' own.

use std::io;

use hushwing_sansio::{StorageError, StorageErrorKind};
use rusqlite::ErrorCode;

use crate::lock::LockError;

/// Why a database file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another place in this one, has the file open.
    #[error("another process{} holds this database", holder_text(*holder))]
    Busy {
        /// The process, if it left its number.
        holder: Option<u32>,
    },
    /// The file was written under another key.
    #[error("the key does not fit this database")]
    WrongKey,
    /// The key fits, but what was read cannot be what was written.
    #[error("the database is damaged")]
    Damaged,
    /// A newer program wrote this file. It was left as it is.
    #[error("the database has schema {found}, this program knows up to {known}")]
    Newer {
        /// Schema version of the file.
        found: u32,
        /// Newest version known here.
        known: u32,
    },
    /// No space left on the device.
    #[error("no space left for the database")]
    Full,
    /// The file or its folder could not be read or made.
    #[error("the database file cannot be opened")]
    Io(#[source] io::Error),
    /// Anything else the database reported.
    #[error("the database failed to open")]
    Failed(#[source] rusqlite::Error),
}

fn holder_text(holder: Option<u32>) -> String {
    holder.map(|pid| format!(" ({pid})")).unwrap_or_default()
}

impl OpenError {
    /// The coarse kind, as storage calls would report it.
    #[must_use]
    pub fn kind(&self) -> StorageErrorKind {
        match self {
            Self::Busy { .. } => StorageErrorKind::Busy,
            Self::WrongKey | Self::Damaged => StorageErrorKind::Damaged,
            Self::Full => StorageErrorKind::Full,
            Self::Newer { .. } | Self::Io(_) | Self::Failed(_) => StorageErrorKind::Failed,
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

impl From<LockError> for OpenError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { holder } => Self::Busy { holder },
            LockError::Io(error) => error.into(),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match kind_of(&error) {
            StorageErrorKind::Full => Self::Full,
            StorageErrorKind::Busy => Self::Busy { holder: None },
            StorageErrorKind::Corrupt | StorageErrorKind::Damaged => Self::Damaged,
            StorageErrorKind::Failed => Self::Failed(error),
        }
    }
}

/// The coarse kind of a database error.
fn kind_of(error: &rusqlite::Error) -> StorageErrorKind {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StorageErrorKind::Full,
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed => StorageErrorKind::Busy,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StorageErrorKind::Damaged,
            _ => StorageErrorKind::Failed,
        },
        // The schema is STRICT, so a value of the wrong type or range was not
        // written by us.
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::Utf8Error(..)
        | E::InvalidColumnType(..) => StorageErrorKind::Corrupt,
        _ => StorageErrorKind::Failed,
    }
}

/// Turns a database error into the one that storage traits speak. `what` says
/// what was being done and never holds a stored value; nor does the source,
/// since values reach the database as bound parameters only.
pub(crate) fn storage(what: &'static str) -> impl Fn(rusqlite::Error) -> StorageError {
    move |error| StorageError::new(kind_of(&error), what).because(error)
}
