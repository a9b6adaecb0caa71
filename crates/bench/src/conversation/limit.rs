//! The primitives that a message cannot avoid, from the crates that openmls is
//! given, on data of the size that occurs. Keys that a conversation can keep
//! ready are ready.
//!
//! ```text
//!   1 × Ed25519 sign + verify                    of 1,400 B   framed content
//! + 1 × AES-256-GCM seal + open                  of 1,250 B   private message
//! + 1 × AES-256-GCM seal + open                  of    12 B   sender data
//! + 10 × HKDF-Expand (SHA-384)                   to    32 B   ratchet key, nonce and
//!                                                             next secret, sender
//!                                                             data key and nonce,
//!                                                             on both sides
//! ```
//!
//! A whole message adds ChaCha20-Poly1305, sealed and opened, of 15,000 bytes:
//! the envelope. Who only hears one verifies and opens, with half of the
//! expansions.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ed25519_dalek::{Signer, SigningKey};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{AeadType, HashType};

use crate::BenchError;
use crate::clock::cost;

const SIGNED: usize = 1_400;
const SEALED: usize = 1_250;
const SENDER_DATA: usize = 12;
const ENVELOPE: usize = 15_000;
const CALLS: u32 = 50;
const FAILED: &str = "a primitive failed";

/// Keys for the primitives.
pub(crate) struct Primitives {
    crypto: RustCrypto,
    signing: SigningKey,
    envelope_key: LessSafeKey,
}

impl Primitives {
    pub(crate) fn new() -> Result<Self, BenchError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]);
        Ok(Self {
            crypto: RustCrypto::default(),
            signing: SigningKey::from_bytes(&[7; 32]),
            envelope_key: LessSafeKey::new(key.map_err(BenchError::bug(FAILED))?),
        })
    }

    /// Microseconds of the sum in the module's head.
    pub(crate) fn message(&self) -> Result<f64, BenchError> {
        Ok(self.sign_and_verify()?
            + self.seal_and_open(SEALED)?
            + self.seal_and_open(SENDER_DATA)?
            + 10.0 * self.expand()?)
    }

    /// The same and the envelope.
    pub(crate) fn sealed_message(&self) -> Result<f64, BenchError> {
        Ok(self.message()? + self.envelope()?)
    }

    /// The listener's half of [`Primitives::sealed_message`].
    pub(crate) fn heard_message(&self) -> Result<f64, BenchError> {
        Ok(self.verify()?
            + self.open(SEALED)?
            + self.open(SENDER_DATA)?
            + 5.0 * self.expand()?
            + self.open_envelope()?)
    }

    fn verify(&self) -> Result<f64, BenchError> {
        let data = [7; SIGNED];
        let public = self.signing.verifying_key();
        let signature = self.signing.sign(&data);
        cost(CALLS, || {
            public
                .verify_strict(&data, &signature)
                .map_err(BenchError::bug(FAILED))
        })
    }

    fn open(&self, length: usize) -> Result<f64, BenchError> {
        let (kind, key, nonce) = (AeadType::Aes256Gcm, [7; 32], [7; 12]);
        let plaintext = vec![7; length];
        let sealed = self
            .crypto
            .aead_encrypt(kind, &key, &plaintext, &nonce, &[]);
        let sealed = sealed.map_err(BenchError::bug(FAILED))?;
        cost(CALLS, || {
            self.crypto
                .aead_decrypt(kind, &key, &sealed, &nonce, &[])
                .map(drop)
                .map_err(BenchError::bug(FAILED))
        })
    }

    fn open_envelope(&self) -> Result<f64, BenchError> {
        let mut sealed = vec![7; ENVELOPE];
        let nonce = || Nonce::assume_unique_for_key([7; 12]);
        self.envelope_key
            .seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed)
            .map_err(BenchError::bug(FAILED))?;
        // Opening changes the buffer. The copy is of the work: it comes in one.
        cost(CALLS, || {
            self.envelope_key
                .open_in_place(nonce(), Aad::empty(), &mut sealed.clone())
                .map(drop)
                .map_err(BenchError::bug(FAILED))
        })
    }

    fn sign_and_verify(&self) -> Result<f64, BenchError> {
        let data = [7; SIGNED];
        let public = self.signing.verifying_key();
        cost(CALLS, || {
            let signature = self.signing.sign(&data);
            public
                .verify_strict(&data, &signature)
                .map_err(BenchError::bug(FAILED))
        })
    }

    fn seal_and_open(&self, length: usize) -> Result<f64, BenchError> {
        let (kind, key, nonce) = (AeadType::Aes256Gcm, [7; 32], [7; 12]);
        let plaintext = vec![7; length];
        cost(CALLS, || {
            let sealed = self
                .crypto
                .aead_encrypt(kind, &key, &plaintext, &nonce, &[]);
            let sealed = sealed.map_err(BenchError::bug(FAILED))?;
            self.crypto
                .aead_decrypt(kind, &key, &sealed, &nonce, &[])
                .map(drop)
                .map_err(BenchError::bug(FAILED))
        })
    }

    fn expand(&self) -> Result<f64, BenchError> {
        cost(CALLS, || {
            self.crypto
                .hkdf_expand(HashType::Sha2_384, &[7; 48], &[7; 40], 32)
                .map(drop)
                .map_err(BenchError::bug(FAILED))
        })
    }

    fn envelope(&self) -> Result<f64, BenchError> {
        let mut buffer = vec![7; ENVELOPE];
        let nonce = || Nonce::assume_unique_for_key([7; 12]);
        cost(CALLS, || {
            buffer.truncate(ENVELOPE);
            self.envelope_key
                .seal_in_place_append_tag(nonce(), Aad::empty(), &mut buffer)
                .map_err(BenchError::bug(FAILED))?;
            self.envelope_key
                .open_in_place(nonce(), Aad::empty(), &mut buffer)
                .map(drop)
                .map_err(BenchError::bug(FAILED))
        })
    }
}
