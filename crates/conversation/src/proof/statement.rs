//! What is signed: that something was said, and that it was received.

use hushwing_sansio::Timestamp;
use sha2::{Digest as _, Sha256};

use super::key::{IdentityKey, PublicIdentity, SignatureBytes};
use crate::ConversationId;
use crate::content::cbor::Writer;

/// Version of the statements.
const VERSION: u64 = 1;
const SAID: &str = "hushwing said";
const RECEIVED: &str = "hushwing received";
const WISHED: &str = "hushwing wish";

/// The latest time a receipt may tell: 2^53 - 1 milliseconds since the Unix
/// epoch, which every reader of CBOR and every database can hold.
const LATEST: u64 = (1 << 53) - 1;

/// The time of a receipt, unless it is later than any can be.
pub(crate) fn receipt_time(millis: u64) -> Option<Timestamp> {
    (millis <= LATEST).then(|| Timestamp::from_millis(millis))
}

/// The hash by which statements name content: SHA-256 of the encoded message
/// without extension -2. The message's own salt makes it unguessable.
#[must_use]
pub fn digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

/// That `author` said something to `audience`:
/// `[1, "hushwing said", conversation, author, audience, hash]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// In which conversation.
    pub conversation: ConversationId,
    /// Whose signature it bears.
    pub author: PublicIdentity,
    /// To whom it was said.
    pub audience: PublicIdentity,
    /// What, see [`digest`].
    pub content: [u8; 32],
}

impl Said {
    /// The statement as signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.array(6).unsigned(VERSION).text(SAID);
        self.write(&mut writer);
        writer.finish()
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .bytes(&self.conversation.0)
            .bytes(self.author.as_bytes())
            .bytes(self.audience.as_bytes())
            .bytes(&self.content);
    }

    /// The author's signature.
    #[must_use]
    pub fn sign(&self, author: &IdentityKey) -> SignatureBytes {
        author.sign(&self.encode())
    }

    /// Whether the author signed it.
    #[must_use]
    pub fn is_signed(&self, signature: &SignatureBytes) -> bool {
        self.author.signed(&self.encode(), signature)
    }
}

/// That the holder of an identity key uses it in one conversation, as the holder
/// of one leaf and towards the holder of the other:
/// `[1, "hushwing wish", conversation, sender's leaf key, receiver's leaf key]`.
///
/// Without it somebody could tell the key of another person, and what that one
/// signs elsewhere would seem to be theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wished {
    /// The conversation.
    pub conversation: ConversationId,
    /// The public signature key of the leaf of who wishes (Ed25519).
    pub sender: [u8; 32],
    /// That of the other leaf.
    pub receiver: [u8; 32],
}

impl Wished {
    /// The statement as signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.array(5).unsigned(VERSION).text(WISHED);
        writer
            .bytes(&self.conversation.0)
            .bytes(&self.sender)
            .bytes(&self.receiver);
        writer.finish()
    }

    /// The signature of the key that is told.
    #[must_use]
    pub fn sign(&self, key: &IdentityKey) -> SignatureBytes {
        key.sign(&self.encode())
    }

    /// Whether the holder of `key` signed it.
    #[must_use]
    pub fn is_signed(&self, key: &PublicIdentity, signature: &SignatureBytes) -> bool {
        key.signed(&self.encode(), signature)
    }
}

/// What a receipt confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirmation {
    /// It is here.
    Delivered,
    /// It was read.
    Read,
}

impl Confirmation {
    /// The code in statements: that of plain receipts.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Delivered => 1,
            Self::Read => 2,
        }
    }

    /// The confirmation with `code`.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Delivered),
            2 => Some(Self::Read),
            _ => None,
        }
    }
}

/// That the audience of a message received it:
/// `[1, "hushwing received", conversation, author, receiver, hash, status, milliseconds]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// What was said; its audience is the receiver, whose signature this bears.
    pub said: Said,
    /// What the receiver did with it.
    pub status: Confirmation,
    /// When, by the receiver's clock; below 2^53 milliseconds.
    pub at: Timestamp,
}

impl Received {
    /// The statement as signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.array(8).unsigned(VERSION).text(RECEIVED);
        self.said.write(&mut writer);
        writer
            .unsigned(self.status.code())
            .unsigned(self.at.as_millis());
        writer.finish()
    }

    /// The receiver's signature.
    #[must_use]
    pub fn sign(&self, receiver: &IdentityKey) -> SignatureBytes {
        receiver.sign(&self.encode())
    }

    /// Whether the receiver signed it.
    #[must_use]
    pub fn is_signed(&self, signature: &SignatureBytes) -> bool {
        self.said.audience.signed(&self.encode(), signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> (IdentityKey, IdentityKey, Said) {
        let (author, audience) = ([1; 32], [2; 32]);
        let author = IdentityKey::from_seed(&author);
        let audience = IdentityKey::from_seed(&audience);
        let said = Said {
            conversation: ConversationId([9; 16]),
            author: author.public(),
            audience: audience.public(),
            content: digest(b"content"),
        };
        (author, audience, said)
    }

    #[test]
    fn a_signature_fits_one_conversation_audience_and_content() {
        let (author, audience, said) = said();
        let signature = said.sign(&author);
        assert!(said.is_signed(&signature));
        let others = [
            Said {
                conversation: ConversationId([8; 16]),
                ..said
            },
            Said {
                audience: author.public(),
                ..said
            },
            Said {
                content: digest(b"other"),
                ..said
            },
            Said {
                author: audience.public(),
                ..said
            },
        ];
        assert!(others.iter().all(|other| !other.is_signed(&signature)));
    }

    #[test]
    fn a_key_is_proved_for_one_conversation_and_two_leaves() {
        let key = IdentityKey::from_seed(&[1; 32]);
        let wished = Wished {
            conversation: ConversationId([9; 16]),
            sender: [3; 32],
            receiver: [4; 32],
        };
        let signature = wished.sign(&key);
        assert!(wished.is_signed(&key.public(), &signature));
        let others = [
            Wished {
                conversation: ConversationId([8; 16]),
                ..wished
            },
            Wished {
                receiver: [5; 32],
                ..wished
            },
            Wished {
                sender: wished.receiver,
                receiver: wished.sender,
                ..wished
            },
        ];
        assert!(
            !others
                .iter()
                .any(|other| other.is_signed(&key.public(), &signature))
        );
        let another = IdentityKey::from_seed(&[2; 32]).public();
        assert!(!wished.is_signed(&another, &signature));
    }

    #[test]
    fn saying_is_not_receiving_and_a_time_is_part_of_a_receipt() {
        let (author, audience, said) = said();
        let received = Received {
            said,
            status: Confirmation::Delivered,
            at: Timestamp::from_millis(1),
        };
        let signature = received.sign(&audience);
        assert!(received.is_signed(&signature));
        assert!(!received.is_signed(&received.sign(&author)));
        assert!(!received.is_signed(&said.sign(&author)));
        let later = Received {
            at: Timestamp::from_millis(2),
            ..received
        };
        let read = Received {
            status: Confirmation::Read,
            ..received
        };
        assert!(!later.is_signed(&signature) && !read.is_signed(&signature));
    }
}
