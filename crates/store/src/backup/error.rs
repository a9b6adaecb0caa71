//! How writing a backup fails, and how reading one does.

use std::io;

use hushwing_sansio::StorageError;

use super::header::Lock;
use crate::OpenError;
use crate::keys::KeyError;

/// Why a backup was not written. There is none then, and a file that was to be
/// overwritten is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of that name, and nobody said to overwrite it.
    #[error("there is a file of that name already")]
    Exists,
    /// The passphrase is empty, or cannot be stretched at the cost asked for.
    #[error(transparent)]
    Secret(#[from] KeyError),
    /// The note is longer than [`MAX_NOTE`](super::MAX_NOTE).
    #[error("the note is too long")]
    Note,
    /// A copy could not be read, or the file not be written.
    #[error("the backup cannot be written")]
    Io(#[from] io::Error),
}

/// Why a backup was not read. What was written by then is of no use.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file does not begin as one.
    #[error("this file is no backup of a profile")]
    NotABackup,
    /// A newer program wrote the file.
    #[error("backup format {0} is newer than this program")]
    Newer(u8),
    /// It is not what was written.
    #[error("the backup is damaged or was cut off")]
    Damaged,
    /// What was given does not open the file.
    #[error("wrong {0}")]
    Wrong(Lock),
    /// A recovery code is needed, and what was given is none.
    #[error("this is no recovery code: it has a typing mistake, or letters are missing")]
    Mistyped,
    /// The memory that opening takes cannot be had.
    #[error("there is not enough memory to open this backup")]
    Memory,
    /// A newer or other program wrote what is in it.
    #[error("a database in the backup cannot be opened")]
    Open(#[from] OpenError),
    /// A database could not be put in its place.
    #[error("a database in the backup cannot be copied")]
    Storage(#[from] StorageError),
    /// A file could not be read or written.
    #[error("a file cannot be used")]
    Io(#[from] io::Error),
}
