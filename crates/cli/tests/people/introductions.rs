//! Three homes: one introduces, two meet and compare.

use crate::world::{Person, Relay, until};

/// The row of `name` among somebody's contacts.
fn contact(person: &Person, name: &str) -> serde_json::Value {
    let all = person.run(&["contacts"]).ok();
    let mut rows = all.as_array().unwrap().iter();
    rows.find(|row| row["name"] == name)
        .cloned()
        .unwrap_or_default()
}

#[test]
fn two_who_are_introduced_meet_talk_and_compare_by_code() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let people = ["Ivan", "Alice", "Bob"].map(|name| Person::start(name, &relay));
    let [ivan, alice, bob] = &people;
    ivan.meet(alice);
    ivan.meet(bob);
    until("Ivan knows both", || {
        [("Alice"), ("Bob")]
            .iter()
            .all(|name| contact(ivan, name)["state"] == "connected")
    });

    let word = "you both play chess";
    let asked = ivan
        .run(&["introduce", "Alice", "Bob", "--word", word])
        .ok();
    assert_eq!(asked["state"], "asked");
    for (person, other) in [(alice, "Bob"), (bob, "Alice")] {
        until("the offer came", || {
            person.run(&["requests"]).ok() != serde_json::json!([])
        });
        let waiting = person.run(&["requests"]).ok();
        let offer = &waiting[0];
        assert_eq!(offer["kind"], "introduction");
        assert_eq!(
            (&offer["name"], &offer["introduced_by"]),
            (&other.into(), &"Ivan".into())
        );
        assert_eq!(offer["word"], word);
        assert!(person.told(&["requests"]).contains("introduced by Ivan"));
        let number = offer["request"].to_string();
        assert_eq!(
            person.run(&["requests", "accept", &number]).ok()["state"],
            "agreed"
        );
    }
    for (person, other) in [(alice, "Bob"), (bob, "Alice")] {
        until("they met and were told the same", || {
            let row = contact(person, other);
            row["state"] == "connected" && row["introduction"] == "confirmed"
        });
        let row = contact(person, other);
        assert_eq!(
            (&row["introduced_by"], &row["verified"]),
            (&"Ivan".into(), &false.into())
        );
    }
    until("Ivan was told no more", || {
        ivan.run(&["introduce", "--list"]).ok()[0]["state"] == "introduced"
    });
    alice
        .run(&["send", "Bob", "e4", "--wait", "delivered"])
        .ok();
    bob.run(&["send", "Alice", "e5", "--wait", "delivered"])
        .ok();

    // The digits agree, and a code is scanned from a picture.
    let shown = bob.run(&["verify", "Alice"]).ok();
    assert_eq!(
        shown["safety_number"],
        alice.run(&["verify", "Bob"]).ok()["safety_number"]
    );
    let code = shown["code"].as_str().unwrap();
    let picture = dir.path().join("code.png");
    let written = ["verify", "Alice", "--png", picture.to_str().unwrap()];
    assert_eq!(bob.run(&written).ok()["code"], code);
    let scanned = alice
        .run(&["verify", "Bob", "--image", picture.to_str().unwrap()])
        .ok();
    assert_eq!(
        (&scanned["verified"], &scanned["verified_by"]),
        (&true.into(), &"code".into())
    );
    assert_eq!(contact(alice, "Bob")["verified_at"], scanned["verified_at"]);

    // A wrong number afterwards is told loudly and takes nothing back.
    let other = ivan.run(&["verify", "Bob"]).ok()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let wrong = alice.run(&["verify", "Bob", &other]);
    assert!(
        wrong.json["error"]["message"]
            .as_str()
            .unwrap()
            .contains("WARNING")
    );
    assert_eq!(wrong.failed(1), "mismatch");
    assert_eq!(contact(alice, "Bob")["verified"], true);
}
