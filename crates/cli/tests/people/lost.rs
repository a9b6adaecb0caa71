//! A relay that comes back with the same address and empty tables.

use serde_json::Value;
use tempfile::TempDir;

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

/// Alice and Bob know each other, each on a relay of their own; one message has
/// arrived.
struct Couple {
    alice: Person,
    bob: Person,
    hers: Relay,
    his: Relay,
    _dirs: [TempDir; 2],
}

fn couple() -> Couple {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [hers, his] = dirs.each_ref().map(|dir| Relay::start(dir.path()));
    let (alice, bob) = (Person::start("Alice", &hers), Person::start("Bob", &his));
    alice.meet(&bob);
    bob.run(&["send", "Alice", "before"]).ok();
    until("it arrived", || alice.shown("Bob").len() == 1);
    Couple {
        alice,
        bob,
        hers,
        his,
        _dirs: dirs,
    }
}

#[test]
fn a_mailbox_lost_while_its_owner_listens_is_replaced() {
    let Couple {
        alice,
        bob,
        hers,
        his: _his,
        _dirs,
    } = couple();
    let dead = hers.kill();
    dead.forget_queues();
    let _hers = dead.revive();
    until("Bob's message finds its way", || {
        bob.run(&["send", "Alice", "to the new mailbox"]).ok();
        alice.shown("Bob").len() > 1
    });
    until("nothing is lost any more", || !mailbox_lost(&alice));
    assert_eq!(finding(&alice), None);
}

#[test]
fn a_mailbox_lost_while_nobody_can_be_told_is_named_until_somebody_is() {
    let Couple {
        alice,
        bob,
        hers,
        his,
        _dirs,
    } = couple();
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
