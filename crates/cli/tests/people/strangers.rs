//! A reusable link: many strangers at once, each accepted or refused.

use crate::world::{Person, Relay, until};

#[test]
fn strangers_with_one_reusable_link_all_get_through() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let alice = Person::start("Alice", &relay);
    let link = alice.run(&["invite", "--reusable"]).ok()["link"]
        .as_str()
        .unwrap()
        .to_owned();
    let names = ["Bob", "Carol", "Dave", "Eve"];
    let strangers = names.map(|name| Person::start(name, &relay));
    std::thread::scope(|scope| {
        for stranger in &strangers {
            scope.spawn(|| stranger.run(&["join", &link]).ok());
        }
    });
    let requests = || alice.run(&["requests"]).ok().as_array().unwrap().clone();
    until("all four asked", || requests().len() == names.len());

    for request in requests() {
        let number = request["request"].to_string();
        let verdict = if request["name"] == "Eve" {
            "refuse"
        } else {
            "accept"
        };
        alice.run(&["requests", verdict, &number]).ok();
    }
    assert!(requests().is_empty());
    for (stranger, name) in strangers.iter().zip(names).take(3) {
        until("the accepted are connected", || {
            stranger.run(&["contacts"]).ok()[0]["state"] == "connected"
        });
        stranger
            .run(&["send", "Alice", name, "--wait", "delivered"])
            .ok();
        assert_eq!(alice.shown(name).last().unwrap().1, name);
        until("the mark of a reusable start is gone", || {
            stranger.run(&["contacts"]).ok()[0]["forward_secrecy"] == true
        });
    }
    assert_ne!(
        strangers[3].run(&["contacts"]).ok()[0]["state"],
        "connected"
    );
}
