//! Groups on all devices of somebody.

use hushwing_conversation::branches::{OwnPackage, Wish};
use hushwing_conversation::storage::{RoomRows as _, SeenRecord, Storage as _};
use hushwing_conversation::view::{Draft, MessageView, RoomView, Speaker};
use hushwing_conversation::village::{Home, Village, Weather};
use hushwing_conversation::{
    Change, Command, Event, MessageId, MessageState, Refusal, Reply, RoomId, RoomStanding,
};

use crate::devices::{device, link, pass};
use crate::rooms::{Circle, acquaintances, room_of, rooms};
use hushwing_delivery::Address;

use crate::rooms_shadow::Shadow;
use crate::support::*;

/// Alice's group with Bob, and her telephone beside her desk, which is home 0.
pub(crate) struct Desk {
    pub(crate) circle: Circle,
    pub(crate) phone: Home,
}

impl Desk {
    /// The telephone is linked when the group is there already.
    pub(crate) fn new(seed: u64, names: &[&str]) -> Self {
        let mut circle = acquaintances(seed, names);
        circle.found();
        for who in 1..names.len() {
            circle.add(who);
        }
        let phone = circle.village.move_in("Alice", DELAY).unwrap();
        let desk = circle.homes[0];
        link(&mut circle.village, (desk, "desk"), (phone, "phone"));
        pass(&mut circle.village, 120);
        Self { circle, phone }
    }

    pub(crate) fn village(&mut self) -> &mut Village {
        &mut self.circle.village
    }

    pub(crate) fn desk(&self) -> Home {
        self.circle.homes[0]
    }

    pub(crate) fn bob(&self) -> Home {
        self.circle.homes[1]
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.circle.pass(seconds);
    }

    pub(crate) fn say(&mut self, home: Home, text: &str) -> MessageId {
        let room = only(self.village(), home).room;
        send(self.village(), home, room.place(), text)
    }

    /// Who said what, as a home shows it.
    pub(crate) fn read(&mut self, home: Home) -> Vec<(bool, String)> {
        let said = self.look(home).into_iter();
        said.map(|view| (view.from == Speaker::Me, view.text))
            .collect()
    }

    pub(crate) fn look(&mut self, home: Home) -> Vec<MessageView> {
        let room = only(self.village(), home);
        read(self.village(), home, room.room.place())
    }
}

/// The one group of a home.
pub(crate) fn only(village: &mut Village, home: Home) -> RoomView {
    let mut all = rooms(village, home);
    assert_eq!(all.len(), 1, "groups");
    all.remove(0)
}

pub(crate) fn lines(said: &[(bool, &str)]) -> Vec<(bool, String)> {
    let said = said.iter();
    said.map(|(mine, text)| (*mine, (*text).to_owned()))
        .collect()
}

#[test]
fn a_linked_device_is_in_the_groups_of_the_account_and_talks() {
    let mut d = Desk::new(4_100, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let view = only(d.village(), phone);
    assert_eq!(
        (view.standing, view.name.as_str()),
        (RoomStanding::Member, "Rowing")
    );
    assert_eq!(view.size, 2, "people");
    d.say(bob, "from bob");
    d.pass(60);
    d.say(desk, "from the desk");
    d.pass(60);
    d.say(phone, "from the phone");
    d.pass(60);
    let hers = [
        (false, "from bob"),
        (true, "from the desk"),
        (true, "from the phone"),
    ];
    assert_eq!(d.read(desk), lines(&hers));
    assert_eq!(d.read(phone), lines(&hers));
    let his = [
        (true, "from bob"),
        (false, "from the desk"),
        (false, "from the phone"),
    ];
    assert_eq!(d.read(bob), lines(&his));
    let said = d.look(bob);
    assert_eq!(said[1].from, said[2].from, "one person");
}

#[test]
fn somebody_with_two_devices_is_one_member() {
    let mut d = Desk::new(4_101, &["Alice", "Bob", "Carol"]);
    for home in [d.desk(), d.bob(), d.phone] {
        let view = only(d.village(), home);
        let mut members: Vec<_> = view.members.iter().collect();
        members.sort_by_key(|one| one.name.clone());
        let shown = members
            .iter()
            .map(|one| (one.name.as_str(), one.devices, one.present));
        let shown: Vec<_> = shown.collect();
        assert_eq!(
            shown,
            [("Alice", 2, true), ("Bob", 1, true), ("Carol", 1, true)]
        );
        assert_eq!(view.size, 3);
    }
}

#[test]
fn a_message_is_delivered_when_people_have_it_and_not_when_devices_do() {
    let mut d = Desk::new(4_102, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    // The telephone is written to in vain.
    d.village().cut_off(phone);
    d.say(bob, "one of her devices is on");
    d.say(desk, "and his only one");
    d.pass(120);
    for home in [desk, bob] {
        let said = d.look(home).into_iter();
        let mut mine = said.filter(|view| view.from == Speaker::Me);
        let mine = mine.next().unwrap();
        assert_eq!(mine.state, MessageState::Delivered);
        let counted = mine.counted.unwrap();
        assert_eq!((counted.all, counted.delivered), (1, 1));
    }
}

#[test]
fn what_one_device_said_another_changes() {
    let mut d = Desk::new(4_103, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let first = d.say(desk, "tree");
    let second = d.say(desk, "to be gone");
    d.pass(60);
    let edit = Command::Edit {
        message: first,
        text: "three".to_owned(),
    };
    ask(d.village(), phone, edit);
    ask(d.village(), phone, Command::Delete { message: second });
    d.pass(60);
    for home in [desk, bob, phone] {
        let said = d.look(home);
        assert_eq!((said[0].text.as_str(), said[0].edited), ("three", true));
        assert!(said[1].deleted);
    }
}

#[test]
fn a_group_that_is_found_or_entered_later_comes_to_all_devices() {
    let mut circle = acquaintances(4_104, &["Alice", "Bob"]);
    let phone = circle.village.move_in("Alice", DELAY).unwrap();
    let laptop = circle.village.move_in("Bob", DELAY).unwrap();
    let (desk, bob) = (circle.homes[0], circle.homes[1]);
    link(&mut circle.village, (desk, "desk"), (phone, "phone"));
    link(&mut circle.village, (bob, "bob"), (laptop, "laptop"));
    circle.found();
    circle.add(1);
    circle.pass(120);
    let mut d = Desk { circle, phone };
    d.say(laptop, "hello");
    d.pass(60);
    for home in [desk, bob, phone, laptop] {
        let mine = home == bob || home == laptop;
        assert_eq!(d.read(home), lines(&[(mine, "hello")]));
    }
}

#[test]
fn a_revoked_device_reads_nothing_further_in_any_group() {
    let mut d = Desk::new(4_105, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    d.say(bob, "before");
    d.pass(60);
    let lost = device(d.village(), desk, "phone");
    ask(d.village(), desk, Command::RevokeDevice { device: lost });
    d.pass(60);
    assert_eq!(only(d.village(), phone).standing, RoomStanding::Left);
    d.say(bob, "after");
    d.pass(30);
    d.say(desk, "and this");
    d.pass(120);
    assert_eq!(d.read(phone), lines(&[(false, "before")]));
    let room = only(d.village(), phone).room;
    let say = Command::Send {
        contact: room.place(),
        text: "still here".to_owned(),
        reply_to: None,
    };
    assert_eq!(refusal(d.village(), phone, say), Refusal::ThrownOut);
    let both = [(false, "before"), (false, "after"), (true, "and this")];
    assert_eq!(d.read(desk), lines(&both));
    for home in [desk, bob] {
        let view = only(d.village(), home);
        assert!(view.members.iter().all(|one| one.devices == 1));
    }
    // It asks again, and is not let in.
    d.village().open_again(phone).unwrap();
    d.village().open_again(desk).unwrap();
    d.pass(300);
    assert_eq!(only(d.village(), phone).standing, RoomStanding::Left);
}

#[test]
fn who_leaves_by_one_device_is_out_with_all() {
    let mut d = Desk::new(4_106, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    // Bob is to be a steward, so that Alice may go.
    let theirs = only(d.village(), desk);
    let member = theirs.members.iter().find(|one| !one.me).unwrap().member;
    let appoint = Command::SetSteward {
        room: theirs.room,
        member,
        on: true,
    };
    ask(d.village(), desk, appoint);
    d.pass(60);
    let room = only(d.village(), phone).room;
    ask(d.village(), phone, Command::LeaveRoom { room });
    d.pass(120);
    for home in [desk, phone] {
        assert_eq!(only(d.village(), home).standing, RoomStanding::Left);
    }
    assert_eq!(only(d.village(), bob).size, 1);
}

#[test]
fn a_steward_is_one_with_each_device() {
    let mut d = Desk::new(4_107, &["Alice", "Bob"]);
    let (bob, phone) = (d.bob(), d.phone);
    let view = only(d.village(), phone);
    let rename = Command::RenameRoom {
        room: view.room,
        name: "Sailing".to_owned(),
    };
    room_of(ask(d.village(), phone, rename));
    d.pass(60);
    assert_eq!(only(d.village(), bob).name, "Sailing");
    let member = view.members.iter().find(|one| !one.me).unwrap().member;
    let remove = Command::RemoveMember {
        room: view.room,
        member,
    };
    ask(d.village(), phone, remove);
    d.pass(60);
    assert_eq!(only(d.village(), bob).standing, RoomStanding::Left);
}

#[test]
fn devices_come_into_groups_in_bad_weather_and_over_restarts() {
    for seed in 4_110..4_113 {
        let mut circle = acquaintances(seed, &["Alice", "Bob"]);
        circle.found();
        circle.add(1);
        let phone = circle.village.move_in("Alice", DELAY).unwrap();
        let desk = circle.homes[0];
        link(&mut circle.village, (desk, "desk"), (phone, "phone"));
        circle.village.set_weather(Weather {
            loss: 60,
            repeat: 30,
            reorder: 60,
        });
        for _ in 0..4 {
            circle.pass(20);
            circle.village.open_again(desk).unwrap();
            circle.village.open_again(phone).unwrap();
        }
        circle.village.set_weather(Weather::default());
        circle.pass(600);
        let mut d = Desk { circle, phone };
        let bob = d.bob();
        d.say(phone, "in at last");
        d.pass(120);
        assert_eq!(d.read(bob), lines(&[(false, "in at last")]), "seed {seed}");
    }
}

#[test]
fn a_third_device_hears_of_groups_by_any() {
    let mut d = Desk::new(4_108, &["Alice", "Bob"]);
    let (bob, phone) = (d.bob(), d.phone);
    let tablet = d.village().move_in("Alice", DELAY).unwrap();
    link(d.village(), (phone, "phone"), (tablet, "tablet"));
    d.pass(300);
    d.say(tablet, "three of one");
    d.pass(60);
    assert_eq!(d.read(bob), lines(&[(false, "three of one")]));
    let room = RoomId(only(d.village(), bob).room.0);
    let members = d.village().storage(bob).unwrap().members(room).unwrap();
    assert_eq!(members.iter().filter(|one| one.present).count(), 4);
}

/// How many texts nobody looked at.
pub(crate) fn unread(village: &mut Village, home: Home) -> u64 {
    match ask(village, home, Command::Conversations) {
        Reply::Conversations(all) => all.iter().find(|one| one.room.is_some()).unwrap().unread,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_one_device_read_is_read_on_all_and_told_once() {
    let mut d = Desk::new(4_120, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    ask(d.village(), desk, Command::SetReadReceipts { on: true });
    let said = d.say(bob, "look at this");
    d.pass(60);
    assert_eq!(
        (unread(d.village(), desk), unread(d.village(), phone)),
        (1, 1)
    );
    d.village().events(phone);
    d.look(desk);
    d.pass(60);
    assert_eq!(
        (unread(d.village(), desk), unread(d.village(), phone)),
        (0, 0)
    );
    let told = d.village().events(phone).into_iter();
    let mut kept = told.filter(|event| matches!(event, Event::Conversation(_)));
    assert!(kept.next().is_some(), "faces are told");
    let mine = d.look(bob).into_iter().find(|one| one.id == said).unwrap();
    assert_eq!(mine.state, MessageState::Read);
    // The telephone tells nobody that it read, as its owner wishes there.
    d.say(bob, "and at this");
    d.pass(60);
    d.look(phone);
    d.pass(60);
    assert_eq!(unread(d.village(), desk), 0);
    let last = d.look(bob).pop().unwrap();
    assert_eq!(last.state, MessageState::Delivered);
    // It lasts.
    for home in [desk, phone] {
        d.village().open_again(home).unwrap();
        assert_eq!(unread(d.village(), home), 0);
    }
}

#[test]
fn what_was_read_elsewhere_before_it_came_is_read() {
    let mut overtaken = false;
    for seed in 4_121..4_137 {
        let mut d = Desk::new(seed, &["Alice", "Bob"]);
        let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
        d.village().set_weather(Weather {
            loss: 120,
            repeat: 0,
            reorder: 200,
        });
        for text in ["a", "b", "c", "d"] {
            d.say(bob, text);
            d.pass(1);
            d.look(desk);
            let room = only(d.village(), phone).room;
            let seen = d.village().storage(phone).unwrap();
            let seen = SeenRecord::of(seen, room).unwrap();
            let here = d.village().storage(phone).unwrap();
            let last = here.last_position(room.place()).unwrap();
            if seen > last {
                overtaken = true;
                break;
            }
        }
        d.village().set_weather(Weather::default());
        d.pass(300);
        let both = (unread(d.village(), desk), unread(d.village(), phone));
        assert_eq!(both.0, both.1, "seed {seed}");
    }
    assert!(overtaken, "no case");
}

#[test]
fn what_one_device_began_to_write_another_goes_on_with() {
    let mut d = Desk::new(4_130, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let asked = d.say(bob, "when?");
    d.pass(60);
    let draft = |village: &mut Village, home| match ask(village, home, Command::Conversations) {
        Reply::Conversations(all) => all.into_iter().find_map(|one| one.draft),
        other => panic!("{other:?}"),
    };
    let begun = Draft {
        text: "at s".to_owned(),
        reply_to: Some(asked),
    };
    for (change, kept) in [(Some(begun.clone()), Some(begun)), (None, None)] {
        let conversation = only(d.village(), desk).conversation;
        let keep = Command::Keep {
            conversation,
            change: Change::Draft(change),
        };
        ask(d.village(), desk, keep);
        d.pass(60);
        assert_eq!(draft(d.village(), phone), kept);
        assert_eq!(draft(d.village(), bob), None);
    }
}

/// The leaves of a group, as somebody's program knows them.
pub(crate) fn leaves(village: &mut Village, home: Home) -> usize {
    let room = only(village, home).room;
    let members = village.storage(home).unwrap().members(room).unwrap();
    members.iter().filter(|one| one.present).count()
}

pub(crate) fn revoke(d: &mut Desk, name: &str) {
    let desk = d.desk();
    let lost = device(d.village(), desk, name);
    ask(d.village(), desk, Command::RevokeDevice { device: lost });
}

/// Bob's group, in which Alice is no steward, with her desk and her other devices.
pub(crate) fn guests(seed: u64, names: &[&str]) -> (Desk, Vec<Home>) {
    let mut circle = acquaintances(seed, &["Bob", "Alice"]);
    circle.found();
    circle.add(1);
    let alice = circle.homes[1];
    let mut others = Vec::new();
    for name in names {
        let other = circle.village.move_in("Alice", DELAY).unwrap();
        link(&mut circle.village, (alice, "desk"), (other, name));
        circle.pass(300);
        others.push(other);
    }
    circle.homes.reverse();
    let phone = others[0];
    (Desk { circle, phone }, others)
}

#[test]
fn a_device_that_took_a_second_place_is_out_of_both() {
    let mut d = Desk::new(4_140, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let group = only(d.village(), phone).conversation;
    let rows = d.village().storage(phone).unwrap().clone();
    let mut stolen = Shadow::in_rows(rows, group);
    let me = stolen.keeper.account().clone();
    let package = stolen.act(|_, lent| OwnPackage::make(lent, &me).unwrap());
    let (commit, _) = stolen.commit(Wish::Add(package.message));
    let commit = commit.unwrap();
    stolen.post_message(&mut d.circle, 1, &commit);
    let room = only(d.village(), bob).room;
    let known = d.village().storage(bob).unwrap().members(room).unwrap();
    let from = stolen.keeper.signature_key();
    for one in known.iter().filter(|one| one.name == "Alice") {
        let to = Address::decode(one.addresses[0].expose()).unwrap();
        stolen.post_to(&mut d.circle, to, 6, &[&from, &commit]);
    }
    d.pass(60);
    assert_eq!(leaves(d.village(), desk), 4);
    revoke(&mut d, "phone");
    // The second one has no time to throw the good ones out.
    d.pass(20);
    assert_eq!(
        (leaves(d.village(), desk), leaves(d.village(), bob)),
        (2, 2)
    );
}

#[test]
fn a_revoked_device_is_told_of_no_group_and_let_into_none() {
    let mut d = Desk::new(4_141, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    revoke(&mut d, "phone");
    // Before the room of the devices follows that.
    let name = "Sailing".to_owned();
    ask(d.village(), desk, Command::FoundRoom { name });
    d.pass(600);
    assert_eq!(rooms(d.village(), phone).len(), 1);
    assert_eq!(only(d.village(), phone).standing, RoomStanding::Left);
}

#[test]
fn who_was_removed_and_asked_in_anew_comes_with_all_devices() {
    let (mut d, _) = guests(4_142, &["phone"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    assert_eq!(leaves(d.village(), bob), 3);
    let view = only(d.village(), bob);
    let member = view.members.iter().find(|one| !one.me).unwrap().member;
    let room = view.room;
    ask(d.village(), bob, Command::RemoveMember { room, member });
    d.pass(120);
    for home in [desk, phone] {
        assert_eq!(only(d.village(), home).standing, RoomStanding::Left);
    }
    let contact = contacts(d.village(), bob)[0].contact;
    ask(d.village(), bob, Command::OfferRoom { room, contact });
    d.pass(60);
    let all = rooms(d.village(), desk).into_iter();
    let mut offered = all.filter(|one| one.offered);
    let room = offered.next().unwrap().room;
    ask(d.village(), desk, Command::AcceptRoom { room });
    d.pass(600);
    assert_eq!(only(d.village(), phone).standing, RoomStanding::Member);
    d.say(phone, "here again");
    d.pass(60);
    assert_eq!(d.read(bob), lines(&[(false, "here again")]));
}

#[test]
fn of_three_devices_in_a_quiet_group_a_revoked_one_is_out_at_once() {
    let (mut d, others) = guests(4_143, &["phone", "tablet"]);
    let (desk, bob, phone, tablet) = (d.desk(), d.bob(), others[0], others[1]);
    // In a quiet group devices come one by one, as others make commits.
    for _ in 0..6 {
        if leaves(d.village(), bob) == 4 {
            break;
        }
        let room = only(d.village(), bob).room;
        let name = format!("Rowing {}", d.village().calls(bob));
        ask(d.village(), bob, Command::RenameRoom { room, name });
        d.pass(120);
    }
    assert_eq!(leaves(d.village(), bob), 4);
    revoke(&mut d, "phone");
    d.pass(120);
    assert_eq!(only(d.village(), phone).standing, RoomStanding::Left);
    // It is too early for one of three to go alone.
    assert_eq!(only(d.village(), tablet).standing, RoomStanding::Joining);
    assert_eq!(leaves(d.village(), bob), 2);
    d.say(bob, "without the phone");
    d.pass(60);
    assert!(d.read(phone).is_empty());
    assert_eq!(d.read(desk), lines(&[(false, "without the phone")]));
    // The good one comes back.
    for _ in 0..8 {
        let room = only(d.village(), bob).room;
        let name = format!("Rowing {}", d.village().calls(bob));
        ask(d.village(), bob, Command::RenameRoom { room, name });
        d.pass(120);
    }
    d.say(tablet, "still one of two");
    d.pass(60);
    assert_eq!(
        d.read(bob).pop(),
        Some((false, "still one of two".to_owned()))
    );
}
