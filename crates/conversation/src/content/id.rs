//! Names of messages: who said what, where.

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Hash algorithm of message ids: SHA-256 in IANA's named information registry.
const SHA_256: u8 = 0x01;

/// The 16 random bytes that make the id of each message unguessable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

/// The name of a message (32 bytes), from draft-ietf-mimi-content-08,
/// "Message ID":
///
/// ```text
/// hash = SHA-256(u16(len(sender)) ‖ sender ‖ u16(len(room)) ‖ room ‖ message ‖ salt)
/// id   = 0x01 ‖ hash[0..31]
/// ```
///
/// where `sender` and `room` are the URIs of the [`Origin`], lengths are
/// big-endian, `message` is the whole encoded message and `salt` is its salt
/// once more. (Version 07 of the draft had no lengths; its ids differ.)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId([u8; 32]);

/// Why bytes or text are no message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageIdError {
    /// Not 32 bytes, or not 64 hexadecimal digits.
    #[error("a message id has 32 bytes")]
    Length,
    /// The first byte names a hash other than SHA-256.
    #[error("message id made with unknown hash {0}")]
    UnknownHash(u8),
}

impl MessageId {
    /// The id of `message`, as encoded, with its `salt`, said at `origin`.
    #[must_use]
    pub fn derive(origin: &Origin, message: &[u8], salt: &Salt) -> Self {
        let mut hash = Sha256::new();
        for uri in [&origin.sender, &origin.room] {
            // `Origin` holds no longer ones.
            hash.update(u16::try_from(uri.len()).unwrap_or(u16::MAX).to_be_bytes());
            hash.update(uri.as_bytes());
        }
        hash.update(message);
        hash.update(salt.0);
        let mut id = [SHA_256; 32];
        for (to, from) in id.iter_mut().skip(1).zip(hash.finalize()) {
            *to = from;
        }
        Self(id)
    }

    /// An id of nothing that was said, from random bytes.
    pub(crate) fn by_chance(random: [u8; 31]) -> Self {
        let mut id = [SHA_256; 32];
        for (to, from) in id.iter_mut().skip(1).zip(random) {
            *to = from;
        }
        Self(id)
    }

    /// An id from its 32 bytes.
    ///
    /// # Errors
    ///
    /// [`MessageIdError`] for another length or a hash other than SHA-256.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MessageIdError> {
        let id: [u8; 32] = bytes.try_into().map_err(|_| MessageIdError::Length)?;
        match id {
            [SHA_256, ..] => Ok(Self(id)),
            [other, ..] => Err(MessageIdError::UnknownHash(other)),
        }
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

impl FromStr for MessageId {
    type Err = MessageIdError;

    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        let mut id = [0; 32];
        if text.len() != 64 {
            return Err(MessageIdError::Length);
        }
        for (to, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *to = hex_pair(pair).ok_or(MessageIdError::Length)?;
        }
        Self::from_bytes(&id)
    }
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    pair.iter().try_fold(0, |byte: u8, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(byte << 4 | u8::try_from(value).ok()?)
    })
}

/// Who speaks and in which conversation. Both sides know it from MLS, so it is
/// hashed into ids but not sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    sender: String,
    room: String,
}

impl Origin {
    /// The origin of what the member named `sender_key` says in the MLS group
    /// `group_id`: `hushwing:s/` and `hushwing:r/`, each followed by unpadded
    /// base64url. What names a member must last as long as the group: in a
    /// conversation of two it is the leaf index as four big-endian bytes, since
    /// signature keys change.
    ///
    /// `None` if one of them is over 45,000 bytes.
    #[must_use]
    pub fn new(sender_key: &[u8], group_id: &[u8]) -> Option<Self> {
        Self::from_uris(
            Self::sender_uri(sender_key),
            format!("hushwing:r/{}", base64(group_id)),
        )
    }

    /// The origin named by two URIs; `None` if one is over 65,535 bytes.
    #[must_use]
    pub fn from_uris(sender: impl Into<String>, room: impl Into<String>) -> Option<Self> {
        let (sender, room) = (sender.into(), room.into());
        let fits = |uri: &str| u16::try_from(uri.len()).is_ok();
        (fits(&sender) && fits(&room)).then_some(Self { sender, room })
    }

    /// The URI under which the holder of `sender_key` is mentioned.
    #[must_use]
    pub fn sender_uri(sender_key: &[u8]) -> String {
        format!("hushwing:s/{}", base64(sender_key))
    }

    /// The URI of who speaks.
    #[must_use]
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// The URI of the conversation.
    #[must_use]
    pub fn room(&self) -> &str {
        &self.room
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origin(..)")
    }
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_survives() {
        let origin = Origin::new(&[1; 32], &[2; 16]).unwrap();
        let id = MessageId::derive(&origin, b"message", &Salt([3; 16]));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(MessageId::from_bytes(id.as_bytes()), Ok(id));
    }

    #[test]
    fn unknown_hashes_and_other_lengths_are_refused() {
        assert_eq!(
            MessageId::from_bytes(&[2; 32]),
            Err(MessageIdError::UnknownHash(2))
        );
        assert_eq!(MessageId::from_bytes(&[1; 31]), Err(MessageIdError::Length));
        assert_eq!("01".parse::<MessageId>(), Err(MessageIdError::Length));
        assert_eq!(
            "+1".repeat(32).parse::<MessageId>(),
            Err(MessageIdError::Length)
        );
    }

    #[test]
    fn the_boundary_between_sender_and_room_counts() {
        let id = |sender, room| {
            MessageId::derive(
                &Origin::from_uris(sender, room).unwrap(),
                b"m",
                &Salt([0; 16]),
            )
        };
        assert_ne!(id("ab", "c"), id("a", "bc"));
    }

    #[test]
    fn too_long_uris_have_no_origin() {
        assert!(Origin::from_uris("x".repeat(65_536), "").is_none());
    }
}
