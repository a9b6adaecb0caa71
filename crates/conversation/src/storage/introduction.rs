//! Introductions: those I make, those offered to me, and what stays of one
//! beside the contact that came of it.
//!
//! All lie in settings: most people never have any.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use crate::content::IntroductionId;
use crate::{ContactId, InvitationId, Secret};

/// Setting under which introductions of mine lie.
const MINE: &str = "introductions of mine";

/// An introduction of mine, between two contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntroductionRecord {
    /// Its number here.
    pub number: u64,
    /// Its name towards both (16 bytes).
    pub id: [u8; 16],
    /// Who makes the link.
    pub inviter: ContactId,
    /// Who opens it.
    pub joiner: ContactId,
    /// When it was offered.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// What the inviter promised, once it agreed.
    pub inviter_promise: Option<[u8; 32]>,
    /// What the joiner promised, once it agreed.
    pub joiner_promise: Option<[u8; 32]>,
    /// Whether the link was passed on.
    pub passed: bool,
}

/// An offer to meet somebody, by one contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferRecord {
    /// Its number here, as requests have.
    pub number: u64,
    /// Its name towards who introduces (16 bytes).
    pub id: [u8; 16],
    /// Whether I am to make the link.
    pub invites: bool,
    /// The other's name, as told; empty once it is over.
    pub name: String,
    /// What was said about them.
    pub word: Option<String>,
    /// When it came.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// How far it is.
    pub state: OfferState,
    /// What I promised: the seed of the link's root or of my leaf's key (32
    /// bytes); empty before I agreed and when it is over.
    pub secret: Secret,
    /// What the other promised, once both agreed.
    pub their_promise: Option<[u8; 32]>,
    /// A link that came before the promise, as the step of content that brought it.
    pub link: Option<Secret>,
}

/// How far an offer is. Those that are over stay, so that a repeated one is
/// known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferState {
    /// For my decision.
    Waiting,
    /// I agreed; for the other.
    Agreed,
    /// Both agreed; my link is made or waits for the joiner.
    Inviting(InvitationId),
    /// Both agreed; the card of their link is fetched, under this number.
    Opening(u64),
    /// A contact came of it.
    Met(ContactId),
    /// I refused.
    Refused,
    /// Nobody decided in time, or the other did not.
    Lapsed,
    /// It cannot be.
    Failed,
}

impl OfferState {
    /// Whether it can still become something.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::Waiting | Self::Agreed | Self::Inviting(_) | Self::Opening(_)
        )
    }
}

/// The offers of one contact, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffersRecord {
    /// Open ones and those that are over.
    pub offers: Vec<OfferRecord>,
}

/// Who introduced a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntroducedRecord {
    /// Whose offer it was.
    pub by: ContactId,
    /// What they were called then.
    pub name: String,
    /// The introduction (16 bytes).
    pub id: [u8; 16],
    /// When it came to a contact.
    #[serde(with = "millis")]
    pub at: Timestamp,
    /// The hash of both promises, as this side knows them.
    pub witness: [u8; 32],
    /// Whether the other side told the same one; `None` before it told any.
    pub agrees: Option<bool>,
}

/// Who alone may use an invitation that was made for an introduction. It lies
/// with the invitation and not with the offer, so that nobody else may when the
/// offer cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedRecord {
    /// The introduction (16 bytes).
    pub id: [u8; 16],
    /// What the joiner promised: by which key they come.
    pub promise: [u8; 32],
}

/// Introductions of mine, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntroductionsRecord {
    /// Open ones, and those that were passed on or lapsed a while ago.
    pub introductions: Vec<IntroductionRecord>,
}

impl OfferRecord {
    /// Its name towards who introduces.
    #[must_use]
    pub fn id(&self) -> IntroductionId {
        IntroductionId(self.id)
    }

    /// It is over: what it held is wiped.
    pub fn end(&mut self, state: OfferState) {
        self.state = state;
        self.name.clear();
        self.word = None;
        self.secret = Secret::default();
        self.link = None;
    }
}

/// Reading, writing and forgetting a record that lies in a setting.
macro_rules! in_a_setting {
    ($record:ty, $what:literal, $name:ident, $key:ty) => {
        impl $record {
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
                codec::decode(body, $what)
            }

            /// That of `owner`, if there is one.
            ///
            /// # Errors
            ///
            /// When storage fails or holds something else.
            pub fn of(storage: &dyn Storage, owner: $key) -> Result<Option<Self>, StorageError> {
                let body = storage.setting(&$name(owner))?;
                let body = body.filter(|body| !body.is_empty());
                body.map(|body| Self::decode(&body)).transpose()
            }

            /// Writes that of `owner`.
            ///
            /// # Errors
            ///
            /// When storage fails.
            pub fn put(&self, storage: &mut dyn Storage, owner: $key) -> Result<(), StorageError> {
                storage.put_setting(&$name(owner), &self.encode())
            }

            /// Forgets that of `owner`.
            ///
            /// # Errors
            ///
            /// When storage fails.
            pub fn clear(storage: &mut dyn Storage, owner: $key) -> Result<(), StorageError> {
                storage.remove_setting(&$name(owner))
            }
        }
    };
}

pub(super) use in_a_setting;

in_a_setting!(
    OffersRecord,
    "reading offers of introductions",
    offers_by,
    ContactId
);
in_a_setting!(
    IntroducedRecord,
    "reading who introduced a contact",
    introducer_of,
    ContactId
);
in_a_setting!(
    ExpectedRecord,
    "reading for whom an invitation is",
    expected_at,
    InvitationId
);

fn expected_at(invitation: InvitationId) -> String {
    format!("introduced to invitation {}", invitation.0)
}

fn offers_by(contact: ContactId) -> String {
    format!("introductions by contact {}", contact.0)
}

fn introducer_of(contact: ContactId) -> String {
    format!("introducer of contact {}", contact.0)
}

impl IntroductionsRecord {
    /// Introductions of mine.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn read(storage: &dyn Storage) -> Result<Self, StorageError> {
        match storage.setting(MINE)?.filter(|body| !body.is_empty()) {
            Some(body) => Self::decode(&body),
            None => Ok(Self::default()),
        }
    }

    /// Writes introductions of mine.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        match self.introductions.is_empty() {
            true => storage.remove_setting(MINE),
            false => storage.put_setting(MINE, &self.encode()),
        }
    }

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
        codec::decode(body, "reading introductions of mine")
    }
}
