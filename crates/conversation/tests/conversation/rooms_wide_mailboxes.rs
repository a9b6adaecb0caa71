//! Where members of a wide group are written to: by several mailboxes, and by others once
//! somebody is out who knows them.

use std::collections::BTreeSet;

use hushwing_conversation::village::Conduct;
use hushwing_conversation::{Command, Config, Storage as _};

use crate::rooms::Circle;
use crate::rooms_wide::{NINE, delivered, everybody_has, wide};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Where Alice writes to each of these.
pub(crate) fn addresses(c: &mut Circle, names: &[&str]) -> Vec<BTreeSet<Vec<u8>>> {
    let known = names.iter().map(|name| c.member_addresses(0, name));
    known.map(|all| all.into_iter().collect()).collect()
}

#[test]
fn a_server_that_drops_what_it_took_keeps_nothing_from_anybody() {
    for server in [0, 1] {
        let mut c = wide(2_580);
        c.village.set_servers(2);
        c.choose(2);
        c.pass(2 * DAY);
        let two = addresses(&mut c, &NINE[1..]);
        assert!(two.iter().all(|of| of.len() == 2), "{server}");
        c.village.set_conduct(server, Conduct::Dropping);
        c.say(8, "one");
        c.pass(300);
        c.say(4, "two");
        c.pass(HOUR);
        everybody_has(&mut c, &[], &["one", "two"]);
    }
}

#[test]
fn a_herald_that_missed_where_somebody_moved_asks_for_it() {
    let mut c = wide(2_587);
    let then: Vec<_> = [1, 2]
        .map(|who| c.village.storage(c.homes[who]).unwrap().clone())
        .into();
    c.village.refuse_what_is_gone();
    let moved = &NINE[3..];
    for home in c.homes[3..].iter().copied() {
        c.village.lose_mailboxes(home, true);
    }
    c.pass(600);
    let now: Vec<_> = moved
        .iter()
        .map(|name| c.member_addresses(0, name))
        .collect();
    for (who, then) in [1, 2].into_iter().zip(&then) {
        for name in moved {
            c.forget_what_was_told(who, name, then);
        }
    }
    let known = |c: &mut Circle, who| {
        let known = moved.iter().zip(&now);
        let known = known.filter(|(name, now)| c.member_addresses(who, name) == **now);
        known.count()
    };
    assert_eq!([known(&mut c, 1), known(&mut c, 2)], [0, 0]);
    // Each of three is in charge of some.
    c.say(4, "one");
    c.pass(HOUR);
    let learnt = [known(&mut c, 1), known(&mut c, 2)];
    assert!(learnt.iter().all(|count| *count > 0), "{learnt:?}");
    everybody_has(&mut c, &[], &["one"]);
}

#[test]
fn all_move_one_after_the_other_once_somebody_is_out() {
    let mut c = wide(2_581);
    let there = &NINE[1..8];
    let before = addresses(&mut c, there);
    let (room, member) = (c.rooms[0], c.member(0, "Ivan").member);
    c.ask(0, Command::RemoveMember { room, member });
    let moved = |c: &mut Circle| {
        let now = addresses(c, there).into_iter().zip(&before);
        now.filter(|(now, before)| now.is_disjoint(before)).count()
    };
    // Heralds are written to by all.
    c.pass(90);
    assert!((2..7).contains(&moved(&mut c)), "{}", moved(&mut c));
    c.pass(HOUR);
    assert_eq!(moved(&mut c), 7);
    c.say(5, "without one");
    c.pass(300);
    everybody_has(&mut c, &[8], &["without one"]);
    assert_eq!(delivered(&mut c, 5, "without one"), 7);
}

#[test]
fn who_runs_for_minutes_at_a_time_moves_as_well() {
    let mut c = wide(2_585);
    let before = addresses(&mut c, &["Heidi"]);
    let heidi = c.homes[7];
    c.village.set_asleep(heidi, true);
    let (room, member) = (c.rooms[0], c.member(0, "Ivan").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(HOUR);
    for _ in 0..7 {
        c.village.set_asleep(heidi, false);
        c.village.open_again(heidi).unwrap();
        c.pass(90);
        c.village.set_asleep(heidi, true);
        c.pass(HOUR);
    }
    assert!(addresses(&mut c, &["Heidi"])[0].is_disjoint(&before[0]));
}

#[test]
fn of_a_group_that_is_forgotten_no_turn_is_left() {
    let mut c = wide(2_588);
    let (room, member) = (c.rooms[0], c.member(0, "Ivan").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(10);
    let (heidi, room) = (c.homes[7], c.rooms[7]);
    let turn = format!("turn to move in room {}", room.0);
    let drawn = |c: &mut Circle| c.village.storage(heidi).unwrap().setting(&turn).unwrap();
    assert!(drawn(&mut c).is_some());
    let (of_alice, member) = (c.rooms[0], c.member(0, "Heidi").member);
    c.ask(
        0,
        Command::RemoveMember {
            room: of_alice,
            member,
        },
    );
    c.pass(60);
    c.ask(7, Command::ForgetRoom { room });
    assert_eq!(drawn(&mut c), None);
}

#[test]
fn of_very_many_only_heralds_move_at_once_and_all_in_time() {
    let mut c = wide(2_583);
    for home in c.homes.clone() {
        let few = |config: &mut Config| config.most_who_move = 4;
        c.village.choose(home, few).unwrap();
    }
    let there = &NINE[1..8];
    let before = addresses(&mut c, there);
    let (room, member) = (c.rooms[0], c.member(0, "Ivan").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(4 * HOUR);
    let moved = |c: &mut Circle| {
        let now = addresses(c, there).into_iter().zip(&before);
        now.map(|(now, before)| now.is_disjoint(before))
            .collect::<Vec<_>>()
    };
    let heralds = [true, true, false, false, false, false, false];
    assert_eq!(moved(&mut c), heralds);
    c.rotate_weekly();
    c.pass(9 * DAY);
    // About half of them each week.
    assert!(moved(&mut c).contains(&false));
    // By lot: who moved in none of ten weeks is one of a thousand.
    let mut weeks = 0;
    while moved(&mut c).contains(&false) && weeks < 10 {
        c.pass(7 * DAY);
        weeks += 1;
    }
    assert_eq!(moved(&mut c), [true; 7]);
    c.say(5, "found");
    c.pass(300);
    everybody_has(&mut c, &[8], &["found"]);
}

#[test]
fn all_move_every_week() {
    let mut c = wide(2_582);
    let before = addresses(&mut c, &NINE[1..]);
    c.rotate_weekly();
    c.pass(9 * DAY);
    let now = addresses(&mut c, &NINE[1..]);
    let mut both = now.iter().zip(&before);
    assert!(both.all(|(now, before)| now.is_disjoint(before)));
    c.say(5, "found");
    c.pass(300);
    everybody_has(&mut c, &[], &["found"]);
}
