//! Messages that disappear in rooms.

use std::time::Duration;

use hushwing_conversation::content::MAX_TIMER;
use hushwing_conversation::village::Conduct;
use hushwing_conversation::{Command, Event, Refusal};

use crate::rooms::{Circle, acquaintances, circle};
use crate::support::*;

const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

fn timer(c: &mut Circle, who: usize, seconds: u32) -> Command {
    let conversation = c.view(who).conversation;
    Command::Disappear {
        conversation,
        seconds,
    }
}

fn set(c: &mut Circle, seconds: u32) {
    let command = timer(c, 0, seconds);
    c.ask(0, command);
    c.pass(30);
}

fn holds(c: &mut Circle, who: usize, words: &str) -> bool {
    c.village.storage(c.homes[who]).unwrap().holds(words)
}

#[test]
fn all_obey_a_steward_and_who_comes_later_knows_it() {
    let mut c = acquaintances(1_320, &THREE);
    c.found();
    c.add(1);
    set(&mut c, 600);
    c.add(2);
    for who in 0..3 {
        assert_eq!(c.view(who).disappear_after, Some(600), "{who}");
        c.village.open_again(c.homes[who]).unwrap();
        assert_eq!(c.view(who).disappear_after, Some(600), "{who}");
    }
    c.say(2, "ephemeral");
    c.pass(60);
    for who in [0, 1] {
        assert_eq!(c.texts(who), ["ephemeral"], "{who}");
    }
    c.village.open_again(c.homes[1]).unwrap();
    c.pass(500);
    assert!((0..3).all(|who| holds(&mut c, who, "ephemeral")));
    c.pass(200);
    for who in 0..3 {
        assert!(!holds(&mut c, who, "ephemeral"), "{who}");
        assert!(c.texts(who).is_empty(), "{who}");
    }
    let gone = |event: &Event| matches!(event, Event::Disappeared { .. });
    assert!(c.village.events(c.homes[0]).iter().any(gone));
}

#[test]
fn what_was_said_before_stays_and_so_does_all_once_it_is_switched_off() {
    let mut c = circle(1_321, &THREE);
    c.say(0, "lasting");
    c.pass(30);
    set(&mut c, 60);
    c.say(1, "ephemeral");
    c.pass(30);
    set(&mut c, 0);
    c.say(2, "for good");
    c.pass(30);
    (0..3).for_each(|who| drop(c.texts(who)));
    c.village.pass(Duration::from_secs(3_600)).unwrap();
    for who in 0..3 {
        assert_eq!(c.texts(who), ["lasting", "for good"], "{who}");
        assert_eq!(c.view(who).disappear_after, None);
    }
}

#[test]
fn only_a_steward_may_and_for_a_year_at_most() {
    let mut c = circle(1_322, &THREE);
    let command = timer(&mut c, 1, 60);
    let refused = refusal(&mut c.village, c.homes[1], command);
    assert_eq!(refused, Refusal::NotASteward);
    let command = timer(&mut c, 0, MAX_TIMER + 1);
    let refused = refusal(&mut c.village, c.homes[0], command);
    assert_eq!(refused, Refusal::TimerTooLong { most: MAX_TIMER });
    c.pass(30);
    assert!((0..3).all(|who| c.view(who).disappear_after.is_none()));
}

#[test]
fn what_is_said_to_nobody_disappears_as_well() {
    let mut c = acquaintances(1_323, &["Alice", "Bob"]);
    c.found();
    set(&mut c, 60);
    c.say(0, "to myself");
    assert_eq!(c.texts(0), ["to myself"]);
    c.pass(120);
    assert!(!holds(&mut c, 0, "to myself"));
}

#[test]
fn what_no_network_took_stays_until_one_did() {
    let mut c = circle(1_324, &THREE);
    set(&mut c, 60);
    c.village.set_conduct(0, Conduct::Dead);
    c.say(0, "wait for them");
    c.pass(600);
    assert!(holds(&mut c, 0, "wait for them"));
    c.village.set_conduct(0, Conduct::Fair);
    c.village.pass(Duration::from_secs(3_600)).unwrap();
    assert_eq!(c.texts(1), ["wait for them"]);
    assert_eq!(c.texts(2), ["wait for them"]);
    c.pass(120);
    assert!((0..3).all(|who| !holds(&mut c, who, "wait for them")));
}

#[test]
fn one_member_whose_mailbox_takes_nothing_keeps_nobodys_copy() {
    let mut c = circle(1_325, &THREE);
    set(&mut c, 60);
    c.village.cut_off(c.homes[2]);
    c.say(0, "not for ever");
    c.village.pass(Duration::from_secs(3_600)).unwrap();
    assert_eq!(c.texts(1), ["not for ever"]);
    assert!(holds(&mut c, 0, "not for ever"));
    c.village.open_again(c.homes[0]).unwrap();
    c.village.pass(Duration::from_secs(24 * 3_600)).unwrap();
    assert!((0..2).all(|who| !holds(&mut c, who, "not for ever")));
}
