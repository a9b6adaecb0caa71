//! Receipts, verification, names.

use std::time::Duration;

use hushwing_conversation::content::{Content, Disposition, Message, Part, Post, Text};
use hushwing_conversation::view::{Speaker, Whereabouts};
use hushwing_conversation::village::{Village, Weather};
use hushwing_conversation::{Command, MessageState, Refusal, Reply, Storage as _};
use hushwing_delivery::NetworkTag;

use crate::intruder::Intruder;
use crate::support::*;

fn state(c: &mut Couple, message: hushwing_conversation::MessageId) -> MessageState {
    match ask(&mut c.village, c.alice, Command::Where { message }) {
        Reply::Where(at) => at.state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_receipt_leaves_before_its_delay() {
    let mut c = couple(30);
    let id = send(&mut c.village, c.alice, c.her_bob, "psst");
    c.village.pass(DELAY - Duration::from_millis(1)).unwrap();
    assert_eq!(state(&mut c, id), MessageState::Accepted);
    c.village.pass(Duration::from_millis(1)).unwrap();
    assert_eq!(state(&mut c, id), MessageState::Delivered);
}

#[test]
fn receipts_of_one_wait_leave_together() {
    let mut c = couple(31);
    let ids: Vec<_> = (0..20)
        .map(|n| send(&mut c.village, c.alice, c.her_bob, &n.to_string()))
        .collect();
    c.village.rest().unwrap();
    let before = c.village.calls(c.alice);
    c.village.pass(DELAY).unwrap();
    // One letter came, and with it all receipts.
    assert!(c.village.calls(c.alice) - before <= 3);
    for id in ids {
        assert_eq!(state(&mut c, id), MessageState::Delivered);
    }
}

#[test]
fn nobody_is_told_of_reading_unless_that_is_switched_on() {
    let mut c = couple(32);
    let id = send(&mut c.village, c.alice, c.her_bob, "seen?");
    c.village.rest().unwrap();
    read(&mut c.village, c.bob, c.his_alice);
    c.village.open_again(c.bob).unwrap();
    c.village.pass(Duration::from_secs(60)).unwrap();
    assert_eq!(state(&mut c, id), MessageState::Delivered);
    // What was chosen survives a restart.
    tell_of_reading(&mut c.village, c.bob);
    c.village.open_again(c.bob).unwrap();
    let id = send(&mut c.village, c.alice, c.her_bob, "and now?");
    c.village.rest().unwrap();
    read(&mut c.village, c.bob, c.his_alice);
    c.village.pass(Duration::from_secs(60)).unwrap();
    assert_eq!(state(&mut c, id), MessageState::Read);
}

#[test]
fn what_is_owed_survives_a_restart() {
    let mut c = couple(33);
    let id = send(&mut c.village, c.alice, c.her_bob, "remember");
    c.village.rest().unwrap();
    c.village.open_again(c.bob).unwrap();
    c.village.pass(DELAY * 2).unwrap();
    assert_eq!(state(&mut c, id), MessageState::Delivered);
}

#[test]
fn receipts_that_waited_for_others_leave_as_soon_as_these_did() {
    let mut c = couple(46);
    let first = send(&mut c.village, c.alice, c.her_bob, "one");
    c.village.rest().unwrap();
    let calm = Weather::default();
    let storm = Weather {
        loss: u8::MAX,
        ..calm
    };
    c.village.set_weather(storm);
    c.village.pass(DELAY).unwrap();
    c.village.set_weather(calm);
    let second = send(&mut c.village, c.alice, c.her_bob, "two");
    c.village.rest().unwrap();
    c.village.set_weather(storm);
    c.village.pass(Duration::from_secs(40)).unwrap();
    assert_eq!(state(&mut c, first), MessageState::Accepted);
    c.village.set_weather(calm);
    while state(&mut c, first) != MessageState::Delivered {
        c.village.pass(Duration::from_millis(100)).unwrap();
    }
    assert_eq!(state(&mut c, second), MessageState::Delivered);
}

#[test]
fn receipts_that_wait_for_a_dead_address_hold_up_none_to_the_next() {
    let mut c = couple(45);
    let ids = [0, 1].map(|_| {
        let id = send(&mut c.village, c.alice, c.her_bob, "did you get this?");
        c.village.rest().unwrap();
        // Where Bob writes to takes nothing any more, and says so to nobody.
        c.village.cut_off(c.alice);
        c.village.pass(DELAY * 2).unwrap();
        assert_eq!(state(&mut c, id), MessageState::Accepted);
        c.village.lose_mailboxes(c.alice, true);
        c.village.pass(Duration::from_secs(180)).unwrap();
        id
    });
    assert_eq!(
        ids.map(|id| state(&mut c, id)),
        [MessageState::Delivered; 2]
    );
    assert!(!contacts(&mut c.village, c.alice)[0].mailbox_lost);
}

#[test]
fn what_only_newer_programs_know_is_confirmed_and_neither_kept_nor_shown() {
    let mut village = village(46);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut village, alice);
    village.pass(Duration::from_secs(60)).unwrap();
    let kept = |village: &mut Village| {
        let storage = village.storage(alice).unwrap();
        storage.extent(contact).unwrap().messages
    };
    let before = kept(&mut village);
    village.events(alice);
    village.overhear();
    let post = mallory.compose(&Content::Post(Post::new(Text::new("x").unwrap(), None)));
    let mut message = Message::decode(&post).unwrap();
    let kind = "application/vnd.hushwing.telepathy+cbor";
    message.part = Part::single(Disposition::UNSPECIFIED, kind, vec![0x81, 1]);
    let message = mallory.message(&message.encode().unwrap());
    mallory.post(&mut village, &[&message]);
    village.pass(DELAY * 2).unwrap();
    assert_eq!(village.overhear().len(), 1, "a receipt");
    assert_eq!(village.events(alice), []);
    assert_eq!(kept(&mut village), before);
}

#[test]
fn both_sides_see_one_safety_number_and_can_verify_it() {
    let mut c = couple(34);
    let hers = number(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers, number(&mut c.village, c.bob, c.his_alice));
    let wrong: String = hers.chars().rev().collect();
    let verify = |number: String| Command::Verify {
        contact: c.her_bob,
        number,
    };
    assert_eq!(
        refusal(&mut c.village, c.alice, verify(wrong)),
        Refusal::WrongNumber
    );
    ask(&mut c.village, c.alice, verify(hers.replace(' ', "")));
    c.village.open_again(c.alice).unwrap();
    assert!(contacts(&mut c.village, c.alice)[0].verified);
}

#[test]
fn two_conversations_of_one_person_share_no_safety_number() {
    let mut village = village(35);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let mut numbers = Vec::new();
    for name in ["Bob", "Carol"] {
        let other = village.move_in(name, DELAY).unwrap();
        let link = invite(&mut village, alice, false).link;
        let contact = join(&mut village, other, &link).contact;
        village.rest().unwrap();
        numbers.push(number(&mut village, other, contact));
    }
    assert_ne!(numbers[0], numbers[1]);
}

#[test]
fn a_name_i_gave_stays_and_bad_names_are_refused() {
    let mut c = couple(36);
    let contact = c.her_bob;
    ask(
        &mut c.village,
        c.alice,
        Command::Rename {
            contact,
            name: "Robert".into(),
        },
    );
    c.village.open_again(c.alice).unwrap();
    assert_eq!(contacts(&mut c.village, c.alice)[0].name, "Robert");
    for name in ["", "two\nlines", "\u{202e}evil"] {
        let rename = Command::Rename {
            contact,
            name: name.into(),
        };
        assert_eq!(refusal(&mut c.village, c.alice, rename), Refusal::BadName);
    }
}

#[test]
fn a_received_message_knows_when_and_by_which_network_it_came() {
    let mut c = couple(44);
    let (alice, bob) = (c.alice, c.bob);
    tell_of_reading(&mut c.village, bob);
    let id = send(&mut c.village, c.alice, c.her_bob, "there?");
    c.village.rest().unwrap();
    let place =
        |c: &mut Couple, home| match ask(&mut c.village, home, Command::Where { message: id }) {
            Reply::Where(place) => place,
            other => panic!("{other:?}"),
        };
    let steps = |place: &Whereabouts| -> Vec<_> {
        let steps = place.progress.iter();
        steps
            .map(|step| (step.network, step.stage, step.verified))
            .collect()
    };
    let his = place(&mut c, bob);
    assert_eq!(his.from, Speaker::Contact(c.his_alice));
    let network = Some(NetworkTag(255));
    let came = [
        (None, MessageState::Queued, true),
        (network, MessageState::Delivered, true),
    ];
    assert_eq!(steps(&his), came);
    read(&mut c.village, c.bob, c.his_alice);
    let his = place(&mut c, bob);
    assert_eq!(steps(&his)[..2], came);
    assert_eq!(steps(&his)[2], (None, MessageState::Read, false));

    assert!(!place(&mut c, alice).read_receipts);
    c.village.pass(DELAY * 2).unwrap();
    assert!(place(&mut c, alice).read_receipts);
}
