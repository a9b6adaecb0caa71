//! Who passes on in a wide group because a person said so.

use hushwing_conversation::view::PendingView;
use hushwing_conversation::{Command, Refusal};

use crate::rooms::Circle;
use crate::rooms_roll::{asleep, hours};
use crate::rooms_wide::{everybody_has, heralds, wide};
use crate::support::*;

const HOUR: u64 = 60 * 60;

fn set(c: &Circle, by: usize, member: hushwing_conversation::MemberId, on: bool) -> Command {
    let room = c.rooms[by];
    Command::SetHerald { room, member, on }
}

/// A steward says of somebody whether they are to pass on.
fn say_of(c: &mut Circle, by: usize, name: &str, on: bool) {
    let member = c.member(by, name).member;
    let command = set(c, by, member, on);
    c.ask(by, command);
}

fn pending(c: &mut Circle) -> Vec<PendingView> {
    c.view(0).pending
}

#[test]
fn who_was_dismissed_by_hand_is_named_again_by_hand_alone() {
    for seed in [2_850, 2_853] {
        let mut c = wide(seed);
        c.make_steward(0, "Ivan");
        c.pass(60);
        for who in [3, 4] {
            let (room, willing) = (c.rooms[who], false);
            c.ask(who, Command::BeHerald { room, willing });
        }
        c.pass(60);
        say_of(&mut c, 8, "Bob", false);
        c.pass(120);
        say_of(&mut c, 0, "Heidi", false);
        c.pass(1_200);
        assert_eq!(heralds(&mut c, 8), ["Alice", "Carol", "Ivan"]);
        // Longer than who was silent is passed over.
        let all: Vec<_> = (0..9).collect();
        asleep(&mut c, &all, true);
        c.pass(9 * 24 * HOUR);
        asleep(&mut c, &all, false);
        asleep(&mut c, &[2], true);
        // Alice sees to it, whoever dismissed them.
        c.village.open_again(c.homes[0]).unwrap();
        hours(&mut c, 14);
        let now = heralds(&mut c, 8);
        let other = |name: &str| now == ["Alice", name, "Ivan"];
        assert!(other("Frank") || other("Grace"), "{now:?}");
        say_of(&mut c, 0, "Bob", true);
        c.pass(120);
        assert!(heralds(&mut c, 8).contains(&"Bob".to_owned()));
    }
}

#[test]
fn what_is_said_of_two_heralds_before_the_first_stands_both_holds() {
    let mut c = wide(2_851);
    let [bob, carol] = ["Bob", "Carol"].map(|name| c.member(0, name).member);
    c.village.set_offline(c.homes[0], true);
    say_of(&mut c, 0, "Bob", false);
    say_of(&mut c, 0, "Carol", false);
    let both = [bob, carol].map(|one| PendingView::Herald(one, false));
    assert!(pending(&mut c) == both);
    c.village.set_offline(c.homes[0], false);
    c.pass(300);
    assert_eq!(heralds(&mut c, 8), ["Alice", "Dave", "Erin"]);
    assert!(pending(&mut c).is_empty());
    let [grace, heidi] = ["Grace", "Heidi"].map(|name| c.member(0, name).member);
    c.village.set_offline(c.homes[0], true);
    say_of(&mut c, 0, "Grace", true);
    say_of(&mut c, 0, "Heidi", true);
    let both = [grace, heidi].map(|one| PendingView::Herald(one, true));
    assert!(pending(&mut c) == both);
    c.village.set_offline(c.homes[0], false);
    c.pass(300);
    assert_eq!(heralds(&mut c, 8), ["Alice", "Grace", "Heidi"]);
    c.say(5, "to all");
    c.pass(300);
    everybody_has(&mut c, &[], &["to all"]);
}

#[test]
fn the_last_herald_of_a_wide_group_is_not_dismissed() {
    let mut c = wide(2_852);
    for who in 3..9 {
        let (room, willing) = (c.rooms[who], false);
        c.ask(who, Command::BeHerald { room, willing });
    }
    c.pass(60);
    say_of(&mut c, 0, "Bob", false);
    say_of(&mut c, 0, "Carol", false);
    let alice = c.member(0, "Alice").member;
    let dismiss = set(&c, 0, alice, false);
    let refused = refusal(&mut c.village, c.homes[0], dismiss.clone());
    assert_eq!(refused, Refusal::LastHerald, "though two are not gone yet");
    c.pass(300);
    assert_eq!(heralds(&mut c, 8), ["Alice"]);
    say_of(&mut c, 0, "Carol", true);
    c.ask(0, dismiss);
    c.pass(300);
    assert_eq!(heralds(&mut c, 8), ["Carol"]);
}
