//! How people are shown to each other, and what becomes of it when that changes.

use std::time::Duration;

use hushwing_conversation::content::{Avatar, Mode};
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
    // Whoever knows him by the one name writes to him by it.
    assert_eq!(name, "Bob");
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
    let before = face(&mut c.village, c.alice);
    c.village.overhear();
    c.village.open_again(c.alice).unwrap();
    c.village.open_again(c.bob).unwrap();
    c.village.pass(A_MINUTE * 30).unwrap();
    assert_eq!(face(&mut c.village, c.alice), before);
    assert_eq!(c.village.overhear().len(), 0);
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
        ("Bob", None, None)
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
    // Nor does a link, which anybody may read.
    assert_eq!(avatar(&mut village, bob, his_alice), None);
    assert_eq!(face(&mut village, bob).1.status, None);
    let contact = asks.contact;
    ask(&mut village, alice, Command::Accept { contact });
    village.pass(A_MINUTE).unwrap();
    assert_eq!(face(&mut village, alice).1.status.as_deref(), Some("away"));
    assert_eq!(avatar(&mut village, alice, contact), Some(picture(128, 1)));
    assert_eq!(face(&mut village, bob).1.status.as_deref(), Some("here"));
    assert_eq!(avatar(&mut village, bob, his_alice), Some(picture(128, 2)));
    let all = [village.events(alice), village.events(bob)].concat();
    assert_eq!(changes_of_name(&all), [], "a first name is no change");
}

#[test]
fn nobody_comes_to_be_called_as_another_contact_was() {
    let mut village = village(7_011);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let [mallory, carol] = ["Mallory", "Carol"].map(|name| {
        let other = village.move_in(name, DELAY).unwrap();
        let link = invite(&mut village, alice, false).link;
        join(&mut village, other, &link);
        village.pass(A_MINUTE).unwrap();
        other
    });
    let mut call = |home, name: &str| {
        let change = ProfileChange {
            name: Some(name.to_owned()),
            ..ProfileChange::default()
        };
        set(&mut village, home, change);
        village.pass(A_MINUTE).unwrap();
        let shown = contacts(&mut village, alice).into_iter();
        shown.map(|one| one.name).collect::<Vec<_>>()
    };
    // She leaves her name, and he takes it: who knew her by it must not write to him.
    assert_eq!(call(carol, "Caroline"), ["Mallory", "Carol"]);
    for number in 0..12 {
        call(mallory, &number.to_string());
    }
    assert_eq!(call(mallory, "Carol"), ["Mallory", "Carol"]);
}

/// What another program may send before I decided.
#[test]
fn a_stranger_is_known_by_the_first_name_they_gave_and_by_nothing_else() {
    let mut w = waiting(7_012);
    let established = |village: &mut Village, home, standing| {
        let storage = village.storage(home).unwrap();
        let mut record = storage.contacts().unwrap().remove(0);
        record.standing = standing;
        storage.put_contact(&record).unwrap();
        village.open_again(home).unwrap();
    };
    // His program takes himself for accepted.
    established(&mut w.village, w.bob, Standing::Established);
    set(
        &mut w.village,
        w.bob,
        all("Alice's Bank", picture(128, 1), "open"),
    );
    w.village.pass(A_MINUTE).unwrap();
    let asks = requests(&mut w.village, w.alice).remove(0);
    assert_eq!(
        (asks.name.as_str(), asks.face.name.as_deref()),
        ("Bob", Some("Bob"))
    );
    assert_eq!((asks.face.status, asks.face.avatar), (None, None));
    assert_eq!(avatar(&mut w.village, w.alice, w.her_bob), None);
}

#[test]
fn nothing_is_told_on_record_while_somebody_wishes_to_be_off_it() {
    let mut c = couple(7_013);
    let wish = |contact, mode| Command::SetMode { contact, mode };
    ask(&mut c.village, c.bob, wish(c.his_alice, Mode::Otr));
    set(&mut c.village, c.bob, status("away"));
    c.village.pass(A_MINUTE * 60).unwrap();
    assert_eq!(face(&mut c.village, c.alice).1.status, None);
    ask(&mut c.village, c.bob, wish(c.his_alice, Mode::Normal));
    c.village.pass(A_MINUTE * 60).unwrap();
    assert_eq!(
        face(&mut c.village, c.alice).1.status.as_deref(),
        Some("away")
    );
}

#[test]
fn a_contact_of_before_profiles_were_kept_has_the_name_it_is_known_by() {
    let mut c = couple(7_014);
    let setting = format!("profile of contact {}", c.her_bob.0);
    let storage = c.village.storage(c.alice).unwrap();
    storage.remove_setting(&setting).unwrap();
    c.village.open_again(c.alice).unwrap();
    set(&mut c.village, c.bob, all("Rob", picture(64, 1), "in"));
    c.village.pass(A_MINUTE).unwrap();
    let told = changes_of_name(&c.village.events(c.alice));
    assert_eq!(told, [("Bob".into(), "Rob".into())]);
    // And whom I called otherwise, the name they had told.
    let storage = c.village.storage(c.alice).unwrap();
    let mut record = storage.contacts().unwrap().remove(0);
    record.renamed = true;
    storage.put_contact(&record).unwrap();
    storage.remove_setting(&setting).unwrap();
    let before = format!("name told by contact {}", c.her_bob.0);
    storage.put_setting(&before, b"Robert").unwrap();
    c.village.open_again(c.alice).unwrap();
    assert_eq!(
        face(&mut c.village, c.alice).1.name.as_deref(),
        Some("Robert")
    );
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
    let (_, shown) = face(&mut c.village, c.alice);
    assert_eq!(
        (shown.name.as_deref(), shown.status.as_deref()),
        (Some("Rob"), Some("away"))
    );
    assert_eq!(
        avatar(&mut c.village, c.alice, c.her_bob),
        Some(picture(128, 1))
    );
    // He loses what he chose since.
    c.village.restore(c.bob, his).unwrap();
    c.village.pass(A_MINUTE * 60).unwrap();
    let (_, shown) = face(&mut c.village, c.alice);
    assert_eq!(shown.name.as_deref(), Some("Bob"));
    assert_eq!((shown.status, shown.avatar), (None, None));
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
    let setting = format!("profile of contact {}", contact.0);
    assert_eq!(storage.setting(&setting).unwrap(), None);
    assert!(storage.control(contact, false).unwrap().is_empty());
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
    let (_, shown) = face(&mut c.village, c.alice);
    let seen = (shown.name.as_deref(), shown.status.as_deref());
    assert_eq!(seen, (Some("Rob"), Some("away")), "{whom} {at} {crash:?}");
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
