//! What ties an answer to the call it was made for: a signature by the key in the link.
//!
//! Not all of an answer is signed by itself, and six digits are few. Whoever carries the
//! letters could make another call to the new device, and try changed answers until the
//! old device shows the same code as the new one.

use ed25519_dalek::{Signature, VerifyingKey};
use openmls_traits::signatures::Signer as _;

use super::talk;
use crate::mls::LeafKey;

/// Not how any other thing begins that a leaf key signs.
const LABEL: &[u8] = b"hushwing device answer 1";

/// Ties an answer to the call, as both are sent.
pub(super) fn tie(key: &LeafKey, call: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    key.sign(&talk(LABEL, call, answer)).ok()
}

/// Whether the key in the link tied this answer to this call.
pub(super) fn is_tied(key: &[u8; 32], call: &[u8], answer: &[u8], signature: &[u8]) -> bool {
    let key = VerifyingKey::from_bytes(key).ok();
    let signature = Signature::from_slice(signature).ok();
    key.zip(signature).is_some_and(|(key, signature)| {
        let signed = talk(LABEL, call, answer);
        key.verify_strict(&signed, &signature).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn an_answer_is_tied_by_one_key_to_one_call() {
        let key = LeafKey::from_secret(&Secret::new([1; 32])).unwrap();
        let other = LeafKey::from_secret(&Secret::new([2; 32])).unwrap();
        let tied = tie(&key, b"call", b"answer").unwrap();
        let (key, other) = (key.public(), other.public());
        assert!(is_tied(&key, b"call", b"answer", &tied));
        assert!(!is_tied(&other, b"call", b"answer", &tied));
        assert!(!is_tied(&key, b"cale", b"answer", &tied));
        assert!(!is_tied(&key, b"call", b"answes", &tied));
        assert!(!is_tied(&key, b"calla", b"nswer", &tied));
        assert!(!is_tied(&key, b"call", b"answer", b""));
    }
}
