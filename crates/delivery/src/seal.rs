//! Seals: from a frame to an envelope and back.
//!
//! After contact both sides hold a secret per address, and an envelope costs a
//! nonce and a tag. Before contact there is only the public key in somebody's
//! invitation, and an envelope costs an encapsulation and a tag. Neither seal
//! says who sent: that stands inside the letter.

mod first_contact;
mod regular;

pub use first_contact::FirstContactSecret;

use hushwing_sansio::Context;

use crate::{Envelope, SealKey};

/// Why a frame could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The X-Wing public key of the address is none (its encoding is invalid).
    #[error("the address holds no usable key")]
    Key,
    /// A bug: the frame has another length than the seal carries.
    #[error("a frame of the wrong length")]
    Length,
}

/// Seals `write`'s frame under the key of an address.
///
/// `write` gets a zeroed buffer as long as [`frame_len`] says, inside the
/// envelope to be, so that a letter's bytes are copied once only.
///
/// # Errors
///
/// [`SealError::Key`] if the address cannot be sealed to.
pub(crate) fn seal(
    cx: &mut Context<'_>,
    key: &SealKey,
    write: impl FnOnce(&mut [u8]),
) -> Result<Envelope, SealError> {
    match key {
        SealKey::Shared(secret) => regular::seal(cx, secret, write),
        SealKey::FirstContact(public) => first_contact::seal(cx, public, write),
    }
}

/// Bytes of frame an envelope under `key` carries.
pub(crate) fn frame_len(key: &SealKey) -> usize {
    match key {
        SealKey::Shared(_) => crate::REGULAR_PAYLOAD,
        SealKey::FirstContact(_) => first_contact::FRAME,
    }
}

/// Opens a regular envelope; `None` if it is not sealed under `secret`.
pub(crate) fn open_regular(secret: &[u8; 32], envelope: &Envelope) -> Option<Vec<u8>> {
    regular::open(secret, envelope)
}

/// Opens a first-contact envelope; `None` if it is not sealed to `secret`.
pub(crate) fn open_first_contact(
    secret: &FirstContactSecret,
    envelope: &Envelope,
) -> Option<Vec<u8>> {
    first_contact::open(secret, envelope)
}
