//! Commands about backups.

use std::path::PathBuf;

use clap::Args;

/// What to back up.
#[derive(Args)]
pub(crate) struct Backup {
    /// File to write
    pub(crate) file: PathBuf,
    /// Replace a file of that name
    #[arg(long)]
    pub(crate) force: bool,
    /// Ask for no passphrase: a recovery code is made and shown once. So it is, too, where an
    /// empty passphrase is given
    #[arg(long)]
    pub(crate) code: bool,
}

/// What to restore.
#[derive(Args)]
pub(crate) struct Restore {
    /// The file that `backup` wrote
    pub(crate) file: PathBuf,
    /// What the profile shall be called here; without it, as it was
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
}
