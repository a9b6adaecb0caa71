//! Arguments of the commands about devices.

use clap::{Args, Subcommand};

/// Several devices of one person.
#[derive(Args)]
pub(crate) struct Device {
    #[command(subcommand)]
    pub(crate) action: DeviceAction,
}

/// What to do with devices. Groups and contacts are on all of them; what was said to a contact
/// before stays on the device it was said on.
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
        #[arg(required = true)]
        code: Vec<String>,
        /// What it is handed of what was said before: `all`, `none`, or the last DAYS;
        /// said on the device that lets the new one in
        #[arg(long, value_name = "all|none|DAYS", default_value = "all", value_parser = past)]
        history: Past,
    },
    /// List your devices, and show a link that is under way
    List,
    /// Revoke a device: it reads nothing further
    Revoke {
        /// The device, by name or by number
        name: String,
    },
}

/// What a new device is handed of what was said before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Past {
    /// All of it.
    All,
    /// That of so many days.
    Days(u32),
}

impl Past {
    /// As the local API has it.
    pub(crate) const fn days(self) -> Option<u32> {
        match self {
            Self::All => None,
            Self::Days(days) => Some(days),
        }
    }
}

fn past(typed: &str) -> Result<Past, String> {
    match typed {
        "all" => Ok(Past::All),
        "none" => Ok(Past::Days(0)),
        _ => {
            let days = typed.parse().map(Past::Days);
            days.map_err(|_| "neither `all` nor `none` nor a number of days".to_owned())
        }
    }
}

/// What `device link` is given.
#[derive(Args)]
pub(crate) struct DeviceLink {
    /// The link that the new device shows, or `-` to read it from standard input; without,
    /// this is the new device
    pub(crate) link: Option<String>,
    /// What your other devices call this one; without, as this computer is called, with a number
    /// behind it if the device that lets it in is called so
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What the new device is handed of what was said before: `all`, `none`, or the
    /// last DAYS; without, all
    #[arg(long, value_name = "all|none|DAYS", value_parser = past, requires = "link")]
    pub(crate) history: Option<Past>,
    /// Seconds to wait for the other device
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) timeout: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_none_and_days_are_told_and_nothing_else() {
        assert_eq!(past("all"), Ok(Past::All));
        assert_eq!(past("none"), Ok(Past::Days(0)));
        assert_eq!(past("30"), Ok(Past::Days(30)));
        assert_eq!(past("30").map(Past::days), Ok(Some(30)));
        for typed in ["", "-1", "30 days", "All", "99999999999"] {
            assert!(past(typed).is_err(), "{typed}");
        }
    }
}
