//! Keys in DER have one encoding; a signed key is checked without panic.

use hushwing_relay::wire::{AuthKey, DhPublic, SignedKey, SigningKey};

pub(crate) fn run(data: &[u8]) {
    if let Ok(key) = AuthKey::from_spki(data) {
        assert_eq!(key.to_spki(), data);
        // May be true: under a key of low order a signature of zeros fits one
        // message in four. Whoever hands out such a key harms only himself.
        for length in [64, 114] {
            let _ = key.verify(b"message", &vec![0; length]);
        }
    }
    if let Ok(key) = DhPublic::from_spki(data) {
        assert_eq!(key.to_spki().as_slice(), data);
    }
    if let Ok(signed) = SignedKey::parse(data) {
        assert!(signed.verify(&AuthKey::Ed25519([7; 32])).is_none());
    }
    let _ = SigningKey::from_pkcs8(data);
}
