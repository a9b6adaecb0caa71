//! Writing the file: whole and synced under another name, then put in its place.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hushwing_sansio::Entropy;

use super::header::Header;
use super::stream::Sealer;
use super::{Backup, BackupError, Contents, MAX_NOTE, Secret, parts, stream_key};
use crate::files;
use crate::keys::{self, Cost, MasterKey};

impl Backup {
    /// Writes the backup to `path`, mode 0600, and gives its length. `cost` is what
    /// a guess at `secret` takes.
    ///
    /// # Errors
    ///
    /// [`BackupError::Exists`] where there is a file and not `overwrite`, or
    /// whatever keeps it from being written. A crash leaves at most a draft,
    /// whose name ends with `.part`.
    pub fn write(
        &self,
        path: &Path,
        overwrite: bool,
        secret: &Secret,
        cost: Cost,
        contents: &Contents<'_>,
        entropy: &mut dyn Entropy,
    ) -> Result<u64, BackupError> {
        if contents.note.len() > MAX_NOTE {
            return Err(BackupError::Note);
        }
        refuse_existing(path, overwrite)?;
        let header = header(&self.0, secret, cost, entropy)?;
        let draft = draft(path, entropy);
        let written = files::create_new(&draft)
            .map_err(BackupError::from)
            .and_then(|file| Ok(fill(file, &self.0, &header, contents)?))
            .and_then(|length| put(&draft, path, overwrite).map(|()| length));
        if written.is_err() {
            // The error that matters is the first one.
            drop(fs::remove_file(&draft));
        }
        let length = written?;
        files::sync_dir(files::folder(path))?;
        Ok(length)
    }
}

fn header(
    master: &MasterKey,
    secret: &Secret,
    cost: Cost,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, BackupError> {
    let wrapped = keys::wrap(master, &secret.as_passphrase(), cost, entropy)?;
    let lock = secret.lock();
    Ok(Header { lock, wrapped }.encode())
}

fn fill(
    mut file: File,
    master: &MasterKey,
    header: &[u8],
    contents: &Contents<'_>,
) -> io::Result<u64> {
    file.write_all(header)?;
    let mut sealer = Sealer::new(file, &stream_key(master, header));
    parts::write(contents, &mut sealer)?;
    let file = sealer.finish()?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

/// A name beside `path` that nobody else has.
fn draft(path: &Path, entropy: &mut dyn Entropy) -> PathBuf {
    let mut number = [0; 8];
    entropy.fill(&mut number);
    files::beside(path, &format!(".{:016x}.part", u64::from_be_bytes(number)))
}

fn put(draft: &Path, path: &Path, overwrite: bool) -> Result<(), BackupError> {
    if overwrite {
        return Ok(fs::rename(draft, path)?);
    }
    // A second name is refused where there is a file, also one that came since.
    match fs::hard_link(draft, path) {
        Ok(()) => Ok(fs::remove_file(draft)?),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(BackupError::Exists),
        // Some file systems know no second names.
        Err(_) => {
            refuse_existing(path, false)?;
            Ok(fs::rename(draft, path)?)
        }
    }
}

fn refuse_existing(path: &Path, overwrite: bool) -> Result<(), BackupError> {
    match !overwrite && fs::symlink_metadata(path).is_ok() {
        true => Err(BackupError::Exists),
        false => Ok(()),
    }
}
