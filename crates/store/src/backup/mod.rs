//! One file that holds a whole profile, for the day its home is lost.
//! Format: `protocol/backup.md`; why so: RFC 0021.
//!
//! ```text
//!  passphrase, or recovery code ── Argon2id ──► wraps the backup's own MasterKey
//!                                                 │
//!    profile.db, relay.db: copies, each under a  ◄─┤
//!    key of its own                                │
//!    stream: note, both copies, padding         ◄──┘
//! ```
//!
//! A [`Backup`] is drawn first, so that the databases can be copied under its keys
//! (`snapshot` of each store), and written when the copies are there. [`open`]
//! goes the other way; nothing it gives was not authenticated.

mod code;
mod error;
mod header;
mod parts;
mod read;
mod stream;
mod write;

use std::fmt;
use std::path::Path;

use hushwing_sansio::Entropy;
use zeroize::Zeroizing;

use crate::keys::{FileKey, MasterKey, Passphrase, Role};

pub use self::code::{CodeError, RecoveryCode};
pub use self::error::{BackupError, RestoreError};
pub use self::header::Lock;
pub use self::read::{Opened, Place, lock_of, open};

/// A backup to be written: the key that everything in it depends on.
pub struct Backup(MasterKey);

impl Backup {
    /// One with a fresh key.
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        Self(MasterKey::generate(entropy))
    }

    /// The key under which the database of that role is copied.
    #[must_use]
    pub fn key(&self, role: Role) -> FileKey {
        inner_key(&self.0, role)
    }
}

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Backup(..)")
    }
}

/// What a backup holds.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// What is not in the databases, at most [`MAX_NOTE`] bytes; this crate does
    /// not look into it.
    pub note: &'a [u8],
    /// A copy of `profile.db` under [`Backup::key`].
    pub profile: &'a Path,
    /// A copy of `relay.db` under [`Backup::key`], made after the other.
    pub relay: &'a Path,
}

/// A longer note is refused, in writing and in reading.
pub const MAX_NOTE: usize = 65_536;

/// What will open a backup.
#[derive(Clone, Debug)]
pub enum Secret {
    /// What a person chose.
    Passphrase(Passphrase),
    /// What was drawn for them.
    Code(RecoveryCode),
}

impl Secret {
    fn lock(&self) -> Lock {
        match self {
            Self::Passphrase(_) => Lock::Passphrase,
            Self::Code(_) => Lock::Code,
        }
    }

    fn as_passphrase(&self) -> Passphrase {
        match self {
            Self::Passphrase(passphrase) => passphrase.clone(),
            Self::Code(code) => code.as_passphrase(),
        }
    }
}

/// A backup has one database of a role, and its master key is its own: names have
/// nothing to tell apart.
fn inner_key(master: &MasterKey, role: Role) -> FileKey {
    master.derive(role, "")
}

/// The key of the stream behind `header`.
fn stream_key(master: &MasterKey, header: &[u8]) -> Zeroizing<[u8; 32]> {
    master.stream_key(header)
}
