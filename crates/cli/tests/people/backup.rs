//! A home that is lost, and a profile that comes back from its backup.

use std::fs;

use crate::groups::{accept, size};
use crate::world::{Answer, Person, Relay, until};

#[test]
fn a_profile_comes_back_from_its_backup_in_another_home() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    bob.run(&["send", "Alice", "remember this"]).ok();
    until("it arrived", || alice.shown("Bob").len() == 1);
    let said = alice.run(&["send", "Bob", "I shall", "--wait", "delivered"]);
    said.ok();
    let before = alice.shown("Bob");

    let file = dir.path().join("alice.backup");
    let file = file.to_str().unwrap();
    let made = alice.run(&["backup", file]).ok();
    assert_eq!(made["profile"], "Alice");
    assert_eq!(made["bytes"], fs::metadata(file).unwrap().len());
    let code = made["recovery_code"].as_str().unwrap().to_owned();
    assert_eq!(alice.run(&["backup", file]).failed(1), "exists");
    alice.stop();
    drop(alice);

    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    let wrong = alice.run_with_input(&["restore", file], "not the code\n");
    assert_eq!(wrong.failed(1), "wrong_passphrase");
    let typed = format!("{}\n", code.to_lowercase());
    let restored = alice.run_with_input(&["restore", file], &typed).ok();
    assert_eq!(
        (&restored["profile"], &restored["contacts"]),
        (&"Alice".into(), &1.into())
    );
    assert_eq!(alice.shown("Bob"), before);
    let found = alice.run(&["search", "remember"]).ok();
    assert_eq!(found[0]["text"], "remember this");
    let servers = alice.run(&["server", "list", "--profile", "Alice"]).ok();
    assert_eq!(servers.as_array().unwrap().len(), 1);

    until("the conversation began anew", || {
        alice.run(&["contacts"]).ok()[0]["state"] == "connected"
    });
    alice.run(&["send", "Bob", "here I am again"]).ok();
    until("it arrived", || bob.shown("Alice").len() == 3);
    bob.run(&["send", "Alice", "welcome back"]).ok();
    until("both show the same", || {
        let mut both = [alice.shown("Bob"), bob.shown("Alice")];
        both.iter_mut().for_each(|shown| shown.sort());
        both[0].len() == 4 && both[0] == both[1]
    });
}

#[test]
fn a_passphrase_is_taken_from_standard_input_and_shown_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let alice = Person::start("Alice", &relay);
    let file = dir.path().join("alice.backup");
    let file = file.to_str().unwrap();
    let made = alice
        .run_with_input(&["backup", file], "four words by dice\n")
        .ok();
    assert!(made["recovery_code"].is_null());
    let again = alice.run_with_input(&["restore", file], "four words by dice\n");
    assert_eq!(again.failed(1), "exists");
    let order = ["restore", file, "--as", "Alice II"];
    let restored = alice.run_with_input(&order, "four words by dice\n").ok();
    assert_eq!(restored["profile"], "Alice II");
    // Or, for a script, from the environment.
    for (order, kind) in [
        (["backup", file, "--force"], None),
        (["restore", file, "--as=Alice III"], None),
        (["restore", file, "--as=Alice III"], Some("exists")),
    ] {
        let mut command = alice.command(&order);
        command.env("HUSHWING_BACKUP_PASSPHRASE", "five words by dice");
        let answer = Answer::of(&command.output().unwrap());
        match kind {
            None => drop(answer.ok()),
            Some(kind) => assert_eq!(answer.failed(1), kind),
        }
    }
    let log = fs::read_to_string(alice.path().join("log")).unwrap();
    assert!(!log.contains("four words") && !log.contains("five words"));
}

/// The relay admits to a mailbox only who wrote to it first.
#[test]
fn who_comes_back_writes_to_mailboxes_that_were_opened_after_the_backup() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    alice
        .run(&["send", "Bob", "one", "--wait", "delivered"])
        .ok();
    let file = dir.path().join("alice.backup");
    let file = file.to_str().unwrap();
    let made = alice.run(&["backup", file]).ok();
    let code = made["recovery_code"].as_str().unwrap().to_owned();
    bob.run(&["rotate", "Alice"]).ok();
    for text in ["two", "three"] {
        bob.run(&["send", "Alice", text, "--wait", "delivered"])
            .ok();
        alice
            .run(&["send", "Bob", text, "--wait", "delivered"])
            .ok();
    }
    drop(alice);

    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    let restored = alice.run_with_input(&["restore", file], &format!("{code}\n"));
    restored.ok();
    until("the conversation began anew", || {
        alice.run(&["contacts"]).ok()[0]["state"] == "connected"
    });
    let said = alice.run(&["send", "Bob", "four", "--wait", "delivered"]);
    // They are kept where one address was not enough.
    let id = said.ok()["message"].as_str().unwrap().to_owned();
    let ways = alice.run(&["where", &id]).ok()["attempts"].clone();
    assert_eq!(ways, serde_json::json!([]));
}

/// Alice and Bob, in a group that she founded.
fn rowing(relay: &Relay) -> (Person, Person) {
    let (alice, bob) = (Person::start("Alice", relay), Person::start("Bob", relay));
    alice.meet(&bob);
    alice.run(&["group", "new", "Rowing"]).ok();
    alice.run(&["group", "add", "Rowing", "Bob"]).ok();
    accept(&bob);
    until("both are in", || {
        size(&alice, "Rowing") == 2 && size(&bob, "Rowing") == 2
    });
    (alice, bob)
}

#[test]
fn a_group_of_a_backup_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = rowing(&relay);
    let file = dir.path().join("bob.backup");
    let file = file.to_str().unwrap();
    let made = bob.run(&["backup", file]).ok();
    let code = made["recovery_code"].as_str().unwrap().to_owned();
    bob.stop();
    // While its steward is away it waits, and says for whom.
    alice.stop();

    let bob = Person::without_profile();
    bob.run(&["up"]).ok();
    let restored = bob.run_with_input(&["restore", file], &format!("{code}\n"));
    assert_eq!(restored.ok()["groups"], serde_json::json!(["Rowing"]));
    let early = bob.run(&["send", "Rowing", "too early"]);
    let advice = early.json["error"]["advice"].to_string();
    assert!(advice.contains("steward"), "{advice}");
    assert_eq!(early.failed(2), "usage");

    alice.run(&["up"]).ok();
    until("he is back, and nobody is there twice", || {
        size(&alice, "Rowing") == 2 && size(&bob, "Rowing") == 2
    });
    bob.run(&["send", "Rowing", "here again", "--wait", "delivered"])
        .ok();
    until("it arrived", || !alice.shown("Rowing").is_empty());
}

#[test]
fn a_group_whose_only_steward_put_a_backup_back_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = rowing(&relay);
    bob.run(&["send", "Rowing", "before", "--wait", "delivered"])
        .ok();
    let file = dir.path().join("alice.backup");
    let file = file.to_str().unwrap();
    let made = alice.run(&["backup", file]).ok();
    let code = made["recovery_code"].as_str().unwrap().to_owned();
    alice.stop();

    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    alice
        .run_with_input(&["restore", file], &format!("{code}\n"))
        .ok();
    until("all are in what she founded anew", || {
        size(&alice, "Rowing") == 2 && size(&bob, "Rowing") == 2
    });
    bob.run(&["send", "Rowing", "after", "--wait", "delivered"])
        .ok();
    assert_eq!(alice.shown("Rowing").len(), 2);
    alice.run(&["group", "rename", "Rowing", "Sculling"]).ok();
    until("it is changed as before", || size(&bob, "Sculling") == 2);
}
