//! What two people compare to know that nobody sits between them.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq as _;

/// Version of the construction; the first byte of the scannable form.
const VERSION: u8 = 1;
/// What is hashed first.
const CONTEXT: &[u8] = b"hushwing safety number 1\0";
/// Before the scannable form as text.
const PREFIX: &str = "hushwing:v#";

/// A number both sides of a conversation see alike, unless somebody between
/// them showed each a key of their own.
///
/// SHA-512 of `"hushwing safety number 1" ‖ 0x00 ‖ u32(len(group)) ‖ group ‖
/// smaller key ‖ larger key`, where the keys are the Ed25519 public keys the
/// two use in this conversation, in the order of their bytes. Shown are twelve
/// groups of five digits: the first 60 bytes as twelve big-endian 40-bit
/// numbers, each modulo 100,000. That is 199 bits; somebody between the two
/// would have to find a collision over all of them, about 2^99 work.
#[derive(Clone, Copy)]
pub struct SafetyNumber([u8; 64]);

/// Why scanned text is no safety number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SafetyCodeError {
    /// Something else.
    #[error("not a safety number code")]
    NotACode,
    /// Made by a newer program.
    #[error("safety number code of newer version {0}")]
    Newer(u8),
}

impl SafetyNumber {
    /// The number of the conversation in the MLS group `group_id` between the
    /// holders of two keys, in either order.
    #[must_use]
    pub fn new(group_id: &[u8], one: &[u8; 32], other: &[u8; 32]) -> Self {
        let length = u32::try_from(group_id.len()).unwrap_or(u32::MAX);
        let hash = Sha512::new()
            .chain_update(CONTEXT)
            .chain_update(length.to_be_bytes())
            .chain_update(group_id)
            .chain_update(one.min(other))
            .chain_update(one.max(other));
        Self(hash.finalize().into())
    }

    /// The twelve groups of five digits.
    #[must_use]
    pub fn groups(&self) -> [String; 12] {
        let mut chunks = self.0.chunks_exact(5);
        core::array::from_fn(|_| {
            let chunk = chunks.next().unwrap_or_default();
            let number = chunk
                .iter()
                .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            format!("{:05}", number % 100_000)
        })
    }

    /// The form to show as a QR code: `hushwing:v#` and base64url of the
    /// version byte and the first 32 bytes of the hash.
    #[must_use]
    pub fn to_code(&self) -> String {
        let [code, _] = self.halves();
        format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode([&[VERSION], code.as_slice()].concat())
        )
    }

    /// Whether `code`, scanned from the other's screen, is of this number.
    ///
    /// # Errors
    ///
    /// [`SafetyCodeError`] if it is no such code at all.
    pub fn matches(&self, code: &str) -> Result<bool, SafetyCodeError> {
        let body = code
            .trim()
            .strip_prefix(PREFIX)
            .ok_or(SafetyCodeError::NotACode)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| SafetyCodeError::NotACode)?;
        match bytes.split_first() {
            Some((&VERSION, theirs)) if theirs.len() == 32 => {
                let [ours, _] = self.halves();
                Ok(ours.as_slice().ct_eq(theirs).into())
            }
            Some((&newer, _)) if newer > VERSION => Err(SafetyCodeError::Newer(newer)),
            _ => Err(SafetyCodeError::NotACode),
        }
    }

    /// What tells this number from others: the first half of the hash.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let [digest, _] = self.halves();
        digest
    }

    fn halves(&self) -> [[u8; 32]; 2] {
        let mut halves = [[0; 32]; 2];
        halves
            .iter_mut()
            .flatten()
            .zip(self.0)
            .for_each(|(to, from)| *to = from);
        halves
    }
}

impl fmt::Display for SafetyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.groups().join(" "))
    }
}

impl fmt::Debug for SafetyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SafetyNumber(..)")
    }
}

impl PartialEq for SafetyNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SafetyNumber {}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(group: u8, one: u8, other: u8) -> SafetyNumber {
        SafetyNumber::new(&[group; 16], &[one; 32], &[other; 32])
    }

    #[test]
    fn both_sides_see_the_same_number() {
        assert_eq!(number(1, 2, 3).to_string(), number(1, 3, 2).to_string());
        assert_eq!(
            number(1, 2, 3).matches(&number(1, 3, 2).to_code()),
            Ok(true)
        );
    }

    #[test]
    fn another_key_or_group_gives_another_number() {
        for other in [number(1, 2, 4), number(2, 2, 3)] {
            assert_ne!(number(1, 2, 3).to_string(), other.to_string());
            assert_eq!(number(1, 2, 3).matches(&other.to_code()), Ok(false));
        }
    }

    #[test]
    fn sixty_digits_in_twelve_groups() {
        let text = number(1, 2, 3).to_string();
        assert_eq!(text.len(), 12 * 5 + 11);
        assert!(
            text.split(' ')
                .all(|group| group.len() == 5 && group.parse::<u32>().is_ok())
        );
    }

    #[test]
    fn foreign_codes_are_told_apart() {
        let ours = number(1, 2, 3);
        assert_eq!(
            ours.matches("https://example.com"),
            Err(SafetyCodeError::NotACode)
        );
        assert_eq!(
            ours.matches("hushwing:v#AQ"),
            Err(SafetyCodeError::NotACode)
        );
        assert_eq!(
            ours.matches("hushwing:v#Ag"),
            Err(SafetyCodeError::Newer(2))
        );
    }
}
