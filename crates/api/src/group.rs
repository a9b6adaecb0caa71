//! Groups: conversations of many.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /v1/groups/NAME`, and one row of `GET /v1/groups`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Its name, for all members the same.
    pub name: String,
    /// Its id: that of the conversation.
    pub group: String,
    /// `group`; or `channel`, where one says, the others read and do not see each other.
    #[serde(default = "group")]
    pub kind: String,
    /// Number by which it is accepted or refused while it is offered.
    pub request: u64,
    /// `offered` to me, `joining`, `member`, `leaving`, `left` (or removed), `broken`,
    /// or `restoring`: it was read from a backup, and waits for a steward.
    pub state: String,
    /// Shown name of the contact who offered it, unless I founded it.
    pub offered_by: Option<String>,
    /// How many are in it, as last known by who is not.
    pub size: usize,
    /// Who is in it, and who was.
    pub members: Vec<GroupMember>,
    /// Shown names of contacts who were asked and have not answered.
    pub asked: Vec<String>,
    /// Changes you want that are not so yet: others may be in the way, or away.
    #[serde(default)]
    pub pending: Vec<PendingChange>,
    /// Seconds after reading until messages disappear; none if they stay.
    #[serde(default)]
    pub disappear_after: Option<u32>,
    /// Another text if it shows another picture; none if it shows none.
    #[serde(default)]
    pub avatar: Option<String>,
    /// Since when newcomers are handed what was said, RFC 3339 UTC; none if they are
    /// handed nothing.
    #[serde(default)]
    pub history_since: Option<String>,
    /// When it was founded or offered, RFC 3339 UTC.
    pub since: String,
}

fn group() -> String {
    "group".to_owned()
}

/// A change of a group that is not so yet.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PendingChange {
    /// `name`, `disappear`, `avatar`, `no_avatar`, `add`, `remove`, `steward`,
    /// `no_steward`, `herald` or `no_herald`.
    #[schemars(extend("enum" = [
        "name", "disappear", "avatar", "no_avatar", "add", "remove", "steward", "no_steward",
        "herald", "no_herald",
    ]))]
    pub change: String,
    /// The new name, seconds after reading, or who is meant; empty of a picture.
    pub to: String,
}

/// Somebody in a group.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GroupMember {
    /// Their number, for where names are the same.
    pub member: u64,
    /// What they call themselves; nobody checked it.
    pub name: String,
    /// Whether it is me.
    pub me: bool,
    /// Whether they may add, remove and rename.
    pub steward: bool,
    /// Whether they pass on what others say: the group is too large to write to each.
    #[serde(default)]
    pub herald: bool,
    /// When they last wrote to me as a herald since the daemon started, RFC 3339 UTC.
    #[serde(default)]
    pub sign: Option<String>,
    /// Whether they do not want to pass on what others say; stewards and they themselves
    /// know it.
    #[serde(default)]
    pub declines: bool,
    /// With how many devices they are in it; 0 if they are out.
    #[serde(default)]
    pub devices: usize,
    /// Whether they are in it now.
    pub present: bool,
    /// Whether it is known where to write to them.
    pub reachable: bool,
    /// Shown name of the contact they are, where that is known.
    pub contact: Option<String>,
}

/// How far a message got to a member of a group, or a post to who is on a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MemberReached {
    /// Their number.
    pub member: u64,
    /// Shown name.
    pub name: String,
    /// As the state of a message. Of a post to a list also `waiting` before it, or its last
    /// change, is said to them, `deleted`, and `not_said` where it is not.
    pub state: String,
    /// Why a post to a list, or its last change, is not said to them: as the reason in a
    /// [`MissedCopy`](crate::list::MissedCopy).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<String>,
}

/// To how many members of a group a message got how far.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Whom it is for.
    pub all: usize,
    /// To whom a network took responsibility, or further.
    pub accepted: usize,
    /// Who has it.
    pub delivered: usize,
    /// Who read it, and told so.
    pub read: usize,
    /// To whom no network can bring it.
    pub failed: usize,
}

/// Which picture a group shall show, to all who are in it: one of the two is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AvatarBody {
    /// A JPEG, PNG or WebP picture, in base64. It is made small, and nothing is kept
    /// of what a camera wrote beside it; but a request of over 1 MiB is refused.
    pub avatar: Option<String>,
    /// Show no picture any more.
    #[serde(default)]
    pub no_avatar: bool,
}

/// Whom to add or remove, or to name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhoBody {
    /// To add: name or id of a contact. Else: name of a member, or their
    /// number.
    pub who: String,
}

/// Whom to make a steward, or no longer one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StewardBody {
    /// Name of a member, or their number.
    pub who: String,
    /// Whether they shall be one.
    pub on: bool,
}

/// Whom to let pass on what others say, or no longer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeraldBody {
    /// Name of a member, or their number.
    pub who: String,
    /// Whether they shall: first of three, of whom the last one goes. Else another comes in
    /// their place.
    pub on: bool,
}

/// A change of a group that cannot be had.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GroupUnchanged {
    /// Name of the group.
    pub name: String,
    /// Why.
    pub reason: String,
}
