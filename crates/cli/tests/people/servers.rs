//! Choosing relays, and being told how they fare.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::world::{BINARY, Person, Relay, until};

/// An address with another password.
fn with_password(address: &str, password: &str) -> String {
    address.replace(":sesame@", &format!("{password}@"))
}

/// Where nobody listens, under the identity of `relay`.
fn nowhere(relay: &Relay) -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    relay.address.replace(&relay.port().to_string(), &port)
}

fn message(answer: &Value) -> String {
    answer["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_relay_that_does_not_work_is_not_taken_unless_one_insists() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [relay, other] = dirs.each_ref().map(|dir| Relay::start(dir.path()));
    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    let away = nowhere(&relay);
    let wrong = {
        let (identity, _) = relay
            .address
            .split_once(':')
            .unwrap()
            .1
            .split_once(':')
            .unwrap();
        format!("smp:{identity}@127.0.0.1:{}", other.port())
    };
    for (address, kind) in [
        (away.as_str(), "unreachable"),
        (&with_password(&relay.address, ":open"), "refused"),
        (&with_password(&relay.address, ""), "refused"),
        (&wrong, "wrong_server"),
    ] {
        let refused = alice.run(&["server", "add", address]);
        let place = address.rsplit_once('@').unwrap().1;
        assert!(message(&refused.json).contains(place), "{}", refused.json);
        assert_eq!(refused.failed(1), kind, "{place}");
    }
    assert_eq!(alice.run(&["server", "list"]).ok(), json!([]));

    alice.run(&["server", "add", &away, "--unchecked"]).ok();
    alice.run(&["server", "add", &relay.address]).ok();
    assert_eq!(
        alice.run(&["server", "remove", "127.0.0.1"]).failed(1),
        "ambiguous"
    );
    let place = away.rsplit_once('@').unwrap().1;
    let left = alice.run(&["server", "remove", place]).ok();
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    assert_eq!(
        alice.run(&["server", "remove", place]).failed(4),
        "not_found"
    );
}

#[test]
fn a_wrong_password_is_named_with_its_relay_and_replaced_by_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    let wrong = with_password(&relay.address, ":mistyped");
    alice.run(&["server", "add", &wrong, "--unchecked"]).ok();
    alice.run(&["profile", "create", "Alice"]).ok();
    let refused = alice.run(&["invite"]);
    let said = refused.json.to_string();
    assert!(
        message(&refused.json).contains(&format!("127.0.0.1:{}", relay.port())),
        "{said}"
    );
    assert!(!said.contains("mistyped"), "{said}");
    assert!(said.contains("server add"), "{said}");
    assert_eq!(refused.failed(1), "refused");

    let added = alice.run(&["server", "add", &relay.address]).ok();
    assert_eq!(added["replaced"], true);
    assert_eq!(
        alice.run(&["server", "add", &relay.address]).failed(1),
        "exists"
    );
    let servers = alice.run(&["server", "list"]).ok();
    assert_eq!(servers.as_array().unwrap().len(), 1, "{servers}");
    alice.run(&["invite"]).ok();
}

#[test]
fn passwords_are_shown_only_to_who_asks() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let alice = Person::start("Alice", &relay);
    alice.run(&["invite"]).ok();
    for call in [
        ["status"].as_slice(),
        &["server", "list"],
        &["server", "test"],
        &["doctor"],
    ] {
        let said = alice.run(call).json.to_string();
        assert!(said.contains(&relay.port().to_string()), "{said}");
        assert!(!said.contains("sesame"), "{said}");
    }
    let shown = alice.run(&["server", "list", "--show-passwords"]).ok();
    assert_eq!(shown[0]["address"], relay.address.as_str());
}

#[test]
fn a_dead_relay_is_named_by_who_needs_it() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [old, new] = dirs.each_ref().map(|dir| Relay::start(dir.path()));
    let place = |relay: &Relay| format!("127.0.0.1:{}", relay.port());
    let (old_place, new_place) = (place(&old), place(&new));
    let alice = Person::start("Alice", &old);
    alice.run(&["invite"]).ok();
    alice.run(&["server", "add", &new.address]).ok();
    alice.run(&["server", "remove", &old_place]).ok();
    alice.run(&["doctor"]).ok();

    // Mailboxes lie on a relay that is used for no new ones.
    drop(old);
    let unsound = || -> Vec<Value> {
        let checks = alice.run(&["doctor"]).json;
        let checks = checks.as_array().unwrap().iter();
        checks
            .filter(|check| check["ok"] == false)
            .cloned()
            .collect()
    };
    until("doctor names the dead relay", || !unsound().is_empty());
    let found = unsound();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0]["check"],
        format!("mailboxes at {old_place}, profile Alice")
    );
    assert!(found[0]["advice"].to_string().contains("tried by itself"));

    drop(new);
    let refused = alice.run(&["invite"]);
    let told = message(&refused.json);
    assert_eq!(refused.failed(1), "unreachable");
    assert!(
        told.contains(&new_place) && !told.contains(&old_place),
        "{told}"
    );
}

#[test]
fn a_relay_whose_address_no_link_can_hold_is_not_taken() {
    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    let hosts = ["relay.example"; 8].join(",");
    let address = format!("smp://{}=@{hosts}", "A".repeat(43));
    for add in [
        &["server", "add", &address][..],
        &["server", "add", &address, "--unchecked"],
    ] {
        let refused = alice.run(add);
        assert!(message(&refused.json).contains("too long for a link"));
        assert_eq!(refused.failed(2), "usage");
    }
}

#[test]
fn the_relays_of_one_profile_are_listed_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let alice = Person::start("Alice", &relay);
    alice.run(&["profile", "create", "Work"]).ok();
    let own = nowhere(&relay);
    let add = ["--profile", "Work", "server", "add", &own, "--unchecked"];
    alice.run(&add).ok();
    let count = |profile: &str| {
        let servers = alice.run(&["--profile", profile, "server", "list"]).ok();
        servers.as_array().unwrap().len()
    };
    assert_eq!([count("Alice"), count("Work")], [1, 2]);
    let place = own.rsplit_once('@').unwrap().1;
    let refused = alice.run(&["server", "remove", place]);
    let advice = refused.json["error"]["advice"].as_str().unwrap().to_owned();
    assert_eq!(refused.failed(4), "not_found");
    assert!(advice.contains("--profile Work"), "{advice}");
    let nobody = ["--profile", "Wrok", "server", "add", &own];
    assert_eq!(alice.run(&nobody).failed(4), "not_found");
}

#[test]
fn status_and_log_tell_how_a_relay_fares() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let relay = Relay::start(dirs[0].path());
    let alice = Person::start("Alice", &relay);
    alice.run(&["invite"]).ok();
    let state = |wanted: &str| {
        until(wanted, || {
            let status = alice.run(&["status"]).ok();
            let relays = status["networks"]["relay"]["relays"].clone();
            let place = format!("127.0.0.1:{}", relay_port(&relays));
            assert_eq!(relays[0]["place"], place.as_str());
            relays[0]["state"] == wanted
        });
        let status = alice.run(&["status"]).ok();
        status["networks"]["relay"]["relays"][0].clone()
    };
    let connected = state("connected");
    assert_eq!(connected["mailboxes"], 1, "{connected}");
    assert!(connected["since"].is_string() && connected["problem"].is_null());

    let port = relay.port();
    let dead = relay.kill();
    let down = state("unreachable");
    for field in ["since", "problem"] {
        assert!(down[field].is_string(), "{down}");
    }
    let impostor = Relay::listen(dirs[1].path(), &format!("127.0.0.1:{port}"));
    let wrong = state("wrong_server");
    assert!(
        wrong["problem"]
            .as_str()
            .unwrap()
            .contains("another server"),
        "{wrong}"
    );
    drop(impostor);
    let _relay = dead.revive();
    state("connected");

    let log = fs::read_to_string(alice.path().join("log")).unwrap();
    for line in ["relay 1: connected", "relay 1: another server"] {
        assert!(log.contains(line), "{log}");
    }
    assert!(!log.contains(&port.to_string()), "{log}");
}

/// The port in the place of the only relay.
fn relay_port(relays: &Value) -> u16 {
    assert_eq!(relays.as_array().unwrap().len(), 1, "{relays}");
    let address = relays[0]["address"].as_str().unwrap();
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn a_relay_takes_its_password_from_a_file_or_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    fs::write(&file, "from-a-file\n").unwrap();
    for (source, password) in [(file.to_str().unwrap(), "from-a-file"), ("-", "typed")] {
        let mut relay = Command::new(BINARY)
            .args(["--json", "relay", "run", "--listen", "127.0.0.1:0"])
            .args(["--password-file", source, "--dir"])
            .arg(dir.path().join("relay"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        relay.stdin.take().unwrap().write_all(b"typed\n").unwrap();
        let mut line = String::new();
        BufReader::new(relay.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        relay.kill().unwrap();
        relay.wait().unwrap();
        assert!(line.contains(&format!(":{password}@")), "{line}");
    }
}

#[test]
fn a_switch_is_set_and_shown_in_one_form() {
    let nobody = Person::without_profile();
    nobody.run(&["up"]).ok();
    for (given, on) in [
        ("on", true),
        ("true", true),
        ("off", false),
        ("false", false),
    ] {
        let set = ["config", "set", "read_receipts", given];
        assert_eq!(nobody.run(&set).ok(), json!(on));
        let text = Command::new(BINARY)
            .arg("--home")
            .arg(nobody.path())
            .args(["config", "get", "read_receipts"])
            .output()
            .unwrap();
        let shown = if on { "on\n" } else { "off\n" };
        assert_eq!(String::from_utf8(text.stdout).unwrap(), shown, "{given}");
    }
}
