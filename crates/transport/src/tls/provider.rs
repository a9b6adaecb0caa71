//! The one cipher suite, key exchange and pair of signature schemes.
//!
//! SMP fixes `TLS_CHACHA20_POLY1305_SHA256`, X25519 and Ed25519 or Ed448.
//! The suite must not be widened: the session id is a SHA-256 Finished, and a
//! SHA-384 suite would make it 48 bytes.

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CipherSuiteCommon, CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::{SignatureScheme, SupportedCipherSuite, Tls13CipherSuite};
use webpki::aws_lc_rs::ED25519;

use super::ed448::Ed448;
use super::finished::RecordingHkdf;

/// Signatures taken in certificates and from the peer, preferred first.
pub(super) static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[ED25519, &Ed448],
    mapping: &[
        (SignatureScheme::ED25519, &[ED25519]),
        (SignatureScheme::ED448, &[&Ed448]),
    ],
};

static HKDF: LazyLock<Option<RecordingHkdf>> =
    LazyLock::new(|| base().map(|suite| RecordingHkdf::new(suite.hkdf_provider)));

static SUITE: LazyLock<Option<Tls13CipherSuite>> = LazyLock::new(|| {
    let base = base()?;
    Some(Tls13CipherSuite {
        common: CipherSuiteCommon {
            suite: base.common.suite,
            hash_provider: base.common.hash_provider,
            confidentiality_limit: base.common.confidentiality_limit,
        },
        hkdf_provider: HKDF.as_ref()?,
        aead_alg: base.aead_alg,
        quic: None,
    })
});

static PROVIDER: LazyLock<Option<Arc<CryptoProvider>>> = LazyLock::new(|| {
    Some(Arc::new(CryptoProvider {
        cipher_suites: vec![SupportedCipherSuite::Tls13(SUITE.as_ref()?)],
        kx_groups: vec![aws_lc_rs::kx_group::X25519],
        signature_verification_algorithms: SIGNATURES,
        ..aws_lc_rs::default_provider()
    }))
});

/// The provider both ends are configured with.
///
/// # Errors
///
/// Only if the library stopped offering the suite under TLS 1.3.
pub(super) fn provider() -> Result<Arc<CryptoProvider>, rustls::Error> {
    PROVIDER
        .clone()
        .ok_or_else(|| rustls::Error::General("cipher suite is missing".into()))
}

fn base() -> Option<&'static Tls13CipherSuite> {
    aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256.tls13()
}

#[cfg(test)]
mod tests {
    use rustls::{CipherSuite, NamedGroup};

    use super::*;

    #[test]
    fn offers_one_suite_and_one_group() {
        let provider = provider().unwrap();
        let suites: Vec<_> = provider
            .cipher_suites
            .iter()
            .map(|suite| suite.suite())
            .collect();
        assert_eq!(suites, [CipherSuite::TLS13_CHACHA20_POLY1305_SHA256]);
        let groups: Vec<_> = provider
            .kx_groups
            .iter()
            .map(|group| group.name())
            .collect();
        assert_eq!(groups, [NamedGroup::X25519]);
    }
}
