//! The crypto provider, with one shortcut.
//!
//! Each message is verified under the key of the one other leaf, and unpacking
//! that key costs a sixth of verifying. So unpacked keys are kept. Everything
//! else goes to the provider as it is.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig,
    HpkeKeyPair, KemOutput, SignatureScheme,
};
use tls_codec::SecretVLBytes;

/// Unpacked keys that are kept.
const MOST_KEYS: usize = 256;

/// Crypto that is made once and serves all calls.
#[derive(Debug, Default)]
pub struct Crypto {
    provider: RustCrypto,
    keys: Mutex<BTreeMap<[u8; 32], VerifyingKey>>,
    /// The keys something was sealed under, for tests that none is used twice.
    #[cfg(test)]
    pub(crate) sealed: Mutex<Vec<Vec<u8>>>,
}

impl Crypto {
    /// The unpacked public key; none of small order, under which signatures
    /// would bind nobody.
    fn unpack(&self, public: &[u8]) -> Result<VerifyingKey, CryptoError> {
        let public: [u8; 32] = public
            .try_into()
            .map_err(|_| CryptoError::CryptoLibraryError)?;
        let Ok(mut keys) = self.keys.lock() else {
            return Err(CryptoError::CryptoLibraryError);
        };
        if let Some(key) = keys.get(&public) {
            return Ok(*key);
        }
        let key = VerifyingKey::from_bytes(&public)
            .ok()
            .filter(|key| !key.is_weak())
            .ok_or(CryptoError::CryptoLibraryError)?;
        if keys.len() >= MOST_KEYS {
            keys.clear();
        }
        keys.insert(public, key);
        Ok(key)
    }
}

impl OpenMlsCrypto for Crypto {
    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        if alg != SignatureScheme::ED25519 {
            return self.provider.verify_signature(alg, data, pk, signature);
        }
        let key = self.unpack(pk)?;
        let signature =
            Signature::from_slice(signature).map_err(|_| CryptoError::InvalidSignature)?;
        key.verify(data, &signature)
            .map_err(|_| CryptoError::InvalidSignature)
    }

    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        self.provider.supports(ciphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        self.provider.supported_ciphersuites()
    }

    fn hkdf_extract(
        &self,
        hash_type: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.provider.hkdf_extract(hash_type, salt, ikm)
    }

    fn hmac(
        &self,
        hash_type: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.provider.hmac(hash_type, key, message)
    }

    fn hkdf_expand(
        &self,
        hash_type: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.provider.hkdf_expand(hash_type, prk, info, okm_len)
    }

    fn hash(&self, hash_type: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.provider.hash(hash_type, data)
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        #[cfg(test)]
        if let Ok(mut sealed) = self.sealed.lock() {
            sealed.push(key.to_vec());
        }
        self.provider.aead_encrypt(alg, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.provider.aead_decrypt(alg, key, ct_tag, nonce, aad)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.provider.signature_key_gen(alg)
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.provider.sign(alg, data, key)
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.provider.hpke_seal(config, pk_r, info, aad, ptxt)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.provider.hpke_open(config, input, sk_r, info, aad)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let (context, length) = (exporter_context, exporter_length);
        self.provider
            .hpke_setup_sender_and_export(config, pk_r, info, context, length)
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        let (context, length) = (exporter_context, exporter_length);
        self.provider
            .hpke_setup_receiver_and_export(config, enc, sk_r, info, context, length)
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        self.provider.derive_hpke_keypair(config, ikm)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn verify(crypto: &Crypto, data: &[u8], key: &[u8], signature: &[u8]) -> bool {
        crypto
            .verify_signature(SignatureScheme::ED25519, data, key, signature)
            .is_ok()
    }

    #[test]
    fn only_the_right_signature_under_the_right_key_passes() {
        let crypto = Crypto::default();
        let (key, other) = (
            SigningKey::from_bytes(&[1; 32]),
            SigningKey::from_bytes(&[2; 32]),
        );
        let (public, foreign) = (key.verifying_key(), other.verifying_key());
        let signature = key.sign(b"said").to_bytes();
        for _ in 0..2 {
            assert!(verify(&crypto, b"said", public.as_bytes(), &signature));
            assert!(!verify(&crypto, b"sad", public.as_bytes(), &signature));
            assert!(!verify(&crypto, b"said", foreign.as_bytes(), &signature));
            assert!(!verify(
                &crypto,
                b"said",
                public.as_bytes(),
                &signature[..63]
            ));
        }
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        let crypto = Crypto::default();
        // The neutral element signs everything.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!verify(&crypto, b"anything", &neutral, &signature));
    }
}
