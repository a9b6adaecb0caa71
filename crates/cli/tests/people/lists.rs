//! Two homes, one of which posts to a list, by command line.

use serde_json::{Value, json};

use crate::world::{Person, Relay, until};

fn texts(person: &Person, with: &str) -> Vec<Value> {
    let all = person.run(&["read", with]).ok();
    let rows = all.as_array().unwrap().iter();
    rows.map(|row| row["text"].clone()).collect()
}

/// Up to a quarter of a minute goes by until a post is said, by chance: what is tried is
/// tried on one post.
#[test]
fn who_is_on_a_list_is_told_as_by_a_message_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let [alice, bob] = ["Alice", "Bob"].map(|name| Person::start(name, &relay));
    alice.meet(&bob);
    assert_eq!(alice.told(&["list", "list"]), "you have no list\n");
    let made = alice.run(&["list", "new", "Friends"]).ok();
    assert_eq!(made["name"], "Friends");
    let nobody = alice.run(&["list", "post", "Friends", "tea"]).failed(2);
    assert_eq!(nobody, "usage");
    let listed = alice.run(&["list", "add", "Friends", "Bob"]).ok();
    assert_eq!(listed["contacts"][0]["name"], "Bob");
    assert_eq!(
        alice.run(&["list", "add", "Friends", "Nobody"]).failed(4),
        "not_found"
    );
    assert_eq!(
        alice.run(&["list", "info", "Enemies"]).failed(4),
        "not_found"
    );

    let posted = alice.run(&["list", "post", "Friends", "tea at four"]).ok();
    assert_eq!((&posted["all"], &posted["missed"]), (&json!(1), &json!([])));
    let post = posted["message"].as_str().unwrap();
    until("Bob was told", || texts(&bob, "Alice") == ["tea at four"]);
    // The relay's answer may be on its way to her still, and his receipt is.
    until("Alice knows that it left", || {
        let place = alice.run(&["where", &post[..10]]).ok();
        let reached = &place["members"][0];
        assert_eq!(reached["name"], "Bob");
        reached["state"] == "accepted" || reached["state"] == "delivered"
    });
    assert!(alice.told(&["where", post]).contains("\n  Bob  "));
    let info = alice.told(&["list", "info", "Friends"]);
    assert!(
        info.contains("1 on it\n  Bob\n  post ") && info.contains("  said"),
        "{info}"
    );

    // Of two lists of one name the number says which.
    let other = alice.run(&["list", "new", "Friends"]).ok();
    assert_eq!(
        alice.run(&["list", "delete", "Friends"]).failed(1),
        "ambiguous"
    );
    let number = other["list"].to_string();
    alice.run(&["list", "delete", &number]).ok();
    let left = alice.run(&["list", "remove", "Friends", "Bob"]).ok();
    assert_eq!(
        (&left["list"], &left["contacts"]),
        (&made["list"], &json!([]))
    );
}
