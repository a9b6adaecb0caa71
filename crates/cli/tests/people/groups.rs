//! Three people in a group, by command line.

use crate::world::{Person, Relay, until};

/// How many are in a group, as somebody sees it; 0 if they are not.
pub(crate) fn size(person: &Person, group: &str) -> u64 {
    let all = person.run(&["group", "list"]).ok();
    let mut rows = all.as_array().unwrap().iter();
    let row = rows.find(|row| row["name"] == group && row["state"] == "member");
    row.map_or(0, |row| row["size"].as_u64().unwrap())
}

/// Somebody who is asked in accepts.
pub(crate) fn accept(person: &Person) {
    until("they were asked", || {
        person.run(&["requests"]).ok() != serde_json::json!([])
    });
    let waiting = person.run(&["requests"]).ok();
    assert_eq!(waiting[0]["kind"], "group");
    assert!(
        person
            .told(&["requests"])
            .contains("group Rowing, Alice asks you in")
    );
    let number = waiting[0]["request"].to_string();
    person.run(&["requests", "accept", &number]).ok();
}

/// The newest text in a group, and who said it.
fn last(person: &Person, group: &str) -> Option<(String, String)> {
    let all = person.run(&["read", group]).ok();
    let newest = all.as_array().unwrap().last()?.clone();
    let field = |name: &str| newest[name].as_str().unwrap().to_owned();
    Some((field("from"), field("text")))
}

#[test]
fn three_found_talk_in_change_and_leave_a_group() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let people = ["Alice", "Bob", "Carol"].map(|name| Person::start(name, &relay));
    let [alice, bob, carol] = &people;
    alice.meet(bob);
    alice.meet(carol);
    alice.run(&["group", "new", "Rowing"]).ok();
    for (name, person, count) in [("Bob", bob, 2), ("Carol", carol, 3)] {
        alice.run(&["group", "add", "Rowing", name]).ok();
        accept(person);
        for one in &people[..count] {
            until("all see who is in", || {
                size(one, "Rowing") == u64::try_from(count).unwrap()
            });
        }
    }
    let info = carol.told(&["group", "info", "Rowing"]);
    assert!(info.contains("Bob") && info.contains("steward"), "{info}");

    let sent = bob
        .run(&["send", "Rowing", "at six?", "--wait", "delivered"])
        .ok();
    assert_eq!(sent["state"], "delivered");
    for person in [alice, carol] {
        assert_eq!(
            last(person, "Rowing"),
            Some(("Bob".to_owned(), "at six?".to_owned()))
        );
        assert!(person.told(&["read", "Rowing"]).contains("Bob: at six?"));
    }
    let id = sent["message"].as_str().unwrap();
    // What was done is told with the id of what it was done to, which commands know.
    let nothing = carol.run(&["react", id, ""]);
    assert!(
        nothing.json["error"]["message"]
            .to_string()
            .contains("not reacted")
    );
    nothing.failed(2);
    let reacted = carol.told(&["react", id, "👍"]);
    assert!(reacted.starts_with(&format!("{id}  reacted")), "{reacted}");
    let unknown = carol.run(&["group", "info", "Chess"]);
    let advice = unknown.json["error"]["advice"].to_string();
    assert!(advice.contains("group list"), "{advice}");
    until("the reaction came", || {
        bob.run(&["read", "Rowing"]).ok()[0]["reactions"][0]["from"] == "Carol"
    });
    // Bob and Carol are no contacts, and no command of two is one of many.
    carol.run(&["send", "Bob", "x"]).failed(4);
    carol.run(&["group", "rename", "Rowing", "Mine"]).failed(2);

    // Whether or not they may change anything else.
    for person in [alice, carol] {
        let rotated = person.run(&["rotate", "Rowing"]).ok();
        assert_eq!(rotated["mailboxes_are"], "replaced");
        assert_eq!(rotated["keys"], "soon");
        let told = person.told(&["rotate", "Rowing"]);
        assert!(told.starts_with("Rowing: mailboxes "), "{told}");
    }

    // It is known by it at once, and shown as what it is to be.
    let renaming = alice.run(&["group", "rename", "Rowing", "Regatta"]).ok();
    let pending = serde_json::json!([{ "change": "name", "to": "Regatta" }]);
    assert_eq!(renaming["pending"], pending);
    alice.run(&["group", "info", "Regatta"]).ok();
    for person in &people {
        until("the name is another", || size(person, "Regatta") == 3);
    }
    // Any picture will do; a code is one.
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (photo, seen) = (path("photo.png"), path("seen"));
    alice.run(&["invite", "--png", &photo]).ok();
    let show = ["group", "avatar", "Regatta", &photo];
    carol.run(&show).failed(2);
    alice.run(&show).ok();
    until("the picture came", || {
        carol.run(&["group", "info", "Regatta"]).ok()["avatar"].is_string()
    });
    let written = carol
        .run(&["group", "avatar", "Regatta", "--save", &seen])
        .ok();
    assert_eq!(written["media_type"], "image/jpeg");
    assert!(std::fs::read(&seen).unwrap().len() <= 4_095);
    alice.run(&["group", "remove", "Regatta", "Bob"]).ok();
    until("Bob is out", || {
        size(alice, "Regatta") == 2 && size(carol, "Regatta") == 2 && size(bob, "Regatta") == 0
    });
    carol
        .run(&["send", "Regatta", "without Bob", "--wait", "delivered"])
        .ok();
    assert_ne!(
        last(bob, "Regatta").map(|(_, text)| text).as_deref(),
        Some("without Bob")
    );
    // It lasts, and Carol goes.
    alice.stop();
    carol.run(&["group", "leave", "Regatta"]).ok();
    alice.run(&["up"]);
    until("Carol is out", || size(alice, "Regatta") == 1);
    let mut heard = carol.watch_as_person();
    carol.run(&["group", "forget", "Regatta"]).ok();
    heard.until_line("removed  Regatta");
    assert_eq!(carol.run(&["group", "list"]).ok(), serde_json::json!([]));
}

#[test]
fn who_comes_later_sees_what_was_said_where_the_group_wants_that() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let people = ["Alice", "Bob", "Carol"].map(|name| Person::start(name, &relay));
    let [alice, bob, carol] = &people;
    alice.meet(bob);
    alice.meet(carol);
    alice.run(&["group", "new", "Rowing"]).ok();
    alice.run(&["group", "add", "Rowing", "Bob"]).ok();
    accept(bob);
    until("Bob is in", || size(bob, "Rowing") == 2);
    bob.run(&["send", "Rowing", "unheard", "--wait", "delivered"])
        .ok();
    bob.run(&["group", "history", "Rowing"]).failed(2);
    alice.run(&["group", "history", "Rowing"]).ok();
    until("Bob sees it", || {
        let info = bob.told(&["group", "info", "Rowing"]);
        info.contains("newcomers see what was said since")
    });
    bob.run(&["send", "Rowing", "at six?", "--wait", "delivered"])
        .ok();
    alice.run(&["group", "add", "Rowing", "Carol"]).ok();
    accept(carol);
    until("Carol is in", || size(carol, "Rowing") == 3);
    let read = carol.run(&["read", "Rowing"]).ok();
    assert_eq!(read.as_array().unwrap().len(), 1, "{read}");
    assert_eq!(read[0]["text"], "at six?");
    assert_eq!(read[0]["from"], "Bob");
    assert_eq!(read[0]["handed_on"], true);
    let told = carol.told(&["read", "Rowing"]);
    assert!(told.contains("said before you came"), "{told}");
    let found = carol.run(&["search", "six"]).ok();
    assert_eq!(found.as_array().unwrap().len(), 1);
    alice.run(&["group", "history", "Rowing", "--off"]).ok();
}

#[test]
fn a_link_leads_into_a_group() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let people = ["Alice", "Bob", "Carol"].map(|name| Person::start(name, &relay));
    let [alice, bob, carol] = &people;
    alice.run(&["group", "new", "Rowing"]).ok();
    alice.run(&["invite", "--open"]).failed(2);
    let once = alice.run(&["invite", "--group", "Rowing"]).ok();
    let joined = bob
        .run(&["join", "--enter-group", once["link"].as_str().unwrap()])
        .ok();
    assert_eq!(joined["group"], "Rowing");
    until("Bob is in", || {
        size(alice, "Rowing") == 2 && size(bob, "Rowing") == 2
    });

    let many = ["invite", "--group", "Rowing", "--reusable"];
    let link = alice.run(&many).ok()["link"].clone();
    assert!(
        alice
            .told(&["invite", "--list"])
            .contains("reusable  into Rowing")
    );
    let told = carol.told(&["join", link.as_str().unwrap()]);
    assert_eq!(
        told.trim(),
        "asked to be in Rowing; waiting for Alice to accept"
    );
    until("Carol asks", || {
        alice
            .told(&["requests"])
            .contains("Carol  asks to be in Rowing")
    });
    let waiting = alice.run(&["requests"]).ok();
    assert_eq!(waiting[0]["group"], "Rowing");
    let number = waiting[0]["request"].to_string();
    alice.run(&["requests", "accept", &number]).ok();
    // She did not say that she wants to be in it.
    accept(carol);
    for person in &people {
        until("Carol is in", || size(person, "Rowing") == 3);
    }
    carol
        .run(&["send", "Rowing", "here", "--wait", "delivered"])
        .ok();
    let said = Some(("Carol".to_owned(), "here".to_owned()));
    assert_eq!(last(bob, "Rowing"), said);
}

#[test]
fn what_nobody_else_gets_and_what_shares_a_name_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let alice = Person::start("Alice", &relay);
    alice.run(&["group", "new", "Rowing"]).ok();
    let sent = alice.run(&["send", "Rowing", "is anybody there?"]).ok();
    assert_eq!(sent["alone"], true);
    let said = alice.told(&["send", "Rowing", "hello?"]);
    assert!(said.contains("nobody else is there yet"), "{said}");
    let id = sent["message"].as_str().unwrap();
    let place = alice.told(&["where", id]);
    assert!(place.contains("nobody else was there"), "{place}");

    // A group and a channel of one name are told apart by what is done to them.
    let made = alice.told(&["channel", "new", "Rowing"]);
    assert!(made.contains("another group of that name"), "{made}");
    let posted = alice.told(&["channel", "post", "Rowing", "to nobody"]);
    assert!(posted.contains("nobody reads it yet"), "{posted}");
    for kind in ["group", "channel"] {
        assert_eq!(alice.run(&[kind, "info", "Rowing"]).ok()["kind"], kind);
    }
    let both = alice.run(&["send", "Rowing", "to which?"]);
    assert_eq!(both.failed(1), "ambiguous");

    // What is said of a channel speaks of channels.
    let refused = alice.run(&["channel", "remove", "Rowing", "Bob"]);
    let told = refused.json["error"].to_string();
    assert!(told.contains("no reader is called Bob"), "{told}");
    assert!(!told.contains("group"), "{told}");
    let refused = alice.run(&["channel", "forget", "Rowing"]);
    let told = refused.json["error"].to_string();
    assert!(told.contains("leave the channel first"), "{told}");

    for typed in ["abc", "1.5", "99"] {
        let nobody = alice.run(&["requests", "accept", typed]);
        assert_eq!(nobody.failed(4), "not_found", "{typed}");
    }
}
