//! The devices with which this one was linked when a backup of it was made.
//!
//! It lies in a setting.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use crate::{ConversationId, MemberId, RoomId, Secret};

/// The setting.
const NAME: &str = "devices of a backup";

/// From which devices this one was parted by a backup that was put back. `Debug` hides
/// them.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartedRecord {
    /// The room in which they meet.
    pub meeting: Option<ConversationId>,
    /// The account that all are of in it.
    pub account: Vec<u8>,
    /// The public signature key of the leaf that I was where they meet; empty if that was
    /// damaged.
    pub key: Vec<u8>,
    /// Those that no person gave up, and with which this one was not linked again.
    pub devices: Vec<PartedDevice>,
    /// The groups of the backup in which another of them was.
    pub groups: Vec<PartedGroup>,
    /// The groups that are entered by another device while what the backup had of them is
    /// still there: it is to be read only.
    pub stale: Vec<RoomId>,
    /// Whether a person said here that the code is the same.
    pub agreed: bool,
    /// The Welcome that came before that.
    pub welcome: Option<Secret>,
    /// Since when groups wait: the backup was put back, or this device was linked again.
    #[serde(with = "millis")]
    pub since: Timestamp,
}

/// Another device. `Debug` hides its name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartedDevice {
    /// Its name in commands.
    pub device: MemberId,
    /// What it called itself.
    pub name: String,
}

/// A group in which another device was. `Debug` hides the account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartedGroup {
    /// Which.
    pub room: RoomId,
    /// Which account both were in it.
    pub account: Vec<u8>,
    /// Whether it is to be entered by that device before it is founded anew.
    pub waits: bool,
}

impl core::fmt::Debug for PartedRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PartedRecord(..)")
    }
}

impl core::fmt::Debug for PartedDevice {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PartedDevice(..)")
    }
}

impl core::fmt::Debug for PartedGroup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PartedGroup(..)")
    }
}

impl PartedRecord {
    /// What is known; nothing where no backup parted devices.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn read(storage: &dyn Storage) -> Result<Self, StorageError> {
        let body = storage.setting(NAME)?.filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        match *self == Self::default() {
            true => storage.remove_setting(NAME),
            false => storage.put_setting(NAME, &self.encode()),
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
        codec::decode(body, "reading the devices of a backup")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_and_damage_is_told() {
        let record = PartedRecord {
            meeting: Some(ConversationId([2; 16])),
            account: vec![3; 16],
            key: vec![7; 32],
            devices: vec![PartedDevice {
                device: MemberId(4),
                name: "desk".to_owned(),
            }],
            groups: vec![PartedGroup {
                room: RoomId(5),
                account: vec![3; 16],
                waits: true,
            }],
            stale: vec![RoomId(5)],
            agreed: true,
            welcome: Some(Secret::new(vec![6; 40])),
            since: Timestamp::from_secs(9),
        };
        let body = record.encode();
        assert_eq!(PartedRecord::decode(&body).unwrap(), record);
        assert!((0..body.len()).all(|end| PartedRecord::decode(&body[..end]).is_err()));
    }
}
