//! One owner per file, enforced by the operating system.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use crate::files;

/// Ownership of a lock file until dropped. The system releases it when the
/// process ends, however it ends; the file itself stays.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("held by another process")]
    Held {
        /// The process, if it left its number.
        holder: Option<u32>,
    },
    /// The lock file could not be made or locked.
    #[error("the lock file cannot be used")]
    Io(#[from] io::Error),
}

impl FileLock {
    /// Takes the lock at `path` without waiting. The file is made if need be,
    /// with mode 0600, and names this process for the benefit of whoever comes
    /// second.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] while another lock on this file lives, in whatever
    /// process.
    pub fn acquire(path: &Path) -> Result<Self, LockError> {
        let mut file = files::private().open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    holder: read_pid(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // A disk too full for a number must not keep the lock from its owner.
        drop(write_pid(&mut file));
        Ok(Self { _file: file })
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}", std::process::id())
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_owner_is_told_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = FileLock::acquire(&path).unwrap();
        let Err(LockError::Held { holder }) = FileLock::acquire(&path) else {
            panic!("the lock was given twice");
        };
        assert_eq!(holder, Some(std::process::id()));
        drop(first);
        FileLock::acquire(&path).unwrap();
    }
}
