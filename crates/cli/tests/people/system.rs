//! What the system refuses, and what somebody does to a home: each is told as
//! what it is, with what to do.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::world::{Answer, BINARY, Person, Relay, until};

/// Somebody who has no rights in a folder that only its owner may use. Root may
/// do everything, so where the test runs as root it is somebody else, with a copy
/// of the program that everybody can reach.
struct Stranger(TempDir);

impl Stranger {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        if is_root() {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
            fs::copy(BINARY, dir.path().join("hushwing")).unwrap();
        }
        Self(dir)
    }

    /// One call of the program.
    fn run(&self, home: &Path, args: &[&str]) -> Answer {
        let mut command = if is_root() {
            let mut command = Command::new(self.0.path().join("hushwing"));
            command.uid(NOBODY).gid(NOBODY);
            command
        } else {
            Command::new(BINARY)
        };
        command.arg("--home").arg(home).arg("--json").args(args);
        Answer::of(&command.stdin(Stdio::null()).output().unwrap())
    }
}

/// The user without rights, on every system.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn a_home_that_lost_its_key_gets_no_other() {
    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    alice.run(&["profile", "create", "Alice"]).ok();
    alice.stop();
    let key = alice.path().join("key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();

    let refused = alice.run(&["up"]);
    let advice = refused.json["error"]["advice"].as_str().unwrap().to_owned();
    assert_eq!(refused.failed(1), "damaged");
    assert!(advice.contains("backup"), "{advice}");
    let set = alice.run_with_input(&["passphrase", "set"], "four words make one\n");
    assert_eq!(set.failed(1), "damaged");
    let checks = alice.run(&["doctor"]);
    assert_eq!(checks.code, 1, "{}", checks.json);
    assert!(
        checks.json.to_string().contains("backup"),
        "{}",
        checks.json
    );
    assert!(!key.exists(), "a new key was written");

    fs::write(&key, kept).unwrap();
    alice.run(&["up"]).ok();
    assert_eq!(alice.run(&["profile", "list"]).ok()[0]["profile"], "Alice");
}

#[test]
fn a_home_of_somebody_else_is_no_missing_daemon() {
    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    if !is_root() {
        // The owner without rights stands for a stranger.
        fs::set_permissions(alice.path(), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let stranger = Stranger::new();
    for call in ["status", "log", "down"] {
        let refused = stranger.run(alice.path(), &[call]);
        assert_eq!(refused.failed(1), "denied", "{call}");
    }
    // An owner gets the rights back that way.
    if is_root() {
        assert_eq!(stranger.run(alice.path(), &["up"]).failed(1), "denied");
    }
    fs::set_permissions(alice.path(), fs::Permissions::from_mode(0o700)).unwrap();
    alice.run(&["status"]).ok();
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let locked = dir.path().join("locked");
    fs::create_dir(&locked).unwrap();
    // Others may look, and nobody may write.
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    let home = dir.path().join("locked/home");
    let refused = Stranger::new().run(&home, &["up"]);
    let message = refused.json["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(refused.failed(1), "denied");
    assert!(message.contains("locked/home"), "{message}");
}

#[test]
fn a_file_where_the_home_should_be_is_told() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let home = dir.path().join("home");
    fs::write(&home, b"a letter").unwrap();
    for call in ["up", "status", "log"] {
        assert_eq!(Stranger::new().run(&home, &[call]).failed(2), "usage");
    }
    assert_eq!(fs::read(&home).unwrap(), b"a letter");
}

#[test]
fn a_daemon_whose_home_was_removed_says_so_and_stops() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let mut daemon = Command::new(BINARY)
        .arg("--home")
        .arg(&home)
        .args(["--json", "up", "--foreground"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("it serves", || home.join("api.sock").exists());
    fs::rename(&home, dir.path().join("elsewhere")).unwrap();
    until("it noticed", || daemon.try_wait().unwrap().is_some());
    let answer = Answer::of(&daemon.wait_with_output().unwrap());
    assert!(answer.stderr.contains("was removed"), "{}", answer.stderr);
    assert_eq!(answer.failed(1), "damaged");
}

#[test]
fn a_daemon_serves_though_who_started_it_has_gone() {
    let alice = Person::without_profile();
    let mut daemon = Command::new(BINARY)
        .arg("--home")
        .arg(alice.path())
        .args(["--json", "up", "--foreground"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(daemon.stdout.take());
    until("it serves", || alice.run(&["status"]).code == 0);
    alice.run(&["profile", "create", "Alice"]).ok();
    alice.run(&["down"]).ok();
    daemon.wait().unwrap();
}

#[test]
fn a_relay_whose_folder_another_one_uses_says_which_to_stop() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    // On the same port, on which it would not get either.
    let listen = format!("127.0.0.1:{}", relay.port());
    let second = Command::new(BINARY)
        .args(["--json", "relay", "run", "--listen", &listen, "--dir"])
        .arg(dir.path())
        .output()
        .unwrap();
    let second = Answer::of(&second);
    let advice: &Value = &second.json["error"]["advice"];
    assert!(advice.as_str().unwrap().contains("--dir"), "{advice}");
    assert_eq!(second.failed(1), "already_running");
}

#[test]
fn before_the_first_start_the_log_says_how_to_begin() {
    let nobody = Person::without_profile();
    let missing = nobody.run(&["log"]);
    let advice = missing.json["error"]["advice"].as_str().unwrap().to_owned();
    assert_eq!(missing.failed(4), "not_found");
    assert!(advice.contains("hushwing up"), "{advice}");
}

#[test]
fn a_program_gets_the_log_as_documents() {
    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    alice.run(&["profile", "create", "Alice"]).ok();
    alice.run(&["invite"]).ok();
    let read = || alice.told(&["--json", "log"]);
    until("its relay is told", || !read().is_empty());
    let log = read();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string(), "{line}");
        assert!(line["message"].is_string(), "{line}");
    }
}
