//! A chain of certificates, each after its length (two bytes, big-endian),
//! judged as that of the server whose identity comes second.

use std::time::Duration;

use hushwing_transport::tls::check_chain;
use rustls::pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};

pub(crate) fn run(data: &[u8]) {
    let mut chain = Vec::new();
    let mut rest = data;
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (certificate, tail) = tail.split_at(tail.len().min(length));
        chain.push(CertificateDer::from(certificate));
        rest = tail;
    }
    let identity = chain.get(1).map_or(&[][..], AsRef::as_ref);
    let fingerprint: [u8; 32] = Sha256::digest(identity).into();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_790_000_000));
    let _ = check_chain(&chain, &fingerprint, now);
}
