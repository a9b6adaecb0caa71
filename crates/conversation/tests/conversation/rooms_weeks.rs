//! Weeks of a group in which mailboxes and keys change in time, people have several devices,
//! and some are away for days: all that is said gets to all.

use std::collections::BTreeSet;

use hushwing_conversation::storage::RoomRows as _;
use hushwing_conversation::village::Home;
use hushwing_conversation::{Command, RoomId};

use crate::devices::{link, pass};
use crate::rooms::{Circle, acquaintances, rooms};
use crate::rooms_shadow::Shadow;
use crate::support::*;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// How many people: with HUSHWING_SOAK twelve.
fn people() -> usize {
    match std::env::var_os("HUSHWING_SOAK") {
        Some(_) => 12,
        None => 5,
    }
}

/// People in a group, the first two of whom are its stewards, and three of whom have a second
/// device. All change mailboxes and keys in time.
fn crowd(seed: u64) -> (Circle, Vec<(Home, RoomId)>) {
    let names: Vec<String> = (0..people())
        .map(|number| format!("N{number:02}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut c = acquaintances(seed, &names);
    c.found();
    for who in 1..people() {
        let (room, contact) = (c.rooms[0], c.hers[who - 1]);
        c.ask(0, Command::OfferRoom { room, contact });
    }
    c.pass(20);
    (1..people()).for_each(|who| c.accept(who));
    c.pass(60);
    c.make_steward(0, "N01");
    let mut all: Vec<_> = c.homes.iter().copied().zip(c.rooms.clone()).collect();
    for who in [0, 1, 4] {
        let (first, name) = (c.homes[who], names[who]);
        let second = c.village.move_in(name, DELAY).unwrap();
        link(&mut c.village, (first, "first"), (second, "second"));
        pass(&mut c.village, 120);
        let room = rooms(&mut c.village, second)[0].room;
        all.push((second, room));
    }
    for (home, _) in &all {
        let chosen = c.village.choose(*home, |config| {
            config.rotates = true;
            config.renews = true;
        });
        chosen.unwrap();
    }
    (c, all)
}

/// The last commits of the leaves, by their keys, as the founder follows the group.
fn renewed(c: &mut Circle) -> Vec<(Vec<u8>, Option<u64>)> {
    let mut shadow = Shadow::of(c, 0);
    let members = shadow.act(|keeper, lent| keeper.members(lent).unwrap());
    let members = members.into_iter();
    members
        .map(|member| (member.signature_key, member.renewed_at))
        .collect()
}

/// Where the founder writes to the others.
fn mailboxes(c: &mut Circle) -> BTreeSet<Vec<u8>> {
    let room = c.rooms[0];
    let members = c
        .village
        .storage(c.homes[0])
        .unwrap()
        .members(room)
        .unwrap();
    let addresses = members.into_iter().flat_map(|member| member.addresses);
    addresses.map(|one| one.expose().to_vec()).collect()
}

#[test]
fn in_weeks_of_new_mailboxes_and_keys_nothing_that_is_said_is_lost() {
    let count = people();
    let (mut c, all) = crowd(2_900);
    let mut said = BTreeSet::new();
    let mut talk = |c: &mut Circle, hours: u64, asleep: &[Home]| {
        for home in asleep {
            c.village.set_asleep(*home, true);
        }
        for _ in 0..hours / 6 {
            let awake = all.iter().filter(|(home, _)| !asleep.contains(home));
            let awake: Vec<_> = awake.collect();
            let (home, room) = awake[said.len() % awake.len()];
            let text = said.len().to_string();
            send(&mut c.village, *home, room.place(), &text);
            said.insert(text);
            c.pass(6 * HOUR);
        }
        for home in asleep {
            c.village.set_asleep(*home, false);
        }
    };
    let before = mailboxes(&mut c);
    talk(&mut c, 24, &[]);
    let first = renewed(&mut c);
    assert_eq!(first.len(), count + 3);
    assert!(first.iter().all(|(_, at)| at.is_some()), "{first:?}");
    // A steward, a member, and one of two devices.
    let away = [all[1].0, all[3].0, all[count + 2].0];
    talk(&mut c, 4 * 24, &away);
    talk(&mut c, 8 * 24, &[]);
    c.pass(DAY);
    // Of two devices of a member the second waits for others' commits after the first.
    let all_newer = |again: &[(Vec<u8>, Option<u64>)]| {
        let mut both = first.iter().zip(again);
        both.all(|(then, now)| then < now)
    };
    let mut again = renewed(&mut c);
    for _ in 0..14 {
        if !all_newer(&again) {
            talk(&mut c, 24, &[]);
            again = renewed(&mut c);
        }
    }
    assert!(all_newer(&again), "{first:?} {again:?}");
    let after = mailboxes(&mut c);
    assert!(after.len() > count && after.is_disjoint(&before));
    for (home, room) in &all {
        let texts: BTreeSet<_> = texts(&mut c.village, *home, room.place())
            .into_iter()
            .collect();
        assert_eq!(texts, said, "{home:?}");
    }
    c.agree(&(0..count).collect::<Vec<_>>());
}
