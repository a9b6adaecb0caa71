//! Starting, stopping and looking at the daemon.

use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdout, Command as Process, ExitCode, Stdio};
use std::time::{Duration, Instant};

use hushwing_daemon::{Config, Daemon, Error, ErrorKind, examine, view};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Session, block_on, invitation, passphrase, view};
use crate::args::{Invite, Up};
use crate::client::Path;
use crate::output;

/// How long a daemon may take until it answers, on a slow disk.
const START_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// `up`
pub(super) fn up(session: &Session, up: &Up) -> Result<ExitCode, Error> {
    if up.foreground {
        block_on(foreground(session, up))
    } else {
        block_on(background(session, up))
    }
}

async fn foreground(session: &Session, up: &Up) -> Result<ExitCode, Error> {
    output::log_to_standard_error();
    let config = Config {
        home: session.home.clone(),
        lan: up.lan,
    };
    let daemon = Daemon::start(
        config,
        passphrase::needed(&session.home)?
            .as_ref()
            .map(passphrase::secret),
    )
    .await?;
    if up.lan {
        output::warn(LAN_WARNING);
    }
    // Who started it may have given up, as after a slow start; it serves all the
    // same.
    let ready = json!({ "socket": session.home.socket() });
    session.output.announce(&ready, "ready");
    daemon.until_stopped().await?;
    Ok(ExitCode::SUCCESS)
}

const LAN_WARNING: &str =
    "links made from now on show this machine's address to whoever holds them";

async fn background(session: &Session, up: &Up) -> Result<ExitCode, Error> {
    if session.client.get(&Path::new(["status"])).await.is_ok() {
        return Err(Error::new(
            ErrorKind::AlreadyRunning,
            "a daemon already serves this home",
        ));
    }
    start(session, up.lan).await?;
    if up.lan {
        output::warn(LAN_WARNING);
    }
    let status = show_status(session).await?;
    if let Some(problem) = status.networks.relay.embedded_problem {
        output::warn(&format!("{}\n  {}", problem.message, problem.advice));
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts a daemon of its own process group and waits until it answers.
async fn start(session: &Session, lan: bool) -> Result<(), Error> {
    let cannot =
        |what: &str, error: io::Error| Error::new(ErrorKind::Internal, format!("{what}: {error}"));
    let home = &session.home;
    home.create()
        .map_err(|error| Error::system("make the home folder", home.path(), &error))?;
    let passphrase = passphrase::needed(home)?;
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(home.log())
        .map_err(|error| Error::system("open", &home.log(), &error))?;
    let program =
        std::env::current_exe().map_err(|error| cannot("cannot find this program", error))?;
    let mut process = Process::new(program);
    process
        .arg("--home")
        .arg(session.home.path())
        .args(["--json", "up", "--foreground"]);
    for variable in passphrase::VARIABLES {
        process.env_remove(variable);
    }
    if lan {
        process.arg("--lan");
    }
    let mut child = process
        .stdin(if passphrase.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(|error| cannot("cannot start the daemon", error))?;
    if let (Some(passphrase), Some(mut input)) = (passphrase, child.stdin.take()) {
        // It fails where the child ended at once; its reason is read below.
        let _ = input.write_all(passphrase.as_bytes());
    }
    match timeout(START_LIMIT, first_line(child.stdout.take())).await {
        Ok(line) => outcome(&line),
        Err(_) => Err(Error::new(ErrorKind::Timeout, "the daemon does not answer")
            .with_advice("see `hushwing log`")),
    }
}

/// What a daemon prints once it serves, or once it gave up; nothing if it prints
/// nothing. Waits in a thread of its own, which nobody has to wait for.
async fn first_line(printed: Option<ChildStdout>) -> String {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = printed.map(|printed| BufReader::new(printed).read_line(&mut line));
        // It fails where the limit has passed.
        let _ = tell.send(read.map_or_else(String::new, |_| line));
    });
    told.await.unwrap_or_default()
}

/// Judges the first document a daemon printed.
fn outcome(line: &str) -> Result<(), Error> {
    if let Ok(view::Failure { error }) = serde_json::from_str(line) {
        return Err(error.into());
    }
    match serde_json::from_str::<Value>(line) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::new(
            ErrorKind::Internal,
            "the daemon ended while starting",
        )),
    }
}

/// `down`
pub(super) async fn down(session: &Session) -> Result<(), Error> {
    stop(session).await?;
    session
        .output
        .result(&json!({ "stopped": true }), |_| "stopped".into());
    Ok(())
}

/// Stops the daemon; returns once nobody answers any more.
pub(super) async fn stop(session: &Session) -> Result<(), Error> {
    session
        .client
        .post(&Path::new(["shutdown"]), &json!({}))
        .await?;
    let started = Instant::now();
    while started.elapsed() < START_LIMIT {
        if session.client.get(&Path::new(["status"])).await.is_err() {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    Err(Error::new(
        ErrorKind::Timeout,
        "the daemon is still stopping",
    ))
}

/// `status`
pub(super) async fn status(session: &Session) -> Result<(), Error> {
    show_status(session).await.map(drop)
}

async fn show_status(session: &Session) -> Result<view::Status, Error> {
    let status: view::Status = view(session.client.get(&Path::new(["status"])).await?)?;
    session.output.result(&status, describe);
    Ok(status)
}

fn describe(status: &view::Status) -> String {
    let profiles: Vec<String> = status.profiles.iter().map(profile_named).collect();
    let profiles = if profiles.is_empty() {
        "none yet".to_owned()
    } else {
        profiles.join(", ")
    };
    let relay = &status.networks.relay;
    let servers = match (&relay.embedded, relay.servers.as_slice()) {
        (Some(embedded), []) => format!("{embedded} (embedded)"),
        (_, servers) => servers.join("\n           "),
    };
    let relays: String = relay.relays.iter().map(relay_line).collect();
    let lost: String = status
        .lost_mailboxes
        .iter()
        .map(|lost| {
            format!(
                "\nlost       the mailbox for {}, profile {}: `hushwing doctor` says what to do",
                lost.name, lost.profile
            )
        })
        .collect();
    let problem = relay
        .embedded_problem
        .as_ref()
        .map_or_else(String::new, |problem| {
            format!(
                "\nproblem    {}\n           {}",
                problem.message, problem.advice
            )
        });
    format!(
        "hushwing {}\nprofiles   {profiles}\nrelay      {servers}{problem}{relays}{lost}",
        status.version
    )
}

/// What a profile is called, and whether another device revoked it.
pub(super) fn profile_named(profile: &view::Profile) -> String {
    match profile.revoked {
        true => format!("{} (revoked by another device)", profile.profile),
        false => profile.profile.clone(),
    }
}

/// How one profile stands with one relay.
fn relay_line(relay: &view::Relay) -> String {
    let embedded = if relay.embedded { " (embedded)" } else { "" };
    let mailboxes = match relay.mailboxes {
        0 => String::new(),
        1 => ", 1 mailbox".to_owned(),
        more => format!(", {more} mailboxes"),
    };
    let leaving = if relay.leaving { ", being left" } else { "" };
    let state = match relay.state.as_str() {
        "wrong_server" => "not used",
        "idle" => "idle, connects when needed",
        state => state,
    };
    let since = (relay.since.iter()).map(|since| format!(" since {since}"));
    let problem = (relay.problem.iter()).map(|problem| format!("; {problem}"));
    let next = (relay.next_try.iter()).map(|next| format!("; next try {next}"));
    let rest: String = since.chain(problem).chain(next).collect();
    format!(
        "\nrelay {:<4} {}{embedded}, profile {}{mailboxes}{leaving}: {state}{rest}",
        relay.number, relay.place, relay.profile
    )
}

/// Whether no daemon runs.
pub(super) fn is_off(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::DaemonNotRunning | ErrorKind::Locked)
}

/// `doctor`
pub(super) async fn doctor(session: &Session) -> Result<ExitCode, Error> {
    let checks = match session.client.get(&Path::new(["doctor"])).await {
        Ok(checks) => checks,
        Err(error) if is_off(error.kind()) => without_daemon(session, &error),
        Err(error) => return Err(error),
    };
    let healthy = checks.as_array().is_some_and(|checks| {
        checks
            .iter()
            .all(|check| check.get("ok") == Some(&Value::Bool(true)))
    });
    session.output.result(&checks, |checks| {
        checks
            .as_array()
            .into_iter()
            .flatten()
            .map(check_line)
            .collect::<Vec<_>>()
            .join("\n")
    });
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What can be told where no daemon answers. It may not start because of a
/// damaged file, so those are looked through here.
fn without_daemon(session: &Session, error: &Error) -> Value {
    let daemon = json!({ "check": "daemon", "ok": false, "advice": error.advice() });
    let files = passphrase::needed(&session.home).and_then(|typed| {
        examine(
            &session.home,
            typed.as_ref().map(passphrase::secret).as_ref(),
        )
    });
    let files = match files {
        Ok(checks) => json!(checks),
        Err(error) => json!([{
            "check": "files",
            "ok": false,
            "advice": format!("{error}: {}", error.advice()),
        }]),
    };
    let rest = files.as_array().cloned().unwrap_or_default();
    Value::Array([vec![daemon], rest].concat())
}

fn check_line(check: &Value) -> String {
    let field = |name: &str| check.get(name).and_then(Value::as_str).unwrap_or_default();
    if check.get("ok") == Some(&Value::Bool(true)) {
        format!("ok    {}", field("check"))
    } else {
        format!("FAIL  {}: {}", field("check"), field("advice"))
    }
}

/// Bare `hushwing`: makes sure a daemon runs. A person at a terminal gets all
/// that is needed to meet somebody; a program gets what `status` gives.
pub(super) async fn welcome(session: &Session) -> Result<ExitCode, Error> {
    if session.client.get(&Path::new(["status"])).await.is_err() {
        match start(session, false).await {
            // Another call was quicker.
            Err(error) if error.kind() == ErrorKind::AlreadyRunning => {}
            started => started?,
        }
    }
    if session.output.has_person() {
        let fresh = Invite {
            qr: true,
            ..Invite::default()
        };
        invitation::invite(session, fresh).await?;
        session.output.note(NEXT);
        return Ok(ExitCode::SUCCESS);
    }
    let profiles: Vec<view::Profile> = view(session.client.get(&Path::new(["profiles"])).await?)?;
    if profiles.is_empty() {
        return Err(Error::new(ErrorKind::NoProfile, "there is no profile yet"));
    }
    status(session).await?;
    Ok(ExitCode::SUCCESS)
}

/// The two commands to type once somebody has the link.
const NEXT: &str = "
then:
  hushwing watch               shows when they open it, and what they say
  hushwing send NAME 'hello'   writes to them; `hushwing help` lists everything else";
