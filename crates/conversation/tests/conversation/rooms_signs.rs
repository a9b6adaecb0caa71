//! What is sent to heralds before they gave a sign of life, and what is one.

use hushwing_conversation::Config;
use hushwing_conversation::content::Content;

use crate::rooms::Circle;
use crate::rooms_shadow::{Shadow, key_of, post};
use crate::rooms_wide::{NINE, delivered, everybody_has, wide};

/// A wide group in which nobody sends receipts to a herald that gave no sign: as nearly all do
/// in a large one, where the few letters that may leave before are drawn by lot.
fn shy(seed: u64) -> Circle {
    let mut c = wide(seed);
    // Heralds tell each other what they passed on, or all would serve each.
    for home in c.homes.clone().split_off(3) {
        let few = |config: &mut Config| config.to_silent = 0;
        c.village.choose(home, few).unwrap();
    }
    // Nobody is fresh in anybody's mind.
    c.pass(600);
    c
}

#[test]
fn who_looks_after_a_leaf_serves_it_again_and_is_then_told_what_it_has() {
    for seed in [2_620, 2_621] {
        let mut c = shy(seed);
        c.say(8, "to all");
        c.pass(25);
        assert_eq!(delivered(&mut c, 8, "to all"), 3, "the heralds alone");
        c.pass(175);
        everybody_has(&mut c, &[], &["to all"]);
        assert_eq!(delivered(&mut c, 8, "to all"), 8);
    }
}

#[test]
fn nobody_gives_a_sign_of_life_for_a_herald_by_naming_it() {
    let mut c = shy(2_630);
    for herald in 0..3 {
        c.village.set_asleep(c.homes[herald], true);
    }
    let mut frank = Shadow::of(&mut c, 5);
    for herald in &NINE[..3] {
        let named = key_of(&mut c, 5, herald);
        let message = frank.say(&Content::Post(post(herald)));
        for who in [3, 4, 6, 7, 8] {
            frank.post(&mut c, who, 6, &[&named, &message]);
        }
    }
    c.pass(120);
    everybody_has(&mut c, &[0, 1, 2, 5], &NINE[..3]);
    for herald in 0..3 {
        assert_eq!(c.village.waiting_for(c.homes[herald]), 0, "{herald}");
    }
}

#[test]
fn a_sign_of_life_that_lay_in_a_mailbox_is_none() {
    let mut c = shy(2_640);
    let asleep = |c: &mut Circle, who: core::ops::Range<usize>, asleep| {
        for one in who {
            c.village.set_asleep(c.homes[one], asleep);
        }
    };
    asleep(&mut c, 3..8, true);
    c.say(8, "to all");
    // Before its author writes to each, who would be told past the heralds.
    c.pass(150);
    asleep(&mut c, 0..3, true);
    asleep(&mut c, 8..9, true);
    c.pass(3_600);
    let waiting = |c: &Circle| {
        let all = (0..3).map(|herald| c.village.waiting_for(c.homes[herald]));
        all.collect::<Vec<_>>()
    };
    let before = waiting(&c);
    asleep(&mut c, 3..8, false);
    c.pass(120);
    everybody_has(&mut c, &[], &["to all"]);
    assert_eq!(waiting(&c), before, "nothing was sent to who is away");
    asleep(&mut c, 0..3, false);
    asleep(&mut c, 8..9, false);
    c.pass(120);
    c.say(8, "and again");
    c.pass(200);
    assert_eq!(delivered(&mut c, 8, "and again"), 8);
    assert_eq!(delivered(&mut c, 8, "to all"), 8);
}

#[test]
fn who_tells_what_they_have_goes_on_doing_so_as_long_as_others_talk() {
    let mut c = shy(2_650);
    for minute in 0..12 {
        let text = format!("minute {minute}");
        c.say(8, &text);
        c.pass(45);
        // The first ones are served again, and with that comes the sign.
        if minute > 3 {
            assert_eq!(delivered(&mut c, 8, &text), 8, "{text}");
        }
        c.pass(15);
    }
}
