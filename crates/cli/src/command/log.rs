//! The daemon's log.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::process::ExitCode;
use std::time::Duration;

use hushwing_daemon::{Error, ErrorKind};
use serde::Serialize;

use super::Session;
use crate::args::Log;

/// Between two looks for what was added.
const LOOKS: Duration = Duration::from_millis(200);

/// One line of the log.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line<'a> {
    at: Option<&'a str>,
    level: Option<&'a str>,
    target: Option<&'a str>,
    message: &'a str,
}

impl<'a> Line<'a> {
    /// Takes a line apart, `TIME LEVEL TARGET: MESSAGE`; any other one is a
    /// message as it stands.
    fn of(text: &'a str) -> Self {
        Self::parse(text).unwrap_or(Self {
            at: None,
            level: None,
            target: None,
            message: text,
        })
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (at, rest) = text.split_once(' ')?;
        let (level, rest) = rest.trim_start().split_once(' ')?;
        let (target, message) = rest.split_once(": ")?;
        let is_level = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level);
        is_level.then_some(Self {
            at: Some(at),
            level: Some(level),
            target: Some(target),
            message,
        })
    }
}

/// `log`
pub(super) fn log(session: &Session, log: &Log) -> Result<ExitCode, Error> {
    let missing = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::new(
            ErrorKind::NotFound,
            "there is no log yet: no daemon ever ran on this home",
        )
        .with_advice("start one with `hushwing up`; with `--foreground` it logs to the terminal"),
        _ => Error::system("read", &session.home.log(), &error),
    };
    let mut file = BufReader::new(File::open(session.home.log()).map_err(missing)?);
    let mut line = Vec::new();
    loop {
        let unreadable =
            |error| Error::new(ErrorKind::BadFile, format!("cannot read the log: {error}"));
        let read = file.read_until(b'\n', &mut line).map_err(unreadable)?;
        let whole = line.ends_with(b"\n");
        if !line.is_empty() && (whole || !log.follow) {
            let text = String::from_utf8_lossy(&line);
            session
                .output
                .result(&Line::of(text.trim_end()), |_| text.trim_end().to_owned());
            line.clear();
        }
        match (read, log.follow) {
            (0, false) => return Ok(ExitCode::SUCCESS),
            (0, true) => std::thread::sleep(LOOKS),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_and_a_strange_one_kept_whole() {
        let line = "2026-11-21T14:05:01.120Z  INFO hushwing_daemon::relays: relay 1: connected";
        let expected = Line {
            at: Some("2026-11-21T14:05:01.120Z"),
            level: Some("INFO"),
            target: Some("hushwing_daemon::relays"),
            message: "relay 1: connected",
        };
        assert_eq!(Line::of(line), expected);
        for strange in ["", "hushwing: a note", "a b c: d", "thread 'x' panicked"] {
            let line = Line::of(strange);
            assert_eq!((line.level, line.message), (None, strange));
        }
    }
}
