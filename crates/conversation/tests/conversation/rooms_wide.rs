//! Groups in which an author writes to heralds alone.

use std::time::Duration;

use hushwing_conversation::village::{Crash, Weather};
use hushwing_conversation::{
    Command, Config, GroupSize, MessageState, Refusal, Reply, RoomStanding,
};

use crate::rooms::{Circle, acquaintances_of};
use crate::support::*;

pub(crate) const NINE: [&str; 9] = [
    "Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi", "Ivan",
];

/// Nine in a group in which four get on without heralds: Alice, who founded it, and
/// Bob and Carol, who came first, are heralds.
pub(crate) fn wide(seed: u64) -> Circle {
    wide_beyond(seed, 4)
}

/// The same where so many get on without.
pub(crate) fn wide_beyond(seed: u64, narrow: u16) -> Circle {
    let size = GroupSize { narrow, most: 12 };
    let mut c = acquaintances_of(seed, &NINE, size);
    c.found();
    for who in 1..NINE.len() {
        c.add(who);
    }
    c.pass(300);
    c
}

pub(crate) fn heralds(c: &mut Circle, who: usize) -> Vec<String> {
    let members = c.view(who).members.into_iter();
    let heralds = members.filter(|one| one.herald).map(|one| one.name);
    let mut heralds: Vec<_> = heralds.collect();
    heralds.sort();
    heralds
}

/// Envelopes that leave while something is done.
pub(crate) fn sent(c: &mut Circle, act: impl FnOnce(&mut Circle)) -> usize {
    c.village.overhear();
    act(c);
    c.village.overhear().len()
}

pub(crate) fn everybody_has(c: &mut Circle, but: &[usize], texts: &[&str]) {
    for who in (0..NINE.len()).filter(|who| !but.contains(who)) {
        assert_eq!(c.texts(who), texts, "{}", NINE[who]);
    }
}

/// How many have a message of somebody's, as they know.
pub(crate) fn delivered(c: &mut Circle, who: usize, text: &str) -> usize {
    let place = c.rooms[who].place();
    let all = read(&mut c.village, c.homes[who], place);
    let view = all.into_iter().find(|view| view.text == text).unwrap();
    view.counted.unwrap().delivered
}

#[test]
fn a_text_costs_its_author_three_envelopes_and_reaches_all() {
    let mut c = wide(2_500);
    for who in 0..NINE.len() {
        assert_eq!(heralds(&mut c, who), ["Alice", "Bob", "Carol"], "{who}");
    }
    c.agree(&[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let mine = sent(&mut c, |c| {
        c.say(8, "to all");
    });
    assert_eq!(mine, 3);
    let others = sent(&mut c, |c| c.pass(200));
    everybody_has(&mut c, &[], &["to all"]);
    assert_eq!(delivered(&mut c, 8, "to all"), 8);
    // Five others, of each herald two reports to each other and one to the author, eight
    // receipts, three letters of counts, and repeats to those whose receipt was late.
    assert!((5..=36).contains(&others), "{others}");
    let view = c.village.pass(Duration::from_secs(600));
    view.unwrap();
    let place = c.rooms[8].place();
    let view = read(&mut c.village, c.homes[8], place).remove(0);
    assert_eq!(view.state, MessageState::Delivered);
}

#[test]
fn all_talk_also_heralds_and_all_see_one_order() {
    let mut c = wide(2_501);
    for (who, name) in NINE.iter().enumerate() {
        c.say(who, name);
        c.pass(20);
    }
    c.pass(200);
    everybody_has(&mut c, &[], &NINE);
    for (who, name) in NINE.iter().enumerate() {
        assert_eq!(delivered(&mut c, who, name), 8, "{name}");
    }
}

#[test]
fn a_commit_goes_the_same_way() {
    let mut c = wide(2_502);
    c.make_steward(0, "Ivan");
    c.pass(120);
    let (room, name) = (c.rooms[8], "Sailing".to_owned());
    let mine = sent(&mut c, |c| {
        c.ask(8, Command::RenameRoom { room, name });
    });
    assert_eq!(mine, 3);
    c.pass(120);
    c.agree(&[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(c.view(3).name, "Sailing");
}

#[test]
fn in_rough_weather_all_arrives_once_and_in_one_order() {
    let mut c = wide(2_503);
    c.village.set_weather(Weather {
        loss: 20,
        repeat: 30,
        reorder: 40,
    });
    for round in 0..3 {
        for who in [3, 5, 0, 8] {
            c.say(who, &format!("{round} from {who}"));
        }
        c.pass(30);
    }
    c.pass(400);
    let first = c.texts(0);
    assert_eq!(first.len(), 12);
    for who in 1..NINE.len() {
        assert_eq!(c.texts(who), first, "{who}");
    }
}

#[test]
fn heralds_who_are_gone_are_made_up_for() {
    for gone in [&[1][..], &[2], &[1, 2], &[0, 2], &[0, 1, 2]] {
        let mut c = wide(2_510);
        for herald in gone {
            c.village.cut_off(c.homes[*herald]);
        }
        c.say(8, "to all");
        c.pass(100);
        if gone.len() == 3 {
            assert!(c.texts(4).is_empty(), "nobody passes it on");
            c.pass(200);
        }
        everybody_has(&mut c, gone, &["to all"]);
    }
}

#[test]
fn a_herald_that_crashes_serves_whom_it_was_in_charge_of() {
    for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
        for calls in 1..8 {
            let mut c = wide(2_520);
            c.village.crash_in(c.homes[1], calls, crash);
            c.say(8, "to all");
            c.pass(200);
            assert!(!c.village.will_crash(c.homes[1]));
            everybody_has(&mut c, &[], &["to all"]);
        }
    }
}

#[test]
fn an_author_who_crashes_says_it_all_the_same() {
    for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
        let mut c = wide(2_521);
        for herald in 0..3 {
            c.village.cut_off(c.homes[herald]);
        }
        c.say(8, "to all");
        c.village.crash_in(c.homes[8], 1, crash);
        c.pass(600);
        assert!(!c.village.will_crash(c.homes[8]));
        everybody_has(&mut c, &[0, 1, 2], &["to all"]);
    }
}

#[test]
fn others_are_named_when_heralds_are_gone() {
    let mut c = wide(2_530);
    let (room, member) = (c.rooms[0], c.member(0, "Ivan").member);
    c.ask(
        0,
        Command::SetSteward {
            room,
            member,
            on: true,
        },
    );
    c.pass(120);
    for name in ["Bob", "Carol"] {
        let (room, member) = (c.rooms[0], c.member(0, name).member);
        c.ask(0, Command::RemoveMember { room, member });
        c.pass(120);
    }
    assert_eq!(heralds(&mut c, 5), ["Alice", "Dave", "Ivan"]);
    let room = c.rooms[0];
    assert!(matches!(
        c.ask(0, Command::LeaveRoom { room }),
        Reply::Done | Reply::Room(_)
    ));
    c.pass(600);
    assert_eq!(heralds(&mut c, 5), ["Dave", "Erin", "Ivan"]);
    c.say(5, "we go on");
    c.pass(200);
    for who in 3..9 {
        assert_eq!(c.texts(who), ["we go on"], "{who}");
    }
}

#[test]
fn a_steward_says_who_passes_on() {
    let mut c = wide(2_531);
    let (room, member) = (c.rooms[0], c.member(0, "Heidi").member);
    let on = true;
    c.ask(0, Command::SetHerald { room, member, on });
    c.pass(120);
    for who in 0..NINE.len() {
        assert_eq!(heralds(&mut c, who), ["Alice", "Bob", "Heidi"], "{who}");
    }
    c.say(5, "to all");
    c.pass(200);
    everybody_has(&mut c, &[], &["to all"]);
    let (room, member) = (c.rooms[5], c.member(5, "Ivan").member);
    let refused = refusal(
        &mut c.village,
        c.homes[5],
        Command::SetHerald { room, member, on },
    );
    assert_eq!(refused, Refusal::NotASteward);
    let (room, member) = (c.rooms[0], c.member(0, "Alice").member);
    let off = Command::SetHerald {
        room,
        member,
        on: false,
    };
    c.ask(0, off.clone());
    c.pass(120);
    for who in 0..NINE.len() {
        assert_eq!(heralds(&mut c, who), ["Bob", "Carol", "Heidi"], "{who}");
    }
    c.ask(0, off);
    c.say(4, "and on");
    c.pass(200);
    everybody_has(&mut c, &[], &["to all", "and on"]);
}

#[test]
fn who_lost_a_mailbox_is_told_again_what_was_passed_on_to_it() {
    let mut c = wide(2_532);
    c.say(8, "before");
    c.village.lose_mailboxes(c.homes[4], true);
    c.pass(400);
    c.say(7, "after");
    c.pass(300);
    everybody_has(&mut c, &[], &["before", "after"]);
}

#[test]
fn the_only_herald_that_is_left_can_leave() {
    let mut c = wide(2_533);
    c.make_steward(0, "Ivan");
    c.pass(120);
    c.village.cut_off(c.homes[1]);
    c.village.cut_off(c.homes[2]);
    let room = c.rooms[0];
    c.ask(0, Command::LeaveRoom { room });
    c.pass(400);
    assert_eq!(c.view(0).standing, RoomStanding::Left);
    assert_eq!(c.view(5).size, 8);
}

#[test]
fn a_commit_counts_also_when_no_herald_takes_it() {
    let mut c = wide(2_534);
    c.make_steward(0, "Ivan");
    c.pass(120);
    for herald in 0..3 {
        c.village.cut_off(c.homes[herald]);
    }
    let (room, name) = (c.rooms[8], "Sailing".to_owned());
    c.ask(8, Command::RenameRoom { room, name });
    c.pass(400);
    for who in 3..9 {
        assert_eq!(c.view(who).name, "Sailing", "{who}");
    }
}

#[test]
fn a_group_that_was_founded_small_stays_small() {
    let size = GroupSize { narrow: 2, most: 2 };
    let mut c = acquaintances_of(2_535, &["Alice", "Bob", "Carol"], size);
    c.found();
    c.add(1);
    let larger = |config: &mut Config| config.group_size = GroupSize::default();
    c.village.choose(c.homes[0], larger).unwrap();
    c.pass(1);
    let (room, contact) = (c.rooms[0], c.hers[1]);
    let refused = refusal(
        &mut c.village,
        c.homes[0],
        Command::OfferRoom { room, contact },
    );
    assert_eq!(refused, Refusal::RoomFull { most: 2 });
    let member = c.member(0, "Bob").member;
    let on = true;
    let named = Command::SetHerald { room, member, on };
    let refused = refusal(&mut c.village, c.homes[0], named);
    assert_eq!(refused, Refusal::NeedsNoHeralds { most: 2 });
}
