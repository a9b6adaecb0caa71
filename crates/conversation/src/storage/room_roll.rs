//! What a steward's program knows of those who pass on in a room.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use super::introduction::in_a_setting;
use crate::RoomId;

/// What a steward's program knows of heralds, and of who could be one. Members are named
/// by their accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRollRecord {
    /// Those who were named when it was looked last.
    pub named: Vec<Vec<u8>>,
    /// Since when these are.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// Heralds that did not answer, each with when they were asked first.
    pub silent: Vec<Dated>,
    /// Who was replaced for silence, and since when.
    pub replaced: Vec<Dated>,
    /// Who does not want to pass on, and since when.
    pub unwilling: Vec<Dated>,
}

/// An account and a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    /// The account.
    pub account: Vec<u8>,
    /// The time.
    #[serde(with = "millis")]
    pub at: Timestamp,
}

in_a_setting!(
    RoomRollRecord,
    "reading who passes on in a room",
    roll_in,
    RoomId
);

fn roll_in(room: RoomId) -> String {
    format!("roll of room {}", room.0)
}
