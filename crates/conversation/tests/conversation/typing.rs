//! That somebody is writing is told only where it is wanted, seldom, and kept
//! nowhere.

use std::time::Duration;

use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{Change, Command, ContactId, Event};

use crate::support::*;

fn type_to(village: &mut Village, home: Home, contact: ContactId) {
    let conversation = conversation(village, home, contact);
    ask(village, home, Command::Typing { conversation });
    village.rest().unwrap();
}

fn shown(c: &mut Couple) -> usize {
    let told = c.village.events(c.bob);
    let typing = |event: &&Event| matches!(event, Event::Typing { .. });
    told.iter().filter(typing).count()
}

fn both_on(c: &mut Couple) {
    for home in [c.alice, c.bob] {
        ask(&mut c.village, home, Command::SetTyping { on: true });
    }
}

#[test]
fn nobody_is_told_and_nobody_shown_unless_both_switched_it_on() {
    let mut c = couple(790);
    type_to(&mut c.village, c.alice, c.her_bob);
    assert_eq!(shown(&mut c), 0);
    c.village.overhear();
    type_to(&mut c.village, c.alice, c.her_bob);
    assert!(c.village.overhear().is_empty());
    ask(&mut c.village, c.alice, Command::SetTyping { on: true });
    type_to(&mut c.village, c.alice, c.her_bob);
    assert_eq!(shown(&mut c), 0);
    both_on(&mut c);
    c.village.open_again(c.alice).unwrap();
    c.village.open_again(c.bob).unwrap();
    c.village.pass(Duration::from_secs(10)).unwrap();
    type_to(&mut c.village, c.alice, c.her_bob);
    assert_eq!(shown(&mut c), 1);
}

#[test]
fn it_is_told_seldom_however_fast_somebody_types_and_is_kept_nowhere() {
    let mut c = couple(791);
    both_on(&mut c);
    c.village.pass(Duration::from_secs(10)).unwrap();
    let rows = |c: &mut Couple| {
        let storage = c.village.storage(c.bob).unwrap();
        use hushwing_conversation::Storage as _;
        storage.extent(c.his_alice).unwrap().messages
    };
    let before = rows(&mut c);
    shown(&mut c);
    c.village.overhear();
    for _ in 0..100 {
        type_to(&mut c.village, c.alice, c.her_bob);
        c.village.pass(Duration::from_millis(100)).unwrap();
    }
    assert!(c.village.overhear().len() <= 3);
    assert_eq!(shown(&mut c), 2);
    assert_eq!(rows(&mut c), before);
}

#[test]
fn the_blocked_are_neither_told_nor_shown() {
    let mut c = couple(792);
    both_on(&mut c);
    let conversation = conversation(&mut c.village, c.bob, c.his_alice);
    let change = Change::Blocked(true);
    ask(
        &mut c.village,
        c.bob,
        Command::Keep {
            conversation,
            change,
        },
    );
    c.village.overhear();
    type_to(&mut c.village, c.bob, c.his_alice);
    assert!(c.village.overhear().is_empty());
    shown(&mut c);
    type_to(&mut c.village, c.alice, c.her_bob);
    assert_eq!(shown(&mut c), 0);
}
