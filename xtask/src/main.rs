//! `cargo xtask`: the checks of the house, the same here and in CI.
//!
//! `check` runs every step, `house` only the rules about rooms and files,
//! `soak` the slow campaigns, `fuzz` one decoder. Rules and limits are data,
//! in `house.toml` and `deny.toml`; this program compares.

// A command-line tool talks on the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod check;
mod command;
mod config;
mod failure;
mod fuzz;
mod house;
mod licences;
mod soak;
mod tests_step;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arguments::{Arguments, Task};
use failure::Failure;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let arguments = match Arguments::parse(&words) {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}\n\n{}", arguments::HELP);
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let root = root()?;
    match &arguments.task {
        Task::Help => {
            println!("{}", arguments::HELP);
            Ok(())
        }
        Task::Check { only } => check::run(&root, only),
        Task::House { write: true } => house::write(&root),
        Task::House { write: false } => house::run(&root),
        Task::Soak => soak::run(&root),
        Task::Fuzz { target, seconds } => fuzz::run(&root, target.as_deref(), *seconds),
    }
}

/// The workspace's root: the folder above this crate's manifest.
fn root() -> Result<PathBuf, Failure> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .ok_or(Failure::NoRoot)
}
