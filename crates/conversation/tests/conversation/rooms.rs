//! Conversations of many: found, asked in, talked in, changed, left.

use std::time::Duration;

use hushwing_conversation::view::{Counted, MemberView, Reached, RoomView, Speaker};
use hushwing_conversation::village::{Home, Village, Weather};
use hushwing_conversation::{
    Command, Config, ContactId, Event, GroupSize, MemberId, MessageState, Refusal, Reply, RoomId,
    RoomStanding,
};

use crate::support::*;

/// Alice, who knows everybody, and the others, who know nobody else.
pub(crate) struct Circle {
    pub(crate) village: Village,
    pub(crate) homes: Vec<Home>,
    /// The others, to Alice.
    pub(crate) hers: Vec<ContactId>,
    /// Her room, to each.
    pub(crate) rooms: Vec<RoomId>,
}

pub(crate) fn room_of(reply: Reply) -> RoomView {
    match reply {
        Reply::Room(view) => view,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn rooms(village: &mut Village, home: Home) -> Vec<RoomView> {
    match ask(village, home, Command::Rooms) {
        Reply::Rooms(views) => views,
        other => panic!("{other:?}"),
    }
}

/// People who know Alice.
pub(crate) fn acquaintances(seed: u64, names: &[&str]) -> Circle {
    acquaintances_of(seed, names, GroupSize::default())
}

/// The same, in groups of this size.
pub(crate) fn acquaintances_of(seed: u64, names: &[&str], group_size: GroupSize) -> Circle {
    let mut village = village(seed);
    let config = |name: &&str| Config {
        name: (*name).to_owned(),
        receipt_delay: (DELAY, DELAY),
        rotates: false,
        group_size,
        ..Config::default()
    };
    let homes: Vec<_> = names
        .iter()
        .map(|name| village.move_in_as(config(name)).unwrap())
        .collect();
    for guest in &homes[1..] {
        let link = invite(&mut village, homes[0], false).link;
        join(&mut village, *guest, &link);
        village.rest().unwrap();
    }
    village.pass(Duration::from_secs(10)).unwrap();
    let hers = contacts(&mut village, homes[0]);
    Circle {
        village,
        homes,
        hers: hers.iter().map(|view| view.contact).collect(),
        rooms: Vec::new(),
    }
}

impl Circle {
    pub(crate) fn found(&mut self) {
        let name = "Rowing".to_owned();
        let reply = ask(
            &mut self.village,
            self.homes[0],
            Command::FoundRoom { name },
        );
        self.rooms = vec![room_of(reply).room];
        self.village.rest().unwrap();
    }

    /// Alice asks one more, who accepts.
    pub(crate) fn add(&mut self, who: usize) {
        self.offer(who);
        self.accept(who);
        self.pass(60);
    }

    pub(crate) fn offer(&mut self, who: usize) {
        let (room, contact) = (self.rooms[0], self.hers[who - 1]);
        let command = Command::OfferRoom { room, contact };
        ask(&mut self.village, self.homes[0], command);
        self.pass(60);
    }

    /// The last room that somebody is asked into.
    pub(crate) fn offered(&mut self, who: usize) -> RoomId {
        let all = rooms(&mut self.village, self.homes[who]).into_iter();
        let mut offered = all.filter(|room| room.standing == RoomStanding::Offered);
        offered.next_back().expect("an offer").room
    }

    pub(crate) fn accept(&mut self, who: usize) {
        let room = self.offered(who);
        ask(
            &mut self.village,
            self.homes[who],
            Command::AcceptRoom { room },
        );
        self.rooms.push(room);
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.village.pass(Duration::from_secs(seconds)).unwrap();
    }

    pub(crate) fn view(&mut self, who: usize) -> RoomView {
        let room = self.rooms[who];
        room_of(ask(
            &mut self.village,
            self.homes[who],
            Command::Room { room },
        ))
    }

    pub(crate) fn say(&mut self, who: usize, text: &str) -> hushwing_conversation::MessageId {
        let place = self.rooms[who].place();
        send(&mut self.village, self.homes[who], place, text)
    }

    pub(crate) fn texts(&mut self, who: usize) -> Vec<String> {
        let place = self.rooms[who].place();
        texts(&mut self.village, self.homes[who], place)
    }

    pub(crate) fn member(&mut self, who: usize, name: &str) -> MemberView {
        let members = self.view(who).members;
        let found = members.into_iter().find(|member| member.name == name);
        found.expect(name)
    }

    /// A steward makes somebody another.
    pub(crate) fn make_steward(&mut self, by: usize, name: &str) {
        let (room, member) = (self.rooms[by], self.member(by, name).member);
        let on = true;
        self.ask(by, Command::SetSteward { room, member, on });
    }

    pub(crate) fn ask(&mut self, who: usize, command: Command) -> Reply {
        ask(&mut self.village, self.homes[who], command)
    }

    /// All who are in it agree who is, who its stewards are, and on its name.
    pub(crate) fn agree(&mut self, who: &[usize]) {
        let essence = |view: RoomView| {
            let present = view.members.into_iter().filter(|member| member.present);
            let mut members: Vec<_> = present
                .map(|member| (member.name, member.steward, member.reachable || member.me))
                .collect();
            members.sort();
            (view.name, view.standing, members)
        };
        let first = essence(self.view(who[0]));
        assert_eq!(first.1, RoomStanding::Member);
        assert_eq!(first.2.len(), who.len(), "{first:?}");
        assert!(
            first.2.iter().all(|(_, _, reachable)| *reachable),
            "{first:?}"
        );
        for other in &who[1..] {
            assert_eq!(essence(self.view(*other)), first, "{other}");
        }
    }
}

/// A room of so many in fair weather.
pub(crate) fn circle(seed: u64, names: &[&str]) -> Circle {
    let mut circle = acquaintances(seed, names);
    circle.found();
    for who in 1..names.len() {
        circle.add(who);
    }
    circle
}

const FOUR: [&str; 4] = ["Alice", "Bob", "Carol", "Dave"];

#[test]
fn who_accepts_is_in_and_all_talk() {
    let mut c = circle(1_000, &FOUR);
    c.agree(&[0, 1, 2, 3]);
    for who in 0..4 {
        let id = c.say(who, &format!("from {who}"));
        c.pass(30);
        let place = c.rooms[who].place();
        let mine = read(&mut c.village, c.homes[who], place);
        let mine = mine.iter().find(|view| view.id == id).unwrap();
        assert_eq!(mine.from, Speaker::Me);
        assert_eq!(mine.state, MessageState::Delivered);
        let all = Counted {
            all: 3,
            accepted: 3,
            delivered: 3,
            read: 0,
            failed: 0,
        };
        assert_eq!(mine.counted.as_deref(), Some(&all));
        let Reply::Where(way) = c.ask(who, Command::Where { message: id }) else {
            panic!("another reply")
        };
        let mut reached: Vec<_> = way.members.iter().map(|one| one.member).collect();
        let others = c.view(who).members.into_iter().filter(|one| !one.me);
        let mut others: Vec<_> = others.map(|one| one.member).collect();
        reached.sort();
        others.sort();
        assert_eq!(reached, others);
        let delivered = |one: &Reached| one.state == MessageState::Delivered;
        assert!(way.members.iter().all(delivered));
    }
    let said: Vec<_> = (0..4).map(|who| format!("from {who}")).collect();
    for who in 0..4 {
        assert_eq!(c.texts(who), said, "{who}");
    }
    // Bob and Carol know each other from here only, and by name.
    let place = c.rooms[2].place();
    let view = read(&mut c.village, c.homes[2], place).swap_remove(1);
    assert_eq!(view.from, Speaker::Member(c.member(2, "Bob").member));
    assert_eq!(c.member(2, "Bob").contact, None);
    assert_eq!(contacts(&mut c.village, c.homes[2]).len(), 1);
    // It lasts.
    for who in 0..4 {
        c.village.open_again(c.homes[who]).unwrap();
    }
    c.say(3, "again");
    c.pass(30);
    c.agree(&[0, 1, 2, 3]);
    assert_eq!(c.texts(1).len(), 5);
}

#[test]
fn what_was_said_is_answered_changed_taken_back_and_reacted_to() {
    let mut c = circle(1_001, &FOUR);
    let id = c.say(0, "hello");
    c.pass(30);
    let place = c.rooms[1].place();
    let answer = Command::Send {
        contact: place,
        text: "hi @Carol".to_owned(),
        reply_to: Some(id),
    };
    let answer = sent(c.ask(1, answer));
    for who in [1, 2] {
        let mark = "👍".to_owned();
        c.ask(who, Command::React { message: id, mark });
    }
    let text = "hello all".to_owned();
    c.ask(0, Command::Edit { message: id, text });
    c.pass(30);
    let place = c.rooms[3].place();
    let shown = read(&mut c.village, c.homes[3], place);
    assert_eq!(shown[0].text, "hello all");
    assert!(shown[0].edited);
    let by: Vec<_> = shown[0].reactions.iter().map(|(by, _)| *by).collect();
    let members = ["Bob", "Carol"].map(|name| Speaker::Member(c.member(3, name).member));
    assert!(by.len() == 2 && members.iter().all(|member| by.contains(member)));
    assert_eq!(shown[1].answered.as_ref().unwrap().text, "hello all");
    assert_eq!(shown[1].mentions[0].who, members[1]);
    let place = c.rooms[2].place();
    let hers = read(&mut c.village, c.homes[2], place);
    assert_eq!(hers[1].mentions[0].who, Speaker::Me);
    // Nobody changes what others said.
    let text = "forged".to_owned();
    let refused = refusal(
        &mut c.village,
        c.homes[2],
        Command::Edit {
            message: answer,
            text,
        },
    );
    assert_eq!(refused, Refusal::NotMine);
    c.ask(1, Command::Delete { message: answer });
    c.pass(30);
    let place = c.rooms[3].place();
    let shown = read(&mut c.village, c.homes[3], place);
    assert!(shown[1].deleted && shown[1].text.is_empty());
}

#[test]
fn who_reads_tells_the_author_alone() {
    let mut c = circle(1_002, &FOUR);
    tell_of_reading(&mut c.village, c.homes[1]);
    let id = c.say(0, "read me");
    c.pass(30);
    for who in [1, 2] {
        c.texts(who);
    }
    c.pass(30);
    let place = c.rooms[0].place();
    let view = read(&mut c.village, c.homes[0], place).swap_remove(0);
    assert_eq!(view.id, id);
    let counted = view.counted.unwrap();
    assert_eq!((counted.delivered, counted.read), (3, 1));
    // Nothing more leaves once all is confirmed.
    c.village.overhear();
    c.pass(3_600);
    assert_eq!(c.village.overhear().len(), 0);
}

#[test]
fn a_room_is_refused_without_a_word_and_an_offer_lapses() {
    let mut c = acquaintances(1_003, &["Alice", "Bob", "Carol"]);
    c.found();
    c.offer(1);
    let offered = rooms(&mut c.village, c.homes[1]).swap_remove(0);
    assert_eq!(offered.standing, RoomStanding::Offered);
    assert_eq!((offered.name.as_str(), offered.size), ("Rowing", 1));
    let room = offered.room;
    c.village.events(c.homes[0]);
    c.ask(1, Command::RefuseRoom { room });
    c.pass(60);
    let events = c.village.events(c.homes[0]);
    assert!(!events.iter().any(|event| matches!(event, Event::Room(_))));
    assert!(rooms(&mut c.village, c.homes[1]).is_empty());
    assert_eq!(c.view(0).asked, [c.hers[0]]);
    let again = Command::OfferRoom {
        room: c.rooms[0],
        contact: c.hers[0],
    };
    // Asked again, he is shown it again; taken back, it is gone on both sides.
    c.ask(0, again.clone());
    c.pass(60);
    assert_eq!(rooms(&mut c.village, c.homes[1]).len(), 1);
    let back = Command::TakeOfferBack {
        room: c.rooms[0],
        contact: c.hers[0],
    };
    c.ask(0, back.clone());
    c.pass(60);
    assert!(rooms(&mut c.village, c.homes[1]).is_empty());
    assert!(c.view(0).asked.is_empty());
    let no = refusal(&mut c.village, c.homes[0], back);
    assert_eq!(no, Refusal::NoMember);
    c.ask(0, again.clone());
    c.village.pass(Duration::from_secs(22 * 86_400)).unwrap();
    assert!(c.view(0).asked.is_empty());
    c.ask(0, again);
    c.pass(60);
    c.accept(1);
    c.pass(60);
    c.agree(&[0, 1]);
}

#[test]
fn commands_that_cannot_be_are_refused() {
    let mut c = circle(1_004, &["Alice", "Bob", "Carol"]);
    let (room, hers) = (c.rooms[1], c.rooms[0]);
    let bob = c.homes[1];
    let alice = c.member(1, "Alice").member;
    let mut no = |command| refusal(&mut c.village, bob, command);
    let name = || "x".to_owned();
    let steward = Refusal::NotASteward;
    assert_eq!(no(Command::RenameRoom { room, name: name() }), steward);
    assert_eq!(
        no(Command::RemoveMember {
            room,
            member: alice
        }),
        steward
    );
    let on = true;
    assert_eq!(
        no(Command::SetSteward {
            room,
            member: alice,
            on
        }),
        steward
    );
    assert_eq!(no(Command::ForgetRoom { room }), Refusal::StillInRoom);
    assert_eq!(no(Command::AcceptRoom { room }), Refusal::NotARequest);
    let nowhere = RoomId(9_999);
    assert_eq!(no(Command::Room { room: nowhere }), Refusal::NoRoom);
    assert_eq!(no(Command::LeaveRoom { room: nowhere }), Refusal::NoRoom);
    // What there is between two only.
    let contact = room.place();
    assert_eq!(no(Command::SafetyNumber { contact }), Refusal::NotInRooms);
    assert_eq!(no(Command::Forget { contact }), Refusal::NoContact);
    let alice = c.homes[0];
    let mut no = |command| refusal(&mut c.village, alice, command);
    let nobody = MemberId(9_999);
    assert_eq!(
        no(Command::RemoveMember {
            room: hers,
            member: nobody
        }),
        Refusal::NoMember
    );
    assert_eq!(no(Command::LeaveRoom { room: hers }), Refusal::LastSteward);
    let name = "  ".to_owned();
    assert_eq!(no(Command::FoundRoom { name }), Refusal::BadName);
}

#[test]
fn who_is_removed_reads_nothing_further() {
    let mut c = circle(1_005, &FOUR);
    c.say(0, "before");
    c.pass(30);
    let (room, member) = (c.rooms[0], c.member(0, "Dave").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(60);
    c.agree(&[0, 1, 2]);
    assert_eq!(c.view(3).standing, RoomStanding::Left);
    c.say(1, "after");
    c.pass(60);
    assert_eq!(c.texts(2), ["before", "after"]);
    assert_eq!(c.texts(3), ["before"]);
    let speak = Command::Send {
        contact: c.rooms[3].place(),
        text: "still here".to_owned(),
        reply_to: None,
    };
    assert_eq!(
        refusal(&mut c.village, c.homes[3], speak),
        Refusal::NotInRoom
    );
    // And is brought in again by being asked again.
    c.offer(3);
    assert_eq!(c.view(3).standing, RoomStanding::Left);
    let room = c.offered(3);
    let entered = room_of(c.ask(3, Command::AcceptRoom { room }));
    assert_eq!(entered.room, c.rooms[3], "where it was said before");
    c.pass(120);
    c.agree(&[0, 1, 2, 3]);
    c.say(3, "back");
    c.pass(60);
    assert_eq!(c.texts(1), ["before", "after", "back"]);
    assert_eq!(c.texts(3), ["before", "back"]);
}

#[test]
fn who_leaves_hears_nothing_and_is_removed_by_a_steward() {
    let mut c = circle(1_006, &FOUR);
    let room = c.rooms[2];
    c.ask(2, Command::LeaveRoom { room });
    c.pass(60);
    assert_eq!(c.view(2).standing, RoomStanding::Left);
    c.agree(&[0, 1, 3]);
    c.say(0, "gone?");
    c.pass(60);
    assert!(c.texts(2).is_empty());
    c.ask(2, Command::ForgetRoom { room });
    assert!(rooms(&mut c.village, c.homes[2]).is_empty());
    // A steward leaves once there is another.
    let (room, member) = (c.rooms[0], c.member(0, "Bob").member);
    c.ask(
        0,
        Command::SetSteward {
            room,
            member,
            on: true,
        },
    );
    c.pass(60);
    assert!(c.member(3, "Bob").steward);
    c.ask(0, Command::LeaveRoom { room });
    c.pass(60);
    c.agree(&[1, 3]);
    let (room, member) = (c.rooms[1], c.member(1, "Dave").member);
    c.ask(
        1,
        Command::RenameRoom {
            room,
            name: "Two".to_owned(),
        },
    );
    c.ask(1, Command::RemoveMember { room, member });
    c.pass(60);
    assert_eq!(c.view(1).size, 1);
    c.ask(1, Command::LeaveRoom { room });
    assert_eq!(c.view(1).standing, RoomStanding::Left);
}

#[test]
fn two_stewards_who_commit_at_once_come_to_one_room() {
    for seed in [1_007, 1_107, 1_207] {
        let mut c = circle(seed, &["Alice", "Bob", "Carol", "Dave", "Eve"]);
        let (room, member) = (c.rooms[0], c.member(0, "Bob").member);
        c.ask(
            0,
            Command::SetSteward {
                room,
                member,
                on: true,
            },
        );
        c.pass(60);
        c.agree(&[0, 1, 2, 3, 4]);
        // At the same moment: neither knows of the other's.
        let name = "Sailing".to_owned();
        let member = c.member(1, "Eve").member;
        let theirs = c.rooms[1];
        c.village
            .ask(c.homes[0], Command::RenameRoom { room, name })
            .unwrap();
        c.village
            .ask(
                c.homes[1],
                Command::RemoveMember {
                    room: theirs,
                    member,
                },
            )
            .unwrap();
        c.say(2, "meanwhile");
        c.pass(120);
        c.agree(&[0, 1, 2, 3]);
        assert_eq!(c.view(3).name, "Sailing");
        assert_eq!(c.view(4).standing, RoomStanding::Left);
        c.say(3, "after");
        c.pass(60);
        for who in 0..4 {
            assert_eq!(c.texts(who), ["meanwhile", "after"], "{seed} {who}");
        }
    }
}

#[test]
fn what_is_said_before_a_newcomer_greets_reaches_them() {
    let mut c = circle(1_008, &["Alice", "Bob", "Carol"]);
    // Carol's greeting to Bob is lost on the way to him.
    let mut d = acquaintances(1_018, &["Alice", "Bob", "Carol"]);
    d.found();
    d.add(1);
    d.offer(2);
    d.village.swallow(d.homes[1], 0);
    d.accept(2);
    d.village.rest().unwrap();
    d.say(1, "welcome");
    d.pass(120);
    assert_eq!(d.texts(2).last().map(String::as_str), Some("welcome"));
    // Nothing of a room is said in other places.
    assert!(c.texts(2).is_empty());
}

#[test]
fn bad_weather_costs_time_and_nothing_else() {
    let mut c = acquaintances(1_009, &FOUR);
    c.village.set_weather(Weather {
        loss: 60,
        repeat: 40,
        reorder: 90,
    });
    c.found();
    for who in 1..4 {
        c.offer(who);
        c.pass(600);
        c.accept(who);
        c.pass(600);
        c.say(0, &format!("hello {who}"));
    }
    c.pass(600);
    c.agree(&[0, 1, 2, 3]);
    for round in 0..3 {
        for who in 0..4 {
            c.say(who, &format!("{round} {who}"));
        }
    }
    c.pass(3_600);
    let all = c.texts(0);
    assert_eq!(all.len(), 15);
    for who in 1..4 {
        let theirs = c.texts(who);
        assert_eq!(theirs, all[all.len() - theirs.len()..], "{who}");
        assert!(theirs.len() >= 12 + 4 - who - 1, "{theirs:?}");
    }
}
