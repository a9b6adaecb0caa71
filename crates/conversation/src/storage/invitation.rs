//! Invitations, the key packages in their bundles, and mailboxes.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::codec::{self, millis};
use crate::{ContactId, InvitationId, RoomId, Secret};

/// How far an invitation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvitationState {
    /// Its mailbox is being made; there is no link yet.
    Opening,
    /// The link can be used.
    Open,
    /// A one-time link that was used, or a link whose time is over.
    Closed,
    /// A one-time link that was read from a backup. Nobody can join by it any
    /// more; it is shown until its time is over, for somebody may have it.
    Restored,
}

/// An invitation I gave away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InvitationRecord {
    /// Key.
    pub id: InvitationId,
    /// How far it is.
    pub state: InvitationState,
    /// Whether many may use it.
    pub reusable: bool,
    /// Its mailbox.
    pub mailbox: u64,
    /// The secret of the invitation's root: signs bundles (32 bytes).
    pub root: Secret,
    /// The link, once the mailbox is open.
    pub link: Option<Secret>,
    /// The bundle published last, signed.
    pub bundle: Vec<u8>,
    /// Its revision.
    pub revision: u64,
    /// When it was made.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// When the key package in its bundle was made.
    #[serde(with = "millis")]
    pub package_since: Timestamp,
    /// Until when the link can be used.
    #[serde(with = "millis")]
    pub expires: Timestamp,
}

impl InvitationRecord {
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
        codec::decode(body, "reading an invitation")
    }
}

/// A key package I published. Its private half lies in the MLS rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyPackageRecord {
    /// Key: the MLS key package reference.
    pub reference: Vec<u8>,
    /// The invitation whose bundle holds or held it.
    pub invitation: InvitationId,
    /// Private Ed25519 key of its leaf (32 bytes).
    pub signing_key: Secret,
    /// When the private half is to be wiped: 21 days after the last moment
    /// somebody could have used it.
    #[serde(with = "millis")]
    pub wipe_after: Timestamp,
}

impl KeyPackageRecord {
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
        codec::decode(body, "reading a key package")
    }
}

/// How far a mailbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailboxState {
    /// The network was asked to make it.
    Opening,
    /// The network listens to it.
    Open,
    /// What an older version wrote of a mailbox that was lost while its contact
    /// was not known to write elsewhere. It is counted and removed on opening.
    Lost,
    /// What an older version wrote of one whose contact wrote elsewhere again.
    Replaced,
    /// It takes the place of one that was lost; the network is to be asked to
    /// make it when its owner has waited long enough.
    Due,
}

/// What a mailbox is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MailboxUse {
    /// Strangers write here.
    Invitation(InvitationId),
    /// One contact writes here.
    Conversation(ContactId),
    /// All members of a room write here.
    Room(RoomId),
}

/// One of my mailboxes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailboxRecord {
    /// Key: its number towards its network.
    pub id: u64,
    /// The tag of its network.
    pub network: u8,
    /// How far it is.
    pub state: MailboxState,
    /// What it is for.
    pub owner: MailboxUse,
    /// Secret half of the first-contact seal; empty where strangers never
    /// write.
    pub first_contact: Secret,
    /// The shared seal secret (32 bytes); empty until there is a contact.
    pub shared: Secret,
    /// What to give away, once open.
    pub locator: Option<Secret>,
}

impl MailboxRecord {
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
        codec::decode(body, "reading a mailbox")
    }
}
