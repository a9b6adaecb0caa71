//! A relay that comes back with the same address and empty tables.

use serde_json::Value;

use crate::world::{Person, Relay, until};

fn mailbox_lost(person: &Person) -> bool {
    person.run(&["contacts"]).ok()[0]["mailbox_lost"] == Value::Bool(true)
}

/// What `doctor` says about the one mailbox that is lost, and to whom.
fn finding(person: &Person) -> Option<(String, String)> {
    let checks = person.run(&["doctor"]).json;
    let found = checks.as_array().unwrap().iter().find(|check| {
        let name = check["check"].as_str().unwrap();
        name.starts_with("mailbox for")
    })?;
    assert_eq!(found["ok"], Value::Bool(false));
    let field = |name: &str| found[name].as_str().unwrap().to_owned();
    Some((field("check"), field("advice")))
}

#[test]
fn a_relay_that_forgot_a_mailbox_is_got_around() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [hers, his] = dirs.each_ref().map(|dir| Relay::start(dir.path()));
    let (alice, bob) = (Person::start("Alice", &hers), Person::start("Bob", &his));
    alice.meet(&bob);
    bob.run(&["send", "Alice", "before"]).ok();
    until("it arrived", || alice.shown("Bob").len() == 1);

    // While both daemons run.
    let dead = hers.kill();
    dead.forget_queues();
    let hers = dead.revive();
    until("Bob's message finds its way", || {
        bob.run(&["send", "Alice", "to the new mailbox"]).ok();
        alice.shown("Bob").len() > 1
    });
    until("nothing is lost any more", || !mailbox_lost(&alice));
    assert_eq!(finding(&alice), None);

    // While Alice's daemon is stopped and Bob's cannot be told.
    alice.run(&["down"]).ok();
    let dead = hers.kill();
    dead.forget_queues();
    let _hers = dead.revive();
    let id = bob.run(&["send", "Alice", "into the void"]).ok();
    let id = id["message"].as_str().unwrap().to_owned();
    until("it failed", || {
        bob.run(&["where", &id]).ok()["state"] == "failed"
    });
    let his = his.kill();
    alice.run(&["up"]).ok();
    until("Alice knows", || mailbox_lost(&alice));
    let status = alice.run(&["status"]).ok();
    assert_eq!(status["lost_mailboxes"][0]["name"], "Bob");
    let (check, advice) = finding(&alice).expect("a finding");
    assert_eq!(check, "mailbox for Bob, profile Alice");
    assert!(advice.contains("the relay lost it"), "{advice}");
    alice.kill_daemon();
    alice.run(&["up"]).ok();
    assert!(mailbox_lost(&alice), "known after a crash");

    let _his = his.revive();
    until("it is delivered in the end", || {
        bob.run(&["where", &id]).ok()["state"] == "delivered"
    });
    until("nothing is lost any more", || !mailbox_lost(&alice));
    until("both show the same", || {
        alice.shown("Bob") == bob.shown("Alice")
    });
}
