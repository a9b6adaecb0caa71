//! What a herald, a member and who was one can do in a wide group: keep nobody from
//! talking, and make nobody send without end.

use hushwing_conversation::Storage as _;
use hushwing_conversation::content::{Content, RoomStep, RoomWord, Tally};
use hushwing_conversation::storage::RoomRows as _;
use hushwing_conversation::{Command, MessageState, Reply};
use hushwing_delivery::Storage as _;

use crate::rooms_shadow::{Shadow, key_of, post};
use crate::rooms_wide::{NINE, delivered, everybody_has, sent, wide, wide_beyond};

#[test]
fn a_herald_that_says_it_passed_on_and_did_not_cuts_off_nobody() {
    for liar in 0..3 {
        for dropped in 1..5 {
            let mut c = wide(2_600);
            // What it sends first is lost, what it reports is not.
            c.village.swallow(c.homes[liar], dropped);
            c.say(8, "to all");
            c.pass(200);
            everybody_has(&mut c, &[], &["to all"]);
        }
    }
}

#[test]
fn a_herald_that_drops_all_cuts_off_nobody() {
    let mut c = wide(2_601);
    c.village.swallow(c.homes[1], 10_000);
    c.village.swallow(c.homes[2], 10_000);
    c.say(8, "to all");
    c.pass(5);
    c.say(5, "me too");
    c.pass(200);
    // Whether the second had the first hangs on who is in charge of whom.
    let all = c.texts(8);
    assert_eq!(all.len(), 2);
    everybody_has(&mut c, &[], &[&all[0], &all[1]]);
}

#[test]
fn heralds_that_all_drop_everything_are_written_around() {
    let mut c = wide(2_602);
    for herald in 0..3 {
        c.village.swallow(c.homes[herald], 10_000);
    }
    c.say(8, "to all");
    c.pass(100);
    assert!(c.texts(4).is_empty());
    c.pass(300);
    everybody_has(&mut c, &[], &["to all"]);
}

#[test]
fn who_was_removed_has_nothing_passed_on() {
    let mut c = wide(2_603);
    let mut ivan = Shadow::of(&mut c, 8);
    let (room, member) = (c.rooms[0], c.member(0, "Ivan").member);
    c.ask(0, Command::RemoveMember { room, member });
    // Until all have moved from him.
    c.pass(900);
    let message = ivan.say(&Content::Post(post("I am still here")));
    let envelopes = sent(&mut c, |c| {
        for herald in 0..3 {
            ivan.post_message(c, herald, &message);
        }
        c.pass(200);
    });
    assert_eq!(envelopes, 0);
    everybody_has(&mut c, &[8], &[]);
}

#[test]
fn who_talks_without_end_makes_heralds_send_only_so_much() {
    let mut c = wide(2_604);
    let mut ivan = Shadow::of(&mut c, 8);
    let envelopes = sent(&mut c, |c| {
        for number in 0..250 {
            let message = ivan.say(&Content::Post(post(&number.to_string())));
            ivan.post_message(c, 1, &message);
        }
        c.pass(200);
    });
    // Each of 64, and of 64 more in their turn, is passed on to five, and what nobody knows
    // to have arrived once more.
    assert!((128 * 5..128 * 16).contains(&envelopes), "{envelopes}");
    c.say(5, "and I");
    c.pass(200);
    assert!(c.texts(4).contains(&"and I".to_owned()));
}

#[test]
fn numbers_are_believed_of_a_herald_and_for_its_part_alone() {
    let mut c = wide(2_607);
    let id = c.say(8, "to all");
    let room = c.view(8).conversation;
    let tally = |leaves: core::ops::Range<u32>| {
        let step = RoomStep::Tallies(vec![Tally {
            message: id,
            delivered: leaves.clone().collect(),
            read: leaves.collect(),
        }]);
        Content::Room(RoomWord { room, step })
    };
    let key = key_of(&mut c, 0, "Ivan");
    let mut dave = Shadow::of(&mut c, 3);
    let lie = dave.whisper(&key, &tally(0..9));
    dave.post(&mut c, 8, 5, &[&lie]);
    c.pass(1);
    assert_eq!(delivered(&mut c, 8, "to all"), 0);
    let mut bob = Shadow::of(&mut c, 1);
    let lie = bob.whisper(&key, &tally(0..9));
    dave.post(&mut c, 8, 5, &[&lie]);
    c.pass(1);
    let told = delivered(&mut c, 8, "to all");
    assert!((1..NINE.len() - 1).contains(&told), "{told}");

    // As what another device of hers said.
    let storage = c.village.storage(c.homes[8]).unwrap();
    for one in storage.recipients(&id).unwrap() {
        storage.remove_recipient(&id, one.member).unwrap();
    }
    let times = storage.message(&id).unwrap().unwrap().times;
    storage
        .set_state(&id, MessageState::Accepted, &times)
        .unwrap();
    let lie = bob.whisper(&key, &tally(0..9));
    dave.post(&mut c, 8, 5, &[&lie]);
    c.pass(1);
    let Reply::Where(told) = c.ask(8, Command::Where { message: id }) else {
        panic!("not where it is");
    };
    assert!(told.elsewhere && told.state == MessageState::Accepted);
}

#[test]
fn in_a_small_group_no_herald_speaks_for_others() {
    let mut c = wide_beyond(2_606, 8);
    let (room, member) = (c.rooms[0], c.member(0, "Ivan").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(300);
    c.village.cut_off(c.homes[3]);
    let id = c.say(7, "to all");
    c.pass(60);
    assert_eq!(delivered(&mut c, 7, "to all"), 6, "all but Dave");
    let mut bob = Shadow::of(&mut c, 1);
    let step = RoomStep::Tallies(vec![Tally {
        message: id,
        delivered: (0..9).collect(),
        read: (0..9).collect(),
    }]);
    let room = c.view(7).conversation;
    let key = key_of(&mut c, 1, "Heidi");
    let lie = bob.whisper(&key, &Content::Room(RoomWord { room, step }));
    bob.post(&mut c, 7, 5, &[&lie]);
    c.pass(1);
    assert_eq!(delivered(&mut c, 7, "to all"), 6);
    let letters = c.village.storage(c.homes[7]).unwrap().letters().unwrap();
    assert_eq!(letters.len(), 1, "Dave's goes on waiting");
}
