//! Links that lead into a room.

use std::time::Duration;

use hushwing_conversation::view::{ContactView, InvitationView, RoomView};
use hushwing_conversation::village::{Crash, Weather};
use hushwing_conversation::{Command, Event, Refusal, Reply, RoomStanding, Secret};

use crate::rooms::{Circle, acquaintances, circle, room_of, rooms};
use crate::support::*;

fn link_into(c: &mut Circle, reusable: bool, open: bool) -> InvitationView {
    let room = c.rooms[0];
    let command = Command::InviteToRoom {
        room,
        reusable,
        open,
    };
    match c.ask(0, command) {
        Reply::Invitation(view) => view,
        other => panic!("{other:?}"),
    }
}

/// Alice, who founded a room alone, and others who know nobody.
fn strangers(seed: u64, names: &[&str]) -> Circle {
    let mut c = acquaintances(seed, &["Alice"]);
    for name in names {
        c.homes.push(c.village.move_in(name, DELAY).unwrap());
    }
    c.found();
    c
}

/// Opens a link to be in its room.
fn enter(c: &mut Circle, who: usize, link: &Secret) -> ContactView {
    let link = link.clone();
    match c.ask(who, Command::JoinRoom { link }) {
        Reply::Joined(view) => view,
        other => panic!("{other:?}"),
    }
}

/// The room that somebody is in, or about to be.
fn only_room(c: &mut Circle, who: usize) -> Option<RoomView> {
    let mut all = rooms(&mut c.village, c.homes[who]);
    assert!(all.len() <= 1);
    all.pop()
}

fn standing(c: &mut Circle, who: usize) -> Option<RoomStanding> {
    only_room(c, who).map(|room| room.standing)
}

#[test]
fn a_link_that_works_once_leads_in_and_asks_nobody() {
    let mut c = strangers(2_200, &["Bob"]);
    let made = link_into(&mut c, false, false);
    assert_eq!((made.room, made.open), (Some(c.rooms[0]), false));
    let met = enter(&mut c, 1, &made.link);
    assert_eq!(met.group.as_deref(), Some("Rowing"));
    c.pass(120);
    assert!(requests(&mut c.village, c.homes[0]).is_empty());
    let entered = only_room(&mut c, 1).unwrap();
    assert_eq!(entered.standing, RoomStanding::Member);
    c.rooms.push(entered.room);
    c.agree(&[0, 1]);
    c.say(0, "welcome");
    c.say(1, "thanks");
    c.pass(60);
    assert_eq!(c.texts(0), ["welcome", "thanks"]);
    assert_eq!(c.texts(1), ["welcome", "thanks"]);
    let hers = contacts(&mut c.village, c.homes[0]);
    assert_eq!(hers[0].group.as_deref(), Some("Rowing"));
}

#[test]
fn of_many_each_is_asked_about_and_then_let_in() {
    let mut c = strangers(2_201, &["Bob", "Carol"]);
    let link = link_into(&mut c, true, false).link;
    for who in [1, 2] {
        enter(&mut c, who, &link);
    }
    c.pass(120);
    let asking = requests(&mut c.village, c.homes[0]);
    let by = asking.iter().map(|one| one.group.as_deref());
    assert_eq!(by.collect::<Vec<_>>(), [Some("Rowing"), Some("Rowing")]);
    assert_eq!(standing(&mut c, 1), None);
    let bob = asking.iter().find(|one| one.name == "Bob").unwrap().contact;
    c.ask(0, Command::Accept { contact: bob });
    c.pass(120);
    assert_eq!(standing(&mut c, 1), Some(RoomStanding::Member));
    assert_eq!(standing(&mut c, 2), None, "nobody said yes to Carol");
    assert_eq!(c.view(0).size, 2);
}

#[test]
fn an_open_link_lets_everybody_in() {
    let mut c = strangers(2_202, &["Bob", "Carol", "Dave"]);
    let made = link_into(&mut c, true, true);
    assert!(made.open);
    for who in 1..4 {
        enter(&mut c, who, &made.link);
    }
    c.pass(600);
    for who in 1..4 {
        let room = only_room(&mut c, who).unwrap();
        c.rooms.push(room.room);
    }
    c.agree(&[0, 1, 2, 3]);
    assert_eq!(c.view(3).size, 4);
}

#[test]
fn who_is_no_steward_any_more_lets_nobody_in_unasked() {
    let mut c = circle(2_203, &["Alice", "Bob"]);
    c.homes.push(c.village.move_in("Carol", DELAY).unwrap());
    let link = link_into(&mut c, true, true).link;
    for (name, on) in [("Bob", true), ("Alice", false)] {
        let (room, member) = (c.rooms[0], c.member(0, name).member);
        c.ask(0, Command::SetSteward { room, member, on });
        c.pass(120);
    }
    let (room, reusable, open) = (c.rooms[0], true, false);
    let another = Command::InviteToRoom {
        room,
        reusable,
        open,
    };
    let no = refusal(&mut c.village, c.homes[0], another);
    assert_eq!(no, Refusal::NotASteward);
    enter(&mut c, 2, &link);
    c.pass(120);
    let asking = requests(&mut c.village, c.homes[0]);
    assert_eq!(asking.len(), 1);
    // As a contact she may let them in, and as no steward not into the room.
    let contact = asking[0].contact;
    c.village.events(c.homes[0]);
    c.ask(0, Command::Accept { contact });
    c.pass(120);
    let told = c.village.events(c.homes[0]);
    let unchanged = |event: &Event| matches!(event, Event::RoomUnchanged { .. });
    assert!(told.iter().any(unchanged));
    assert_eq!(standing(&mut c, 2), None);
}

#[test]
fn only_the_room_of_the_link_is_entered_unasked_and_only_once() {
    let mut c = strangers(2_204, &["Bob"]);
    let name = "Chess".to_owned();
    let chess = room_of(c.ask(0, Command::FoundRoom { name })).room;
    let link = link_into(&mut c, true, false).link;
    enter(&mut c, 1, &link);
    c.pass(60);
    let contact = requests(&mut c.village, c.homes[0])[0].contact;
    c.ask(0, Command::Accept { contact });
    let room = chess;
    // At once, when he does not know yet that she accepted.
    c.ask(0, Command::OfferRoom { room, contact });
    c.pass(120);
    let his = rooms(&mut c.village, c.homes[1]);
    let standing_of = |name: &str| his.iter().find(|one| one.name == name).unwrap().standing;
    assert_eq!(standing_of("Rowing"), RoomStanding::Member);
    assert_eq!(standing_of("Chess"), RoomStanding::Offered);
    // Whom she removed and asks again decides for himself.
    let (room, member) = (c.rooms[0], c.member(0, "Bob").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(120);
    c.ask(0, Command::OfferRoom { room, contact });
    c.pass(120);
    let his = rooms(&mut c.village, c.homes[1]).into_iter();
    let rowing = his.filter(|one| one.name == "Rowing");
    assert!(rowing.clone().any(|one| one.offered));
    assert!(
        rowing
            .clone()
            .all(|one| one.standing != RoomStanding::Member)
    );
}

#[test]
fn links_end_with_the_stay() {
    let mut c = strangers(2_205, &["Bob"]);
    let link = link_into(&mut c, true, true).link;
    let other = invite(&mut c.village, c.homes[0], true).link;
    let room = c.rooms[0];
    c.ask(0, Command::LeaveRoom { room });
    c.pass(60);
    let Reply::Invitations(left) = c.ask(0, Command::Invitations) else {
        panic!("another reply")
    };
    let left: Vec<_> = left.into_iter().map(|one| one.link).collect();
    assert_eq!(left, [other]);
    let join = Command::Join { link };
    let no = refusal(&mut c.village, c.homes[1], join);
    assert_eq!(no, Refusal::LinkUsed);
}

#[test]
fn bad_weather_and_crashes_cost_time_and_nothing_else() {
    for seed in 2_206..2_222 {
        let whom = usize::from(seed % 4 > 1);
        let mut c = strangers(seed, &["Bob"]);
        c.village.set_weather(Weather {
            loss: 60,
            repeat: 40,
            reorder: 90,
        });
        let link = link_into(&mut c, seed % 2 == 0, true).link;
        let crash = match seed < 2_214 {
            true => Crash::BeforeCommit,
            false => Crash::AfterCommit,
        };
        enter(&mut c, 1, &link);
        for _ in 0..12 {
            if !c.village.will_crash(c.homes[whom]) {
                c.village.crash_in(c.homes[whom], 3, crash);
            }
            c.pass(20);
        }
        c.village.pass(Duration::from_secs(3_600)).unwrap();
        let entered = only_room(&mut c, 1).unwrap_or_else(|| panic!("{seed}"));
        assert_eq!(entered.standing, RoomStanding::Member, "{seed}");
        c.rooms.push(entered.room);
        c.agree(&[0, 1]);
    }
}

#[test]
fn who_did_not_say_so_is_asked() {
    let mut c = strangers(2_230, &["Bob"]);
    let link = link_into(&mut c, false, false).link;
    let met = join(&mut c.village, c.homes[1], &link);
    assert_eq!(met.group.as_deref(), Some("Rowing"));
    c.pass(120);
    assert_eq!(standing(&mut c, 1), Some(RoomStanding::Offered));
    assert_eq!(c.view(0).size, 1);
}

#[test]
fn no_link_leads_out_of_the_room_one_is_in() {
    // Mallory's link names Alice's room, whose id stands in each link into it.
    let mut c = circle(2_231, &["Alice", "Bob"]);
    c.homes.push(c.village.move_in("Mallory", DELAY).unwrap());
    let link = link_into(&mut c, true, true).link;
    enter(&mut c, 2, &link);
    c.pass(120);
    let hers = only_room(&mut c, 2).unwrap().room;
    let (room, member) = (c.rooms[0], c.member(0, "Mallory").member);
    c.ask(
        0,
        Command::SetSteward {
            room,
            member,
            on: true,
        },
    );
    c.pass(120);
    let command = Command::InviteToRoom {
        room: hers,
        reusable: false,
        open: false,
    };
    let Reply::Invitation(made) = c.ask(2, command) else {
        panic!("another reply")
    };
    let before = c.member(0, "Bob").member;
    enter(&mut c, 1, &made.link);
    c.pass(600);
    let room = c.rooms[1];
    let his = room_of(c.ask(1, Command::Room { room }));
    assert_eq!(his.standing, RoomStanding::Member);
    assert_eq!(c.view(0).size, 3);
    let members = c.view(0).members.into_iter();
    let mut bobs = members.filter(|member| member.name == "Bob" && member.present);
    assert_eq!(
        bobs.next().map(|bob| bob.member),
        Some(before),
        "nobody left and came back"
    );
}

#[test]
fn leaving_ends_what_was_agreed_by_a_link() {
    let mut c = strangers(2_233, &["Bob"]);
    let link = link_into(&mut c, false, false).link;
    enter(&mut c, 1, &link);
    c.pass(120);
    let room = only_room(&mut c, 1).unwrap().room;
    c.ask(1, Command::LeaveRoom { room });
    c.pass(300);
    let contact = contacts(&mut c.village, c.homes[0])[0].contact;
    let room = c.rooms[0];
    c.ask(0, Command::OfferRoom { room, contact });
    c.pass(120);
    let his = rooms(&mut c.village, c.homes[1]).into_iter();
    let his: Vec<_> = his.map(|room| room.standing).collect();
    assert_eq!(his, [RoomStanding::Left, RoomStanding::Offered]);
}

#[test]
fn a_refusal_ends_what_was_agreed_by_a_link() {
    let mut c = strangers(2_235, &["Bob"]);
    let link = link_into(&mut c, false, false).link;
    join(&mut c.village, c.homes[1], &link);
    c.pass(120);
    let room = c.offered(1);
    c.ask(1, Command::RefuseRoom { room });
    // He opens it once more to be in it, and there is nothing new to be in.
    let again = Command::JoinRoom { link };
    assert_eq!(
        refusal(&mut c.village, c.homes[1], again),
        Refusal::LinkUsed
    );
    c.pass(120);
    assert_eq!(standing(&mut c, 1), None);
}

#[test]
fn what_cannot_be_offered_now_is_offered_later() {
    let mut c = circle(2_234, &["Alice", "Bob"]);
    c.homes.push(c.village.move_in("Carol", DELAY).unwrap());
    let link = link_into(&mut c, true, false).link;
    enter(&mut c, 2, &link);
    c.pass(60);
    let steward = |c: &mut Circle, by: usize, who: &str, on: bool| {
        let (room, member) = (c.rooms[by], c.member(by, who).member);
        c.ask(by, Command::SetSteward { room, member, on });
        c.pass(120);
    };
    steward(&mut c, 0, "Bob", true);
    steward(&mut c, 0, "Alice", false);
    let contact = requests(&mut c.village, c.homes[0])[0].contact;
    c.ask(0, Command::Accept { contact });
    c.pass(120);
    assert_eq!(standing(&mut c, 2), None);
    steward(&mut c, 1, "Alice", true);
    c.pass(1_800);
    assert_eq!(standing(&mut c, 2), Some(RoomStanding::Member));
}
