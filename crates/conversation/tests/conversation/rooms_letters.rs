//! What is said in a room arrives, whatever becomes of mailboxes and of the order
//! in which commits come; and what that costs is bounded.

use std::time::Duration;

use hushwing_conversation::{Command, MessageState, RoomStanding, Storage as _};

use crate::rooms::{Circle, circle};
use crate::support::*;

const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

fn last_state(c: &mut Circle, who: usize) -> MessageState {
    let place = c.rooms[who].place();
    let views = read(&mut c.village, c.homes[who], place);
    views.last().expect("a message").state
}

#[test]
fn what_lay_in_a_members_lost_mailbox_is_said_again() {
    let mut c = circle(1_200, &THREE);
    // Taken by the network, and never told: Bob's copy was in what is lost now.
    c.village.swallow(c.homes[0], 1);
    c.say(0, "one");
    c.village.rest().unwrap();
    c.village.lose_mailboxes(c.homes[1], true);
    c.village.lose_mailboxes(c.homes[2], true);
    c.pass(600);
    assert_eq!(c.texts(1), ["one"]);
    assert_eq!(c.texts(2), ["one"]);
    assert_eq!(last_state(&mut c, 0), MessageState::Delivered);
}

#[test]
fn what_failed_while_a_member_was_away_is_said_again() {
    let mut c = circle(1_201, &THREE);
    c.village.lose_mailboxes(c.homes[1], false);
    c.say(0, "one");
    c.say(2, "two");
    c.pass(60);
    let place = c.rooms[0].place();
    let views = read(&mut c.village, c.homes[0], place);
    assert_eq!(views[0].counted.as_ref().unwrap().failed, 1);
    c.village.open_again(c.homes[1]).unwrap();
    c.pass(3_600);
    assert_eq!(c.texts(1), ["one", "two"]);
    let views = read(&mut c.village, c.homes[0], place);
    assert_eq!(views[0].state, MessageState::Delivered);
    assert_eq!(views[0].counted.as_ref().unwrap().failed, 0);
}

#[test]
fn much_that_was_lost_is_said_again_piece_by_piece() {
    let mut c = circle(1_202, &["Alice", "Bob"]);
    c.village.swallow(c.homes[0], 100);
    let said: Vec<String> = (0..100).map(|n| format!("{n}")).collect();
    for text in &said {
        c.say(0, text);
    }
    c.village.rest().unwrap();
    c.village.lose_mailboxes(c.homes[1], true);
    c.pass(2);
    let first = c.texts(1).len();
    assert!(first < 40, "{first}");
    // A crash in between loses nothing of it.
    c.village.open_again(c.homes[0]).unwrap();
    c.pass(600);
    assert_eq!(c.texts(1), said);
}

#[test]
fn a_receipt_that_lay_in_my_lost_mailbox_is_made_again() {
    let mut c = circle(1_203, &THREE);
    c.say(0, "did you get this?");
    c.village.rest().unwrap();
    c.village.swallow(c.homes[1], 1);
    c.pass(30);
    assert_eq!(last_state(&mut c, 0), MessageState::Accepted);
    c.village.lose_mailboxes(c.homes[0], true);
    c.pass(600);
    assert_eq!(last_state(&mut c, 0), MessageState::Delivered);
    assert_eq!(c.texts(1).len(), 1);
}

#[test]
fn commits_in_the_wrong_order_cost_each_letter_one_hearing() {
    let mut c = circle(1_204, &["Alice", "Bob"]);
    let room = c.rooms[0];
    let before = c.village.storage(c.homes[1]).unwrap().clone();
    c.village.overhear();
    for n in 0..12 {
        let name = format!("Rowing {n}");
        c.ask(0, Command::RenameRoom { room, name });
        c.village.pass(Duration::from_secs(600)).unwrap();
        c.say(0, &format!("in {n}"));
        c.village.rest().unwrap();
    }
    let letters = c.village.overhear();
    assert!(letters.len() >= 24, "{}", letters.len());
    // Bob has heard nothing of it, and hears the last first.
    *c.village.storage(c.homes[1]).unwrap() = before;
    c.village.open_again(c.homes[1]).unwrap();
    let number = |c: &mut Circle| {
        let storage = c.village.storage(c.homes[1]).unwrap();
        storage.next_number().unwrap()
    };
    let before = number(&mut c);
    for (locator, envelope) in letters.iter().rev() {
        c.village.slip_in(locator, envelope.clone());
        c.village.rest().unwrap();
    }
    c.pass(1);
    // Whatever waits is given a number: once.
    let used = number(&mut c) - before;
    let most = u64::try_from(letters.len()).unwrap() + 8;
    assert!(used <= most, "{used} numbers for {} letters", letters.len());
    c.pass(60);
    let said: Vec<_> = (0..12).map(|n| format!("in {n}")).collect();
    assert_eq!(c.texts(1), said);
    // So many commits of one account in one moment have to wait for each other.
    c.village.pass(Duration::from_secs(86_400)).unwrap();
    assert_eq!(c.view(1).name, "Rowing 11");
}

#[test]
fn who_never_confirms_does_not_make_a_commit_read_all_that_was_said() {
    let mut c = circle(1_205, &THREE);
    c.village.cut_off(c.homes[1]);
    let first = c.say(0, "first");
    for n in 0..300 {
        c.say(0, &format!("{n}"));
    }
    c.pass(60);
    // Whoever reads it finds that it is damaged.
    c.village.storage(c.homes[0]).unwrap().spoil_message(&first);
    c.village.pass(Duration::from_secs(4 * 86_400)).unwrap();
    let (room, name) = (c.rooms[0], "Sailing".to_owned());
    c.ask(0, Command::RenameRoom { room, name });
    c.pass(600);
    assert_eq!(c.view(0).standing, RoomStanding::Member);
    assert_eq!(c.view(2).name, "Sailing");
}
