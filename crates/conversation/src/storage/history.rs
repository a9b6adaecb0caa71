//! History between devices of one account: who is handed it, and how far it was taken.
//!
//! Each lies in a setting.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use crate::RoomId;

/// The setting of [`HandingRecord`].
const HANDING: &str = "history for devices";
/// The setting of [`TakingRecord`].
const TAKING: &str = "history from a device";
/// Devices that are remembered, the last ones.
const MOST_HANDED: usize = 8;

/// Which devices of mine are handed what was said. `Debug` hides them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandingRecord {
    /// Each once.
    pub devices: Vec<HandedRecord>,
}

/// A device that is handed what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedRecord {
    /// By the public signature key of its leaf in the device room.
    pub device: [u8; 32],
    /// Nothing that was said before this.
    #[serde(with = "millis")]
    pub since: Timestamp,
}

/// What this device takes of its others. `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakingRecord {
    /// The groups, in the order in which they were entered.
    pub groups: Vec<TakingGroup>,
}

/// How far the history of a group was taken. `Debug` hides the place.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakingGroup {
    /// Which.
    pub room: RoomId,
    /// In which epoch I came: what was said from then on reaches me as it is said.
    pub entered: u64,
    /// Before which place the next piece begins.
    pub before: Vec<u8>,
    /// Whether I was in it before: then it is over where I have what comes.
    pub again: bool,
    /// How many pieces came.
    pub pieces: u32,
    /// How many messages came that I did not have.
    pub taken: u64,
    /// Who has no more, by the public signature key of their leaf in the device room.
    pub ended: Vec<[u8; 32]>,
    /// Whether none of my devices has more.
    pub over: bool,
    /// When I came.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// How often it was looked for what reached the others late.
    pub looks: u8,
    /// How many pieces came since it was looked last.
    pub depth: u32,
}

impl core::fmt::Debug for HandingRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("HandingRecord(..)")
    }
}

impl core::fmt::Debug for TakingRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TakingRecord(..)")
    }
}

impl core::fmt::Debug for TakingGroup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TakingGroup(..)")
    }
}

impl TakingGroup {
    /// Whether that device has no more.
    #[must_use]
    pub fn is_ended_by(&self, device: &[u8]) -> bool {
        self.ended.iter().any(|one| one == device)
    }
}

impl TakingRecord {
    /// Those of which another device is to be asked for a piece.
    pub fn open(&self) -> impl Iterator<Item = &TakingGroup> {
        self.groups.iter().filter(|one| !one.over)
    }

    /// Those that have not come whole for the first time.
    pub fn to_come(&self) -> impl Iterator<Item = &TakingGroup> {
        self.open().filter(|one| one.looks == 0)
    }
}

impl HandingRecord {
    /// A person let a device in here. Where there is no place it takes that of one that is no
    /// device any more, or of the first.
    pub fn note(&mut self, one: HandedRecord, is_device: impl Fn(&[u8]) -> bool) {
        self.devices.retain(|other| other.device != one.device);
        self.make_place(is_device);
        if self.devices.len() >= MOST_HANDED {
            self.devices.remove(0);
        }
        self.devices.push(one);
    }

    /// Another device says that one is handed what was said: the first word stands. Where
    /// there is no place it takes that of one that is no device any more.
    pub fn hear(&mut self, one: HandedRecord, is_device: impl Fn(&[u8]) -> bool) {
        if self.since(&one.device).is_some() {
            return;
        }
        self.make_place(is_device);
        if self.devices.len() < MOST_HANDED {
            self.devices.push(one);
        }
    }

    fn make_place(&mut self, is_device: impl Fn(&[u8]) -> bool) {
        let gone = |other: &HandedRecord| !is_device(&other.device);
        if self.devices.len() >= MOST_HANDED
            && let Some(at) = self.devices.iter().position(gone)
        {
            self.devices.remove(at);
        }
    }

    /// Since when a device is handed what was said; `None` if it is not.
    #[must_use]
    pub fn since(&self, device: &[u8]) -> Option<Timestamp> {
        let mut devices = self.devices.iter();
        let one = devices.find(|one| one.device == device);
        one.map(|one| one.since)
    }
}

macro_rules! setting {
    ($record:ty, $name:ident, $what:literal) => {
        impl $record {
            /// What is known.
            ///
            /// # Errors
            ///
            /// When storage fails or holds something else.
            pub fn read(storage: &dyn Storage) -> Result<Self, StorageError> {
                let body = storage.setting($name)?.filter(|body| !body.is_empty());
                body.map_or(Ok(Self::default()), |body| Self::decode(&body))
            }

            /// Writes it.
            ///
            /// # Errors
            ///
            /// When storage fails.
            pub fn put(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
                match *self == Self::default() {
                    true => storage.remove_setting($name),
                    false => storage.put_setting($name, &self.encode()),
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
                codec::decode(body, $what)
            }
        }
    };
}

setting!(
    HandingRecord,
    HANDING,
    "reading which devices are handed history"
);
setting!(TakingRecord, TAKING, "reading how far history was taken");

#[cfg(test)]
mod tests {
    use super::*;

    fn handed(device: u8) -> HandedRecord {
        HandedRecord {
            device: [device; 32],
            since: Timestamp::from_secs(u64::from(device)),
        }
    }

    #[test]
    fn records_survive_and_damage_is_told() {
        let mut handing = HandingRecord::default();
        handing.note(handed(1), |_| true);
        let body = handing.encode();
        assert_eq!(HandingRecord::decode(&body).unwrap(), handing);
        assert!((0..body.len()).all(|end| HandingRecord::decode(&body[..end]).is_err()));
        let taking = TakingRecord {
            groups: vec![TakingGroup {
                room: RoomId(4),
                entered: 6,
                before: vec![5; 52],
                again: true,
                pieces: 10,
                taken: 300,
                ended: vec![[7; 32]],
                over: true,
                since: Timestamp::from_secs(11),
                looks: 2,
                depth: 8,
            }],
        };
        let body = taking.encode();
        assert_eq!(TakingRecord::decode(&body).unwrap(), taking);
        assert!((0..body.len()).all(|end| TakingRecord::decode(&body[..end]).is_err()));
    }

    #[test]
    fn the_last_word_on_a_device_stands_and_the_first_device_goes() {
        let mut handing = HandingRecord::default();
        handing.note(handed(0), |_| true);
        let other = HandedRecord {
            since: Timestamp::from_secs(9),
            ..handed(0)
        };
        handing.note(other, |_| true);
        assert_eq!(handing.since(&[0; 32]), Some(Timestamp::from_secs(9)));
        for device in 1..=8 {
            handing.note(handed(device), |_| true);
        }
        assert_eq!(handing.since(&[0; 32]), None);
        assert_eq!(handing.devices.len(), MOST_HANDED);
        // Who is no device any more goes before.
        handing.note(handed(9), |key| key != [5; 32]);
        assert!(handing.since(&[1; 32]).is_some() && handing.since(&[5; 32]).is_none());
    }

    #[test]
    fn another_device_changes_no_word_and_drives_none_out() {
        let mut handing = HandingRecord::default();
        let all = |_: &[u8]| true;
        handing.hear(handed(1), all);
        let other = HandedRecord {
            since: Timestamp::default(),
            ..handed(1)
        };
        handing.hear(other, all);
        assert_eq!(handing.since(&[1; 32]), Some(Timestamp::from_secs(1)));
        (2..=9).for_each(|device| handing.hear(handed(device), all));
        assert_eq!(handing.devices.len(), MOST_HANDED);
        assert_eq!(handing.since(&[9; 32]), None);
        // The third is gone.
        handing.hear(handed(9), |key| key != [3; 32]);
        assert_eq!(handing.since(&[3; 32]), None);
        assert!(handing.since(&[9; 32]).is_some());
        assert_eq!(handing.since(&[1; 32]), Some(Timestamp::from_secs(1)));
    }
}
