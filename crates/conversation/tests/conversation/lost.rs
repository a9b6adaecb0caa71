//! A mailbox that its network lost is replaced, and nothing that was said is
//! lost with it.

use std::time::Duration;

use hushwing_conversation::village::Crash;
use hushwing_conversation::{
    Command, Config, Event, Incoming, MemoryStorage, MessageState, Messenger, Outgoing, Storage,
    Ticket,
};
use hushwing_delivery::{MailboxFailure, NetworkCommand, NetworkTag};
use hushwing_sansio::{Context, Input, Machine as _, Moment, Output, Timestamp};

use crate::support::*;

const AN_HOUR: Duration = Duration::from_secs(3_600);

fn lost(c: &mut Couple) -> [bool; 2] {
    [c.alice, c.bob].map(|home| contacts(&mut c.village, home)[0].mailbox_lost)
}

fn states(c: &mut Couple) -> Vec<MessageState> {
    let views = read(&mut c.village, c.bob, c.his_alice);
    views.into_iter().map(|view| view.state).collect()
}

#[test]
fn a_lost_mailbox_is_named_replaced_and_mended() {
    let mut c = couple(300);
    c.village.lose_mailboxes(c.alice, true);
    c.village.rest().unwrap();
    let events = c.village.events(c.alice);
    let gone = |event: &Event| matches!(event, Event::MailboxTrouble { reason, .. } if *reason == MailboxFailure::Gone);
    assert!(events.iter().any(gone), "{events:?}");
    let told = |lost| move |event: &Event| matches!(event, Event::Contact(view) if view.mailbox_lost == lost);
    assert!(events.iter().any(told(true)), "{events:?}");

    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(lost(&mut c), [false; 2], "his receipt came the new way");
    assert!(c.village.events(c.alice).iter().any(told(false)));
    send(&mut c.village, c.bob, c.his_alice, "are you there?");
    send(&mut c.village, c.alice, c.her_bob, "here");
    c.village.pass(AN_HOUR).unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers.len(), 2);
    assert_eq!(hers, texts(&mut c.village, c.bob, c.his_alice));
}

#[test]
fn what_failed_in_between_is_said_again_in_its_place() {
    let mut c = couple(301);
    for round in 0..3 {
        // Alice is away and hears of it later.
        c.village.lose_mailboxes(c.alice, false);
        for n in 0..4 {
            send(&mut c.village, c.bob, c.his_alice, &format!("{round} {n}"));
        }
        c.village.pass(Duration::from_secs(30)).unwrap();
        assert_eq!(states(&mut c).last(), Some(&MessageState::Failed));
        c.village.open_again(c.alice).unwrap();
        c.village.pass(AN_HOUR).unwrap();
        let his = texts(&mut c.village, c.bob, c.his_alice);
        assert_eq!(his.len(), 4 * (round + 1));
        assert_eq!(texts(&mut c.village, c.alice, c.her_bob), his);
    }
    c.village.pass(AN_HOUR).unwrap();
    assert!(states(&mut c).iter().all(|s| *s >= MessageState::Delivered));
    assert!(!states(&mut c).contains(&MessageState::Failed));
}

#[test]
fn what_lay_in_the_lost_mailbox_is_said_again() {
    let mut c = couple(307);
    c.village.swallow(c.bob, 2);
    send(&mut c.village, c.bob, c.his_alice, "one");
    send(&mut c.village, c.bob, c.his_alice, "two");
    c.village.rest().unwrap();
    assert_eq!(states(&mut c), [MessageState::Accepted; 2]);
    c.village.lose_mailboxes(c.alice, true);
    c.village.pass(Duration::from_secs(60)).unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), ["one", "two"]);
    assert_eq!(states(&mut c), [MessageState::Delivered; 2]);
}

#[test]
fn a_receipt_that_lay_in_the_lost_mailbox_is_made_again() {
    let mut c = couple(309);
    send(&mut c.village, c.alice, c.her_bob, "did you get this?");
    c.village.rest().unwrap();
    c.village.swallow(c.bob, 1);
    c.village.pass(Duration::from_secs(10)).unwrap();
    let state = |c: &mut Couple| read(&mut c.village, c.alice, c.her_bob)[0].state;
    assert_eq!(state(&mut c), MessageState::Accepted);
    c.village.lose_mailboxes(c.alice, true);
    c.village.pass(Duration::from_secs(60)).unwrap();
    assert_eq!(state(&mut c), MessageState::Delivered);
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice).len(), 1);
}

#[test]
fn a_commit_that_failed_in_between_does_not_end_the_conversation() {
    let mut c = couple(302);
    // Bob, leaf 0, holds no turn in epoch 1; Alice renews, then it is his.
    for n in 0..60 {
        send(&mut c.village, c.alice, c.her_bob, &format!("a{n}"));
    }
    c.village.pass(AN_HOUR).unwrap();
    c.village.lose_mailboxes(c.alice, false);
    for n in 0..120 {
        send(&mut c.village, c.bob, c.his_alice, &format!("b{n}"));
    }
    c.village.pass(AN_HOUR).unwrap();
    c.village.open_again(c.alice).unwrap();
    c.village.pass(AN_HOUR).unwrap();
    send(&mut c.village, c.alice, c.her_bob, "all well");
    c.village.pass(AN_HOUR).unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers.len(), 181);
    assert_eq!(hers, texts(&mut c.village, c.bob, c.his_alice));
}

/// One loss and its repair, with a crash of `whom` at their `at`th call from
/// the moment Alice comes back. Gives how often both were called in it.
fn repair(whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut c = couple(303);
    c.village.lose_mailboxes(c.alice, false);
    send(&mut c.village, c.bob, c.his_alice, "one");
    c.village.pass(Duration::from_secs(30)).unwrap();
    c.village.open_again(c.alice).unwrap();
    let homes = [c.alice, c.bob];
    c.village.crash_in(homes[whom], at, crash);
    let before = homes.map(|home| c.village.calls(home));
    c.village.pass(Duration::from_secs(60)).unwrap();
    let after = homes.map(|home| c.village.calls(home));
    let to_come = at == u64::MAX;
    assert_eq!(c.village.will_crash(homes[whom]), to_come, "{whom} {at}");
    send(&mut c.village, c.bob, c.his_alice, "two");
    c.village.pass(AN_HOUR).unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers, ["one", "two"], "{whom} {at} {crash:?}");
    assert_eq!(lost(&mut c), [false; 2], "{whom} {at} {crash:?}");
    assert_eq!(c.village.losses(c.alice), 0, "{whom} {at} {crash:?}");
    [0, 1].map(|who| after[who] - before[who])
}

#[test]
fn a_crash_at_any_step_of_the_repair_loses_nothing() {
    let calls = repair(0, u64::MAX, Crash::BeforeCommit);
    assert!(calls.iter().all(|calls| *calls > 4), "{calls:?}");
    for whom in [0, 1] {
        for at in 1..=calls[whom] {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                repair(whom, at, crash);
            }
        }
    }
}

/// A network opened anew beside a messenger that was not.
#[test]
fn a_network_that_forgot_is_asked_again() {
    let mut storage = MemoryStorage::new();
    let mut messenger = Messenger::open(&mut storage, Config::default()).unwrap();
    let mut dice = Seeded(308);
    let mut asked_after = |incoming| {
        let mut cx = Context::new(Moment::default(), Timestamp::from_secs(1), &mut dice);
        let storage: &mut dyn Storage = &mut storage;
        messenger
            .handle(&mut cx, storage, Input::Command(incoming))
            .unwrap();
        let mut asked = Vec::new();
        while let Some(output) = messenger.poll_output() {
            if let Output::Event(Outgoing::Network { command, .. }) = output {
                asked.push(command);
            }
        }
        asked
    };
    let command = Command::Invite {
        reusable: false,
        network: None,
    };
    let ticket = Ticket(1);
    let first = asked_after(Incoming::Ask { ticket, command });
    let again = asked_after(Incoming::NetworkLost {
        network: NetworkTag::RELAY,
    });
    let [NetworkCommand::OpenMailbox { mailbox, .. }] = first[..] else {
        panic!("{first:?}")
    };
    assert!(
        matches!(again[..], [NetworkCommand::OpenMailbox { mailbox: same, .. }] if same == mailbox),
        "{again:?}"
    );
}

#[test]
fn if_both_lost_theirs_it_stays_named() {
    let mut c = couple(304);
    c.village.lose_mailboxes(c.alice, true);
    c.village.lose_mailboxes(c.bob, true);
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(lost(&mut c), [true; 2]);
    c.village.open_again(c.alice).unwrap();
    assert_eq!(lost(&mut c), [true; 2], "also after a restart");
    send(&mut c.village, c.bob, c.his_alice, "hello?");
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(states(&mut c), [MessageState::Failed]);
}

#[test]
fn who_asked_to_join_is_answered_at_the_new_mailbox() {
    let mut village = village(305);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let his_alice = join(&mut village, bob, &link).contact;
    village.rest().unwrap();
    village.lose_mailboxes(bob, true);
    village.pass(AN_HOUR).unwrap();
    let her_bob = requests(&mut village, alice)[0].contact;
    ask(&mut village, alice, Command::Accept { contact: her_bob });
    village.pass(AN_HOUR).unwrap();
    send(&mut village, alice, her_bob, "welcome");
    village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut village, bob, his_alice), ["welcome"]);
}

#[test]
fn a_reusable_link_is_published_again_and_a_one_time_link_is_taken_down() {
    let mut village = village(306);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let reusable = invite(&mut village, alice, true).invitation;
    let one_time = invite(&mut village, alice, false).invitation;
    village.lose_mailboxes(alice, true);
    village.pass(AN_HOUR).unwrap();
    let named = |event: &Event| match event {
        Event::MailboxTrouble { invitation, .. } => *invitation,
        _ => None,
    };
    let named: Vec<_> = village.events(alice).iter().filter_map(named).collect();
    assert_eq!(named, [reusable, one_time], "both losses are named");
    let views = match ask(&mut village, alice, Command::Invitations) {
        hushwing_conversation::Reply::Invitations(views) => views,
        other => panic!("{other:?}"),
    };
    assert_eq!(views.len(), 1);
    assert!(views[0].reusable);
    let bob = village.move_in("Bob", DELAY).unwrap();
    join(&mut village, bob, &views[0].link);
    village.pass(AN_HOUR).unwrap();
    assert_eq!(requests(&mut village, alice).len(), 1);
}
