//! A group of forty as it is founded: full members, who got in together.

use hushwing_conversation::view::Counted;
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
    // 36 served, 39 receipts, 9 reports and 3 counts, and repeats to few.
    assert!((75..=110).contains(&others), "{others}");
    let Reply::Where(way) = c.ask(39, Command::Where { message: view.id }) else {
        panic!("another reply")
    };
    assert!(way.members.is_empty(), "numbers say it");
}
