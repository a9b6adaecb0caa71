//! Nobody waits for ever to be let in.

use std::time::Duration;

use hushwing_conversation::storage::{
    LackRecord, LossRecord, MailboxUse, OrphanRecord, RepeatRecord,
};
use hushwing_conversation::village::{Home, Village, Weather};
use hushwing_conversation::{
    BreakReason, Command, ContactId, Event, Refusal, Reply, Standing, Storage as _,
};

use crate::support::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn standing(a: &mut Waiting) -> Standing {
    contacts(&mut a.village, a.bob)[0].standing
}

fn withdraw(a: &mut Waiting) {
    let command = Command::Invitations;
    let Reply::Invitations(views) = ask(&mut a.village, a.alice, command) else {
        panic!("no invitations")
    };
    let invitation = views[0].invitation;
    ask(&mut a.village, a.alice, Command::Withdraw { invitation });
}

/// What the joiner was told when it was over.
fn told_it_is_over(village: &mut Village, bob: Home, contact: ContactId, refusal: Refusal) {
    let events = village.events(bob);
    let reason = BreakReason::Unanswered;
    assert!(events.contains(&Event::Broken { contact, reason }));
    let contact = Some(contact);
    assert!(events.contains(&Event::JoinFailed { contact, refusal }));
    assert_eq!(contacts(village, bob)[0].standing, Standing::Broken);
}

#[test]
fn a_request_lapses_and_its_joiner_stops_waiting() {
    let mut a = waiting(800);
    let request = requests(&mut a.village, a.alice)[0].contact;
    a.village.pass(DAY * 44).unwrap();
    assert!(requests(&mut a.village, a.alice).is_empty());
    let lapsed = Event::RequestLapsed { contact: request };
    assert!(a.village.events(a.alice).contains(&lapsed));
    assert_eq!(standing(&mut a), Standing::Asked);
    a.village.pass(DAY * 42).unwrap();
    told_it_is_over(&mut a.village, a.bob, a.his_alice, Refusal::LinkUnanswered);
    // Nothing is left to be sent, and the link can be tried anew.
    let storage = a.village.storage(a.bob).unwrap();
    assert!(
        hushwing_delivery::Storage::letters(storage)
            .unwrap()
            .is_empty()
    );
    assert!(storage.joins().unwrap().is_empty());
    let link = a.link.clone();
    assert_ne!(join(&mut a.village, a.bob, &link).contact, a.his_alice);
    a.village.rest().unwrap();
    assert_eq!(requests(&mut a.village, a.alice).len(), 1);
}

#[test]
fn a_clock_set_ahead_ends_nothing() {
    let mut a = waiting(804);
    for _ in 0..3 {
        a.village.set_clocks_ahead(DAY * 100);
        a.village.open_again(a.alice).unwrap();
        a.village.open_again(a.bob).unwrap();
        a.village.pass(DAY / 2).unwrap();
        a.village.set_clocks_ahead(Duration::ZERO);
        a.village.pass(DAY / 2).unwrap();
    }
    assert_eq!(standing(&mut a), Standing::Asked);
    let contact = a.her_bob;
    ask(&mut a.village, a.alice, Command::Accept { contact });
    a.village.pass(DAY).unwrap();
    assert_eq!(standing(&mut a), Standing::Established);
}

#[test]
fn a_late_answer_is_in_time_though_the_link_was_taken_down() {
    let mut a = waiting(801);
    a.village.pass(DAY).unwrap();
    withdraw(&mut a);
    // Meanwhile the outbox sends the request again, to nobody.
    a.village.pass(DAY * 40).unwrap();
    assert_eq!(standing(&mut a), Standing::Asked);
    let contact = a.her_bob;
    ask(&mut a.village, a.alice, Command::Accept { contact });
    a.village.pass(DAY).unwrap();
    assert_eq!(standing(&mut a), Standing::Established);
}

#[test]
fn a_later_word_that_fails_ends_no_join() {
    let mut a = waiting(803);
    a.village.pass(DAY).unwrap();
    withdraw(&mut a);
    // Bob tells a new address where nobody reads any more.
    let bob = a.bob;
    a.village.lose_mailboxes(bob, true);
    a.village.pass(DAY).unwrap();
    assert_eq!(standing(&mut a), Standing::Asked);
}

#[test]
fn a_join_that_nobody_took_is_over_at_once() {
    let mut village = village(802);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    // Bob has read the card, and his request has not left when the link comes down.
    village.set_weather(Weather {
        loss: 255,
        ..Weather::default()
    });
    let his_alice = join(&mut village, bob, &link).contact;
    village.lose_mailboxes(alice, false);
    village.set_weather(Weather::default());
    village.pass(DAY / 24).unwrap();
    told_it_is_over(&mut village, bob, his_alice, Refusal::LinkUsed);
}

/// What is kept beside a contact goes with the contact.
#[test]
fn nothing_is_left_of_who_is_turned_away() {
    let mut a = waiting(621);
    let contact = a.her_bob;
    let beside = |contact: ContactId| {
        [
            "orphans of contact",
            "lacks of contact",
            "losses of contact",
            "repeats to",
            "commit",
        ]
        .map(|what| format!("{what} {}", contact.0))
    };
    let (id, owner) = (vec![7; 32], MailboxUse::Conversation(contact));
    let storage = a.village.storage(a.alice).unwrap();
    let waiting = vec![(id.clone(), 1)];
    OrphanRecord { waiting }.put(storage, contact).unwrap();
    let messages = vec![id];
    LackRecord { messages }.put(storage, contact).unwrap();
    LossRecord::default().put(storage, owner).unwrap();
    RepeatRecord::default().put(storage, contact).unwrap();
    storage
        .put_setting(&beside(contact)[4], b"a commit")
        .unwrap();
    for name in beside(contact) {
        assert!(storage.setting(&name).unwrap().is_some(), "{name}");
    }
    a.village.open_again(a.alice).unwrap();
    a.village.rest().unwrap();
    ask(&mut a.village, a.alice, Command::Refuse { contact });
    let storage = a.village.storage(a.alice).unwrap();
    for name in beside(contact) {
        assert_eq!(storage.setting(&name).unwrap(), None, "{name}");
    }
}
