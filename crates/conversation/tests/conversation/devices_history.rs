//! What was said before a device was linked, handed to it in pieces.

use std::time::Duration;

use hushwing_conversation::storage::{TakingGroup, TakingRecord};
use hushwing_conversation::view::HistoryView;
use hushwing_conversation::village::{Crash, Home, Weather};
use hushwing_conversation::{Command, Event};

use crate::devices::{call, device, devices, shown};
use crate::devices_rooms::{Desk, only};
use crate::rooms::acquaintances;
use crate::support::*;

const A_DAY: u64 = 24 * 3_600;
/// Said before the telephone is linked: four pieces.
pub(crate) const MANY: usize = 110;

/// Alice's group with Bob, in which much was said, and a telephone that is not linked yet.
pub(crate) fn long_ago(seed: u64) -> Desk {
    said_before(seed, MANY)
}

fn said_before(seed: u64, many: usize) -> Desk {
    let mut circle = acquaintances(seed, &["Alice", "Bob"]);
    circle.found();
    circle.add(1);
    let phone = circle.village.move_in("Alice", DELAY).unwrap();
    let mut d = Desk { circle, phone };
    let homes = [d.desk(), d.bob()];
    for at in 0..many {
        d.say(homes[at % 2], &format!("text {at}"));
        if at % 20 == 0 {
            d.pass(60);
        }
    }
    d.pass(600);
    d
}

/// Links the telephone, and has so many days of history handed to it.
pub(crate) fn link(d: &mut Desk, days: Option<u32>) {
    let phone = d.phone;
    link_with(d, phone, "phone", days);
}

fn link_with(d: &mut Desk, new: Home, name: &str, days: Option<u32>) {
    let desk = d.desk();
    let link = shown(d.village(), new, name);
    ask(d.village(), desk, call(&link, "desk"));
    d.pass(10);
    let code = devices(d.village(), desk).code.expect("a code");
    ask(d.village(), desk, Command::ConfirmDevice { code, days });
}

pub(crate) fn taking(d: &mut Desk) -> TakingRecord {
    let phone = d.phone;
    TakingRecord::read(d.village().storage(phone).unwrap()).unwrap()
}

/// How far the telephone is with the group: it takes what was said with Bob as well.
pub(crate) fn taking_group(d: &mut Desk) -> TakingGroup {
    let phone = d.phone;
    let room = only(d.village(), phone).room;
    let all = taking(d).groups.into_iter();
    let mut all = all.filter(|one| one.room == room);
    all.next().expect("the group")
}

pub(crate) fn is_over(d: &mut Desk) -> bool {
    taking(d).groups.iter().all(|one| one.over)
}

#[test]
fn a_new_device_is_handed_all_that_was_said_newest_first() {
    let mut d = long_ago(4_400);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let first = only(d.village(), desk).room.place();
    let oldest = read(d.village(), desk, first)[0].id;
    let room = only(d.village(), bob).room.place();
    let react = Command::React {
        message: oldest,
        mark: "🦉".to_owned(),
    };
    ask(d.village(), bob, react);
    let gone = send(d.village(), bob, room, "to be gone");
    d.pass(60);
    ask(d.village(), bob, Command::Delete { message: gone });
    d.pass(600);
    link(&mut d, None);
    d.pass(600);
    // How far it is can be looked at while it comes.
    let told = d.village().events(phone);
    let seen = told.iter().filter_map(|event| match event {
        Event::Devices(view) => view.history,
        _ => None,
    });
    let seen: Vec<HistoryView> = seen.collect();
    assert!(seen.iter().any(|one| one.open == 1 && one.taken > 0));
    assert!(seen.last().is_some_and(|one| one.open == 0));
    assert!(is_over(&mut d));
    let hers = d.read(desk);
    assert_eq!(hers.len(), MANY + 1);
    let texts: Vec<_> = hers
        .iter()
        .filter(|one| one.1.starts_with("text"))
        .cloned()
        .collect();
    assert_eq!(d.read(phone), texts);
    let all = d.look(phone);
    assert!(all.iter().all(|one| one.handed_on));
    assert_eq!(all[0].reactions.len(), 1);
    // Nothing is unread of it, and what is said from now on comes as ever.
    assert_eq!(crate::devices_rooms::unread(d.village(), phone), 0);
    d.say(bob, "after");
    d.pass(60);
    assert_eq!(d.read(phone).last(), Some(&(false, "after".to_owned())));
}

#[test]
fn a_person_can_have_less_handed_over() {
    for (days, all) in [(Some(0), 0), (Some(1), 0), (Some(4), MANY)] {
        let mut d = long_ago(4_401);
        let wait = Duration::from_secs(3 * A_DAY);
        d.village().pass(wait).unwrap();
        link(&mut d, days);
        d.pass(3_600);
        let phone = d.phone;
        let came = d.read(phone).len();
        assert_eq!(came, all, "{days:?}");
        assert!(is_over(&mut d), "it is told that there is no more");
    }
}

#[test]
fn loss_and_disorder_and_being_off_only_delay_it() {
    for seed in 4_402..4_404 {
        let mut d = long_ago(seed);
        let (desk, phone) = (d.desk(), d.phone);
        link(&mut d, None);
        d.pass(30);
        d.village().set_weather(Weather {
            loss: 30,
            repeat: 30,
            reorder: 30,
        });
        d.pass(60);
        d.village().open_again(desk).unwrap();
        d.pass(60);
        d.village().open_again(phone).unwrap();
        d.village().lose_mailboxes(phone, true);
        d.pass(2 * A_DAY);
        d.village().set_weather(Weather::default());
        d.pass(A_DAY);
        let (here, there) = (d.read(desk), d.read(phone));
        assert_eq!(here, there, "{seed}");
    }
}

#[test]
fn a_device_that_is_off_is_waited_for() {
    let mut d = long_ago(4_410);
    let (desk, phone) = (d.desk(), d.phone);
    link(&mut d, None);
    until_midway(&mut d);
    d.village().set_offline(desk, true);
    d.pass(2 * 3_600);
    let midway = devices(d.village(), phone).history.expect("it began");
    assert!(midway.open == 1 && midway.taken < MANY as u64);
    d.village().set_offline(desk, false);
    d.pass(3_600);
    assert_eq!(d.read(desk), d.read(phone));
}

#[test]
fn what_somebody_said_before_they_heard_of_the_device_comes_within_hours() {
    let mut d = said_before(4_412, 70);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    d.village().set_offline(bob, true);
    d.say(bob, "said in the tunnel");
    link(&mut d, None);
    d.pass(1_800);
    assert!(taking_group(&mut d).over, "what the others had came");
    d.village().set_offline(bob, false);
    d.pass(60);
    let late = (false, "said in the tunnel".to_owned());
    assert!(d.read(desk).contains(&late) && !d.read(phone).contains(&late));
    d.pass(2 * 3_600);
    assert_eq!(d.read(desk), d.read(phone));
    // Looked for three times in all, and nothing comes of it twice.
    d.pass(5 * A_DAY);
    assert_eq!(d.read(desk), d.read(phone));
    let group = taking_group(&mut d);
    assert_eq!((group.looks, group.over), (3, true));
    assert_eq!(group.taken, 71);
}

#[test]
fn what_of_a_group_is_to_come_is_not_told_once_it_is_left() {
    let mut d = said_before(4_411, 70);
    let (desk, phone) = (d.desk(), d.phone);
    d.circle.make_steward(0, "Bob");
    d.pass(600);
    link(&mut d, None);
    until_midway(&mut d);
    d.village().set_offline(desk, true);
    let open = |d: &mut Desk| devices(d.village(), phone).history.expect("it began").open;
    assert_eq!(open(&mut d), 1);
    let room = only(d.village(), phone).room;
    ask(d.village(), phone, Command::LeaveRoom { room });
    d.pass(600);
    assert_eq!(open(&mut d), 0);
}

#[test]
fn what_a_server_loses_is_asked_for_again() {
    let mut d = said_before(4_412, 70);
    let (desk, phone) = (d.desk(), d.phone);
    link(&mut d, None);
    until_midway(&mut d);
    // The server takes the next question, and keeps it.
    d.village().swallow(phone, 1);
    d.pass(300);
    assert!(!is_over(&mut d));
    d.pass(600);
    assert!(is_over(&mut d));
    assert_eq!(d.read(desk), d.read(phone));
}

#[test]
fn crashes_at_any_step_only_delay_it() {
    for whom in 0..2 {
        for (calls, crash) in [(1, Crash::AfterCommit), (2, Crash::BeforeCommit)] {
            let mut d = said_before(4_405, 70);
            let homes = [d.desk(), d.phone];
            link(&mut d, None);
            // Again and again, and each time after a few more calls.
            for more in 0..12 {
                d.village().crash_in(homes[whom], calls + more % 4, crash);
                while d.village().will_crash(homes[whom]) {
                    d.village().step().unwrap().expect("something happens");
                }
            }
            d.pass(3_600);
            let (here, there) = (d.read(homes[0]), d.read(homes[1]));
            assert_eq!(here, there, "{whom} {calls} {crash:?}");
        }
    }
}

/// Waits until a piece came, while the next is on its way.
pub(crate) fn until_midway(d: &mut Desk) {
    while taking(d).groups.iter().all(|one| one.taken == 0) {
        d.village().step().unwrap().expect("something happens");
    }
    assert!(!is_over(d));
}

#[test]
fn who_is_revoked_midway_is_handed_nothing_further() {
    let mut d = long_ago(4_406);
    let (desk, phone) = (d.desk(), d.phone);
    link(&mut d, None);
    until_midway(&mut d);
    let lost = device(d.village(), desk, "phone");
    ask(d.village(), desk, Command::RevokeDevice { device: lost });
    d.pass(A_DAY);
    assert!(d.read(phone).len() < MANY);
}

#[test]
fn when_nobody_is_left_who_could_go_on_the_person_is_told() {
    let mut d = long_ago(4_407);
    let phone = d.phone;
    link(&mut d, None);
    until_midway(&mut d);
    let taken = taking_group(&mut d).taken;
    let lost = device(d.village(), phone, "desk");
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    let view = devices(d.village(), phone).history;
    let cut = HistoryView {
        taken,
        open: 1,
        cut: true,
    };
    assert_eq!(view, Some(cut));
    d.pass(A_DAY);
    assert!(d.read(phone).len() < MANY, "who is out is believed no more");
    assert_eq!(devices(d.village(), phone).history, Some(cut));
}

/// A tablet that was handed so much, and the telephone let in by it while the desk is off.
fn linked_by_a_tablet(seed: u64, days: Option<u32>) -> Desk {
    let mut d = said_before(seed, 70);
    let (desk, phone) = (d.desk(), d.phone);
    let tablet = d.village().move_in("Alice", DELAY).unwrap();
    link_with(&mut d, tablet, "tablet", days);
    d.pass(600);
    d.village().set_offline(desk, true);
    crate::devices::link(d.village(), (tablet, "tablet"), (phone, "phone"));
    d.pass(3 * 3_600);
    d
}

#[test]
fn a_device_that_is_off_holds_up_nothing_that_another_has() {
    let mut d = linked_by_a_tablet(4_413, None);
    let (desk, phone) = (d.desk(), d.phone);
    assert_eq!(d.read(phone), d.read(desk));
    let view = devices(d.village(), phone).history.expect("it came");
    // Of the group, and of what was said with Bob.
    assert_eq!((view.open, view.cut), (2, false), "the desk may have more");
    d.village().set_offline(desk, false);
    d.pass(A_DAY);
    assert!(is_over(&mut d));
}

#[test]
fn a_device_that_lacks_the_past_does_not_end_it() {
    let mut d = linked_by_a_tablet(4_414, Some(0));
    let (desk, phone) = (d.desk(), d.phone);
    assert!(d.read(phone).is_empty());
    assert!(!is_over(&mut d));
    d.village().set_offline(desk, false);
    d.pass(A_DAY);
    assert_eq!(d.read(phone), d.read(desk));
    assert!(is_over(&mut d));
}

#[test]
fn another_device_goes_on_where_one_was_revoked() {
    let mut d = long_ago(4_408);
    let (desk, phone) = (d.desk(), d.phone);
    let tablet = d.village().move_in("Alice", DELAY).unwrap();
    link_with(&mut d, tablet, "tablet", None);
    d.pass(600);
    assert_eq!(d.read(tablet).len(), MANY);
    // One change every so often, so that a third device may come.
    for name in ["Sculling", "Sailing", "Surfing", "Swimming", "Skating"] {
        let room = only(d.village(), desk).room;
        let name = name.to_owned();
        ask(d.village(), desk, Command::RenameRoom { room, name });
        d.pass(120);
    }
    link(&mut d, None);
    until_midway(&mut d);
    let before = taking_group(&mut d).before;
    let lost = device(d.village(), phone, "desk");
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    // It fetched its mail first, and so further pieces; none is asked for twice.
    assert!(taking_group(&mut d).before <= before);
    d.pass(A_DAY);
    let (theirs, its) = (d.read(tablet), d.read(phone));
    assert_eq!(its.len(), MANY);
    assert_eq!(theirs, its);
    let view = devices(d.village(), phone).history;
    assert!(view.is_some_and(|view| !view.cut && view.open == 0));
    assert_eq!(d.read(desk).len(), MANY);
}
