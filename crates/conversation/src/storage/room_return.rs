//! Rooms that a backup brought, and who was asked to let me in again.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use super::introduction::in_a_setting;
use super::room::AskedRecord;
use crate::{ContactId, RoomId};

/// Whom I asked to let me into a room again after a backup was put back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomReturnRecord {
    /// Each at most once, and when I asked them last.
    pub asked: Vec<AskedRecord>,
    /// Since when I ask.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// Whose offer is as good as asked for, and the public signature key of their leaf:
    /// the stewards of the backup, or who founded the room anew.
    pub trusted: Vec<(ContactId, [u8; 32])>,
}

/// Who asked me to be let into a room again, and is offered it for that alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomReturnersRecord {
    /// Each at most once, and when they asked.
    pub asked: Vec<AskedRecord>,
}

/// Who was in a room before I founded it anew, and is to come along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomFollowersRecord {
    /// Those who are not in the new one, and whether I told them of it.
    pub waiting: Vec<(ContactId, bool)>,
    /// Since when they are to.
    #[serde(with = "millis")]
    pub since: Timestamp,
}

in_a_setting!(
    RoomFollowersRecord,
    "reading who is to come along",
    followers_to,
    RoomId
);
in_a_setting!(
    RoomReturnRecord,
    "reading who was asked to let me in again",
    return_to,
    RoomId
);

in_a_setting!(
    RoomReturnersRecord,
    "reading who asked to be let in again",
    returners_to,
    RoomId
);

fn returners_to(room: RoomId) -> String {
    format!("returners to room {}", room.0)
}

fn return_to(room: RoomId) -> String {
    format!("return to room {}", room.0)
}

fn followers_to(room: RoomId) -> String {
    format!("followers to room {}", room.0)
}
