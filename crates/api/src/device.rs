//! Devices of one account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /v1/devices`, and the answer of all that changes them.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Devices {
    /// `alone` where this is the only device, `restored` where a backup was put back that
    /// knew others, `waiting` to be let in, `linked`, `out` where it was revoked, or `broken`.
    pub state: String,
    /// The devices, this one included.
    pub devices: Vec<Device>,
    /// The link this device shows to be linked by, once it has one.
    pub link: Option<String>,
    /// Until when that can be used, RFC 3339 UTC.
    pub expires: Option<String>,
    /// Six digits that the old device and the new one both show; to be compared before
    /// they are confirmed on the old one.
    pub code: Option<String>,
    /// What the new device calls itself that waits here for the code to be confirmed.
    pub newcomer: Option<String>,
    /// The device in whose place that one wants to be, as one that was put back from a
    /// backup: confirmed, it revokes it.
    pub replaces: Option<String>,
    /// Whether the code is to be confirmed on this device as well, which was put back from a
    /// backup and has groups to tell of.
    pub asks_here: bool,
    /// What the profile on the other side of the link calls itself. Nothing proves it but
    /// the code.
    pub profile: Option<String>,
    /// How far this device is with what was said before it came.
    pub history: Option<History>,
    /// How many changes of mine are under way, or can still be undone.
    pub changing: usize,
}

impl core::fmt::Debug for Devices {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Devices")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What a device takes of what was said in groups and conversations of two before it came.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// Messages that came, and changes of them, as far as they were not here.
    pub taken: u64,
    /// Groups and conversations of two of which not all came.
    pub open: usize,
    /// Whether no device is left that could hand over the rest.
    pub cut: bool,
}

/// One device.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Its number, for where names are the same.
    pub device: u64,
    /// What it calls itself.
    pub name: String,
    /// Whether it is this one.
    pub me: bool,
    /// Whether it is known where to write to it.
    pub reachable: bool,
    /// Whether this one was linked with it when the backup was made that was put back here,
    /// and is not now.
    pub parted: bool,
}

/// What this device is called.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowBody {
    /// By what name the others know it.
    pub name: String,
}

/// The new device to link.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    /// The link that it shows.
    pub link: String,
    /// By what name the others know this one; what was said before stands.
    pub name: String,
}

/// The digits that a person compared.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeBody {
    /// Six digits, with or without a space.
    pub code: String,
    /// Of how many days what was said is handed to the new device; of all time if
    /// not given.
    #[serde(default)]
    pub history_days: Option<u32>,
}

/// A device that cannot be let in or revoked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DevicesUnchanged {
    /// Why.
    pub reason: String,
}
