//! By what somebody is known, and who wants to know me or is introduced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::FormerName;

/// One row of `GET /v1/contacts`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// Shown name.
    pub name: String,
    /// Id of the contact.
    pub contact: String,
    /// Beginning of that id, as long as tells it apart from those of all others.
    pub short: String,
    /// Id of the conversation.
    pub conversation: String,
    /// Whether the safety number was compared.
    pub verified: bool,
    /// When it was compared last, RFC 3339 UTC.
    #[serde(default)]
    pub verified_at: Option<String>,
    /// How: `number` or `code`.
    #[serde(default)]
    pub verified_by: Option<String>,
    /// They were verified until then: the number changed, and nobody compared it
    /// again.
    #[serde(default)]
    pub withdrawn_at: Option<String>,
    /// Since when their key is known here.
    #[serde(default)]
    pub key_since: Option<String>,
    /// How it changed, oldest first; the last 16.
    #[serde(default)]
    pub key_changes: Vec<KeyChange>,
    /// What whoever introduced them was called then.
    #[serde(default)]
    pub introduced_by: Option<String>,
    /// `confirmed` if both were told the same, `unconfirmed` before they said so,
    /// `disputed` if not.
    #[serde(default)]
    pub introduction: Option<String>,
    /// Name of the group whose link one of us opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Networks they can be reached on.
    pub networks: Vec<String>,
    /// `joining`, `requested`, `connected`, `broken` or `restoring`.
    #[schemars(extend("enum" = ["joining", "requested", "connected", "broken", "restoring"]))]
    pub state: String,
    /// Whether what they receive is protected against a later theft of keys.
    pub forward_secrecy: bool,
    /// Whether a relay lost the mailbox they write to and they are not known to
    /// write to another yet: what they say does not arrive.
    pub mailbox_lost: bool,
    /// What can be shown to others of the conversation: `normal`, `provable` or `otr`.
    #[serde(default = "normal")]
    #[schemars(extend("enum" = ["normal", "provable", "otr"]))]
    pub mode: String,
    /// Letters of theirs that were dropped since the daemon started: malformed,
    /// repeated, or more than are kept.
    #[serde(default)]
    pub dropped: u64,
    /// Whether nothing is heard from them.
    #[serde(default)]
    pub blocked: bool,
    /// With how many devices they are in the conversation.
    #[serde(default = "one")]
    pub devices: usize,
    /// Whether another contact has the same shown name; the id tells them apart.
    #[serde(default)]
    pub namesake: bool,
    /// What they call themselves.
    #[serde(default)]
    pub own_name: Option<String>,
    /// How things stand with them, in their words.
    #[serde(default)]
    pub status: Option<String>,
    /// Another text if they show another picture; none if they show none.
    #[serde(default)]
    pub avatar: Option<String>,
    /// What they called themselves before, oldest first; the last 8.
    #[serde(default)]
    pub former_names: Vec<FormerName>,
}

fn normal() -> String {
    "normal".to_owned()
}

fn one() -> usize {
    1
}

/// A change of a contact's key, or of what else the safety number says.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyChange {
    /// When it was seen, RFC 3339 UTC.
    pub at: String,
    /// `planned_key` once, after a reusable link; `key`; `conversation` if it was
    /// begun anew; `own_key`; `restored` where they put a backup back.
    #[schemars(extend("enum" = ["planned_key", "key", "conversation", "own_key", "restored"]))]
    pub change: String,
    /// Whether they were verified before, and are not any more.
    pub withdrew_verification: bool,
}

/// One row of `GET /v1/requests`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Number to accept or refuse it by.
    pub request: u64,
    /// The name they gave themselves.
    pub name: String,
    /// When it came, RFC 3339 UTC.
    pub received_at: String,
    /// `link`: a stranger opened a reusable link; `introduction`: a contact
    /// offers to introduce them, and the name is what that contact calls them;
    /// `group`: a contact asks me into a group of that name.
    #[serde(default)]
    pub kind: String,
    /// `waiting` for a decision; of introductions also `agreed` while the other
    /// decides, `meeting`, and in events `met`, `lapsed` and `failed`.
    #[serde(default)]
    pub state: String,
    /// Shown name of the contact who introduces, or asks me in.
    #[serde(default)]
    pub introduced_by: Option<String>,
    /// Name of the group whose link a stranger opened: accepting lets them into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What that contact says about it.
    #[serde(default)]
    pub word: Option<String>,
    /// Whether a contact has that name already; it may be them or not.
    #[serde(default)]
    pub name_known: bool,
}

/// `POST /v1/introductions`, and one row of `GET /v1/introductions`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Introduction {
    /// Its number.
    pub introduction: u64,
    /// Shown name of the one.
    pub one: String,
    /// Shown name of the other.
    pub other: String,
    /// When they were asked, RFC 3339 UTC.
    pub since: String,
    /// `asked`, `agreed` once both did, `introduced` once the link was passed on.
    pub state: String,
}

/// `GET /v1/contacts/NAME/safety`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Safety {
    /// Shown name.
    pub name: String,
    /// Sixty digits in twelve groups; equal on both sides.
    pub safety_number: String,
    /// The same to be shown as a QR code: `hushwing:v#…`.
    #[serde(default)]
    pub code: String,
    /// Whether it was compared.
    pub verified: bool,
    /// As in [`Contact`](crate::view::Contact).
    #[serde(default)]
    pub verified_at: Option<String>,
    /// As in [`Contact`](crate::view::Contact).
    #[serde(default)]
    pub verified_by: Option<String>,
    /// As in [`Contact`](crate::view::Contact).
    #[serde(default)]
    pub withdrawn_at: Option<String>,
}
