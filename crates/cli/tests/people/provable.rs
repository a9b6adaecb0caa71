//! Two people agree that what they say can be proved, and a third, with nothing
//! but the file, checks it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::python::Python;
use crate::world::{Person, Relay};

#[test]
fn two_people_agree_and_anybody_can_check_what_they_prove() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    assert_eq!(alice.run(&["mode", "Bob"]).ok()["mode"], "normal");

    let mut heard = bob.watch();
    let wished = alice.run(&["mode", "Bob", "provable"]).ok();
    assert_eq!(
        (&wished["mode"], &wished["mine"]),
        (&"normal".into(), &"provable".into())
    );
    assert_eq!(heard.until_event("mode")["theirs"], "provable");
    let mut heard = alice.watch();
    let agreed = bob.run(&["mode", "Alice", "provable"]).ok();
    assert_eq!(agreed["mode"], "provable");
    assert_eq!(heard.until_event("mode")["mode"], "provable");
    assert_eq!(alice.run(&["contacts"]).ok()[0]["mode"], "provable");

    let sent = alice.run(&["send", "Bob", "I owe you ten", "--wait", "delivered"]);
    let id = sent.ok()["message"].as_str().unwrap().to_owned();
    let files = [("alice", &alice), ("bob", &bob)].map(|(name, person)| {
        let file = dir.path().join(name).to_str().unwrap().to_owned();
        person.run(&["prove", &id, "--out", &file]).ok();
        file
    });
    let mode = fs::metadata(&files[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // What is there stays.
    let again = alice.run(&["prove", &id, "--out", &files[0]]);
    assert_eq!(again.failed(1), "exists");
    assert_eq!(bob.run(&["read", "Alice"]).ok()[0]["provable"], true);

    // A third home, without daemon and profile.
    let carol = Person::without_profile();
    let proved = carol.run(&["check-proof", &files[0]]).ok();
    assert_eq!(proved["text"], "I owe you ten");
    assert_eq!(proved["author"], agreed["their_key"]);
    assert_eq!(proved["audience"], agreed["my_key"]);
    assert_eq!(proved["received"][0]["state"], "delivered");
    assert_eq!(
        carol.run(&["check-proof", &files[1]]).ok()["received"],
        serde_json::json!([])
    );
    let told = carol.told(&["check-proof", &files[0]]);
    assert!(told.contains("I owe you ten"), "{told}");

    Python::with_packages().run(&["-m", "proof", "--every-byte", &files[0], &files[1]]);
    let mut bent = fs::read(&files[0]).unwrap();
    let middle = bent.len() / 2;
    bent[middle] = if bent[middle] == b'A' { b'B' } else { b'A' };
    let file = dir.path().join("bent");
    fs::write(&file, bent).unwrap();
    let refused = carol.run(&["check-proof", file.to_str().unwrap()]);
    assert!(["mismatch", "bad_file"].contains(&refused.failed(1).as_str()));

    bob.run(&["mode", "Alice", "normal"]).ok();
    heard.until_event("mode");
    let sent = alice.run(&["send", "Bob", "off the record"]).ok();
    let refused = alice.run(&["prove", sent["message"].as_str().unwrap()]);
    assert_eq!(refused.failed(2), "usage");
}
