//! What people do with conversations, with real processes: find, let disappear,
//! block, report, forget.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::world::{Person, Relay, until};

fn id(sent: &Value) -> String {
    sent["message"].as_str().unwrap().to_owned()
}

fn found(person: &Person, words: &str) -> usize {
    let found = person.run(&["search", words]).ok();
    found.as_array().unwrap().len()
}

#[test]
fn what_was_said_is_found_until_it_is_edited_deleted_or_has_disappeared() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let send = |text: &str| {
        let sent = ["send", "Bob", text, "--wait", "delivered"];
        id(&alice.run(&sent).ok())
    };
    let harbour = send("Meet me at the Harbour");
    send("我们明天去喝茶吧");
    assert_eq!((found(&bob, "harb MEET"), found(&bob, "喝茶")), (1, 1));
    assert_eq!(
        bob.run(&["search", "(*\"", "--in", "Alice"]).failed(2),
        "usage"
    );

    alice
        .run(&["edit", &harbour, "Meet me at the station"])
        .ok();
    until("the edit came", || found(&bob, "station") == 1);
    assert_eq!(found(&bob, "harbour"), 0);
    let read = bob.run(&["read", "Alice", "--history"]).ok();
    let before: Vec<&str> = read[0]["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["text"].as_str().unwrap())
        .collect();
    assert_eq!(before, ["Meet me at the Harbour", "Meet me at the station"]);

    assert_eq!(alice.run(&["typing", "Bob"]).ok(), json!({ "done": true }));
    alice.run(&["delete", &harbour]).ok();
    until("the deletion came", || found(&bob, "station") == 0);
    assert_eq!(found(&alice, "station"), 0);

    alice.run(&["disappear", "Bob", "2s"]).ok();
    send("this will not last");
    assert_eq!(found(&bob, "last"), 1);
    let shown = bob.run(&["read", "Alice"]).ok();
    let notice = shown
        .as_array()
        .unwrap()
        .iter()
        .find(|one| !one["notice"].is_null());
    assert_eq!(
        notice.unwrap()["notice"],
        json!({ "kind": "disappear", "seconds": 2 })
    );
    until("it disappeared", || {
        found(&bob, "last") == 0 && found(&alice, "last") == 0
    });
    for (person, other) in [(&alice, "Bob"), (&bob, "Alice")] {
        assert!(
            person
                .shown(other)
                .iter()
                .all(|(_, text)| !text.contains("last"))
        );
    }
}

#[test]
fn who_is_blocked_reported_and_forgotten_is_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    bob.run(&["send", "Alice", "you owe me", "--wait", "delivered"])
        .ok();
    let unread = alice.run(&["unread"]).ok();
    assert_eq!(unread[0]["unread"], 1);

    let kept = alice.run(&["block", "Bob"]).ok();
    assert!(kept["blocked_since"].is_string());
    let refused = alice.run(&["send", "Bob", "no"]);
    assert!(
        refused.json["error"]["advice"]
            .as_str()
            .unwrap()
            .contains("unblock")
    );
    assert_eq!(refused.failed(2), "usage");
    bob.run(&["send", "Alice", "pay up", "--wait", "accepted"])
        .ok();
    let silent = bob.run(&[
        "send",
        "Alice",
        "now!",
        "--wait",
        "delivered",
        "--timeout",
        "3",
    ]);
    assert_eq!(silent.failed(5), "timeout");

    let file = dir.path().join("report.json");
    let path = file.to_str().unwrap();
    let report = alice.run(&["report", "Bob", "--out", path]).ok();
    assert_eq!(report["messages"], 1);
    let written: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(written["messages"][0]["text"], "you owe me");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        alice.run(&["report", "Bob", "--out", path]).failed(1),
        "bad_file"
    );
    // To write it down is not to read it.
    assert_eq!(alice.run(&["unread"]).ok()[0]["unread"], 1);

    alice.run(&["unblock", "Bob"]).ok();
    let heard = ["send", "Alice", "sorry", "--wait", "delivered"];
    bob.run(&heard).ok();
    assert_eq!(found(&alice, "sorry"), 1);

    let mut heard = alice.watch_as_person();
    alice.run(&["contacts", "remove", "Bob"]).ok();
    heard.until_line("removed  Bob");
    assert_eq!(alice.run(&["contacts"]).ok(), json!([]));
    assert_eq!(alice.run(&["read", "Bob"]).failed(4), "not_found");
    assert_eq!(found(&alice, "sorry"), 0);
}

#[test]
fn how_a_conversation_is_kept_survives_the_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let sent = alice.run(&["send", "Bob", "keep this"]).ok();
    alice.run(&["pin", "--message", &id(&sent)]).ok();
    alice.run(&["pin", "Bob"]).ok();
    alice.run(&["archive", "Bob"]).ok();
    alice.run(&["mute", "Bob", "8h"]).ok();
    alice.run(&["unread", "Bob"]).ok();
    alice
        .run(&["draft", "Bob", "I wanted to", "--reply", &id(&sent)])
        .ok();
    alice.stop();
    alice.run(&["up"]).ok();
    assert_eq!(alice.run(&["conversations"]).ok(), json!([]));
    let kept = alice.run(&["conversations", "--all"]).ok();
    let kept = &kept[0];
    for mark in ["pinned", "archived", "marked_unread"] {
        assert_eq!(kept[mark], true, "{mark}");
    }
    assert!(kept["muted_until"].is_string());
    assert_eq!(kept["pinned_messages"], json!([sent["message"]]));
    let draft = alice.run(&["draft", "Bob"]).ok();
    assert_eq!(
        draft,
        json!({ "text": "I wanted to", "reply_to": sent["message"] })
    );
    alice.run(&["draft", "Bob", "--clear"]).ok();
    assert_eq!(alice.run(&["draft", "Bob"]).ok(), Value::Null);
}

#[test]
fn what_takes_several_answers_is_read_whole_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    // One answer has at most 4 MiB of text.
    let texts: Vec<String> = (0..66)
        .map(|n| format!("{n:02}{}", "x".repeat(65_500)))
        .collect();
    for text in &texts {
        alice.run(&["send", "Bob", text]).ok();
    }
    let read = alice.run(&["read", "Bob", "-n", "100"]).ok();
    let begun: Vec<&str> = read
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["text"].as_str().unwrap()[..2])
        .collect();
    let said: Vec<&str> = texts.iter().map(|text| &text[..2]).collect();
    assert_eq!(begun, said);
}
