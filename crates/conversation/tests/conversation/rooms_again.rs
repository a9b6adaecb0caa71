//! What is said again to one member in a room, and what that costs the others.

use hushwing_conversation::content::{Content, Entry, RoomStep, RoomWord};
use hushwing_conversation::{Command, MessageState, RoomRows as _};
use hushwing_delivery::Address;

use crate::devices_rooms::{Desk, lines, only};
use crate::rooms::{Circle, circle, rooms};
use crate::rooms_shadow::{Shadow, address, key_of, members, post};
use crate::support::*;

const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

fn word(c: &mut Circle, step: RoomStep) -> Content {
    let room = c.view(0).conversation;
    Content::Room(RoomWord { room, step })
}

/// Bob tells Alice another address than all before, to her alone.
fn tell_another_address(c: &mut Circle, bob: &mut Shadow, number: u8) {
    let key = key_of(c, 0, "Bob").try_into().unwrap();
    let addresses = (0..number).map(|_| address(c, 1).encode()).collect();
    let entry = Entry {
        key,
        name: "Bob".to_owned(),
        revision: 1_000 + u64::from(number),
        addresses,
    };
    let content = word(c, RoomStep::Roster(vec![entry]));
    let key = key_of(c, 1, "Alice");
    let side = bob.whisper(&key, &content);
    bob.post(c, 0, 5, &[&side]);
}

#[test]
fn saying_again_to_one_uses_no_key_that_the_others_miss() {
    let mut c = circle(1_600, &THREE);
    let mut bob = Shadow::of(&mut c, 1);
    // Bob confirms nothing.
    c.village.swallow(c.homes[0], 40);
    for number in 0..20 {
        c.say(0, &number.to_string());
    }
    c.pass(60);
    let next = |c: &mut Circle| Shadow::of(c, 0).say(&Content::Post(post("next")));
    let before = next(&mut c);
    for number in 2..4 {
        let last = |c: &mut Circle| {
            let storage = c.village.storage(c.homes[0]).unwrap();
            let bob = storage.members(c.rooms[0]).unwrap();
            let bob = bob.iter().find(|one| one.name == "Bob").unwrap().member;
            storage.last_unreached(bob).unwrap()
        };
        let letters = last(&mut c);
        c.village.swallow(c.homes[0], 20);
        tell_another_address(&mut c, &mut bob, number);
        c.pass(60);
        assert!(last(&mut c) > letters, "it was said again");
    }
    assert!(next(&mut c) == before);
}

#[test]
fn what_is_said_again_to_one_stands_where_all_have_it() {
    let mut c = circle(1_601, &THREE);
    c.say(0, "one");
    c.pass(60);
    // Bob's copy is lost, or Carol's.
    c.village.swallow(c.homes[0], 1);
    let id = c.say(0, "two");
    c.village.rest().unwrap();
    c.say(2, "three");
    c.pass(60);
    for who in [1, 2] {
        c.village.lose_mailboxes(c.homes[who], true);
        c.pass(300);
    }
    for who in 0..3 {
        assert_eq!(c.texts(who), ["one", "two", "three"], "{who}");
        let place = c.rooms[who].place();
        assert_eq!(read(&mut c.village, c.homes[who], place)[1].id, id);
    }
    let place = c.rooms[0].place();
    let state = read(&mut c.village, c.homes[0], place)[1].state;
    assert_eq!(state, MessageState::Delivered);
    // It can be answered, changed and taken back like any other.
    let (message, text) = (id, "2".to_owned());
    c.ask(0, Command::Edit { message, text });
    c.pass(60);
    for who in [1, 2] {
        assert_eq!(c.texts(who), ["one", "2", "three"], "{who}");
    }
}

#[test]
fn nobody_says_again_what_is_no_message_of_theirs() {
    let mut c = circle(1_602, &THREE);
    c.say(0, "one");
    c.pass(60);
    let mut bob = Shadow::of(&mut c, 1);
    let key = key_of(&mut c, 1, "Carol");
    let entry = Entry {
        key: bob.keeper.signature_key().try_into().unwrap(),
        name: "Robert".to_owned(),
        revision: 9_999,
        addresses: vec![Address::encode(&address(&mut c, 1))],
    };
    let greeting = RoomStep::Greeting {
        entry,
        known: Vec::new(),
    };
    let greeting = word(&mut c, greeting);
    let again = |content: Vec<u8>, epoch| RoomStep::Again {
        epoch,
        message: content,
    };
    let text = bob.compose(&Content::Post(post("later than all")));
    let greeting = bob.compose(&greeting);
    let nested = word(&mut c, again(text.clone(), 0));
    let nested = bob.compose(&nested);
    let bad = [
        again(text, u64::MAX),
        again(greeting, 0),
        again(nested, 0),
        again(vec![0; 40], 0),
    ];
    for step in bad {
        let content = word(&mut c, step);
        c.village.events(c.homes[2]);
        let side = bob.whisper(&key, &content);
        bob.post(&mut c, 2, 5, &[&side]);
        c.pass(5);
        let told = c.village.events(c.homes[2]);
        assert_eq!(dropped(&told), 1);
    }
    // To all it may not be said so at all.
    let content = word(&mut c, RoomStep::Leave);
    let inner = bob.compose(&content);
    let content = word(&mut c, again(inner, 0));
    let message = bob.say(&content);
    bob.post_message(&mut c, 2, &message);
    c.pass(60);
    assert_eq!(c.texts(2), ["one"]);
    assert!(members(&mut c, 2).iter().all(|one| one.name != "Robert"));
    c.agree(&[0, 1, 2]);
}

#[test]
fn the_key_package_one_came_in_by_is_not_kept() {
    let package = |c: &mut Circle| {
        let storage = c.village.storage(c.homes[1]).unwrap();
        let mut rooms = storage.rooms().unwrap().into_iter().flatten();
        rooms.find_map(|room| room.package)
    };
    let mut c = circle(1_603, &["Alice", "Bob"]);
    assert!(package(&mut c).is_some());
    // Once the state it led into can be left no more, five commits later,
    for number in 0..6 {
        let (room, name) = (c.rooms[0], number.to_string());
        c.ask(0, Command::RenameRoom { room, name });
        c.pass(120);
    }
    assert!(package(&mut c).is_none());
    // or after days in which nothing happens.
    let mut c = circle(1_604, &["Alice", "Bob"]);
    c.pass(5 * 86_400);
    assert!(package(&mut c).is_none());
    c.say(1, "still in");
    c.pass(60);
    assert_eq!(c.texts(0), ["still in"]);
}

#[test]
fn who_comes_back_as_somebody_else_says_nothing_again_to_a_device_that_was_off() {
    let mut d = Desk::new(4_143, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    d.village().set_offline(phone, true);
    let before = d.say(bob, "before");
    d.pass(120);
    let state = d
        .look(bob)
        .iter()
        .find(|one| one.id == before)
        .unwrap()
        .state;
    assert_eq!(state, MessageState::Delivered, "to her desk");
    let view = only(d.village(), desk);
    let member = view.members.iter().find(|one| !one.me).unwrap().member;
    let room = view.room;
    ask(d.village(), desk, Command::RemoveMember { room, member });
    d.pass(120);
    let contact = contacts(d.village(), desk)[0].contact;
    ask(d.village(), desk, Command::OfferRoom { room, contact });
    d.pass(60);
    let mut all = rooms(d.village(), bob).into_iter();
    let room = all.rfind(|one| one.offered).unwrap().room;
    ask(d.village(), bob, Command::AcceptRoom { room });
    d.pass(600);
    d.village().set_offline(phone, false);
    d.pass(600);
    d.say(bob, "here again");
    d.pass(60);
    let both = lines(&[(false, "before"), (false, "here again")]);
    assert_eq!([d.read(desk), d.read(phone)], [both.clone(), both]);
}
