//! Who is a steward, when several change that at once, and leaving as one.

use std::time::Duration;

use hushwing_conversation::{Command, Event, Refusal, Reply, RoomFault, RoomStanding};

use crate::rooms::{Circle, circle, rooms};
use crate::support::*;

/// Without waiting for anything.
fn at_once(c: &mut Circle, who: usize, command: Command) -> Result<Reply, Refusal> {
    let answer = c.village.ask(c.homes[who], command).unwrap();
    answer.expect("an answer at once")
}

fn steward(c: &mut Circle, who: usize, name: &str, on: bool) -> Command {
    let (room, member) = (c.rooms[who], c.member(who, name).member);
    Command::SetSteward { room, member, on }
}

fn make_steward(c: &mut Circle, who: usize, name: &str) {
    let command = steward(c, who, name, true);
    c.ask(who, command);
    c.pass(60);
}

/// Whom somebody sees as stewards of those who are in it.
fn stewards(c: &mut Circle, who: usize) -> Vec<String> {
    let members = c.view(who).members.into_iter();
    let stewards = members.filter(|one| one.present && one.steward);
    let mut names: Vec<_> = stewards.map(|one| one.name).collect();
    names.sort();
    names
}

fn leave(c: &mut Circle, who: usize) -> Result<Reply, Refusal> {
    let room = c.rooms[who];
    at_once(c, who, Command::LeaveRoom { room })
}

#[test]
fn two_stewards_who_leave_at_once_are_both_gone() {
    for seed in [1_500, 1_510, 1_520] {
        let mut c = circle(seed, &["Alice", "Bob", "Carol", "Dave"]);
        make_steward(&mut c, 0, "Bob");
        make_steward(&mut c, 0, "Carol");
        leave(&mut c, 0).unwrap();
        leave(&mut c, 1).unwrap();
        c.pass(300);
        c.agree(&[2, 3]);
        assert_eq!(stewards(&mut c, 3), ["Carol"], "{seed}");
        for who in [0, 1] {
            assert_eq!(c.view(who).standing, RoomStanding::Left, "{seed} {who}");
        }
        c.say(3, "quiet here");
        c.pass(60);
        assert_eq!(c.texts(2), ["quiet here"]);
    }
}

#[test]
fn of_two_last_stewards_who_leave_at_once_one_stays_and_is_told() {
    for seed in [1_501, 1_511, 1_521] {
        let mut c = circle(seed, &["Alice", "Bob", "Carol"]);
        make_steward(&mut c, 0, "Bob");
        for who in [0, 1] {
            c.village.events(c.homes[who]);
            leave(&mut c, who).unwrap();
        }
        c.say(2, "meanwhile");
        c.pass(600);
        let stands = [c.view(0).standing, c.view(1).standing];
        let stays = stands.iter().position(|one| *one == RoomStanding::Member);
        let stays = stays.expect("somebody has to stay");
        assert_eq!(stands[1 - stays], RoomStanding::Left, "{seed}");
        c.agree(&[stays, 2]);
        let told = c.village.events(c.homes[stays]);
        let last = |event: &Event| matches!(event, Event::RoomUnchanged { reason, .. } if *reason == RoomFault::LastSteward);
        assert!(told.iter().any(last), "{seed}");
        c.say(2, "still here");
        c.pass(60);
        assert_eq!(c.texts(stays), ["meanwhile", "still here"]);
    }
}

#[test]
fn of_two_quick_changes_of_the_stewards_none_is_lost() {
    let mut c = circle(1_502, &["Alice", "Bob", "Carol"]);
    for name in ["Bob", "Carol"] {
        let command = steward(&mut c, 0, name, true);
        at_once(&mut c, 0, command).unwrap();
    }
    c.pass(120);
    c.agree(&[0, 1, 2]);
    assert_eq!(stewards(&mut c, 2), ["Alice", "Bob", "Carol"]);
    // Nor does the first win where the second takes it back.
    for on in [false, true] {
        let command = steward(&mut c, 0, "Carol", on);
        at_once(&mut c, 0, command).unwrap();
    }
    c.pass(120);
    assert_eq!(stewards(&mut c, 2), ["Alice", "Bob", "Carol"]);
}

#[test]
fn who_is_named_a_steward_again_keeps_their_rank() {
    let mut c = circle(1_503, &["Alice", "Bob", "Carol"]);
    make_steward(&mut c, 0, "Bob");
    make_steward(&mut c, 0, "Carol");
    make_steward(&mut c, 0, "Bob");
    make_steward(&mut c, 0, "Alice");
    // Bob is still above Carol, and below Alice.
    let command = steward(&mut c, 1, "Alice", false);
    assert_eq!(at_once(&mut c, 1, command), Err(Refusal::StewardAbove));
    let command = steward(&mut c, 2, "Bob", false);
    assert_eq!(at_once(&mut c, 2, command), Err(Refusal::StewardAbove));
    let command = steward(&mut c, 1, "Carol", false);
    c.ask(1, command);
    c.pass(60);
    assert_eq!(stewards(&mut c, 2), ["Alice", "Bob"]);
}

#[test]
fn who_was_made_a_steward_while_leaving_hands_it_over() {
    let mut c = circle(1_504, &["Alice", "Bob", "Carol"]);
    let command = steward(&mut c, 0, "Bob", true);
    at_once(&mut c, 0, command).unwrap();
    leave(&mut c, 1).unwrap();
    c.pass(300);
    assert_eq!(c.view(1).standing, RoomStanding::Left);
    c.agree(&[0, 2]);
}

#[test]
fn a_steward_who_leaves_is_not_gone_before_it_is_handed_over() {
    let mut c = circle(1_505, &["Alice", "Bob", "Carol"]);
    make_steward(&mut c, 0, "Bob");
    let room = c.rooms[1];
    // No network takes what he says.
    for other in [0, 2] {
        c.village.cut_off(c.homes[other]);
    }
    leave(&mut c, 1).unwrap();
    c.pass(60);
    let forget = Command::ForgetRoom { room };
    let no = at_once(&mut c, 1, forget.clone());
    assert_eq!(no, Err(Refusal::StillSteward));
    // Not by waiting either.
    c.village.pass(Duration::from_secs(6 * 86_400)).unwrap();
    assert_eq!(c.view(1).standing, RoomStanding::Leaving);
    assert_eq!(
        at_once(&mut c, 1, forget.clone()),
        Err(Refusal::StillSteward)
    );
    let mut c = circle(1_506, &["Alice", "Bob", "Carol"]);
    make_steward(&mut c, 0, "Bob");
    leave(&mut c, 1).unwrap();
    c.pass(120);
    c.agree(&[0, 2]);
    assert_eq!(at_once(&mut c, 1, forget), Ok(Reply::Done));
}

#[test]
fn a_steward_accepts_no_offer_of_the_same_room() {
    let mut c = circle(1_507, &["Alice", "Bob", "Carol"]);
    make_steward(&mut c, 0, "Bob");
    make_steward(&mut c, 0, "Carol");
    // Bob and Carol meet elsewhere, and he does not know that she is in it.
    let link = invite(&mut c.village, c.homes[1], false).link;
    join(&mut c.village, c.homes[2], &link);
    c.pass(60);
    let contact = contacts(&mut c.village, c.homes[1])[1].contact;
    let room = c.rooms[1];
    c.ask(1, Command::OfferRoom { room, contact });
    c.pass(60);
    let offer = c.offered(2);
    let accept = Command::AcceptRoom { room: offer };
    let no = at_once(&mut c, 2, accept.clone());
    assert_eq!(no, Err(Refusal::StillSteward));
    assert_eq!(rooms(&mut c.village, c.homes[2]).len(), 2);
    c.agree(&[0, 1, 2]);
    // As none any more she may.
    let command = steward(&mut c, 0, "Carol", false);
    c.ask(0, command);
    c.pass(60);
    at_once(&mut c, 2, accept).unwrap();
    c.pass(300);
    c.agree(&[0, 1, 2]);
}
