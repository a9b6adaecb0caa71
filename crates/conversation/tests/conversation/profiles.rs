//! How people are shown to each other, and what becomes of it when that changes.

use std::time::Duration;

use hushwing_conversation::content::Avatar;
use hushwing_conversation::storage::MyProfileRecord;
use hushwing_conversation::view::{FaceView, MyProfileView};
use hushwing_conversation::village::{Crash, Home, Village};
use hushwing_conversation::{
    Command, ContactId, Event, MemoryStorage, ProfileChange, Refusal, Reply, Standing, Storage as _,
};

use crate::support::*;

const A_MINUTE: Duration = Duration::from_secs(60);

/// The head of a picture of that size; `mark` tells it apart from others.
fn picture(side: u16, mark: u8) -> Avatar {
    let [high, low] = side.to_be_bytes();
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    file.extend([0, 0, high, low, 0, 0, high, low, 8, 2, 0, 0, 0, mark]);
    Avatar::new(file).unwrap()
}

fn all(name: &str, avatar: Avatar, status: &str) -> ProfileChange {
    ProfileChange {
        name: Some(name.to_owned()),
        avatar: Some(Some(avatar)),
        status: Some(Some(status.to_owned())),
    }
}

fn status(status: &str) -> ProfileChange {
    ProfileChange {
        status: Some(Some(status.to_owned())),
        ..ProfileChange::default()
    }
}

fn set(village: &mut Village, home: Home, change: ProfileChange) -> MyProfileView {
    match ask(village, home, Command::SetProfile(change)) {
        Reply::MyProfile(view) => view,
        other => panic!("{other:?}"),
    }
}

fn avatar(village: &mut Village, home: Home, contact: ContactId) -> Option<Avatar> {
    let command = Command::Avatar { contact };
    let answer = village.ask(home, command.clone()).unwrap();
    // Once more if a crash swallowed it.
    let answer = answer.or_else(|| village.ask(home, command).unwrap());
    match answer.unwrap() {
        Ok(Reply::Avatar(avatar)) => Some(avatar),
        Err(Refusal::NoAvatar) => None,
        other => panic!("{other:?}"),
    }
}

fn face(village: &mut Village, home: Home) -> (String, FaceView) {
    let view = contacts(village, home).remove(0);
    (view.name, *view.face)
}

fn changes_of_name(events: &[Event]) -> Vec<(String, String)> {
    let told = events.iter().filter_map(|event| match event {
        Event::CalledOtherwise { before, now, .. } => Some((before.clone(), now.clone())),
        _ => None,
    });
    told.collect()
}

fn told_so_far(c: &mut Couple) -> usize {
    let storage = c.village.storage(c.bob).unwrap();
    storage.control(c.his_alice, true).unwrap().len()
}

fn backup(village: &mut Village, home: Home) -> MemoryStorage {
    village.storage(home).unwrap().clone()
}

#[test]
fn a_contact_sees_name_picture_and_status_and_is_told_of_the_name() {
    let mut c = couple(7_000);
    let mine = set(&mut c.village, c.bob, all("Rob", picture(128, 1), "away"));
    assert_eq!(
        (mine.name.as_str(), mine.avatar),
        ("Rob", Some(picture(128, 1)))
    );
    c.village.pass(A_MINUTE).unwrap();
    let (name, shown) = face(&mut c.village, c.alice);
    assert_eq!(name, "Rob");
    assert_eq!(shown.name.as_deref(), Some("Rob"));
    assert_eq!(shown.status.as_deref(), Some("away"));
    assert_eq!(shown.names[0].0, "Bob");
    assert_eq!(
        avatar(&mut c.village, c.alice, c.her_bob),
        Some(picture(128, 1))
    );
    let events = c.village.events(c.alice);
    assert_eq!(changes_of_name(&events), [("Bob".into(), "Rob".into())]);
    // It outlives a restart, and is said once.
    let (said, before) = (told_so_far(&mut c), face(&mut c.village, c.alice));
    c.village.open_again(c.alice).unwrap();
    c.village.open_again(c.bob).unwrap();
    c.village.pass(A_MINUTE * 30).unwrap();
    assert_eq!(face(&mut c.village, c.alice), before);
    assert_eq!(told_so_far(&mut c), said);
    assert_eq!(changes_of_name(&c.village.events(c.alice)), []);
    // And is taken back.
    let change = ProfileChange {
        avatar: Some(None),
        status: Some(None),
        name: None,
    };
    set(&mut c.village, c.bob, change);
    c.village.pass(A_MINUTE).unwrap();
    let (name, shown) = face(&mut c.village, c.alice);
    assert_eq!(
        (name.as_str(), shown.status, shown.avatar),
        ("Rob", None, None)
    );
    assert_eq!(avatar(&mut c.village, c.alice, c.her_bob), None);
}

#[test]
fn a_name_that_was_given_stays_and_the_change_is_told() {
    let mut c = couple(7_001);
    let rename = Command::Rename {
        contact: c.her_bob,
        name: "Bobby".into(),
    };
    ask(&mut c.village, c.alice, rename);
    set(
        &mut c.village,
        c.bob,
        all("Alice's Bank", picture(64, 1), "in"),
    );
    c.village.pass(A_MINUTE).unwrap();
    let (name, shown) = face(&mut c.village, c.alice);
    assert_eq!(name, "Bobby");
    assert_eq!(shown.name.as_deref(), Some("Alice's Bank"));
    let events = c.village.events(c.alice);
    assert_eq!(
        changes_of_name(&events),
        [("Bob".into(), "Alice's Bank".into())]
    );
}

#[test]
fn who_only_asks_shows_a_name_and_nothing_more() {
    let mut village = village(7_002);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    set(&mut village, bob, all("Bob", picture(128, 1), "away"));
    set(&mut village, alice, all("Alice", picture(128, 2), "here"));
    let link = invite(&mut village, alice, true).link;
    let his_alice = join(&mut village, bob, &link).contact;
    village.pass(A_MINUTE * 60).unwrap();
    let asks = requests(&mut village, alice).remove(0);
    assert_eq!(asks.name, "Bob");
    assert_eq!((asks.face.status, asks.face.avatar), (None, None));
    // The link shows its maker's picture, and not how things stand with them.
    assert_eq!(avatar(&mut village, bob, his_alice), Some(picture(128, 2)));
    assert_eq!(face(&mut village, bob).1.status, None);
    let contact = asks.contact;
    ask(&mut village, alice, Command::Accept { contact });
    village.pass(A_MINUTE).unwrap();
    assert_eq!(face(&mut village, alice).1.status.as_deref(), Some("away"));
    assert_eq!(avatar(&mut village, alice, contact), Some(picture(128, 1)));
    assert_eq!(face(&mut village, bob).1.status.as_deref(), Some("here"));
    let all = [village.events(alice), village.events(bob)].concat();
    assert_eq!(changes_of_name(&all), [], "a first name is no change");
}

#[test]
fn who_is_blocked_is_told_after_that() {
    let mut c = couple(7_003);
    let conversation = contacts(&mut c.village, c.bob)[0].conversation;
    let block = |blocked| Command::Keep {
        conversation,
        change: hushwing_conversation::Change::Blocked(blocked),
    };
    ask(&mut c.village, c.bob, block(true));
    set(&mut c.village, c.bob, status("away"));
    c.village.pass(A_MINUTE * 60).unwrap();
    assert_eq!(face(&mut c.village, c.alice).1.status, None);
    ask(&mut c.village, c.bob, block(false));
    c.village.pass(A_MINUTE * 60).unwrap();
    assert_eq!(
        face(&mut c.village, c.alice).1.status.as_deref(),
        Some("away")
    );
}

#[test]
fn of_many_changes_in_a_moment_the_last_is_said_and_none_are_kept() {
    let mut c = couple(7_004);
    for number in 0..50 {
        set(&mut c.village, c.bob, status(&format!("at {number}")));
    }
    c.village.pass(A_MINUTE).unwrap();
    let news = c.village.events(c.alice);
    let seen = news
        .iter()
        .filter(|event| matches!(event, Event::Contact(_)));
    assert_eq!(seen.count(), 1);
    let before = told_so_far(&mut c);
    for number in 50..60 {
        set(&mut c.village, c.bob, status(&format!("at {number}")));
        c.village.pass(A_MINUTE).unwrap();
    }
    assert_eq!(told_so_far(&mut c), before);
    assert_eq!(
        face(&mut c.village, c.alice).1.status.as_deref(),
        Some("at 59")
    );
    // What changes nothing is not said.
    set(&mut c.village, c.bob, status("at 59"));
    c.village.events(c.alice);
    c.village.pass(A_MINUTE).unwrap();
    assert!(c.village.events(c.alice).is_empty());
}

#[test]
fn each_contact_is_told_at_a_moment_of_its_own() {
    let mut village = village(7_005);
    let bob = village.move_in("Bob", DELAY).unwrap();
    let others: Vec<_> = (0..8)
        .map(|number| {
            let other = village.move_in(&number.to_string(), DELAY).unwrap();
            let link = invite(&mut village, bob, false).link;
            join(&mut village, other, &link);
            village.pass(A_MINUTE).unwrap();
            other
        })
        .collect();
    set(&mut village, bob, status("away"));
    let mut told_at = Vec::new();
    for second in 0..20 {
        village.pass(Duration::from_secs(1)).unwrap();
        let know = |other: &&Home| face(&mut village, **other).1.status.is_some();
        let known = others.iter().filter(know).count();
        told_at.extend(vec![second; known - told_at.len()]);
    }
    assert_eq!(told_at.len(), 8, "all within a quarter of a minute");
    told_at.dedup();
    assert!(told_at.len() >= 4, "{told_at:?}");
}

#[test]
fn a_picture_that_no_face_could_show_costs_the_picture_alone() {
    let mut c = couple(7_006);
    let change = all("Rob", picture(60_000, 1), "huge");
    let refused = refusal(&mut c.village, c.bob, Command::SetProfile(change));
    assert_eq!(refused, Refusal::BadAvatar);
    // Another program sends it all the same.
    let record = MyProfileRecord {
        revision: 9,
        avatar: Some(picture(60_000, 1).as_bytes().to_vec()),
        status: Some("huge".to_owned()),
    };
    record.put(c.village.storage(c.bob).unwrap()).unwrap();
    c.village.open_again(c.bob).unwrap();
    c.village.pass(A_MINUTE).unwrap();
    assert_eq!(
        face(&mut c.village, c.alice).1.status.as_deref(),
        Some("huge")
    );
    assert_eq!(avatar(&mut c.village, c.alice, c.her_bob), None);
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let mut c = couple(7_007);
    let two_lines = Command::SetProfile(status("two\nlines"));
    assert_eq!(
        refusal(&mut c.village, c.bob, two_lines),
        Refusal::BadStatus
    );
    let change = ProfileChange {
        name: Some(" ".to_owned()),
        ..status("not either")
    };
    let nameless = Command::SetProfile(change);
    assert_eq!(refusal(&mut c.village, c.bob, nameless), Refusal::BadName);
    match ask(&mut c.village, c.bob, Command::MyProfile) {
        Reply::MyProfile(mine) => assert_eq!((mine.name.as_str(), mine.status), ("Bob", None)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn after_a_backup_was_put_back_both_show_what_is_meant_now() {
    let mut c = couple(7_008);
    let (hers, his) = (
        backup(&mut c.village, c.alice),
        backup(&mut c.village, c.bob),
    );
    set(&mut c.village, c.bob, all("Rob", picture(128, 1), "away"));
    c.village.pass(A_MINUTE).unwrap();
    // She loses what he told since.
    c.village.restore(c.alice, hers).unwrap();
    c.village.pass(A_MINUTE * 60).unwrap();
    let (name, shown) = face(&mut c.village, c.alice);
    assert_eq!(
        (name.as_str(), shown.status.as_deref()),
        ("Rob", Some("away"))
    );
    assert_eq!(
        avatar(&mut c.village, c.alice, c.her_bob),
        Some(picture(128, 1))
    );
    // He loses what he chose since.
    c.village.restore(c.bob, his).unwrap();
    c.village.pass(A_MINUTE * 60).unwrap();
    let (name, shown) = face(&mut c.village, c.alice);
    assert_eq!(
        (name.as_str(), shown.status, shown.avatar),
        ("Bob", None, None)
    );
    assert_eq!(
        contacts(&mut c.village, c.alice)[0].standing,
        Standing::Established
    );
}

#[test]
fn nothing_is_left_of_who_is_forgotten() {
    let mut c = couple(7_009);
    set(&mut c.village, c.bob, all("Rob", picture(128, 1), "away"));
    c.village.pass(A_MINUTE).unwrap();
    let contact = c.her_bob;
    ask(&mut c.village, c.alice, Command::Forget { contact });
    let storage = c.village.storage(c.alice).unwrap();
    for name in ["profile of contact", "picture of contact"] {
        let setting = format!("{name} {}", contact.0);
        assert_eq!(storage.setting(&setting).unwrap(), None, "{name}");
    }
}

/// A change, with a crash of one of them at some call. Gives how often both were called.
fn changed(whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut c = couple(7_010);
    let start = [c.village.calls(c.alice), c.village.calls(c.bob)];
    let who = [c.alice, c.bob][whom];
    c.village.crash_in(who, at, crash);
    let command = Command::SetProfile(all("Rob", picture(128, 1), "away"));
    // Again, if it was swallowed; as often as it takes.
    for _ in 0..2 {
        c.village.ask(c.bob, command.clone()).unwrap();
    }
    c.village.pass(A_MINUTE * 30).unwrap();
    let (name, shown) = face(&mut c.village, c.alice);
    let seen = (name.as_str(), shown.status.as_deref());
    assert_eq!(seen, ("Rob", Some("away")), "{whom} {at} {crash:?}");
    let seen = avatar(&mut c.village, c.alice, c.her_bob);
    assert_eq!(seen, Some(picture(128, 1)), "{whom} {at} {crash:?}");
    assert_eq!(shown.names.len(), 1, "{whom} {at} {crash:?}");
    let end = [c.village.calls(c.alice), c.village.calls(c.bob)];
    [end[0] - start[0], end[1] - start[1]]
}

#[test]
fn a_crash_at_any_step_of_a_change_loses_none_of_it() {
    let calls = changed(0, u64::MAX, Crash::BeforeCommit);
    for whom in [0, 1] {
        for at in 1..=calls[whom] {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                changed(whom, at, crash);
            }
        }
    }
}
