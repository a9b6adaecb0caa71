//! Coming back to a room, and what removals cost those who stay.

use std::time::Duration;

use hushwing_conversation::storage::{MailboxState, MailboxUse};
use hushwing_conversation::{Command, Event, RoomStanding, Storage as _};

use crate::rooms::{Circle, circle};
use crate::rooms_shadow::two_stewards;
use crate::support::*;

#[test]
fn who_was_removed_comes_back_through_another_steward() {
    let mut c = circle(1_400, &["Alice", "Bob", "Carol"]);
    two_stewards(&mut c);
    c.say(2, "before");
    c.pass(60);
    // Bob and Carol meet elsewhere.
    let link = invite(&mut c.village, c.homes[1], false).link;
    join(&mut c.village, c.homes[2], &link);
    c.pass(60);
    let contact = contacts(&mut c.village, c.homes[1])[1].contact;
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(120);
    assert_eq!(c.view(2).standing, RoomStanding::Left);
    let room = c.rooms[1];
    c.ask(1, Command::OfferRoom { room, contact });
    c.pass(60);
    let room = c.offered(2);
    c.ask(2, Command::AcceptRoom { room });
    c.pass(300);
    c.agree(&[0, 1, 2]);
    c.say(2, "back");
    c.pass(60);
    assert_eq!(c.texts(0), ["before", "back"]);
    // As another leaf, whom Bob knows and Alice does not.
    let members = c.view(1).members.into_iter();
    let carol: Vec<_> = members.filter(|one| one.name == "Carol").collect();
    assert_eq!(carol.len(), 2);
    assert!(
        carol
            .iter()
            .any(|one| one.present && one.contact == Some(contact))
    );
    let members = c.view(0).members;
    let present = members
        .iter()
        .find(|one| one.present && one.name == "Carol");
    assert_eq!(present.unwrap().contact, None);
    // She sees herself once.
    assert_eq!(c.view(2).members.iter().filter(|one| one.me).count(), 1);
}

#[test]
fn who_never_heard_of_the_removal_comes_back_when_asked() {
    let mut c = circle(1_401, &["Alice", "Bob", "Carol"]);
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    // The commit is lost on the way to both; Bob asks for it later.
    c.village.swallow(c.homes[0], 2);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(60);
    c.village.swallow(c.homes[0], 0);
    c.say(0, "without her");
    c.pass(120);
    assert_eq!(c.texts(1), ["without her"]);
    assert_eq!(c.view(2).standing, RoomStanding::Member);
    c.village.events(c.homes[2]);
    c.offer(2);
    let told = c.village.events(c.homes[2]);
    assert!(
        told.iter()
            .any(|event| matches!(event, Event::RoomOffered(_)))
    );
    assert_eq!(c.view(2).standing, RoomStanding::Member);
    let room = c.offered(2);
    c.ask(2, Command::AcceptRoom { room });
    c.pass(300);
    c.agree(&[0, 1, 2]);
    assert!(!c.view(2).offered);
    c.say(2, "back");
    c.pass(60);
    assert_eq!(c.texts(0), ["without her", "back"]);
    assert_eq!(c.texts(1), ["without her", "back"]);
    assert_eq!(c.texts(2), ["back"]);
}

/// All had replaced their mailboxes by then, and closed those that were known.
#[test]
fn who_comes_back_after_days_reaches_everybody_and_says_nothing_twice() {
    let mut c = circle(1_403, &["Alice", "Bob", "Carol"]);
    c.say(2, "before");
    c.pass(60);
    // Said while Bob is away: he has not confirmed it when she is removed.
    c.village.swallow(c.homes[2], 1);
    c.say(2, "to Alice alone");
    c.pass(60);
    c.village.swallow(c.homes[2], 0);
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(6 * 24 * 3_600);
    let before = [c.texts(0), c.texts(1)];
    c.offer(2);
    let room = c.offered(2);
    c.ask(2, Command::AcceptRoom { room });
    c.pass(600);
    c.agree(&[0, 1, 2]);
    c.say(1, "from Bob");
    c.say(2, "from Carol");
    c.pass(120);
    for who in [0, 1] {
        let mut expected = before[who].clone();
        expected.extend(["from Bob".to_owned(), "from Carol".to_owned()]);
        assert_eq!(c.texts(who), expected, "{who}");
    }
    let hers = c.texts(2);
    assert_eq!(hers[hers.len() - 2..], ["from Bob", "from Carol"]);
}

fn mailboxes(c: &mut Circle, who: usize) -> (usize, usize) {
    let storage = c.village.storage(c.homes[who]).unwrap();
    let records = storage.mailbox_records().unwrap();
    let of_rooms = records
        .iter()
        .filter(|record| matches!(record.owner, MailboxUse::Room(_)));
    let opening = of_rooms
        .clone()
        .filter(|record| record.state == MailboxState::Opening);
    (of_rooms.count(), opening.count())
}

#[test]
fn who_removes_many_does_not_fill_the_relays_of_others() {
    let names = ["Alice", "Bob", "C", "D", "E", "F", "G", "H", "I"];
    let mut c = circle(1_402, &names);
    // While none is made, one is asked for and no more.
    c.village.refuse_mailboxes(true);
    for name in ["C", "D"] {
        let (room, member) = (c.rooms[0], c.member(0, name).member);
        c.ask(0, Command::RemoveMember { room, member });
        c.pass(150);
    }
    assert!(mailboxes(&mut c, 1).1 <= 1);
    c.village.refuse_mailboxes(false);
    c.village.open_again(c.homes[1]).unwrap();
    c.pass(600);
    for name in ["E", "F", "G", "H", "I"] {
        let (room, member) = (c.rooms[0], c.member(0, name).member);
        c.ask(0, Command::RemoveMember { room, member });
        c.pass(300);
    }
    c.agree(&[0, 1]);
    assert_eq!(mailboxes(&mut c, 1), (4, 0));
    // The last removals get theirs once the first are closed.
    c.village.pass(Duration::from_secs(3 * 86_400)).unwrap();
    assert_eq!(mailboxes(&mut c, 1), (1, 0));
    c.say(0, "here");
    c.pass(60);
    assert_eq!(c.texts(1), ["here"]);
}
