//! What members, and who was one, can make others send.

use std::time::Duration;

use hushwing_conversation::branches::StatePrefix;
use hushwing_conversation::content::{Content, Entry, RoomStep, RoomWord};
use hushwing_conversation::{Command, RoomStanding};
use hushwing_delivery::Storage as _;

use crate::rooms::{Circle, circle};
use crate::rooms_shadow::{Shadow, account_of, address, key_of, post};

const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

fn word(c: &mut Circle, step: RoomStep) -> Content {
    let room = c.view(0).conversation;
    Content::Room(RoomWord { room, step })
}

/// Envelopes that leave while something is done.
fn sent(c: &mut Circle, act: impl FnOnce(&mut Circle)) -> usize {
    c.village.overhear();
    act(c);
    c.village.overhear().len()
}

#[test]
fn who_greets_over_and_over_is_answered_now_and_then() {
    let mut c = circle(1_800, &THREE);
    let mut bob = Shadow::of(&mut c, 1);
    let entry = Entry {
        key: key_of(&mut c, 0, "Bob").try_into().unwrap(),
        name: "Bob".to_owned(),
        revision: 1,
        addresses: vec![address(&mut c, 1).encode()],
    };
    // He says that he knows nobody.
    let greeting = RoomStep::Greeting {
        entry,
        known: Vec::new(),
    };
    let greeting = word(&mut c, greeting);
    let answers = sent(&mut c, |c| {
        for _ in 0..60 {
            let message = bob.say(&greeting);
            bob.post_message(c, 0, &message);
            c.village.pass(Duration::from_millis(500)).unwrap();
        }
    });
    // His own are not sent by anybody: they are slipped in.
    assert!((1..=6).contains(&answers), "{answers}");
}

#[test]
fn who_asks_over_and_over_is_handed_a_few_commits() {
    let mut c = circle(1_801, &THREE);
    for name in ["a", "b", "c", "d"] {
        let (room, name) = (c.rooms[0], name.to_owned());
        c.ask(0, Command::RenameRoom { room, name });
        c.pass(150);
    }
    let mut bob = Shadow::of(&mut c, 1);
    let key = key_of(&mut c, 1, "Alice");
    let states: Vec<_> = bob.keeper.states().collect();
    assert!(states.len() > 4);
    let answers = sent(&mut c, |c| {
        for _ in 0..40 {
            for state in &states {
                let ask = word(c, RoomStep::Ask(StatePrefix::of(state).0));
                let side = bob.whisper(&key, &ask);
                bob.post(c, 0, 5, &[&side]);
            }
            c.pass(10);
        }
    });
    assert!((1..=90).contains(&answers), "{answers}");
}

#[test]
fn invented_states_keep_nobody_from_what_is_missing() {
    let mut c = circle(1_802, &THREE);
    // Bob knows where Carol takes letters, also when he is removed.
    let mut bob = Shadow::of(&mut c, 1);
    let there = address(&mut c, 2);
    let (room, member) = (c.rooms[0], c.member(0, "Bob").member);
    let names = [
        account_of(&mut c, 0, "Alice"),
        account_of(&mut c, 0, "Carol"),
    ];
    for number in 0..120_u8 {
        // Messages of states that nobody knows, in the names of all.
        let mut message = bob.say(&Content::Post(post("?")));
        invent(&mut message, number);
        let from = names[usize::from(number) % 2].as_bytes().to_vec();
        bob.post_to(&mut c, there.clone(), 6, &[&from, &message]);
    }
    c.pass(10);
    // His removal does not reach Carol.
    c.village.swallow(c.homes[0], 2);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(10);
    let (room, name) = (c.rooms[0], "without him".to_owned());
    c.ask(0, Command::RenameRoom { room, name });
    c.say(0, "we are two now");
    c.pass(300);
    assert_eq!(c.texts(2), ["we are two now"]);
    c.agree(&[0, 2]);
}

/// Makes of a PrivateMessage one of a state that does not exist: its epoch, and the
/// beginning of its name.
fn invent(message: &mut [u8], number: u8) {
    // Version, wire format, group id with its length; then the epoch.
    let epoch = 4 + 17;
    message[epoch..epoch + 8].copy_from_slice(&u64::from(number + 40).to_be_bytes());
    // The type of the content, the length of the authenticated data, its version.
    let state = epoch + 8 + 1 + 1 + 1;
    message[state..state + 8].copy_from_slice(&[number; 8]);
}

#[test]
fn nothing_is_tried_for_ever_for_who_is_gone() {
    let mut c = circle(1_803, &THREE);
    c.village.cut_off(c.homes[1]);
    c.say(0, "one");
    let (room, name) = (c.rooms[0], "Sailing".to_owned());
    c.ask(0, Command::RenameRoom { room, name });
    c.pass(60);
    let letters = |c: &mut Circle| {
        let storage = c.village.storage(c.homes[0]).unwrap();
        storage.letters().unwrap().len()
    };
    assert!(letters(&mut c) > 0);
    let (room, member) = (c.rooms[0], c.member(0, "Bob").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(60);
    c.village.pass(Duration::from_secs(5 * 86_400)).unwrap();
    assert_eq!(c.view(0).standing, RoomStanding::Member);
    // Two are what Alice and Bob have as contacts.
    let left = letters(&mut c);
    assert!(left <= 2, "{left}");
}
