//! Message ids as people type and read them: cut short.

use core::fmt;
use core::str::FromStr;

use super::id::MessageId;

/// Digits of a whole id.
const WHOLE: usize = 64;

/// The beginning of a message id, or a whole one: 1 to 64 hexadecimal digits,
/// in capitals or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdPrefix {
    /// The digits, with zeros behind them.
    first: [u8; 32],
    digits: usize,
}

/// Text is not the beginning of a message id: not 1 to 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message id has up to 64 hexadecimal digits")]
pub struct IdPrefixError;

impl IdPrefix {
    /// The first 32 bytes, in the order of ids, that have this beginning.
    #[must_use]
    pub const fn first(&self) -> &[u8; 32] {
        &self.first
    }

    /// Whether `id` begins so.
    #[must_use]
    pub fn begins(&self, id: &MessageId) -> bool {
        let cut = ShortId {
            id: *id,
            digits: self.digits,
        };
        cut.prefix() == *self
    }
}

impl FromStr for IdPrefix {
    type Err = IdPrefixError;

    fn from_str(text: &str) -> Result<Self, IdPrefixError> {
        if !(1..=WHOLE).contains(&text.len()) {
            return Err(IdPrefixError);
        }
        let mut first = [0; 32];
        for (byte, pair) in first.iter_mut().zip(text.as_bytes().chunks(2)) {
            for (&digit, shift) in pair.iter().zip([4, 0]) {
                let value = char::from(digit).to_digit(16).ok_or(IdPrefixError)?;
                *byte |= u8::try_from(value).map_err(|_| IdPrefixError)? << shift;
            }
        }
        Ok(Self {
            first,
            digits: text.len(),
        })
    }
}

/// An id shown by its first digits only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortId {
    id: MessageId,
    digits: usize,
}

impl ShortId {
    /// `id` by its first `digits`, 64 at most.
    #[must_use]
    pub fn new(id: MessageId, digits: usize) -> Self {
        Self {
            id,
            digits: digits.min(WHOLE),
        }
    }

    /// `id` by all its digits.
    #[must_use]
    pub const fn whole(id: MessageId) -> Self {
        Self { id, digits: WHOLE }
    }

    /// All of it.
    #[must_use]
    pub const fn id(&self) -> &MessageId {
        &self.id
    }

    /// What is shown of it.
    #[must_use]
    pub fn prefix(&self) -> IdPrefix {
        let mut first = *self.id.as_bytes();
        for (at, byte) in first.iter_mut().enumerate() {
            *byte &= match self.digits.saturating_sub(at * 2) {
                0 => 0,
                1 => 0xf0,
                _ => 0xff,
            };
        }
        IdPrefix {
            first,
            digits: self.digits,
        }
    }

    /// Whether all of it is shown.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.digits == WHOLE
    }
}

impl fmt::Display for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.id.to_string();
        f.write_str(whole.get(..self.digits).unwrap_or(&whole))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_shown_of_an_id_finds_it(bytes: [u8; 31], digits in 1..=64_usize) {
            let mut id = [1; 32];
            id[1..].copy_from_slice(&bytes);
            let id = MessageId::from_bytes(&id).unwrap();
            let short = ShortId::new(id, digits);
            let typed: IdPrefix = short.to_string().to_uppercase().parse().unwrap();
            prop_assert_eq!(typed, short.prefix());
            prop_assert!(typed.begins(&id));
            prop_assert!(typed.first() <= id.as_bytes());
        }
    }

    #[test]
    fn another_beginning_is_another_id() {
        let id = MessageId::from_bytes(&[1; 32]).unwrap();
        let typed: IdPrefix = "010".parse().unwrap();
        assert!(typed.begins(&id));
        let typed: IdPrefix = "011".parse().unwrap();
        assert!(!typed.begins(&id));
        for wrong in ["", "0x", "+1", "ä", &"0".repeat(65)] {
            assert_eq!(wrong.parse::<IdPrefix>(), Err(IdPrefixError), "{wrong}");
        }
    }
}
