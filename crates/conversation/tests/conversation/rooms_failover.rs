//! A server that fails in any way stops no group whose members have another.

use hushwing_conversation::storage::RoomRows as _;
use hushwing_conversation::view::Speaker;
use hushwing_conversation::village::{Conduct, Home};
use hushwing_conversation::{Command, Config, MemoryStorage, MessageState, RoomStanding};
use hushwing_delivery::SendFailure;

use crate::devices::{devices, link};
use crate::devices_pairs::Two;
use crate::rooms::{Circle, circle};
use crate::support::*;

const HOUR: u64 = 3_600;
const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

impl Circle {
    /// All choose so many mailboxes for each conversation and group.
    pub(crate) fn choose(&mut self, mailboxes: usize) {
        for home in self.homes.clone() {
            let choose = |config: &mut Config| config.mailboxes = mailboxes;
            self.village.choose(home, choose).unwrap();
        }
        self.pass(2 * HOUR);
    }

    /// Somebody knows of another what they knew then.
    pub(crate) fn forget_what_was_told(&mut self, who: usize, name: &str, then: &MemoryStorage) {
        let (home, room) = (self.homes[who], self.rooms[who]);
        let member = self.member(who, name).member;
        let mut members = then.members(room).unwrap().into_iter();
        let record = members.find(|one| one.member == member).unwrap();
        let storage = self.village.storage(home).unwrap();
        storage.put_member(&record).unwrap();
        self.village.open_again(home).unwrap();
    }

    pub(crate) fn rotate_weekly(&mut self) {
        for home in self.homes.clone() {
            let choose = |config: &mut Config| config.rotates = true;
            self.village.choose(home, choose).unwrap();
        }
    }

    /// Where somebody writes to another.
    pub(crate) fn member_addresses(&mut self, who: usize, name: &str) -> Vec<Vec<u8>> {
        let (home, room) = (self.homes[who], self.rooms[who]);
        let member = self.member(who, name).member;
        let storage = self.village.storage(home).unwrap();
        let members = storage.members(room).unwrap().into_iter();
        let mut found = members.filter(|one| one.member == member);
        let addresses = found.next().unwrap().addresses.into_iter();
        addresses.map(|one| one.expose().to_vec()).collect()
    }

    /// How many mailboxes of somebody for this group lie on which server, those that are
    /// on their way out included.
    fn lies_on(&mut self, who: usize) -> Vec<usize> {
        let all = self.village.servers_of(self.homes[who]);
        let mut lies = vec![0; 3];
        all.into_iter().for_each(|server| lies[server] += 1);
        lies
    }
}

/// Three in a group, with a mailbox on each of two servers.
fn on_two_servers(seed: u64) -> Circle {
    let mut c = circle(seed, &THREE);
    c.village.set_servers(2);
    c.choose(2);
    c.pass(26 * HOUR);
    c
}

#[test]
fn no_server_alone_stops_or_corrupts_a_group() {
    let hostile = [
        Conduct::Dead,
        Conduct::Refusing(SendFailure::WrongServer),
        Conduct::Refusing(SendFailure::Full),
        Conduct::Dropping,
        Conduct::Slow(std::time::Duration::from_secs(1_800)),
        Conduct::Replaying,
        Conduct::Reordering,
    ];
    for conduct in hostile {
        for server in [0, 1] {
            let mut c = on_two_servers(6_100);
            c.village.set_conduct(server, conduct);
            for n in 0..4 {
                for who in 0..3 {
                    c.say(who, &format!("{n} by {who}"));
                }
                c.pass(40);
            }
            // What changes it gets to all as well.
            let (room, name) = (c.rooms[0], "Sailing".to_owned());
            c.ask(0, Command::RenameRoom { room, name });
            c.pass(40);
            c.say(0, "renamed");
            c.pass(2 * HOUR);
            c.agree(&[0, 1, 2]);
            assert_eq!(c.view(2).name, "Sailing", "{conduct:?} {server}");
            let place = c.rooms[0].place();
            let shown = read(&mut c.village, c.homes[0], place).into_iter();
            let mut mine = shown.filter(|view| view.from == Speaker::Me);
            let there = mine.all(|view| view.state >= MessageState::Delivered);
            assert!(there, "{conduct:?} {server}: not all is known to be there");
            let all = c.texts(0);
            assert_eq!(all.len(), 13, "{conduct:?} {server}: {all:?}");
            for who in 1..3 {
                assert_eq!(c.texts(who), all, "{conduct:?} {server} {who}");
            }
        }
    }
}

#[test]
fn there_are_as_many_mailboxes_as_were_chosen_each_on_another_server() {
    let mut c = circle(6_102, &["Alice", "Bob"]);
    assert_eq!(c.lies_on(1), [2, 0, 0], "of the contact, and of the group");
    c.village.set_servers(3);
    c.choose(3);
    c.pass(26 * HOUR);
    assert_eq!(c.lies_on(1), [2, 2, 2]);
    // Alice knows them all.
    let home: Home = c.homes[1];
    c.village.watch_servers();
    for server in 0..3 {
        for other in 0..3 {
            let conduct = match other == server {
                true => Conduct::Fair,
                false => Conduct::Dead,
            };
            c.village.set_conduct(other, conduct);
        }
        c.say(0, &format!("by {server}"));
        c.pass(60);
        assert!(c.village.carried(home, server) > 0, "{server}");
    }
    for server in 0..3 {
        c.village.set_conduct(server, Conduct::Fair);
    }
    c.pass(HOUR);
    assert_eq!(c.texts(1).len(), 3);
    c.choose(1);
    c.pass(50 * HOUR);
    assert_eq!(c.lies_on(1).iter().sum::<usize>(), 2);
    c.say(0, "by the one that is left");
    c.pass(60);
    assert_eq!(c.texts(1).len(), 4);
}

#[test]
fn a_mailbox_that_cannot_be_made_keeps_nobody_from_leaving_one_that_is_known() {
    let mut c = circle(6_105, &THREE);
    c.village.set_servers(2);
    // The further ones are to lie on a server that takes none.
    c.village.set_conduct(1, Conduct::Dead);
    c.choose(2);
    let before = c.member_addresses(0, "Bob");
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(HOUR);
    assert_ne!(c.member_addresses(0, "Bob"), before, "Carol knows it");
}

#[test]
fn what_the_only_server_dropped_is_said_again_once_something_later_is_confirmed() {
    let mut c = circle(6_107, &THREE);
    c.village.set_conduct(0, Conduct::Dropping);
    c.say(0, "lost");
    c.pass(HOUR);
    c.village.set_conduct(0, Conduct::Fair);
    c.say(0, "found");
    c.pass(120);
    assert_eq!(c.texts(1), ["found"]);
    c.pass(600);
    for who in 0..3 {
        assert_eq!(c.texts(who), ["lost", "found"], "{who}");
    }
    let place = c.rooms[0].place();
    let said = read(&mut c.village, c.homes[0], place);
    let mut states = said.iter().map(|one| one.state);
    assert!(states.all(|state| state >= MessageState::Delivered));
}

#[test]
fn who_leaves_while_the_only_server_drops_all_is_removed_a_day_later() {
    let mut c = circle(6_108, &THREE);
    c.village.set_conduct(0, Conduct::Dropping);
    let room = c.rooms[2];
    c.ask(2, Command::LeaveRoom { room });
    c.pass(HOUR);
    c.village.set_conduct(0, Conduct::Fair);
    c.pass(HOUR);
    assert_eq!(c.view(2).standing, RoomStanding::Leaving);
    assert!(c.member(0, "Carol").present, "nobody heard it");
    c.pass(24 * HOUR);
    assert_eq!(c.view(2).standing, RoomStanding::Left);
    c.agree(&[0, 1]);
}

#[test]
fn who_was_removed_while_the_only_server_dropped_all_is_told_a_day_later_and_never_answered() {
    let mut c = circle(6_109, &THREE);
    c.village.set_conduct(0, Conduct::Dropping);
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(HOUR);
    c.village.set_conduct(0, Conduct::Fair);
    c.say(0, "without Carol");
    c.pass(HOUR);
    c.agree(&[0, 1]);
    c.say(2, "still here");
    c.pass(HOUR);
    assert_eq!(c.view(2).standing, RoomStanding::Member, "nobody answers");
    c.pass(22 * HOUR);
    assert_eq!(c.view(2).standing, RoomStanding::Left);
    assert_eq!(c.texts(0), ["without Carol"]);
}

#[test]
fn leaving_is_said_once_a_day_however_often_the_program_starts() {
    let mut c = circle(6_110, &THREE);
    let (room, others) = (c.rooms[2], [c.homes[0], c.homes[1]]);
    for other in others {
        c.village.set_offline(other, true);
    }
    c.village.overhear();
    c.ask(2, Command::LeaveRoom { room });
    for hours in [23, 24, 24] {
        let mut sent = 0;
        for _ in 0..hours {
            c.pass(HOUR);
            c.village.open_again(c.homes[2]).unwrap();
            sent += c.village.overhear().len();
        }
        // One to each of the others.
        assert_eq!(sent, others.len());
    }
}

#[test]
fn who_was_removed_is_told_again_once_and_by_stewards_alone() {
    let mut c = circle(6_111, &["Alice", "Bob", "Carol", "Dave"]);
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(23 * HOUR);
    c.village.set_offline(c.homes[0], true);
    assert_eq!(sent_in_a_day(&mut c), 0, "Alice is the only steward");
    c.village.set_offline(c.homes[0], false);
    assert_ne!(sent_in_a_day(&mut c), 0);
    assert_eq!(sent_in_a_day(&mut c), 0);
}

/// How many letters all send in a day in which each program starts anew twice.
fn sent_in_a_day(c: &mut Circle) -> usize {
    c.village.overhear();
    for _ in 0..2 {
        for home in c.homes.clone() {
            c.village.open_again(home).unwrap();
        }
        c.pass(12 * HOUR);
    }
    c.village.overhear().len()
}

#[test]
fn a_mailbox_that_was_refused_is_asked_for_again() {
    let mut c = circle(6_106, &THREE);
    let before = c.member_addresses(0, "Bob");
    c.village.refuse_mailboxes(true);
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(HOUR);
    assert_eq!(c.member_addresses(0, "Bob"), before, "none is made");
    c.village.refuse_mailboxes(false);
    c.pass(3 * HOUR);
    assert_ne!(c.member_addresses(0, "Bob"), before, "Carol knows it");
}

#[test]
fn one_relay_that_is_dead_keeps_nobody_from_revoking_a_device() {
    let mut v = village(6_106);
    v.set_servers(2);
    let config = || Config {
        name: "Alice".to_owned(),
        receipt_delay: (DELAY, DELAY),
        mailboxes: 2,
        ..Config::default()
    };
    let desk = v.move_in_as(config()).unwrap();
    let phone = v.move_in_as(config()).unwrap();
    link(&mut v, (desk, "desk"), (phone, "phone"));
    v.pass(std::time::Duration::from_secs(26 * HOUR)).unwrap();
    for server in [0, 1] {
        v.set_conduct(server, Conduct::Dead);
        let listed = devices(&mut v, desk).devices;
        let device = listed.into_iter().find(|one| !one.me).unwrap().device;
        let revoked = v.ask(desk, Command::RevokeDevice { device }).unwrap();
        assert_eq!(revoked, None, "one answers, and the other is waited for");
        v.pass(std::time::Duration::from_secs(30)).unwrap();
        assert_eq!(devices(&mut v, desk).devices.len(), 1, "{server}");
        v.set_conduct(server, Conduct::Fair);
        v.pass(std::time::Duration::from_secs(HOUR)).unwrap();
        let next = v.move_in_as(config()).unwrap();
        link(&mut v, (desk, "desk"), (next, "next"));
        v.pass(std::time::Duration::from_secs(26 * HOUR)).unwrap();
    }
}

#[test]
fn a_group_moves_away_from_a_server_that_is_given_up() {
    let mut c = on_two_servers(6_103);
    c.village.set_servers(3);
    c.village.close_server(0);
    c.pass(50 * HOUR);
    for who in 0..3 {
        assert_eq!(c.lies_on(who)[0], 0, "{who}");
    }
    c.village.set_conduct(1, Conduct::Dead);
    c.say(1, "elsewhere");
    c.pass(60);
    for who in 0..3 {
        assert_eq!(c.texts(who), ["elsewhere"], "{who}");
    }
}

#[test]
fn who_loses_one_of_several_mailboxes_is_reached_at_the_others_at_once() {
    for server in [0, 1] {
        let mut c = on_two_servers(6_104);
        c.say(0, "before");
        c.pass(60);
        let bob = c.homes[1];
        c.village.lose_mailboxes_but(bob, &[server]);
        c.say(0, "since");
        c.pass(60);
        assert_eq!(c.texts(1), ["before", "since"], "{server}");
        // Now Bob hears of it.
        c.village.open_again(bob).unwrap();
        c.pass(26 * HOUR);
        let lies = c.lies_on(1);
        assert!(lies[0] > 0 && lies[1] > 0, "{lies:?}");
        c.agree(&[0, 1, 2]);
    }
}

#[test]
fn mailboxes_of_groups_are_replaced_weekly_and_nothing_is_lost() {
    let mut c = on_two_servers(2_960);
    c.rotate_weekly();
    let before: Vec<_> = (1..3)
        .map(|who| c.member_addresses(0, THREE[who]))
        .collect();
    let mut said = Vec::new();
    for day in 0..12_u64 {
        // Carol is away for longer than an old mailbox is listened to.
        let away = (3..8).contains(&day);
        c.village.set_offline(c.homes[2], away);
        for hour in 0..4 {
            for who in 0..if away { 2 } else { 3 } {
                let text = format!("{day} {hour} {who}");
                c.say(who, &text);
                said.push(text);
                c.pass(6 * HOUR / 3);
            }
        }
    }
    c.pass(2 * 24 * HOUR);
    for (who, before) in (1..3).zip(before) {
        let now = c.member_addresses(0, THREE[who]);
        assert!(now.iter().all(|one| !before.contains(one)), "{who}");
        let served = c.village.servers_of(c.homes[who]).len();
        assert!(served < 20, "{served} of {who}");
    }
    for who in 0..3 {
        let mut heard = c.texts(who);
        heard.sort();
        said.sort();
        assert_eq!(heard, said, "{who}");
    }
    c.agree(&[0, 1, 2]);
}

#[test]
fn what_lies_in_an_old_mailbox_is_fetched_before_it_is_closed() {
    let mut c = circle(2_961, &THREE);
    c.rotate_weekly();
    c.pass(HOUR);
    let before = c.member_addresses(0, "Bob");
    let knew = c.village.storage(c.homes[0]).unwrap().clone();
    while c.member_addresses(2, "Bob") == before {
        c.pass(6 * HOUR);
    }
    // Bob's program stops. Alice, who has not heard where he is written to now, says something.
    c.village.set_asleep(c.homes[1], true);
    c.forget_what_was_told(0, "Bob", &knew);
    c.say(0, "to the old one");
    c.pass(30);
    c.village.set_offline(c.homes[0], true);
    c.pass(72 * HOUR);
    c.village.set_asleep(c.homes[1], false);
    // It has no network at once.
    c.village.set_offline(c.homes[1], true);
    c.village.open_again(c.homes[1]).unwrap();
    c.pass(HOUR / 2);
    c.village.set_offline(c.homes[1], false);
    c.pass(2 * HOUR);
    assert_eq!(c.texts(1), ["to the old one"]);
}

#[test]
fn no_server_alone_stops_a_conversation_of_two_on_several_devices() {
    for (server, conduct) in [
        (0, Conduct::Dead),
        (1, Conduct::Dead),
        (0, Conduct::Dropping),
        (1, Conduct::Dropping),
    ] {
        let mut t = Two::new(6_107);
        t.village.set_servers(2);
        let laptop = t.link(t.alice, ("phone", "laptop"));
        let homes = [t.alice, t.bob, laptop];
        for home in homes {
            let choose = |config: &mut Config| config.mailboxes = 2;
            t.village.choose(home, choose).unwrap();
        }
        t.pass(28 * HOUR);
        t.village.set_conduct(server, conduct);
        let mut said = Vec::new();
        for n in 0..4 {
            for home in homes {
                let text = format!("{n} by {}", home.0);
                said.push((home, t.say(home, &text), text));
            }
            t.pass(40);
        }
        t.pass(2 * HOUR);
        for home in homes {
            let shown = t.read(home).into_iter().map(|(_, text)| text);
            let mut shown: Vec<_> = shown.collect();
            shown.sort();
            let mut all: Vec<_> = said.iter().map(|(_, _, text)| text.clone()).collect();
            all.sort();
            assert_eq!(shown, all, "{server} {conduct:?}");
        }
        for (home, message, text) in said {
            let state = t.state(home, message);
            assert!(
                state >= MessageState::Delivered,
                "{server} {conduct:?} {text}"
            );
        }
    }
}
