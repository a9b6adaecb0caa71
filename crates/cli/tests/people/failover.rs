//! Two relays, of which one dies for good while two people talk.

use serde_json::Value;

use crate::world::{Person, Relay, until};

fn relays(person: &Person) -> Vec<Value> {
    let status = person.run(&["status"]).ok();
    let relays = &status["networks"]["relay"]["relays"];
    relays.as_array().unwrap().clone()
}

fn send(from: &Person, to: &str, text: &str) -> String {
    let sent = from.run(&["send", to, text]).ok();
    sent["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_relay_dies_for_good_and_the_conversation_goes_on() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [first, second] = dirs.each_ref().map(|dir| Relay::start(dir.path()));
    let people = ["Alice", "Bob"].map(|name| {
        let person = Person::start(name, &first);
        person.run(&["server", "add", &second.address]).ok();
        person.run(&["config", "set", "prompt_receipts", "on"]).ok();
        person
    });
    let [alice, bob] = &people;
    alice.meet(bob);
    for person in &people {
        until(
            "each has a mailbox on each relay, and one for the last resort",
            || {
                let mut held: Vec<_> = (relays(person).iter())
                    .map(|relay| relay["mailboxes"].as_u64())
                    .collect();
                held.sort();
                held == [Some(1), Some(2)]
            },
        );
    }
    send(alice, "Bob", "before");
    until("the first message is there", || {
        bob.shown("Alice").len() == 1
    });

    let place = format!("127.0.0.1:{}", second.port());
    let _dead = second.kill();
    let mut sent = Vec::new();
    for n in 0..4 {
        sent.push(send(alice, "Bob", &format!("from Alice {n}")));
        send(bob, "Alice", &format!("from Bob {n}"));
    }
    until("both have all of it", || {
        alice.shown("Bob").len() == 9 && bob.shown("Alice").len() == 9
    });
    assert_eq!(alice.shown("Bob"), bob.shown("Alice"), "in one order");
    until("all was confirmed", || {
        sent.iter()
            .all(|id| alice.run(&["where", id]).ok()["state"] == "delivered")
    });

    // Of two relays, one was preferred: for one of the two, the dead one.
    let dead = |person: &Person| {
        let mut relays = relays(person).into_iter();
        relays
            .find(|relay| relay["place"] == place.as_str())
            .unwrap()
    };
    until("status says that it does not answer", || {
        people
            .iter()
            .all(|person| dead(person)["state"] == "unreachable")
    });
    let ways: Vec<Value> = sent
        .iter()
        .map(|id| alice.run(&["where", id]).ok()["attempts"].clone())
        .collect();
    for way in ways.iter().filter_map(Value::as_array).flatten() {
        assert_eq!(way["network"], "relay", "{way}");
        assert!(way["stage"].is_string(), "{way}");
    }

    // It is given up: what lies there moves, and nothing is said twice.
    for person in &people {
        person.run(&["server", "remove", &place]).ok();
        assert!(dead(person)["leaving"] == true || dead(person)["mailboxes"] == 0);
    }
    alice.run(&["rotate", "Bob"]).ok();
    send(alice, "Bob", "after");
    until("the conversation goes on", || {
        bob.shown("Alice").len() == 10
    });
    assert_eq!(bob.shown("Alice")[9].1, "after");
}
