//! When the keys of my leaf in a room are renewed.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use super::introduction::in_a_setting;
use crate::RoomId;

/// When the keys of a leaf of mine are renewed next. It holds for that leaf, and for as
/// long as it makes no commit otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRenewalRecord {
    /// The public signature key of the leaf.
    pub leaf: [u8; 32],
    /// The epoch it had committed in last when this was drawn, if it ever had.
    pub renewed_at: Option<u64>,
    /// When its keys are due.
    #[serde(with = "millis")]
    pub due: Timestamp,
    /// Whether a person asked for it.
    pub asked: bool,
}

in_a_setting!(
    RoomRenewalRecord,
    "reading when the keys of a leaf are renewed",
    renewal_in,
    RoomId
);

/// Under `renewal in room` lies what was written before it said who asked.
fn renewal_in(room: RoomId) -> String {
    format!("new keys in room {}", room.0)
}
