//! Another server in the place of a relay, as whoever sits on the path can put
//! one there.

use crate::world::{Person, Relay, until};

#[test]
fn an_impostor_in_a_relays_place_stops_nothing_for_good() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let relay = Relay::start(dirs[0].path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);

    let port = relay.port();
    let dead = relay.kill();
    let impostor = Relay::listen(dirs[1].path(), &format!("127.0.0.1:{port}"));
    let sent = alice.run(&["send", "Bob", "not for the impostor"]).ok();
    let id = sent["message"].as_str().unwrap();
    let test = alice.run(&["server", "test"]);
    assert_eq!(test.code, 1, "{}", test.json);
    let problem = &test.json[0]["steps"][0];
    assert_eq!(problem["ok"], false, "{}", test.json);
    assert_eq!(alice.run(&["where", id]).ok()["state"], "queued");

    drop(impostor);
    let _relay = dead.revive();
    until("it is delivered by the right one", || {
        alice.run(&["where", id]).ok()["state"] == "delivered"
    });
    assert_eq!(bob.shown("Alice").len(), 1);
}
