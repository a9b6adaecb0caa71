//! Two people talk off the record, and on it again.

use crate::world::{Person, Relay};

#[test]
fn two_people_talk_off_the_record_until_one_of_them_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);

    let mut heard = bob.watch();
    assert_eq!(alice.run(&["mode", "Bob", "otr"]).ok()["mode"], "normal");
    assert_eq!(heard.until_event("mode")["theirs"], "otr");
    // Alone she says nothing.
    assert_eq!(alice.run(&["send", "Bob", "yet?"]).failed(2), "usage");
    let mut heard = alice.watch();
    assert_eq!(bob.run(&["mode", "Alice", "otr"]).ok()["mode"], "otr");
    assert_eq!(heard.until_event("mode")["mode"], "otr");
    let told = alice.told(&["mode", "Bob"]);
    assert!(told.contains("off the record"), "{told}");

    let sent = alice.run(&["send", "Bob", "I took it", "--wait", "delivered"]);
    let id = sent.ok()["message"].as_str().unwrap().to_owned();
    let read = bob.run(&["read", "Alice"]).ok();
    assert_eq!(read[0]["text"], "I took it");
    assert_eq!(read[0]["off_the_record"], true);
    for person in [&alice, &bob] {
        assert_eq!(person.run(&["prove", &id]).failed(2), "usage");
    }

    // Bob ends it; what she says next is for her to decide.
    bob.run(&["mode", "Alice", "normal"]).ok();
    heard.until_event("mode");
    let refused = alice.run(&["send", "Bob", "on record?"]);
    assert_eq!(refused.failed(2), "usage");
    alice.run(&["mode", "Bob", "normal"]).ok();
    let edit = alice.run(&["edit", &id, "I gave it"]);
    assert_eq!(edit.failed(2), "usage");
    let sent = alice.run(&["send", "Bob", "on record", "--wait", "delivered"]);
    sent.ok();
    let read = bob.run(&["read", "Alice"]).ok();
    let marks = [0, 1].map(|at| read[at]["off_the_record"].clone());
    assert_eq!(marks, [true, false]);
}
