//! Three people, one of whom publishes, by command line.

use serde_json::Value;

use crate::world::{Person, Relay, until};

/// Somebody who is asked to read accepts.
fn accept(person: &Person) {
    until("they were asked", || {
        person.run(&["requests"]).ok() != serde_json::json!([])
    });
    let waiting = person.run(&["requests"]).ok();
    assert_eq!(waiting[0]["kind"], "channel");
    let told = person.told(&["requests"]);
    assert!(told.contains("channel News, Alice asks you to read it"));
    let number = waiting[0]["request"].to_string();
    person.run(&["requests", "accept", &number]).ok();
    until("they read", || {
        person.run(&["channel", "info", "News"]).ok()["state"] == "member"
    });
}

fn texts(person: &Person) -> Vec<String> {
    let all = person.run(&["read", "News"]).ok();
    let rows = all.as_array().unwrap().iter();
    rows.map(|row| row["text"].as_str().unwrap().to_owned())
        .collect()
}

fn names(info: &Value) -> Vec<String> {
    let members = info["members"].as_array().unwrap().iter();
    let mut names: Vec<_> = members
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn one_publishes_and_two_read_who_do_not_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let people = ["Alice", "Bob", "Carol"].map(|name| Person::start(name, &relay));
    let [alice, bob, carol] = &people;
    alice.meet(bob);
    alice.meet(carol);
    alice.run(&["channel", "new", "News"]).ok();
    for (name, person) in [("Bob", bob), ("Carol", carol)] {
        alice.run(&["channel", "add", "News", name]).ok();
        accept(person);
    }
    let posted = alice.run(&["channel", "post", "News", "snow tonight"]).ok();
    for person in [bob, carol] {
        until("the post is there", || texts(person) == ["snow tonight"]);
        assert!(
            person
                .told(&["read", "News"])
                .contains("Alice: snow tonight")
        );
        let row = &person.run(&["read", "News"]).ok()[0];
        assert_eq!(
            (&row["with"], &row["from"]),
            (&"News".into(), &"Alice".into())
        );
        let found = &person.run(&["search", "snow"]).ok()[0];
        assert_eq!(
            (&found["with"], &found["from"]),
            (&"News".into(), &"Alice".into())
        );
    }
    let info = alice.run(&["channel", "info", "News"]).ok();
    assert_eq!(names(&info), ["Alice", "Bob", "Carol"]);
    let info = bob.run(&["channel", "info", "News"]).ok();
    assert_eq!(names(&info), ["Alice", "Bob"]);
    // It is a channel, and no group.
    assert_eq!(bob.run(&["group", "list"]).ok(), serde_json::json!([]));
    let listed = bob.run(&["channel", "list"]).ok();
    assert_eq!(listed[0]["kind"], "channel");

    // What is meant for the one is not done to the other, nor said to a contact.
    alice.run(&["group", "new", "Rowing"]).ok();
    for wrong in [
        ["channel", "post", "Bob", "hello"].as_slice(),
        &["channel", "post", "Rowing", "hello"],
        &["channel", "leave", "Rowing"],
        &["channel", "forget", "Rowing"],
        &["group", "leave", "News"],
        &["group", "info", "News"],
    ] {
        let kind = alice.run(wrong).failed(4);
        assert_eq!(kind, "not_found", "{wrong:?}");
    }
    assert_eq!(bob.run(&["read", "Alice"]).ok(), serde_json::json!([]));

    let id = posted["message"].as_str().unwrap();
    alice.run(&["edit", id, "snow tomorrow"]).ok();
    until("the edit is there", || texts(bob) == ["snow tomorrow"]);
    alice.run(&["channel", "remove", "News", "Carol"]).ok();
    until("Carol was told", || {
        carol.run(&["channel", "info", "News"]).ok()["state"] == "left"
    });
    alice.run(&["send", "News", "for Bob alone"]).ok();
    until("Bob reads on", || texts(bob).len() == 2);
    assert_eq!(texts(carol).len(), 1);
    bob.run(&["channel", "leave", "News"]).ok();
    until("nobody reads", || {
        alice.run(&["channel", "info", "News"]).ok()["size"] == 1
    });
    bob.run(&["channel", "forget", "News"]).ok();
    assert_eq!(bob.run(&["channel", "list"]).ok(), serde_json::json!([]));
}
