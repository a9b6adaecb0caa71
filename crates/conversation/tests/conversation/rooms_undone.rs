//! Removals that another branch undoes, and what waits meanwhile.

use std::time::Duration;

use hushwing_conversation::branches::Wish;
use hushwing_conversation::{Command, Event, RoomStanding};

use crate::rooms::{Circle, acquaintances, circle};
use crate::rooms_shadow::{Shadow, account_of, members, two_stewards};
use crate::support::*;

/// Bob removes Carol, and only `who` hears of it; then Alice, who stands above
/// him, removes him from the state before, which undoes it.
fn removed_and_back(c: &mut Circle, who: usize, meanwhile: impl FnOnce(&mut Circle)) {
    let carol = account_of(c, 1, "Carol");
    let mut bob = Shadow::of(c, 1);
    let (commit, _) = bob.commit(Wish::Remove(carol));
    bob.post_message(c, who, &commit.unwrap());
    // Less than it takes others to ask what happened.
    c.pass(1);
    meanwhile(c);
    let (room, member) = (c.rooms[0], c.member(0, "Bob").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(120);
}

const FOUR: [&str; 4] = ["Alice", "Bob", "Carol", "Dave"];

#[test]
fn whose_removal_is_undone_is_in_again_and_nothing_is_lost() {
    let mut c = circle(1_300, &FOUR);
    two_stewards(&mut c);
    // On its way while she is out.
    c.village.swallow(c.homes[2], 3);
    c.say(2, "mine");
    c.village.events(c.homes[2]);
    removed_and_back(&mut c, 2, |c| {
        assert_eq!(c.view(2).standing, RoomStanding::Left);
        // Who is to be undone can be told of it twice.
        c.village.open_again(c.homes[2]).unwrap();
    });
    assert_eq!(c.view(2).standing, RoomStanding::Member);
    c.agree(&[0, 2, 3]);
    let told = c.village.events(c.homes[2]);
    let told = told.iter().filter_map(|event| match event {
        Event::Room(view) => Some(view.standing),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert!(told.contains(&RoomStanding::Left));
    assert_eq!(told.last(), Some(&RoomStanding::Member));
    c.say(0, "hers");
    c.pass(3_600);
    for who in [0, 2, 3] {
        let mut texts = c.texts(who);
        texts.sort();
        assert_eq!(texts, ["hers", "mine"], "{who}");
    }
    // And so once more: by Alice herself, for good.
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(60);
    assert_eq!(c.view(2).standing, RoomStanding::Left);
    c.agree(&[0, 3]);
}

#[test]
fn what_was_said_to_who_comes_back_still_reaches_them() {
    let mut c = circle(1_301, &FOUR);
    two_stewards(&mut c);
    c.village.swallow(c.homes[3], 3);
    c.say(3, "to all");
    removed_and_back(&mut c, 3, |c| assert!(!c.member(3, "Carol").present));
    c.agree(&[0, 2, 3]);
    let waits = |c: &mut Circle| {
        let place = c.rooms[3].place();
        let view = read(&mut c.village, c.homes[3], place).swap_remove(0);
        let counted = view.counted.unwrap();
        counted.all - counted.delivered
    };
    // The others told other addresses meanwhile, and were told it again there.
    assert_eq!(waits(&mut c), 1);
    // It is said again once its state is forgotten, and not to Bob, who is out.
    c.village.pass(Duration::from_secs(5 * 86_400)).unwrap();
    assert_eq!(c.texts(2), ["to all"]);
    assert_eq!(waits(&mut c), 0);
}

#[test]
fn a_welcome_to_who_was_removed_before_greeting_is_called_back() {
    let mut c = acquaintances(1_302, &["Alice", "Bob", "Carol"]);
    c.found();
    c.add(1);
    c.offer(2);
    c.accept(2);
    c.village.rest().unwrap();
    // Her answer has come, and the commit rests; then nobody reaches her.
    c.village.cut_off(c.homes[2]);
    c.pass(60);
    let welcome = |c: &mut Circle| {
        let members = members(c, 0).into_iter();
        let mut hers = members.filter(|one| one.contact == Some(c.hers[1]));
        hers.next().unwrap().welcome.unwrap()
    };
    assert!(welcome(&mut c).letter.is_some());
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(60);
    assert!(!c.member(0, "Carol").present);
    // Kept, should the removal be undone, and then no more.
    assert_eq!(welcome(&mut c).letter, None);
    c.village.pass(Duration::from_secs(5 * 86_400)).unwrap();
    assert!(members(&mut c, 0).iter().all(|one| one.welcome.is_none()));
}
