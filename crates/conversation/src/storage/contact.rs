//! Contacts, and joins that are to become contacts.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::codec::{self, millis, optional_millis};
use crate::{ContactId, ConversationId, InvitationId, Secret};

/// Which side of a conversation I am, which fixes my leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// I opened a link and created the group: leaf 0.
    Joiner,
    /// I gave the link away: leaf 1.
    Inviter,
}

impl Side {
    /// My leaf in the group.
    #[must_use]
    pub fn leaf(self) -> u32 {
        match self {
            Self::Joiner => 0,
            Self::Inviter => 1,
        }
    }
}

/// How far a contact is established.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// I opened a link; my mailbox is being made, nothing was sent yet.
    Joining,
    /// My join request left; the inviter has not answered yet.
    Asked,
    /// They opened my reusable link; I have not decided yet.
    Requested,
    /// Both sides know where to write.
    Established,
    /// It cannot go on: MLS cannot work with what the other side made of it, or
    /// what is stored of it is damaged, or they never answered.
    /// What was said stays readable; nothing is sent or heard any more.
    Broken,
    /// It was read from a backup. What MLS knew then must not be used again, so
    /// the contact is asked to begin a new group; until then nothing is sent or
    /// heard.
    Restoring,
}

/// Somebody I talk with, and my side of the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContactRecord {
    /// Key.
    pub id: ContactId,
    /// The conversation, unique.
    pub conversation: ConversationId,
    /// Which side I am.
    pub side: Side,
    /// How far it is established.
    pub standing: Standing,
    /// The name shown; theirs until I rename.
    pub name: String,
    /// The safety number was compared then.
    #[serde(with = "optional_millis")]
    pub verified: Option<Timestamp>,
    /// "No forward secrecy yet": a key package that others may have read too
    /// protects this conversation until the inviter's first commit.
    pub unsecured_start: bool,
    /// Private Ed25519 key of my leaf (32 bytes).
    pub signing_key: Secret,
    /// Whether `name` is my choice and not theirs.
    pub renamed: bool,
    /// Where to write: encoded addresses.
    pub addresses: Vec<Secret>,
    /// The revision of their addresses that these are.
    pub address_revision: u64,
    /// The letter with my last commit, until they prove that it came.
    pub commit_letter: Option<u64>,
    /// The invitation they used, on the inviter's side.
    pub invitation: Option<InvitationId>,
    /// When the contact was made.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// When the present epoch began here.
    #[serde(with = "millis")]
    pub epoch_since: Timestamp,
}

impl ContactRecord {
    /// The versioned body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes what [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading a contact")
    }
}

/// A join. It is kept when the inviter answered, so that its link is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinRecord {
    /// Key: the number of the fetch.
    pub fetch: u64,
    /// The link as given.
    pub link: Secret,
    /// The contact it became once its card was read and checked.
    pub contact: Option<ContactId>,
    /// What the card said, checked; nothing once the inviter answered.
    pub card: Option<CardRecord>,
}

/// What a join needs of the card it read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CardRecord {
    /// The inviter's MLS KeyPackage message.
    pub key_package: Vec<u8>,
    /// The inviter's encoded address.
    pub address: Secret,
    /// Whether others may have read the same card.
    pub reusable: bool,
}

impl JoinRecord {
    /// The versioned body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes what [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading a join")
    }
}
