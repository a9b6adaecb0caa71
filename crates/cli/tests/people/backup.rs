//! Backups, for the day a home is lost.

use std::fs;

use crate::world::{Person, Relay, until};

#[test]
fn a_profile_is_backed_up_while_it_is_in_use() {
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
    // It goes on as before.
    bob.run(&["send", "Alice", "still there?"]).ok();
    until("it arrived", || alice.shown("Bob").len() > before.len());
    assert_eq!(code.split('-').count(), 7);
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
    let log = fs::read_to_string(alice.path().join("log")).unwrap();
    assert!(!log.contains("four words"));
}
