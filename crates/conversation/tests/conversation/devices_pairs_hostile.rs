//! What a contact with a changed program can do by offering pairs.

use hushwing_conversation::storage::{OfferedPairRecord, PairsRecord, RoomRows as _, RoomStanding};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{Change, Command, ConversationId, RoomId, Secret};

use crate::devices::pass;
use crate::devices_pairs::{Two, config};
use crate::rooms::{room_of, rooms};
use crate::support::*;

/// Bob knows Alice, who is up to no good, and Carol, who has a group.
struct Three {
    t: Two,
    carol: Home,
    group: RoomId,
}

impl Three {
    fn new(seed: u64) -> Self {
        let mut t = Two::new(seed);
        let carol = t.village.move_in_as(config("Carol")).unwrap();
        let link = invite(&mut t.village, carol, false).link;
        join(&mut t.village, t.bob, &link);
        pass(&mut t.village, 30);
        let name = "choir".to_owned();
        let founded = ask(&mut t.village, carol, Command::FoundRoom { name });
        let group = room_of(founded).room;
        Self { t, carol, group }
    }

    fn carol_offers(&mut self) {
        let contact = contacts(&mut self.t.village, self.carol)[0].contact;
        let room = self.group;
        let offer = Command::OfferRoom { room, contact };
        ask(&mut self.t.village, self.carol, offer);
        self.t.pass(60);
    }

    /// Alice offers a pair under the name of Carol's group.
    fn alice_offers(&mut self) {
        let group = group_named(&mut self.t.village, self.carol);
        let (alice, contact) = (self.t.alice, self.t.her_bob);
        let storage = self.t.village.storage(alice).unwrap();
        let mut record = PairsRecord::read(storage).unwrap();
        let pairing = record.contacts.entry(contact).or_default();
        pairing.wanted = 1;
        pairing.offered = Some(OfferedPairRecord {
            group,
            turn: 1,
            key: Secret::new(vec![7; 32]),
            id: [8; 8],
        });
        record.put(storage).unwrap();
        self.t.village.open_again(alice).unwrap();
        self.t.say(alice, "hello");
        self.t.pass(60);
    }

    fn bob_enters(&mut self) {
        let offered = rooms(&mut self.t.village, self.t.bob);
        assert_eq!(offered.len(), 1, "Carol's offer is shown");
        let room = offered[0].room;
        ask(
            &mut self.t.village,
            self.t.bob,
            Command::AcceptRoom { room },
        );
        self.t.pass(120);
        let room = self.group;
        let view = room_of(ask(&mut self.t.village, self.carol, Command::Room { room }));
        assert_eq!(view.members.len(), 2, "Bob is in it");
        assert_eq!(rooms(&mut self.t.village, self.t.bob).len(), 1);
    }
}

fn group_named(village: &mut Village, home: Home) -> ConversationId {
    rooms(village, home)[0].conversation
}

#[test]
fn a_pair_hides_no_group_that_was_offered_or_will_be() {
    for before in [true, false] {
        let mut three = Three::new(5_300);
        if before {
            three.carol_offers();
        }
        three.alice_offers();
        if !before {
            three.carol_offers();
        }
        three.bob_enters();
    }
}

/// In how many rooms somebody is.
fn inside(village: &mut Village, home: Home) -> usize {
    let records = village.storage(home).unwrap().rooms().unwrap().into_iter();
    let inside = records.filter(|one| one.as_ref().unwrap().standing == RoomStanding::Member);
    inside.count()
}

/// A changed program that is in no pair, and wants the one after the last.
fn want_another(t: &mut Two, turn: u32) {
    let (alice, contact) = (t.alice, t.her_bob);
    forget_pairs(t, alice);
    let storage = t.village.storage(alice).unwrap();
    let mut record = PairsRecord::read(storage).unwrap();
    let pairing = record.contacts.entry(contact).or_default();
    (pairing.wanted, pairing.least) = (turn, turn);
    record.put(storage).unwrap();
    t.village.open_again(alice).unwrap();
    t.say(alice, "another");
    t.pass(2 * 3_600);
}

/// A changed program forgets that it is in pairs.
fn forget_pairs(t: &mut Two, home: Home) {
    let storage = t.village.storage(home).unwrap();
    for record in storage.rooms().unwrap() {
        let mut record = record.unwrap();
        record.standing = RoomStanding::Left;
        storage.put_room(&record).unwrap();
    }
}

#[test]
fn no_welcome_is_followed_where_no_pair_may_be_any_more() {
    let mut t = Two::new(5_306);
    let (alice, bob) = (t.alice, t.bob);
    t.village.set_offline(bob, true);
    t.link(alice, ("phone", "laptop"));
    t.village.set_offline(alice, true);
    t.village.set_offline(bob, false);
    t.pass(30);
    // He answered. What she kept back comes when he has blocked her.
    t.village.set_offline(bob, true);
    t.village.set_offline(alice, false);
    t.pass(300);
    assert_eq!(
        inside(&mut t.village, alice),
        2,
        "a pair, and the device room"
    );
    let (conversation, change) = (t.only(bob).conversation, Change::Blocked(true));
    let block = Command::Keep {
        conversation,
        change,
    };
    ask(&mut t.village, bob, block);
    t.village.set_offline(bob, false);
    t.pass(300);
    assert_eq!(inside(&mut t.village, bob), 0);
}

#[test]
fn no_timer_of_a_contact_counts_in_a_pair() {
    let mut t = Two::new(5_305);
    let (alice, bob) = (t.alice, t.bob);
    t.link(bob, ("phone", "laptop"));
    forget_pairs(&mut t, alice);
    t.village.open_again(alice).unwrap();
    let (conversation, seconds) = (t.only(alice).conversation, 60);
    let timer = Command::Disappear {
        conversation,
        seconds,
    };
    ask(&mut t.village, alice, timer);
    t.pass(60);
    let contact = t.his_alice;
    assert_eq!(kept(&mut t.village, bob, contact).disappear_after, None);
}

#[test]
fn a_contact_does_not_fill_a_profile_with_pairs() {
    let mut t = Two::new(5_310);
    let bob = t.bob;
    for turn in 1..8 {
        want_another(&mut t, turn);
        let most = usize::try_from(turn).unwrap().min(4);
        assert_eq!(inside(&mut t.village, bob), most);
    }
    // What was replaced is left in the end, and there is room for the one offered since.
    t.pass(29 * 24 * 3_600);
    assert_eq!(inside(&mut t.village, bob), 2);
}
