//! Devices of one account: linked by a link and a compared code, listed, revoked.

use std::time::Duration;

use hushwing_conversation::link::DeviceLink;
use hushwing_conversation::storage::{RoomRows as _, RoomStanding};
use hushwing_conversation::view::DevicesView;
use hushwing_conversation::village::{Crash, Home, Village, Weather};
use hushwing_conversation::{Command, Event, MemberId, Refusal, Reply, Secret};

use crate::support::*;

pub(crate) fn devices_of(reply: Reply) -> DevicesView {
    match reply {
        Reply::Devices(view) => view,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn devices(village: &mut Village, home: Home) -> DevicesView {
    devices_of(ask(village, home, Command::Devices))
}

pub(crate) fn names(village: &mut Village, home: Home) -> Vec<String> {
    let view = devices(village, home).devices.into_iter();
    let mut names: Vec<_> = view
        .map(|one| format!("{} {} {}", one.name, one.me, one.reachable))
        .collect();
    names.sort();
    names
}

/// The number of the device of this name.
pub(crate) fn device(village: &mut Village, home: Home, name: &str) -> MemberId {
    let mut listed = devices(village, home).devices.into_iter();
    listed.find(|one| one.name == name).expect(name).device
}

pub(crate) fn pass(village: &mut Village, seconds: u64) {
    village.pass(Duration::from_secs(seconds)).unwrap();
}

pub(crate) fn show(name: &str) -> Command {
    Command::ShowDevice {
        name: name.to_owned(),
    }
}

pub(crate) fn call(link: &Secret, name: &str) -> Command {
    Command::CallDevice {
        link: link.clone(),
        name: name.to_owned(),
    }
}

/// The link that a new device shows.
pub(crate) fn shown(village: &mut Village, home: Home, name: &str) -> Secret {
    ask(village, home, show(name));
    pass(village, 5);
    devices(village, home).link.expect("a link").link
}

/// Links a new device, and lets the two come to rest.
pub(crate) fn link(village: &mut Village, (old, is): (Home, &str), (new, name): (Home, &str)) {
    let link = shown(village, new, name);
    ask(village, old, call(&link, is));
    pass(village, 10);
    let view = devices(village, old);
    assert_eq!(view.newcomer.as_deref(), Some(name));
    let code = view.code.expect("a code");
    ask(village, old, Command::ConfirmDevice { code, days: None });
    pass(village, 120);
}

/// Alice at her desk, and a telephone that is new.
pub(crate) fn two(seed: u64) -> (Village, Home, Home) {
    let mut village = village(seed);
    let desk = village.move_in("Alice", DELAY).unwrap();
    let phone = village.move_in("Alice", DELAY).unwrap();
    (village, desk, phone)
}

#[test]
fn devices_of_one_name_are_told_apart_by_a_number() {
    let (mut v, desk, phone) = two(4_016);
    let tablet = v.move_in("Alice", DELAY).unwrap();
    for (new, name, expected) in [(phone, "laptop", "laptop-2"), (tablet, "tablet", "tablet")] {
        // As the device that calls it is not, and another is.
        if new == tablet {
            let link = shown(&mut v, new, "laptop-2");
            ask(&mut v, desk, call(&link, "laptop"));
            pass(&mut v, 10);
            let code = devices(&mut v, desk).code.expect("a code");
            let confirm = Command::ConfirmDevice { code, days: None };
            assert_eq!(refusal(&mut v, desk, confirm), Refusal::DeviceNamed);
        }
        let link = shown(&mut v, new, name);
        ask(&mut v, desk, call(&link, "laptop"));
        pass(&mut v, 10);
        let view = devices(&mut v, desk);
        assert_eq!(view.newcomer.as_deref(), Some(expected));
        let code = view.code.expect("a code");
        ask(&mut v, desk, Command::ConfirmDevice { code, days: None });
        pass(&mut v, 120);
        let again = call(&link, "laptop");
        assert_eq!(refusal(&mut v, desk, again), Refusal::DeviceHere);
    }
    for (home, own) in [(desk, "laptop"), (phone, "laptop-2"), (tablet, "tablet")] {
        let all = ["laptop", "laptop-2", "tablet"];
        let mut all = all.map(|name| format!("{name} {} true", name == own));
        all.sort();
        assert_eq!(names(&mut v, home), all);
    }
}

#[test]
fn two_devices_are_linked_by_a_link_and_a_compared_code() {
    let (mut v, desk, phone) = two(4_000);
    let link = shown(&mut v, phone, "phone");
    ask(&mut v, desk, call(&link, "desk"));
    pass(&mut v, 10);
    let (hers, its) = (devices(&mut v, desk), devices(&mut v, phone));
    assert!(hers.code.is_some() && hers.code == its.code, "codes");
    assert_eq!(its.link, None, "the link served once");
    // Nothing happens before she says that she compared it.
    pass(&mut v, 60);
    assert_eq!(devices(&mut v, desk).devices.len(), 1);
    assert_eq!(its.standing, Some(RoomStanding::Joining));
    let code = hers.code.unwrap();
    ask(&mut v, desk, Command::ConfirmDevice { code, days: None });
    pass(&mut v, 120);
    assert_eq!(names(&mut v, desk), ["desk true true", "phone false true"]);
    assert_eq!(names(&mut v, phone), ["desk false true", "phone true true"]);
    let shown = DeviceLink::parse(core::str::from_utf8(link.expose()).unwrap()).unwrap();
    let told = addresses(&mut v, desk, "phone");
    assert!(
        told.iter()
            .all(|to| to.expose() != shown.address().encode())
    );
    for home in [desk, phone] {
        let view = devices(&mut v, home);
        assert_eq!(view.standing, Some(RoomStanding::Member));
        assert_eq!((view.link, view.code, view.newcomer), (None, None, None));
        v.open_again(home).unwrap();
        assert_eq!(devices(&mut v, home).devices.len(), 2);
    }
}

#[test]
fn where_devices_meet_is_shown_nowhere() {
    let (mut v, desk, phone) = two(4_001);
    link(&mut v, (desk, "desk"), (phone, "phone"));
    for home in [desk, phone] {
        assert!(
            matches!(ask(&mut v, home, Command::Rooms), Reply::Rooms(rooms) if rooms.is_empty())
        );
        let kept = ask(&mut v, home, Command::Conversations);
        assert!(matches!(kept, Reply::Conversations(all) if all.is_empty()));
        let room = v.storage(home).unwrap().rooms().unwrap().remove(0).unwrap();
        let shown = Command::Room { room: room.id };
        assert_eq!(refusal(&mut v, home, shown), Refusal::NoRoom);
        let leave = Command::LeaveRoom { room: room.id };
        assert_eq!(refusal(&mut v, home, leave), Refusal::NoRoom);
        let say = Command::Send {
            contact: room.id.place(),
            text: "to myself".to_owned(),
            reply_to: None,
        };
        assert_eq!(refusal(&mut v, home, say), Refusal::NoRoom);
        let look = Command::Look {
            conversation: room.conversation,
            before: None,
            most: 9,
        };
        assert_eq!(refusal(&mut v, home, look), Refusal::NoContact);
        let events = format!("{:?}", v.events(home));
        assert!(!events.contains("Room"), "{events}");
    }
}

#[test]
fn another_code_lets_nobody_in() {
    let (mut v, desk, phone) = two(4_003);
    let link = shown(&mut v, phone, "phone");
    ask(&mut v, desk, call(&link, "desk"));
    pass(&mut v, 10);
    let right = devices(&mut v, desk).code.unwrap();
    for code in ["", "000 000", "12"] {
        let code = code.to_owned();
        assert_ne!(code, right);
        let confirm = Command::ConfirmDevice { code, days: None };
        assert_eq!(refusal(&mut v, desk, confirm), Refusal::WrongCode);
    }
    pass(&mut v, 60);
    assert_eq!(devices(&mut v, desk).devices.len(), 1);
    let code = right.replace(' ', "");
    ask(&mut v, desk, Command::ConfirmDevice { code, days: None });
    pass(&mut v, 60);
    assert_eq!(devices(&mut v, phone).devices.len(), 2);
}

#[test]
fn a_third_comes_in_by_any_and_a_fourth_by_none() {
    let (mut v, desk, phone) = two(4_004);
    link(&mut v, (desk, "desk"), (phone, "phone"));
    let tablet = v.move_in("Alice", DELAY).unwrap();
    link(&mut v, (phone, "?"), (tablet, "tablet"));
    let all = |me: &str| -> Vec<String> {
        let all = ["desk", "phone", "tablet"].iter();
        all.map(|name| format!("{name} {} true", *name == me))
            .collect()
    };
    assert_eq!(names(&mut v, desk), all("desk"));
    assert_eq!(names(&mut v, phone), all("phone"));
    assert_eq!(names(&mut v, tablet), all("tablet"));
    let fourth = v.move_in("Alice", DELAY).unwrap();
    let link = shown(&mut v, fourth, "watch");
    let full = Refusal::TooManyDevices { most: 3 };
    assert_eq!(refusal(&mut v, desk, call(&link, "desk")), full);
}

/// Where a device writes to the others, by their names.
pub(crate) fn addresses(v: &mut Village, home: Home, of: &str) -> Vec<Secret> {
    let storage = v.storage(home).unwrap();
    let room = storage.rooms().unwrap().remove(0).unwrap().id;
    let members = storage.members(room).unwrap().into_iter();
    let mut found = members.filter(|one| one.name == of && one.present);
    found.next().expect(of).addresses
}

#[test]
fn a_revoked_device_is_out_and_is_told_no_more_where_the_others_are() {
    // Any throws out any: the new one the first as well.
    for (seed, revoked) in [(4_005, 1), (4_006, 0)] {
        let (mut v, desk, phone) = two(seed);
        link(&mut v, (desk, "desk"), (phone, "phone"));
        let tablet = v.move_in("Alice", DELAY).unwrap();
        link(&mut v, (desk, "desk"), (tablet, "tablet"));
        pass(&mut v, 90_000);
        let (out, name) = [(desk, "desk"), (phone, "phone")][revoked];
        let (kept, keeps) = [(desk, "desk"), (phone, "phone")][1 - revoked];
        let known = addresses(&mut v, out, keeps);
        assert_eq!(known, addresses(&mut v, tablet, keeps));
        let device = device(&mut v, kept, name);
        ask(&mut v, kept, Command::RevokeDevice { device });
        pass(&mut v, 300);
        assert_eq!(devices(&mut v, out).standing, Some(RoomStanding::Left));
        for home in [kept, tablet] {
            assert_eq!(devices(&mut v, home).devices.len(), 2, "{name} is listed");
        }
        assert_ne!(known, addresses(&mut v, tablet, keeps), "a new mailbox");
        assert_eq!(known, addresses(&mut v, out, keeps), "it was told");
        // It cannot come back by itself, nor let anybody in.
        let fourth = v.move_in("Alice", DELAY).unwrap();
        let link = shown(&mut v, fourth, "watch");
        for command in [call(&link, "x"), show("x")] {
            assert_eq!(refusal(&mut v, out, command), Refusal::ThrownOut);
        }
        let again = Command::RevokeDevice { device };
        assert_eq!(refusal(&mut v, kept, again), Refusal::NoDevice);
    }
}

#[test]
fn nobody_revokes_the_device_they_use() {
    let (mut v, desk, phone) = two(4_007);
    link(&mut v, (desk, "desk"), (phone, "phone"));
    let device = device(&mut v, desk, "desk");
    let revoke = Command::RevokeDevice { device };
    assert_eq!(refusal(&mut v, desk, revoke), Refusal::ThisDevice);
}

#[test]
fn a_link_ends_and_another_takes_its_place() {
    let (mut v, desk, phone) = two(4_008);
    let first = shown(&mut v, phone, "phone");
    pass(&mut v, 601);
    assert_eq!(
        refusal(&mut v, desk, call(&first, "desk")),
        Refusal::LinkExpired
    );
    pass(&mut v, 3_600);
    let view = devices(&mut v, phone);
    assert_eq!((view.standing, view.link), (None, None));
    let second = shown(&mut v, phone, "phone");
    let third = shown(&mut v, phone, "phone");
    assert_ne!(second, third);
    // The second leads nowhere.
    ask(&mut v, desk, call(&second, "desk"));
    pass(&mut v, 60);
    assert_eq!(devices(&mut v, desk).code, None);
    ask(&mut v, desk, call(&third, "desk"));
    pass(&mut v, 10);
    assert!(devices(&mut v, desk).code.is_some());
}

#[test]
fn who_answered_waits_a_day_to_be_let_in() {
    let (mut v, desk, phone) = two(4_012);
    let link = shown(&mut v, phone, "phone");
    ask(&mut v, desk, call(&link, "desk"));
    pass(&mut v, 7_200);
    // She took too long; the telephone cannot know.
    let code = devices(&mut v, phone).code.expect("a code");
    let confirm = Command::ConfirmDevice { code, days: None };
    assert_eq!(refusal(&mut v, desk, confirm), Refusal::NoNewDevice);
    pass(&mut v, 90_000);
    let view = devices(&mut v, phone);
    assert_eq!((view.standing, view.code), (None, None));
}

#[test]
fn a_link_of_a_device_is_no_invitation_and_an_invitation_none_of_a_device() {
    let (mut v, desk, phone) = two(4_009);
    let link = shown(&mut v, phone, "phone");
    let opened = Command::Join { link };
    assert_eq!(refusal(&mut v, desk, opened), Refusal::DeviceLink);
    let invitation = invite(&mut v, desk, false).link;
    assert_eq!(
        refusal(&mut v, desk, call(&invitation, "desk")),
        Refusal::NotALink
    );
}

#[test]
fn a_profile_with_conversations_is_no_new_device() {
    let (mut v, desk, phone) = two(4_010);
    let card = invite(&mut v, desk, false).link;
    join(&mut v, phone, &card);
    assert_eq!(
        refusal(&mut v, phone, show("phone")),
        Refusal::NotANewDevice
    );
}

#[test]
fn devices_are_linked_in_bad_weather() {
    for seed in 4_020..4_024 {
        let (mut v, desk, phone) = two(seed);
        v.set_weather(Weather {
            loss: 40,
            repeat: 40,
            reorder: 80,
        });
        ask(&mut v, phone, show("phone"));
        pass(&mut v, 60);
        let link = devices(&mut v, phone).link.expect("a link").link;
        ask(&mut v, desk, call(&link, "desk"));
        pass(&mut v, 300);
        let code = devices(&mut v, desk).code.expect("a code");
        ask(&mut v, desk, Command::ConfirmDevice { code, days: None });
        v.set_weather(Weather::default());
        pass(&mut v, 3_600);
        assert_eq!(names(&mut v, desk), ["desk true true", "phone false true"]);
        assert_eq!(names(&mut v, phone), ["desk false true", "phone true true"]);
    }
}

/// Links two devices with a crash of one at its `at`th call; gives how often each
/// was called.
fn with_a_crash(whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let (mut v, desk, phone) = two(4_030);
    v.crash_in([desk, phone][whom], at, crash);
    for _ in 0..3 {
        if devices(&mut v, phone).link.is_none() {
            v.ask(phone, show("phone")).unwrap();
            pass(&mut v, 20);
        }
    }
    let link = devices(&mut v, phone).link.expect("a link").link;
    for _ in 0..3 {
        if devices(&mut v, desk).code.is_none() {
            v.ask(desk, call(&link, "desk")).unwrap();
            pass(&mut v, 60);
        }
    }
    let code = devices(&mut v, desk).code.expect("a code");
    for _ in 0..3 {
        let code = code.clone();
        v.ask(desk, Command::ConfirmDevice { code, days: None })
            .unwrap();
        pass(&mut v, 300);
    }
    pass(&mut v, 3_600);
    let what = format!("{whom} {at} {crash:?}");
    let here = names(&mut v, desk);
    assert_eq!(here, ["desk true true", "phone false true"], "{what}");
    let there = names(&mut v, phone);
    assert_eq!(there, ["desk false true", "phone true true"], "{what}");
    [v.calls(desk), v.calls(phone)]
}

#[test]
fn a_crash_at_any_step_of_linking_loses_nothing() {
    let calls = with_a_crash(0, u64::MAX, Crash::BeforeCommit);
    for (whom, most) in calls.into_iter().enumerate() {
        for at in 1..most.min(60) {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                with_a_crash(whom, at, crash);
            }
        }
    }
}

#[test]
fn what_was_told_to_a_new_device_ends_with_the_link() {
    // Confirmed, run out, and another called in its place.
    for (seed, end) in [(4_040, 0), (4_041, 1), (4_042, 2)] {
        let (mut v, desk, phone) = two(seed);
        let link = shown(&mut v, phone, "phone");
        ask(&mut v, desk, call(&link, "desk"));
        pass(&mut v, 10);
        let room = |v: &mut Village| v.storage(desk).unwrap().rooms().unwrap().remove(0).unwrap();
        let told = room(&mut v).mailbox.expect("a mailbox");
        match end {
            0 => {
                let code = devices(&mut v, desk).code.expect("a code");
                ask(&mut v, desk, Command::ConfirmDevice { code, days: None });
            }
            1 => pass(&mut v, 7_200),
            _ => {
                let other = v.move_in("Alice", DELAY).unwrap();
                let link = shown(&mut v, other, "tablet");
                ask(&mut v, desk, call(&link, "desk"));
            }
        }
        pass(&mut v, 120);
        let room = room(&mut v);
        assert_ne!(room.mailbox, Some(told), "the call named it");
        assert!(room.leaving.iter().any(|one| one.mailbox == told));
    }
}

#[test]
fn who_answered_and_lost_the_mailbox_begins_anew() {
    let (mut v, desk, phone) = two(4_044);
    let link = shown(&mut v, phone, "phone");
    ask(&mut v, desk, call(&link, "desk"));
    pass(&mut v, 10);
    assert!(devices(&mut v, phone).code.is_some());
    v.events(phone);
    v.lose_mailboxes(phone, true);
    pass(&mut v, 60);
    let view = devices(&mut v, phone);
    assert_eq!((view.standing, view.code), (None, None));
    let told = |event: &Event| matches!(event, Event::Devices(view) if view.standing.is_none());
    assert!(v.events(phone).iter().any(told));
    self::link(&mut v, (desk, "desk"), (phone, "phone"));
    assert_eq!(names(&mut v, desk), ["desk true true", "phone false true"]);
}

/// A third and a fourth device, each called by one of two and each with an answer there.
fn two_more(seed: u64) -> (Village, [Home; 2], [Command; 2]) {
    let (mut v, desk, phone) = two(seed);
    link(&mut v, (desk, "desk"), (phone, "phone"));
    let confirms = [(desk, "tablet"), (phone, "watch")].map(|(old, name)| {
        let new = v.move_in("Alice", DELAY).unwrap();
        let link = shown(&mut v, new, name);
        ask(&mut v, old, call(&link, "?"));
        pass(&mut v, 10);
        let code = devices(&mut v, old).code.expect("a code");
        Command::ConfirmDevice { code, days: None }
    });
    (v, [desk, phone], confirms)
}

#[test]
fn a_fourth_is_not_let_in_once_a_third_came() {
    let (mut v, [desk, phone], [tablet, watch]) = two_more(4_045);
    ask(&mut v, desk, tablet);
    pass(&mut v, 120);
    let full = Refusal::TooManyDevices { most: 3 };
    assert_eq!(refusal(&mut v, phone, watch.clone()), full);
    // She revokes one, and what she compared still holds.
    let device = device(&mut v, phone, "tablet");
    ask(&mut v, phone, Command::RevokeDevice { device });
    pass(&mut v, 120);
    ask(&mut v, phone, watch);
    pass(&mut v, 120);
    let names = names(&mut v, phone);
    assert!(
        names.iter().any(|name| name == "watch false true"),
        "{names:?}"
    );
}

#[test]
fn of_two_let_in_at_once_one_is_told_of_and_never_comes_later() {
    let (mut v, old, confirms) = two_more(4_046);
    for (home, confirm) in old.into_iter().zip(confirms) {
        v.events(home);
        let before = devices(&mut v, home).changing;
        ask(&mut v, home, confirm);
        assert_eq!(devices(&mut v, home).changing, before + 1);
    }
    pass(&mut v, 600);
    let told = |event: &Event| matches!(event, Event::DevicesUnchanged { .. });
    assert!(old.iter().any(|home| v.events(*home).iter().any(told)));
    let [desk, _] = old;
    let listed = names(&mut v, desk);
    assert_eq!(listed.len(), 3);
    let third = listed.iter().find_map(|name| {
        let name = name.split(' ').next().unwrap();
        ["tablet", "watch"].into_iter().find(|new| *new == name)
    });
    let device = device(&mut v, desk, third.expect("a third"));
    ask(&mut v, desk, Command::RevokeDevice { device });
    pass(&mut v, 3_600);
    for home in old {
        assert_eq!(devices(&mut v, home).devices.len(), 2, "it came in later");
    }
}

#[test]
fn an_only_device_begins_anew_after_a_backup_was_put_back() {
    let (mut v, desk, phone) = two(4_047);
    let first = shown(&mut v, phone, "phone");
    ask(&mut v, desk, call(&first, "desk"));
    pass(&mut v, 10);
    for home in [desk, phone] {
        let backup = v.storage(home).unwrap().clone();
        v.restore(home, backup).unwrap();
        pass(&mut v, 60);
        assert_eq!(devices(&mut v, home).standing, None);
    }
    link(&mut v, (desk, "desk"), (phone, "phone"));
    assert_eq!(names(&mut v, desk), ["desk true true", "phone false true"]);
}
