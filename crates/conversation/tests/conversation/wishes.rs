//! Wishes and receipts of who is blocked, and counters that run away.

use std::time::Duration;

use hushwing_conversation::content::{Content, Lamport, Mode, Post, Text, Wish};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Change, Command, ContactId, DropReason, Event, MessageState, ReceiptRows as _, Storage as _,
};

use crate::hostile::{drops, still_works};
use crate::hostile_mls::scene;
use crate::intruder::Intruder;
use crate::provable::{mode, provable_couple, prove, wish};
use crate::support::*;

const DAY: Duration = Duration::from_secs(86_400);

fn block(village: &mut Village, home: Home, contact: ContactId, on: bool) {
    let conversation = conversation(village, home, contact);
    let change = Change::Blocked(on);
    let command = Command::Keep {
        conversation,
        change,
    };
    ask(village, home, command);
}

#[test]
fn a_wish_of_who_is_blocked_holds_on_both_sides_afterwards() {
    let mut c = provable_couple(940);
    block(&mut c.village, c.alice, c.her_bob, true);
    c.village.events(c.alice);
    wish(&mut c.village, c.bob, c.his_alice, Mode::Normal);
    c.village.rest().unwrap();
    let told = c.village.events(c.alice);
    assert!(!told.iter().any(|event| matches!(event, Event::Mode(_))));
    // Longer than anything is repeated.
    c.village.pass(DAY * 60).unwrap();
    block(&mut c.village, c.alice, c.her_bob, false);
    c.village.pass(DAY).unwrap();
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        assert_eq!(mode(&mut c.village, home, contact).in_force, Mode::Normal);
    }
    send(&mut c.village, c.alice, c.her_bob, "unsigned");
    c.village.pass(DAY).unwrap();
    let shown = read(&mut c.village, c.bob, c.his_alice);
    assert_eq!(shown[0].provable, None);
}

#[test]
fn reading_what_was_said_by_who_is_blocked_is_told_by_no_time() {
    let mut c = provable_couple(941);
    tell_of_reading(&mut c.village, c.alice);
    let message = send(&mut c.village, c.bob, c.his_alice, "read me");
    c.village.pass(Duration::from_secs(60)).unwrap();
    block(&mut c.village, c.alice, c.her_bob, true);
    c.village.pass(DAY).unwrap();
    read(&mut c.village, c.alice, c.her_bob);
    let kept = c.village.storage(c.alice).unwrap().message(&message);
    let kept = kept.unwrap().unwrap();
    assert_eq!((kept.state, kept.times.read), (MessageState::Read, None));
    block(&mut c.village, c.alice, c.her_bob, false);
    c.village.pass(DAY).unwrap();
    let shown = read(&mut c.village, c.bob, c.his_alice);
    assert_eq!(shown[0].state, MessageState::Delivered);
    assert_eq!(prove(&mut c.village, c.bob, message).receipts.len(), 1);
}

#[test]
fn signed_receipts_tell_the_minute() {
    let mut c = provable_couple(942);
    tell_of_reading(&mut c.village, c.bob);
    c.village.pass(Duration::from_millis(12_345)).unwrap();
    let message = send(&mut c.village, c.alice, c.her_bob, "when?");
    c.village.pass(Duration::from_secs(100)).unwrap();
    read(&mut c.village, c.bob, c.his_alice);
    c.village.pass(Duration::from_secs(60)).unwrap();
    let storage = c.village.storage(c.alice).unwrap();
    let kept = storage.signed_receipts(&message).unwrap();
    assert_eq!(kept.len(), 2);
    for receipt in kept {
        assert_eq!(receipt.at.as_millis() % 60_000, 0, "{receipt:?}");
    }
}

fn say_at(c: &mut Couple, mallory: &mut Intruder, text: &str, lamport: u64) -> Vec<DropReason> {
    let post = Post::new(Text::new(text).unwrap(), None);
    let content = mallory.compose_at(&Content::Post(post), lamport);
    let message = mallory.message(&content);
    mallory.post(&mut c.village, &[&message]);
    c.village.rest().unwrap();
    drops(&mut c.village, c.alice)
}

#[test]
fn a_counter_that_runs_away_is_not_followed() {
    const STEP: u64 = 1 << 32;
    let (mut c, mut mallory, contact) = scene(943);
    let highest = |c: &mut Couple| {
        let storage = c.village.storage(c.alice).unwrap();
        storage.highest_lamport(contact).unwrap()
    };
    let before = highest(&mut c);
    for beyond in [
        before + STEP + 1,
        Lamport::MAX.get() - 1,
        Lamport::MAX.get(),
    ] {
        assert_eq!(
            say_at(&mut c, &mut mallory, "at the end", beyond),
            [DropReason::Content]
        );
    }
    assert_eq!(highest(&mut c), before);
    assert_eq!(say_at(&mut c, &mut mallory, "ahead", before + STEP), []);
    assert_eq!(highest(&mut c), before + STEP);
    assert_eq!(
        say_at(&mut c, &mut mallory, "ahead again", before + 2 * STEP),
        []
    );
    let hers = send(&mut c.village, c.alice, contact, "mine stands last");
    let shown = read(&mut c.village, c.alice, contact);
    assert_eq!(shown.last().unwrap().id, hers);
    still_works(&mut c, &[]);
}

#[test]
fn a_runaway_wish_does_not_keep_a_conversation_provable() {
    let (mut c, mut mallory, contact) = scene(944);
    wish(&mut c.village, c.alice, contact, Mode::Provable);
    let key = hushwing_conversation::proof::IdentityKey::from_seed(&[66; 32]);
    let told = mallory.wish(&key);
    let last = mallory.compose_at(&told, Lamport::MAX.get());
    let message = mallory.message(&last);
    mallory.post(&mut c.village, &[&message]);
    c.village.rest().unwrap();
    assert_eq!(drops(&mut c.village, c.alice), [DropReason::Content]);
    mallory.tell(&mut c.village, &told);
    c.village.rest().unwrap();
    for wanted in [Mode::Normal, Mode::Provable, Mode::Normal] {
        wish(&mut c.village, c.alice, contact, wanted);
        assert_eq!(mode(&mut c.village, c.alice, contact).in_force, wanted);
    }
    mallory.tell(&mut c.village, &Content::Mode(Wish::Normal));
    c.village.rest().unwrap();
    assert_eq!(dropped(&c.village.events(c.alice)), 0);
}
