//! What a device that was thrown out can still do, and what it leaves behind.

use ed25519_dalek::{Signer as _, SigningKey};
use hushwing_conversation::branches::{AccountId, Keeper, Succession};
use hushwing_conversation::content::{Content, Entry, RoomStep, RoomWord, Seen, Shared};
use hushwing_conversation::storage::RoomRows as _;
use hushwing_conversation::view::{MessageView, RoomView, Speaker};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{Command, ConversationId, MessageId, RoomId, RoomStanding};
use hushwing_delivery::Address;

use crate::devices::{device, link, names, pass};
use crate::devices_rooms::{Desk, guests, leaves, lines, only, revoke, unread};
use crate::rooms::{Circle, acquaintances, rooms};
use crate::rooms_shadow::Shadow;
use crate::support::*;

/// Where the devices of somebody meet.
fn meeting(village: &mut Village, home: Home) -> (RoomId, ConversationId) {
    let shown: Vec<_> = rooms(village, home).iter().map(|one| one.room).collect();
    let all = village.storage(home).unwrap().rooms().unwrap();
    let mut all = all.into_iter().map(|one| one.unwrap());
    let found = all.find(|one| !shown.contains(&one.id)).unwrap();
    (found.id, found.conversation)
}

/// A device with a changed program, and another where it is written to among the devices.
pub(crate) struct Thief {
    pub(crate) shadow: Shadow,
    group: ConversationId,
    key: Vec<u8>,
    to: Address,
}

impl Thief {
    pub(crate) fn of(d: &mut Desk, home: Home, victim: &str) -> Self {
        let (room, group) = meeting(d.village(), home);
        let rows = d.village().storage(home).unwrap().clone();
        let members = rows.members(room).unwrap().into_iter();
        let mut victims = members.filter(|one| one.name == victim);
        let victim = victims.next().unwrap();
        let to = Address::decode(victim.addresses[0].expose()).unwrap();
        let shadow = Shadow::in_rows(rows, group);
        Self {
            shadow,
            group,
            key: victim.key,
            to,
        }
    }

    fn whisper(&mut self, circle: &mut Circle, step: RoomStep) {
        self.whisper_of(circle, self.group, step);
    }

    pub(crate) fn whisper_of(&mut self, circle: &mut Circle, room: ConversationId, step: RoomStep) {
        let word = Content::Room(RoomWord { room, step });
        let side = self.shadow.whisper(&self.key, &word);
        self.shadow.post_to(circle, self.to.clone(), 5, &[&side]);
    }

    fn say(&mut self, circle: &mut Circle, step: RoomStep) {
        let room = self.group;
        let word = Content::Room(RoomWord { room, step });
        let message = self.shadow.say(&word);
        let from = self.shadow.keeper.signature_key();
        self.shadow
            .post_to(circle, self.to.clone(), 6, &[&from, &message]);
    }
}

/// Bob changes something, so that devices of guests may come and go.
fn bob_changes(d: &mut Desk, times: usize) {
    let bob = d.bob();
    for _ in 0..times {
        let room = only(d.village(), bob).room;
        let name = format!("Rowing {}", d.village().calls(bob));
        ask(d.village(), bob, Command::RenameRoom { room, name });
        d.pass(120);
    }
}

#[test]
fn a_device_that_another_revoked_goes_from_groups_where_that_is_not_however_late() {
    let (mut d, others) = guests(4_200, &["phone", "tablet"]);
    let (desk, bob, phone, tablet) = (d.desk(), d.bob(), others[0], others[1]);
    // The group is quiet: the tablet waits to be let in.
    assert_ne!(only(d.village(), tablet).standing, RoomStanding::Member);
    assert_eq!(leaves(d.village(), bob), 3);
    d.village().set_offline(desk, true);
    let lost = device(d.village(), tablet, "phone");
    ask(d.village(), tablet, Command::RevokeDevice { device: lost });
    d.pass(3 * 3_600);
    d.village().set_offline(desk, false);
    d.pass(300);
    assert_eq!(only(d.village(), phone).standing, RoomStanding::Left);
    let members = only(d.village(), bob).members;
    let alice = members.iter().find(|one| one.name == "Alice").unwrap();
    assert!(alice.devices < 3 && alice.present);
    d.say(bob, "without the phone");
    d.pass(120);
    assert!(d.read(phone).is_empty());
    assert_eq!(d.read(desk), lines(&[(false, "without the phone")]));
}

#[test]
fn a_device_that_is_linked_at_once_after_a_revocation_stays() {
    let mut d = Desk::new(4_201, &["Alice", "Bob"]);
    let (desk, bob) = (d.desk(), d.bob());
    revoke(&mut d, "phone");
    let new = d.village().move_in("Alice", DELAY).unwrap();
    link(d.village(), (desk, "desk"), (new, "new"));
    d.pass(60);
    assert_eq!(only(d.village(), new).standing, RoomStanding::Member);
    let changes = |d: &mut Desk| {
        let group = only(d.village(), bob).conversation;
        let rows = d.village().storage(bob).unwrap().clone();
        Shadow::in_rows(rows, group).keeper.epoch()
    };
    let epoch = changes(&mut d);
    d.pass(1_800);
    assert_eq!(changes(&mut d), epoch, "nobody goes and comes");
    assert_eq!(leaves(d.village(), bob), 3);
    d.say(new, "a new phone");
    d.pass(60);
    assert_eq!(d.read(bob), lines(&[(false, "a new phone")]));
}

#[test]
fn of_three_devices_the_two_good_ones_stay_and_a_new_one_comes() {
    let (mut d, others) = guests(4_202, &["phone", "tablet"]);
    let (desk, bob, phone, tablet) = (d.desk(), d.bob(), others[0], others[1]);
    bob_changes(&mut d, 4);
    assert_eq!(leaves(d.village(), bob), 4);
    revoke(&mut d, "phone");
    d.pass(120);
    assert_eq!(only(d.village(), phone).standing, RoomStanding::Left);
    let new = d.village().move_in("Alice", DELAY).unwrap();
    link(d.village(), (tablet, "tablet"), (new, "new"));
    bob_changes(&mut d, 8);
    assert_eq!(leaves(d.village(), bob), 4, "desk, tablet, new, Bob");
    for (home, text) in [(desk, "desk"), (tablet, "tablet"), (new, "new")] {
        d.say(home, text);
        d.pass(60);
        assert_eq!(d.read(bob).pop(), Some((false, text.to_owned())));
    }
}

#[test]
fn what_nobody_said_is_read_by_no_device() {
    let mut d = Desk::new(4_203, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let group = only(d.village(), desk).conversation;
    let mut thief = Thief::of(&mut d, phone, "desk");
    let far = |lamport| Seen {
        room: group,
        epoch: 1 << 40,
        lamport,
        leaf: 0,
        message: MessageId::from_bytes(&[1; 32]).unwrap(),
    };
    thief.whisper(&mut d.circle, RoomStep::Seen(vec![far(1 << 40)]));
    d.pass(10);
    d.say(bob, "look at this");
    d.pass(60);
    assert_eq!(unread(d.village(), desk), 1);
    // Nor does it keep what was read from being so, nor a place that a message has not.
    d.look(phone);
    d.pass(60);
    assert_eq!(unread(d.village(), desk), 0);
    let message = d.look(bob).pop().unwrap().id;
    let far = Seen {
        message,
        ..far(1 << 40)
    };
    thief.whisper(&mut d.circle, RoomStep::Seen(vec![far]));
    d.pass(10);
    d.say(bob, "and at this");
    d.pass(60);
    assert_eq!(unread(d.village(), desk), 1);
    d.look(phone);
    d.pass(60);
    assert_eq!(unread(d.village(), desk), 0);
}

#[test]
fn no_device_takes_anothers_name() {
    let mut d = Desk::new(4_204, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    let mut thief = Thief::of(&mut d, phone, "desk");
    let entry = Entry {
        key: thief.shadow.keeper.signature_key().try_into().unwrap(),
        name: "desk".to_owned(),
        revision: 900,
        addresses: Vec::new(),
    };
    let known = Vec::new();
    thief.say(&mut d.circle, RoomStep::Greeting { entry, known });
    d.pass(10);
    let listed = names(d.village(), desk);
    assert_eq!(listed, ["desk true true", "phone false false"]);
}

#[test]
fn a_group_of_which_the_word_was_lost_comes_a_day_later() {
    let mut d = Desk::new(4_211, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    d.village().swallow(desk, 1);
    let name = "Sailing".to_owned();
    ask(d.village(), desk, Command::FoundRoom { name });
    d.pass(3_600);
    assert_eq!(only(d.village(), phone).name, "Rowing");
    d.pass(25 * 3_600);
    let all = rooms(d.village(), phone);
    let inside = |one: &RoomView| one.standing == RoomStanding::Member;
    assert_eq!(all.iter().filter(|one| inside(one)).count(), 2);
}

#[test]
fn who_waited_for_a_revoked_device_enters_nothing_of_it() {
    let mut d = Desk::new(4_205, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    // It tells of a group, and the desk wants to come: that is lost on the way.
    d.village().withhold(desk, &[phone]);
    let name = "Sailing".to_owned();
    ask(d.village(), phone, Command::FoundRoom { name });
    d.pass(60);
    let sailing = |d: &mut Desk| {
        let all = rooms(d.village(), desk).into_iter();
        let mut sailing = all.filter(|one| one.name == "Sailing");
        sailing.next().map(|one| one.standing)
    };
    assert_eq!(sailing(&mut d), Some(RoomStanding::Joining));
    revoke(&mut d, "phone");
    assert_eq!(sailing(&mut d), None, "nothing is waited for");
    d.village().open_again(phone).unwrap();
    d.pass(600);
    assert_eq!(sailing(&mut d), None);
}

pub(crate) fn backup(d: &mut Desk, home: Home) -> hushwing_conversation::storage::MemoryStorage {
    d.village().storage(home).unwrap().clone()
}

#[test]
fn a_revoked_device_is_let_in_by_no_contact_that_it_asks() {
    let (mut d, _) = guests(4_212, &["phone"]);
    // The desk is who Bob talks with, and the phone who throws it out.
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let old = backup(&mut d, desk);
    // What the phone says of the desk comes after its commit.
    d.village().swallow(phone, 2);
    let lost = device(d.village(), phone, "desk");
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    d.pass(600);
    assert_eq!(leaves(d.village(), bob), 2);
    d.village().restore(desk, old).unwrap();
    d.pass(3 * 24 * 3_600);
    assert_eq!(only(d.village(), desk).standing, RoomStanding::Restoring);
    assert_eq!(only(d.village(), phone).standing, RoomStanding::Member);
    assert_eq!(leaves(d.village(), bob), 2);
}

#[test]
fn a_group_that_was_founded_anew_stays_one_on_all_devices() {
    let (mut d, _) = guests(4_208, &["phone"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    d.say(bob, "before");
    d.pass(120);
    let old = backup(&mut d, bob);
    d.village().restore(bob, old).unwrap();
    d.pass(2 * 24 * 3_600);
    let group = only(d.village(), bob).conversation;
    for home in [desk, phone] {
        let view = only(d.village(), home);
        let is = (view.standing, view.conversation);
        assert_eq!(is, (RoomStanding::Member, group));
    }
    d.say(phone, "after");
    d.pass(120);
    let hers = [(false, "before"), (true, "after")];
    assert_eq!(d.read(desk), lines(&hers));
    assert_eq!(d.read(phone), lines(&hers));
    assert_eq!(d.read(bob).pop(), Some((false, "after".to_owned())));
    let members = only(d.village(), bob).members;
    let alice = members.iter().filter(|one| one.present && !one.me);
    assert_eq!(alice.map(|one| one.devices).collect::<Vec<_>>(), [2]);
}

#[test]
fn no_device_leads_another_out_of_a_group() {
    let mut d = Desk::new(4_210, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let group = only(d.village(), desk).conversation;
    let new = ConversationId([6; 16]);
    // The phone is the highest steward as the desk is, and founds the group anew.
    let rows = d.village().storage(phone).unwrap().clone();
    let mut before = Shadow::in_rows(rows, group);
    let founded = before.act(|keeper, lent| Keeper::found_anew(lent, keeper, new, &[]));
    let (mut founded, _) = founded.unwrap().unwrap();
    let policy = before.act(|_, lent| founded.policy(lent).unwrap().unwrap());
    let claim = Succession::of(&policy).unwrap();
    let mut thief = Thief::of(&mut d, phone, "desk");
    let leaf = SigningKey::from_bytes(&[5; 32]);
    let key = leaf.verifying_key().to_bytes();
    let device = thief.shadow.keeper.signature_key();
    let label: &[u8] = b"hushwing device leaf 1";
    let said = [label, &thief.group.0, &device, &new.0, &key].concat();
    let shared = Shared {
        room: new,
        account: AccountId::try_from([6; 16].as_slice()).unwrap(),
        key,
        name: "Rowing".to_owned(),
        my_name: "Alice".to_owned(),
        proof: leaf.sign(&said).to_bytes(),
        before: claim.bytes().to_vec(),
    };
    thief.whisper(&mut d.circle, RoomStep::Share(vec![shared]));
    d.pass(60);
    let all = rooms(d.village(), desk);
    let standings: Vec<_> = all
        .iter()
        .map(|one| (one.conversation, one.standing))
        .collect();
    let mine = (group, RoomStanding::Member);
    assert_eq!(standings, [mine, (new, RoomStanding::Joining)]);
    let rowing = all[0].room.place();
    send(d.village(), desk, rowing, "still here");
    d.pass(60);
    assert_eq!(d.read(bob), lines(&[(false, "still here")]));
}

#[test]
fn a_new_device_is_handed_what_the_other_has() {
    let mut circle = acquaintances(4_209, &["Alice", "Bob"]);
    circle.found();
    circle.add(1);
    let (desk, bob) = (circle.homes[0], circle.homes[1]);
    let first = circle.say(0, "from the desk");
    circle.pass(60);
    circle.say(1, "from bob");
    circle.pass(60);
    let phone = circle.village.move_in("Alice", DELAY).unwrap();
    link(&mut circle.village, (desk, "desk"), (phone, "phone"));
    pass(&mut circle.village, 120);
    let mut d = Desk { circle, phone };
    let hers = [(true, "from the desk"), (false, "from bob")];
    assert_eq!(d.read(phone), lines(&hers));
    let all: Vec<MessageView> = d.look(phone);
    assert!(all.iter().all(|one| one.handed_on));
    assert_eq!(unread(d.village(), phone), 0);
    // Its own words it can change, and what others say goes on.
    let edit = Command::Edit {
        message: first,
        text: "from my desk".to_owned(),
    };
    ask(d.village(), phone, edit);
    d.pass(60);
    let said = d.look(bob);
    assert_eq!(
        (said[0].text.as_str(), said[0].edited),
        ("from my desk", true)
    );
    assert!(matches!(said[0].from, Speaker::Member(_)));
}

#[test]
fn who_is_removed_while_a_device_of_theirs_is_to_go_takes_nothing_for_damage() {
    for seed in 4_250..4_254 {
        let (mut d, others) = guests(seed, &["phone", "tablet"]);
        let (desk, bob, tablet) = (d.desk(), d.bob(), others[1]);
        let v = d.village();
        v.set_offline(desk, true);
        let lost = device(v, tablet, "phone");
        ask(v, tablet, Command::RevokeDevice { device: lost });
        pass(v, 60);
        let view = only(v, bob);
        let alice = view.members.iter().find(|one| !one.me).expect("Alice");
        let (room, member) = (view.room, alice.member);
        ask(v, bob, Command::RemoveMember { room, member });
        pass(v, 60);
        v.set_offline(desk, false);
        pass(v, 3_600);
        let standing = only(v, desk).standing;
        assert_ne!(standing, RoomStanding::Broken, "{seed}");
    }
}
