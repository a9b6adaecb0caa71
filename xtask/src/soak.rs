//! `cargo xtask soak`: campaigns too slow for every change.

use std::path::Path;

use crate::command::Run;
use crate::failure::Failure;
use crate::tests_step;

/// Tests that read `HUSHWING_SOAK` run more cases, longer and with more crashes. All
/// tests run, since which those are is written nowhere else; the others cost minutes.
const TESTS: [&str; 6] = [
    "nextest",
    "run",
    "--locked",
    "--workspace",
    "--profile",
    "soak",
];

/// Runs every campaign to its end, whichever of them fails.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let campaigns = match tests_step::has_nextest(root) {
        true => Run::cargo(root, &[&TESTS[..], &["--cargo-profile", "soak"]].concat()),
        false => {
            let words = ["test", "--locked", "--workspace", "--no-fail-fast"];
            Run::cargo(root, &[&words[..], &["--profile", "soak"]].concat())
        }
    };
    campaigns.env("HUSHWING_SOAK", "1").show()
}
