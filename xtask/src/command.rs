//! Starting other programs.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// A command to be run in the workspace's root.
pub(crate) struct Run {
    command: Command,
    shown: String,
}

impl Run {
    /// `cargo` with `words`, the same cargo that built this program.
    pub(crate) fn cargo(root: &Path, words: &[&str]) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(root).args(words);
        Self {
            command,
            shown: format!("cargo {}", words.join(" ")),
        }
    }

    /// Adds one environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.shown = format!("{name}='{value}' {}", self.shown);
        self
    }

    /// Runs it on this terminal, showing the command first.
    pub(crate) fn show(mut self) -> Result<(), Failure> {
        println!("$ {}", self.shown);
        let status = self.command.status().map_err(|source| Failure::Start {
            command: self.shown.clone(),
            source,
        })?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::Exit {
            command: self.shown,
            status: status.to_string(),
        })
    }

    /// Runs it and returns what it wrote to standard output.
    pub(crate) fn read(mut self) -> Result<String, Failure> {
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|source| Failure::Start {
                command: self.shown.clone(),
                source,
            })?;
        if !output.status.success() {
            return Err(Failure::Exit {
                command: self.shown,
                status: output.status.to_string(),
            });
        }
        String::from_utf8(output.stdout).map_err(|error| Failure::Parse {
            what: format!("the output of `{}`", self.shown),
            why: error.to_string(),
        })
    }

    /// Whether it can be run at all; its output is thrown away.
    pub(crate) fn works(mut self) -> bool {
        self.command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}
