//! From a passphrase to a slot's key, and halves sealed under it
//! (`protocol/slots.md`, 2).

use std::fmt;
use std::ops::Range;

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use hushwing_sansio::Entropy;
use zeroize::{Zeroize, Zeroizing};

use super::image::{Image, ImageError, VERSION};
use crate::keys::{Cost, Passphrase, stretch};

/// Bytes of a slot.
pub(crate) const SLOT: usize = 8 * 1024 * 1024;
/// Bytes of a slot's salt.
pub(crate) const SALT: usize = 32;
/// What a disk writes at once, at most: whatever is torn or lost with a write lies
/// within such a piece. Salt and halves share none.
pub(crate) const PAGE: usize = 4096;
/// Bytes of a half. Before the first is the page of the salt, behind the second
/// one of random bytes.
pub(crate) const HALF: usize = SLOT / 2 - PAGE;
/// Bytes of an image with its padding.
#[cfg(test)]
pub(crate) const ROOM: usize = HALF - NONCE - TAG;

const NONCE: usize = 24;
const TAG: usize = 16;
const LABEL: &[u8; 16] = b"hushwing slot v1";

/// One of the two halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    First,
    Second,
}

impl Half {
    pub(crate) const BOTH: [Self; 2] = [Self::First, Self::Second];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }

    /// Where it lies in its slot.
    pub(crate) const fn place(self) -> Range<usize> {
        self.offset()..self.offset() + HALF
    }

    /// Where it begins in its slot.
    pub(crate) const fn offset(self) -> usize {
        match self {
            Self::First => PAGE,
            Self::Second => PAGE + HALF,
        }
    }
}

/// How a passphrase becomes a key, which is what trying a slot costs.
pub(crate) trait Stretch {
    /// `None` where the cost is out of bounds or its memory cannot be had.
    fn stretch(&self, salt: &[u8; SALT]) -> Option<Zeroizing<[u8; 32]>>;
}

/// Argon2id of a passphrase.
pub(crate) struct ByPassphrase<'a>(pub(crate) &'a Passphrase, pub(crate) Cost);

impl Stretch for ByPassphrase<'_> {
    fn stretch(&self, salt: &[u8; SALT]) -> Option<Zeroizing<[u8; 32]>> {
        stretch(self.0, self.1, salt)
    }
}

/// The key of one slot.
pub(crate) struct SlotKey {
    cipher: XChaCha20Poly1305,
    slot: u8,
}

impl SlotKey {
    pub(crate) fn new(slot: u8, key: &[u8; 32]) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(key.into()),
            slot,
        }
    }

    fn label(&self, half: Half) -> [u8; 19] {
        let mut label = [0; 19];
        let parts = LABEL.iter().chain([&self.slot]);
        for (to, from) in label.iter_mut().zip(parts) {
            *to = *from;
        }
        let [.., at, version] = &mut label;
        (*at, *version) = (half.number(), VERSION);
        label
    }

    /// Seals an image over all of `to`, a half. `None` where it does not fit;
    /// nothing of it is left in `to` then.
    pub(crate) fn seal(
        &self,
        half: Half,
        image: &Image,
        to: &mut [u8],
        entropy: &mut dyn Entropy,
    ) -> Option<()> {
        let (nonce, rest) = to.split_first_chunk_mut::<NONCE>()?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG>()?;
        entropy.fill(nonce);
        let nonce = XNonce::from_slice(nonce);
        let label = self.label(half);
        let sealed = image.encode(body).and_then(|()| {
            let sealed = self.cipher.encrypt_in_place_detached(nonce, &label, body);
            sealed.ok()
        });
        match sealed {
            Some(sealed) => tag.copy_from_slice(&sealed),
            None => body.zeroize(),
        }
        sealed.map(drop)
    }

    /// What is sealed in a half; `None` where it is not sealed under this key.
    pub(crate) fn open(
        &self,
        half: Half,
        mut sealed: Zeroizing<Vec<u8>>,
    ) -> Option<Result<Image, ImageError>> {
        let (nonce, rest) = sealed.split_first_chunk_mut::<NONCE>()?;
        let (body, tag) = rest.split_last_chunk_mut::<TAG>()?;
        let (nonce, tag) = (XNonce::from_slice(nonce), Tag::from_slice(tag));
        self.cipher
            .decrypt_in_place_detached(nonce, &self.label(half), body, tag)
            .ok()?;
        Some(Image::decode(body))
    }
}

impl fmt::Debug for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlotKey(..)")
    }
}
