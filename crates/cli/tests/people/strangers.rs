//! A reusable link: many strangers at once, each accepted or refused.

use serde_json::Value;

use crate::world::{Person, Relay, until};

#[test]
fn strangers_with_one_reusable_link_all_get_through() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let alice = Person::start("Alice", &relay);
    let link = alice.run(&["invite", "--reusable"]).ok()["link"]
        .as_str()
        .unwrap()
        .to_owned();
    let names = ["Bob", "Carol", "Dave", "Eve"];
    let strangers = names.map(|name| Person::start(name, &relay));
    std::thread::scope(|scope| {
        for stranger in &strangers {
            scope.spawn(|| stranger.run(&["join", &link]).ok());
        }
    });
    let requests = || alice.run(&["requests"]).ok().as_array().unwrap().clone();
    until("all four asked", || requests().len() == names.len());

    for request in requests() {
        let number = request["request"].to_string();
        let verdict = if request["name"] == "Eve" {
            "refuse"
        } else {
            "accept"
        };
        alice.run(&["requests", verdict, &number]).ok();
    }
    assert!(requests().is_empty());
    for (stranger, name) in strangers.iter().zip(names).take(3) {
        until("the accepted are connected", || {
            stranger.run(&["contacts"]).ok()[0]["state"] == "connected"
        });
        stranger
            .run(&["send", "Alice", name, "--wait", "delivered"])
            .ok();
        assert_eq!(alice.shown(name).last().unwrap().1, name);
        until("the mark of a reusable start is gone", || {
            stranger.run(&["contacts"]).ok()[0]["forward_secrecy"] == true
        });
    }
    assert_ne!(
        strangers[3].run(&["contacts"]).ok()[0]["state"],
        "connected"
    );
}

/// Alice's reusable link, and its number.
fn reusable(alice: &Person) -> (String, String) {
    let made = alice.run(&["invite", "--reusable"]).ok();
    let link = made["link"].as_str().unwrap().to_owned();
    (link, made["invitation"].to_string())
}

/// The number of the one request that waits.
fn request(alice: &Person) -> String {
    let mut waiting = Value::Null;
    until("somebody asked", || {
        waiting = alice.run(&["requests"]).ok();
        waiting.as_array().unwrap().len() == 1
    });
    waiting[0]["request"].to_string()
}

#[test]
fn what_was_said_before_acceptance_is_told_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    bob.run(&["join", &reusable(&alice).0]).ok();
    until("Bob could ask", || {
        let sent = bob.run(&["send", "Alice", "hello"]);
        sent.code == 0
    });
    bob.run(&["send", "Alice", "it is me", "--wait", "accepted"])
        .ok();
    let number = request(&alice);
    // Each text is a letter of its own, and may come after the request.
    std::thread::sleep(std::time::Duration::from_secs(1));

    let mut watching = alice.watch();
    alice.run(&["requests", "accept", &number]).ok();
    until("Bob knows", || {
        bob.run(&["contacts"]).ok()[0]["state"] == "connected"
    });
    bob.run(&["send", "Alice", "thank you"]).ok();
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "thank you") {
        let event = watching.next_event();
        match event["event"].as_str().unwrap() {
            "contact" => told.push(format!("contact {}", event["name"].as_str().unwrap())),
            "message" => told.push(event["text"].as_str().unwrap().to_owned()),
            _ => {}
        }
    }
    assert_eq!(told, ["contact Bob", "hello", "it is me", "thank you"]);
}

#[test]
fn who_waits_for_acceptance_is_told_so_and_a_request_is_answered_once() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    let link = reusable(&alice).0;
    assert_eq!(bob.run(&["join", &link]).ok()["state"], "asked");
    let told = bob.told(&["join", &link]);
    assert_eq!(told.trim(), "asked; waiting for Alice to accept");

    let number = request(&alice);
    alice.run(&["requests", "accept", &number]).ok();
    for again in [&number, "9999"] {
        for verdict in ["accept", "refuse"] {
            let refused = alice.run(&["requests", verdict, again]);
            let advice = refused.json["error"]["advice"].to_string();
            assert!(advice.contains("hushwing requests"), "{advice}");
            assert_eq!(refused.failed(4), "not_found");
        }
    }
    until("Bob was accepted", || {
        bob.run(&["join", &link]).ok()["state"] == "joined"
    });
}

#[test]
fn a_link_is_listed_until_it_is_taken_down() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    let (link, number) = reusable(&alice);
    let listed = alice.run(&["invite", "--list"]).ok();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["link"], link.as_str());
    assert_eq!(listed[0]["invitation"].to_string(), number);
    assert_eq!(listed[0]["reusable"], true);
    assert!(alice.told(&["invite", "--list"]).contains(&link));

    let revoked = alice.run(&["invite", "--revoke", &number]).ok();
    assert_eq!(revoked["revoked"].to_string(), number);
    assert_eq!(alice.run(&["invite", "--list"]).ok(), Value::Array(vec![]));
    // The relay is told after the command is answered.
    until("nobody can use it", || {
        let refused = bob.run(&["join", &link]);
        refused.code == 1 && refused.json["error"]["kind"] == "link_used"
    });
    assert_eq!(
        alice.run(&["invite", "--revoke", &number]).failed(4),
        "not_found"
    );
}

#[test]
fn a_number_names_a_request_and_a_name_may_be_a_number() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    bob.run(&["join", &reusable(&alice).0]).ok();
    let number = request(&alice);
    // Somebody takes that number for a name.
    let other = Person::start(&number, &relay);
    let link = alice.run(&["invite"]).ok()["link"]
        .as_str()
        .unwrap()
        .to_owned();
    let refused = alice.run(&["send", &number, "who are you?"]);
    let advice = refused.json["error"]["advice"].to_string();
    assert!(
        advice.contains(&format!("requests accept {number}")),
        "{advice}"
    );
    assert_eq!(refused.failed(4), "not_found");

    other.run(&["join", &link, "--wait"]).ok();
    let known = || alice.run(&["contacts"]).ok();
    until("the other is a contact", || {
        known()[0]["state"] == "connected"
    });
    alice.run(&["send", &number, "to the other"]).ok();
    let accepted = alice.run(&["requests", "accept", &number]).ok();
    assert_eq!(accepted["name"], "Bob");
    // Bob is a contact now, and his number still names nobody.
    alice.run(&["send", &number, "to the other"]).ok();
    until("both came", || other.shown("Alice").len() == 2);
    let bobs_id = accepted["contact"].as_str().unwrap();
    alice.run(&["send", bobs_id, "to Bob"]).ok();
    let short = accepted["short"].as_str().unwrap();
    alice.run(&["send", short, "to Bob"]).ok();
    assert_eq!(alice.shown("Bob").len(), 2);
}
