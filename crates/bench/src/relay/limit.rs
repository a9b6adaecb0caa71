//! The primitives that a relay's work cannot avoid, called straight in the
//! libraries it is built on, on buffers of the size that travels.
//!
//! Delivered message, Ed25519 on both sides, into an empty queue (`SEND` in,
//! `OK` out, `MSG` out, `ACK` in, `OK` out):
//!
//! ```text
//!   3 × ChaCha20-Poly1305 seal + 2 × open    of 16,385 B   TLS records
//! + 3 × XSalsa20-Poly1305 seal + 2 × open    of 16,368 B   sealed blocks
//! + 5 × HKDF-SHA512 to 88 B, HSalsa20                      their key chains
//! + 1 × Ed25519 verify                       of 16,138 B   SEND
//! + 1 × Ed25519 verify                       of    112 B   ACK
//! + 1 × XSalsa20-Poly1305 seal               of 16,106 B   the message's box
//! ```
//!
//! A message that waited, brought to its recipient, is counted at both ends:
//!
//! ```text
//!   1 × ChaCha20-Poly1305 seal + open        of 16,385 B   TLS record
//! + 1 × XSalsa20-Poly1305 seal + open        of 16,368 B   sealed block
//! + 2 × HKDF-SHA512 to 88 B, HSalsa20                      their key chains
//! + 1 × XSalsa20-Poly1305 seal + open        of 16,106 B   the message's box
//! + 1 × Ed25519 sign + verify                of    112 B   ACK; many share a block
//! ```
//!
//! Not in it: TCP, the kernel, storing, parsing, copying, waking up.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Salt};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey as Verifying};
use dryoc::classic::crypto_box::{
    crypto_box_detached_afternm_inplace, crypto_box_open_detached_afternm_inplace,
};
use dryoc::classic::crypto_core::crypto_core_hsalsa20;

use super::tls::Handshakes;
use crate::BenchError;
use crate::clock::cost;

/// Plaintext and content type of a full TLS 1.3 record.
const RECORD: usize = 16_384 + 1;
/// A block without its tag.
const BLOCK: usize = 16_384 - 16;
/// Content of a message's box.
const MESSAGE: usize = 16_106;
/// Session id, correlation id, entity id and text of a full `SEND`.
const SEND: usize = 33 + 25 + 25 + 7 + 16_048;
/// The same of `ACK` and, less the message id, of `SUB`.
const SMALL: usize = 33 + 25 + 25 + 29;

/// Calls of each primitive in one measurement.
const CALLS: u32 = 200;

/// Keys and buffers for the primitives.
pub(crate) struct Primitives {
    record_key: LessSafeKey,
    signing: Ed25519KeyPair,
    agreeing: PrivateKey,
    handshakes: Handshakes,
    buffer: Vec<u8>,
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Primitives {
    pub(crate) fn new() -> Result<Self, BenchError> {
        let failed = "a primitive refused its key";
        let record_key =
            UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).map_err(BenchError::bug(failed))?;
        Ok(Self {
            record_key: LessSafeKey::new(record_key),
            signing: Ed25519KeyPair::from_seed_unchecked(&[7; 32])
                .map_err(BenchError::bug(failed))?,
            agreeing: PrivateKey::from_private_key(&X25519, &[7; 32])
                .map_err(BenchError::bug(failed))?,
            handshakes: Handshakes::new()?,
            buffer: vec![7; RECORD],
        })
    }

    /// Microseconds of the sum in the module's head.
    pub(crate) fn delivered_message(&mut self) -> Result<f64, BenchError> {
        let (seal_record, open_record) = self.record()?;
        let (seal_block, open_block) = self.boxed(BLOCK)?;
        let (seal_message, _) = self.boxed(MESSAGE)?;
        Ok(3.0 * seal_record
            + 2.0 * open_record
            + 3.0 * seal_block
            + 2.0 * open_block
            + 5.0 * self.chain_step()?
            + self.verify(SEND)?
            + self.verify(SMALL)?
            + seal_message)
    }

    /// Microseconds of bringing a message that waited, at both ends.
    pub(crate) fn fetched_message(&mut self) -> Result<f64, BenchError> {
        let (seal_record, open_record) = self.record()?;
        let (seal_block, open_block) = self.boxed(BLOCK)?;
        let (seal_message, open_message) = self.boxed(MESSAGE)?;
        Ok(seal_record
            + open_record
            + seal_block
            + open_block
            + 2.0 * self.chain_step()?
            + seal_message
            + open_message
            + self.sign()?
            + self.verify(SMALL)?)
    }

    /// Microseconds of: the server's half of a TLS handshake, its session key
    /// (X25519 key and agreement, signature), two records each way for hellos,
    /// `SUB` and its answer, two sealed blocks, the key chains' beginning and
    /// a step each, one verification.
    pub(crate) fn subscribed_connection(&mut self) -> Result<f64, BenchError> {
        let (seal_record, open_record) = self.record()?;
        let (seal_block, open_block) = self.boxed(BLOCK)?;
        Ok(self.handshakes.server_half()?
            + self.agree()?
            + self.sign()?
            + 2.0 * (seal_record + open_record)
            + seal_block
            + open_block
            + 3.0 * self.chain_step()?
            + self.verify(SMALL)?)
    }

    /// Bytes that the TLS library holds for one established connection.
    pub(crate) fn connection_memory(&self) -> Result<f64, BenchError> {
        self.handshakes.memory()
    }

    fn record(&mut self) -> Result<(f64, f64), BenchError> {
        let (key, failed) = (&self.record_key, "ChaCha20-Poly1305 failed");
        let nonce = || Nonce::assume_unique_for_key([0; 12]);
        let body = self.buffer.get_mut(..RECORD).unwrap_or_default();
        let seal = cost(CALLS, || {
            key.seal_in_place_separate_tag(nonce(), Aad::from(&[0; 5]), body)
                .map(drop)
                .map_err(BenchError::bug(failed))
        })?;
        // Opening changes the buffer, so each round opens a fresh copy; the
        // copy is taken off again.
        let mut sealed = body.to_vec();
        key.seal_in_place_append_tag(nonce(), Aad::from(&[0; 5]), &mut sealed)
            .map_err(BenchError::bug(failed))?;
        let mut room = sealed.clone();
        let copied = cost(CALLS, || {
            room.copy_from_slice(&sealed);
            std::hint::black_box(&mut room);
            Ok(())
        })?;
        let both = cost(CALLS, || {
            room.copy_from_slice(&sealed);
            key.open_in_place(nonce(), Aad::from(&[0; 5]), &mut room)
                .map(drop)
                .map_err(BenchError::bug(failed))
        })?;
        Ok((seal, both - copied))
    }

    fn boxed(&mut self, length: usize) -> Result<(f64, f64), BenchError> {
        let (nonce, key) = ([7; 24], [7; 32]);
        let body = self.buffer.get_mut(..length).unwrap_or_default();
        let mut tag = [0; 16];
        let seal = cost(CALLS, || {
            crypto_box_detached_afternm_inplace(body, &mut tag, &nonce, &key);
            Ok(())
        })?;
        let mut room = body.to_vec();
        let copied = cost(CALLS, || {
            room.copy_from_slice(body);
            std::hint::black_box(&mut room);
            Ok(())
        })?;
        let both = cost(CALLS, || {
            room.copy_from_slice(body);
            crypto_box_open_detached_afternm_inplace(&mut room, &tag, &nonce, &key)
                .map_err(BenchError::bug("XSalsa20-Poly1305 failed"))
        })?;
        Ok((seal, both - copied))
    }

    /// One step of a block key chain.
    fn chain_step(&self) -> Result<f64, BenchError> {
        cost(CALLS, || {
            let mut okm = [0; 88];
            Salt::new(HKDF_SHA512, &[])
                .extract(&[7; 32])
                .expand(&[b"SimpleXSbChain"], Length(okm.len()))
                .and_then(|key| key.fill(&mut okm))
                .map_err(BenchError::bug("HKDF failed"))?;
            let mut key = [0; 32];
            crypto_core_hsalsa20(&mut key, &[0; 16], &[7; 32], None);
            std::hint::black_box((okm, key));
            Ok(())
        })
    }

    fn verify(&self, length: usize) -> Result<f64, BenchError> {
        let message = self.buffer.get(..length).unwrap_or_default();
        let signature = self.signing.sign(message);
        let key = Verifying::new(&ED25519, self.signing.public_key().as_ref());
        cost(CALLS, || {
            key.verify(message, signature.as_ref())
                .map_err(BenchError::bug("Ed25519 failed"))
        })
    }

    fn sign(&self) -> Result<f64, BenchError> {
        cost(CALLS, || {
            std::hint::black_box(self.signing.sign(&[7; 44]));
            Ok(())
        })
    }

    /// A fresh X25519 key and one agreement with it.
    fn agree(&self) -> Result<f64, BenchError> {
        let failed = "X25519 failed";
        let peer = self.agreeing.compute_public_key();
        let peer = peer.map_err(BenchError::bug(failed))?;
        cost(CALLS, || {
            let own = PrivateKey::from_private_key(&X25519, &[9; 32]);
            let own = own.map_err(BenchError::bug(failed))?;
            let public = own.compute_public_key().map_err(BenchError::bug(failed))?;
            std::hint::black_box(public);
            let peer = UnparsedPublicKey::new(&X25519, peer.as_ref());
            agreement::agree(&own, peer, BenchError::Bug(failed), |secret| {
                std::hint::black_box(secret);
                Ok(())
            })
        })
    }
}
