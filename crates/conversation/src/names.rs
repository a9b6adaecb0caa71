//! Names of things within one profile. None of them is ever sent, except the
//! id of a conversation, which is the MLS group id.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Somebody I talk or shall talk with: one conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContactId(pub u64);

/// A conversation of many. Its number is one of the sequence contacts have, so
/// what was said in it is kept under it as under a contact's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomId(pub u64);

impl RoomId {
    /// The room whose number stands where a contact's would.
    #[must_use]
    pub fn at(place: ContactId) -> Self {
        Self(place.0)
    }

    /// Under which its messages and held letters are kept, and how commands that
    /// take either a contact or a room name it.
    #[must_use]
    pub fn place(self) -> ContactId {
        ContactId(self.0)
    }
}

/// Somebody in a room, present or past; of the same sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberId(pub u64);

impl MemberId {
    /// Where a contact's would stand: under it is kept what is owed to them and what
    /// they were told in passing.
    #[must_use]
    pub fn place(self) -> ContactId {
        ContactId(self.0)
    }
}

/// A private name for several contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ListId(pub u64);

/// An invitation I gave away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InvitationId(pub u64);

/// Joins an answer to the command it answers. Chosen by the face's driver;
/// void after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A conversation: the id of its MLS group (16 random bytes), the same on both
/// sides. Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConversationId(pub [u8; 16]);

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

// The id goes over the wire only encrypted, so a log must not hold it whole.
impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConversationId(..)")
    }
}

/// Text is no conversation id: not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a conversation id has 32 hexadecimal digits")]
pub struct ConversationIdError;

impl FromStr for ConversationId {
    type Err = ConversationIdError;

    fn from_str(text: &str) -> Result<Self, ConversationIdError> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ConversationIdError);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| ConversationIdError)?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_id_survives_its_text_form() {
        let id = ConversationId([0x0a; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            "+a".repeat(16).parse::<ConversationId>(),
            Err(ConversationIdError)
        );
        assert_eq!("0a".parse::<ConversationId>(), Err(ConversationIdError));
    }
}
