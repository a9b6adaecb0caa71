//! Ed448 signatures, which older SMP servers use and no Rust TLS provider
//! verifies. OpenSSL does the arithmetic; rustls and webpki keep the protocol.

use openssl::pkey::{Id, PKey};
use openssl::sign::Verifier;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

/// `id-Ed448`, 1.3.101.113, without parameters (RFC 8410 section 3).
const ID_ED448: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[0x06, 0x03, 0x2b, 0x65, 0x71]);

/// Verifies Ed448 signatures in certificates and TLS handshakes.
#[derive(Debug)]
pub(super) struct Ed448;

impl SignatureVerificationAlgorithm for Ed448 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key =
            PKey::public_key_from_raw_bytes(public_key, Id::ED448).map_err(|_| InvalidSignature)?;
        let mut verifier = Verifier::new_without_digest(&key).map_err(|_| InvalidSignature)?;
        match verifier.verify_oneshot(signature, message) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(InvalidSignature),
        }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        ID_ED448
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        ID_ED448
    }
}

#[cfg(test)]
mod tests {
    use openssl::sign::Signer;

    use super::*;

    #[test]
    fn takes_a_signature_and_refuses_its_variations() {
        let key = PKey::generate_ed448().unwrap();
        let public = key.raw_public_key().unwrap();
        let mut signature = Signer::new_without_digest(&key)
            .unwrap()
            .sign_oneshot_to_vec(b"message")
            .unwrap();
        assert!(
            Ed448
                .verify_signature(&public, b"message", &signature)
                .is_ok()
        );
        assert!(
            Ed448
                .verify_signature(&public, b"massage", &signature)
                .is_err()
        );
        assert!(
            Ed448
                .verify_signature(&public[1..], b"message", &signature)
                .is_err()
        );
        assert!(
            Ed448
                .verify_signature(&public, b"message", &signature[1..])
                .is_err()
        );
        signature[7] ^= 1;
        assert!(
            Ed448
                .verify_signature(&public, b"message", &signature)
                .is_err()
        );
    }
}
