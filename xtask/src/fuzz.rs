//! `cargo xtask fuzz`: one decoder under libFuzzer.

use std::path::Path;

use serde::Deserialize;

use crate::command::Run;
use crate::config;
use crate::failure::Failure;

const MANIFEST: &str = "fuzz/Cargo.toml";

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    bin: Vec<Binary>,
}

#[derive(Deserialize)]
struct Binary {
    name: String,
}

/// Runs `target` for `seconds`, or lists the targets.
///
/// The pinned stable compiler is told to accept the sanitizer flags that
/// cargo-fuzz passes, so that no second toolchain has to be kept.
pub(crate) fn run(root: &Path, target: Option<&str>, seconds: u32) -> Result<(), Failure> {
    let targets = targets(&config::read(root, MANIFEST)?)?;
    let Some(target) = target else {
        println!("{}", targets.join("\n"));
        return Ok(());
    };
    if !targets.iter().any(|name| name == target) {
        return Err(Failure::Parse {
            what: format!("the target {target}"),
            why: format!("there are {}", targets.join(", ")),
        });
    }
    if !Run::cargo(root, &["fuzz", "--version"]).works() {
        return Err(Failure::Missing("cargo-fuzz"));
    }
    let limit = format!("-max_total_time={seconds}");
    Run::cargo(root, &["fuzz", "run", target, "--", &limit])
        .env("RUSTC_BOOTSTRAP", "1")
        .show()
}

fn targets(manifest: &str) -> Result<Vec<String>, Failure> {
    let manifest: Manifest = config::parse(MANIFEST, manifest)?;
    Ok(manifest.bin.into_iter().map(|bin| bin.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_binaries_of_the_manifest() {
        let manifest = "[package]\nname = \"fuzz\"\n[[bin]]\nname = \"smp_block\"\n";
        assert_eq!(targets(manifest).unwrap(), ["smp_block"]);
    }
}
