//! How long a person waits for the daemon: from starting the program on a
//! fresh home to the first answer of its local API. Wall-clock time.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use hushwing_daemon::Home;

use crate::clock::{Samples, millis};
use crate::process::Process;
use crate::{BenchError, Figure};

/// Starts that are measured.
const STARTS: usize = 7;

/// Name of the profile that [`create_profile`] makes.
pub(crate) const PROFILE: &str = "Bench";

const REQUEST: &[u8] = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// The figure of a start, beside a start of the program that does nothing.
pub(super) fn measure(program: &Path) -> Result<Figure, BenchError> {
    let (mut ready, mut nothing) = (Samples::default(), Samples::default());
    for _ in 0..STARTS {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        let home = Home::at(folder.path().join("home"));
        let started = Instant::now();
        let daemon = start(program, &home)?;
        status(&home)?;
        ready.push(millis(started.elapsed()));
        drop(daemon);

        let started = Instant::now();
        drop(Process::start(program, &["--version"])?);
        nothing.push(millis(started.elapsed()));
    }
    Ok(Figure::new(
        "daemon_ready_ms",
        "ms",
        ready.median(),
        nothing.median(),
    ))
}

pub(crate) fn start(program: &Path, home: &Home) -> Result<Process, BenchError> {
    let home =
        (home.path().to_str()).ok_or(BenchError::Bug("the temporary folder's name is no text"))?;
    let args = ["--home", home, "--json", "up", "--foreground"];
    let (daemon, line) = Process::start(program, &args)?;
    if line.contains("\"error\"") {
        return Err(BenchError::Program(line.trim().to_owned()));
    }
    Ok(daemon)
}

pub(crate) fn status(home: &Home) -> Result<(), BenchError> {
    request(home, REQUEST)
}

/// Creates the profile [`PROFILE`].
pub(crate) fn create_profile(home: &Home) -> Result<(), BenchError> {
    let body = format!("{{\"name\":\"{PROFILE}\"}}");
    let head = "POST /v1/profiles HTTP/1.1\r\nHost: localhost\r\nConnection: close";
    let length = body.len();
    let request_of = format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}");
    request(home, request_of.as_bytes())
}

fn request(home: &Home, sent: &[u8]) -> Result<(), BenchError> {
    let failed = || BenchError::system("ask the daemon");
    let mut stream = UnixStream::connect(home.socket()).map_err(failed())?;
    stream.write_all(sent).map_err(failed())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed())?;
    if answer.starts_with("HTTP/1.1 200") {
        Ok(())
    } else {
        Err(BenchError::Answer(
            answer.lines().next().unwrap_or_default().to_owned(),
        ))
    }
}
