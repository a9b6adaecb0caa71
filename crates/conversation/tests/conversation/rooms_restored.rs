//! Groups after a backup was put back.

use std::time::Duration;

use hushwing_conversation::view::MemberView;
use hushwing_conversation::village::{Crash, Weather};
use hushwing_conversation::{Command, MemoryStorage, Refusal, RoomStanding};

use crate::rooms::{Circle, circle, rooms};
use crate::support::*;

const A_DAY: Duration = Duration::from_secs(24 * 3_600);

fn backup(c: &mut Circle, who: usize) -> MemoryStorage {
    c.village.storage(c.homes[who]).unwrap().clone()
}

fn restore(c: &mut Circle, who: usize, old: MemoryStorage) {
    c.village.restore(c.homes[who], old).unwrap();
}

/// Somebody who is in it, and not the leaf they were before.
fn present(c: &mut Circle, who: usize, name: &str) -> MemberView {
    let mut members = c.view(who).members.into_iter();
    let found = members.find(|member| member.present && member.name == name);
    found.expect(name)
}

/// All say something, and all have it.
fn all_talk(c: &mut Circle, word: &str) {
    let all: Vec<usize> = (0..c.homes.len()).collect();
    c.agree(&all);
    for who in &all {
        c.say(*who, &format!("{word} {who}"));
    }
    c.pass(3_600);
    for who in &all {
        let texts = c.texts(*who);
        for by in &all {
            let said = format!("{word} {by}");
            let count = texts.iter().filter(|text| **text == said).count();
            assert_eq!(count, 1, "{said} at {who}: {texts:?}");
        }
    }
}

#[test]
fn a_member_of_a_month_ago_gets_back_into_the_group() {
    let mut c = circle(2_700, &["Alice", "Bob", "Carol"]);
    all_talk(&mut c, "before");
    let old = backup(&mut c, 1);
    for day in 0..30 {
        c.say(0, &format!("day {day}"));
        c.say(1, &format!("lost {day}"));
        c.village.pass(A_DAY).unwrap();
    }
    restore(&mut c, 1, old);
    assert_eq!(c.view(1).standing, RoomStanding::Restoring);
    let place = c.rooms[1].place();
    let text = "too early".to_owned();
    let said = Command::Send {
        contact: place,
        text,
        reply_to: None,
    };
    let no = refusal(&mut c.village, c.homes[1], said);
    assert_eq!(no, Refusal::RoomRestoring);
    c.village.pass(A_DAY).unwrap();
    all_talk(&mut c, "after");
    // The lost leaf is out, and nobody is there twice.
    for who in 0..3 {
        assert_eq!(c.view(who).size, 3);
    }
    assert!(c.texts(1).contains(&"before 0".to_owned()));
    assert!(rooms(&mut c.village, c.homes[1]).len() == 1);
}

#[test]
fn who_was_removed_is_not_brought_back_by_a_backup() {
    let mut c = circle(2_701, &["Alice", "Bob", "Carol"]);
    let old = backup(&mut c, 1);
    let (room, member) = (c.rooms[0], c.member(0, "Bob").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(600);
    assert_eq!(c.view(0).size, 2);
    restore(&mut c, 1, old);
    c.village.pass(A_DAY * 3).unwrap();
    assert_eq!(c.view(1).standing, RoomStanding::Restoring);
    assert_eq!(c.view(0).size, 2);
    assert!(c.view(0).asked.is_empty());
}

#[test]
fn a_crash_anywhere_or_bad_weather_only_delays_it() {
    for (who, at) in [(0, 3), (0, 9), (0, 17), (1, 4), (1, 11), (1, 19)] {
        for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
            let mut c = circle(2_702, &["Alice", "Bob"]);
            let old = backup(&mut c, 1);
            c.say(0, "between");
            c.pass(60);
            restore(&mut c, 1, old);
            c.village.set_weather(Weather {
                loss: 30,
                repeat: 30,
                reorder: 30,
            });
            c.village.crash_in(c.homes[who], at, crash);
            c.village.pass(A_DAY).unwrap();
            c.village.set_weather(Weather::default());
            assert!(!c.village.will_crash(c.homes[who]), "{at}");
            all_talk(&mut c, "after");
        }
    }
}

#[test]
fn the_highest_of_several_stewards_founds_it_anew_and_appoints_nobody_unseen() {
    let mut c = circle(2_703, &["Alice", "Bob", "Carol"]);
    c.make_steward(0, "Bob");
    c.pass(600);
    let old = backup(&mut c, 0);
    restore(&mut c, 0, old);
    c.village.pass(A_DAY).unwrap();
    all_talk(&mut c, "after");
    assert_eq!(c.view(1).size, 3);
    // What a backup says of who is a steward may have been decided otherwise since.
    assert!(present(&mut c, 2, "Alice").steward);
    assert!(!present(&mut c, 2, "Bob").steward);
}

#[test]
fn who_came_along_and_was_removed_does_not_come_back_by_asking_again() {
    let mut c = circle(2_711, &["Alice", "Bob", "Carol"]);
    let hers = backup(&mut c, 0);
    restore(&mut c, 0, hers);
    c.village.pass(A_DAY).unwrap();
    all_talk(&mut c, "anew");
    // Of a backup that knows the new group, so that it asks for that.
    let his = backup(&mut c, 1);
    let (room, member) = (c.rooms[0], present(&mut c, 0, "Bob").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.village.pass(Duration::from_secs(600)).unwrap();
    restore(&mut c, 1, his);
    c.village.pass(3 * A_DAY).unwrap();
    assert_eq!(c.view(0).size, 2);
    assert_eq!(c.view(2).size, 2);
}

#[test]
fn a_backup_from_before_the_group_was_founded_anew_leads_into_it() {
    let mut c = circle(2_708, &["Alice", "Bob", "Carol"]);
    let his = backup(&mut c, 1);
    let hers = backup(&mut c, 0);
    restore(&mut c, 0, hers);
    c.village.pass(A_DAY).unwrap();
    all_talk(&mut c, "between");
    restore(&mut c, 1, his);
    c.village.pass(A_DAY).unwrap();
    all_talk(&mut c, "after");
    assert_eq!(c.view(2).size, 3);
}

/// Bob put a backup back, and is offered the group by a leaf that it does not know.
fn offered_by_another_leaf(seed: u64) -> Circle {
    let mut c = circle(seed, &["Alice", "Bob", "Carol"]);
    let old = backup(&mut c, 1);
    let on = true;
    // Since then Alice went and came back, as a leaf that his backup does not know.
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::SetSteward { room, member, on });
    c.pass(600);
    c.ask(0, Command::LeaveRoom { room });
    c.pass(600);
    let (room, contact) = (c.rooms[2], contacts(&mut c.village, c.homes[2])[0].contact);
    c.ask(2, Command::OfferRoom { room, contact });
    c.pass(60);
    let offered = c.offered(0);
    c.ask(0, Command::AcceptRoom { room: offered });
    c.pass(600);
    let member = present(&mut c, 2, "Alice").member;
    c.ask(2, Command::SetSteward { room, member, on });
    c.pass(600);
    restore(&mut c, 1, old);
    c.village.pass(A_DAY).unwrap();
    assert_eq!(c.view(1).standing, RoomStanding::Restoring);
    c
}

#[test]
fn a_leaf_that_was_no_stewards_in_the_backup_leads_back_by_a_persons_word_alone() {
    let mut c = offered_by_another_leaf(2_710);
    let offered = c.offered(1);
    c.ask(1, Command::AcceptRoom { room: offered });
    c.pass(3_600);
    all_talk(&mut c, "after");
}

#[test]
fn who_asked_and_was_removed_then_is_not_let_in_by_a_late_answer() {
    let mut c = offered_by_another_leaf(2_711);
    let (room, member) = (c.rooms[0], present(&mut c, 0, "Bob").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(600);
    assert_eq!(c.view(0).asked.len(), 1);
    let offered = c.offered(1);
    c.ask(1, Command::AcceptRoom { room: offered });
    c.village.pass(A_DAY).unwrap();
    assert!(c.view(0).asked.is_empty(), "his answer came");
    assert_eq!((c.view(0).size, c.view(2).size), (2, 2));
    assert_ne!(c.view(1).standing, RoomStanding::Member);
}

#[test]
fn an_offer_that_comes_a_week_late_still_leads_back() {
    let mut c = circle(2_709, &["Alice", "Bob"]);
    let old = backup(&mut c, 1);
    restore(&mut c, 1, old);
    for _ in 0..7_200 {
        c.pass(1);
        if c.view(1).standing == RoomStanding::Joining {
            break;
        }
    }
    assert_eq!(c.view(1).standing, RoomStanding::Joining);
    let quiet = |on| Weather {
        loss: if on { 100 } else { 0 },
        repeat: 0,
        reorder: 0,
    };
    c.village.set_weather(quiet(true));
    c.village.pass(A_DAY * 3).unwrap();
    c.village.set_weather(quiet(false));
    c.village.pass(A_DAY).unwrap();
    all_talk(&mut c, "after");
}

#[test]
fn an_only_steward_founds_the_group_anew_and_all_come_along() {
    let mut c = circle(2_704, &["Alice", "Bob", "Carol"]);
    all_talk(&mut c, "before");
    let old = backup(&mut c, 0);
    for day in 0..30 {
        c.say(0, &format!("lost {day}"));
        c.say(1, &format!("day {day}"));
        c.village.pass(A_DAY).unwrap();
    }
    restore(&mut c, 0, old);
    c.village.pass(A_DAY).unwrap();
    all_talk(&mut c, "after");
    for who in 0..3 {
        assert_eq!(c.view(who).size, 3);
        assert_eq!(rooms(&mut c.village, c.homes[who]).len(), 1);
        // What is said since stands behind all that was said before.
        let texts = c.texts(who);
        let last: Vec<_> = texts[texts.len() - 3..].to_vec();
        assert!(
            last.iter().all(|text| text.starts_with("after")),
            "{last:?}"
        );
        assert!(texts.contains(&"before 2".to_owned()));
    }
    assert!(c.member(0, "Alice").steward);
    // It lasts, is changed as before, and the same backup can be put back again.
    for who in 0..3 {
        c.village.open_again(c.homes[who]).unwrap();
    }
    all_talk(&mut c, "opened");
    let room = c.rooms[0];
    let name = "Sculling".to_owned();
    c.ask(0, Command::RenameRoom { room, name });
    c.pass(600);
    assert_eq!(c.view(2).name, "Sculling");
}

#[test]
fn an_only_steward_may_put_the_same_backup_back_often() {
    let mut c = circle(2_705, &["Alice", "Bob", "Carol"]);
    let old = backup(&mut c, 0);
    for n in 0..3 {
        restore(&mut c, 0, old.clone());
        c.village.pass(A_DAY).unwrap();
        all_talk(&mut c, &format!("after {n},"));
    }
    // And a later one, too.
    let old = backup(&mut c, 0);
    let his = backup(&mut c, 1);
    c.say(2, "between");
    c.pass(600);
    restore(&mut c, 0, old);
    restore(&mut c, 1, his);
    c.village.pass(A_DAY).unwrap();
    all_talk(&mut c, "last");
}

#[test]
fn nobody_comes_along_with_who_is_no_steward_any_more() {
    let mut c = circle(2_706, &["Alice", "Bob", "Carol"]);
    let old = backup(&mut c, 0);
    for (name, on) in [("Bob", true), ("Alice", false)] {
        let (room, member) = (c.rooms[0], c.member(0, name).member);
        c.ask(0, Command::SetSteward { room, member, on });
        c.pass(600);
    }
    restore(&mut c, 0, old);
    c.village.pass(A_DAY).unwrap();
    assert_eq!(c.view(0).size, 1, "as far as she knows she founded it anew");
    assert_eq!((c.view(1).size, c.view(2).size), (3, 3));
    c.say(1, "we stay");
    c.pass(60);
    assert!(c.texts(2).contains(&"we stay".to_owned()));
    // The steward of today asks her in.
    c.rooms[0] = c.offered(0);
    let room = c.rooms[0];
    c.ask(0, Command::AcceptRoom { room });
    c.pass(600);
    all_talk(&mut c, "after");
}
