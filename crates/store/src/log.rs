//! The file of the write-ahead log, written over once nothing in it counts.
//!
//! Cutting the log to nothing gives its blocks back to the file system with all
//! that they hold, and lets every commit after it make the file longer: each
//! then waits for the inode as well as for the data. Zeros in place leave
//! nothing to be found, and the next commits write where blocks are.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::files::beside;

/// Magic, salts and checksum: without them `SQLite` takes the log for empty.
const HEADER: u64 = 32;

/// A page of the database and what stands before it.
const FRAME: u64 = 24 + 4_096;

/// What a log may keep however little of it was used.
const SMALL: u64 = 64 * 1_024;

static ZEROS: [u8; 64 * 1_024] = [0; 64 * 1_024];

/// The log beside a database.
pub(crate) struct Log(PathBuf);

impl Log {
    /// The log of the database at `path`, be it there or not.
    pub(crate) fn of(path: &Path) -> Self {
        Self(beside(path, "-wal"))
    }

    /// Overwrites the log, of which `frames` were used lately; one much longer
    /// than that is cut, once nothing is in it. Everything in it must be in the database, durably, and
    /// nobody may read it any more.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. The log may be blank or not.
    pub(crate) fn blank(&self, frames: u64) -> io::Result<()> {
        let file = match OpenOptions::new().write(true).open(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let length = file.metadata()?.len();
        if length == 0 {
            return Ok(());
        }
        // The header is gone for good before any frame is: of frames that
        // are still there in part, those would be recovered, over newer pages.
        write_zeros(&file, 0, HEADER.min(length))?;
        file.sync_data()?;
        let used = HEADER.saturating_add(frames.saturating_mul(FRAME));
        let kept = length.min(used.saturating_mul(2).max(SMALL));
        write_zeros(&file, HEADER, length)?;
        file.sync_data()?;
        match kept < length {
            // Not before: what is cut off goes back as it lies on the disk.
            true => file.set_len(kept),
            false => Ok(()),
        }
    }
}

fn write_zeros(file: &File, mut from: u64, end: u64) -> io::Result<()> {
    while from < end {
        let left = usize::try_from(end - from).unwrap_or(usize::MAX);
        let zeros = ZEROS.get(..left).unwrap_or(&ZEROS);
        file.write_all_at(zeros, from)?;
        from += zeros.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanked(length: usize, frames: u64) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::of(&dir.path().join("some.db"));
        std::fs::write(&log.0, vec![7; length]).unwrap();
        log.blank(frames).unwrap();
        std::fs::read(&log.0).unwrap()
    }

    #[test]
    fn every_byte_is_overwritten_and_what_was_in_use_keeps_its_room() {
        for length in [1, 32, 33, 70_000, 300_000] {
            assert_eq!(blanked(length, 1_000), vec![0; length], "{length}");
        }
        assert_eq!(blanked(0, 1_000), b"");
    }

    #[test]
    fn a_log_that_grew_under_load_shrinks_again() {
        assert_eq!(blanked(1_000_000, 1), vec![0; 64 * 1_024]);
        assert_eq!(blanked(1_000_000, 50).len(), 2 * (32 + 50 * 4_120));
    }

    #[test]
    fn no_log_is_blank() {
        let dir = tempfile::tempdir().unwrap();
        Log::of(&dir.path().join("none.db")).blank(1).unwrap();
    }
}
