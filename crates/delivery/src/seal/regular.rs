//! The seal after contact: XChaCha20-Poly1305 under a secret both sides hold.
//!
//! ```text
//! nonce (24, random) ‖ ciphertext (15,000) ‖ tag (16)
//! ```
//!
//! The extended nonce is what lets many senders' restarts draw nonces at random
//! under one secret for as long as an address lives
//! (draft-irtf-cfrg-xchacha, section 2).

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hushwing_sansio::Context;

use super::SealError;
use crate::{Envelope, REGULAR_PAYLOAD};

/// Associated data: keeps the secret's use apart from any other.
const CONTEXT: &[u8] = b"hushwing envelope 1";
const NONCE: usize = 24;

pub(super) fn seal(
    cx: &mut Context<'_>,
    secret: &[u8; 32],
    write: impl FnOnce(&mut [u8]),
) -> Result<Envelope, SealError> {
    let nonce: [u8; NONCE] = cx.random();
    let mut bytes = vec![0; NONCE + REGULAR_PAYLOAD];
    let (head, frame) = bytes
        .split_first_chunk_mut::<NONCE>()
        .ok_or(SealError::Length)?;
    *head = nonce;
    write(frame);
    let tag = XChaCha20Poly1305::new(secret.into())
        .encrypt_in_place_detached(&XNonce::from(nonce), CONTEXT, frame)
        .map_err(|_| SealError::Length)?;
    bytes.extend_from_slice(&tag);
    Envelope::regular(bytes).map_err(|_| SealError::Length)
}

pub(super) fn open(secret: &[u8; 32], envelope: &Envelope) -> Option<Vec<u8>> {
    if envelope.is_first_contact() {
        return None;
    }
    let (nonce, sealed) = envelope.bytes().split_first_chunk::<NONCE>()?;
    let (ciphertext, tag) = sealed.split_last_chunk::<16>()?;
    let mut frame = ciphertext.to_vec();
    XChaCha20Poly1305::new(secret.into())
        .decrypt_in_place_detached(&XNonce::from(*nonce), CONTEXT, &mut frame, &Tag::from(*tag))
        .ok()?;
    Some(frame)
}
