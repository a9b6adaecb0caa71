//! The file that holds the master key.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hushwing_sansio::Entropy;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::MasterKey;
use super::format::{Content, Wrapped};
use super::passphrase::{self, Cost, Passphrase};
use crate::files;

/// A longer file is no key file.
const LONGEST: u64 = 1024;

/// Whether a passphrase stands between the file and its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Whoever reads the file has the key.
    None,
    /// A passphrase is needed.
    Passphrase,
}

/// Why the master key is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no key file.
    #[error("there is no key file")]
    Missing,
    /// There is a key file already; it is never overwritten by a fresh key.
    #[error("there is a key file already")]
    Exists,
    /// A passphrase is needed and none was given.
    #[error("a passphrase is needed")]
    Locked,
    /// The passphrase does not open the file.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The cost asked for is out of bounds, or its memory cannot be had.
    #[error("the passphrase cannot be stretched at this cost")]
    Cost,
    /// The file holds another key than the one given.
    #[error("the key file holds another key")]
    OtherKey,
    /// The file is no key file or was changed.
    #[error("the key file is damaged")]
    Damaged,
    /// A newer program wrote the file.
    #[error("key file format {0} is newer than this program")]
    Newer(u8),
    /// The file could not be read or written.
    #[error("the key file cannot be used")]
    Io(#[from] io::Error),
}

/// The key file at a path. Every change is a new file put in the old one's
/// place, so that a crash leaves one or the other.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The key file at `path`, whether or not it exists.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Whether there is a file at the path.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Draws a master key and writes it unprotected, mode 0600.
    ///
    /// # Errors
    ///
    /// [`KeyError::Exists`] if there is a file already.
    pub fn create(&self, entropy: &mut dyn Entropy) -> Result<MasterKey, KeyError> {
        if self.path.exists() {
            return Err(KeyError::Exists);
        }
        let master = MasterKey::generate(entropy);
        self.write(&Content::Raw(master.0))?;
        Ok(master)
    }

    /// Whether a passphrase is set.
    ///
    /// # Errors
    ///
    /// If there is no readable key file.
    pub fn protection(&self) -> Result<Protection, KeyError> {
        Ok(match self.read()? {
            Content::Raw(_) => Protection::None,
            Content::Wrapped(_) => Protection::Passphrase,
        })
    }

    /// The master key. A passphrase that is not needed is ignored.
    ///
    /// # Errors
    ///
    /// [`KeyError::Locked`] without a passphrase where one is set, else
    /// [`KeyError::WrongPassphrase`] or what keeps the file from being read.
    pub fn unlock(&self, passphrase: Option<&Passphrase>) -> Result<MasterKey, KeyError> {
        match self.read()? {
            Content::Raw(key) => Ok(MasterKey(key)),
            Content::Wrapped(ref wrapped) => {
                let passphrase = passphrase.ok_or(KeyError::Locked)?;
                open(wrapped, passphrase).ok_or(KeyError::WrongPassphrase)
            }
        }
    }

    /// Wraps the key under `new`; `old` is needed if a passphrase is set. The
    /// databases are not touched.
    ///
    /// # Errors
    ///
    /// As [`KeyFile::unlock`], or [`KeyError::EmptyPassphrase`] and
    /// [`KeyError::Cost`]; the file is unchanged then.
    pub fn set_passphrase(
        &self,
        old: Option<&Passphrase>,
        new: &Passphrase,
        cost: Cost,
        entropy: &mut dyn Entropy,
    ) -> Result<(), KeyError> {
        check(new, cost)?;
        let wrapped = wrap(&self.unlock(old)?, new, cost, entropy)?;
        self.write(&Content::Wrapped(wrapped))
    }

    /// Writes the key unprotected again.
    ///
    /// # Errors
    ///
    /// As [`KeyFile::unlock`]; the file is unchanged then.
    pub fn clear_passphrase(&self, old: &Passphrase) -> Result<(), KeyError> {
        let master = self.unlock(Some(old))?;
        self.write(&Content::Raw(master.0))
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self) -> Result<Content, KeyError> {
        let file = match std::fs::File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::Missing),
            other => other?,
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(256));
        file.take(LONGEST).read_to_end(&mut bytes)?;
        Content::decode(&bytes)
    }

    fn write(&self, content: &Content) -> Result<(), KeyError> {
        Ok(files::replace(&self.path, &content.encode())?)
    }
}

/// The key that is wrapped; `None` for a wrong passphrase.
pub(crate) fn open(wrapped: &Wrapped, passphrase: &Passphrase) -> Option<MasterKey> {
    let mut master = MasterKey(wrapped.key);
    passphrase::unwrap(
        passphrase,
        wrapped.cost,
        &wrapped.salt,
        &wrapped.nonce,
        &wrapped.header(),
        &mut master.0,
        &wrapped.tag,
    )?;
    Some(master)
}

fn check(passphrase: &Passphrase, cost: Cost) -> Result<(), KeyError> {
    if passphrase.is_empty() {
        return Err(KeyError::EmptyPassphrase);
    }
    match cost.is_sane() {
        true => Ok(()),
        false => Err(KeyError::Cost),
    }
}

/// Wraps a key and unwraps it again: one that cannot be had back would lose
/// everything.
pub(crate) fn wrap(
    master: &MasterKey,
    passphrase: &Passphrase,
    cost: Cost,
    entropy: &mut dyn Entropy,
) -> Result<Wrapped, KeyError> {
    check(passphrase, cost)?;
    let wrapped = close(master, passphrase, cost, entropy).ok_or(KeyError::Cost)?;
    let again = open(&wrapped, passphrase).ok_or(KeyError::Cost)?;
    match bool::from(again.0.ct_eq(&master.0)) {
        true => Ok(wrapped),
        false => Err(KeyError::OtherKey),
    }
}

fn close(
    master: &MasterKey,
    passphrase: &Passphrase,
    cost: Cost,
    entropy: &mut dyn Entropy,
) -> Option<Wrapped> {
    let mut wrapped = Wrapped {
        cost,
        salt: [0; 16],
        nonce: [0; 24],
        key: [0; 32],
        tag: [0; 16],
    };
    entropy.fill(&mut wrapped.salt);
    entropy.fill(&mut wrapped.nonce);
    let header = wrapped.header();
    let mut key = Zeroizing::new(master.0);
    wrapped.tag = passphrase::wrap(
        passphrase,
        cost,
        &wrapped.salt,
        &wrapped.nonce,
        &header,
        &mut key,
    )?;
    wrapped.key = *key;
    Some(wrapped)
}
