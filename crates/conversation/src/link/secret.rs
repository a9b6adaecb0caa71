//! The secret in a link and the key it stands for.

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha3::{Digest as _, Sha3_256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Version of the fixed data.
const VERSION: u8 = 1;

/// What a link says and nobody else knows (32 bytes): SHA3-256 of the encoded
/// [`Fixed`] data. Networks derive from it where the bundle lies and how it is
/// encrypted. Compared in constant time, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(fixed: &[u8]) -> Self {
        Self(Sha3_256::digest(fixed).into())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The part of an invitation that never changes: version byte `1` and the
/// Ed25519 public key (32 bytes) that signs its bundles.
#[derive(Clone, PartialEq, Eq)]
pub struct Fixed {
    root: VerifyingKey,
}

/// Why bytes are not the fixed data of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FixedError {
    /// They do not hash to the link's secret: a forgery or a mistyped link.
    #[error("fixed data does not match the link")]
    WrongSecret,
    /// Made by a newer program.
    #[error("fixed data of newer version {0}")]
    Newer(u8),
    /// Wrong length, or no key that can sign.
    #[error("malformed fixed data")]
    Malformed,
}

impl Fixed {
    /// Length of the encoding in bytes.
    pub const LENGTH: usize = 33;

    /// Decodes the fixed data of the link with `secret`.
    ///
    /// # Errors
    ///
    /// [`FixedError`]; the secret is compared first, so a newer version is
    /// only reported for what the link's maker made.
    pub fn open(secret: &Secret, bytes: &[u8]) -> Result<Self, FixedError> {
        if Secret::of(bytes) != *secret {
            return Err(FixedError::WrongSecret);
        }
        let (&version, key) = bytes.split_first().ok_or(FixedError::Malformed)?;
        if version > VERSION {
            return Err(FixedError::Newer(version));
        }
        let key = key.try_into().map_err(|_| FixedError::Malformed)?;
        let root = VerifyingKey::from_bytes(key).map_err(|_| FixedError::Malformed)?;
        if version != VERSION || root.is_weak() {
            return Err(FixedError::Malformed);
        }
        Ok(Self { root })
    }

    /// The encoding, [`Fixed::LENGTH`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.encoded().to_vec()
    }

    /// As [`Fixed::encode`].
    pub(super) fn encoded(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [VERSION; Self::LENGTH];
        if let Some((_, key)) = bytes.split_first_mut() {
            key.copy_from_slice(self.root.as_bytes());
        }
        bytes
    }

    /// The secret of the link with this fixed data.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::of(&self.encode())
    }

    /// Whether the root key made `signature` over `signed`, by the strict
    /// rules (no small-order keys, one signature per message and nonce).
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8; 64]) -> bool {
        self.root
            .verify_strict(signed, &Signature::from_bytes(signature))
            .is_ok()
    }
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever knows the key knows the secret.
        f.write_str("Fixed(..)")
    }
}

/// The Ed25519 key that owns a link. Wiped when dropped.
#[derive(Clone)]
pub struct RootKey(SigningKey);

impl RootKey {
    /// The key grown from 32 fresh random bytes, or from those of
    /// [`RootKey::seed`].
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The 32 bytes to store.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The fixed data of this key's link.
    #[must_use]
    pub fn fixed(&self) -> Fixed {
        Fixed {
            root: self.0.verifying_key(),
        }
    }

    pub(super) fn sign(&self, signed: &[u8]) -> [u8; 64] {
        self.0.sign(signed).to_bytes()
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_opens_only_its_own_fixed_data() {
        let fixed = RootKey::from_seed(&[1; 32]).fixed();
        let other = RootKey::from_seed(&[2; 32]).fixed();
        assert_eq!(
            Fixed::open(&fixed.secret(), &fixed.encode()),
            Ok(fixed.clone())
        );
        assert_eq!(
            Fixed::open(&other.secret(), &fixed.encode()),
            Err(FixedError::WrongSecret)
        );
    }

    #[test]
    fn newer_malformed_and_weak_fixed_data_is_refused() {
        let open = |bytes: &[u8]| Fixed::open(&Secret::of(bytes), bytes);
        let mut newer = RootKey::from_seed(&[1; 32]).fixed().encode();
        newer[0] = 2;
        newer.push(0);
        assert_eq!(open(&newer), Err(FixedError::Newer(2)));
        assert_eq!(open(&[]), Err(FixedError::Malformed));
        assert_eq!(open(&[1; 32]), Err(FixedError::Malformed));
        let mut identity = [0; 33];
        identity[..2].copy_from_slice(&[1, 1]);
        assert_eq!(open(&identity), Err(FixedError::Malformed));
    }

    #[test]
    fn the_key_grows_again_from_its_seed() {
        let key = RootKey::from_seed(&[3; 32]);
        assert_eq!(RootKey::from_seed(&key.seed()).fixed(), key.fixed());
    }

    #[test]
    fn debug_shows_no_key() {
        let key = RootKey::from_seed(&[3; 32]);
        let shown = format!("{key:?} {:?} {:?}", key.fixed(), key.fixed().secret());
        assert_eq!(shown, "RootKey(..) Fixed(..) Secret(..)");
    }
}
