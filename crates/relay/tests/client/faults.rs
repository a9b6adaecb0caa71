//! Relays that are away, wrong, killed or silent.

use hushwing_delivery::{
    MailboxFailure, MailboxId, NetworkCommand, NetworkEvent, Purpose, SendFailure,
};
use hushwing_relay::client::{ConnectionState, MemoryStorage};
use hushwing_sansio::Input;

use crate::acts::*;
use crate::world::{World, regular};

#[test]
fn a_closed_mailbox_is_gone_even_if_the_relay_was_away() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    world.up = false;
    world.drop_connections(None, true);
    world.command(alice, NetworkCommand::CloseMailbox { mailbox: BOX });
    world.restart(alice);
    world.pass(70);
    world.up = true;
    world.pass(70);
    send(&mut world, bob, 1, &locator, regular(1));
    assert_eq!(outcomes(&mut world, bob), [(1, Some(SendFailure::Gone))]);
    let again = open(&mut world, alice, Purpose::Conversation).0;
    assert!(again != locator, "the number may be used for a new mailbox");
}

/// What was told of lost mailboxes since the last look.
fn losses(world: &mut World, who: usize) -> Vec<(MailboxId, MailboxFailure)> {
    (world.events(who).into_iter())
        .filter_map(|event| match event {
            NetworkEvent::MailboxFailed { mailbox, reason } => Some((mailbox, reason)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_mailbox_the_relay_forgot_is_told_until_it_is_closed() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    let lost = [(BOX, MailboxFailure::Gone)];
    world.empty_relay();
    world.pass(5);
    assert_eq!(losses(&mut world, alice), lost);
    world.drop_connections(None, true);
    world.pass(130);
    assert!(losses(&mut world, alice).is_empty(), "once a run is enough");

    world.restart(alice);
    world.run();
    assert_eq!(losses(&mut world, alice), lost, "who crashed is told again");
    let (mailbox, purpose) = (BOX, Purpose::Conversation);
    let open = NetworkCommand::OpenMailbox {
        mailbox,
        purpose,
        apart: Vec::new(),
    };
    world.command(alice, open);
    assert_eq!(losses(&mut world, alice), lost, "it does not come back");
    world.command(alice, NetworkCommand::CloseMailbox { mailbox });
    world.restart(alice);
    world.run();
    assert!(losses(&mut world, alice).is_empty());

    send(&mut world, bob, 1, &locator, regular(1));
    world.pass(70);
    assert_eq!(outcomes(&mut world, bob), [(1, Some(SendFailure::Gone))]);
}

#[test]
fn a_mailbox_deleted_by_a_twin_is_told_at_once() {
    let mut world = world();
    let alice = world.person();
    open(&mut world, alice, Purpose::Conversation);
    let copy = world.people[alice].storage.clone();
    let servers = vec![world.relay.address()];
    let twin = world.person_with(servers, copy);
    world.run();
    // The first asks its mailbox back; the twin's deletion then is DELD to it.
    world.pass(61);
    world.events(alice);
    world.command(twin, NetworkCommand::CloseMailbox { mailbox: BOX });
    assert_eq!(losses(&mut world, alice), [(BOX, MailboxFailure::Gone)]);
    world.restart(alice);
    world.run();
    assert_eq!(losses(&mut world, alice), [(BOX, MailboxFailure::Gone)]);
}

#[test]
fn without_a_relay_things_fail_or_wait_and_then_go_on() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    world.up = false;
    world.drop_connections(None, true);
    send(&mut world, bob, 1, &locator, regular(1));
    world.pass(3);
    assert_eq!(
        outcomes(&mut world, bob),
        [(1, Some(SendFailure::Unreachable))]
    );

    let purpose = Purpose::Conversation;
    world.command(
        bob,
        NetworkCommand::OpenMailbox {
            mailbox: BOX,
            purpose,
            apart: Vec::new(),
        },
    );
    world.pass(3);
    let unreachable = MailboxFailure::Unreachable;
    let events = world.events(bob);
    assert!(
        matches!(events[..], [NetworkEvent::MailboxFailed { reason, .. }] if reason == unreachable),
        "{events:?}"
    );
    world.up = true;
    world.pass(70);
    opened(&mut world, bob);
    send(&mut world, bob, 2, &locator, regular(2));
    world.pass(70);
    assert_eq!(outcomes(&mut world, bob), [(2, None)]);
    assert_eq!(received(&mut world, alice).len(), 1);
}

#[test]
fn without_a_server_no_mailbox_is_made() {
    let mut world = world();
    let alice = world.person_with(Vec::new(), MemoryStorage::default());
    let purpose = Purpose::Conversation;
    world.command(
        alice,
        NetworkCommand::OpenMailbox {
            mailbox: BOX,
            purpose,
            apart: Vec::new(),
        },
    );
    let none = MailboxFailure::NoServer;
    let events = world.events(alice);
    assert!(matches!(events[..], [NetworkEvent::MailboxFailed { reason, .. }] if reason == none));
}

#[test]
fn another_server_under_the_address_is_told() {
    let mut world = world();
    let locator = another(&world);
    let alice = world.person();
    send(&mut world, alice, 1, &locator, regular(1));
    assert_eq!(
        outcomes(&mut world, alice),
        [(1, Some(SendFailure::WrongServer))]
    );
}

#[test]
fn an_unreachable_server_is_left_for_another_while_nothing_is_made() {
    let mut world = world();
    let mut dead = world.relay.address();
    dead.server.fingerprint = [9; 32];
    let servers = vec![dead, world.relay.address()];
    for _ in 0..4 {
        let alice = world.person_with(servers.clone(), MemoryStorage::default());
        open(&mut world, alice, Purpose::Conversation);
    }
}

#[test]
fn a_relay_killed_under_load_loses_nothing_it_accepted() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    let mut accepted = Vec::new();
    let mut seen = Vec::new();
    for number in 1..=40u8 {
        send(
            &mut world,
            bob,
            u64::from(number),
            &locator,
            regular(number),
        );
        if number % 7 == 0 {
            world.restart_relay();
            world.pass(4);
        }
        accepted.extend(
            outcomes(&mut world, bob)
                .into_iter()
                .map(|(number, _)| number),
        );
        while let Some((receipt, envelope)) = received(&mut world, alice).pop() {
            seen.push(u64::from(envelope.bytes()[0]));
            world.command(alice, NetworkCommand::Acknowledge { receipt });
        }
    }
    assert_eq!(accepted, (1..=40).collect::<Vec<_>>());
    seen.dedup();
    assert_eq!(seen, accepted);
}

#[test]
fn mailboxes_are_subscribed_again_in_few_blocks() {
    let mut world = world();
    let alice = world.person();
    for number in 0..300 {
        let (mailbox, purpose) = (MailboxId(number), Purpose::Conversation);
        world.input(
            alice,
            Input::Command(NetworkCommand::OpenMailbox {
                mailbox,
                purpose,
                apart: Vec::new(),
            }),
        );
    }
    world.run();
    assert_eq!(world.events(alice).len(), 300);
    world.drop_connections(None, true);
    world.blocks = 0;
    world.pass(5);
    assert_eq!(
        world.blocks,
        1 + 3,
        "a hello, then 135 subscriptions a block"
    );
}

#[test]
fn a_mailbox_taken_over_is_asked_back_after_a_minute() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    let copy = world.people[alice].storage.clone();
    let servers = vec![world.relay.address()];
    let twin = world.person_with(servers, copy);
    world.run();
    send(&mut world, bob, 1, &locator, regular(1));
    assert_eq!(received(&mut world, twin).len(), 1);
    assert!(received(&mut world, alice).is_empty());
    world.pass(61);
    assert_eq!(received(&mut world, alice).len(), 1);
}

#[test]
fn a_server_nobody_needs_is_forgotten() {
    let mut world = world();
    let alice = world.person();
    let wrong = another(&world);
    send(&mut world, alice, 1, &wrong, regular(1));
    let known = |world: &World| {
        let client = &world.people[alice].client;
        let known: Vec<_> = client.connections().collect();
        assert!(client.has_connections(&known));
        known.len()
    };
    world.pass(200);
    assert_eq!(known(&world), 1, "its pace is kept for the next attempt");
    world.pass(200);
    assert_eq!(known(&world), 0);
}

#[test]
fn a_connection_nobody_needs_is_closed() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    send(&mut world, bob, 1, &locator, regular(1));
    let connected = |world: &World, who: usize| {
        world.people[who]
            .client
            .connections()
            .any(|known| matches!(known.state, ConnectionState::Connected { .. }))
    };
    assert!(connected(&world, bob));
    world.pass(130);
    assert!(!connected(&world, bob));
    assert!(connected(&world, alice), "a mailbox keeps its connection");
}

#[test]
fn a_silent_server_is_found_out() {
    let mut world = world();
    let alice = world.person();
    open(&mut world, alice, Purpose::Conversation);
    // The relay's process hangs: what is sent is swallowed, nothing closes.
    world.drop_connections(None, false);
    world.pass(300 + 59);
    let ready = |world: &World| {
        world.people[alice]
            .client
            .connections()
            .any(|known| matches!(known.state, ConnectionState::Connected { .. }))
    };
    assert!(ready(&world));
    world.up = false;
    world.pass(3);
    assert!(!ready(&world));
}
