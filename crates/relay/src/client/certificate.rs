//! The one thing the client reads in a certificate: its public key.

use aws_lc_rs::digest::{SHA256, digest};
use openssl::pkey::Id;
use openssl::x509::X509;

use crate::wire::{AuthKey, Malformed};

/// The public key of a certificate in DER.
///
/// # Errors
///
/// [`Malformed`] if it does not parse or is neither Ed25519 nor Ed448.
pub(super) fn public_key(der: &[u8]) -> Result<AuthKey, Malformed> {
    let key = X509::from_der(der)
        .and_then(|cert| cert.public_key())
        .map_err(|_| Malformed)?;
    let raw = key.raw_public_key().map_err(|_| Malformed)?;
    match key.id() {
        Id::ED25519 => raw.try_into().map(AuthKey::Ed25519).map_err(|_| Malformed),
        Id::ED448 => raw.try_into().map(AuthKey::Ed448).map_err(|_| Malformed),
        _ => Err(Malformed),
    }
}

/// SHA-256 over a whole certificate in DER.
pub(super) fn fingerprint(der: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, der).as_ref()) {
        *to = *from;
    }
    out
}
