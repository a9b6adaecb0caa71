//! A card: fixed data as it is, and a bundle that whoever made the link signed.

use ed25519_dalek::{Signer, SigningKey};
use hushwing_conversation::link::{Fixed, Kind, Secret, VerifiedBundle};
use hushwing_sansio::Timestamp;
use sha3::{Digest, Sha3_256};

pub(crate) fn run(data: &[u8]) {
    let _ = Fixed::open(&secret(data), data);

    let root = SigningKey::from_bytes(&[1; 32]);
    let fixed = [&[1], root.verifying_key().as_bytes().as_slice()].concat();
    let signed = [b"hushwing link bundle 1\0", data].concat();
    let signature = root.sign(&signed).to_bytes();
    let bundle = [&[64], signature.as_slice(), data].concat();
    let (secret, now) = (secret(&fixed), Timestamp::from_secs(1_790_000_000));
    for kind in [Kind::OneTime, Kind::Reusable] {
        let _ = VerifiedBundle::open(&secret, kind, &fixed, data, now);
        if let Ok(bundle) = VerifiedBundle::open(&secret, kind, &fixed, &bundle, now) {
            assert_eq!(bundle.get().kind, kind);
        }
    }
}

/// The secret of the link with this fixed data.
fn secret(fixed: &[u8]) -> Secret {
    Secret::from_bytes(Sha3_256::digest(fixed).into())
}
