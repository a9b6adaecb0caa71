//! Commits by turn, order, and messages on their way meanwhile.

use std::time::Duration;

use hushwing_conversation::{Event, Storage as _};

use crate::support::*;

/// The last epoch in which something was said, as `home` knows it.
fn epoch(c: &mut Couple, bobs: bool) -> u64 {
    let (home, contact) = if bobs {
        (c.bob, c.his_alice)
    } else {
        (c.alice, c.her_bob)
    };
    let last = c
        .village
        .storage(home)
        .unwrap()
        .last_position(contact)
        .unwrap();
    last.unwrap().epoch
}

#[test]
fn keys_are_renewed_after_fifty_messages_by_turns() {
    let mut c = couple(40);
    for n in 0..130 {
        send(&mut c.village, c.alice, c.her_bob, &n.to_string());
        c.village.rest().unwrap();
    }
    // Alice, leaf 1, holds the turn in epoch 1, Bob in epoch 2.
    assert_eq!(epoch(&mut c, false), 3);
    assert_eq!(epoch(&mut c, true), 3);
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers.len(), 130);
    assert_eq!(hers, texts(&mut c.village, c.bob, c.his_alice));
}

#[test]
fn keys_are_renewed_after_a_day_in_which_something_was_said() {
    let mut c = couple(41);
    send(&mut c.village, c.bob, c.his_alice, "today");
    c.village.pass(Duration::from_secs(86_400 + 1_200)).unwrap();
    send(&mut c.village, c.bob, c.his_alice, "tomorrow");
    c.village.rest().unwrap();
    assert_eq!(epoch(&mut c, false), 2);
}

#[test]
fn the_safety_number_outlives_renewals() {
    let mut c = couple(42);
    let before = number(&mut c.village, c.alice, c.her_bob);
    for n in 0..120 {
        send(&mut c.village, c.bob, c.his_alice, &n.to_string());
        c.village.rest().unwrap();
    }
    assert_eq!(number(&mut c.village, c.alice, c.her_bob), before);
    assert_eq!(number(&mut c.village, c.bob, c.his_alice), before);
}

#[test]
fn messages_said_at_once_stand_in_one_order_and_late_ones_are_inserted() {
    let mut c = couple(43);
    c.village.events(c.alice);
    for n in 0..5 {
        send(&mut c.village, c.alice, c.her_bob, &format!("a{n}"));
        send(&mut c.village, c.bob, c.his_alice, &format!("b{n}"));
    }
    c.village.rest().unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers.len(), 10);
    assert_eq!(hers, texts(&mut c.village, c.bob, c.his_alice));
    // Following the events alone leads to the same list.
    let mut shown: Vec<(hushwing_conversation::MessageId, String)> = Vec::new();
    let events = c.village.events(c.alice);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Arrived { last: false, .. }))
    );
    for event in events {
        if let Event::Arrived {
            message,
            after,
            last,
            ..
        } = event
        {
            let place = after.map_or(0, |id| shown.iter().position(|m| m.0 == id).unwrap() + 1);
            assert_eq!(last, place == shown.len());
            shown.insert(place, (message.id, message.text));
        }
    }
    assert_eq!(shown.into_iter().map(|m| m.1).collect::<Vec<_>>(), hers);
}

#[test]
fn a_thousand_messages_each_way_are_shown_once_in_one_order() {
    let mut c = couple(44);
    for n in 0..1_000 {
        send(&mut c.village, c.alice, c.her_bob, &format!("a{n}"));
        send(&mut c.village, c.bob, c.his_alice, &format!("b{n}"));
        if n % 7 == 0 {
            c.village.rest().unwrap();
        }
    }
    c.village.pass(Duration::from_secs(60)).unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers.len(), 2_000);
    assert_eq!(hers, texts(&mut c.village, c.bob, c.his_alice));
    assert!(epoch(&mut c, true) > 10);
}

#[test]
fn a_message_from_before_three_commits_is_said_again_and_shown_once() {
    let mut c = couple(45);
    c.village.swallow(c.alice, 1);
    send(&mut c.village, c.alice, c.her_bob, "the first");
    c.village.rest().unwrap();
    for n in 0..200 {
        send(&mut c.village, c.bob, c.his_alice, &n.to_string());
        c.village.rest().unwrap();
    }
    assert!(epoch(&mut c, true) >= 4);
    let his = texts(&mut c.village, c.bob, c.his_alice);
    assert_eq!(his.iter().filter(|text| *text == "the first").count(), 1);
    assert_eq!(his, texts(&mut c.village, c.alice, c.her_bob));
}
