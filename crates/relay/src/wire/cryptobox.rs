//! The one box of SMP: XSalsa20-Poly1305 whose key went through HSalsa20
//! once more (SMP 1).
//!
//! With the raw output of X25519 as key this is NaCl's `crypto_box`. SMP uses
//! the same routine, with the extra HSalsa20, for plain symmetric keys too, so
//! it never equals NaCl's `crypto_secretbox` of that key.

use core::fmt;

use dryoc::classic::crypto_box::{
    crypto_box_detached_afternm_inplace, crypto_box_open_detached_afternm_inplace,
};
use dryoc::classic::crypto_core::crypto_core_hsalsa20;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Malformed;
use super::key::{DhPublic, DhSecret, LowOrder};

/// Length of a nonce in bytes.
pub const NONCE_LEN: usize = 24;

/// Length of the tag that stands before the ciphertext, in bytes.
pub const TAG_LEN: usize = 16;

/// A box did not open: wrong key, wrong nonce, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("box does not open")]
pub struct NotOpened;

/// A key with the extra HSalsa20 already done, so that each use costs the
/// cipher only.
#[derive(Clone)]
pub struct BoxKey(Zeroizing<[u8; 32]>);

impl BoxKey {
    /// From a symmetric key or a raw X25519 output.
    #[must_use]
    pub fn derive(raw: &[u8; 32]) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        crypto_core_hsalsa20(&mut key, &[0; 16], raw, None);
        Self(key)
    }

    /// From an agreement between our private and a peer's public key.
    ///
    /// # Errors
    ///
    /// [`LowOrder`] if the peer's key would make the secret known to all.
    pub fn agree(own: &DhSecret, peer: &DhPublic) -> Result<Self, LowOrder> {
        own.agree(peer).map(|raw| Self::derive(&raw))
    }

    /// A key that [`BoxKey::to_bytes`] returned; no derivation is done.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The derived key, for storage.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// Seals `buffer` in place: its first [`TAG_LEN`] bytes are overwritten
    /// with the tag, the rest is encrypted.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if `buffer` is shorter than a tag.
    pub fn seal(&self, nonce: &[u8; NONCE_LEN], buffer: &mut [u8]) -> Result<(), Malformed> {
        let (tag, body) = buffer.split_first_chunk_mut::<TAG_LEN>().ok_or(Malformed)?;
        crypto_box_detached_afternm_inplace(body, tag, nonce, &self.0);
        Ok(())
    }

    /// Opens a box in place and returns what was in it.
    ///
    /// # Errors
    ///
    /// [`NotOpened`]; the content of `buffer` is then unspecified.
    pub fn open<'b>(
        &self,
        nonce: &[u8; NONCE_LEN],
        buffer: &'b mut [u8],
    ) -> Result<&'b mut [u8], NotOpened> {
        #[cfg(test)]
        super::effort::note(super::effort::Effort::Opening(buffer.len()));
        let (tag, body) = buffer.split_first_chunk_mut::<TAG_LEN>().ok_or(NotOpened)?;
        crypto_box_open_detached_afternm_inplace(body, tag, nonce, &self.0)
            .map_err(|_| NotOpened)?;
        Ok(body)
    }
}

impl ConstantTimeEq for BoxKey {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxKey(..)")
    }
}

/// `bytes` as a nonce: cut to 24 bytes, or filled up with zeros on the right.
#[must_use]
pub fn nonce_from(bytes: &[u8]) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    for (to, from) in nonce.iter_mut().zip(bytes) {
        *to = *from;
    }
    nonce
}
