//! From one secret to a key per file.
//!
//! ```text
//!  key file ── raw, or unwrapped by a passphrase ──► MasterKey (32 bytes)
//!  MasterKey ── HKDF-SHA256, info = label ‖ role ‖ name ──► FileKey (32 bytes)
//!  FileKey ── HKDF-SHA256, info = label ──► the file's salt (16 bytes)
//! ```
//!
//! A backup has a master key of its own, for its two databases and its stream.
//!
//! The salt stands in clear at the head of the file, as SQLCipher wants it.
//! Deriving it from the key, where SQLCipher would draw it, tells a wrong key
//! from a damaged file; the key is already full-entropy and a file's own, so
//! the salt has nothing else to do, and without the key it looks random.

mod file;
pub(crate) mod format;
mod passphrase;

use std::fmt;
use std::fmt::Write;

use hkdf::Hkdf;
use hushwing_sansio::Entropy;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use file::{KeyError, KeyFile, Protection};
pub(crate) use file::{open, wrap};
pub(crate) use passphrase::stretch;
pub use passphrase::{Cost, Passphrase};

const FILE_KEY_LABEL: &[u8] = b"hushwing store file key v1\0";
const SALT_LABEL: &[u8] = b"hushwing store file salt v1\0";
const STREAM_LABEL: &[u8] = b"hushwing backup stream v1\0";

/// What a file is for; part of what its key is derived from. Numbers are never
/// reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A profile's conversations and post office.
    Profile,
    /// A profile's relay client.
    RelayClient,
    /// A relay server.
    RelayServer,
}

impl Role {
    const fn number(self) -> u8 {
        match self {
            Self::Profile => 1,
            Self::RelayClient => 2,
            Self::RelayServer => 3,
        }
    }
}

/// The secret all files of an installation depend on. Dropping the last copy
/// and closing the databases is what `passphrase lock` means.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// A fresh key.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// The key of one file: `name` is the profile's or server's, and must not
    /// change while the file lives.
    #[must_use]
    pub fn derive(&self, role: Role, name: &str) -> FileKey {
        FileKey(expand(
            &self.0,
            &[FILE_KEY_LABEL, &[role.number()], name.as_bytes()],
        ))
    }

    /// The key of the stream of the one backup that begins with `header`.
    pub(crate) fn stream_key(&self, header: &[u8]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(expand(&self.0, &[STREAM_LABEL, header]))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// The key of one database file.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct FileKey([u8; 32]);

impl FileKey {
    /// Bytes of salt at the head of a file.
    pub(crate) const SALT: usize = 16;

    /// The salt of files under this key.
    pub(crate) fn salt(&self) -> [u8; Self::SALT] {
        expand(&self.0, &[SALT_LABEL])
    }

    /// The statement that keys a connection: raw key and salt in hex, which
    /// SQLCipher takes without stretching.
    pub(crate) fn pragma(&self) -> Zeroizing<String> {
        // Room for all of it, so that no half-written copy is left behind by
        // growing.
        let mut sql = Zeroizing::new(String::with_capacity(128));
        sql.push_str("PRAGMA key = \"x'");
        for byte in self.0.iter().chain(&self.salt()) {
            // Writing to a string cannot fail.
            let _ = write!(sql, "{byte:02x}");
        }
        sql.push_str("'\"");
        sql
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(..)")
    }
}

/// HKDF-SHA256 (RFC 5869) of a full-entropy key, at most 255 * 32 bytes.
fn expand<const N: usize>(key: &[u8; 32], info: &[&[u8]]) -> [u8; N] {
    const { assert!(N <= 255 * 32) };
    let mut out = [0; N];
    let filled = Hkdf::<Sha256>::new(None, key).expand_multi_info(info, &mut out);
    debug_assert!(
        filled.is_ok(),
        "the length was checked when this was compiled"
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_and_name_has_its_own_key() {
        let master = MasterKey([7; 32]);
        let keys = [
            master.derive(Role::Profile, "alice"),
            master.derive(Role::Profile, "bob"),
            master.derive(Role::RelayClient, "alice"),
            master.derive(Role::RelayServer, ""),
            MasterKey([8; 32]).derive(Role::Profile, "alice"),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(keys[at + 1..].iter().all(|other| other.0 != key.0));
            assert_ne!(key.0[..16], key.salt());
        }
        assert_eq!(keys[0].0, master.derive(Role::Profile, "alice").0);
    }

    #[test]
    fn the_keying_statement_has_its_room_reserved() {
        let sql = FileKey([0xAB; 32]).pragma();
        assert_eq!(sql.len(), 16 + 2 * (32 + 16) + 2);
        assert!(sql.capacity() >= sql.len() && sql.capacity() < 256);
        assert!(sql.starts_with("PRAGMA key = \"x'abab"));
    }

    #[test]
    fn debug_shows_no_key() {
        let master = MasterKey([7; 32]);
        let shown = format!("{master:?} {:?}", master.derive(Role::Profile, "alice"));
        assert_eq!(shown, "MasterKey(..) FileKey(..)");
    }
}
