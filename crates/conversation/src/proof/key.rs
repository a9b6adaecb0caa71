//! The key of one person in one conversation, by which others can check what
//! was said there.

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hushwing_sansio::Context;
use zeroize::Zeroizing;

use super::cose::to_be_signed;
use crate::Secret;

/// An Ed25519 signature (RFC 8032), 64 bytes.
pub type SignatureBytes = [u8; 64];

/// My private identity key of one conversation. It signs statements and nothing
/// else: MLS has another one. Wipes itself.
pub struct IdentityKey(SigningKey);

impl IdentityKey {
    /// A fresh key.
    pub(crate) fn generate(cx: &mut Context<'_>) -> Self {
        Self(SigningKey::from_bytes(&Zeroizing::new(cx.random())))
    }

    /// The key with this seed (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The key that was stored as `secret`; `None` if that is not 32 bytes.
    pub(crate) fn from_secret(secret: &Secret) -> Option<Self> {
        let seed = Zeroizing::new(secret.array()?);
        Some(Self::from_seed(&seed))
    }

    /// The key as stored.
    pub(crate) fn secret(&self) -> Secret {
        Secret::new(Zeroizing::new(self.0.to_bytes()).as_slice())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicIdentity {
        PublicIdentity(self.0.verifying_key().to_bytes())
    }

    /// Signs an encoded statement. The same statement always gets the same
    /// signature.
    pub(super) fn sign(&self, statement: &[u8]) -> SignatureBytes {
        self.0.sign(&to_be_signed(statement)).to_bytes()
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(..)")
    }
}

/// The public identity key of somebody in one conversation: 32 bytes that are
/// the one encoding of a point of large order, so that no two texts of a key are
/// one key and no signature fits any statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicIdentity([u8; 32]);

/// Bytes that are no key to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Ed25519 public key")]
pub struct KeyError;

impl PublicIdentity {
    /// A key from its 32 bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for no point, a point of small order, or an encoding that is
    /// not the canonical one.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError)?;
        let canonical = key.to_edwards().compress().to_bytes() == *bytes;
        if canonical && !key.is_weak() {
            Ok(Self(*bytes))
        } else {
            Err(KeyError)
        }
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether the holder of this key signed `statement`.
    pub(super) fn signed(&self, statement: &[u8], signature: &SignatureBytes) -> bool {
        let signature = Signature::from_bytes(signature);
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(&to_be_signed(statement), &signature))
            .is_ok()
    }
}

impl fmt::Display for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

// It names a person in a conversation; no log needs it.
impl fmt::Debug for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicIdentity(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signed_statement_and_the_signer_fit() {
        let key = IdentityKey::from_seed(&[1; 32]);
        let signature = key.sign(b"statement");
        assert!(key.public().signed(b"statement", &signature));
        assert!(!key.public().signed(b"another", &signature));
        let other = IdentityKey::from_seed(&[2; 32]).public();
        assert!(!other.signed(b"statement", &signature));
        assert_eq!(key.sign(b"statement"), signature, "signed once, signed so");
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        // The neutral point, and its encoding with y = p + 1.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut beyond = [0xff; 32];
        beyond[0] = 0xee;
        beyond[31] = 0x7f;
        // y = p + 3 is a point of large order if y = 3 is one.
        let mut three = [0; 32];
        three[0] = 3;
        let mut three_beyond = beyond;
        three_beyond[0] = 0xf0;
        for weak in [[0; 32], neutral, beyond, three_beyond] {
            assert_eq!(PublicIdentity::from_bytes(&weak), Err(KeyError));
        }
        assert!(PublicIdentity::from_bytes(&three).is_ok());
        let good = IdentityKey::from_seed(&[1; 32]).public();
        assert_eq!(PublicIdentity::from_bytes(good.as_bytes()), Ok(good));
    }

    #[test]
    fn debug_shows_no_key() {
        let key = IdentityKey::from_seed(&[1; 32]);
        assert_eq!(format!("{key:?}"), "IdentityKey(..)");
        assert_eq!(format!("{:?}", key.public()), "PublicIdentity(..)");
    }
}
