//! The port of the embedded relay, taken by another program while the daemon
//! was down.

use std::fs;
use std::net::TcpListener;

use crate::world::{Person, until};

/// The port of a person's embedded relay.
fn port(person: &Person) -> u16 {
    let status = person.run(&["status"]).ok();
    let address = status["networks"]["relay"]["embedded"].as_str().unwrap();
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn a_taken_port_keeps_nothing_but_the_embedded_relay_from_working() {
    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    alice.run(&["profile", "create", "Alice"]).ok();
    let port = port(&alice);
    alice.stop();
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();

    let up = alice.run(&["up"]);
    let told = up.stderr.clone();
    let problem = up.ok()["networks"]["relay"]["embedded_problem"].clone();
    assert_eq!(problem["kind"], "port_in_use");
    for said in [
        &told,
        &fs::read_to_string(alice.path().join("log")).unwrap(),
    ] {
        assert!(said.contains(&format!("port {port}")), "{said}");
    }
    assert!(told.contains("stop that program"), "{told}");
    assert_eq!(alice.run(&["contacts"]).ok(), serde_json::json!([]));
    let checks = alice.run(&["doctor"]).json;
    let check = checks.as_array().unwrap().iter();
    let mut found = check.filter(|check| check["check"] == "embedded relay");
    assert_eq!(found.next().unwrap()["ok"], false, "{checks}");

    drop(taken);
    until("the relay runs", || {
        alice.run(&["status"]).ok()["networks"]["relay"]["embedded_problem"].is_null()
    });
    alice.run(&["invite"]).ok();
}
