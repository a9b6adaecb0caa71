//! Mailboxes and keys are replaced while both sides go on talking.

use std::collections::BTreeSet;
use std::time::Duration;

use hushwing_conversation::storage::{MailRecord, Role};
use hushwing_conversation::village::{Crash, Home, Village};
use hushwing_conversation::{Command, ContactId, MessageState, NewKeys, Reply, Storage as _};

use crate::support::*;

const AN_HOUR: Duration = Duration::from_secs(3_600);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

fn rotate(village: &mut Village, home: Home, contact: ContactId) -> (usize, bool) {
    match ask(village, home, Command::Rotate { contact }) {
        Reply::Rotating { mailboxes, keys } => (mailboxes.count(), keys == NewKeys::Renewed),
        other => panic!("{other:?}"),
    }
}

/// Numbers of somebody's mailboxes.
fn mailboxes(village: &mut Village, home: Home) -> BTreeSet<u64> {
    let storage = village.storage(home).unwrap();
    let records = storage.mailbox_records().unwrap();
    records.into_iter().map(|record| record.id).collect()
}

fn mail(village: &mut Village, home: Home, contact: ContactId) -> MailRecord {
    MailRecord::of(village.storage(home).unwrap(), contact).unwrap()
}

fn all_delivered(village: &mut Village, home: Home, contact: ContactId) -> bool {
    let views = read(village, home, contact);
    views.iter().all(|v| v.state >= MessageState::Delivered)
}

#[test]
fn mailboxes_are_replaced_every_week_though_nobody_says_a_word() {
    let mut c = couple(400);
    for home in [c.alice, c.bob] {
        c.village
            .choose(home, |config| config.rotates = true)
            .unwrap();
    }
    let homes = [c.alice, c.bob];
    let mut before = homes.map(|home| mailboxes(&mut c.village, home));
    for week in 0..3 {
        // Nine days at most until it begins, and one until the old one is closed.
        c.village.pass(A_DAY * 11).unwrap();
        let after = homes.map(|home| mailboxes(&mut c.village, home));
        for who in [0, 1] {
            assert!(before[who].is_disjoint(&after[who]), "{week} {who}");
            assert!(after[who].len() <= 2, "{week} {who} {after:?}");
        }
        before = after;
    }
    send(&mut c.village, c.alice, c.her_bob, "still there?");
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice), ["still there?"]);
}

#[test]
fn both_rotate_at_once_while_both_send() {
    let mut c = couple(401);
    let pairs = [(c.alice, c.her_bob), (c.bob, c.his_alice)];
    let before = pairs.map(|(home, _)| mailboxes(&mut c.village, home));
    for round in 0..4 {
        for (home, contact) in pairs {
            send(&mut c.village, home, contact, &format!("{round} before"));
            assert_eq!(rotate(&mut c.village, home, contact).0, 1, "{round}");
            send(&mut c.village, home, contact, &format!("{round} after"));
        }
        c.village.pass(A_DAY * 2).unwrap();
    }
    for ((home, contact), before) in pairs.into_iter().zip(before) {
        let after = mailboxes(&mut c.village, home);
        assert_eq!(after.len(), 1, "the old ones are closed");
        assert!(after.is_disjoint(&before));
        assert_eq!(c.village.servers_of(home).len(), 1, "also at the network");
        assert!(all_delivered(&mut c.village, home, contact));
    }
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers.len(), 16);
    assert_eq!(hers, texts(&mut c.village, c.bob, c.his_alice));
}

#[test]
fn what_was_sent_to_the_old_mailbox_meanwhile_arrives() {
    let mut c = couple(402);
    // Bob is told nothing yet: what Alice's program says is lost for now.
    c.village.swallow(c.alice, 1);
    rotate(&mut c.village, c.alice, c.her_bob);
    for n in 0..5 {
        send(&mut c.village, c.bob, c.his_alice, &n.to_string());
    }
    c.village.rest().unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers, ["0", "1", "2", "3", "4"]);
    let roles = mail(&mut c.village, c.alice, c.her_bob).mailboxes;
    assert!(
        roles.iter().any(|note| note.role == Role::Old),
        "kept: {roles:?}"
    );
}

#[test]
fn an_old_mailbox_stays_as_long_as_the_contact_is_away() {
    let mut c = couple(403);
    c.village.cut_off(c.bob);
    rotate(&mut c.village, c.alice, c.her_bob);
    c.village.pass(A_DAY * 15).unwrap();
    assert_eq!(mailboxes(&mut c.village, c.alice).len(), 2);
    send(&mut c.village, c.bob, c.his_alice, "from afar");
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), ["from afar"]);
    assert_eq!(
        rotate(&mut c.village, c.alice, c.her_bob).0,
        0,
        "one at a time"
    );
}

#[test]
fn keys_are_renewed_when_the_turn_comes() {
    let mut c = couple(404);
    let key =
        |c: &mut Couple, whose: (Home, ContactId)| mail(&mut c.village, whose.0, whose.1).new_keys;
    // In epoch 1 the turn is the inviter's.
    let bob = (c.bob, c.his_alice);
    assert!(!rotate(&mut c.village, bob.0, bob.1).1);
    assert!(key(&mut c, bob), "not before the turn is his");
    assert!(rotate(&mut c.village, c.alice, c.her_bob).1);
    c.village.pass(AN_HOUR).unwrap();
    assert!(!key(&mut c, bob), "and then at once");
    send(&mut c.village, c.bob, c.his_alice, "under new keys");
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(
        texts(&mut c.village, c.alice, c.her_bob),
        ["under new keys"]
    );
}

/// A rotation on both sides, with a crash of `whom` at their `at`th call from
/// its beginning. Gives how often both were called in it.
fn turn(whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut c = couple(405);
    let homes = [c.alice, c.bob];
    let before = homes.map(|home| c.village.calls(home));
    c.village.crash_in(homes[whom], at, crash);
    let pairs = [(c.alice, c.her_bob), (c.bob, c.his_alice)];
    for (home, contact) in pairs {
        let rotate = Command::Rotate { contact };
        c.village.ask(home, rotate).unwrap();
    }
    c.village.pass(Duration::from_secs(60)).unwrap();
    let after = homes.map(|home| c.village.calls(home));
    for (home, contact) in pairs {
        send(&mut c.village, home, contact, "said");
    }
    c.village.pass(A_DAY * 2).unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers, ["said", "said"], "{whom} {at} {crash:?}");
    assert_eq!(hers, texts(&mut c.village, c.bob, c.his_alice));
    for (home, contact) in pairs {
        assert!(
            all_delivered(&mut c.village, home, contact),
            "{whom} {at} {crash:?}"
        );
        assert_eq!(
            mailboxes(&mut c.village, home).len(),
            1,
            "{whom} {at} {crash:?}"
        );
        assert_eq!(c.village.servers_of(home).len(), 1, "{whom} {at} {crash:?}");
    }
    [0, 1].map(|who| after[who] - before[who])
}

#[test]
fn a_crash_at_any_step_of_a_rotation_loses_nothing() {
    let calls = turn(0, u64::MAX, Crash::BeforeCommit);
    assert!(calls.iter().all(|calls| *calls > 8), "{calls:?}");
    for whom in [0, 1] {
        for at in 1..=calls[whom] {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                turn(whom, at, crash);
            }
        }
    }
}
