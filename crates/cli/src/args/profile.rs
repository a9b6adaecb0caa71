//! Commands about profiles.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    /// Change the name, picture or status that your contacts see; they are told, and what you do
    /// not name stays
    Set(ProfileChange),
    /// Show the name, picture and status that your contacts see
    Show {
        /// Write the picture to this new file
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
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

/// What shall be otherwise about how I am shown.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct ProfileChange {
    /// The name shown to contacts; on this machine the profile keeps the one it was made with
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A picture: JPEG, PNG or WebP. It is made small, and nothing is sent of what the camera
    /// wrote beside it
    #[arg(long, value_name = "FILE", conflicts_with = "no_avatar")]
    pub(crate) avatar: Option<PathBuf>,
    /// Show no picture any more
    #[arg(long)]
    pub(crate) no_avatar: bool,
    /// How things stand, on one line
    #[arg(long, value_name = "TEXT", conflicts_with = "no_status")]
    pub(crate) status: Option<String>,
    /// Show no status any more
    #[arg(long)]
    pub(crate) no_status: bool,
}
