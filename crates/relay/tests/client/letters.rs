//! Mailboxes and what is written to them.

use hushwing_delivery::{MailboxId, NetworkCommand, Purpose, SendFailure, SendId};
use hushwing_relay::server::ServerConfig;
use hushwing_relay::wire::Version;
use hushwing_sansio::{Input, Machine, Output};

use crate::acts::*;
use crate::world::{World, first_contact, regular};

#[test]
fn envelopes_of_both_kinds_arrive_unchanged_at_every_version() {
    for version in 8..=18 {
        let mut world = world();
        world.relay.version = Version(version);
        let (alice, bob) = (world.person(), world.person());
        let (locator, _) = open(&mut world, alice, Purpose::Conversation);
        for (number, envelope) in [(1, regular(7)), (2, first_contact(8))] {
            send(&mut world, bob, number, &locator, envelope.clone());
            assert_eq!(
                outcomes(&mut world, bob),
                [(number, None)],
                "version {version}"
            );
            let (receipt, came) = received(&mut world, alice).pop().unwrap();
            assert!(came == envelope, "version {version}");
            world.command(alice, NetworkCommand::Acknowledge { receipt });
        }
        assert_eq!(world.relay.queues.stored_messages(), 0);
    }
}

#[test]
fn the_next_envelope_comes_with_the_acknowledgement_and_not_before() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    for number in 1..=3 {
        send(
            &mut world,
            bob,
            u64::from(number),
            &locator,
            regular(number),
        );
    }
    for number in 1..=3 {
        let came = received(&mut world, alice);
        assert_eq!(came.len(), 1);
        assert!(came[0].1 == regular(number));
        world.pass(3);
        assert!(received(&mut world, alice).is_empty());
        world.command(alice, NetworkCommand::Acknowledge { receipt: came[0].0 });
    }
    assert_eq!(world.relay.queues.stored_messages(), 0);
}

#[test]
fn an_envelope_is_told_again_until_it_is_acknowledged() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    send(&mut world, bob, 1, &locator, regular(1));
    assert_eq!(received(&mut world, alice).len(), 1);

    world.drop_connections(Some(alice), true);
    world.pass(5);
    assert_eq!(received(&mut world, alice).len(), 1, "after a reconnection");

    world.restart(alice);
    world.pass(5);
    let (receipt, _) = received(&mut world, alice).pop().expect("after a restart");
    world.command(alice, NetworkCommand::Acknowledge { receipt });
    world.drop_connections(Some(alice), true);
    world.pass(5);
    assert!(received(&mut world, alice).is_empty());
}

#[test]
fn the_first_writer_locks_a_mailbox() {
    let mut world = world();
    let (alice, bob, eve) = (world.person(), world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    send(&mut world, bob, 1, &locator, regular(1));
    send(&mut world, eve, 2, &locator, regular(2));
    assert_eq!(outcomes(&mut world, bob), [(1, None)]);
    assert_eq!(outcomes(&mut world, eve), [(2, Some(SendFailure::Gone))]);
    assert_eq!(received(&mut world, alice).len(), 1);
}

/// Else whoever puts a backup back could write to nobody who moved since.
#[test]
fn a_mailbox_admits_who_wrote_to_it_after_the_backup_that_they_put_back() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (before, _) = open(&mut world, alice, Purpose::Conversation);
    send(&mut world, bob, 1, &before, regular(1));
    let backup = world.people[bob].storage.clone();
    let since = NetworkCommand::OpenMailbox {
        mailbox: MailboxId(BOX.0 + 1),
        purpose: Purpose::Conversation,
        apart: Vec::new(),
    };
    world.events(alice);
    world.command(alice, since);
    let (since, _) = opened(&mut world, alice);
    send(&mut world, bob, 2, &since, regular(2));
    assert_eq!(outcomes(&mut world, bob), [(1, None), (2, None)]);
    for number in [3, 4] {
        world.put_back(bob, backup.clone());
        send(&mut world, bob, number, &since, regular(3));
        assert_eq!(outcomes(&mut world, bob), [(number, None)]);
    }
}

#[test]
fn a_lock_outlives_a_crash_at_any_step_of_its_making() {
    // Stop the writer after each of its outputs; the storage it then has is
    // what was committed before that output left.
    for steps in 0..12 {
        let mut world = world();
        let (alice, bob) = (world.person(), world.person());
        let (locator, _) = open(&mut world, alice, Purpose::Conversation);
        let envelope = regular(1);
        let command = NetworkCommand::Send {
            send: SendId(1),
            locator: locator.clone(),
            envelope,
        };
        world.input(bob, Input::Command(command));
        for _ in 0..steps {
            match world.people[bob].client.poll_output() {
                Some(output) => world.output(bob, output),
                None => break,
            }
        }
        world.restart(bob);
        send(&mut world, bob, 2, &locator, regular(2));
        world.pass(2);
        assert_eq!(
            outcomes(&mut world, bob),
            [(2, None)],
            "after {steps} outputs"
        );
    }
}

#[test]
fn a_mailbox_is_made_although_the_process_stops_at_any_step() {
    for purpose in [Purpose::Conversation, Purpose::ReusableInvitation(card(3))] {
        for steps in 0..16 {
            let mut world = world();
            let alice = world.person();
            let command = NetworkCommand::OpenMailbox {
                mailbox: BOX,
                purpose: purpose.clone(),
                apart: Vec::new(),
            };
            world.input(alice, Input::Command(command));
            for _ in 0..steps {
                match world.people[alice].client.poll_output() {
                    Some(output) => world.output(alice, output),
                    None => break,
                }
            }
            world.restart(alice);
            world.run();
            let (locator, _) = open(&mut world, alice, purpose.clone());
            let again = open(&mut world, alice, purpose.clone()).0;
            assert!(again == locator, "asked twice, one mailbox");
            let bob = world.person();
            send(&mut world, bob, 1, &locator, regular(1));
            assert_eq!(
                outcomes(&mut world, bob),
                [(1, None)],
                "after {steps} outputs"
            );
            assert_eq!(received(&mut world, alice).len(), 1);
        }
    }
}

#[test]
fn a_full_mailbox_is_told_and_takes_again_when_it_was_read() {
    let mut world = World::new(ServerConfig {
        quota: 2,
        ..ServerConfig::default()
    });
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    for number in 1..=3 {
        send(
            &mut world,
            bob,
            u64::from(number),
            &locator,
            regular(number),
        );
    }
    let full = Some(SendFailure::Full);
    assert_eq!(outcomes(&mut world, bob), [(1, None), (2, None), (3, full)]);
    while let Some((receipt, _)) = received(&mut world, alice).pop() {
        world.command(alice, NetworkCommand::Acknowledge { receipt });
    }
    assert_eq!(
        world.relay.queues.stored_messages(),
        0,
        "the marker of a full queue went too"
    );
    send(&mut world, bob, 4, &locator, regular(4));
    assert_eq!(outcomes(&mut world, bob), [(4, None)]);
}

#[test]
fn a_cancelled_send_is_not_answered() {
    let mut world = world();
    let alice = world.person();
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    world.up = false;
    world.drop_connections(None, true);
    let envelope = regular(1);
    let send = SendId(1);
    world.input(
        alice,
        Input::Command(NetworkCommand::Send {
            send,
            locator,
            envelope,
        }),
    );
    world.input(alice, Input::Command(NetworkCommand::Cancel { send }));
    world.run();
    world.up = true;
    world.pass(10);
    assert!(outcomes(&mut world, alice).is_empty());
    assert_eq!(world.relay.queues.stored_messages(), 0);
}

#[test]
fn debug_output_shows_no_address() {
    let mut world = world();
    let alice = world.person();
    let purpose = Purpose::Conversation;
    world.input(
        alice,
        Input::Command(NetworkCommand::OpenMailbox {
            mailbox: BOX,
            purpose,
            apart: Vec::new(),
        }),
    );
    while let Some(output) = world.people[alice].client.poll_output() {
        if matches!(output, Output::OpenStream { .. } | Output::Event(_)) {
            assert!(!format!("{output:?}").contains("relay.test"));
        }
        world.output(alice, output);
    }
    let address = world.relay.address();
    assert_eq!(
        format!("{address:?} {:?}", address.server),
        "ServerAddress(..) Server(..)"
    );
}
