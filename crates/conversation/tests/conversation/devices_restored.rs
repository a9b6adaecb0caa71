//! One of several devices is put back from a backup.

use hushwing_conversation::village::{Crash, Weather};
use hushwing_conversation::{Command, MemoryStorage, Refusal, RoomStanding};

use crate::devices::{call, device, devices, link, names, shown};
use crate::devices_revoked::backup;
use crate::devices_rooms::{Desk, guests, lines, only};
use crate::support::*;

const A_DAY: u64 = 24 * 3_600;

/// The desk is put back from this backup; the telephone goes on.
fn restore(d: &mut Desk, old: MemoryStorage) {
    let desk = d.desk();
    d.village().restore(desk, old).unwrap();
    d.pass(600);
}

/// The desk becomes a device of the account again.
fn link_again(d: &mut Desk) {
    let (desk, phone) = (d.desk(), d.phone);
    link(d.village(), (phone, "phone"), (desk, "desk"));
    agree(d);
    d.pass(600);
}

/// The person says on the desk as well that the code is the same.
fn agree(d: &mut Desk) {
    let desk = d.desk();
    let view = devices(d.village(), desk);
    assert!(view.asks_here);
    let code = view.code.expect("a code");
    let confirm = Command::ConfirmDevice { code, days: None };
    ask(d.village(), desk, confirm);
}

/// How many devices each other person in the group has, as Bob sees it.
fn devices_seen(d: &mut Desk) -> Vec<usize> {
    let bob = d.bob();
    let members = only(d.village(), bob).members.into_iter();
    let others = members.filter(|one| one.present && !one.me);
    others.map(|one| one.devices).collect()
}

/// Both devices talk with Bob, each in what it has of the group.
fn both_talk(d: &mut Desk) {
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let texts = [
        (desk, "from the desk"),
        (phone, "from the phone"),
        (bob, "from bob"),
    ];
    for (home, text) in texts {
        d.say(home, text);
        d.pass(120);
    }
    for home in [desk, bob, phone] {
        let read = d.read(home);
        for (by, text) in texts {
            let mine = home == by || (home != bob && by != bob);
            let line = (mine, text.to_owned());
            assert_eq!(read.iter().filter(|one| **one == line).count(), 1, "{text}");
        }
    }
}

#[test]
fn a_founder_who_is_linked_again_comes_back_by_the_other_device() {
    let mut d = Desk::new(4_300, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    d.say(bob, "before");
    d.pass(60);
    let group = only(d.village(), bob).conversation;
    let old = backup(&mut d, desk);
    d.say(bob, "between");
    d.pass(60);
    restore(&mut d, old);
    // Nobody let it in, and it knows with whom it was linked.
    let view = devices(d.village(), desk);
    assert_eq!(view.standing, None);
    let parted = view
        .devices
        .iter()
        .map(|one| (one.name.as_str(), one.parted));
    assert_eq!(parted.collect::<Vec<_>>(), [("phone", true)]);
    assert_eq!(only(d.village(), desk).standing, RoomStanding::Restoring);
    d.pass(3 * A_DAY);
    assert_eq!(only(d.village(), bob).conversation, group, "it waits");
    let link = shown(d.village(), desk, "desk");
    ask(d.village(), phone, call(&link, "phone"));
    d.pass(10);
    let view = devices(d.village(), phone);
    // The person is told whom it replaces, and both whose device it becomes.
    assert_eq!(view.replaces.as_deref(), Some("desk"));
    assert_eq!(view.profile.as_deref(), Some("Alice"));
    let its = devices(d.village(), desk).profile;
    assert_eq!(its.as_deref(), Some("Alice"));
    let code = view.code.expect("a code");
    ask(
        d.village(),
        phone,
        Command::ConfirmDevice { code, days: None },
    );
    d.pass(600);
    // Who called may be anybody until the person says so here too.
    let view = devices(d.village(), desk);
    assert_eq!(view.standing, Some(RoomStanding::Joining));
    assert_eq!(only(d.village(), desk).standing, RoomStanding::Restoring);
    let code = "000 000".to_owned();
    let wrong = Command::ConfirmDevice { code, days: None };
    assert_eq!(refusal(d.village(), desk, wrong), Refusal::WrongCode);
    agree(&mut d);
    d.pass(600);
    let both = ["desk true true", "phone false true"];
    assert_eq!(names(d.village(), desk), both);
    assert_eq!(
        names(d.village(), phone).len(),
        2,
        "what it was before went"
    );
    for home in [desk, bob, phone] {
        let view = only(d.village(), home);
        let is = (view.standing, view.conversation);
        assert_eq!(is, (RoomStanding::Member, group));
    }
    assert_eq!(devices_seen(&mut d), [2]);
    // Nothing is founded anew when the time is over in which it would have been.
    d.pass(9 * A_DAY);
    for home in [desk, bob, phone] {
        assert_eq!(only(d.village(), home).conversation, group);
    }
    both_talk(&mut d);
    let before = (false, "before".to_owned());
    assert_eq!(d.read(desk).first(), Some(&before));
    assert!(
        d.read(desk).contains(&(false, "between".to_owned())),
        "handed on"
    );
}

#[test]
fn who_came_back_by_a_contact_stays_another_member() {
    let (mut d, _) = guests(4_301, &["phone"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let old = backup(&mut d, desk);
    restore(&mut d, old);
    d.pass(A_DAY);
    for linked in [false, true] {
        if linked {
            link_again(&mut d);
        }
        // It throws nobody out, and leaves nothing for what may not come.
        for home in [desk, phone] {
            assert_eq!(only(d.village(), home).standing, RoomStanding::Member);
            d.say(home, "here");
            d.pass(120);
        }
        assert_eq!(devices_seen(&mut d), [1, 1]);
    }
    assert_eq!(d.read(bob).len(), 4);
}

#[test]
fn a_founder_who_is_not_linked_again_founds_the_group_anew_a_week_later() {
    let mut d = Desk::new(4_302, &["Alice", "Bob"]);
    let (desk, bob) = (d.desk(), d.bob());
    let group = only(d.village(), bob).conversation;
    let old = backup(&mut d, desk);
    restore(&mut d, old);
    d.pass(6 * A_DAY);
    assert_eq!(only(d.village(), desk).standing, RoomStanding::Restoring);
    assert_eq!(only(d.village(), bob).conversation, group);
    d.pass(2 * A_DAY);
    for home in [desk, bob] {
        let view = only(d.village(), home);
        assert_eq!(view.standing, RoomStanding::Member);
        assert_ne!(view.conversation, group);
    }
    d.say(desk, "here");
    d.pass(120);
    assert_eq!(d.read(bob), lines(&[(false, "here")]));
}

#[test]
fn a_founder_who_gives_the_other_device_up_founds_the_group_anew_at_once() {
    for by_link in [false, true] {
        let mut d = Desk::new(4_303, &["Alice", "Bob"]);
        let (desk, bob) = (d.desk(), d.bob());
        let group = only(d.village(), bob).conversation;
        let old = backup(&mut d, desk);
        restore(&mut d, old);
        if by_link {
            // Another device is linked to this one: it founds the room where they meet.
            let tablet = d.village().move_in("Alice", DELAY).unwrap();
            link(d.village(), (desk, "desk"), (tablet, "tablet"));
            let both = ["desk true true", "tablet false true"];
            assert_eq!(names(d.village(), desk), both);
        } else {
            let device = device(d.village(), desk, "phone");
            let revoke = Command::RevokeDevice { device };
            ask(d.village(), desk, revoke.clone());
            assert_eq!(devices(d.village(), desk).devices, []);
            assert_eq!(refusal(d.village(), desk, revoke), Refusal::NoDevice);
        }
        d.pass(3_600);
        for home in [desk, bob] {
            let view = only(d.village(), home);
            assert_eq!(view.standing, RoomStanding::Member, "{by_link}");
            assert_ne!(view.conversation, group, "{by_link}");
        }
    }
}

#[test]
fn only_who_was_linked_before_shows_a_link_with_conversations() {
    let mut d = Desk::new(4_304, &["Alice", "Bob"]);
    let (desk, bob) = (d.desk(), d.bob());
    let show = crate::devices::show("desk");
    let hers = backup(&mut d, desk);
    restore(&mut d, hers);
    ask(d.village(), desk, show.clone());
    // Put back once more while it shows a link: it still knows with whom it was linked.
    let again = backup(&mut d, desk);
    restore(&mut d, again);
    let parted = devices(d.village(), desk).devices;
    assert_eq!(parted.len(), 1);
    link_again(&mut d);
    let no = refusal(d.village(), desk, show.clone());
    assert_eq!(no, Refusal::LinkedAlready);
    both_talk(&mut d);
    let his = backup(&mut d, bob);
    d.village().restore(bob, his).unwrap();
    assert_eq!(refusal(d.village(), bob, show), Refusal::NotANewDevice);
}

/// The desk is put back and linked again, with a crash of one of the two at its `at`th call
/// from then on; gives how often each was called.
fn with_a_crash(whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut d = Desk::new(4_305, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    let homes = [desk, phone];
    let old = backup(&mut d, desk);
    d.village().restore(desk, old).unwrap();
    let before = homes.map(|home| d.village().calls(home));
    d.village().crash_in(homes[whom], at, crash);
    d.pass(60);
    for _ in 0..3 {
        if devices(d.village(), desk).link.is_none() {
            d.village().ask(desk, crate::devices::show("desk")).unwrap();
            d.pass(20);
        }
    }
    let link = devices(d.village(), desk).link.expect("a link").link;
    for _ in 0..3 {
        if devices(d.village(), phone).code.is_none() {
            d.village().ask(phone, call(&link, "phone")).unwrap();
            d.pass(60);
        }
    }
    let code = devices(d.village(), phone).code.expect("a code");
    for _ in 0..3 {
        let code = code.clone();
        let confirm = Command::ConfirmDevice { code, days: None };
        d.village().ask(phone, confirm).unwrap();
        d.pass(300);
        if let Some(code) = devices(d.village(), desk).code {
            let confirm = Command::ConfirmDevice { code, days: None };
            d.village().ask(desk, confirm).unwrap();
            d.pass(300);
        }
    }
    d.pass(A_DAY);
    let what = format!("{whom} {at} {crash:?}");
    assert_eq!(devices_seen(&mut d), [2], "{what}");
    assert_eq!(names(d.village(), phone).len(), 2, "{what}");
    both_talk(&mut d);
    let calls = homes.map(|home| d.village().calls(home));
    [calls[0] - before[0], calls[1] - before[1]]
}

#[test]
fn a_crash_at_any_step_only_delays_it() {
    let calls = with_a_crash(0, u64::MAX, Crash::BeforeCommit);
    for (whom, most) in calls.into_iter().enumerate() {
        for at in (1..most.min(60)).step_by(3) {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                with_a_crash(whom, at, crash);
            }
        }
    }
}

#[test]
fn bad_weather_only_delays_it() {
    for seed in 4_310..4_313 {
        let mut d = Desk::new(seed, &["Alice", "Bob"]);
        let desk = d.desk();
        let old = backup(&mut d, desk);
        restore(&mut d, old);
        d.village().set_weather(Weather {
            loss: 20,
            repeat: 20,
            reorder: 20,
        });
        link_again(&mut d);
        d.pass(A_DAY);
        d.village().set_weather(Weather::default());
        d.pass(A_DAY);
        assert_eq!(devices_seen(&mut d), [2], "{seed}");
        both_talk(&mut d);
    }
}

#[test]
fn only_a_device_of_the_account_calls_one_that_has_groups() {
    let mut d = Desk::new(4_306, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let old = backup(&mut d, desk);
    restore(&mut d, old);
    // Bob reads the link, and is quicker.
    let link = shown(d.village(), desk, "desk");
    ask(d.village(), bob, call(&link, "phone"));
    d.pass(60);
    assert_eq!(devices(d.village(), desk).code, None);
    assert_eq!(devices(d.village(), bob).code, None);
    ask(d.village(), phone, call(&link, "phone"));
    d.pass(60);
    assert!(devices(d.village(), desk).code.is_some());
}

#[test]
fn a_link_that_is_read_on_the_restored_device_gives_nothing_up_before_the_code() {
    let mut d = Desk::new(4_307, &["Alice", "Bob"]);
    let (desk, bob) = (d.desk(), d.bob());
    let group = only(d.village(), bob).conversation;
    let old = backup(&mut d, desk);
    restore(&mut d, old);
    let stranger = d.village().move_in("Mallory", DELAY).unwrap();
    let link = shown(d.village(), stranger, "mallory");
    ask(d.village(), desk, call(&link, "desk"));
    d.pass(3_600);
    assert_eq!(only(d.village(), bob).conversation, group);
    link_again(&mut d);
    assert_eq!(only(d.village(), desk).conversation, group);
    both_talk(&mut d);
}

#[test]
fn a_group_is_not_lost_if_the_other_device_goes_before_it_let_this_one_in() {
    let mut d = Desk::new(4_308, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    let group = only(d.village(), desk).conversation;
    let old = backup(&mut d, desk);
    restore(&mut d, old);
    // It lets the desk in where they meet, and is gone when that asks to come.
    link(d.village(), (phone, "phone"), (desk, "desk"));
    d.village().set_weather(Weather {
        loss: 70,
        repeat: 0,
        reorder: 0,
    });
    agree(&mut d);
    for _ in 0..3_600 {
        if only(d.village(), desk).standing == RoomStanding::Joining {
            break;
        }
        d.pass(1);
    }
    d.village().cut_off(phone);
    d.village().set_weather(Weather::default());
    assert_eq!(only(d.village(), desk).standing, RoomStanding::Joining);
    let gone = device(d.village(), desk, "phone");
    ask(d.village(), desk, Command::RevokeDevice { device: gone });
    d.pass(60);
    assert_eq!(only(d.village(), desk).standing, RoomStanding::Restoring);
    d.pass(9 * A_DAY);
    // The telephone threw the lost leaf out, so that nobody follows by themselves.
    let view = only(d.village(), desk);
    assert_eq!(view.standing, RoomStanding::Member);
    assert_ne!(view.conversation, group);
}
