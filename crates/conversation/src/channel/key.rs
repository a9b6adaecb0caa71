//! The key that signs a channel's posts, and the name that follows from it.

use core::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hushwing_sansio::Context;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{ConversationId, Secret};

/// What a channel's name is the hash of, before its key.
const NAMED: &[u8] = b"hushwing channel, version 1\0";

/// The private key of a channel. It signs posts and offers, and nothing else. Wipes itself.
pub struct ChannelKey(SigningKey);

impl ChannelKey {
    /// A fresh key.
    pub(crate) fn generate(cx: &mut Context<'_>) -> Self {
        Self::from_seed(&Zeroizing::new(cx.random()))
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
    pub fn public(&self) -> PublicChannelKey {
        PublicChannelKey(self.0.verifying_key().to_bytes())
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

impl fmt::Debug for ChannelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelKey(..)")
    }
}

/// The key by which readers check posts: 32 bytes that are the one encoding of a point
/// of large order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicChannelKey([u8; 32]);

/// Bytes that are no key to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Ed25519 public key")]
pub struct ChannelKeyError;

impl PublicChannelKey {
    /// A key from its 32 bytes.
    ///
    /// # Errors
    ///
    /// [`ChannelKeyError`] for no point, a point of small order, or an encoding that
    /// is not the canonical one.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ChannelKeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| ChannelKeyError)?;
        let canonical = key.to_edwards().compress().to_bytes() == *bytes;
        match canonical && !key.is_weak() {
            true => Ok(Self(*bytes)),
            false => Err(ChannelKeyError),
        }
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the channel is called on the wire. Nobody finds another key for a name.
    #[must_use]
    pub fn channel(&self) -> ConversationId {
        let hash = Sha256::new_with_prefix(NAMED).chain_update(self.0);
        let hash: [u8; 32] = hash.finalize().into();
        let mut name = [0; 16];
        name.iter_mut().zip(hash).for_each(|(at, byte)| *at = byte);
        ConversationId(name)
    }

    pub(super) fn signed(&self, bytes: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(bytes, &signature))
            .is_ok()
    }
}

// It names a channel; no log needs it.
impl fmt::Debug for PublicChannelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicChannelKey(..)")
    }
}
