//! Whatever the network does short of losing what it accepted, both sides end
//! up with the same conversation.

use std::time::Duration;

use hushwing_conversation::view::MessageView;
use hushwing_conversation::village::Weather;
use hushwing_conversation::{Command, Standing};

use crate::support::*;

const BAD: Weather = Weather {
    loss: 40,
    repeat: 40,
    reorder: 80,
};

fn ids(views: &[MessageView]) -> Vec<String> {
    views
        .iter()
        .map(|view| format!("{} {}", view.id, view.text))
        .collect()
}

#[test]
fn loss_repetition_and_reordering_change_nothing_in_the_end() {
    for seed in 0..4 {
        let mut c = couple(50 + seed);
        c.village.set_weather(BAD);
        for n in 0..90 {
            send(&mut c.village, c.alice, c.her_bob, &format!("a{n}"));
            send(&mut c.village, c.bob, c.his_alice, &format!("b{n}"));
            if n % 5 == 0 {
                c.village.pass(Duration::from_secs(2)).unwrap();
            }
        }
        c.village.set_weather(Weather::default());
        c.village.pass(Duration::from_secs(3_600)).unwrap();
        let hers = read(&mut c.village, c.alice, c.her_bob);
        let his = read(&mut c.village, c.bob, c.his_alice);
        assert_eq!(hers.len(), 180, "seed {seed}");
        assert_eq!(ids(&hers), ids(&his), "seed {seed}");
        assert_eq!(dropped(&c.village.events(c.alice)), 0, "seed {seed}");
    }
}

#[test]
fn people_meet_in_bad_weather_too() {
    for seed in 0..6 {
        let mut village = village(60 + seed);
        let alice = village.move_in("Alice", DELAY).unwrap();
        let bob = village.move_in("Bob", DELAY).unwrap();
        let link = invite(&mut village, alice, true).link;
        village.set_weather(BAD);
        let his_alice = join(&mut village, bob, &link).contact;
        for n in 0..5 {
            let text = n.to_string();
            let send = Command::Send {
                contact: his_alice,
                text,
                reply_to: None,
            };
            village.ask(bob, send).unwrap();
        }
        village.pass(Duration::from_secs(600)).unwrap();
        let her_bob = requests(&mut village, alice)[0].contact;
        ask(&mut village, alice, Command::Accept { contact: her_bob });
        village.pass(Duration::from_secs(600)).unwrap();
        assert_eq!(
            contacts(&mut village, bob)[0].standing,
            Standing::Established
        );
        assert_eq!(
            texts(&mut village, alice, her_bob),
            ["0", "1", "2", "3", "4"],
            "seed {seed}"
        );
        assert_eq!(
            number(&mut village, alice, her_bob),
            number(&mut village, bob, his_alice)
        );
    }
}
