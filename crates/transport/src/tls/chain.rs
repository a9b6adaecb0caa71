//! Which certificate chains are taken for a fingerprint.
//!
//! An SMP server is known by the SHA-256 of its identity certificate. It
//! sends `[leaf, identity]`, or those two followed by one or two certificates
//! above; the last is the root of the path. The leaf and the identity may be
//! cheap to copy, so it is not enough that a path exists and that the second
//! certificate is the right one: every certificate sent must be *on* the path,
//! in the order sent. Otherwise `[leaf by mallory, identity, mallory]` would
//! pass, with an identity that vouched for nothing.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use sha2::{Digest, Sha256};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::provider::SIGNATURES;

/// Why a chain is not taken for a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Fewer than two or more than four certificates.
    #[error("the server sent {0} certificates, 2 to 4 are allowed")]
    Length(usize),
    /// The second certificate is not the one the address names.
    #[error("the server's identity certificate is not the one the address names")]
    WrongFingerprint,
    /// A certificate's last day has passed.
    #[error("a certificate of the server has expired")]
    Expired,
    /// A certificate's first day is still to come; perhaps a wrong clock.
    #[error("a certificate of the server is not valid yet")]
    NotYetValid,
    /// Something sent as a certificate is none.
    #[error("a certificate of the server cannot be read")]
    Malformed,
    /// No path of valid signatures leads through all certificates in order.
    #[error("the server's certificates do not vouch for each other: {0}")]
    Broken(webpki::Error),
}

/// Checks that `chain` (DER, leaf first) belongs to the identity certificate
/// with SHA-256 `fingerprint` and is valid at `now`. Host names are not looked
/// at.
///
/// # Errors
///
/// The first rule the chain breaks.
pub fn check_chain(
    chain: &[CertificateDer<'_>],
    fingerprint: &[u8; 32],
    now: UnixTime,
) -> Result<(), ChainError> {
    let ([leaf, above @ ..], 2..=4) = (chain, chain.len()) else {
        return Err(ChainError::Length(chain.len()));
    };
    let ([identity, ..], Some((root, between))) = (above, above.split_last()) else {
        return Err(ChainError::Length(chain.len()));
    };
    if fingerprint_of(identity) != *fingerprint {
        return Err(ChainError::WrongFingerprint);
    }
    check_path(leaf, between, root, now)?;
    // A path says nothing about the dates of its own root.
    check_dates(root, now)
}

/// SHA-256 over the whole DER of a certificate.
pub(super) fn fingerprint_of(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate.as_ref()).into()
}

fn check_path(
    leaf: &CertificateDer<'_>,
    between: &[CertificateDer<'_>],
    root: &CertificateDer<'_>,
    now: UnixTime,
) -> Result<(), ChainError> {
    let leaf = EndEntityCert::try_from(leaf)?;
    let anchors = [anchor_from_trusted_cert(root)?];
    let whole_chain_in_order = |path: &webpki::VerifiedPath<'_>| {
        let walked = path
            .intermediate_certificates()
            .map(|certificate| certificate.der());
        if walked.eq(between.iter().cloned()) {
            Ok(())
        } else {
            Err(webpki::Error::UnknownIssuer)
        }
    };
    leaf.verify_for_usage(
        SIGNATURES.all,
        &anchors,
        between,
        now,
        KeyUsage::server_auth(),
        None,
        Some(&whole_chain_in_order),
    )?;
    Ok(())
}

fn check_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), ChainError> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| ChainError::Malformed)?;
    let now = i64::try_from(now.as_secs())
        .ok()
        .and_then(|seconds| ASN1Time::from_timestamp(seconds).ok())
        .ok_or(ChainError::Malformed)?;
    let validity = parsed.validity();
    if now < validity.not_before {
        return Err(ChainError::NotYetValid);
    }
    if now > validity.not_after {
        return Err(ChainError::Expired);
    }
    Ok(())
}

impl From<webpki::Error> for ChainError {
    fn from(error: webpki::Error) -> Self {
        match error {
            webpki::Error::CertExpired { .. } => Self::Expired,
            webpki::Error::CertNotValidYet { .. } => Self::NotYetValid,
            webpki::Error::BadDer | webpki::Error::BadDerTime => Self::Malformed,
            other => Self::Broken(other),
        }
    }
}

/// Takes the chain of exactly one identity.
#[derive(Debug)]
pub(super) struct PinnedIdentity {
    fingerprint: [u8; 32],
}

impl PinnedIdentity {
    pub(super) fn new(fingerprint: [u8; 32]) -> Self {
        Self { fingerprint }
    }
}

impl ServerCertVerifier for PinnedIdentity {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut chain = vec![end_entity.clone()];
        chain.extend_from_slice(intermediates);
        check_chain(&chain, &self.fingerprint, now)
            .map_err(|error| CertificateError::Other(OtherError(Arc::new(error))))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &SIGNATURES)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        SIGNATURES.supported_schemes()
    }
}
