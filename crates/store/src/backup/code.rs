//! A secret to be written down: 128 random bits and a check of twelve more, as
//! seven groups of four letters and digits.

use std::fmt;

use hushwing_sansio::Entropy;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::keys::Passphrase;

/// Crockford's base 32: no I, L, O or U, which are misread.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 4;
/// 128 bits and 12 of the check, five each.
const LENGTH: usize = 28;
const CHECK_LABEL: &[u8] = b"hushwing recovery code v1\0";

/// A recovery code.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; 16]);

/// What was typed is no recovery code, or one with a typing mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no recovery code")]
pub struct CodeError;

impl RecoveryCode {
    /// A fresh one.
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// Its one written form: groups joined by hyphens.
    #[must_use]
    pub fn written(&self) -> Zeroizing<String> {
        // Room for all of it: no copy is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / GROUP));
        let (mut held, mut bits) = (0_u32, 0);
        let mut count = 0;
        for byte in self.0.into_iter().chain(check(&self.0)) {
            held = held << 8 | u32::from(byte);
            bits += 8;
            while bits >= 5 && count < LENGTH {
                if count > 0 && count % GROUP == 0 {
                    text.push('-');
                }
                bits -= 5;
                let at = usize::try_from(held >> bits & 31).unwrap_or_default();
                text.push(SYMBOLS.get(at).copied().map_or('0', char::from));
                count += 1;
            }
        }
        text
    }

    /// Reads what somebody typed: either case, with or without hyphens and spaces,
    /// with O for 0 and I or L for 1.
    ///
    /// # Errors
    ///
    /// If it is none; a typing mistake passes once in 4,096 times.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let mut bytes = Zeroizing::new([0_u8; 18]);
        let mut slots = bytes.iter_mut();
        let (mut held, mut bits, mut count) = (0_u32, 0, 0);
        for letter in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            held = held << 5 | value(letter)?;
            bits += 5;
            count += 1;
            if bits >= 8 {
                bits -= 8;
                *slots.next().ok_or(CodeError)? = u8::try_from(held >> bits & 255).unwrap_or(0);
            }
        }
        if count != LENGTH {
            return Err(CodeError);
        }
        // Four bits are left, the last of the check.
        *slots.next().ok_or(CodeError)? = u8::try_from(held << (8 - bits) & 255).unwrap_or(0);
        let (code, found) = bytes.split_first_chunk::<16>().ok_or(CodeError)?;
        match found == check(code) {
            true => Ok(Self(*code)),
            false => Err(CodeError),
        }
    }

    /// The code as what is stretched to a key.
    pub(super) fn as_passphrase(&self) -> Passphrase {
        Passphrase::new(self.written().as_str().to_owned())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

/// Twelve bits against typing mistakes, in two bytes.
fn check(code: &[u8; 16]) -> [u8; 2] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(CHECK_LABEL)
        .chain_update(code)
        .finalize()
        .into();
    let [first, second, ..] = digest;
    [first, second & 0xF0]
}

fn value(letter: char) -> Result<u32, CodeError> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = SYMBOLS.iter().position(|s| char::from(*s) == letter);
    at.and_then(|at| u32::try_from(at).ok()).ok_or(CodeError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_seven_groups_of_four() {
        let code = RecoveryCode([0; 16]);
        let written = code.written();
        assert_eq!(written.len(), LENGTH + 6);
        assert!(written.split('-').all(|group| group.len() == GROUP));
        assert_eq!(format!("{code:?}"), "RecoveryCode(..)");
    }

    #[test]
    fn every_wrong_letter_is_noticed_or_leads_to_another_code() {
        let code = RecoveryCode(*b"sixteen letters!");
        let written = code.written().to_string();
        let mut passed = 0;
        for at in 0..written.len() {
            for symbol in SYMBOLS.map(char::from) {
                let mut wrong = written.clone().into_bytes();
                if wrong[at] == b'-' || char::from(wrong[at]) == symbol {
                    continue;
                }
                wrong[at] = symbol as u8;
                let wrong = String::from_utf8(wrong).unwrap();
                if let Ok(other) = RecoveryCode::parse(&wrong) {
                    assert!(other != code);
                    passed += 1;
                }
            }
        }
        assert!(passed < 4, "{passed} of 868 passed");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let whole = RecoveryCode([7; 16]).written().to_string();
        for text in ["", "hello", "U", "é", &whole[..33], &format!("{whole}0")] {
            assert_eq!(RecoveryCode::parse(text), Err(CodeError), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_code_is_read_as_people_type_it(bytes in any::<[u8; 16]>()) {
            let code = RecoveryCode(bytes);
            let written = code.written().to_string();
            for typed in [
                written.clone(),
                written.to_lowercase().replace('-', " "),
                written.replace('-', ""),
                format!(" {} ", written.replace('0', "o").replace('1', "l")),
            ] {
                prop_assert!(RecoveryCode::parse(&typed).unwrap() == code);
            }
        }
    }
}
