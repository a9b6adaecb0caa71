//! What goes wrong in the field: processes die, links are bad, ports are taken.

use std::net::TcpListener;
use std::process::Command;

use crate::world::{Person, Relay};

#[test]
fn a_bad_link_says_what_is_wrong_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let alice = Person::start("Alice", &relay);
    let bob = Person::start("Bob", &relay);
    assert_eq!(
        bob.run(&["join", "https://example.org"]).failed(1),
        "bad_link"
    );
    let link = alice.run(&["invite"]).ok()["link"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        bob.run(&["join", &link[..link.len() - 3]]).failed(1),
        "bad_link"
    );
    assert_eq!(alice.run(&["join", &link]).failed(1), "bad_link");
    let dead = relay.kill();
    assert_eq!(bob.run(&["join", &link]).failed(1), "unreachable");
    drop(dead.revive());
}

#[test]
fn without_daemon_or_profile_the_error_says_so() {
    let nobody = Person::without_profile();
    assert_eq!(nobody.run(&["contacts"]).failed(3), "daemon_not_running");
    nobody.run(&["up"]).ok();
    assert_eq!(nobody.run(&["contacts"]).failed(1), "no_profile");
    assert_eq!(nobody.run(&["up"]).failed(1), "already_running");
    // Also where nobody asks the first daemon: the lock decides.
    assert_eq!(
        nobody.run(&["up", "--foreground"]).failed(1),
        "already_running"
    );
    assert_eq!(nobody.run(&["--nonsense"]).failed(2), "usage");
}

#[test]
fn an_unknown_contact_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let alice = Person::start("Alice", &relay);
    assert_eq!(alice.run(&["send", "Zoe", "x"]).failed(4), "not_found");
    assert_eq!(alice.run(&["where", "abcd"]).failed(4), "not_found");
}

#[test]
fn a_port_in_use_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hushwing"))
        .args([
            "--json",
            "relay",
            "run",
            "--listen",
            &taken.local_addr().unwrap().to_string(),
            "--dir",
        ])
        .arg(dir.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["error"]["kind"], "port_in_use");
}

/// Every command that asks a daemon.
const ASKING: [&[&str]; 24] = [
    &["down"],
    &["status"],
    &["server", "add", "smp://x"],
    &["server", "remove", "smp://x"],
    &["server", "list"],
    &["server", "test"],
    &["profile", "create", "Alice"],
    &["profile", "list"],
    &["invite"],
    &["invite", "--list"],
    &["join", "hushwing:i#x"],
    &["contacts"],
    &["requests"],
    &["requests", "accept", "1"],
    &["verify", "Bob"],
    &["rename", "Bob", "Rob"],
    &["send", "Bob", "hello"],
    &["where", "01"],
    &["read", "Bob"],
    &["watch"],
    &["react", "01", "x"],
    &["edit", "01", "x"],
    &["delete", "01"],
    &["config", "get"],
];

#[test]
fn a_locked_home_says_so_to_every_command() {
    let nobody = Person::without_profile();
    nobody
        .run_with_input(&["passphrase", "set"], "four words make one\n")
        .ok();
    for args in ASKING {
        let refused = nobody.run(args);
        let error = refused.json["error"].clone();
        let said = |field: &str| error[field].to_string();
        assert!(said("message").contains("locked"), "{args:?} {error}");
        assert!(said("advice").contains("`hushwing up`"), "{args:?} {error}");
        assert_eq!(refused.failed(3), "locked", "{args:?}");
    }
    // Locking what is locked is no error; what has to unlock it asks in vain.
    nobody.run(&["passphrase", "lock"]).ok();
    for args in [&["up"][..], &[]] {
        assert_eq!(nobody.run(args).failed(1), "wrong_passphrase");
    }
    let checks = nobody.run(&["doctor"]).json;
    assert!(checks[0]["advice"].to_string().contains("`hushwing up`"));
}

#[test]
fn a_passphrase_locks_the_home() {
    let nobody = Person::without_profile();
    nobody
        .run_with_input(&["passphrase", "set"], "four words make one\n")
        .ok();
    assert_eq!(
        nobody.run_with_input(&["up"], "wrong\n").failed(1),
        "wrong_passphrase"
    );
    nobody.run_with_input(&["up"], "four words make one\n").ok();
    assert_eq!(nobody.run(&["passphrase", "lock"]).ok()["locked"], true);
    nobody
        .run_with_input(&["passphrase", "clear"], "four words make one\n")
        .ok();
    nobody.run(&["up"]).ok();
}
