//! Wishes about a conversation: whether what is said can be proved to others.

use super::cbor::{Reader, SyntaxError, Writer, whole};
use crate::proof::{PublicIdentity, SignatureBytes};

/// Media type of a wish.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.mode+cbor";
/// Version of the encoding of a wish without signature.
const PLAIN: u64 = 1;
/// Version of the encoding of a wish with its signature.
const SIGNED: u64 = 2;
/// Bytes of the longest wish: a few heads, a key and a signature.
const MAX_WISH: usize = 128;
const NORMAL: u8 = 0;
const PROVABLE: u8 = 1;
const OTR: u8 = 2;

/// What can be shown to others of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing beyond what MLS signs.
    #[default]
    Normal,
    /// Every message and receipt, by a signature of its own.
    Provable,
    /// Nothing at all: what is said is off the record ([`otr`](crate::otr)).
    Otr,
}

/// How its sender wishes the conversation to be from here on. A conversation is
/// provable, or off the record, while the last wishes of both sides are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// As every conversation begins.
    Normal,
    /// Provable; the sender signs with this key.
    Provable {
        /// The sender's key of this conversation.
        key: PublicIdentity,
        /// That key's signature, by which its holder takes it for this
        /// conversation ([`Wished`](crate::proof::Wished)); nothing here verified
        /// it.
        proof: SignatureBytes,
    },
    /// Off the record.
    Otr,
    /// Provable, as older programs said it: nothing shows that the key is the
    /// sender's, so it counts as no wish.
    Unsigned(PublicIdentity),
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
            Self::Provable { .. } | Self::Unsigned(_) => Mode::Provable,
            Self::Otr => Mode::Otr,
        }
    }

    /// The key that comes with it.
    #[must_use]
    pub fn key(&self) -> Option<PublicIdentity> {
        match self {
            Self::Normal | Self::Otr => None,
            Self::Provable { key, .. } | Self::Unsigned(key) => Some(*key),
        }
    }

    /// Encodes as `[1, 0, null]`, `[1, 2, null]` (otr), or `[2, 1, key, signature]` with 32 and 64 bytes.
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
        let at = reader.at();
        let count = reader.array(64)?;
        match (reader.unsigned()?, count) {
            (PLAIN, 3) => Self::read_plain(reader),
            (SIGNED, 4) => match reader.unsigned()? {
                PROVABLE => Ok(Self::Provable {
                    key: read_key(reader)?,
                    proof: reader.fixed()?,
                }),
                NORMAL | OTR => Err(WishError::Key),
                other => Err(WishError::Unknown(other)),
            },
            (PLAIN | SIGNED, _) => Err(SyntaxError::Count { at }.into()),
            (0, _) => Err(SyntaxError::Unexpected { at }.into()),
            (newer, _) => Err(WishError::Newer(newer)),
        }
    }

    fn read_plain(reader: &mut Reader<'_>) -> Result<Self, WishError> {
        let mode = reader.unsigned()?;
        let key = reader.nullable(read_key)?;
        match (mode, key) {
            (NORMAL, None) => Ok(Self::Normal),
            (OTR, None) => Ok(Self::Otr),
            (PROVABLE, Some(key)) => Ok(Self::Unsigned(key)),
            (NORMAL | PROVABLE | OTR, _) => Err(WishError::Key),
            (other, _) => Err(WishError::Unknown(other)),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Normal => writer.array(3).unsigned(PLAIN).unsigned(NORMAL).null(),
            Self::Otr => writer.array(3).unsigned(PLAIN).unsigned(OTR).null(),
            Self::Unsigned(key) => {
                writer.array(3).unsigned(PLAIN).unsigned(PROVABLE);
                writer.bytes(key.as_bytes())
            }
            Self::Provable { key, proof } => {
                writer.array(4).unsigned(SIGNED).unsigned(PROVABLE);
                writer.bytes(key.as_bytes()).bytes(proof)
            }
        };
    }
}

fn read_key(reader: &mut Reader<'_>) -> Result<PublicIdentity, WishError> {
    PublicIdentity::from_bytes(&reader.fixed()?).map_err(|_| WishError::Key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proof::IdentityKey;

    fn key() -> PublicIdentity {
        IdentityKey::from_seed(&[1; 32]).public()
    }

    fn provable() -> Wish {
        let proof = [7; 64];
        Wish::Provable { key: key(), proof }
    }

    #[test]
    fn wishes_survive() {
        for wish in [Wish::Normal, Wish::Otr, provable(), Wish::Unsigned(key())] {
            assert_eq!(Wish::decode(&wish.encode()), Ok(wish));
        }
    }

    #[test]
    fn newer_unknown_and_keyless_wishes_are_told_apart() {
        let mut newer = provable().encode();
        newer[1] = 3;
        assert_eq!(Wish::decode(&newer), Err(WishError::Newer(3)));
        for wish in [provable(), Wish::Unsigned(key())] {
            let mut unknown = wish.encode();
            unknown[2] = 3;
            assert_eq!(Wish::decode(&unknown), Err(WishError::Unknown(3)));
            // These have no key.
            for mode in [0, 2] {
                let mut keyless = wish.encode();
                keyless[2] = mode;
                assert_eq!(Wish::decode(&keyless), Err(WishError::Key));
            }
        }
        assert_eq!(
            Wish::decode(&[0x83, 1, 3, 0xf6]),
            Err(WishError::Unknown(3))
        );
        assert_eq!(Wish::decode(&[0x83, 1, 1, 0xf6]), Err(WishError::Key));
        let weak = [&[0x83, 1, 1, 0x58, 32], [0; 32].as_slice()].concat();
        assert_eq!(Wish::decode(&weak), Err(WishError::Key));
        for short in [[0x82, 1, 1], [0x82, 2, 1], [0x82, 0, 1]] {
            assert!(matches!(Wish::decode(&short), Err(WishError::Syntax(_))));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_is_a_wish_is_the_one_form_of_it(bytes in prop::collection::vec(any::<u8>(), 0..110)) {
            if let Ok(wish) = Wish::decode(&bytes) {
                prop_assert_eq!(wish.encode(), bytes);
            }
        }
    }
}
