//! Conversations of two on several devices, in bad weather, over crashes and restarts, with
//! both sides at it at the same time, and after a backup was put back.

use std::collections::BTreeSet;

use hushwing_conversation::storage::{PairsRecord, RoomRows as _, RoomStanding, Storage as _};
use hushwing_conversation::village::{Crash, Home, Weather};
use hushwing_conversation::{Command, MessageState, Standing};

use crate::devices::{link, pass};
use crate::devices_pairs::{Two, config};
use crate::support::*;

/// Everybody in it says something, and all have it.
fn all_talk(t: &mut Two, homes: &[Home], word: &str) {
    for home in homes {
        t.say(*home, &format!("{word} {}", home.0));
        t.pass(30);
    }
    t.pass(300);
    for home in homes {
        let said = t.read(*home);
        for by in homes {
            let text = format!("{word} {}", by.0);
            let times = said.iter().filter(|(_, one)| *one == text).count();
            assert_eq!(times, 1, "{text} on {home:?}");
        }
    }
}

/// What both who began show of texts, in their order.
fn agree(t: &mut Two, homes: &[Home]) {
    let shown = |t: &mut Two, home: Home| {
        let said = t.read(home).into_iter().map(|(_, text)| text);
        said.collect::<Vec<_>>()
    };
    let first = shown(t, homes[0]);
    let once: BTreeSet<_> = first.iter().collect();
    assert_eq!(once.len(), first.len(), "shown once");
    for home in &homes[1..] {
        let other = shown(t, *home);
        // Who came later has the end of it.
        assert_eq!(first[first.len() - other.len()..], other, "{home:?}");
    }
}

#[test]
fn both_sides_add_devices_at_the_same_time_in_bad_weather() {
    for seed in 5_100..5_104 {
        let mut t = Two::new(seed);
        let (alice, bob) = (t.alice, t.bob);
        let mut mine = Vec::new();
        for (owner, name) in [(alice, "Alice"), (bob, "Bob")] {
            let new = t.village.move_in_as(config(name)).unwrap();
            link(&mut t.village, (owner, "phone"), (new, "laptop"));
            t.village.set_weather(Weather {
                loss: 60,
                repeat: 40,
                reorder: 80,
            });
            mine.push(new);
        }
        t.say(alice, "hers under way");
        t.say(bob, "his under way");
        t.pass(200);
        for home in [alice, bob, mine[0], mine[1]] {
            t.village.open_again(home).unwrap();
        }
        t.village.set_weather(Weather::default());
        t.pass(3 * 3_600);
        let all = [alice, bob, mine[0], mine[1]];
        all_talk(&mut t, &all, "after");
        agree(&mut t, &[alice, bob]);
    }
}

#[test]
fn three_devices_on_either_side_are_two_people() {
    let mut t = Two::new(5_110);
    let (alice, bob) = (t.alice, t.bob);
    let mut all = vec![alice, bob];
    for name in ["laptop", "tablet"] {
        all.push(t.link(alice, ("phone", name)));
        all.push(t.link(bob, ("phone", name)));
    }
    t.pass(600);
    all_talk(&mut t, &all, "all");
    agree(&mut t, &all);
}

#[test]
fn a_device_is_added_while_the_other_side_is_away_and_texts_are_under_way() {
    let mut t = Two::new(5_120);
    let (alice, bob) = (t.alice, t.bob);
    t.village.set_offline(bob, true);
    t.say(alice, "while he is away");
    t.say(bob, "while I am away");
    let laptop = t.link(alice, ("phone", "laptop"));
    t.say(alice, "with a laptop");
    t.pass(3_600);
    t.village.set_offline(bob, false);
    t.say(bob, "back");
    t.pass(600);
    all_talk(&mut t, &[alice, bob, laptop], "all");
    agree(&mut t, &[alice, bob]);
}

#[test]
fn what_is_said_while_a_pair_is_founded_is_shown_once_and_in_one_order() {
    for seed in 5_130..5_133 {
        let mut t = Two::new(seed);
        let (alice, bob) = (t.alice, t.bob);
        let laptop = t.village.move_in_as(config("Alice")).unwrap();
        link(&mut t.village, (alice, "phone"), (laptop, "laptop"));
        t.village.set_weather(Weather {
            loss: 40,
            repeat: 40,
            reorder: 120,
        });
        for round in 0..20 {
            t.say(alice, &format!("hers {round}"));
            t.say(bob, &format!("his {round}"));
            t.pass(1);
        }
        t.village.set_weather(Weather::default());
        t.pass(3_600);
        all_talk(&mut t, &[alice, bob, laptop], "all");
        agree(&mut t, &[alice, bob, laptop]);
        assert_eq!(t.read(alice).len(), 43, "seed {seed}");
    }
}

/// Pairs two with a crash of Bob at his `at`th call; gives how many there were.
fn with_a_crash(at: u64, crash: Crash) -> u64 {
    let mut t = Two::new(5_140);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.village.move_in_as(config("Alice")).unwrap();
    t.say(bob, "on its way");
    let before = t.village.calls(bob);
    t.village.crash_in(bob, at, crash);
    link(&mut t.village, (alice, "phone"), (laptop, "laptop"));
    t.say(alice, "from the phone");
    t.pass(2 * 3_600);
    let what = format!("{at} {crash:?}");
    let said = t.read(laptop);
    assert_eq!(
        said.last(),
        Some(&(true, "from the phone".to_owned())),
        "{what}"
    );
    t.say(laptop, "from the laptop");
    t.pass(600);
    let his = [
        (true, "on its way".to_owned()),
        (false, "from the phone".to_owned()),
        (false, "from the laptop".to_owned()),
    ];
    assert_eq!(t.read(bob), his, "{what}");
    assert_eq!(t.read(alice).len(), 3, "{what}");
    t.village.calls(bob) - before
}

#[test]
fn a_crash_at_any_step_of_the_founding_loses_nothing() {
    let most = with_a_crash(u64::MAX, Crash::BeforeCommit).min(60);
    for at in 1..most {
        for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
            with_a_crash(at, crash);
        }
    }
}

#[test]
fn a_backup_put_back_repairs_the_conversation_and_loses_nobody() {
    for (seed, alice_restores) in [(5_150, true), (5_151, false)] {
        let mut t = Two::new(seed);
        let (alice, bob) = (t.alice, t.bob);
        let laptop = t.link(alice, ("phone", "laptop"));
        all_talk(&mut t, &[alice, bob, laptop], "before");
        let who = if alice_restores { alice } else { bob };
        let old = t.village.storage(who).unwrap().clone();
        t.say(bob, "since");
        t.pass(60);
        t.village.restore(who, old).unwrap();
        t.pass(3 * 24 * 3_600);
        for home in [alice, bob] {
            assert_eq!(t.only(home).standing, Standing::Established, "{seed}");
        }
        t.say(alice, "after hers");
        t.pass(60);
        t.say(bob, "after his");
        t.pass(3_600);
        for home in [alice, bob] {
            let said: Vec<_> = t.read(home).into_iter().map(|(_, text)| text).collect();
            let end: Vec<_> = said.iter().rev().take(2).rev().cloned().collect();
            assert_eq!(end, ["after hers", "after his"], "{seed} {home:?}");
            let once: BTreeSet<_> = said.iter().collect();
            assert_eq!(once.len(), said.len());
        }
        // Whoever put a backup back has no other devices; those of the other side come along.
        if !alice_restores {
            let said = t.read(laptop);
            assert_eq!(said.last(), Some(&(false, "after his".to_owned())));
        }
    }
}

#[test]
fn whoever_puts_back_a_backup_from_before_the_pair_is_paired_again() {
    for (seed, alice_restores) in [(5_155, true), (5_156, false)] {
        let mut t = Two::new(seed);
        let (alice, bob) = (t.alice, t.bob);
        let who = if alice_restores { alice } else { bob };
        let old = t.village.storage(who).unwrap().clone();
        let laptop = t.link(who, ("phone", "laptop"));
        all_talk(&mut t, &[alice, bob, laptop], "before");
        t.village.restore(who, old).unwrap();
        t.pass(3 * 24 * 3_600);
        let laptop = t.link(who, ("new phone", "new laptop"));
        t.say(who, "with another laptop");
        t.pass(2 * 24 * 3_600);
        all_talk(&mut t, &[alice, bob, laptop], "after");
    }
}

#[test]
fn all_of_it_is_there_after_a_restart() {
    let mut t = Two::new(5_160);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.link(alice, ("phone", "laptop"));
    let conversation = t.only(alice).conversation;
    for home in [alice, bob, laptop] {
        t.village.open_again(home).unwrap();
    }
    // By its name, which is the same on both sides, it is found as well.
    let look = Command::Look {
        conversation,
        before: None,
        most: 10,
    };
    ask(&mut t.village, laptop, look);
    pass(&mut t.village, 30);
    assert_eq!(t.only(laptop).name, "Bob");
    all_talk(&mut t, &[alice, bob, laptop], "again");
    agree(&mut t, &[alice, bob, laptop]);
    let contact = t.only(laptop).contact;
    assert_eq!(kept(&mut t.village, laptop, contact).unread, 0);
}

#[test]
fn keys_are_renewed_after_a_day_though_the_program_is_restarted() {
    let mut t = Two::new(5_161);
    let alice = t.alice;
    t.link(alice, ("phone", "laptop"));
    let mut epochs = Vec::new();
    for text in ["one", "two", "three"] {
        let message = t.say(alice, text);
        t.pass(60);
        let storage = t.village.storage(alice).unwrap();
        epochs.push(storage.message(&message).unwrap().unwrap().sealed_epoch);
        t.village.open_again(alice).unwrap();
        t.pass(25 * 3_600);
    }
    assert_eq!(epochs[1], epochs[0]);
    assert!(epochs[2] > epochs[1], "{epochs:?}");
}

#[test]
fn another_pair_takes_the_place_of_one_that_is_lost_on_either_side() {
    for (seed, hers) in [(5_170, true), (5_171, false)] {
        let mut t = Two::new(seed);
        let (alice, bob) = (t.alice, t.bob);
        let laptop = t.link(alice, ("phone", "laptop"));
        let all = [alice, bob, laptop];
        all_talk(&mut t, &all, "first");
        if hers {
            // He hears nothing in it any more.
            let storage = t.village.storage(bob).unwrap();
            let mut room = storage.rooms().unwrap().remove(0).unwrap();
            room.standing = RoomStanding::Left;
            storage.put_room(&room).unwrap();
            t.village.open_again(bob).unwrap();
        }
        // As if the other side had been heard beside all that can be gone back to.
        let (who, contact) = match hers {
            true => (alice, t.her_bob),
            false => (bob, t.his_alice),
        };
        let storage = t.village.storage(who).unwrap();
        let mut record = PairsRecord::read(storage).unwrap();
        assert_eq!(record.pairs.len(), 1);
        record.contacts.entry(contact).or_default().least = 2;
        record.put(storage).unwrap();
        t.village.open_again(who).unwrap();
        let last = t.say(who, "while there is none");
        t.pass(3 * 3_600);
        if hers {
            assert_eq!(t.state(who, last), MessageState::Failed);
        }
        for home in all {
            let storage = t.village.storage(home).unwrap();
            let record = PairsRecord::read(storage).unwrap();
            let turns: BTreeSet<_> = record.pairs.iter().map(|pair| pair.turn).collect();
            assert_eq!(turns, BTreeSet::from([1, 2]), "{seed} {home:?}");
        }
        all_talk(&mut t, &all, "second");
        let count = if hers {
            [alice, laptop].to_vec()
        } else {
            all.to_vec()
        };
        agree(&mut t, &count);
    }
}
