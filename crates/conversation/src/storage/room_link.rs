//! Links that lead into a room, and who met by one.

use hushwing_sansio::StorageError;
use serde::{Deserialize, Serialize};

use super::introduction::in_a_setting;
use super::{Storage, codec};
use crate::{ContactId, ConversationId, InvitationId, RoomId};
use hushwing_delivery::FetchId;

/// What a link of mine leads into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomLinkRecord {
    /// The room.
    pub room: RoomId,
    /// Whether whoever has it gets in without being asked about.
    pub open: bool,
}

/// By which room's link a contact and I met. `Debug` hides its name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomMeetingRecord {
    /// What the room is called everywhere.
    pub group: ConversationId,
    /// What it called itself.
    pub name: String,
    /// Whether it led into the room, so that a further offer is one like any other.
    pub done: bool,
}

impl core::fmt::Debug for RoomMeetingRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RoomMeetingRecord(..)")
    }
}

/// Whoever opens a link said that they want to be in the room it leads into, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomConsentRecord;

in_a_setting!(
    RoomConsentRecord,
    "reading whether a link was opened for its room",
    consent_of_join,
    FetchId
);
in_a_setting!(
    RoomLinkRecord,
    "reading where a link leads",
    room_of_invitation,
    InvitationId
);
in_a_setting!(
    RoomMeetingRecord,
    "reading by which link we met",
    meeting_with,
    ContactId
);

fn room_of_invitation(invitation: InvitationId) -> String {
    format!("room of invitation {}", invitation.0)
}

fn consent_of_join(fetch: FetchId) -> String {
    format!("room wanted by join {}", fetch.0)
}

fn meeting_with(contact: ContactId) -> String {
    format!("room by which contact {} came", contact.0)
}
