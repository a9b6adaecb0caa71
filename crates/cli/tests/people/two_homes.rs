//! Two people on two homes, with real processes between them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::world::{Person, Relay, until};

#[test]
fn two_people_connect_by_link_and_read_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);

    let sent = alice
        .run(&["send", "Bob", "hello", "--wait", "delivered"])
        .ok();
    assert_eq!(sent["state"], "delivered");
    let answer = bob.run(&[
        "send",
        "Alice",
        "hi",
        "--reply",
        sent["message"].as_str().unwrap(),
        "--wait",
        "delivered",
    ]);
    assert_eq!(answer.ok()["state"], "delivered");
    assert_eq!(alice.shown("Bob"), bob.shown("Alice"));
    assert_eq!(alice.shown("Bob").len(), 2);

    let place = alice
        .run(&["where", sent["message"].as_str().unwrap()])
        .ok();
    let stages: Vec<&str> = place["progress"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["stage"].as_str().unwrap())
        .collect();
    assert!(
        stages.contains(&"accepted") && stages.contains(&"delivered"),
        "{place}"
    );
}

#[test]
fn two_people_connect_by_a_picture_of_the_code() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    let picture = dir.path().join("code.png");
    // An older picture, which others might read.
    fs::write(&picture, [0; 100_000]).unwrap();
    alice
        .run(&["invite", "--png", picture.to_str().unwrap()])
        .ok();
    let mode = fs::metadata(&picture).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    bob.run(&["join", "--image", picture.to_str().unwrap(), "--wait"])
        .ok();
    bob.run(&["send", "Alice", "by picture", "--wait", "delivered"])
        .ok();
    assert_eq!(alice.shown("Bob")[0].1, "by picture");
}

#[test]
fn without_a_place_for_the_picture_no_link_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let alice = Person::start("Alice", &relay);
    for nowhere in ["missing/code.png", "."] {
        let file = dir.path().join(nowhere);
        let refused = alice.run(&["invite", "--png", file.to_str().unwrap()]);
        assert_eq!(refused.failed(1), "bad_file");
    }
    // A full disk.
    let refused = alice.run(&["invite", "--png", "/dev/full"]);
    assert_eq!(refused.failed(1), "bad_file");
    assert_eq!(alice.run(&["invite", "--list"]).ok(), serde_json::json!([]));

    alice.stop();
    let file = dir.path().join("code.png");
    let refused = alice.run(&["invite", "--png", file.to_str().unwrap()]);
    assert_eq!(refused.failed(3), "daemon_not_running");
    assert!(!file.exists());
}

#[test]
fn a_second_person_cannot_use_a_one_time_link() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let people = ["Alice", "Bob", "Mallory"].map(|name| Person::start(name, &relay));
    let [alice, bob, mallory] = &people;
    let link = alice.run(&["invite"]).ok()["link"]
        .as_str()
        .unwrap()
        .to_owned();
    bob.run(&["join", &link, "--wait"]).ok();
    assert_eq!(mallory.run(&["join", &link]).failed(1), "link_used");
}

#[test]
fn both_see_one_safety_number_and_a_wrong_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    bob.run(&["send", "Alice", "x", "--wait", "delivered"]).ok();
    let number = alice.run(&["verify", "Bob"]).ok()["safety_number"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        bob.run(&["verify", "Alice"]).ok()["safety_number"],
        number.as_str()
    );

    assert_eq!(bob.run(&["verify", "Alice", ""]).failed(2), "usage");
    let wrong: String = number
        .chars()
        .map(|c| if c == '0' { '1' } else { c })
        .rev()
        .collect();
    assert_ne!(bob.run(&["verify", "Alice", &wrong]).code, 0);
    assert_eq!(
        bob.run(&["verify", "Alice", &number]).ok()["verified"],
        true
    );
}

#[test]
fn edits_deletions_and_reactions_show_on_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let say = |text: &str| {
        let sent = alice
            .run(&["send", "Bob", text, "--wait", "delivered"])
            .ok();
        sent["message"].as_str().unwrap().to_owned()
    };
    let (kept, gone) = (say("frist"), say("mistake"));
    alice.run_with_input(&["edit", &kept, "-"], "first").ok();
    alice.run(&["delete", &gone]).ok();
    bob.run(&["react", &kept, "👍"]).ok();
    until("both show the changes", || {
        [(&alice, "Bob", "Bob"), (&bob, "Alice", "me")]
            .iter()
            .all(|(person, name, reactor)| {
                let messages = person.run(&["read", name]).ok();
                let (first, second) = (&messages[0], &messages[1]);
                first["text"] == "first"
                    && first["edited"] == true
                    && first["reactions"][0]["reaction"] == "👍"
                    && first["reactions"][0]["from"] == *reactor
                    && second["deleted"] == true
            })
    });
}

#[test]
fn watching_shows_what_happens_as_it_happens() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let mut watching = bob.watch();
    alice.run(&["send", "Bob", "look"]).ok();
    let message = watching.until_event("message");
    assert_eq!(message["text"], "look");
    assert_eq!(message["from"], "Alice");
    assert_eq!(message["last"], true);
}
