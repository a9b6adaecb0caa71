#![doc = include_str!("../README.md")]

mod args;
mod client;
mod command;
mod output;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind as ParseErrorKind;
use hushwing_daemon::{Error, ErrorKind};

use crate::args::Cli;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let output = if cli.global.json {
        Output::Json
    } else {
        Output::Text
    };
    match command::run(cli, output) {
        Ok(code) => code,
        Err(error) => output.error(&error),
    }
}

/// Help and version go to standard output; a wrong command line is an error
/// that programs get as JSON like any other.
fn refuse(error: &clap::Error) -> ExitCode {
    let wanted = matches!(
        error.kind(),
        ParseErrorKind::DisplayHelp | ParseErrorKind::DisplayVersion
    );
    if !wanted && std::env::args_os().any(|arg| arg == "--json") {
        let message = error.to_string();
        let lines = message.lines().map(str::trim);
        let lines: Vec<&str> = lines
            .take_while(|line| !line.starts_with("Usage:"))
            .collect();
        let message = lines.join(" ");
        let message = message.trim_start_matches("error: ").trim();
        return Output::Json.error(&Error::new(ErrorKind::Usage, message));
    }
    // Printing fails only where the terminal is gone.
    let _ = error.print();
    ExitCode::from(if wanted { 0 } else { 2 })
}
