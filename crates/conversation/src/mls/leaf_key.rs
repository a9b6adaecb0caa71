//! The signature key of one leaf: one per conversation.

use core::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
use hushwing_sansio::Context;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use zeroize::Zeroizing;

use crate::Secret;

/// The private Ed25519 key of my leaf. Kept expanded, since deriving the public
/// half costs as much as a signature. Wipes itself.
pub(crate) struct LeafKey(SigningKey);

impl LeafKey {
    /// A fresh key.
    pub(crate) fn generate(cx: &mut Context<'_>) -> Self {
        Self(SigningKey::from_bytes(&Zeroizing::new(cx.random())))
    }

    /// The key that was stored as `secret`; `None` if that is not 32 bytes.
    pub(crate) fn from_secret(secret: &Secret) -> Option<Self> {
        let seed = Zeroizing::new(secret.array()?);
        Some(Self(SigningKey::from_bytes(&seed)))
    }

    /// The key as stored.
    pub(crate) fn secret(&self) -> Secret {
        Secret::new(Zeroizing::new(self.0.to_bytes()).as_slice())
    }

    /// The public half.
    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

impl Signer for LeafKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature = self
            .0
            .try_sign(payload)
            .map_err(|_| SignerError::SigningError)?;
        Ok(signature.to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl fmt::Debug for LeafKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeafKey(..)")
    }
}
