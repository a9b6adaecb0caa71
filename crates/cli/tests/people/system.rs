//! What the system refuses, and what somebody does to a home: each is told as
//! what it is, with what to do.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::world::{Answer, BINARY, Person, Relay, until};

/// One call of the program as somebody who has no rights in a folder that only
/// its owner may use. Root may do everything, so where the test runs as root it
/// is somebody else.
fn as_a_stranger(home: &Path, args: &[&str]) -> Answer {
    let mut command = Command::new(BINARY);
    command.arg("--home").arg(home).arg("--json").args(args);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    Answer::of(&command.stdin(Stdio::null()).output().unwrap())
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
    if fs::metadata(alice.path()).unwrap().uid() != 0 {
        // The owner without rights stands for a stranger.
        fs::set_permissions(alice.path(), fs::Permissions::from_mode(0o000)).unwrap();
    }
    for call in [["status"].as_slice(), &["up"], &["log"], &["down"]] {
        assert_eq!(
            as_a_stranger(alice.path(), call).failed(1),
            "denied",
            "{call:?}"
        );
    }
    fs::set_permissions(alice.path(), fs::Permissions::from_mode(0o700)).unwrap();
    alice.run(&["status"]).ok();
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    if fs::metadata(dir.path()).unwrap().uid() == 0 {
        chown(dir.path(), Some(65_534), Some(65_534)).unwrap();
        let locked = dir.path().join("locked");
        fs::create_dir(&locked).unwrap();
    } else {
        let locked = dir.path().join("locked");
        fs::create_dir(&locked).unwrap();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    }
    let home = dir.path().join("locked/home");
    let refused = as_a_stranger(&home, &["up"]);
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
    let home = dir.path().join("home");
    fs::write(&home, b"a letter").unwrap();
    for call in ["up", "status", "log"] {
        assert_eq!(
            as_a_stranger(dir.path().join("home").as_path(), &[call]).failed(2),
            "usage"
        );
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
