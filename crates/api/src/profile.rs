//! How people want to be shown: what I tell contacts of myself, and they me.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Its name, shown to contacts.
    pub profile: String,
    /// Whether commands without `--profile` use it.
    pub default: bool,
    /// Whether another device of its account revoked it here: it shows what it has, and
    /// changes nothing elsewhere any more.
    #[serde(default)]
    pub revoked: bool,
}

/// What shall be otherwise; what is not named stays. Contacts are told.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileBody {
    /// My name.
    pub name: Option<String>,
    /// A JPEG, PNG or WebP picture, in base64. It is made small, and nothing is kept
    /// of what a camera wrote beside it; but a request of over 1 MiB is refused.
    pub avatar: Option<String>,
    /// Show no picture any more.
    #[serde(default)]
    pub no_avatar: bool,
    /// How things stand, on one line.
    pub status: Option<String>,
    /// Show no status any more.
    #[serde(default)]
    pub no_status: bool,
}

/// `GET /v1/profile`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MyProfile {
    /// What the profile is called on this machine.
    pub profile: String,
    /// The name shown to contacts.
    pub name: String,
    /// How things stand.
    pub status: Option<String>,
    /// The picture as contacts see it.
    pub avatar: Option<Picture>,
}

/// `GET /v1/contacts/NAME/avatar` and `GET /v1/groups/NAME/avatar`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Picture {
    /// `image/jpeg`, `image/png` or `image/webp`.
    #[schemars(extend("enum" = ["image/jpeg", "image/png", "image/webp"]))]
    pub media_type: String,
    /// The file, in base64: at most 6 KiB, and by its head at most 512 pixels on a side.
    /// Nothing more of it was looked at, and it is the work of whoever sent it.
    pub picture: String,
}

/// What somebody called themselves before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FormerName {
    /// The name.
    pub name: String,
    /// Until when, RFC 3339 UTC.
    pub until: String,
}

/// A contact calls themselves otherwise.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NameChanged {
    /// Id of the contact.
    pub contact: Option<String>,
    /// Their shown name, which is the one I gave them, if I did.
    pub name: String,
    /// What they called themselves.
    pub before: String,
    /// What they call themselves now.
    pub now: String,
}
