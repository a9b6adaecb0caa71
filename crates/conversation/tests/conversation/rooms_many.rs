//! A group of real messengers that grows past 32, once groups may.

use hushwing_conversation::{Command, GroupSize};

use crate::rooms::{Circle, acquaintances_of};
use crate::rooms_wide::{delivered, heralds, sent};

/// How many come in together in the end; more by night.
fn most() -> usize {
    match std::env::var_os("HUSHWING_SOAK") {
        Some(_) => 60,
        None => 46,
    }
}

/// Asks those into the room, who accept at once.
pub(crate) fn bring_in(c: &mut Circle, who: core::ops::Range<usize>) {
    for one in who.clone() {
        let (room, contact) = (c.rooms[0], c.hers[one - 1]);
        c.ask(0, Command::OfferRoom { room, contact });
    }
    c.pass(60);
    for one in who {
        c.accept(one);
    }
    c.pass(900);
}

/// Somebody says something; what that cost them. All who are in it have it, and told so.
fn say(c: &mut Circle, who: usize, text: &str) -> usize {
    let cost = sent(c, |c| {
        c.say(who, text);
    });
    c.pass(300);
    for other in 0..c.rooms.len() {
        let last = c.texts(other).pop();
        assert_eq!(last.as_deref(), Some(text), "{other}");
    }
    assert_eq!(delivered(c, who, text), c.rooms.len() - 1);
    cost
}

#[test]
fn a_group_grows_past_what_each_writes_to_and_nobody_misses_a_word() {
    let most = most();
    let names: Vec<String> = (0..most).map(|number| format!("N{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let size = GroupSize {
        narrow: 32,
        most: 64,
    };
    let mut c = acquaintances_of(2_900, &names, size);
    c.found();
    bring_in(&mut c, 1..31);
    assert_eq!(say(&mut c, 30, "thirty-one"), 30);
    bring_in(&mut c, 31..32);
    assert_eq!(say(&mut c, 31, "thirty-two"), 31);
    assert!(heralds(&mut c, 31).is_empty());
    for (who, text) in [(32, "thirty-three"), (33, "thirty-four")] {
        bring_in(&mut c, who..who + 1);
        assert_eq!(heralds(&mut c, who).len(), 3);
        assert_eq!(say(&mut c, who, text), 3);
    }
    // The rest comes in by one commit.
    bring_in(&mut c, 34..most);
    c.agree(&(0..most).collect::<Vec<_>>());
    assert!(say(&mut c, most - 1, "all of us") <= 4);
    // Smaller again: each writes to all as before.
    let room = c.rooms[0];
    for number in 32..most {
        let member = c.member(0, &format!("N{number:03}")).member;
        c.ask(0, Command::RemoveMember { room, member });
    }
    c.pass(600);
    c.rooms.truncate(32);
    c.agree(&(0..32).collect::<Vec<_>>());
    assert!(heralds(&mut c, 5).is_empty());
    assert_eq!(say(&mut c, 5, "thirty-two again"), 31);
}
