//! Real processes on real sockets: a relay and people, each in a folder of
//! their own, talked to by the command line and its JSON.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_hushwing");

/// What one call of the program gave.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) stderr: String,
}

impl Answer {
    pub(crate) fn of(output: &Output) -> Self {
        let stdout = String::from_utf8(output.stdout.clone()).unwrap();
        let stderr = String::from_utf8(output.stderr.clone()).unwrap();
        let json = stdout.lines().last().map_or(Value::Null, |line| {
            serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {stdout} {stderr}"))
        });
        Self {
            code: output.status.code().unwrap_or(-1),
            json,
            stderr,
        }
    }

    /// The document of a call that must have worked.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.code, 0, "{} {}", self.json, self.stderr);
        self.json
    }

    /// The error kind of a call that must have failed with `code`.
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{} {}", self.json, self.stderr);
        let error = &self.json["error"];
        for field in ["message", "advice"] {
            assert!(
                error[field].as_str().is_some_and(|text| !text.is_empty()),
                "{}",
                self.json
            );
        }
        error["kind"].as_str().unwrap().to_owned()
    }
}

/// A relay of its own process.
pub(crate) struct Relay {
    process: Child,
    dir: PathBuf,
    pub(crate) address: String,
}

impl Relay {
    pub(crate) fn start(dir: &Path) -> Self {
        Self::listen(dir, "127.0.0.1:0")
    }

    /// One that listens on a given address.
    pub(crate) fn listen(dir: &Path, listen: &str) -> Self {
        let mut process = Command::new(BINARY)
            .args(["--json", "relay", "run", "--listen", listen])
            .args(["--password", "sesame", "--dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let first: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("relay said {line:?}"));
        let address = first["address"].as_str().unwrap().to_owned();
        Self {
            process,
            dir: dir.to_owned(),
            address,
        }
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.address.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// kill -9.
    pub(crate) fn kill(mut self) -> Dead {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        Dead {
            dir: self.dir.clone(),
            port: self.port(),
            address: self.address.clone(),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A relay that was killed.
pub(crate) struct Dead {
    dir: PathBuf,
    port: u16,
    address: String,
}

impl Dead {
    /// Empties its queues; its identity and so its address stay.
    pub(crate) fn forget_queues(&self) {
        for file in std::fs::read_dir(&self.dir).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            if name.starts_with("relay-server.") {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
    }

    /// Starts it where it was; its address must not have changed.
    pub(crate) fn revive(&self) -> Relay {
        let relay = Relay::listen(&self.dir, &format!("127.0.0.1:{}", self.port));
        assert_eq!(relay.address, self.address);
        relay
    }
}

/// Somebody with a home and a daemon.
pub(crate) struct Person {
    home: TempDir,
}

impl Person {
    /// A home with a profile of that name on `relay`.
    pub(crate) fn start(name: &str, relay: &Relay) -> Self {
        let person = Self::without_profile();
        person.run(&["up"]).ok();
        person.run(&["server", "add", &relay.address]).ok();
        person.run(&["profile", "create", name]).ok();
        person
    }

    /// An empty home with no daemon.
    pub(crate) fn without_profile() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.wordy(args);
        command.arg("--json");
        command
    }

    fn wordy(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("--home").arg(self.path()).args(args);
        command.stdin(Stdio::null());
        command
    }

    /// What people read of one call: its output, or its error.
    pub(crate) fn told(&self, args: &[&str]) -> String {
        let output = self.wordy(args).output().unwrap();
        let shown = if output.status.success() {
            output.stdout
        } else {
            output.stderr
        };
        String::from_utf8(shown).unwrap()
    }

    /// One call of the program.
    pub(crate) fn run(&self, args: &[&str]) -> Answer {
        Answer::of(&self.command(args).output().unwrap())
    }

    /// One call of the program with something on its standard input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Answer {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        Answer::of(&child.wait_with_output().unwrap())
    }

    /// The process id of the daemon, from the lock it holds.
    pub(crate) fn daemon_pid(&self) -> u32 {
        std::fs::read_to_string(self.path().join("lock"))
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }

    /// `down`, if it runs, then wait until all files are closed.
    pub(crate) fn stop(&self) {
        self.run(&["down"]);
        let lock = std::fs::File::open(self.path().join("lock")).unwrap();
        until("the daemon is gone", || lock.try_lock().is_ok());
    }

    /// kill -9 of the daemon, then wait until it is gone.
    pub(crate) fn kill_daemon(&self) {
        let pid = self.daemon_pid().to_string();
        assert!(
            Command::new("kill")
                .args(["-9", &pid])
                .status()
                .unwrap()
                .success()
        );
        until("the daemon is gone", || self.run(&["status"]).code == 3);
    }

    /// What happens from now on.
    pub(crate) fn watch(&self) -> Watching {
        let mut process = self
            .command(&["watch"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let mut watching = Watching { process, lines };
        // The first line says that everything from here on will be seen.
        watching.until_event("watching");
        watching
    }

    /// What people read of what happens from now on.
    pub(crate) fn watch_as_person(&self) -> Watching {
        let mut process = self
            .wordy(&["watch"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let mut watching = Watching { process, lines };
        watching.until_line("watching");
        watching
    }

    /// Makes a link, has `other` open it, and waits until both know each other.
    pub(crate) fn meet(&self, other: &Self) {
        let link = self.run(&["invite"]).ok()["link"]
            .as_str()
            .unwrap()
            .to_owned();
        other.run(&["join", &link, "--wait"]).ok();
        until("the inviter knows the joiner", || {
            let contacts = self.run(&["contacts"]).ok();
            contacts
                .as_array()
                .unwrap()
                .iter()
                .any(|contact| contact["state"] == "connected")
        });
    }

    /// Ids and texts of a conversation, in the order shown.
    pub(crate) fn shown(&self, name: &str) -> Vec<(String, String)> {
        let messages = self.run(&["read", name, "-n", "10000"]).ok();
        messages
            .as_array()
            .unwrap()
            .iter()
            .map(|message| {
                let field = |name: &str| message[name].as_str().unwrap().to_owned();
                (field("id"), field("text"))
            })
            .collect()
    }
}

/// A running `watch`.
pub(crate) struct Watching {
    process: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Watching {
    /// Reads on to the next event of that kind.
    pub(crate) fn until_event(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next_event();
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// The next event, of whatever kind.
    pub(crate) fn next_event(&mut self) -> Value {
        serde_json::from_str(&self.next_line()).unwrap()
    }

    /// Reads on to the next line that contains `part`.
    pub(crate) fn until_line(&mut self, part: &str) -> String {
        loop {
            let line = self.next_line();
            if line.contains(part) {
                return line;
            }
        }
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        let length = self.lines.read_line(&mut line).unwrap();
        assert_ne!(length, 0, "watching ended");
        line
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // It fails where no daemon runs.
        let _ = self.command(&["down"]).output();
    }
}

/// Waits until something holds; a test that waits in vain fails.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("waited a minute, but not: {what}");
}
