//! Why a task stopped.

use std::fmt::Write as _;
use std::path::PathBuf;

/// Every way a task can fail, with what a reader can do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// This crate was moved out of its workspace.
    #[error("xtask does not stand inside a workspace")]
    NoRoot,
    /// `--only` named a step that does not exist.
    #[error("no such step: {0}; there are format, house, licences, clippy, docs, tests")]
    NoStep(String),
    /// A program could not be started.
    #[error("cannot start `{command}`: {source}")]
    Start {
        command: String,
        source: std::io::Error,
    },
    /// A program ended with an error of its own, which stands above.
    #[error("`{command}` failed ({status})")]
    Exit { command: String, status: String },
    /// A file could not be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A file does not say what it should.
    #[error("cannot understand {what}: {why}")]
    Parse { what: String, why: String },
    /// A tool that is not there.
    #[error("{0} is not installed: cargo install --locked {0}")]
    Missing(&'static str),
    /// Rules were broken.
    #[error("{} to mend:{}", count(.0.len()), list(.0))]
    Findings(Vec<Finding>),
    /// Steps of a check failed; each has said why.
    #[error("failed: {}", .0.join(", "))]
    Steps(Vec<String>),
}

/// One broken rule: where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// A file, a crate or a room.
    pub(crate) place: String,
    /// What is wrong, and the way out.
    pub(crate) what: String,
}

impl Finding {
    /// A finding at `place`.
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
        }
    }
}

fn count(findings: usize) -> String {
    match findings {
        1 => "1 thing".to_owned(),
        many => format!("{many} things"),
    }
}

fn list(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |mut text, finding| {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {}: {}", finding.place, finding.what);
        text
    })
}
