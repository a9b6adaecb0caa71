//! What a steward's program knows of those who pass on in a room.

use core::fmt;

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use super::introduction::in_a_setting;
use crate::RoomId;

/// What a steward's program knows of heralds, and of who could be one. Members are named
/// by their accounts. `Debug` hides them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRollRecord {
    /// Those who were named when it was looked last.
    pub named: Vec<Vec<u8>>,
    /// Since when these are.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// Heralds that did not answer, each with when they were asked first.
    pub silent: Vec<Silence>,
    /// The marks of the last calls: an answer to one is a sign, however late it comes.
    pub marks: Vec<[u8; 16]>,
    /// Who was replaced and is passed over for that, and since when;
    /// [for good](Dated::FOR_GOOD) who was dismissed here by hand.
    pub replaced: Vec<Dated>,
    /// Who does not want to pass on, and since when.
    pub unwilling: Vec<Dated>,
}

impl fmt::Debug for RoomRollRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomRollRecord")
            .field("named", &self.named.len())
            .field("silent", &self.silent.len())
            .finish_non_exhaustive()
    }
}

/// A herald that did not answer. `Debug` hides who.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Their account.
    pub account: Vec<u8>,
    /// When they were asked first.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// Calls since then, of which each was answered by others.
    pub missed: u32,
}

impl fmt::Debug for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Silence").finish_non_exhaustive()
    }
}

/// An account and a time. `Debug` hides the account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    /// The account.
    pub account: Vec<u8>,
    /// The time.
    #[serde(with = "millis")]
    pub at: Timestamp,
}

impl Dated {
    /// Not since some time, but until somebody says otherwise.
    pub const FOR_GOOD: Timestamp = Timestamp::from_millis(u64::MAX);

    /// Whether it holds until somebody says otherwise.
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        self.at == Self::FOR_GOOD
    }
}

impl fmt::Debug for Dated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dated").finish_non_exhaustive()
    }
}

in_a_setting!(
    RoomRollRecord,
    "reading who passes on in a room",
    roll_in,
    RoomId
);

fn roll_in(room: RoomId) -> String {
    format!("heralds of room {}", room.0)
}
