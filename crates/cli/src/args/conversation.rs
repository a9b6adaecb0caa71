//! Commands about conversations as a whole, and about what was said in them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with contacts.
#[derive(Args)]
pub(crate) struct Contacts {
    #[command(subcommand)]
    pub(crate) action: Option<ContactAction>,
}

/// What to do with a contact.
#[derive(Subcommand)]
pub(crate) enum ContactAction {
    /// Show one contact: what they call themselves and did before, how things stand with them
    Info {
        /// The contact, by name or id
        name: String,
    },
    /// Write the picture that a contact shows to a file
    Avatar {
        /// The contact, by name or id
        name: String,
        /// The new file; nothing of it was looked at, so open it with a program you trust
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Forget a contact with all that was said; they are not told
    Remove {
        /// The contact, by name or id
        name: String,
        /// Do not ask whether that is meant
        #[arg(long)]
        yes: bool,
    },
}

/// A conversation.
#[derive(Args)]
pub(crate) struct Name {
    /// The contact or group, by name or id
    pub(crate) name: String,
}

/// A conversation, and whether to undo something.
#[derive(Args)]
pub(crate) struct Switched {
    /// The contact or group, by name or id
    pub(crate) name: String,
    /// Undo it
    #[arg(long)]
    pub(crate) off: bool,
}

/// How to list conversations.
#[derive(Args)]
pub(crate) struct Conversations {
    /// Also those that are archived
    #[arg(long)]
    pub(crate) all: bool,
}

/// What to look for.
#[derive(Args)]
pub(crate) struct Search {
    /// Words that all have to be found, or their beginnings; none has a special meaning
    #[arg(required = true)]
    pub(crate) text: Vec<String>,
    /// Look only in the conversation with this contact, or in this group
    #[arg(long = "in", value_name = "NAME")]
    pub(crate) within: Option<String>,
    /// How many of the last found
    #[arg(short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
}

/// When messages disappear.
#[derive(Args)]
pub(crate) struct Disappear {
    /// The contact or group, by name or id
    pub(crate) name: String,
    /// How long after they were read: `30s`, `10m`, `8h`, `7d`, `4w`; `off` if they shall stay.
    /// Without it, what holds now is shown
    #[arg(value_parser = duration)]
    pub(crate) after: Option<u32>,
}

/// For how long nothing new draws attention.
#[derive(Args)]
pub(crate) struct Mute {
    /// The contact or group, by name or id
    pub(crate) name: String,
    /// For how long: `30m`, `8h`, `7d`; without end if left out; `off` to end it
    #[arg(value_parser = duration)]
    pub(crate) span: Option<u32>,
}

/// What to pin.
#[derive(Args)]
pub(crate) struct Pin {
    /// The contact whose conversation is shown before others
    #[arg(required_unless_present = "message", conflicts_with = "message")]
    pub(crate) name: Option<String>,
    /// A message to be found again, by its id or the beginning of it
    #[arg(long, value_name = "ID")]
    pub(crate) message: Option<String>,
    /// Undo it
    #[arg(long)]
    pub(crate) off: bool,
}

/// What is unread.
#[derive(Args)]
pub(crate) struct Unread {
    /// Mark the conversation with this contact, or this group, to be looked at again; without
    /// it, those with something unread are listed
    pub(crate) name: Option<String>,
    /// Undo it
    #[arg(long, requires = "name")]
    pub(crate) off: bool,
}

/// What was begun to write.
#[derive(Args)]
pub(crate) struct Draft {
    /// The contact or group, by name or id
    pub(crate) name: String,
    /// The text so far, or `-` to read it from standard input; without it, the draft is shown
    #[arg(conflicts_with = "clear")]
    pub(crate) text: Option<String>,
    /// Message it answers, by its id or the beginning of it
    #[arg(long, value_name = "ID", requires = "text")]
    pub(crate) reply: Option<String>,
    /// Throw the draft away
    #[arg(long)]
    pub(crate) clear: bool,
}

/// What to report.
#[derive(Args)]
pub(crate) struct Report {
    /// The contact or group, by name or id
    pub(crate) name: String,
    /// Write it to this file; without it, it is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How many of the newest messages
    #[arg(short = 'n', value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
}

/// Seconds of a span such as `10m`; 0 for `off`.
fn duration(typed: &str) -> Result<u32, String> {
    if typed == "off" {
        return Ok(0);
    }
    let wrong = || "a number with s, m, h, d or w, or `off`".to_owned();
    let unit = typed.chars().next_back().ok_or_else(wrong)?;
    let seconds: u32 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let count = typed.strip_suffix(unit).unwrap_or_default();
    let count: u32 = count.parse().map_err(|_| wrong())?;
    match count.checked_mul(seconds) {
        Some(0) => Err("more than nothing, or `off`".to_owned()),
        Some(seconds) => Ok(seconds),
        None => Err("that is too long".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_a_unit() {
        assert_eq!(duration("90s"), Ok(90));
        assert_eq!(duration("2w"), Ok(1_209_600));
        assert_eq!(duration("off"), Ok(0));
        for wrong in ["", "m", "0m", "5", "5y", "-5m", "5ü", "99999999w"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
