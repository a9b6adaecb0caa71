//! What people read: every message has an id to answer it by, and ids may be
//! typed short.

use crate::world::{Person, Relay, until};

/// The id a line of `read` begins with.
fn id_of(shown: &str, text: &str) -> String {
    let line = shown.lines().find(|line| line.contains(text)).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn what_is_read_can_be_answered_edited_and_reacted_to() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let sent = alice.told(&["send", "Bob", "Tea or cofee?"]);
    until("it arrived", || bob.shown("Alice").len() == 1);

    let shown = alice.told(&["read", "Bob"]);
    let question = id_of(&shown, "me: Tea or cofee?");
    assert!(sent.starts_with(&question), "{sent} {shown}");
    assert_eq!(id_of(&bob.told(&["read", "Alice"]), "Alice: Tea"), question);

    bob.told(&["send", "Alice", "Tea", "--reply", &question]);
    bob.told(&["react", &question, "👍"]);
    alice.told(&["edit", &question.to_uppercase(), "Tea or coffee?"]);
    until("Bob reads the edited text", || {
        bob.told(&["read", "Alice"])
            .contains("Alice: Tea or coffee?  (edited)  👍 me")
    });
    let reply = format!("me answers {question} \"Tea or coffee?\": Tea  [");
    assert!(bob.told(&["read", "Alice"]).contains(&reply));
    until("Alice reads the answer and the reaction", || {
        let shown = alice.told(&["read", "Bob"]);
        shown.contains(&format!("Bob answers {question} \"Tea or coffee?\": Tea"))
            && shown.contains("  👍 Bob")
    });
    assert!(alice.told(&["where", &question]).contains("accepted"));
    alice.told(&["delete", &question]);
    until("it is gone", || {
        let shown = bob.told(&["read", "Alice"]);
        shown.contains("Alice: (deleted)") && shown.contains(&format!("{question} (deleted)"))
    });
}

#[test]
fn an_ambiguous_id_lists_what_it_may_mean() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    assert_eq!(alice.run(&["where", "01"]).failed(4), "not_found");
    for text in ["one", "two"] {
        alice.run(&["send", "Bob", text]).ok();
    }
    // The ids of all messages begin alike.
    let refused = alice.run(&["where", "01"]);
    let told = refused.json["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(refused.failed(1), "ambiguous");
    for text in ["one", "two"] {
        let id = id_of(&alice.told(&["read", "Bob"]), text);
        assert!(told.contains(&id), "{told}");
        alice.run(&["where", &id]).ok();
    }
    assert_eq!(alice.run(&["where", "01x"]).failed(4), "not_found");
}

#[test]
fn an_ambiguous_name_lists_the_ids_that_contacts_shows() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let people = ["Alice", "Bob", "Bob"].map(|name| Person::start(name, &relay));
    let [alice, bobs @ ..] = &people;
    for bob in bobs {
        alice.meet(bob);
    }
    let count = || alice.run(&["contacts"]).ok().as_array().unwrap().len();
    until("Alice knows both", || count() == 2);
    let refused = alice.run(&["send", "Bob", "which of you?"]);
    let told = refused.json["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(refused.failed(1), "ambiguous");
    let shown = alice.told(&["contacts"]);
    assert_eq!(shown.lines().count(), 2);
    for line in shown.lines() {
        let id = line.split_whitespace().next().unwrap();
        assert!(told.contains(id), "{told}");
        alice.run(&["send", id, "you"]).ok();
    }
}

#[test]
fn whoever_watches_reads_ids_and_states() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let mut watching = alice.watch_as_person();
    let sent = alice.told(&["send", "Bob", "look"]);
    let id = sent.split_whitespace().next().unwrap();
    let line = watching.until_line("me to Bob: look  [queued]");
    assert!(line.starts_with(id), "{line}");
    watching.until_line(&format!("{id}  accepted"));
    bob.told(&["send", "Alice", "seen", "--reply", id]);
    watching.until_line(&format!("Bob answers {id} \"look\": seen"));
}

#[test]
fn waiting_in_vain_says_how_far_the_message_came() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    bob.run(&["config", "set", "prompt_receipts", "on"]).ok();
    bob.run(&["config", "set", "read_receipts", "off"]).ok();
    alice.run(&["send", "Bob", "x", "--wait", "delivered"]).ok();
    bob.run(&["read", "Alice"]).ok();
    let late = alice.run(&["send", "Bob", "y", "--wait", "read", "--timeout", "5"]);
    let error = late.json["error"].clone();
    assert_eq!(late.failed(5), "timeout");
    assert_eq!(error["state"], "delivered");
    let advice = error["advice"].as_str().unwrap();
    assert!(advice.contains("read receipt"), "{advice}");
    let place = alice.run(&["where", error["id"].as_str().unwrap()]).ok();
    assert_eq!(place["state"], "delivered");
}

#[test]
fn where_a_received_message_is_tells_its_way_here() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    alice.run(&["send", "Bob", "x"]).ok();
    until("it arrived", || bob.shown("Alice").len() == 1);
    let id = bob.shown("Alice").remove(0).0;
    let place = bob.run(&["where", &id]).ok();
    assert_eq!(place["state"], "received");
    let steps: Vec<_> = place["progress"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let field = |name: &str| step[name].as_str().unwrap();
            (field("network"), field("stage"), step["verified"] == true)
        })
        .collect();
    assert_eq!(
        steps,
        [
            ("conversation", "sent", true),
            ("relay", "received", true),
            ("conversation", "read", false),
        ]
    );
}

#[test]
fn a_text_too_long_names_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let refused = alice.run_with_input(&["send", "Bob"], &"x".repeat(65_537));
    let message = refused.json["error"]["message"].to_string();
    assert!(message.contains("65536 bytes"), "{message}");
    assert_eq!(refused.failed(2), "usage");
}

#[test]
fn a_deleted_message_is_told_to_be_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let id = alice.run(&["send", "Bob", "x"]).ok()["message"]
        .as_str()
        .unwrap()
        .to_owned();
    alice.run(&["delete", &id]).ok();
    for again in [
        &["edit", &id, "y"][..],
        &["delete", &id],
        &["react", &id, "👍"],
    ] {
        let refused = alice.run(again);
        let message = refused.json["error"]["message"].to_string();
        assert!(message.contains("deleted"), "{message}");
        assert_eq!(refused.failed(4), "not_found");
    }
}
