//! What is said in a stretch off the record about the stretch itself.

use super::cbor::{Reader, SyntaxError, Writer, whole};
use crate::Secret;

/// Media type of a word about a stretch.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.stretch+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Bytes of the longest word.
const MAX_ENCODED: usize = 64;
const HERE: u8 = 0;
const LAST: u8 = 1;
const KEY: u8 = 2;

/// A word about the stretch in which it is said. `Debug` hides keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StretchWord {
    /// I am in its group.
    Here,
    /// I say nothing more in it, and all that I said was confirmed.
    Last,
    /// This is my private leaf key (32 bytes); believe nothing more that is
    /// signed with it.
    Key(Secret),
}

/// Why something is no word about a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StretchWordError {
    /// Not the canonical CBOR of one.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("word about a stretch of newer version {0}")]
    Newer(u64),
    /// A word that this program does not know.
    #[error("unknown word {0} about a stretch")]
    Unknown(u8),
}

impl StretchWord {
    /// Encodes as `[1, 0, null]`, `[1, 1, null]` or `[1, 2, key]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes a word.
    ///
    /// # Errors
    ///
    /// [`StretchWordError`] for anything but the canonical encoding of a known one.
    pub fn decode(bytes: &[u8]) -> Result<Self, StretchWordError> {
        whole(bytes, MAX_ENCODED, Self::read, Self::write)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StretchWordError> {
        match reader.versioned(VERSION, 3)? {
            VERSION => {}
            newer => return Err(StretchWordError::Newer(newer)),
        }
        let at = reader.at();
        let word: u8 = reader.unsigned()?;
        let key = reader.nullable(|reader| reader.fixed::<32>())?;
        match (word, key) {
            (HERE, None) => Ok(Self::Here),
            (LAST, None) => Ok(Self::Last),
            (KEY, Some(key)) => Ok(Self::Key(Secret::new(key))),
            (HERE | LAST | KEY, _) => Err(SyntaxError::Unexpected { at }.into()),
            (other, _) => Err(StretchWordError::Unknown(other)),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(3).unsigned(VERSION);
        match self {
            Self::Here => writer.unsigned(HERE).null(),
            Self::Last => writer.unsigned(LAST).null(),
            Self::Key(key) => writer.unsigned(KEY).bytes(key.expose()),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_survive_and_others_are_refused() {
        let key = StretchWord::Key(Secret::new([7; 32]));
        for word in [StretchWord::Here, StretchWord::Last, key] {
            assert_eq!(StretchWord::decode(&word.encode()), Ok(word));
        }
        for (bytes, why) in [
            (&[0x83, 2, 0, 0xf6][..], StretchWordError::Newer(2)),
            (&[0x83, 1, 3, 0xf6], StretchWordError::Unknown(3)),
        ] {
            assert_eq!(StretchWord::decode(bytes), Err(why));
        }
        for malformed in [
            &[][..],
            &[0x83, 1, 2, 0xf6],
            &[0x82, 1, 0],
            &[0x83, 1, 0, 0xf6, 0],
        ] {
            assert!(StretchWord::decode(malformed).is_err(), "{malformed:?}");
        }
        assert!(!format!("{:?}", StretchWord::Key(Secret::new([7; 32]))).contains('7'));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_is_a_word_is_the_one_form_of_it(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(word) = StretchWord::decode(&bytes) {
                prop_assert_eq!(word.encode(), bytes);
            }
        }
    }
}
