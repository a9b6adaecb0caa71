//! An MLS provider that makes a key of its choice unusable, and a member who
//! works with it: openmls as a peer may have bent it.

use std::sync::atomic::{AtomicUsize, Ordering};

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::*;
use openmls_rust_crypto::{MemoryStorage, OpenMlsRustCrypto, RustCrypto};
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::{
    AeadType, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair,
    KemOutput,
};
use tls_codec::SecretVLBytes;

/// Spoils nothing.
pub(crate) const NOTHING: usize = usize::MAX;

#[derive(Default)]
pub(crate) struct Bent {
    honest: OpenMlsRustCrypto,
    crypto: BentCrypto,
}

impl Bent {
    /// From now on, the public half of the `nth` derived HPKE key is none.
    pub(crate) fn spoil(&self, nth: usize) {
        self.crypto.derived.store(0, Ordering::Relaxed);
        self.crypto.spoilt.store(nth, Ordering::Relaxed);
    }
}

impl OpenMlsProvider for Bent {
    type CryptoProvider = BentCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        self.honest.storage()
    }

    fn crypto(&self) -> &BentCrypto {
        &self.crypto
    }

    fn rand(&self) -> &RustCrypto {
        self.honest.rand()
    }
}

pub(crate) struct BentCrypto {
    honest: RustCrypto,
    derived: AtomicUsize,
    spoilt: AtomicUsize,
}

impl Default for BentCrypto {
    fn default() -> Self {
        Self {
            honest: RustCrypto::default(),
            derived: AtomicUsize::new(0),
            spoilt: AtomicUsize::new(NOTHING),
        }
    }
}

/// Passes calls on.
macro_rules! honest {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $back:ty;)*) => {
        $(fn $name(&self, $($arg: $kind),*) -> $back {
            self.honest.$name($($arg),*)
        })*
    };
}

impl OpenMlsCrypto for BentCrypto {
    honest! {
        supports(suite: Ciphersuite) -> Result<(), CryptoError>;
        supported_ciphersuites() -> Vec<Ciphersuite>;
        hkdf_extract(hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError>;
        hmac(hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError>;
        hkdf_expand(hash: HashType, prk: &[u8], info: &[u8], len: usize) -> Result<SecretVLBytes, CryptoError>;
        hash(hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError>;
        aead_encrypt(alg: AeadType, key: &[u8], data: &[u8], nonce: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError>;
        aead_decrypt(alg: AeadType, key: &[u8], data: &[u8], nonce: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError>;
        signature_key_gen(alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError>;
        verify_signature(alg: SignatureScheme, data: &[u8], key: &[u8], signature: &[u8]) -> Result<(), CryptoError>;
        sign(alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError>;
        hpke_seal(config: HpkeConfig, key: &[u8], info: &[u8], aad: &[u8], text: &[u8]) -> Result<HpkeCiphertext, CryptoError>;
        hpke_open(config: HpkeConfig, input: &HpkeCiphertext, key: &[u8], info: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError>;
        hpke_setup_sender_and_export(config: HpkeConfig, key: &[u8], info: &[u8], context: &[u8], len: usize) -> Result<(KemOutput, ExporterSecret), CryptoError>;
        hpke_setup_receiver_and_export(config: HpkeConfig, enc: &[u8], key: &[u8], info: &[u8], context: &[u8], len: usize) -> Result<ExporterSecret, CryptoError>;
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        let mut pair = self.honest.derive_hpke_keypair(config, ikm)?;
        let nth = self.derived.fetch_add(1, Ordering::Relaxed);
        if nth == self.spoilt.load(Ordering::Relaxed) {
            // No coefficient of an ML-KEM key is that large.
            pair.public.fill(0xFF);
        }
        Ok(pair)
    }
}

/// Bytes of a signature with its length.
pub(crate) const SIGNATURE: usize = 2 + 64;

/// A leaf's key.
pub(crate) struct Key(pub(crate) SigningKey);

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    pub(crate) fn public(&self) -> Vec<u8> {
        self.0.verifying_key().to_bytes().to_vec()
    }

    /// `content` with its signature behind it (RFC 9420 section 5.1.2).
    pub(crate) fn signed(&self, label: &str, content: Vec<u8>) -> Vec<u8> {
        let label = format!("MLS 1.0 {label}");
        let length = u16::try_from(content.len()).unwrap() | 0x4000;
        let said = [
            &[u8::try_from(label.len()).unwrap()],
            label.as_bytes(),
            &length.to_be_bytes(),
            &content,
        ]
        .concat();
        let signature = self.0.sign(&said).to_bytes();
        [content.as_slice(), &[0x40, 0x40], &signature].concat()
    }

    pub(crate) fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.public()).into(),
            signature_key: self.public().into(),
        }
    }
}

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// A letter of that kind with these items.
pub(crate) fn letter(kind: u8, items: &[&[u8]]) -> Vec<u8> {
    let mut letter = vec![1, kind];
    for item in items {
        letter.extend_from_slice(&u32::try_from(item.len()).unwrap().to_be_bytes());
        letter.extend_from_slice(item);
    }
    letter
}

/// The items of a letter.
pub(crate) fn items(mut letter: &[u8]) -> Vec<Vec<u8>> {
    letter = &letter[2..];
    let mut items = Vec::new();
    while let Some((length, rest)) = letter.split_first_chunk::<4>() {
        let (item, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        items.push(item.to_vec());
        letter = rest;
    }
    items
}
