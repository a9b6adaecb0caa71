//! Somebody is writing: said in passing, kept by nobody.

use super::cbor::{Reader, SyntaxError, Writer, whole};
use super::message::DecodeError;

/// Media type of a typing notice.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.typing+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Bytes of an encoded typing notice.
const MAX_ENCODED: usize = 16;

/// That I am writing something just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Typing;

/// Why something is no typing notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypingError {
    /// Not the canonical CBOR of a typing notice.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Made by a newer program.
    #[error("typing notice of newer version {0}")]
    Newer(u64),
}

impl From<SyntaxError> for TypingError {
    fn from(error: SyntaxError) -> Self {
        Self::Decode(error.into())
    }
}

impl Typing {
    /// Encodes as `[1]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes a typing notice.
    ///
    /// # Errors
    ///
    /// [`TypingError`] for anything but the canonical encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, TypingError> {
        whole(bytes, MAX_ENCODED, Self::read, Self::write)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, TypingError> {
        match reader.versioned(VERSION, 1)? {
            VERSION => Ok(Self),
            newer => Err(TypingError::Newer(newer)),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(1).unsigned(VERSION);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_survives_and_others_are_refused() {
        assert_eq!(Typing::decode(&Typing.encode()), Ok(Typing));
        assert_eq!(Typing::decode(&[0x82, 2, 0]), Err(TypingError::Newer(2)));
        for malformed in [&[][..], &[0x81], &[0x82, 1, 1], &[0x81, 1, 0]] {
            assert!(Typing::decode(malformed).is_err(), "{malformed:?}");
        }
    }
}
