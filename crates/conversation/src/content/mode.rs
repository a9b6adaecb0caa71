//! Wishes about a conversation: whether what is said can be proved to others.

use super::cbor::{Reader, SyntaxError, Writer, whole};
use crate::proof::PublicIdentity;

/// Media type of a wish.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.mode+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Bytes of the longest wish: three heads and a key.
const MAX_WISH: usize = 64;
const NORMAL: u8 = 0;
const PROVABLE: u8 = 1;

/// What can be shown to others of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing beyond what MLS signs.
    #[default]
    Normal,
    /// Every message and receipt, by a signature of its own.
    Provable,
}

/// How its sender wishes the conversation to be from here on. A conversation is
/// provable while the last wishes of both sides are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// As every conversation begins.
    Normal,
    /// Provable; the sender signs with this key.
    Provable(PublicIdentity),
}

/// Why something is no wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// Not the canonical CBOR of a wish.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("wish of newer version {0}")]
    Newer(u64),
    /// A mode that this program does not have.
    #[error("wish for unknown mode {0}")]
    Unknown(u8),
    /// A key that is none, none where one is needed, or one where none is.
    #[error("wish with a wrong key")]
    Key,
}

impl Wish {
    /// What is wished for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self {
            Self::Normal => Mode::Normal,
            Self::Provable(_) => Mode::Provable,
        }
    }

    /// The key that comes with it.
    #[must_use]
    pub fn key(&self) -> Option<PublicIdentity> {
        match self {
            Self::Normal => None,
            Self::Provable(key) => Some(*key),
        }
    }

    /// Encodes as `[1, mode, key]`: mode 0 and null, or mode 1 and 32 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes a wish.
    ///
    /// # Errors
    ///
    /// [`WishError`] for anything but the canonical encoding of a known mode.
    pub fn decode(bytes: &[u8]) -> Result<Self, WishError> {
        whole(bytes, MAX_WISH, Self::read, Self::write)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WishError> {
        match reader.versioned(VERSION, 3)? {
            VERSION => {}
            newer => return Err(WishError::Newer(newer)),
        }
        let mode = reader.unsigned()?;
        let key = reader.nullable(|reader| {
            PublicIdentity::from_bytes(&reader.fixed()?).map_err(|_| WishError::Key)
        })?;
        match (mode, key) {
            (NORMAL, None) => Ok(Self::Normal),
            (PROVABLE, Some(key)) => Ok(Self::Provable(key)),
            (NORMAL | PROVABLE, _) => Err(WishError::Key),
            (other, _) => Err(WishError::Unknown(other)),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(3).unsigned(VERSION);
        match self {
            Self::Normal => writer.unsigned(NORMAL).null(),
            Self::Provable(key) => writer.unsigned(PROVABLE).bytes(key.as_bytes()),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proof::IdentityKey;

    fn key() -> PublicIdentity {
        IdentityKey::from_seed(&[1; 32]).public()
    }

    #[test]
    fn wishes_survive() {
        for wish in [Wish::Normal, Wish::Provable(key())] {
            assert_eq!(Wish::decode(&wish.encode()), Ok(wish));
        }
    }

    #[test]
    fn newer_unknown_and_keyless_wishes_are_told_apart() {
        let mut newer = Wish::Provable(key()).encode();
        newer[1] = 2;
        assert_eq!(Wish::decode(&newer), Err(WishError::Newer(2)));
        let mut otr = Wish::Provable(key()).encode();
        otr[2] = 2;
        assert_eq!(Wish::decode(&otr), Err(WishError::Unknown(2)));
        assert_eq!(
            Wish::decode(&[0x83, 1, 2, 0xf6]),
            Err(WishError::Unknown(2))
        );
        assert_eq!(Wish::decode(&[0x83, 1, 1, 0xf6]), Err(WishError::Key));
        let mut normal = Wish::Provable(key()).encode();
        normal[2] = 0;
        assert_eq!(Wish::decode(&normal), Err(WishError::Key));
        let weak = [&[0x83, 1, 1, 0x58, 32], [0; 32].as_slice()].concat();
        assert_eq!(Wish::decode(&weak), Err(WishError::Key));
        assert!(matches!(
            Wish::decode(&[0x82, 1, 1]),
            Err(WishError::Syntax(_))
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_is_a_wish_is_the_one_form_of_it(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(wish) = Wish::decode(&bytes) {
                prop_assert_eq!(wish.encode(), bytes);
            }
        }
    }
}
