//! A person with two devices, by command line.

use serde_json::Value;

use crate::world::{Person, Relay, until};

/// The texts of a group, as somebody reads them: whether they said it, and what.
fn texts(person: &Person, group: &str) -> Vec<(bool, String)> {
    let all = person.run(&["read", group]).ok();
    let said = all.as_array().unwrap().iter();
    let said = said.map(|one| {
        (
            one["from"] == "me",
            one["text"].as_str().unwrap().to_owned(),
        )
    });
    said.collect()
}

pub(crate) fn state(person: &Person, group: &str) -> Option<String> {
    let all = person.run(&["group", "list"]).ok();
    let mut rows = all.as_array().unwrap().iter();
    let row = rows.find(|row| row["name"] == group)?;
    Some(row["state"].as_str().unwrap().to_owned())
}

/// The first of them founds a group, and the second, Bob, is asked: then all are in it.
pub(crate) fn found(people: &[&Person]) {
    let (alice, bob) = (people[0], people[1]);
    alice.run(&["group", "new", "Rowing"]).ok();
    alice.run(&["group", "add", "Rowing", "Bob"]).ok();
    until("Bob was asked", || {
        bob.run(&["requests"]).ok() != serde_json::json!([])
    });
    let number = bob.run(&["requests"]).ok()[0]["request"].to_string();
    bob.run(&["requests", "accept", &number]).ok();
    until("all are in", || {
        people
            .iter()
            .all(|one| state(one, "Rowing").as_deref() == Some("member"))
    });
}

/// Links `new` to `old`, by link and code, confirmed with these options.
pub(crate) fn link(old: &Person, new: &Person, options: &[&str]) {
    let shown = new.run(&["device", "link", "--name", "phone"]).ok();
    let link = shown["link"].as_str().unwrap();
    assert!(link.starts_with("hushwing:d#"), "{link}");
    let called = old.run(&["device", "link", link, "--name", "desk"]).ok();
    assert_eq!(called["newcomer"], "phone");
    let code = called["code"].as_str().unwrap();
    until("the new device shows the code", || {
        new.run(&["device", "list"]).ok()["code"] == code
    });
    old.run(&["device", "confirm", "000 00"]).failed(1);
    let told = old.told(&["device", "list"]);
    assert!(told.contains(&format!("phone shows {code}?")), "{told}");
    // As they are shown, with a space.
    let code: Vec<_> = code.split(' ').collect();
    let confirm = [&["device", "confirm"], &code[..], options].concat();
    old.run(&confirm).ok();
    until("both are linked", || {
        [old, new].iter().all(|one| {
            let known: Value = one.run(&["device", "list"]).ok();
            known["state"] == "linked" && known["devices"].as_array().unwrap().len() == 2
        })
    });
}

#[test]
fn a_linked_device_talks_in_the_groups_and_a_revoked_one_reads_nothing_further() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let people = ["Alice", "Bob", "Phone"].map(|name| Person::start(name, &relay));
    let [alice, bob, phone] = &people;
    alice.meet(bob);
    // Who has conversations is no new device, and an invitation is no link of one.
    bob.run(&["device", "link"]).failed(2);
    let invitation = alice.run(&["invite"]).ok();
    let invitation = invitation["link"].as_str().unwrap();
    alice.run(&["device", "link", invitation]).failed(1);

    link(alice, phone, &[]);
    found(&[alice, bob, phone]);
    bob.run(&["send", "Rowing", "to both", "--wait", "delivered"])
        .ok();
    phone
        .run(&["send", "Rowing", "from the phone", "--wait", "delivered"])
        .ok();
    let hers = [
        (false, "to both".to_owned()),
        (true, "from the phone".to_owned()),
    ];
    for one in [alice, phone] {
        until("each shows both", || texts(one, "Rowing") == hers);
    }
    // How far it got, the device knows that said it.
    let reached = |one: &Person| one.run(&["read", "Rowing"]).ok()[1]["reached"].clone();
    assert_eq!(reached(phone)["all"], 1);
    assert!(reached(alice).is_null());
    let told = alice.told(&["read", "Rowing"]);
    assert!(told.contains("by another device"), "{told}");
    let said = alice.run(&["read", "Rowing"]).ok()[1]["id"].clone();
    let told = alice.told(&["where", said.as_str().unwrap()]);
    assert!(
        told.starts_with("said by another device of yours"),
        "{told}"
    );
    let told = bob.told(&["group", "info", "Rowing"]);
    assert!(
        told.contains("2 devices") && told.contains("2 in it"),
        "{told}"
    );

    let told = alice.told(&["device", "revoke", "phone"]);
    assert!(told.starts_with("revoking phone"), "{told}");
    alice.run(&["device", "revoke", "tablet"]).failed(4);
    until("the phone is out", || {
        phone.run(&["device", "list"]).ok()["state"] == "out"
            && state(phone, "Rowing").as_deref() == Some("left")
    });
    until("Bob sees it", || {
        !bob.told(&["group", "info", "Rowing"]).contains("2 devices")
    });
    bob.run(&["send", "Rowing", "not for the phone", "--wait", "delivered"])
        .ok();
    assert_eq!(texts(alice, "Rowing").len(), 3);
    assert_eq!(texts(phone, "Rowing"), hers);
    phone.run(&["send", "Rowing", "still here"]).failed(2);
    assert!(phone.told(&["device", "list"]).contains("revoked"));
}

#[test]
fn a_device_that_was_put_back_is_linked_with_the_other_again_and_comes_back_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let people = ["Alice", "Bob", "Phone"].map(|name| Person::start(name, &relay));
    people[0].meet(&people[1]);
    link(&people[0], &people[2], &[]);
    found(&people.each_ref());
    let [alice, bob, phone] = people;
    let file = dir.path().join("alice.backup");
    let file = file.to_str().unwrap();
    let made = alice.run(&["backup", file]).ok();
    let code = made["recovery_code"].as_str().unwrap().to_owned();
    bob.run(&["send", "Rowing", "between", "--wait", "delivered"])
        .ok();
    alice.stop();
    drop(alice);

    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    let restored = alice.run_with_input(&["restore", file], &format!("{code}\n"));
    assert_eq!(restored.ok()["devices"], serde_json::json!(["phone"]));
    let told = alice.told(&["device", "list"]);
    assert!(told.contains("phone (before the backup)"), "{told}");
    // It founded the group, and waits for the telephone instead of founding another.
    assert_eq!(state(&alice, "Rowing").as_deref(), Some("restoring"));
    let shown = alice.run(&["device", "link", "--name", "desk"]).ok();
    let link = shown["link"].as_str().unwrap();
    let called = phone.run(&["device", "link", link, "--name", "phone"]).ok();
    assert_eq!(
        (&called["replaces"], &called["profile"]),
        (&"desk".into(), &"Alice".into())
    );
    let told = phone.told(&["device", "list"]);
    assert!(told.contains("takes the place of desk"), "{told}");
    phone
        .run(&["device", "confirm", called["code"].as_str().unwrap()])
        .ok();
    // Here too: else whoever read the link could have called.
    let told = alice.told(&["device", "list"]);
    assert!(told.contains("device confirm CODE` here too"), "{told}");
    alice
        .run(&["device", "confirm", called["code"].as_str().unwrap()])
        .ok();
    until("it is back", || {
        state(&alice, "Rowing").as_deref() == Some("member")
            && alice.run(&["device", "list"]).ok()["devices"]
                .as_array()
                .is_some_and(|all| all.len() == 2)
    });
    alice
        .run(&["send", "Rowing", "here", "--wait", "delivered"])
        .ok();
    let hers = [(false, "between".to_owned()), (true, "here".to_owned())];
    for one in [&alice, &phone] {
        until("each shows both", || texts(one, "Rowing") == hers);
    }
    until("Bob sees one person", || {
        let told = bob.told(&["group", "info", "Rowing"]);
        told.contains("2 devices") && told.contains("2 in it")
    });
    let told = alice.told(&["group", "info", "Rowing"]);
    assert!(told.contains("Bob (your contact)"), "{told}");
    // The conversation with Bob was begun anew by the one, and goes on on both.
    until("both have Bob", || {
        [&alice, &phone]
            .iter()
            .all(|one| contact(one)["state"] == "connected")
            && contact(&bob)["devices"] == 2
    });
    phone
        .run(&["send", "Bob", "from both of us", "--wait", "delivered"])
        .ok();
    until("Alice said it", || {
        texts(&alice, "Bob") == [(true, "from both of us".to_owned())]
    });
}

/// What both devices of Alice and Bob show of a conversation of two, once it is all there.
fn two_talk(alice: &Person, phone: &Person, bob: &Person) {
    let said = [
        (bob, "Alice", "from Bob"),
        (phone, "Bob", "from the phone"),
        (alice, "Bob", "from the desk"),
        (bob, "Alice", "to both"),
    ];
    for (by, to, text) in said {
        let told = by.run(&["send", to, text, "--wait", "delivered"]).ok();
        let place = by.run(&["where", told["message"].as_str().unwrap()]).ok();
        assert_eq!(place["state"], "delivered");
    }
    let hers = said.map(|(by, _, text)| (!std::ptr::eq(by, bob), text.to_owned()));
    let his = hers.clone().map(|(hers, text)| (!hers, text));
    for (one, name, wanted) in [
        (alice, "Bob", &hers),
        (phone, "Bob", &hers),
        (bob, "Alice", &his),
    ] {
        until("each shows all, in one order", || {
            let shown = texts(one, name);
            shown.ends_with(wanted)
        });
    }
}

/// How far something got, the device claims that said it, and the other says that it did.
fn each_knows_its_own(alice: &Person, phone: &Person) {
    for (one, other, text) in [(alice, phone, "desk"), (phone, alice, "phone")] {
        let said = |who: &Person| {
            let all = who.run(&["read", "Bob"]).ok();
            let mut all = all.as_array().unwrap().iter();
            let text = format!("from the {text}");
            all.find(|said| said["text"] == text).unwrap().clone()
        };
        let (here, there) = (said(one), said(other));
        let reached = |state: &str| state.starts_with("delivered") || state.starts_with("read");
        assert!(reached(here["state"].as_str().unwrap()), "{here}");
        assert_eq!(
            (&here["elsewhere"], &there["elsewhere"]),
            (&false.into(), &true.into())
        );
        assert_eq!(there["state"], "received");
        let id = here["id"].as_str().unwrap();
        assert!(reached(&one.told(&["where", id])));
        let told = other.told(&["where", id]);
        assert!(
            told.starts_with("said by another device of yours"),
            "{told}"
        );
        assert!(!told.contains("delivered"), "{told}");
        assert!(other.told(&["read", "Bob"]).contains("[by another device]"));
    }
}

fn contact(person: &Person) -> Value {
    person.run(&["contacts"]).ok()[0].clone()
}

#[test]
fn a_linked_device_has_the_contacts_and_a_revoked_one_hears_nothing_further() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let people = ["Alice", "Bob", "Phone"].map(|name| Person::start(name, &relay));
    let [alice, bob, phone] = &people;
    for one in &people {
        one.run(&["config", "set", "prompt_receipts", "on"]).ok();
        one.run(&["config", "set", "read_receipts", "on"]).ok();
    }
    alice.meet(bob);
    bob.run(&["send", "Alice", "before", "--wait", "delivered"])
        .ok();
    let number = bob.run(&["verify", "Alice"]).ok()["safety_number"].clone();
    alice.run(&["verify", "Bob", number.as_str().unwrap()]).ok();
    let mut watching = bob.watch_as_person();
    link(alice, phone, &[]);
    until("the phone has the contact", || {
        contact(phone)["state"] == "connected" && contact(bob)["devices"] == 2
    });
    watching.until_line("Alice  connected  2 devices");
    let known = contact(phone);
    assert_eq!(
        (&known["name"], &known["verified"]),
        (&"Bob".into(), &true.into())
    );
    assert_eq!(known["contact"], contact(alice)["contact"]);
    assert_eq!(phone.run(&["verify", "Bob"]).ok()["safety_number"], number);
    assert_eq!(alice.run(&["verify", "Bob"]).ok()["safety_number"], number);
    assert_eq!(phone.run(&["group", "list"]).ok(), serde_json::json!([]));

    two_talk(alice, phone, bob);
    // What was said before was handed to the phone.
    until("both have all", || {
        let all = texts(alice, "Bob");
        all.len() == 5 && all[0] == (false, "before".to_owned()) && texts(phone, "Bob") == all
    });
    each_knows_its_own(alice, phone);
    let unread = |one: &Person| {
        let kept = one.run(&["conversations"]).ok();
        kept[0]["unread"].clone()
    };
    let second = bob.run(&["send", "Alice", "read me"]).ok();
    let second = second["message"].as_str().unwrap().to_owned();
    until("both count it", || unread(alice) == 1 && unread(phone) == 1);
    phone.run(&["read", "Bob"]).ok();
    until("what one read the other did", || unread(alice) == 0);
    until("Bob knows", || {
        bob.run(&["where", &second]).ok()["state"] == "read"
    });
    phone.run(&["mute", "Bob"]).ok();
    let muted = |one: &Person| one.run(&["conversations"]).ok()[0]["muted_until"].is_string();
    assert!(muted(phone) && !muted(alice));
    alice.run(&["block", "Bob"]).ok();
    until("the phone hears nothing either", || {
        contact(phone)["blocked"] == true
    });
    alice.run(&["unblock", "Bob"]).ok();
    until("the phone hears again", || {
        contact(phone)["blocked"] == false
    });

    alice.run(&["device", "revoke", "phone"]).ok();
    until("the phone is out, and Bob sees it", || {
        phone.run(&["device", "list"]).ok()["state"] == "out"
            && contact(phone)["state"] == "broken"
            && contact(bob)["devices"] == 1
    });
    let before = texts(phone, "Bob").len();
    for number in 1..=5 {
        let text = format!("not for the phone {number}");
        bob.run(&["send", "Alice", &text, "--wait", "delivered"])
            .ok();
    }
    assert_eq!(texts(alice, "Bob").last().unwrap().1, "not for the phone 5");
    assert_eq!(texts(phone, "Bob").len(), before);
    phone.run(&["send", "Bob", "still here"]).failed(2);
    assert_eq!(texts(bob, "Alice").last().unwrap().1, "not for the phone 5");
}

/// Puts a backup back elsewhere, and links that with a device that stayed, which throws the
/// one out whose backup it is.
fn put_back_and_link(file: &str, code: &str, stayed: &Person) -> Person {
    let new = Person::without_profile();
    new.run(&["up"]).ok();
    new.run_with_input(&["restore", file], &format!("{code}\n"))
        .ok();
    let shown = new.run(&["device", "link", "--name", "new"]).ok();
    let link = shown["link"].as_str().unwrap();
    let called = stayed.run(&["device", "link", link]).ok();
    let code = called["code"].as_str().unwrap();
    stayed.run(&["device", "confirm", code]).ok();
    new.run(&["device", "confirm", code]).ok();
    until("it is in the place of the lost one", || {
        [stayed, &new].iter().all(|one| {
            let known = one.run(&["device", "list"]).ok();
            known["state"] == "linked" && known["devices"].as_array().unwrap().len() == 2
        })
    });
    new
}

#[test]
fn a_lost_first_phone_that_somebody_switches_on_says_that_it_was_revoked_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let people = ["Alice", "Bob", "Tablet"].map(|name| Person::start(name, &relay));
    people[0].meet(&people[1]);
    link(&people[0], &people[2], &[]);
    found(&people.each_ref());
    let [lost, bob, tablet] = people;
    lost.run(&["send", "Bob", "before", "--wait", "delivered"])
        .ok();
    let file = dir.path().join("alice.backup");
    let file = file.to_str().unwrap();
    let made = lost.run(&["backup", file]).ok();
    let code = made["recovery_code"].as_str().unwrap().to_owned();
    // It is lost, and its battery is empty.
    lost.stop();
    let new = put_back_and_link(file, &code, &tablet);
    until("the new one is in the group", || {
        state(&new, "Rowing").as_deref() == Some("member")
    });

    // Somebody finds it, and asks it at once to throw the others out.
    lost.run(&["up"]).ok();
    for asked in [
        &["device", "revoke", "phone"][..],
        &["send", "Bob", "it is me"],
        &["send", "Rowing", "it is me"],
        &["device", "link"],
        &["invite"],
        &["profile", "set", "--name", "Alicia"],
        &["group", "leave", "Rowing"],
    ] {
        let refused = lost.run(asked);
        let why = refused.json["error"]["message"].as_str();
        let expected = "this device was revoked by another device of yours";
        assert_eq!(why, Some(expected), "{asked:?}");
        refused.failed(2);
    }
    let shown = [
        lost.told(&["status"]),
        lost.told(&["profile", "list"]),
        lost.told(&["device", "list"]),
    ];
    for told in shown {
        assert!(told.contains("revoked by another"), "{told}");
    }
    assert_eq!(state(&lost, "Rowing").as_deref(), Some("left"));
    assert_eq!(lost.shown("Bob").len(), 1, "what it has is read");
    // The others are where they were, and Bob hears them alone.
    new.run(&["send", "Rowing", "from the new one", "--wait", "delivered"])
        .ok();
    tablet
        .run(&["send", "Rowing", "from the tablet", "--wait", "delivered"])
        .ok();
    until("the two and nobody else are her devices", || {
        let told = bob.told(&["group", "info", "Rowing"]);
        told.contains("2 devices") && told.contains("2 in it")
    });
    for one in [&new, &tablet] {
        let known = one.run(&["device", "list"]).ok();
        assert_eq!(known["devices"].as_array().unwrap().len(), 2);
    }
    new.run(&["send", "Bob", "a new phone", "--wait", "delivered"])
        .ok();
    let said = bob.shown("Alice").into_iter().map(|(_, text)| text);
    assert_eq!(said.collect::<Vec<_>>(), ["before", "a new phone"]);
}
