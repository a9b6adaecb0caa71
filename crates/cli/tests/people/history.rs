//! What was said before a device was linked, handed to it by real programs.

use std::fmt::Write as _;

use hushwing_api::Client;
use hushwing_api::calls::SendMessage;
use hushwing_api::request::SendBody;

use crate::devices::{found, link, state};
use crate::world::{Person, Relay, until};

/// Ten pieces of what is handed over.
const MANY: usize = 100;

/// Says so many long texts in a group, over the socket: one program for each took longer than
/// all the rest.
fn say(people: [&Person; 2], group: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    for number in 0..MANY {
        let mut text = format!("text {number} ");
        while text.len() < 1_000 {
            write!(text, "and more of it {number} ").unwrap();
        }
        let client = Client::new(people[number % 2].path().join("api.sock"));
        let body = SendBody {
            to: group.to_owned(),
            text,
            reply_to: None,
            wait: None,
            timeout: None,
        };
        let said = client.tell::<SendMessage>((), &body);
        runtime.block_on(said).unwrap();
    }
}

#[test]
fn a_new_device_that_is_killed_is_handed_all_of_the_past_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let [alice, bob, phone] = ["Alice", "Bob", "Phone"].map(|name| Person::start(name, &relay));
    alice.meet(&bob);
    found(&[&alice, &bob]);
    say([&alice, &bob], "Rowing");
    until("both have all", || {
        [&alice, &bob]
            .iter()
            .all(|one| one.shown("Rowing").len() == MANY)
    });

    link(&alice, &phone, &["--history", "all"]);
    until("the phone is in the group", || {
        state(&phone, "Rowing").as_deref() == Some("member")
    });
    let history = || phone.run(&["device", "list"]).ok()["history"].clone();
    for _ in 0..2 {
        let before = history()["taken"].as_u64();
        until("more of it came", || {
            let now = history();
            now["taken"].as_u64() > before || now["open"] == 0
        });
        phone.kill_daemon();
        phone.run(&["up"]).ok();
    }
    until("all of it came", || history()["open"] == 0);
    assert_eq!(phone.shown("Rowing"), alice.shown("Rowing"));
    assert_eq!(phone.shown("Rowing").len(), MANY);
    assert_eq!(history()["taken"], MANY);
    let told = phone.told(&["device", "list"]);
    assert!(told.contains("history: 100 messages, all that"), "{told}");
}
