//! A device that was thrown out is told, and obeys.

use std::time::Duration;

use hushwing_conversation::storage::DevicesRecord;
use hushwing_conversation::village::{Conduct, Crash, Home};
use hushwing_conversation::{Change, Command, ProfileChange, Refusal, RoomStanding};

use hushwing_delivery::Storage as _;

use crate::devices::{device, devices, link, names};
use crate::devices_revoked::backup;
use crate::devices_rooms::{Desk, guests, lines, only};
use crate::support::*;

const A_DAY: u64 = 24 * 3_600;

/// The desk is lost; its backup is put back elsewhere and linked with the telephone, which
/// throws the lost one out. That is off.
fn replaced(d: &mut Desk) -> Home {
    let (desk, phone) = (d.desk(), d.phone);
    let old = backup(d, desk);
    d.village().set_asleep(desk, true);
    let new = d.village().restore_elsewhere(desk, old).unwrap();
    d.pass(60);
    link(d.village(), (phone, "phone"), (new, "new"));
    let code = devices(d.village(), new).code.expect("a code");
    ask(
        d.village(),
        new,
        Command::ConfirmDevice { code, days: None },
    );
    d.pass(600);
    assert_eq!(names(d.village(), phone).len(), 2, "the lost one went");
    new
}

/// Whether a home says of itself that it is out.
fn is_out(d: &mut Desk, home: Home) -> bool {
    devices(d.village(), home).standing == Some(RoomStanding::Left)
}

/// All that a finder may ask of a device that changes something elsewhere.
fn asks(d: &mut Desk, home: Home) -> Vec<Command> {
    let room = only(d.village(), home).room;
    let contact = contacts(d.village(), home)[0].contact;
    let say = |place| Command::Send {
        contact: place,
        text: "it is me".to_owned(),
        reply_to: None,
    };
    let device = device(d.village(), home, "phone");
    let profile = ProfileChange {
        name: Some("Alicia".to_owned()),
        ..ProfileChange::default()
    };
    let conversation = only(d.village(), home).conversation;
    vec![
        say(contact),
        say(room.place()),
        Command::RevokeDevice { device },
        Command::SetProfile(profile),
        Command::LeaveRoom { room },
        Command::Forget { contact },
        Command::FoundRoom {
            name: "Sailing".to_owned(),
        },
        Command::Invite {
            reusable: false,
            network: None,
        },
        crate::devices::show("desk"),
        Command::Keep {
            conversation,
            change: Change::Blocked(true),
        },
    ]
}

/// It refuses all of that, and shows what it had.
fn obeys(d: &mut Desk, home: Home) {
    assert!(is_out(d, home));
    for command in asks(d, home) {
        let answer = refusal(d.village(), home, command);
        assert_eq!(answer, Refusal::ThrownOut);
    }
    assert_eq!(only(d.village(), home).standing, RoomStanding::Left);
    assert_eq!(contacts(d.village(), home).len(), 1);
}

/// The two good devices and Bob talk in the group, and nobody else is heard.
fn others_talk(d: &mut Desk, homes: [Home; 2]) {
    let bob = d.bob();
    for (home, text) in [(homes[0], "one"), (homes[1], "two"), (bob, "three")] {
        d.say(home, text);
        d.pass(120);
    }
    let heard = d.read(bob);
    let last = lines(&[(false, "one"), (false, "two"), (true, "three")]);
    assert!(heard.ends_with(&last), "{heard:?}");
    assert_eq!(names(d.village(), homes[0]).len(), 2);
    assert_eq!(names(d.village(), homes[1]).len(), 2);
}

#[test]
fn a_lost_device_that_another_replaced_is_told_when_it_is_switched_on() {
    let mut d = Desk::new(4_900, &["Alice", "Bob"]);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    d.say(bob, "before");
    d.pass(60);
    let new = replaced(&mut d);
    d.pass(3 * A_DAY);
    d.village().set_asleep(desk, false);
    d.pass(60);
    obeys(&mut d, desk);
    assert_eq!(d.read(desk), lines(&[(false, "before")]));
    // So it is after each start, also long after.
    d.village().open_again(desk).unwrap();
    obeys(&mut d, desk);
    d.pass(9 * A_DAY);
    obeys(&mut d, desk);
    others_talk(&mut d, [new, phone]);
}

#[test]
fn a_finder_who_revokes_at_once_is_told_and_nobody_goes() {
    let mut d = Desk::new(4_901, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    let new = replaced(&mut d);
    // The machine runs again, and is asked before it hears anything.
    d.village().set_asleep(desk, false);
    let device = device(d.village(), desk, "phone");
    let revoke = Command::RevokeDevice { device };
    assert_eq!(refusal(d.village(), desk, revoke), Refusal::ThrownOut);
    d.pass(600);
    obeys(&mut d, desk);
    others_talk(&mut d, [new, phone]);
}

#[test]
fn a_device_without_a_network_revokes_nobody() {
    let mut d = Desk::new(4_902, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    let new = replaced(&mut d);
    let lost = device(d.village(), desk, "phone");
    let revoke = Command::RevokeDevice { device: lost };
    d.village().set_asleep(desk, false);
    d.village().set_offline(desk, true);
    assert_eq!(d.village().ask(desk, revoke).unwrap(), None, "it waits");
    d.pass(60);
    let events = format!("{:?}", d.village().events(desk));
    assert!(events.contains("Err(MailUnread)"), "{events}");
    d.village().set_offline(desk, false);
    d.pass(600);
    obeys(&mut d, desk);
    others_talk(&mut d, [new, phone]);
}

#[test]
fn the_mail_is_fetched_for_each_revocation_and_not_once_a_run() {
    let (mut d, others) = guests(4_910, &["phone", "tablet"]);
    let (desk, phone) = (d.desk(), d.phone);
    let old = device(d.village(), desk, "tablet");
    ask(d.village(), desk, Command::RevokeDevice { device: old });
    d.pass(600);
    assert!(is_out(&mut d, others[1]));
    // Its program runs on, without a network, and it is thrown out itself.
    d.village().set_offline(desk, true);
    let lost = device(d.village(), phone, "desk");
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    d.pass(600);
    let good = device(d.village(), desk, "phone");
    let revoke = Command::RevokeDevice { device: good };
    assert_eq!(d.village().ask(desk, revoke).unwrap(), None, "it waits");
    d.pass(60);
    d.village().set_offline(desk, false);
    d.pass(600);
    obeys_alone_as(&mut d, desk);
    assert!(!is_out(&mut d, phone));
}

#[test]
fn what_was_asked_before_is_answered_when_a_device_is_out() {
    let mut d = Desk::new(4_911, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    // There is no server on which a new mailbox could be.
    d.village().set_servers(2);
    d.village().set_conduct(1, Conduct::Dead);
    d.village().close_server(0);
    let invite = Command::Invite {
        reusable: false,
        network: None,
    };
    assert_eq!(d.village().ask(desk, invite).unwrap(), None, "it waits");
    let lost = device(d.village(), phone, "desk");
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    d.pass(600);
    assert!(is_out(&mut d, desk));
    let events = format!("{:?}", d.village().events(desk));
    assert!(events.contains("Err(ThrownOut)"), "{events}");
}

#[test]
fn who_is_out_is_told_again_when_a_relay_has_let_the_word_expire() {
    let mut d = Desk::new(4_907, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    let lost = device(d.village(), phone, "desk");
    d.village().set_asleep(desk, true);
    d.village().swallow(phone, 1_000);
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    d.pass(600);
    d.village().swallow(phone, 0);
    d.pass(22 * A_DAY);
    d.village().set_asleep(desk, false);
    d.pass(600);
    assert!(is_out(&mut d, desk));
}

#[test]
fn only_the_last_that_went_are_told_for_good() {
    let mut v = village(4_909);
    let desk = v.move_in("Alice", DELAY).unwrap();
    for _ in 0..9 {
        let other = v.move_in("Alice", DELAY).unwrap();
        link(&mut v, (desk, "desk"), (other, "other"));
        let device = device(&mut v, desk, "other");
        ask(&mut v, desk, Command::RevokeDevice { device });
        v.pass(Duration::from_secs(600)).unwrap();
        assert_eq!(devices(&mut v, other).standing, Some(RoomStanding::Left));
    }
    let waits = v.storage(desk).unwrap().letters().unwrap();
    assert_eq!(waits.len(), 8);
}

#[test]
fn a_lost_device_whose_mailbox_takes_nothing_is_replaced_all_the_same() {
    let mut d = Desk::new(4_908, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    d.village().cut_off(desk);
    let new = replaced(&mut d);
    assert_eq!(only(d.village(), new).standing, RoomStanding::Member);
    others_talk(&mut d, [new, phone]);
}

#[test]
fn what_waited_to_leave_does_not_once_a_device_is_out() {
    let mut d = Desk::new(4_903, &["Alice", "Bob"]);
    let (desk, bob) = (d.desk(), d.bob());
    let contact = contacts(d.village(), desk)[0].contact;
    // She wrote without a network when it was stolen.
    d.village().set_offline(desk, true);
    send(d.village(), desk, contact, "never sent");
    d.say(desk, "nor this");
    let (phone, lost) = (d.phone, "desk");
    let lost = device(d.village(), phone, lost);
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    d.pass(600);
    // What lies in its mailbox comes before a letter is tried again.
    d.village().set_offline(desk, false);
    d.pass(A_DAY);
    obeys(&mut d, desk);
    assert!(d.read(bob).is_empty());
    let alice = contacts(d.village(), bob)[0].contact;
    assert!(texts(d.village(), bob, alice).is_empty());
}

#[test]
fn the_rule_says_who_is_out_and_not_who_was_heard_first() {
    let (mut d, others) = guests(4_904, &["phone", "tablet"]);
    let (desk, bob) = (d.desk(), d.bob());
    let (phone, tablet) = (others[0], others[1]);
    bob_changes(&mut d);
    // The tablet throws the telephone out, which hears it at once; the desk, which is lower
    // than both and was off, threw out the tablet before.
    let contact = contacts(d.village(), desk)[0].contact;
    let stolen = device(d.village(), desk, "tablet");
    let good = device(d.village(), tablet, "phone");
    d.village().part(&[&[desk], &[bob, phone, tablet]]);
    ask(d.village(), desk, Command::RevokeDevice { device: stolen });
    ask(d.village(), tablet, Command::RevokeDevice { device: good });
    d.pass(120);
    obeys_alone(&mut d, phone);
    assert!(!is_out(&mut d, desk) && !is_out(&mut d, tablet));
    d.village().heal();
    d.pass(600);
    assert!(is_out(&mut d, tablet));
    obeys_alone(&mut d, tablet);
    assert!(!is_out(&mut d, phone), "the lower leaf is heard");
    d.say(phone, "here again");
    d.pass(120);
    assert_eq!(d.read(bob).pop(), Some((false, "here again".to_owned())));
    send(d.village(), desk, contact, "and I");
    d.pass(120);
    let alice = contacts(d.village(), bob)[0].contact;
    assert_eq!(texts(d.village(), bob, alice), ["and I"]);
}

/// It is out, and neither founds nor revokes.
fn obeys_alone(d: &mut Desk, home: Home) {
    assert!(is_out(d, home));
    let name = "Sailing".to_owned();
    let device = device(d.village(), home, "desk");
    for command in [
        Command::FoundRoom { name },
        Command::RevokeDevice { device },
    ] {
        assert_eq!(refusal(d.village(), home, command), Refusal::ThrownOut);
    }
}

/// Others change something, so that devices may come and go.
fn bob_changes(d: &mut Desk) {
    let bob = d.bob();
    for at in 0..4 {
        let room = only(d.village(), bob).room;
        let name = format!("Rowing {at}");
        ask(d.village(), bob, Command::RenameRoom { room, name });
        d.pass(120);
    }
}

#[test]
fn a_device_that_is_out_stays_so_whoever_puts_its_backup_back() {
    let mut d = Desk::new(4_905, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    let lost = device(d.village(), phone, "desk");
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    d.pass(600);
    assert!(is_out(&mut d, desk));
    let old = backup(&mut d, desk);
    let again = d.village().restore_elsewhere(desk, old).unwrap();
    d.pass(9 * A_DAY);
    obeys_alone_as(&mut d, again);
    assert_eq!(names(d.village(), phone).len(), 1);
}

#[test]
fn a_backup_whose_record_of_the_devices_is_damaged_says_nothing_of_being_out() {
    let mut d = Desk::new(4_912, &["Alice", "Bob"]);
    let desk = d.desk();
    let mut old = backup(&mut d, desk);
    let meeting = DevicesRecord::read(&old).unwrap().room.unwrap();
    old.spoil_room(meeting);
    let again = d.village().restore_elsewhere(desk, old).unwrap();
    d.pass(600);
    assert!(!is_out(&mut d, again));
    let name = "Sailing".to_owned();
    ask(d.village(), again, Command::FoundRoom { name });
}

fn obeys_alone_as(d: &mut Desk, home: Home) {
    assert!(is_out(d, home));
    let name = "Sailing".to_owned();
    let found = Command::FoundRoom { name };
    assert_eq!(refusal(d.village(), home, found), Refusal::ThrownOut);
    let contact = contacts(d.village(), home)[0].contact;
    let say = Command::Send {
        contact,
        text: "it is me".to_owned(),
        reply_to: None,
    };
    assert_eq!(refusal(d.village(), home, say), Refusal::ThrownOut);
}

/// The lost one is switched on and crashes at its `at`th call; how many there were.
fn switched_on_with_a_crash(at: u64, crash: Crash) -> u64 {
    let mut d = Desk::new(4_906, &["Alice", "Bob"]);
    let (desk, phone) = (d.desk(), d.phone);
    let lost = device(d.village(), phone, "desk");
    d.village().set_asleep(desk, true);
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    d.pass(600);
    let before = d.village().calls(desk);
    d.village().crash_in(desk, at, crash);
    d.village().set_asleep(desk, false);
    let device = device(d.village(), desk, "phone");
    let revoke = Command::RevokeDevice { device };
    let answer = d.village().ask(desk, revoke.clone()).unwrap();
    assert!(answer.is_none_or(|answer| answer == Err(Refusal::ThrownOut)));
    d.pass(600);
    let what = format!("{at} {crash:?}");
    assert!(is_out(&mut d, desk), "{what}");
    assert_eq!(refusal(d.village(), desk, revoke), Refusal::ThrownOut);
    assert_eq!(names(d.village(), phone).len(), 1, "{what}");
    assert_eq!(only(d.village(), phone).standing, RoomStanding::Member);
    d.village().calls(desk) - before
}

#[test]
fn a_crash_at_any_step_changes_nothing_of_it() {
    let calls = switched_on_with_a_crash(u64::MAX, Crash::BeforeCommit);
    for at in 1..calls.min(24) {
        for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
            switched_on_with_a_crash(at, crash);
        }
    }
}
