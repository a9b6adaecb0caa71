//! The devices of the account: where they meet, and a link that is under way.
//!
//! It lies in a setting. Who they are lies with the members of their room.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Storage;
use super::codec::{self, millis};
use crate::{RoomId, Secret};

/// The setting.
const NAME: &str = "devices";

/// What is known of the account's devices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DevicesRecord {
    /// The device room.
    pub room: Option<RoomId>,
    /// The link that this device shows, as a new one.
    pub shown: Option<ShownRecord>,
    /// The new device that this one called.
    pub called: Option<CalledRecord>,
}

/// A link that this device shows to be linked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownRecord {
    /// The private signature key of the leaf it will be (32 bytes).
    pub key: Secret,
    /// Until when it may be called.
    #[serde(with = "millis")]
    pub until: Timestamp,
    /// The call that came, and what was answered: encoded words.
    pub talked: Option<TalkRecord>,
}

/// A new device that was called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalledRecord {
    /// The public signature key of its leaf, as its link said.
    pub key: [u8; 32],
    /// Where it is written to: the encoded address.
    pub address: Secret,
    /// Until when it may answer.
    #[serde(with = "millis")]
    pub until: Timestamp,
    /// The call, once it left.
    pub call: Option<Secret>,
    /// The letter with the call.
    pub letter: Option<u64>,
    /// The answer.
    pub answer: Option<Secret>,
}

/// A call and its answer, as they were sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TalkRecord {
    /// The old device's.
    pub call: Secret,
    /// The new device's.
    pub answer: Secret,
    /// The letter with the answer.
    pub letter: Option<u64>,
}

impl DevicesRecord {
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

    /// Forgets a link that is under way, and the key in it.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub(crate) fn stop_linking(storage: &mut dyn Storage) -> Result<(), StorageError> {
        let record = Self::read(storage)?;
        if record.shown.is_none() && record.called.is_none() {
            return Ok(());
        }
        Self {
            room: record.room,
            ..Self::default()
        }
        .put(storage)
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
        codec::decode(body, "reading the devices")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_and_damage_is_told() {
        let secret = |byte| Secret::new(vec![byte; 32]);
        let record = DevicesRecord {
            room: Some(RoomId(4)),
            shown: Some(ShownRecord {
                key: secret(1),
                until: Timestamp::from_secs(5),
                talked: Some(TalkRecord {
                    call: secret(2),
                    answer: secret(3),
                    letter: Some(8),
                }),
            }),
            called: Some(CalledRecord {
                key: [4; 32],
                address: secret(5),
                until: Timestamp::from_secs(6),
                call: Some(secret(6)),
                letter: Some(9),
                answer: Some(secret(7)),
            }),
        };
        let body = record.encode();
        assert_eq!(DevicesRecord::decode(&body).unwrap(), record);
        assert!((0..body.len()).all(|end| DevicesRecord::decode(&body[..end]).is_err()));
    }
}
