//! Networks that lose one mailbox after the other, and contacts that move too
//! often, set no pace.

use std::time::Duration;

use hushwing_conversation::storage::{
    LossRecord, MailboxRecord, MailboxState, MemoryStorage, RepeatRecord,
};
use hushwing_conversation::village::{Crash, Home, Village};
use hushwing_conversation::{Command, Config, Event, MessageState, Messenger, Reply, Storage as _};
use hushwing_delivery::MailboxFailure;
use hushwing_sansio::{Context, Input, Machine as _, Moment, Timestamp};

use crate::support::*;

const A_MINUTE: Duration = Duration::from_secs(60);
const AN_HOUR: Duration = Duration::from_secs(3_600);

/// How many mailboxes somebody heard to be lost since the last look.
fn gone(village: &mut Village, home: Home) -> usize {
    let events = village.events(home);
    let gone = |event: &&Event| matches!(event, Event::MailboxTrouble { reason, .. } if *reason == MailboxFailure::Gone);
    events.iter().filter(gone).count()
}

/// A server that loses each mailbox at once, for a while: a look each second.
fn lose_all(village: &mut Village, home: Home, time: Duration) -> usize {
    for _ in 0..time.as_secs() {
        village.lose_mailboxes(home, true);
        village.pass(Duration::from_secs(1)).unwrap();
    }
    gone(village, home)
}

#[test]
fn a_server_that_loses_each_mailbox_is_asked_less_and_less() {
    let mut c = couple(330);
    // The first is replaced at once, that one after a minute, then two, then four.
    assert_eq!(
        lose_all(&mut c.village, c.alice, Duration::from_secs(50)),
        2
    );
    c.village.open_again(c.alice).unwrap();
    assert_eq!(
        gone(&mut c.village, c.alice),
        0,
        "a restart does not hurry it"
    );
    assert_eq!(lose_all(&mut c.village, c.alice, A_MINUTE), 1);
    assert_eq!(
        lose_all(&mut c.village, c.alice, A_MINUTE * 6 + A_MINUTE / 2),
        2
    );
    let kept = c
        .village
        .storage(c.alice)
        .unwrap()
        .mailbox_records()
        .unwrap();
    assert_eq!(kept.len(), 1, "rounds leave no rows");

    // Once it keeps mailboxes again, all is well, and after a day as before.
    c.village.pass(AN_HOUR * 26).unwrap();
    assert!(!contacts(&mut c.village, c.alice)[0].mailbox_lost);
    send(&mut c.village, c.bob, c.his_alice, "found you");
    c.village.rest().unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), ["found you"]);
    c.village.lose_mailboxes(c.alice, true);
    c.village.pass(Duration::from_secs(10)).unwrap();
    send(&mut c.village, c.bob, c.his_alice, "again");
    c.village.rest().unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob).len(), 2);
}

#[test]
fn a_reusable_link_is_published_again_less_and_less_often() {
    let mut village = village(331);
    let alice = village.move_in("Alice", DELAY).unwrap();
    invite(&mut village, alice, true);
    assert_eq!(lose_all(&mut village, alice, A_MINUTE * 5), 4);
    village.pass(A_MINUTE * 5).unwrap();
    assert_eq!(village.losses(alice), 0);
    let kept = village.storage(alice).unwrap().mailbox_records().unwrap();
    assert_eq!(kept.len(), 1);
}

#[test]
fn what_failed_is_said_again_in_pieces_oldest_first() {
    let mut c = couple(332);
    c.village.lose_mailboxes(c.alice, false);
    for n in 0..150 {
        send(&mut c.village, c.bob, c.his_alice, &format!("{n}"));
    }
    c.village.pass(A_MINUTE).unwrap();
    let mut storage = c.village.storage(c.bob).unwrap().clone();
    let record = RepeatRecord {
        failed: true,
        ..RepeatRecord::default()
    };
    record.put(&mut storage, c.his_alice).unwrap();
    let mut messenger = Messenger::open(&mut storage, Config::default()).unwrap();
    let mut dice = Seeded(332);
    let mut now = Moment::default();
    for left in [86, 22, 0] {
        assert!(messenger.poll_timeout().unwrap() <= now);
        let mut cx = Context::new(now, Timestamp::from_secs(1_800_000_000), &mut dice);
        messenger
            .handle(&mut cx, &mut storage, Input::Timeout)
            .unwrap();
        let failed = storage.failed_to(c.his_alice).unwrap();
        assert_eq!(failed.len(), left);
        let queued = storage.unconfirmed_before(c.his_alice, 1_000).unwrap();
        let last = queued.last().unwrap().position;
        assert!(failed.iter().all(|record| last < record.position));
        // Nothing is confirmed, so the next piece takes its time.
        let handle = &mut |now| {
            let mut cx = Context::new(now, Timestamp::from_secs(1_800_000_000), &mut dice);
            let input = Input::Timeout;
            messenger.handle(&mut cx, &mut storage, input).unwrap();
        };
        handle(now + A_MINUTE / 2);
        assert_eq!(storage.failed_to(c.his_alice).unwrap().len(), left);
        now = now + A_MINUTE;
    }
    assert!(RepeatRecord::of(&storage, c.his_alice).unwrap().is_none());
}

#[test]
fn a_restart_goes_on_where_it_was_though_that_message_is_gone() {
    let mut c = couple(337);
    c.village.lose_mailboxes(c.alice, false);
    let ids: Vec<_> = (0..100)
        .map(|n| send(&mut c.village, c.bob, c.his_alice, &format!("{n}")))
        .collect();
    c.village.pass(A_MINUTE).unwrap();
    let mut storage = c.village.storage(c.bob).unwrap().clone();
    let record = RepeatRecord {
        failed: true,
        ..RepeatRecord::default()
    };
    record.put(&mut storage, c.his_alice).unwrap();
    let mut dice = Seeded(337);
    let mut run = |storage: &mut MemoryStorage| {
        let mut messenger = Messenger::open(storage, Config::default()).unwrap();
        let mut cx = Context::new(
            Moment::default(),
            Timestamp::from_secs(1_800_000_000),
            &mut dice,
        );
        messenger.handle(&mut cx, storage, Input::Timeout).unwrap();
    };
    run(&mut storage);
    let letter = |storage: &MemoryStorage, id| storage.message(id).unwrap().unwrap().letter;
    let first = letter(&storage, &ids[0]);
    let record = RepeatRecord::of(&storage, c.his_alice).unwrap().unwrap();
    storage.remove_message(&record.last().unwrap().id).unwrap();
    run(&mut storage);
    assert_eq!(
        letter(&storage, &ids[0]),
        first,
        "it was said again already"
    );
    assert!(storage.failed_to(c.his_alice).unwrap().is_empty());
}

#[test]
fn a_crash_between_two_pieces_leaves_none_out() {
    for at in 1..9 {
        let mut c = couple(335);
        c.village.lose_mailboxes(c.alice, false);
        let said: Vec<_> = (0..150).map(|n| format!("{n:03}")).collect();
        for text in &said {
            send(&mut c.village, c.bob, c.his_alice, text);
        }
        c.village.pass(A_MINUTE).unwrap();
        c.village.open_again(c.alice).unwrap();
        c.village.crash_in(c.bob, at, Crash::AfterCommit);
        c.village.pass(A_MINUTE * 3).unwrap();
        assert!(!c.village.will_crash(c.bob));
        assert_eq!(texts(&mut c.village, c.alice, c.her_bob), said, "{at}");
    }
}

#[test]
fn rows_of_an_older_version_are_counted_and_go() {
    let mut c = couple(336);
    let storage = c.village.storage(c.alice).unwrap();
    let known = storage.mailbox_records().unwrap()[0].clone();
    for state in [MailboxState::Replaced, MailboxState::Lost] {
        let record = MailboxRecord {
            id: storage.next_number().unwrap(),
            state,
            ..known.clone()
        };
        storage.put_mailbox_record(&record).unwrap();
    }
    c.village.open_again(c.alice).unwrap();
    assert!(contacts(&mut c.village, c.alice)[0].mailbox_lost);
    let storage = c.village.storage(c.alice).unwrap();
    assert_eq!(storage.mailbox_records().unwrap(), vec![known.clone()]);
    let losses = LossRecord::of(storage, known.owner).unwrap().unwrap();
    assert_eq!((losses.count, losses.standing), (2, true));
}

#[test]
fn what_was_said_before_the_answer_is_said_again_with_it() {
    let mut village = village(333);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let his_alice = join(&mut village, bob, &link).contact;
    village.rest().unwrap();
    village.lose_mailboxes(alice, true);
    village.rest().unwrap();
    send(&mut village, bob, his_alice, "hi");
    village.pass(AN_HOUR).unwrap();
    let states: Vec<_> = read(&mut village, bob, his_alice);
    assert_eq!(states[0].state, MessageState::Failed);
    let her_bob = requests(&mut village, alice)[0].contact;
    ask(&mut village, alice, Command::Accept { contact: her_bob });
    village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut village, alice, her_bob), ["hi"]);
}

#[test]
fn the_link_of_a_contact_nobody_can_reach_leads_to_a_new_one() {
    let mut village = village(334);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let before = join(&mut village, bob, &link).contact;
    village.rest().unwrap();
    let her_bob = requests(&mut village, alice)[0].contact;
    ask(&mut village, alice, Command::Accept { contact: her_bob });
    village.pass(A_MINUTE).unwrap();
    // His loss alone is repaired, and changes nothing.
    village.lose_mailboxes(bob, true);
    village.rest().unwrap();
    assert_eq!(join(&mut village, bob, &link).contact, before);
    village.pass(AN_HOUR).unwrap();
    village.lose_mailboxes(alice, true);
    village.lose_mailboxes(bob, true);
    village.pass(AN_HOUR).unwrap();
    let Reply::Invitations(views) = ask(&mut village, alice, Command::Invitations) else {
        panic!("no invitations")
    };
    let after = join(&mut village, bob, &views[0].link).contact;
    assert_ne!(after, before);
    village.rest().unwrap();
    let her_bob = requests(&mut village, alice)[0].contact;
    ask(&mut village, alice, Command::Accept { contact: her_bob });
    village.pass(A_MINUTE).unwrap();
    send(&mut village, bob, after, "back");
    village.pass(A_MINUTE).unwrap();
    assert_eq!(texts(&mut village, alice, her_bob), ["back"]);
}
