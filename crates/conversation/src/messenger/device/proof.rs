//! That a leaf of a group is a device's: the leaf signs that, and the device says it in
//! the room of the devices.
//!
//! Who could claim any leaf could have others thrown out in its place, or be taken for
//! them.

use ed25519_dalek::{Signature, VerifyingKey};

use crate::ConversationId;

/// Not how any other thing begins that a leaf key signs.
const LABEL: &[u8] = b"hushwing device leaf 1";

/// What the leaf `key` of a group signs to be that of `device`, as the leaf of that is
/// called in the room where the devices meet.
pub(in crate::messenger) fn statement(
    meeting: ConversationId,
    device: &[u8],
    group: ConversationId,
    key: &[u8; 32],
) -> Vec<u8> {
    [LABEL, &meeting.0, device, &group.0, key].concat()
}

/// Whether the leaf signed it.
pub(in crate::messenger) fn is_proved(key: &[u8; 32], statement: &[u8], proof: &[u8; 64]) -> bool {
    let proof = Signature::from_bytes(proof);
    let key = VerifyingKey::from_bytes(key);
    key.is_ok_and(|key| key.verify_strict(statement, &proof).is_ok())
}

#[cfg(test)]
mod tests {
    use openmls_traits::signatures::Signer as _;

    use super::*;
    use crate::Secret;
    use crate::mls::LeafKey;

    #[test]
    fn a_leaf_is_one_devices_in_one_group() {
        let leaf = LeafKey::from_secret(&Secret::new([1; 32])).unwrap();
        let other = LeafKey::from_secret(&Secret::new([2; 32])).unwrap();
        let (here, there) = (ConversationId([1; 16]), ConversationId([2; 16]));
        let key = leaf.public();
        let said = statement(here, &[7; 32], there, &key);
        let proof = leaf.sign(&said).unwrap().try_into().unwrap();
        assert!(is_proved(&key, &said, &proof));
        for said in [
            statement(there, &[7; 32], there, &key),
            statement(here, &[8; 32], there, &key),
            statement(here, &[7; 32], here, &key),
        ] {
            assert!(!is_proved(&key, &said, &proof));
        }
        let theirs = other.public();
        let said = statement(here, &[7; 32], there, &theirs);
        let proof = leaf.sign(&said).unwrap().try_into().unwrap();
        assert!(!is_proved(&theirs, &said, &proof));
    }
}
