//! Conversations of two that go on as pairs of several devices.
//!
//! It lies in a setting: few people have several devices, and who has talks with few.

use std::collections::BTreeMap;

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Storage;
use super::codec::{self, millis};
use super::hidden::hidden;
use crate::{ContactId, ConversationId, Secret};

/// The setting.
const NAME: &str = "pairs";
/// Pairs that are remembered, those that are over included.
pub const MOST_PAIRS: usize = 256;

/// What is known of pairs. `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairsRecord {
    /// Those I am in, was in, or am about to enter.
    pub pairs: Vec<PairRecord>,
    /// Contacts whose conversations go on as pairs, or are to.
    pub contacts: BTreeMap<ContactId, PairingRecord>,
    /// Whom other devices know.
    pub known: Vec<KnownRecord>,
}

/// A pair. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRecord {
    /// Its group.
    pub group: ConversationId,
    /// The conversation that goes on as it.
    pub conversation: ConversationId,
    /// Which pair of that conversation it is.
    pub turn: u32,
    /// Whether I forgot the contact: what other devices tell of them is not taken.
    pub forgotten: bool,
}

/// How far it is with one contact that the conversation goes on as a pair. `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairingRecord {
    /// What I offered and was not answered.
    pub offered: Option<OfferedPairRecord>,
    /// The offer that I answered last, and when.
    pub answered: Option<AnsweredPairRecord>,
    /// When I asked for a pair, or founded one, last.
    #[serde(with = "millis")]
    pub at: Timestamp,
    /// Which one was asked for, by who does not found.
    pub wanted: u32,
    /// Pairs below this number are over.
    pub least: u32,
    /// Whether the device of theirs that this conversation was begun with was thrown out.
    pub cut: bool,
}

/// An offer of a pair that I answered. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredPairRecord {
    /// The offer's name.
    pub id: [u8; 8],
    /// When.
    #[serde(with = "millis")]
    pub at: Timestamp,
}

/// A pair that I want to found. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedPairRecord {
    /// Its group.
    pub group: ConversationId,
    /// Which pair it will be.
    pub turn: u32,
    /// The private signature key of the leaf that I will be (32 bytes).
    pub key: Secret,
    /// The offer's name.
    pub id: [u8; 8],
}

/// A contact whom another device of mine knows. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRecord {
    /// The conversation with them.
    pub conversation: ConversationId,
    /// The number of the pair that it goes on as.
    pub turn: u32,
    /// What they are called.
    pub name: String,
    /// The public signature keys that the safety number is made of: my device's, and
    /// theirs.
    pub keys: [[u8; 32]; 2],
    /// Whether it was compared.
    pub verified: bool,
    /// Whether nothing is to be heard from them.
    pub blocked: bool,
    /// The device that told it, by the public signature key of its leaf in the device
    /// room, and the revision of what it told.
    pub by: (Vec<u8>, u64),
}

hidden!(
    PairsRecord,
    PairRecord,
    PairingRecord,
    OfferedPairRecord,
    AnsweredPairRecord,
    KnownRecord
);

impl PairsRecord {
    /// What is known.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn read(storage: &dyn Storage) -> Result<Self, StorageError> {
        let body = storage.setting(NAME)?.map(Zeroizing::new);
        let body = body.filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        storage.put_setting(NAME, &Zeroizing::new(self.encode()))
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
        codec::decode(body, "reading the pairs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_and_damage_is_told() {
        let (group, conversation) = (ConversationId([1; 16]), ConversationId([2; 16]));
        let record = PairsRecord {
            pairs: vec![PairRecord {
                group,
                conversation,
                turn: 1,
                forgotten: true,
            }],
            contacts: BTreeMap::from([(
                ContactId(9),
                PairingRecord {
                    offered: Some(OfferedPairRecord {
                        group,
                        turn: 2,
                        key: Secret::new([3; 32]),
                        id: [4; 8],
                    }),
                    answered: Some(AnsweredPairRecord {
                        id: [5; 8],
                        at: Timestamp::from_secs(5),
                    }),
                    at: Timestamp::from_secs(6),
                    wanted: 7,
                    least: 8,
                    cut: true,
                },
            )]),
            known: vec![KnownRecord {
                conversation,
                turn: 2,
                name: "Bob".to_owned(),
                keys: [[6; 32], [7; 32]],
                verified: true,
                blocked: false,
                by: (vec![8; 32], 9),
            }],
        };
        let body = record.encode();
        assert_eq!(PairsRecord::decode(&body).unwrap(), record);
        assert!((0..body.len()).all(|end| PairsRecord::decode(&body[..end]).is_err()));
        assert_eq!(format!("{record:?}"), "PairsRecord(..)");
    }
}
