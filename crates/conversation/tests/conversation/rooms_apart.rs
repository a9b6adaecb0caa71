//! Rooms that suffer, and make nothing else suffer: crashes, damage, floods of
//! offers, outsiders.

use std::time::Duration;

use hushwing_conversation::village::Crash;
use hushwing_conversation::{Command, Event, Refusal, Reply, RoomStanding, Storage as _};

use crate::rooms::{acquaintances, circle, room_of, rooms};
use crate::support::*;

/// Asks until it happened, however often a crash swallows the answer.
pub(crate) fn insist(c: &mut crate::rooms::Circle, who: usize, command: &Command) {
    for _ in 0..3 {
        let answer = c.village.ask(c.homes[who], command.clone()).unwrap();
        c.pass(120);
        if answer.is_some() {
            return;
        }
    }
    panic!("{command:?} was never answered");
}

/// A whole story with a crash of somebody at their call `at` from its beginning.
/// Gives how often each was called.
fn story(seed: u64, crash: Option<(usize, u64, Crash)>) -> Vec<u64> {
    let mut c = acquaintances(seed, &["Alice", "Bob", "Carol"]);
    c.found();
    c.add(1);
    let before: Vec<u64> = c.homes.iter().map(|home| c.village.calls(*home)).collect();
    if let Some((who, at, crash)) = crash {
        c.village.crash_in(c.homes[who], at, crash);
    }
    let (room, contact) = (c.rooms[0], c.hers[1]);
    insist(&mut c, 0, &Command::OfferRoom { room, contact });
    c.pass(120);
    let offered = rooms(&mut c.village, c.homes[2]).pop().expect("an offer");
    c.rooms.push(offered.room);
    insist(&mut c, 2, &Command::AcceptRoom { room: offered.room });
    c.pass(300);
    for who in 0..3 {
        let say = Command::Send {
            contact: c.rooms[who].place(),
            text: format!("from {who}"),
            reply_to: None,
        };
        insist(&mut c, who, &say);
    }
    let name = "Sailing".to_owned();
    insist(&mut c, 0, &Command::RenameRoom { room, name });
    c.pass(600);
    c.agree(&[0, 1, 2]);
    for who in 0..3 {
        let mut said = c.texts(who);
        // Who asked again because the answer was lost said it twice.
        said.dedup();
        assert_eq!(said, ["from 0", "from 1", "from 2"], "{who} {crash:?}");
        assert_eq!(c.view(who).name, "Sailing");
    }
    let after = c.homes.iter().map(|home| c.village.calls(*home));
    after
        .zip(before)
        .map(|(after, before)| after - before)
        .collect()
}

#[test]
fn a_crash_at_any_call_loses_nothing() {
    let calls = story(1_100, None);
    for (who, calls) in calls.into_iter().enumerate() {
        // Some of all; the odd step meets each kind of call before long.
        for at in (1..calls).step_by(usize::try_from(calls / 3).unwrap().max(1)) {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                story(1_100, Some((who, at, crash)));
            }
        }
    }
}

#[test]
fn damage_of_a_room_breaks_that_room_alone() {
    let mut c = circle(1_101, &["Alice", "Bob", "Carol"]);
    let id = c.say(0, "one");
    c.pass(60);
    let other = Command::FoundRoom {
        name: "Other".to_owned(),
    };
    let other = room_of(c.ask(1, other)).room;
    c.village.storage(c.homes[1]).unwrap().spoil_message(&id);
    c.village.events(c.homes[1]);
    c.village.open_again(c.homes[1]).unwrap();
    c.pass(60);
    let broken = c.village.events(c.homes[1]);
    let place = c.rooms[1].place();
    let told = |event: &Event| matches!(event, Event::Broken { contact, .. } if *contact == place);
    assert!(broken.iter().any(told));
    assert_eq!(c.view(1).standing, RoomStanding::Broken);
    // The others, and all else, go on.
    let say = |contact| Command::Send {
        contact,
        text: "x".to_owned(),
        reply_to: None,
    };
    assert_eq!(
        refusal(&mut c.village, c.homes[1], say(place)),
        Refusal::RoomBroken
    );
    c.ask(1, say(other.place()));
    let alice = contacts(&mut c.village, c.homes[1])[0].contact;
    send(&mut c.village, c.homes[1], alice, "between us");
    c.say(0, "two");
    c.pass(60);
    assert_eq!(c.texts(2), ["one", "two"]);
    let bob = c.hers[0];
    assert_eq!(texts(&mut c.village, c.homes[0], bob), ["between us"]);
    let room = c.rooms[1];
    c.ask(1, Command::ForgetRoom { room });
    assert_eq!(rooms(&mut c.village, c.homes[1]).len(), 1);
}

#[test]
fn damaged_members_break_their_room_alone() {
    let mut c = circle(1_102, &["Alice", "Bob", "Carol"]);
    let room = c.rooms[2];
    c.village.storage(c.homes[2]).unwrap().spoil_members(room);
    c.village.open_again(c.homes[2]).unwrap();
    c.pass(60);
    assert_eq!(c.view(2).standing, RoomStanding::Broken);
    let alice = contacts(&mut c.village, c.homes[2])[0].contact;
    send(&mut c.village, c.homes[2], alice, "here");
    c.pass(60);
    let carol = c.hers[1];
    assert_eq!(texts(&mut c.village, c.homes[0], carol), ["here"]);
}

#[test]
fn one_contact_has_few_offers_that_wait() {
    let mut c = acquaintances(1_103, &["Alice", "Bob"]);
    let contact = c.hers[0];
    for n in 0..10 {
        let name = format!("Room {n}");
        let room = room_of(c.ask(0, Command::FoundRoom { name })).room;
        c.ask(0, Command::OfferRoom { room, contact });
    }
    c.pass(60);
    assert_eq!(rooms(&mut c.village, c.homes[1]).len(), 8);
    let events = c.village.events(c.homes[1]);
    assert_eq!(dropped(&events), 2);
}

#[test]
fn who_is_blocked_asks_nobody_in() {
    let mut c = acquaintances(1_104, &["Alice", "Bob"]);
    c.found();
    let alice = contacts(&mut c.village, c.homes[1])[0].clone();
    let block = Command::Keep {
        conversation: alice.conversation,
        change: hushwing_conversation::Change::Blocked(true),
    };
    c.ask(1, block);
    c.offer(1);
    assert!(rooms(&mut c.village, c.homes[1]).is_empty());
}

#[test]
fn a_forgotten_room_leaves_nothing_behind() {
    let mut c = circle(1_105, &["Alice", "Bob", "Carol"]);
    c.say(1, "nothing of this");
    c.pass(60);
    let weight = c.village.storage(c.homes[2]).unwrap().weight();
    let room = c.rooms[2];
    c.ask(2, Command::LeaveRoom { room });
    c.pass(60);
    assert_eq!(c.ask(2, Command::ForgetRoom { room }), Reply::Done);
    c.pass(60);
    let storage = c.village.storage(c.homes[2]).unwrap();
    assert!(!storage.holds("nothing of this"));
    assert!(storage.weight() < weight / 2, "{}", storage.weight());
    assert_eq!(storage.mailbox_records().unwrap().len(), 1);
}

#[test]
fn a_lost_mailbox_is_replaced_and_all_hear_of_it() {
    let mut c = circle(1_106, &["Alice", "Bob", "Carol"]);
    c.say(0, "before");
    c.pass(60);
    c.village.lose_mailboxes(c.homes[1], true);
    c.pass(600);
    c.say(2, "after");
    c.village.pass(Duration::from_secs(3_600)).unwrap();
    assert_eq!(c.texts(1), ["before", "after"]);
    c.agree(&[0, 1, 2]);
}

#[test]
fn after_a_backup_was_put_back_no_room_goes_on_with_old_keys() {
    let mut c = circle(1_110, &["Alice", "Bob", "Carol"]);
    c.say(1, "before");
    c.pass(60);
    let storage = c.village.storage(c.homes[1]).unwrap();
    hushwing_conversation::restored(storage, 0).unwrap();
    c.village.open_again(c.homes[1]).unwrap();
    assert_eq!(c.view(1).standing, RoomStanding::Restoring);
    let say = Command::Send {
        contact: c.rooms[1].place(),
        text: "under an old key".to_owned(),
        reply_to: None,
    };
    assert_eq!(
        refusal(&mut c.village, c.homes[1], say),
        Refusal::RoomRestoring
    );
    c.say(2, "after");
    c.pass(60);
    assert_eq!(c.texts(0), ["before", "after"]);
}
