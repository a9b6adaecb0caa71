//! What whoever has a stolen device can do to a conversation of two that goes on as a pair.

use hushwing_conversation::storage::{DevicesRecord, PairsRecord, RoomRows as _, RoomStanding};
use hushwing_conversation::village::Home;
use hushwing_conversation::{Command, ContactId};

use crate::devices::device;
use crate::devices_pairs::Two;
use crate::support::*;

/// A changed program says that it lost all pairs below this number.
fn claim_lost(t: &mut Two, (home, contact): (Home, ContactId), turn: u32) {
    let storage = t.village.storage(home).unwrap();
    let mut record = PairsRecord::read(storage).unwrap();
    let pairing = record.contacts.entry(contact).or_default();
    pairing.least = turn;
    pairing.wanted = 0;
    record.put(storage).unwrap();
    t.village.open_again(home).unwrap();
}

/// A changed program knows of no other devices, and so obeys none that threw it out.
pub(crate) fn obey_nobody(t: &mut Two, home: Home) {
    let storage = t.village.storage(home).unwrap();
    DevicesRecord::default().put(storage).unwrap();
    t.village.open_again(home).unwrap();
}

/// As if a pair had taken the place of the one before long ago: that is left.
fn leave_before(t: &mut Two, home: Home) {
    let storage = t.village.storage(home).unwrap();
    for record in storage.rooms().unwrap() {
        let mut record = record.unwrap();
        record.since = Default::default();
        storage.put_room(&record).unwrap();
    }
    t.village.open_again(home).unwrap();
    t.say(home, "still me");
    t.pass(300);
    let storage = t.village.storage(home).unwrap();
    let mut rooms = storage.rooms().unwrap().into_iter();
    let left = rooms.any(|one| one.unwrap().standing == RoomStanding::Left);
    assert!(left, "it left");
}

fn turns(t: &mut Two, home: Home) -> Vec<u32> {
    let record = PairsRecord::read(t.village.storage(home).unwrap()).unwrap();
    record.pairs.iter().map(|pair| pair.turn).collect()
}

fn heard(t: &mut Two, home: Home, text: &str) -> bool {
    t.read(home).iter().any(|(_, said)| said == text)
}

/// The pair that threw the stolen device out is over, and it has another state followed in the
/// one of its own: that takes nothing back.
fn stays_silent(t: &mut Two, stolen: Home, other: Home) {
    let storage = t.village.storage(other).unwrap();
    let mut room = storage.rooms().unwrap().remove(0).unwrap();
    room.standing = RoomStanding::Left;
    storage.put_room(&room).unwrap();
    t.village.open_again(other).unwrap();
    for number in 0..52 {
        t.say(stolen, &format!("send money {number}"));
        t.pass(1);
    }
    t.pass(600);
    t.say(stolen, "heard again");
    t.pass(600);
    assert!(!heard(t, other, "heard again"));
}

#[test]
fn a_stolen_phone_keeps_nobody_by_a_pair_of_its_own() {
    for (seed, hers) in [(5_200, true), (5_201, false), (5_202, true), (5_203, false)] {
        let leaves = seed > 5_201;
        let mut t = Two::new(seed);
        let (alice, bob) = (t.alice, t.bob);
        let (stolen, contact, other) = match hers {
            true => (alice, t.her_bob, bob),
            false => (bob, t.his_alice, alice),
        };
        let laptop = t.link(stolen, ("phone", "laptop"));
        let mut others = vec![other];
        if !leaves {
            others.push(t.link(other, ("phone", "tablet")));
        }
        t.say(other, "to both");
        t.pass(60);
        assert_eq!(t.read(laptop).len(), 1);
        // Before anybody hears that it is revoked, it has another pair founded, of which the
        // laptop is told nothing.
        t.village.set_offline(laptop, true);
        claim_lost(&mut t, (stolen, contact), 2);
        t.say(stolen, "it is me");
        t.pass(3 * 3_600);
        assert_eq!(turns(&mut t, other), [1, 2], "{seed}");
        if leaves {
            // It says as well that it leaves the one before.
            leave_before(&mut t, stolen);
        }
        t.village.set_offline(stolen, true);
        t.village.set_offline(laptop, false);
        if leaves {
            // The laptop hears of that before it throws the phone out.
            t.pass(60);
        }
        let lost = device(&mut t.village, laptop, "phone");
        let revoke = Command::RevokeDevice { device: lost };
        ask(&mut t.village, laptop, revoke);
        t.pass(600);
        for home in others.clone() {
            t.say(home, &format!("to the laptop alone, {}", home.0));
            t.pass(60);
        }
        t.say(laptop, "from the laptop");
        t.pass(60);
        obey_nobody(&mut t, stolen);
        t.village.set_offline(stolen, false);
        t.say(stolen, "send money");
        t.pass(600);
        for home in others.clone() {
            let text = format!("to the laptop alone, {}", home.0);
            assert!(heard(&mut t, laptop, &text), "{seed}");
            assert!(!heard(&mut t, stolen, &text), "{seed}");
            assert!(heard(&mut t, home, "from the laptop"), "{seed}");
            assert!(!heard(&mut t, home, "send money"), "{seed}");
        }
        for home in others.clone() {
            t.village.open_again(home).unwrap();
        }
        t.pass(60);
        t.say(others[others.len() - 1], "after a restart");
        t.pass(600);
        assert!(heard(&mut t, laptop, "after a restart"), "{seed}");
        assert!(!heard(&mut t, stolen, "after a restart"), "{seed}");
        if seed == 5_200 {
            stays_silent(&mut t, stolen, bob);
        }
    }
}

#[test]
fn a_stolen_phone_that_leaves_has_no_device_leave_that_can_revoke_it() {
    let mut t = Two::new(5_210);
    let (stolen, bob) = (t.alice, t.bob);
    let laptop = t.link(stolen, ("phone", "laptop"));
    t.link(bob, ("phone", "tablet"));
    t.say(stolen, "here");
    t.pass(60);
    // Her laptop hears nothing of the pair that the thief has founded.
    t.village.set_offline(laptop, true);
    let contact = t.her_bob;
    claim_lost(&mut t, (stolen, contact), 2);
    t.say(stolen, "it is me");
    t.pass(3 * 3_600);
    leave_before(&mut t, stolen);
    t.village.set_offline(stolen, true);
    t.village.set_offline(laptop, false);
    t.pass(120);
    let lost = device(&mut t.village, laptop, "phone");
    ask(
        &mut t.village,
        laptop,
        Command::RevokeDevice { device: lost },
    );
    t.pass(600);
    obey_nobody(&mut t, stolen);
    t.village.set_offline(stolen, false);
    t.say(stolen, "send money");
    t.say(laptop, "from the laptop");
    t.pass(600);
    assert!(heard(&mut t, bob, "from the laptop"));
    assert!(!heard(&mut t, bob, "send money"));
}
