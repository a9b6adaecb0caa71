//! Two homes: what one shows of themselves, and what the other sees of it.

use std::fs;

use crate::world::{Person, Relay, until};

/// A picture with more in its file than is to be seen.
const PLACE: &[u8] = b"52.5200 N, 13.4050 E";

fn contact(person: &Person) -> serde_json::Value {
    person.run(&["contacts"]).ok()[0].clone()
}

#[test]
fn a_contact_sees_the_picture_and_is_told_of_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let [alice, bob] = ["Alice", "Bob"].map(|name| Person::start(name, &relay));
    alice.meet(&bob);
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    // Any picture will do; a code is one.
    let (photo, seen) = (path("photo.png"), path("seen"));
    bob.run(&["invite", "--png", &photo]).ok();
    let mut file = fs::read(&photo).unwrap();
    file.extend(PLACE);
    fs::write(&photo, file).unwrap();

    let mut watching = alice.watch();
    let set = ["profile", "set", "--name", "Rob", "--avatar", &photo];
    let mine = bob
        .run(&[&set[..], &["--status", "on holiday"]].concat())
        .ok();
    assert_eq!(
        (&mine["profile"], &mine["name"]),
        (&"Bob".into(), &"Rob".into())
    );
    let told = watching.until_event("name_changed");
    assert_eq!(
        (&told["before"], &told["now"]),
        (&"Bob".into(), &"Rob".into())
    );
    let row = contact(&alice);
    // Who writes to Bob writes to him.
    assert_eq!(
        (&row["name"], &row["own_name"], &row["status"]),
        (&"Bob".into(), &"Rob".into(), &"on holiday".into())
    );
    assert_eq!(row["former_names"][0]["name"], "Bob");

    let written = alice
        .run(&["contacts", "avatar", "Bob", "--out", &seen])
        .ok();
    assert_eq!(written["media_type"], "image/jpeg");
    let file = fs::read(&seen).unwrap();
    assert!(file.len() <= 6_144, "{} bytes", file.len());
    assert!(!file.windows(PLACE.len()).any(|at| at == PLACE));
    alice
        .run(&["contacts", "avatar", "Bob", "--out", &seen])
        .failed(1);
    let info = alice.told(&["contacts", "info", "Bob"]);
    for line in [
        "called themselves Bob until",
        "says: on holiday",
        "calls themselves Rob",
    ] {
        assert!(info.contains(line), "{info}");
    }
    let list = alice.told(&["contacts"]);
    assert!(list.contains("calls themselves Rob"), "{list}");

    // A name she gives stays, whatever he calls himself; and all outlives a restart.
    alice.run(&["rename", "Bob", "Robert"]).ok();
    bob.run(&["profile", "set", "--name", "Bank", "--no-avatar"])
        .ok();
    let told = watching.until_event("name_changed");
    assert_eq!(
        (&told["name"], &told["now"]),
        (&"Robert".into(), &"Bank".into())
    );
    alice.stop();
    alice.run(&["up"]).ok();
    let row = contact(&alice);
    assert_eq!(
        (&row["name"], &row["own_name"]),
        (&"Robert".into(), &"Bank".into())
    );
    let gone = alice.run(&["contacts", "avatar", "Robert", "--out", &path("none")]);
    assert_eq!(gone.failed(4), "not_found");
}

#[test]
fn a_link_shows_a_name_and_contacts_see_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let [alice, bob] = ["Alice", "Bob"].map(|name| Person::start(name, &relay));
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    alice.run(&["invite", "--png", &path("photo")]).ok();
    let set = [
        "profile",
        "set",
        "--avatar",
        &path("photo"),
        "--status",
        "in",
    ];
    alice.run(&set).ok();
    alice.run(&["profile", "show", "--out", &path("mine")]).ok();
    let link = alice.run(&["invite", "--reusable"]).ok()["link"].clone();
    bob.run(&["join", link.as_str().unwrap()]).ok();
    let row = contact(&bob);
    assert_eq!(
        (&row["state"], &row["status"]),
        (&"joining".into(), &serde_json::Value::Null)
    );
    bob.run(&["contacts", "avatar", "Alice", "--out", &path("hers")])
        .failed(4);
    until("the request came", || {
        alice.run(&["requests"]).ok() != serde_json::json!([])
    });
    alice.run(&["requests", "accept", "Bob"]).ok();
    until("her status is told", || contact(&bob)["status"] == "in");
    bob.run(&["contacts", "avatar", "Alice", "--out", &path("hers")])
        .ok();
    assert_eq!(
        fs::read(path("hers")).unwrap(),
        fs::read(path("mine")).unwrap()
    );
}

#[test]
fn what_cannot_be_shown_is_told_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let bob = Person::start("Bob", &relay);
    let text = dir.path().join("text");
    fs::write(&text, "no picture").unwrap();
    let text = text.to_str().unwrap();
    for (args, why) in [
        (&["--avatar", text][..], "not a JPEG, PNG or WebP picture"),
        (&["--avatar", "/nowhere"], "/nowhere"),
        (&["--status", "two\nlines"], "unusable status"),
        (&["--name", ""], "unusable name"),
    ] {
        let refused = bob.run(&[&["profile", "set"], args].concat());
        let told = refused.json["error"]["message"].to_string();
        assert!(told.contains(why) && refused.code != 0, "{told}");
    }
    bob.run(&["profile", "set"]).failed(2);
    bob.run(&["profile", "show", "--out", "/nowhere/at/all"])
        .failed(4);
    let mine = bob.run(&["profile", "show"]).ok();
    assert_eq!(
        (&mine["name"], &mine["status"]),
        (&"Bob".into(), &serde_json::Value::Null)
    );
}
