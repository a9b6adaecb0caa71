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

fn state(person: &Person, group: &str) -> Option<String> {
    let all = person.run(&["group", "list"]).ok();
    let mut rows = all.as_array().unwrap().iter();
    let row = rows.find(|row| row["name"] == group)?;
    Some(row["state"].as_str().unwrap().to_owned())
}

/// Links `new` to `old`, by link and code.
fn link(old: &Person, new: &Person) {
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
    old.run(&["device", "confirm", code]).ok();
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

    link(alice, phone);
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
    assert!(!alice.told(&["read", "Rowing"]).contains("nobody else"));
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
