//! Documents and bodies about hidden profiles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::backup::Secret;

/// What hidden profile to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HideBody {
    /// Its name.
    pub name: String,
    /// What shall open it. Nobody can reset it.
    pub passphrase: Secret,
    /// The slot it shall lie in, 0 to 7; one by chance without it. What lies there
    /// is gone.
    pub slot: Option<u8>,
}

/// How to hide a profile that is there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlotBody {
    /// What shall open it. Nobody can reset it.
    pub passphrase: Secret,
    /// The slot it shall lie in, 0 to 7; one by chance without it. What lies there
    /// is gone.
    pub slot: Option<u8>,
}

/// What hidden profile to open.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenBody {
    /// Its name.
    pub name: String,
    /// Its passphrase.
    pub passphrase: Secret,
}

/// A hidden profile that is open until the daemon stops.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// Its name.
    pub profile: String,
    /// Who sends it in the header `authorization: Bearer TOKEN` sees the profile
    /// and may act as it; to others it does not exist.
    pub token: Secret,
}
