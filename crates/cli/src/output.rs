//! The only place that prints: JSON documents or text on standard output,
//! diagnostics on standard error.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use hushwing_daemon::{Error, ErrorKind, LevelFilter, log_to, view};
use serde::Serialize;

/// How results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs: one document a line.
    Json,
}

impl Output {
    /// Prints a result: as it is for programs, by `text` for people.
    pub(crate) fn result<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) {
        match self {
            Self::Json => line(&serde_json::to_string(value).unwrap_or_default()),
            Self::Text => {
                let text = text(value);
                if !text.is_empty() {
                    line(&text);
                }
            }
        }
    }

    /// Prints a result that somebody may have stopped waiting for: whether they
    /// read it changes nothing.
    pub(crate) fn announce<T: Serialize>(self, value: &T, text: &str) {
        let line = match self {
            Self::Json => serde_json::to_string(value).unwrap_or_default(),
            Self::Text => text.to_owned(),
        };
        let _ = document(format!("{line}\n").as_bytes());
    }

    /// Tells a person something beside the result; programs are not told.
    pub(crate) fn note(self, text: &str) {
        if self == Self::Text {
            eprintln!("{text}");
        }
    }

    /// Whether a person reads this and can answer.
    pub(crate) fn has_person(self) -> bool {
        self == Self::Text && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Prints an error and gives the exit code that stands for its kind.
    pub(crate) fn error(self, error: &Error) -> ExitCode {
        match self {
            Self::Json => {
                let error = error.into();
                line(&serde_json::to_string(&view::Failure { error }).unwrap_or_default());
            }
            Self::Text => eprintln!("hushwing: {}\n  {}", error.message(), error.advice()),
        }
        exit_code(error.kind())
    }
}

/// Tells people and programs alike, on standard error, what is not as it should
/// be though the command did what it was asked to.
pub(crate) fn warn(text: &str) {
    eprintln!("hushwing: {text}");
}

/// Lets the daemon's log go to standard error; `HUSHWING_LOG` sets how much:
/// `off`, `error`, `warn`, `info`, `debug` or `trace`.
pub(crate) fn log_to_standard_error() {
    let level = std::env::var("HUSHWING_LOG")
        .ok()
        .and_then(|level| level.parse().ok());
    log_to(io::stderr, level.unwrap_or(LevelFilter::INFO));
}

/// Prints text that is a document of its own: a completion script, a manual.
pub(crate) fn document(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// What somebody wrote, so that its later lines cannot pass for lines of ours:
/// a message that holds a line break must not forge the message after it.
pub(crate) fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}

/// A closed pipe (`hushwing watch | head`) is not an error of ours.
fn line(text: &str) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Exit codes: 0 ok, 1 error, 2 usage, 3 daemon not running, 4 not found,
/// 5 timed out waiting.
fn exit_code(kind: ErrorKind) -> ExitCode {
    ExitCode::from(match kind {
        ErrorKind::Usage => 2,
        ErrorKind::DaemonNotRunning | ErrorKind::Locked => 3,
        ErrorKind::NotFound => 4,
        ErrorKind::Timeout => 5,
        _ => 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_forge_the_line_after_it() {
        let forged = "hi\n2026-11-21T04:38:01.392Z  me: I agree";
        let shown = indented(forged);
        assert!(shown.lines().skip(1).all(|line| line.starts_with("    ")));
        assert_eq!(shown.lines().count(), 2);
    }
}
