//! Reading a backup: the header, then the note, then both databases into their
//! places, under the keys of the home that takes them in.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::header::{HEADER, Header, Lock};
use super::parts::{self, PROFILE, RELAY};
use super::stream::{Opener, SEALED};
use super::{RecoveryCode, RestoreError, inner_key, stream_key};
use crate::files;
use crate::keys::{self, FileKey, MasterKey, Passphrase, Role};
use crate::{OpenError, ProfileStore, RelayClientStore};

/// Where a database shall be, and its key there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// A path with nothing at it, in a folder that is thrown away if this fails.
    pub path: &'a Path,
    /// The key it shall have.
    pub key: &'a FileKey,
}

/// A backup that its secret opened.
pub struct Opened {
    master: MasterKey,
    note: Zeroizing<Vec<u8>>,
    stream: Opener<File>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(..)")
    }
}

/// What opens the backup at `path`.
///
/// # Errors
///
/// If its header does not say.
pub fn lock_of(path: &Path) -> Result<Lock, RestoreError> {
    let (header, _) = read_header(&mut File::open(path)?)?;
    Ok(header.lock)
}

/// Opens the backup at `path` with what somebody typed. Of what follows the header
/// the first chunk was checked then, with the note in it.
///
/// # Errors
///
/// [`RestoreError::Wrong`] or [`RestoreError::Mistyped`] for another secret than
/// the backup's, or what is the matter with the file.
pub fn open(path: &Path, typed: &str) -> Result<Opened, RestoreError> {
    let mut file = File::open(path)?;
    let (header, bytes) = read_header(&mut file)?;
    // Told before anybody waits for a key: the most common damage is a cut.
    let content = file.metadata()?.len().checked_sub(HEADER as u64);
    if !content.is_some_and(|length| length > 0 && length.is_multiple_of(SEALED as u64)) {
        return Err(RestoreError::Damaged);
    }
    let passphrase = match header.lock {
        Lock::Passphrase => Passphrase::new(typed.to_owned()),
        Lock::Code => RecoveryCode::parse(typed)
            .map_err(|_| RestoreError::Mistyped)?
            .as_passphrase(),
    };
    let wrong = RestoreError::Wrong(header.lock);
    let master = keys::open(&header.wrapped, &passphrase).ok_or(wrong)?;
    let mut stream = Opener::new(file, &stream_key(&master, &bytes))?;
    let note = parts::note(&mut stream)?;
    Ok(Opened {
        master,
        note,
        stream,
    })
}

impl Opened {
    /// What is not in the databases.
    #[must_use]
    pub fn note(&self) -> &[u8] {
        &self.note
    }

    /// Reads the rest to its end and, once all of it was checked, puts both
    /// databases in their places, durably. Older ones are brought to the present
    /// schema.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Damaged`] if any byte is not what was written, or whatever
    /// keeps the databases from their places; what lies there then is of no use.
    pub fn unpack(mut self, profile: Place<'_>, relay: Place<'_>) -> Result<(), RestoreError> {
        let copies = [profile, relay].map(|place| files::beside(place.path, ".copy"));
        for (kind, path) in [PROFILE, RELAY].into_iter().zip(&copies) {
            parts::unpack(kind, &mut self.stream, &mut files::create_new(path)?)?;
        }
        parts::end(self.stream)?;
        let [profile_copy, relay_copy] = &copies;
        let key = |role| inner_key(&self.master, role);
        let store = ProfileStore::open(profile_copy, &key(Role::Profile)).map_err(opening)?;
        store.snapshot(profile.path, profile.key)?;
        drop(store);
        let store = RelayClientStore::open(relay_copy, &key(Role::RelayClient)).map_err(opening)?;
        store.snapshot(relay.path, relay.key)?;
        drop(store);
        for copy in &copies {
            fs::remove_file(copy)?;
            fs::remove_file(files::beside(copy, ".lock"))?;
        }
        Ok(files::sync_dir(files::folder(profile.path))?)
    }
}

/// The header and its bytes.
fn read_header(file: &mut File) -> Result<(Header, Vec<u8>), RestoreError> {
    let mut bytes = Vec::with_capacity(HEADER);
    file.take(HEADER as u64).read_to_end(&mut bytes)?;
    Ok((Header::decode(&bytes)?, bytes))
}

/// The key is the backup's own, so one that does not fit was written by nobody.
fn opening(error: OpenError) -> RestoreError {
    match error {
        OpenError::Damaged | OpenError::WrongKey => RestoreError::Damaged,
        error => error.into(),
    }
}
