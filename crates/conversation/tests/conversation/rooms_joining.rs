//! Getting into a room though mailboxes are lost or a backup was put back.

use std::time::Duration;

use hushwing_conversation::content::{Content, Entry, RoomStep, RoomWord};
use hushwing_conversation::storage::{MailboxState, MailboxUse};
use hushwing_conversation::{Command, RoomStanding, Storage as _};

use crate::rooms::{Circle, acquaintances, circle};
use crate::rooms_shadow::{Shadow, address, key_of};
use crate::support::*;

const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

#[test]
fn a_newcomer_whose_mailbox_is_lost_before_the_welcome_comes_in() {
    let mut c = acquaintances(1_700, &THREE);
    c.found();
    c.add(1);
    c.offer(2);
    c.accept(2);
    c.village.rest().unwrap();
    // The answer is with Alice, whose commit rests.
    assert_eq!(c.view(2).standing, RoomStanding::Joining);
    c.village.lose_mailboxes(c.homes[2], true);
    c.pass(900);
    c.agree(&[0, 1, 2]);
    c.say(0, "welcome");
    c.pass(60);
    assert_eq!(c.texts(2), ["welcome"]);
}

#[test]
fn a_mailbox_that_is_lost_while_it_is_made_is_replaced_with_growing_waits() {
    let mut c = acquaintances(1_701, &["Alice", "Bob"]);
    c.found();
    c.offer(1);
    c.village.lose_new_mailboxes(true);
    c.accept(1);
    let asked = |c: &mut Circle| {
        let storage = c.village.storage(c.homes[1]).unwrap();
        let records = storage.mailbox_records().unwrap().into_iter();
        let of_room = records.filter(|one| matches!(one.owner, MailboxUse::Room(_)));
        let found: Vec<_> = of_room.collect();
        assert_eq!(found.len(), 1);
        (found[0].id, found[0].state)
    };
    c.pass(3_600);
    let (id, state) = asked(&mut c);
    assert_eq!(state, MailboxState::Due);
    c.pass(60);
    assert_eq!(asked(&mut c).0, id, "an hour later it waits for longer");
    // Also when the program begins anew.
    c.village.open_again(c.homes[1]).unwrap();
    c.village.lose_new_mailboxes(false);
    c.village.pass(Duration::from_secs(4 * 3_600)).unwrap();
    c.agree(&[0, 1]);
}

#[test]
fn who_was_removed_and_put_a_backup_back_is_offered_it_anew_and_keeps_what_was_said() {
    let mut c = circle(1_702, &THREE);
    c.say(0, "before");
    c.pass(60);
    let backup = c.village.storage(c.homes[2]).unwrap().clone();
    c.say(1, "meanwhile");
    c.pass(60);
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(300);
    c.village.restore(c.homes[2], backup).unwrap();
    c.village.pass(Duration::from_secs(3 * 86_400)).unwrap();
    assert_eq!(c.view(2).standing, RoomStanding::Restoring);
    // She asked for it: it is not asked about again.
    c.offer(2);
    c.pass(900);
    c.agree(&[0, 1, 2]);
    assert_eq!(c.texts(2), ["before"]);
    c.say(2, "back");
    c.say(0, "good");
    c.pass(60);
    assert_eq!(c.texts(1), ["before", "meanwhile", "back", "good"]);
    assert_eq!(c.texts(2), ["before", "back", "good"]);
}

#[test]
fn damage_of_whom_a_message_reached_ends_its_room_alone() {
    let mut c = circle(1_703, &THREE);
    c.village.swallow(c.homes[0], 2);
    let id = c.say(0, "on its way");
    c.village.rest().unwrap();
    let storage = c.village.storage(c.homes[0]).unwrap();
    storage.spoil_recipients(&id);
    storage.spoil_members(c.rooms[0]);
    c.village.open_again(c.homes[0]).unwrap();
    assert_eq!(c.view(0).standing, RoomStanding::Broken);
    let bob = c.hers[0];
    send(&mut c.village, c.homes[0], bob, "we still talk");
    c.pass(60);
    let hers = contacts(&mut c.village, c.homes[1])[0].contact;
    assert_eq!(texts(&mut c.village, c.homes[1], hers), ["we still talk"]);
    let room = c.rooms[0];
    c.ask(0, Command::ForgetRoom { room });
}

/// Carol is let in by Alice, and Bob renames the room so many milliseconds later.
fn renamed_while_she_comes(after: u64) -> Vec<String> {
    let mut c = acquaintances(1_710 + after, &THREE);
    c.found();
    c.add(1);
    c.make_steward(0, "Bob");
    c.pass(60);
    c.offer(2);
    c.accept(2);
    c.village.pass(Duration::from_millis(after)).unwrap();
    let (room, name) = (c.rooms[1], "Sailing".to_owned());
    c.ask(1, Command::RenameRoom { room, name });
    // Before anybody asks for who is missing.
    c.pass(120);
    let view = c.view(2);
    let there = view.members.into_iter().filter(|one| one.present);
    there.map(|one| one.name).collect()
}

#[test]
fn a_newcomer_is_told_who_is_there_whatever_was_committed_since() {
    for after in (0..6_000).step_by(500) {
        let mut there = renamed_while_she_comes(after);
        there.sort();
        assert_eq!(there, THREE, "{after} ms");
    }
}

/// Bob is off while Carol comes. What she said to him is lost, and she is told of no other
/// mailbox by who knows her not.
fn bob_missed_carol(seed: u64) -> Circle {
    let mut c = acquaintances(seed, &THREE);
    c.found();
    c.add(1);
    c.offer(2);
    c.village.set_offline(c.homes[1], true);
    c.accept(2);
    c.pass(60);
    c.village.lose_mailboxes(c.homes[1], true);
    c
}

#[test]
fn who_missed_a_greeting_asks_who_has_come() {
    let mut c = bob_missed_carol(1_706);
    c.village.set_offline(c.homes[1], false);
    c.say(0, "welcome");
    c.pass(3_600);
    c.say(1, "yes");
    c.pass(60);
    assert_eq!(c.texts(2), ["welcome", "yes"]);
    c.agree(&[0, 1, 2]);
}

#[test]
fn an_answer_that_tells_nothing_has_nobody_ask_again() {
    let mut c = bob_missed_carol(1_707);
    // Bob hears that Carol is there, and asks in vain where she is.
    let homes = c.homes.clone();
    c.village.withhold(homes[2], &[homes[1]]);
    c.village.set_offline(homes[1], false);
    c.say(0, "welcome");
    c.pass(600);
    c.village.withhold(homes[0], &[homes[1]]);
    c.pass(3 * 3_600);
    let carol = |c: &mut Circle| {
        let there = c.view(1).members.into_iter();
        there
            .filter(|one| one.present && !one.reachable && !one.me)
            .count()
    };
    assert_eq!(carol(&mut c), 1);
    let mut alice = Shadow::of(&mut c, 0);
    let (bob, key) = (key_of(&mut c, 0, "Bob"), key_of(&mut c, 0, "Carol"));
    let entry = Entry {
        key: key.try_into().unwrap(),
        name: "Carol".to_owned(),
        revision: 1,
        addresses: Vec::new(),
    };
    let room = c.view(0).conversation;
    let alice_key = alice.keeper.signature_key().try_into().unwrap();
    let at = address(&mut c, 0).encode();
    c.village.overhear();
    for _ in 0..5 {
        let step = RoomStep::Roster(vec![entry.clone(); 64]);
        let side = alice.whisper(&bob, &Content::Room(RoomWord { room, step }));
        alice.post(&mut c, 1, 5, &[&side]);
        c.pass(1);
    }
    assert_eq!(c.village.overhear().len(), 0);
    // Nor one that tells of its author alone, who has an address and has none in turn.
    let own = |revision, addresses| Entry {
        key: alice_key,
        name: "Alice".to_owned(),
        revision,
        addresses,
    };
    for round in 1..6 {
        for (revision, addresses) in [(0, vec![]), (1, vec![at.clone()])] {
            let mut entries = vec![own(1_000 + 2 * round + revision, addresses)];
            entries.extend((revision == 1).then(|| entry.clone()));
            let step = RoomStep::Roster(entries);
            let side = alice.whisper(&bob, &Content::Room(RoomWord { room, step }));
            alice.post(&mut c, 1, 5, &[&side]);
            c.pass(16);
        }
    }
    let said = c.village.overhear().len();
    assert!(said < 5, "{said}");
}
