//! Heralds that are silent, and who comes in their place.

use hushwing_conversation::content::{Content, Readiness, RoomStep, RoomWord};
use hushwing_conversation::village::{Crash, Weather};

use crate::rooms::Circle;
use crate::rooms_shadow::{Shadow, key_of, post};
use crate::rooms_wide::{NINE, heralds, sent, wide};

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
fn hours(c: &mut Circle, count: u64) {
    for hour in 0..count {
        c.say(7, &format!("{hour} o'clock"));
        c.pass(HOUR);
    }
}

fn asleep(c: &mut Circle, who: &[usize], asleep: bool) {
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
    hours(&mut c, 4);
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
fn two_stewards_who_replace_at_a_time_make_one_change() {
    let mut c = settled(2_805);
    asleep(&mut c, &[1], true);
    let homes = c.homes.clone();
    // Each has a herald and others on its side, and sees the third silent.
    let near = [homes[0], homes[3], homes[4], homes[7]];
    let far = [homes[2], homes[5], homes[6], homes[8]];
    c.village.part(&[&near, &far]);
    for _ in 0..12 {
        c.say(7, "here");
        c.say(5, "there");
        c.pass(HOUR);
    }
    assert!(!heralds(&mut c, 7).contains(&"Bob".to_owned()));
    assert!(!heralds(&mut c, 5).contains(&"Bob".to_owned()));
    let count = commits(&mut c, 8, |c| {
        c.village.heal();
        asleep(c, &[1], false);
        c.pass(2 * HOUR);
        c.agree(&(0..9).collect::<Vec<_>>());
        hours(c, 20);
    });
    assert_eq!(
        count, 0,
        "one of the two is followed, and the other not made again"
    );
    assert_eq!(
        new_among(&mut c, 8, &["Alice"]).len(),
        2,
        "Alice is above Ivan"
    );
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
fn a_steward_alone_is_answered_and_only_so_often() {
    // Dave is none, Ivan is.
    for (who, answers) in [(3, 0), (8, 8)] {
        let mut c = settled(2_807);
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
