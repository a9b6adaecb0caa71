//! What two people fix before somebody introduces them.
//!
//! A link goes through the hands of whoever introduces. So each of the two
//! promises beforehand what it will hold to: the inviter which link it will make,
//! the joiner by which key it will come. Neither hash tells what is promised.

use core::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Secret;
use crate::content::IntroductionId;

/// What is hashed first in a promise.
const PROMISE: &[u8] = b"hushwing introduction promise 1\0";
/// What is hashed first in a witness.
const WITNESS: &[u8] = b"hushwing introduction witness 1\0";

/// The hash of what one of two who are introduced will hold to.
#[derive(Clone, Copy)]
pub struct Promise(pub [u8; 32]);

impl Promise {
    /// The inviter's: SHA-256 of `"hushwing introduction promise 1" ‖ 0x00 ‖ id ‖
    /// 0x00 ‖ link secret`.
    #[must_use]
    pub fn of_inviter(id: IntroductionId, secret: &Secret) -> Self {
        Self::new(id, 0, secret.as_bytes())
    }

    /// The joiner's: as the inviter's, with `0x01 ‖ Ed25519 public key` of its
    /// leaf behind the id.
    #[must_use]
    pub fn of_joiner(id: IntroductionId, key: &[u8; 32]) -> Self {
        Self::new(id, 1, key)
    }

    fn new(id: IntroductionId, role: u8, value: &[u8; 32]) -> Self {
        let hash = Sha256::new()
            .chain_update(PROMISE)
            .chain_update(id.0)
            .chain_update([role])
            .chain_update(value)
            .finalize();
        Self(hash.into())
    }

    /// What the two tell each other in their own conversation: SHA-256 of
    /// `"hushwing introduction witness 1" ‖ 0x00 ‖ id ‖ inviter's ‖ joiner's`.
    #[must_use]
    pub fn witness(id: IntroductionId, inviter: &Self, joiner: &Self) -> [u8; 32] {
        Sha256::new()
            .chain_update(WITNESS)
            .chain_update(id.0)
            .chain_update(inviter.0)
            .chain_update(joiner.0)
            .finalize()
            .into()
    }
}

impl PartialEq for Promise {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Promise {}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Promise(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::RootKey;

    #[test]
    fn every_part_counts() {
        let (id, other) = (IntroductionId([1; 16]), IntroductionId([2; 16]));
        let secret = RootKey::from_seed(&[3; 32]).fixed().secret();
        let inviter = Promise::of_inviter(id, &secret);
        assert_ne!(inviter, Promise::of_inviter(other, &secret));
        assert_ne!(inviter, Promise::of_joiner(id, secret.as_bytes()));
        let joiner = Promise::of_joiner(id, &[4; 32]);
        assert_ne!(joiner, Promise::of_joiner(id, &[5; 32]));
        let witness = Promise::witness(id, &inviter, &joiner);
        assert_ne!(witness, Promise::witness(id, &joiner, &inviter));
        assert_ne!(witness, Promise::witness(other, &inviter, &joiner));
    }

    /// From the formula in protocol/link.md, by another program.
    #[test]
    fn the_formula_is_the_specified_one() {
        let id = IntroductionId(*b"0123456789abcdef");
        let hex = |bytes: &[u8]| {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            digits.collect::<String>()
        };
        assert_eq!(hex(&Promise::of_joiner(id, &[7; 32]).0), PROMISED);
        let witness = Promise::witness(id, &Promise([1; 32]), &Promise([2; 32]));
        assert_eq!(hex(&witness), WITNESSED);
    }

    const PROMISED: &str = "13867252cf7ed43228ade0bbba8dbeeb3a147dd2ab053af9b32d4d5031691263";
    const WITNESSED: &str = "9c60e9cf451ebcdbe3589c3b81aac5b58e4fa0ffe579dad50a75ae3a0339a4e8";
}
