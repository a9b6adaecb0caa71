//! Heralds that are silent, and who comes in their place.

use hushwing_conversation::content::{Content, Readiness, RoomStep, RoomWord};
use hushwing_conversation::village::{Crash, Weather};

use hushwing_conversation::{Command, Refusal};

use crate::devices::link;
use crate::rooms::Circle;
use crate::rooms_shadow::{Shadow, key_of, post};
use crate::rooms_wide::{NINE, heralds, sent, wide, wide_beyond};
use crate::support::*;

const HOUR: u64 = 60 * 60;

/// Nine of whom Ivan is a steward as well, a day after heralds were named: nobody waits
/// any more because of that.
fn settled(seed: u64) -> Circle {
    let mut c = wide(seed);
    c.make_steward(0, "Ivan");
    hours(&mut c, 26);
    assert_eq!(heralds(&mut c, 8), ["Alice", "Bob", "Carol"]);
    c
}

/// Hours in each of which Heidi says something.
pub(crate) fn hours(c: &mut Circle, count: u64) {
    for hour in 0..count {
        c.say(7, &format!("{hour} o'clock"));
        c.pass(HOUR);
    }
}

pub(crate) fn asleep(c: &mut Circle, who: &[usize], asleep: bool) {
    for one in who {
        c.village.set_asleep(c.homes[*one], asleep);
    }
}

/// How many commits somebody followed while something was done.
fn commits(c: &mut Circle, who: usize, act: impl FnOnce(&mut Circle)) -> u64 {
    let before = Shadow::of(c, who).keeper.epoch();
    act(c);
    Shadow::of(c, who).keeper.epoch() - before
}

/// Who of the heralds there are now was none before.
fn new_among(c: &mut Circle, who: usize, before: &[&str]) -> Vec<String> {
    let mut heralds = heralds(c, who);
    assert_eq!(heralds.len(), 3);
    heralds.retain(|name| !before.contains(&name.as_str()));
    heralds
}

#[test]
fn a_herald_that_is_silent_is_replaced_by_one_that_is_there() {
    let mut c = settled(2_800);
    // Who is away as well does not come in Bob's place.
    asleep(&mut c, &[1, 3, 4, 5], true);
    hours(&mut c, 5);
    assert_eq!(heralds(&mut c, 8), ["Alice", "Bob", "Carol"], "not yet");
    let count = commits(&mut c, 8, |c| hours(c, 8));
    assert_eq!(count, 1);
    let new = new_among(&mut c, 8, &["Alice", "Carol"]);
    assert_eq!(new.len(), 1);
    assert!(["Grace", "Heidi", "Ivan"].contains(&&*new[0]), "{new:?}");
    asleep(&mut c, &[1, 3, 4, 5], false);
    c.pass(HOUR);
    c.agree(&(0..9).collect::<Vec<_>>());
}

#[test]
fn while_all_heralds_answer_nothing_changes_and_little_is_asked() {
    let mut c = settled(2_801);
    let count = commits(&mut c, 8, |c| hours(c, 30));
    assert_eq!(count, 0);
    assert_eq!(heralds(&mut c, 8), ["Alice", "Bob", "Carol"]);
    // Where nothing is said nobody is asked, but once more for what was said last.
    c.pass(2 * HOUR);
    let others = sent(&mut c, |c| c.pass(48 * HOUR));
    assert!(others < 16, "{others}, of which none was a call");
}

#[test]
fn where_no_herald_is_left_the_next_steward_names_others_soon() {
    let mut c = settled(2_802);
    asleep(&mut c, &[0, 1, 2], true);
    hours(&mut c, 8);
    let new = new_among(&mut c, 8, &["Alice", "Bob", "Carol"]);
    assert_eq!(new.len(), 3, "Ivan saw to it");
    let author = (3..9).find(|who| !new.contains(&NINE[*who].to_owned()));
    let mine = sent(&mut c, |c| {
        c.say(author.unwrap(), "to three again");
    });
    assert_eq!(mine, 3);
    c.pass(300);
    for who in 3..9 {
        assert!(c.texts(who).contains(&"to three again".to_owned()), "{who}");
    }
    asleep(&mut c, &[0, 1, 2], false);
    let count = commits(&mut c, 8, |c| hours(c, 30));
    assert_eq!(count, 0, "who comes back takes nothing back");
    c.agree(&(0..9).collect::<Vec<_>>());
}

#[test]
fn a_steward_who_hears_nobody_takes_nobody_for_silent() {
    let mut c = settled(2_803);
    let all: Vec<_> = c.homes.clone();
    // Alice and Ivan reach nobody; all others are there.
    c.village.part(&[&all[..1], &all[8..], &all[1..8]]);
    let count = commits(&mut c, 7, |c| {
        hours(c, 40);
        c.village.heal();
        c.pass(2 * HOUR);
    });
    assert_eq!(count, 0);
    // A program that slept judges nobody by what it asked before.
    asleep(&mut c, &[0, 8], true);
    hours(&mut c, 14);
    asleep(&mut c, &[0, 8], false);
    let count = commits(&mut c, 7, |c| hours(c, 3));
    assert_eq!(count, 0);
    assert_eq!(heralds(&mut c, 7), ["Alice", "Bob", "Carol"]);
}

#[test]
fn who_comes_and_goes_is_not_replaced_each_time() {
    let mut c = settled(2_804);
    let count = commits(&mut c, 8, |c| {
        for _ in 0..10 {
            asleep(c, &[1], true);
            hours(c, 4);
            asleep(c, &[1], false);
            hours(c, 2);
        }
    });
    assert_eq!(count, 0, "away for four hours of six");
    let count = commits(&mut c, 8, |c| {
        for _ in 0..4 {
            // All who are named sleep by night, and so do most others.
            asleep(c, &[0, 1, 2, 3, 4], true);
            hours(c, 11);
            asleep(c, &[0, 1, 2, 3, 4], false);
            hours(c, 13);
        }
    });
    assert!((1..=3).contains(&count), "{count} in four days");
    c.agree(&(0..9).collect::<Vec<_>>());
}

#[test]
fn one_herald_that_misses_a_call_does_not_hurry_what_others_have_time_for() {
    let mut c = settled(2_812);
    let count = commits(&mut c, 7, |c| {
        asleep(c, &[0, 2], true);
        hours(c, 3);
        asleep(c, &[1], true);
        hours(c, 2);
        asleep(c, &[0, 1, 2], false);
        hours(c, 3);
    });
    assert_eq!(count, 0);
}

#[test]
fn an_answer_counts_however_late_the_steward_reads_it() {
    let mut c = wide(2_813);
    hours(&mut c, 26);
    let count = commits(&mut c, 7, |c| {
        for _ in 0..6 {
            // Alice is on for an hour and a half each day, when Bob is not.
            asleep(c, &[0, 1], true);
            asleep(c, &[0], false);
            c.village.open_again(c.homes[0]).unwrap();
            c.pass(HOUR + HOUR / 2);
            asleep(c, &[0], true);
            asleep(c, &[1], false);
            hours(c, 22);
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn two_devices_of_a_steward_do_not_take_each_other_for_silent() {
    let mut c = wide(2_815);
    let phone = c.village.move_in("Alice", DELAY).unwrap();
    let desk = c.homes[0];
    link(&mut c.village, (desk, "desk"), (phone, "phone"));
    hours(&mut c, 30);
    assert_eq!(c.member(7, "Alice").devices, 2);
    let count = commits(&mut c, 7, |c| hours(c, 30));
    assert_eq!(count, 0);
    assert_eq!(heralds(&mut c, 7), ["Alice", "Bob", "Carol"]);
}

#[test]
fn nobody_answers_for_another() {
    let mut c = settled(2_806);
    asleep(&mut c, &[1], true);
    let mut dave = Shadow::of(&mut c, 3);
    let room = c.view(3).conversation;
    let bob = key_of(&mut c, 3, "Bob");
    let (alice, ivan) = (key_of(&mut c, 3, "Alice"), key_of(&mut c, 3, "Ivan"));
    for hour in 0..12_u8 {
        // What is new, with Bob's name as who sends it; and answers as Dave.
        let message = dave.say(&Content::Post(post(&hour.to_string())));
        for steward in [0, 8] {
            dave.post(&mut c, steward, 6, &[&bob, &message]);
        }
        let here = Content::Room(RoomWord {
            room,
            step: RoomStep::Here {
                mark: [hour; 16],
                readiness: Readiness::Ready,
            },
        });
        for (steward, key) in [(0, &alice), (8, &ivan)] {
            let side = dave.whisper(key, &here);
            dave.post(&mut c, steward, 5, &[&side]);
        }
        c.pass(HOUR);
    }
    for steward in [0, 8] {
        assert!(c.texts(steward).contains(&"11".to_owned()), "it was read");
    }
    assert!(!heralds(&mut c, 8).contains(&"Bob".to_owned()));
}

#[test]
fn an_answer_to_no_question_ends_no_silence() {
    let mut c = settled(2_815);
    let mut bob = Shadow::of(&mut c, 1);
    asleep(&mut c, &[1], true);
    let room = c.view(0).conversation;
    let (alice, ivan) = (key_of(&mut c, 0, "Alice"), key_of(&mut c, 8, "Ivan"));
    for hour in 0..12_u8 {
        c.say(7, &format!("{hour} o'clock"));
        let here = Content::Room(RoomWord {
            room,
            step: RoomStep::Here {
                mark: [hour; 16],
                readiness: Readiness::Ready,
            },
        });
        for (steward, key) in [(0, &alice), (8, &ivan)] {
            let side = bob.whisper(key, &here);
            bob.post(&mut c, steward, 5, &[&side]);
        }
        c.pass(HOUR);
    }
    assert!(!heralds(&mut c, 8).contains(&"Bob".to_owned()));
}

#[test]
fn a_steward_alone_is_answered_and_only_so_often() {
    // Dave is none, Ivan is; in a small group nobody passes on, and nobody is asked.
    for (who, narrow, answers) in [(3, 4, 0), (8, 4, 8), (8, 10, 0)] {
        let mut c = wide_beyond(2_807, narrow);
        c.make_steward(0, "Ivan");
        c.pass(120);
        let room = c.view(3).conversation;
        let key = key_of(&mut c, 3, "Grace");
        let mut shadow = Shadow::of(&mut c, who);
        let sent = sent(&mut c, |c| {
            for mark in 0..40 {
                let step = RoomStep::Roll([mark; 16]);
                let side = shadow.whisper(&key, &Content::Room(RoomWord { room, step }));
                shadow.post(c, 6, 5, &[&side]);
            }
            c.pass(30);
        });
        assert_eq!(sent, answers);
    }
}

#[test]
fn a_steward_that_crashes_replaces_once() {
    for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
        let mut c = settled(2_808);
        asleep(&mut c, &[1, 8], true);
        let count = commits(&mut c, 7, |c| {
            for round in 0..7 {
                hours(c, 3);
                // In the middle of an answer, a call, or the change itself.
                c.village.crash_in(c.homes[0], 1 + 7 * round, crash);
            }
        });
        assert_eq!(count, 1, "{crash:?}");
        assert_eq!(new_among(&mut c, 7, &["Alice", "Carol"]).len(), 1);
    }
}

#[test]
fn in_rough_weather_who_is_there_stays_and_who_is_not_goes() {
    let mut c = settled(2_809);
    c.village.set_weather(Weather {
        loss: 20,
        repeat: 30,
        reorder: 40,
    });
    asleep(&mut c, &[2], true);
    let count = commits(&mut c, 8, |c| hours(c, 14));
    assert_eq!(count, 1);
    assert_eq!(new_among(&mut c, 8, &["Alice", "Bob"]).len(), 1);
}

#[test]
fn who_declines_is_let_go_of_and_named_by_nobody() {
    let mut c = settled(2_810);
    let (room, theirs) = (c.rooms[1], c.rooms[5]);
    let willing = false;
    c.ask(1, Command::BeHerald { room, willing });
    let room = theirs;
    c.ask(5, Command::BeHerald { room, willing });
    assert!(c.member(1, "Bob").declines);
    c.pass(60);
    assert!(c.member(0, "Bob").declines && c.member(8, "Frank").declines);
    assert!(!c.member(3, "Bob").declines, "stewards alone are told");
    // A program that starts again knows it.
    c.village.open_again(c.homes[1]).unwrap();
    c.village.open_again(c.homes[8]).unwrap();
    assert!(c.member(1, "Bob").declines && c.member(8, "Bob").declines);
    let count = commits(&mut c, 8, |c| hours(c, 4));
    assert_eq!(count, 1, "nobody waits for six hours");
    assert_eq!(new_among(&mut c, 8, &["Alice", "Carol"]).len(), 1);
    for name in ["Bob", "Frank"] {
        assert!(!heralds(&mut c, 8).contains(&name.to_owned()));
        let (room, member) = (c.rooms[8], c.member(8, name).member);
        let on = true;
        let named = Command::SetHerald { room, member, on };
        let refused = refusal(&mut c.village, c.homes[8], named);
        assert_eq!(refused, Refusal::HeraldDeclines);
    }
    let (room, willing) = (c.rooms[5], true);
    c.ask(5, Command::BeHerald { room, willing });
    c.pass(60);
    let (room, member) = (c.rooms[8], c.member(8, "Frank").member);
    let on = true;
    c.ask(8, Command::SetHerald { room, member, on });
    c.pass(120);
    assert!(heralds(&mut c, 8).contains(&"Frank".to_owned()));
}

#[test]
fn a_steward_sees_when_heralds_gave_a_sign() {
    let mut c = settled(2_811);
    let sign = |c: &mut Circle, name| c.member(8, name).sign;
    let before = sign(&mut c, "Bob").unwrap();
    asleep(&mut c, &[1], true);
    hours(&mut c, 3);
    assert_eq!(sign(&mut c, "Bob").max(Some(before)), sign(&mut c, "Bob"));
    assert!(sign(&mut c, "Carol") > sign(&mut c, "Bob"));
    assert_eq!(sign(&mut c, "Dave"), None, "he is none");
}
