//! Wrapping the master key under a passphrase: Argon2id (RFC 9106), then
//! XChaCha20-Poly1305.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What a person types. Its bytes are used as they come.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// Takes ownership so that the text can be wiped.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Passphrase {
    /// Whether `other` is the same, told in a time that depends on the lengths only.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// How dear each guess is. Stored with the wrapped key, so that it can be
/// raised without touching old files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes; an attacker with as many cores gains nothing else by them.
    pub lanes: u32,
}

impl Cost {
    /// The second choice of RFC 9106 section 4, made for machines that cannot
    /// spare 2 GiB: 64 MiB, three passes, four lanes.
    pub const STANDARD: Self = Self {
        memory: 64 * 1024,
        passes: 3,
        lanes: 4,
    };

    /// A file that asks for more was not written by us and would only keep the
    /// machine busy.
    const MOST: Self = Self {
        memory: 2 * 1024 * 1024,
        passes: 64,
        lanes: 64,
    };

    /// Whether Argon2id can run with these numbers within reason.
    pub(crate) fn is_sane(self) -> bool {
        self.memory <= Self::MOST.memory
            && self.passes <= Self::MOST.passes
            && self.lanes <= Self::MOST.lanes
            && self.params().is_some()
    }

    fn params(self) -> Option<Params> {
        Params::new(self.memory, self.passes, self.lanes, Some(32)).ok()
    }
}

/// Bytes of Argon2id salt.
pub(crate) const SALT: usize = 16;
/// Bytes of XChaCha20 nonce.
pub(crate) const NONCE: usize = 24;
/// Bytes of Poly1305 tag.
pub(crate) const TAG: usize = 16;

/// A cipher under the key that `passphrase` gives; `None` if `cost` is out of
/// bounds or the memory cannot be had.
fn cipher(passphrase: &Passphrase, cost: Cost, salt: &[u8; SALT]) -> Option<XChaCha20Poly1305> {
    let key = stretch(passphrase, cost, salt)?;
    Some(XChaCha20Poly1305::new((&*key).into()))
}

/// The key that `passphrase` gives; `None` if `cost` is out of bounds or the
/// memory cannot be had.
pub(crate) fn stretch(
    passphrase: &Passphrase,
    cost: Cost,
    salt: &[u8],
) -> Option<Zeroizing<[u8; 32]>> {
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?);
    let mut key = Zeroizing::new([0; 32]);
    argon
        .hash_password_into(passphrase.0.as_bytes(), salt, key.as_mut())
        .ok()?;
    Some(key)
}

/// Encrypts `key` in place; the tag also covers `header`.
pub(crate) fn wrap(
    passphrase: &Passphrase,
    cost: Cost,
    salt: &[u8; SALT],
    nonce: &[u8; NONCE],
    header: &[u8],
    key: &mut [u8; 32],
) -> Option<[u8; TAG]> {
    let cipher = cipher(passphrase, cost, salt)?;
    cipher
        .encrypt_in_place_detached(XNonce::from_slice(nonce), header, key)
        .ok()
        .map(Into::into)
}

/// Decrypts `key` in place; `None` for a wrong passphrase.
pub(crate) fn unwrap(
    passphrase: &Passphrase,
    cost: Cost,
    salt: &[u8; SALT],
    nonce: &[u8; NONCE],
    header: &[u8],
    key: &mut [u8; 32],
    tag: &[u8; TAG],
) -> Option<()> {
    let cipher = cipher(passphrase, cost, salt)?;
    cipher
        .decrypt_in_place_detached(XNonce::from_slice(nonce), header, key, Tag::from_slice(tag))
        .ok()
}
