//! A group of forty as it is founded: full members, who got in together.

use hushwing_conversation::view::Counted;
use hushwing_conversation::village::Crash;
use hushwing_conversation::{Command, GroupSize, Reply};

use crate::rooms::{Circle, acquaintances_of};
use crate::rooms_wide::{heralds, sent};
use crate::support::*;

const COUNT: usize = 40;

/// All are asked at once, and accept at once.
fn crowd(seed: u64) -> Circle {
    let names: Vec<String> = (0..COUNT).map(|number| format!("N{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let size = GroupSize {
        narrow: 32,
        most: 500,
    };
    let mut c = acquaintances_of(seed, &names, size);
    c.found();
    for who in 1..COUNT {
        let (room, contact) = (c.rooms[0], c.hers[who - 1]);
        c.ask(0, Command::OfferRoom { room, contact });
    }
    c.pass(60);
    for who in 1..COUNT {
        c.accept(who);
    }
    c.pass(900);
    c
}

#[test]
fn forty_get_in_together_and_a_text_costs_its_author_three_envelopes() {
    let mut c = crowd(2_700);
    let all: Vec<usize> = (0..COUNT).collect();
    c.agree(&all);
    assert_eq!(heralds(&mut c, 20).len(), 3);
    let mine = sent(&mut c, |c| {
        c.say(39, "to all");
    });
    assert_eq!(mine, 3);
    let others = sent(&mut c, |c| c.pass(200));
    for who in all {
        assert_eq!(c.texts(who), ["to all"], "{who}");
    }
    let place = c.rooms[39].place();
    let view = read(&mut c.village, c.homes[39], place).remove(0);
    let counted = Counted {
        all: 39,
        accepted: 39,
        delivered: 39,
        read: 0,
        failed: 0,
    };
    assert_eq!(view.counted.as_deref(), Some(&counted));
    // 36 served, 39 receipts, 15 reports and 3 counts, and repeats to few.
    assert!((75..=110).contains(&others), "{others}");
    let Reply::Where(way) = c.ask(39, Command::Where { message: view.id }) else {
        panic!("another reply")
    };
    assert!(way.members.is_empty(), "numbers say it");
}

#[test]
fn forty_hear_all_though_heralds_lie_sleep_crash_and_the_network_falls_apart() {
    let mut c = crowd(2_701);
    let names = heralds(&mut c, 20);
    let number = |name: &String| name[1..].parse::<usize>().unwrap();
    let [liar, sleeper, honest] = [0, 1, 2].map(|at| number(&names[at]));
    let others = (0..COUNT).filter(|who| ![liar, sleeper, honest].contains(who));
    let others: Vec<usize> = others.collect();
    let homes: Vec<_> = others.iter().map(|who| c.homes[*who]).collect();
    // One says that it passed on, and sends nothing to whom it is to; one sleeps.
    c.village.withhold(c.homes[liar], &homes);
    c.village.set_asleep(c.homes[sleeper], true);
    let (first, last) = (others[0], others[others.len() - 1]);
    c.say(last, "past a liar");
    c.pass(200);
    for who in &others {
        assert_eq!(c.texts(*who), ["past a liar"], "{who}");
    }
    c.village.set_asleep(c.homes[sleeper], false);
    // The heralds on one side, half of the members on the other.
    let (near, far) = c.homes.split_at(COUNT / 2);
    let (near, far) = (near.to_vec(), far.to_vec());
    c.village.part(&[&near, &far]);
    c.say(first, "here");
    c.say(last, "there");
    c.pass(400);
    let there = ["past a liar", "there"];
    assert_eq!(c.texts(COUNT - 2), there, "written to each");
    c.village.heal();
    c.pass(400);
    for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
        c.village.crash_in(c.homes[honest], 1, crash);
        c.say(first, &format!("{crash:?}"));
        c.pass(400);
        assert!(!c.village.will_crash(c.homes[honest]));
    }
    let all = c.texts(first);
    assert_eq!(all.len(), 5, "{all:?}");
    for who in 0..COUNT {
        assert_eq!(c.texts(who), all, "{who}");
    }
    c.agree(&(0..COUNT).collect::<Vec<_>>());
}
