//! A home that is lost, and a profile that comes back from its backup.

use std::fs;

use crate::world::{Person, Relay, until};

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
    let log = fs::read_to_string(alice.path().join("log")).unwrap();
    assert!(!log.contains("four words"));
}
