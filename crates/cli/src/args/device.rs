//! Arguments of the commands about devices.

use clap::{Args, Subcommand};

/// Several devices of one person.
#[derive(Args)]
pub(crate) struct Device {
    #[command(subcommand)]
    pub(crate) action: DeviceAction,
}

/// What to do with devices. Groups are on all of them; a conversation of two stays on the
/// device it was begun on.
#[derive(Subcommand)]
pub(crate) enum DeviceAction {
    /// Link a new device: shows a link there, and lets the device in here whose link is given
    ///
    /// On the new device, in a new profile: `hushwing device link`. On one you have:
    /// `hushwing device link LINK`. Both then show six digits; compare them, and confirm on
    /// the device you have. The link works once, for ten minutes.
    Link(DeviceLink),
    /// Let the new device in, after comparing the six digits
    Confirm {
        /// The digits, as the new device shows them
        code: String,
    },
    /// List your devices, and show a link that is under way
    List,
    /// Revoke a device: it reads nothing further
    Revoke {
        /// The device, by name, or by number where several are called so
        name: String,
    },
}

/// What `device link` is given.
#[derive(Args)]
pub(crate) struct DeviceLink {
    /// The link that the new device shows, or `-` to read it from standard input; without,
    /// this is the new device
    pub(crate) link: Option<String>,
    /// What your other devices call this one
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Seconds to wait for the other device
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) timeout: u64,
}
