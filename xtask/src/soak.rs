//! `cargo xtask soak`: campaigns too slow for every change.

use std::path::Path;

use crate::command::Run;
use crate::failure::Failure;

/// Tests that read `HUSHWING_SOAK` run more cases, longer and with more
/// crashes; release code, so that hours buy as much as they can.
const CAMPAIGNS: [&[&str]; 1] = [&["test", "--locked", "--workspace", "--release"]];

/// Runs every campaign; the first that fails stops.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    for words in CAMPAIGNS {
        Run::cargo(root, words).env("HUSHWING_SOAK", "1").show()?;
    }
    Ok(())
}
