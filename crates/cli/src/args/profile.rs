//! Commands about profiles.

use clap::Subcommand;

/// Profile commands.
#[derive(Subcommand)]
pub(crate) enum Profile {
    /// Create a profile; the first one is the default
    Create {
        /// Name shown to contacts
        name: String,
        /// Hide it in a slot, under a passphrase; to be used with `--profile`. Open every
        /// other hidden profile first: one that is not open may be overwritten
        #[arg(long)]
        hidden: bool,
        /// The slot to hide it in; one by chance if left out
        #[arg(long, value_name = "0-7", requires = "hidden",
              value_parser = clap::value_parser!(u8).range(0..8))]
        slot: Option<u8>,
    },
    /// Hide a profile that is there, under a passphrase, with all that is in it. Its files are
    /// deleted, but the drive may keep their blocks: who can, creates it hidden. Open every other
    /// hidden profile first: one that is not open may be overwritten
    Hide {
        /// Name of the profile
        name: String,
        /// The slot to hide it in; one by chance if left out
        #[arg(long, value_name = "0-7", value_parser = clap::value_parser!(u8).range(0..8))]
        slot: Option<u8>,
    },
    /// List profiles
    List,
    /// Delete a profile with its contacts, conversations and keys
    Delete {
        /// Name of the profile
        name: String,
        /// Do not ask whether that is meant
        #[arg(long)]
        yes: bool,
    },
}
