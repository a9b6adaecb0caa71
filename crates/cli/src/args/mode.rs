//! Arguments of the commands about what can be shown to others.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Whether a conversation can be proved to others.
#[derive(Args)]
pub(crate) struct Mode {
    /// The contact, by name or id
    pub(crate) name: String,
    /// What it shall be; left out, it is shown. It is provable, or off the record, while both
    /// sides wish it, and either side ends that alone
    pub(crate) mode: Option<ModeName>,
}

/// What can be shown to others of a conversation.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ModeName {
    /// Nothing beyond what the encryption itself signs
    Normal,
    /// Every message and receipt, signed for others to check
    Provable,
    /// Nothing at all: what is said is off the record
    Otr,
}

impl ModeName {
    /// Its name in the local API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Provable => "provable",
            Self::Otr => "otr",
        }
    }
}

/// How to prove a message.
#[derive(Args)]
pub(crate) struct Prove {
    /// Id of the message, mine or theirs, or the beginning of it
    pub(crate) id: String,
    /// New file to write; without it, the proof is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// What to check.
#[derive(Args)]
pub(crate) struct CheckProof {
    /// The file
    pub(crate) file: PathBuf,
}
