//! kill -9 of the relay and of daemons, while messages are on their way.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::world::{Person, Relay, until};

fn is_soak() -> bool {
    std::env::var_os("HUSHWING_SOAK").is_some()
}

#[test]
fn killing_relay_and_daemons_loses_nothing_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let mut sent = 0;
    // The long run is a thousand messages each way.
    let each = if is_soak() { 250 } else { 8 };
    for round in 0..4 {
        for number in 0..each {
            alice
                .run(&["send", "Bob", &format!("a {round} {number}")])
                .ok();
            bob.run(&["send", "Alice", &format!("b {round} {number}")])
                .ok();
            sent += 2;
        }
        relay = relay.kill().revive();
        for person in [&alice, &bob] {
            person.kill_daemon();
            person.run(&["up"]).ok();
        }
    }
    until("everything arrived on both sides", || {
        alice.shown("Bob").len() >= sent && bob.shown("Alice").len() >= sent
    });
    assert_eq!(alice.shown("Bob").len(), sent);
    assert_eq!(alice.shown("Bob"), bob.shown("Alice"));
    drop(relay);
}

/// Moments up to 400 ms apart, printed so that a failure can be told.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let seed = u64::from(now.unwrap().subsec_nanos());
        println!("moments of seed {seed}");
        Self(seed)
    }

    fn pass(&mut self) {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis((self.0 >> 33) % 400));
    }
}

/// Sends until told to stop; the ids of what was accepted. A call that a kill
/// cut off promises nothing.
fn write_to(to: &str, from: &Person, stop: &AtomicBool) -> Vec<String> {
    let mut taken = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let answer = from.run(&["send", to, &format!("{number}")]);
        if answer.code == 0 {
            taken.push(answer.json["message"].as_str().unwrap().to_owned());
        }
    }
    taken
}

/// What both show once they show the same; as long as more arrives, it may take
/// its time.
fn settled(alice: &Person, bob: &Person) -> Vec<(String, String)> {
    let both = || (alice.shown("Bob"), bob.shown("Alice"));
    let mut now = both();
    while now.0 != now.1 {
        let before = (now.0.len(), now.1.len());
        until("more has arrived", || {
            now = both();
            now.0 == now.1 || (now.0.len(), now.1.len()) != before
        });
    }
    now.0
}

#[test]
fn kills_at_random_moments_lose_nothing_that_was_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.meet(&bob);
    let mut relay = Some(relay);
    let stop = AtomicBool::new(false);
    let mut moments = Moments::new();
    let rounds = if is_soak() { 60 } else { 3 };

    let (said, answered) = std::thread::scope(|scope| {
        let said = scope.spawn(|| write_to("Bob", &alice, &stop));
        let answered = scope.spawn(|| write_to("Alice", &bob, &stop));
        for _ in 0..rounds {
            moments.pass();
            let dead = relay.take().unwrap().kill();
            for person in [&alice, &bob] {
                moments.pass();
                person.kill_daemon();
                moments.pass();
                person.run(&["up"]).ok();
            }
            relay = Some(dead.revive());
        }
        moments.pass();
        stop.store(true, Ordering::Relaxed);
        (said.join().unwrap(), answered.join().unwrap())
    });
    assert!(!said.is_empty() && !answered.is_empty());

    let shown = settled(&alice, &bob);
    let ids: BTreeSet<&String> = shown.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), shown.len(), "something is shown twice");
    let lost = said.iter().chain(&answered).find(|id| !ids.contains(id));
    assert_eq!(lost, None);
    drop(relay);
}
