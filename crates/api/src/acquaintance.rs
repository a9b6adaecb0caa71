//! By what somebody is known, and who wants to know me or is introduced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
