//! What is known of a room: by whose word, under which name, and what is left of
//! it when its record is damaged.

use hushwing_conversation::storage::{MemberRecord, RoomRows as _};
use hushwing_conversation::view::Speaker;
use hushwing_conversation::{Command, Event, ProfileChange, RoomStanding, Secret};
use hushwing_delivery::Address;

use crate::rooms::{Circle, acquaintances, circle, room_of, rooms};
use crate::support::*;

const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

/// What somebody has stored of a member.
fn stored(c: &mut Circle, who: usize, name: &str) -> MemberRecord {
    let room = c.rooms[who];
    let members = c.village.storage(c.homes[who]).unwrap().members(room);
    let mut members = members.unwrap().into_iter();
    members.find(|member| member.name == name).expect(name)
}

#[test]
fn a_wrong_roster_is_corrected_by_those_it_is_about() {
    let mut c = acquaintances(1_300, &["Alice", "Bob", "Carol", "Dave"]);
    c.found();
    c.add(1);
    c.add(2);
    // Alice puts an address before Bob's that leads nowhere.
    let mut wrong = stored(&mut c, 0, "Bob");
    let right = wrong.addresses.clone();
    let mut nowhere = Address::decode(right[0].expose()).unwrap();
    nowhere.locator.0.reverse();
    wrong.addresses.insert(0, Secret::new(nowhere.encode()));
    let storage = c.village.storage(c.homes[0]).unwrap();
    storage.put_member(&wrong).unwrap();
    c.village.open_again(c.homes[0]).unwrap();
    c.add(3);
    c.pass(600);
    assert_eq!(stored(&mut c, 3, "Bob").addresses, right);
    c.agree(&[0, 1, 2, 3]);
}

#[test]
fn a_roster_of_long_addresses_breaks_no_room() {
    let mut c = acquaintances(1_301, &["Alice", "Bob", "Carol", "Dave"]);
    c.found();
    c.add(1);
    c.add(2);
    for name in ["Bob", "Carol"] {
        let mut record = stored(&mut c, 0, name);
        record
            .addresses
            .extend((0..30).map(|_| Secret::new(vec![1; 2_560])));
        let storage = c.village.storage(c.homes[0]).unwrap();
        storage.put_member(&record).unwrap();
    }
    c.village.open_again(c.homes[0]).unwrap();
    c.add(3);
    c.pass(600);
    assert_eq!(c.view(0).standing, RoomStanding::Member);
    c.agree(&[0, 1, 2, 3]);
}

#[test]
fn a_damaged_record_breaks_that_room_alone_which_can_be_forgotten() {
    let mut c = circle(1_302, &THREE);
    c.say(0, "one");
    c.pass(60);
    let other = Command::FoundRoom {
        name: "Other".to_owned(),
    };
    let other = room_of(c.ask(1, other)).room;
    let room = c.rooms[1];
    c.village.storage(c.homes[1]).unwrap().spoil_room(room);
    c.village.events(c.homes[1]);
    c.village.open_again(c.homes[1]).unwrap();
    c.pass(60);
    let events = c.village.events(c.homes[1]);
    let place = room.place();
    let told = |event: &Event| matches!(event, Event::Broken { contact, .. } if *contact == place);
    assert!(events.iter().any(told), "{events:?}");
    assert_eq!(c.view(1).standing, RoomStanding::Broken);
    send(&mut c.village, c.homes[1], other.place(), "here it goes on");
    let alice = contacts(&mut c.village, c.homes[1])[0].contact;
    send(&mut c.village, c.homes[1], alice, "and here");
    c.pass(60);
    // It lasts, and leaves nothing behind.
    c.village.open_again(c.homes[1]).unwrap();
    assert_eq!(c.view(1).standing, RoomStanding::Broken);
    c.ask(1, Command::ForgetRoom { room });
    c.village.open_again(c.homes[1]).unwrap();
    assert_eq!(rooms(&mut c.village, c.homes[1]).len(), 1);
    assert!(!c.village.storage(c.homes[1]).unwrap().holds("one"));
}

/// Bob, who is in Alice's room and a steward of it, and Carol know each other.
fn with_two_stewards(seed: u64) -> Circle {
    let mut c = acquaintances(seed, &THREE);
    let link = invite(&mut c.village, c.homes[1], false).link;
    join(&mut c.village, c.homes[2], &link);
    c.pass(60);
    c.found();
    c.add(1);
    c.make_steward(0, "Bob");
    c.pass(60);
    c
}

fn offered(c: &mut Circle, who: usize) -> Vec<hushwing_conversation::view::RoomView> {
    let mut all = rooms(&mut c.village, c.homes[who]);
    all.retain(|room| room.standing == RoomStanding::Offered);
    all
}

fn bob_offers_to_carol(c: &mut Circle) {
    let room = c.rooms[1];
    let known = contacts(&mut c.village, c.homes[1]);
    let carol = known.iter().find(|view| view.name == "Carol").unwrap();
    let contact = carol.contact;
    c.ask(1, Command::OfferRoom { room, contact });
    c.pass(60);
}

#[test]
fn a_waiting_offer_hides_no_other_of_the_same_room() {
    let mut c = with_two_stewards(1_303);
    bob_offers_to_carol(&mut c);
    c.offer(2);
    let all = offered(&mut c, 2);
    assert_eq!(all.len(), 2);
    assert_ne!(all[0].offered_by, all[1].offered_by);
    // The first is refused, and nothing of the second goes with it.
    let room = all[0].room;
    c.ask(2, Command::RefuseRoom { room });
    let room = all[1].room;
    c.ask(2, Command::AcceptRoom { room });
    c.rooms.push(room);
    c.pass(120);
    c.agree(&[0, 1, 2]);
    assert!(offered(&mut c, 2).is_empty());
}

#[test]
fn an_offer_changes_nothing_of_a_room_i_was_in_until_i_accept() {
    let mut c = with_two_stewards(1_304);
    c.add(2);
    c.say(0, "before");
    c.pass(60);
    let room = c.rooms[2];
    c.ask(2, Command::LeaveRoom { room });
    c.pass(120);
    bob_offers_to_carol(&mut c);
    assert_eq!(c.view(2).standing, RoomStanding::Left);
    let offer = offered(&mut c, 2).pop().expect("an offer").room;
    c.ask(2, Command::RefuseRoom { room: offer });
    assert_eq!(c.view(2).standing, RoomStanding::Left);
    assert_eq!(c.texts(2), ["before"]);
    assert!(offered(&mut c, 2).is_empty());
}

#[test]
fn a_room_knows_me_by_the_name_i_entered_with() {
    let mut c = circle(1_305, &THREE);
    let name = "Anna".to_owned();
    c.village.overhear();
    c.ask(
        0,
        Command::SetProfile(ProfileChange {
            name: Some(name),
            ..ProfileChange::default()
        }),
    );
    c.pass(60);
    // Both contacts are told, and say that it came. The room hears nothing.
    assert_eq!(c.village.overhear().len(), 4);
    // Alice greets for another reason.
    c.village.lose_mailboxes(c.homes[0], true);
    c.pass(600);
    c.say(0, "still Alice");
    c.pass(60);
    let member = c.member(1, "Alice").member;
    let place = c.rooms[1].place();
    let said = read(&mut c.village, c.homes[1], place);
    assert_eq!(said[0].from, Speaker::Member(member));
    // Another one knows her by the other name.
    let name = "Sailing".to_owned();
    let other = room_of(c.ask(0, Command::FoundRoom { name }));
    assert_eq!(other.members[0].name, "Anna");
}
