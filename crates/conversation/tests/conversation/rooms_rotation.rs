//! New mailboxes and keys in a room because somebody asks for them.

use std::collections::BTreeSet;
use std::time::Duration;

use hushwing_conversation::storage::{RoomRenewalRecord, RoomRows as _};
use hushwing_conversation::{Command, Config, NewKeys, NewMailboxes, Refusal, Reply};

use hushwing_delivery::Storage as _;

use crate::rooms::{Circle, acquaintances, circle};
use crate::rooms_shadow::Shadow;
use crate::rooms_wide::{NINE, heralds, wide};
use crate::support::*;

const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

fn rotate_at(c: &mut Circle, who: usize) -> (NewMailboxes, NewKeys) {
    let contact = c.rooms[who].place();
    rotation(c.ask(who, Command::Rotate { contact }))
}

pub(crate) fn rotation(reply: Reply) -> (NewMailboxes, NewKeys) {
    match reply {
        Reply::Rotating { mailboxes, keys } => (mailboxes, keys),
        other => panic!("{other:?}"),
    }
}

/// In which epoch somebody's leaf committed last, as another follows the group.
fn renewed(c: &mut Circle, who: usize, seen_by: usize) -> Option<u64> {
    let key = Shadow::of(c, who).keeper.signature_key();
    let mut shadow = Shadow::of(c, seen_by);
    let members = shadow.act(|keeper, lent| keeper.members(lent).unwrap());
    let mine = members
        .into_iter()
        .find(|member| member.signature_key == key);
    mine.unwrap().renewed_at
}

/// Where somebody writes to another member of theirs.
fn addresses(c: &mut Circle, who: usize, name: &str) -> BTreeSet<Vec<u8>> {
    let (room, member) = (c.rooms[who], c.member(who, name).member);
    let storage = c.village.storage(c.homes[who]).unwrap();
    let members = storage.members(room).unwrap().into_iter();
    let mut found = members.filter(|one| one.member == member);
    let addresses = found.next().unwrap().addresses.into_iter();
    addresses.map(|one| one.expose().to_vec()).collect()
}

#[test]
fn who_asks_has_new_mailboxes_and_keys_while_all_send() {
    let mut c = circle(7_100, &THREE);
    for who in [1, 0] {
        let before = (renewed(&mut c, who, 2), addresses(&mut c, 2, THREE[who]));
        assert_eq!(
            rotate_at(&mut c, who),
            (NewMailboxes::Begun(1), NewKeys::Soon)
        );
        // Nobody has to be silent for it.
        for number in 0..20 {
            c.say(number % 3, &format!("{number} beside {who}"));
            c.pass(3);
        }
        let after = (renewed(&mut c, who, 2), addresses(&mut c, 2, THREE[who]));
        assert!(before.0 < after.0, "{who}: {before:?} {after:?}");
        assert!(before.1.is_disjoint(&after.1), "{who}");
    }
    c.pass(60);
    for who in 0..3 {
        assert_eq!(c.texts(who).len(), 40, "{who}");
    }
    c.agree(&[0, 1, 2]);
}

#[test]
fn who_has_just_renewed_keys_waits_for_others_over_a_restart() {
    let mut c = circle(7_101, &THREE);
    rotate_at(&mut c, 1);
    c.pass(60);
    let first = renewed(&mut c, 1, 0);
    assert!(first.is_some());
    assert_eq!(rotate_at(&mut c, 1).1, NewKeys::AfterOthers);
    c.village.open_again(c.homes[1]).unwrap();
    c.pass(3_600);
    assert_eq!(renewed(&mut c, 1, 0), first);
    for name in ["Sailing", "Rowing"] {
        let (room, name) = (c.rooms[0], name.to_owned());
        c.ask(0, Command::RenameRoom { room, name });
        c.pass(60);
    }
    c.pass(1_200);
    let second = renewed(&mut c, 1, 0);
    assert!(second > first, "{second:?}");
    // Once.
    c.pass(12 * 3_600);
    assert_eq!(renewed(&mut c, 1, 0), second);
    c.agree(&[0, 1, 2]);
}

#[test]
fn what_is_asked_without_a_network_is_done_once_there_is_one() {
    let mut c = circle(7_102, &THREE);
    c.village.set_offline(c.homes[2], true);
    let before = addresses(&mut c, 0, "Carol");
    rotate_at(&mut c, 2);
    c.pass(600);
    c.village.open_again(c.homes[2]).unwrap();
    // However long that was, and however often it was tried meanwhile.
    c.pass(20 * 3_600);
    c.village.set_offline(c.homes[2], false);
    c.pass(1_800);
    assert!(renewed(&mut c, 2, 0).is_some());
    assert!(before.is_disjoint(&addresses(&mut c, 0, "Carol")));
    c.say(0, "there you are");
    c.pass(60);
    assert_eq!(c.texts(2), ["there you are"]);
}

/// What is written down of when somebody's keys are due.
fn drawn(c: &mut Circle, who: usize) -> RoomRenewalRecord {
    let room = c.rooms[who];
    let storage = c.village.storage(c.homes[who]).unwrap();
    RoomRenewalRecord::of(storage, room).unwrap().unwrap()
}

#[test]
fn what_is_asked_outlasts_a_clock_that_is_set_back() {
    let mut c = circle(7_108, &THREE);
    let (home, room) = (c.homes[2], c.rooms[2]);
    c.village.set_offline(home, true);
    rotate_at(&mut c, 2);
    // It was asked when the clock was days ahead.
    let mut record = drawn(&mut c, 2);
    record.due = record.due + Duration::from_secs(3 * 24 * 3_600);
    let storage = c.village.storage(home).unwrap();
    record.put(storage, room).unwrap();
    c.village.open_again(home).unwrap();
    c.pass(60);
    assert!(drawn(&mut c, 2).asked);
    c.village.set_offline(home, false);
    c.pass(3_600);
    assert!(renewed(&mut c, 2, 0).is_some());
}

#[test]
fn of_two_who_ask_at_once_both_have_new_keys() {
    let mut c = circle(7_109, &THREE);
    for who in [1, 2] {
        assert_eq!(rotate_at(&mut c, who).1, NewKeys::Soon);
    }
    c.pass(60);
    let keys = |c: &mut Circle| [1, 2].map(|who| renewed(c, who, 0));
    let first = keys(&mut c);
    assert_eq!(first.iter().flatten().count(), 1, "one lost: {first:?}");
    c.pass(3_600);
    let both = keys(&mut c);
    assert!(both.iter().all(Option::is_some), "{both:?}");
    c.agree(&[0, 1, 2]);
}

#[test]
fn who_asks_again_and_again_calls_no_letter_back() {
    let mut c = circle(7_110, &THREE);
    c.village.set_offline(c.homes[1], true);
    assert_eq!(rotate_at(&mut c, 1).0, NewMailboxes::Begun(1));
    c.pass(10);
    let mut written = || {
        assert_eq!(rotate_at(&mut c, 1), (NewMailboxes::Fresh, NewKeys::Soon));
        c.pass(2);
        let letters = c.village.storage(c.homes[1]).unwrap().letters().unwrap();
        let letters: Vec<_> = letters.into_iter().map(|(letter, _)| letter).collect();
        letters
    };
    let first = written();
    assert!(!first.is_empty());
    for _ in 0..10 {
        assert_eq!(written(), first);
    }
}

#[test]
fn whoever_is_removed_after_it_was_asked_for_knows_no_mailbox_for_long() {
    let mut c = circle(7_111, &["Alice", "Bob", "Carol", "Mallory"]);
    c.choose(2);
    for (count, again) in [(2, NewMailboxes::UnderWay), (0, NewMailboxes::Fresh)] {
        assert_eq!(rotate_at(&mut c, 1).0.count(), count);
        assert_eq!(rotate_at(&mut c, 1).0, again);
        c.pass(600);
    }
    let before = addresses(&mut c, 0, "Bob");
    let (room, member) = (c.rooms[0], c.member(0, "Mallory").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(600);
    assert!(before.is_disjoint(&addresses(&mut c, 0, "Bob")));
    c.pass(26 * 3_600);
    assert_eq!(rotate_at(&mut c, 1).0, NewMailboxes::Begun(2));
}

#[test]
fn where_no_server_makes_mailboxes_they_are_replaced_once_one_does() {
    let mut c = circle(7_112, &THREE);
    let before = addresses(&mut c, 0, "Bob");
    c.village.refuse_mailboxes(true);
    assert_eq!(rotate_at(&mut c, 1).0, NewMailboxes::Begun(1));
    c.pass(60);
    assert_eq!(rotate_at(&mut c, 1).0, NewMailboxes::Awaited(1));
    c.village.refuse_mailboxes(false);
    c.pass(3 * 3_600);
    assert!(before.is_disjoint(&addresses(&mut c, 0, "Bob")));
}

#[test]
fn in_a_wide_group_nobody_who_asks_waits_for_a_turn() {
    let mut c = wide(7_113);
    let named = heralds(&mut c, 0);
    let who = (0..8).rfind(|who| !named.iter().any(|one| one == NINE[*who]));
    let who = who.unwrap();
    // Somebody is removed, and all are to move within minutes, each in turn.
    let (room, member) = (c.rooms[0], c.member(0, "Ivan").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(20);
    let before = addresses(&mut c, 0, NINE[who]);
    assert_eq!(rotate_at(&mut c, who).0, NewMailboxes::UnderWay);
    c.pass(20);
    assert!(before.is_disjoint(&addresses(&mut c, 0, NINE[who])));
}

#[test]
fn nobody_alone_needs_new_keys_and_who_is_out_gets_none() {
    let mut alone = acquaintances(7_103, &["Alice", "Bob"]);
    alone.found();
    alone.pass(60);
    assert_eq!(rotate_at(&mut alone, 0).1, NewKeys::Alone);
    let mut c = circle(7_104, &THREE);
    let room = c.rooms[1];
    c.ask(1, Command::LeaveRoom { room });
    c.pass(60);
    let contact = room.place();
    let refused = refusal(&mut c.village, c.homes[1], Command::Rotate { contact });
    assert_eq!(refused, Refusal::NotInRoom);
}

#[test]
fn in_a_very_wide_group_keys_are_renewed_and_the_mailboxes_stay_of_who_passes_nothing_on() {
    let mut c = wide(7_105);
    for home in c.homes.clone() {
        let few = |config: &mut Config| config.most_who_move = 4;
        c.village.choose(home, few).unwrap();
    }
    let named = heralds(&mut c, 0);
    let who = (0..NINE.len()).rfind(|who| !named.iter().any(|one| one == NINE[*who]));
    let who = who.unwrap();
    assert_eq!(
        rotate_at(&mut c, who),
        (NewMailboxes::Staying, NewKeys::Soon)
    );
    c.pass(120);
    assert!(renewed(&mut c, who, 0).is_some());
    c.say(0, "for all");
    c.pass(120);
    assert_eq!(c.texts(who), ["for all"]);
}
