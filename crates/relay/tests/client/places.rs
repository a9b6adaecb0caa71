//! On which server a mailbox is made, and when it is to leave.

use hushwing_delivery::{MailboxFailure, MailboxId, NetworkCommand, NetworkEvent, Purpose};
use hushwing_relay::address::ServerAddress;
use hushwing_relay::client::MemoryStorage;
use hushwing_relay::server::{CreationPolicy, ServerConfig};

use crate::acts::*;
use crate::world::World;

/// Servers that nobody answers for.
fn dead(world: &World, count: u8) -> Vec<ServerAddress> {
    let of = |number| {
        let mut address = world.relay.address();
        address.server.fingerprint[0] ^= 1 + number;
        address
    };
    (0..count).map(of).collect()
}

fn ask(world: &mut World, who: usize, number: u64, apart: &[u64]) {
    let apart = apart.iter().copied().map(MailboxId).collect();
    let open = NetworkCommand::OpenMailbox {
        mailbox: MailboxId(number),
        purpose: Purpose::Conversation,
        apart,
    };
    world.command(who, open);
}

#[test]
fn a_dead_server_among_several_is_no_reason_to_give_up() {
    for first in 0..4 {
        let mut world = world();
        let mut servers = dead(&world, 3);
        servers.insert(first, world.relay.address());
        let alice = world.person_with(servers, MemoryStorage::default());
        ask(&mut world, alice, 1, &[]);
        world.pass(60);
        let events = world.events(alice);
        assert!(
            matches!(events[..], [NetworkEvent::MailboxOpened { .. }]),
            "{events:?}"
        );
        assert!(world.dialled.iter().filter(|(_, relay)| !relay).count() <= 3);
    }
}

#[test]
fn when_all_are_dead_it_is_told_once_and_goes_on() {
    let mut world = world();
    world.up = false;
    let mut servers = dead(&world, 2);
    servers.push(world.relay.address());
    let alice = world.person_with(servers, MemoryStorage::default());
    ask(&mut world, alice, 1, &[]);
    world.pass(120);
    let told = world.events(alice);
    assert!(
        matches!(told[..], [NetworkEvent::MailboxFailed { .. }]),
        "{told:?}"
    );
    world.up = true;
    world.pass(200);
    assert!(matches!(
        world.events(alice)[..],
        [NetworkEvent::MailboxOpened { .. }]
    ));
}

#[test]
fn mailboxes_that_shall_lie_apart_do() {
    let mut world = world();
    let mut servers = dead(&world, 1);
    servers.push(world.relay.address());
    let alice = world.person_with(servers, MemoryStorage::default());
    ask(&mut world, alice, 1, &[]);
    world.pass(60);
    assert_eq!(world.events(alice).len(), 1);
    // The first one lies at the relay, so the other server is waited for.
    ask(&mut world, alice, 2, &[1]);
    world.pass(120);
    let events = world.events(alice);
    assert!(
        matches!(events[..], [NetworkEvent::MailboxFailed { .. }]),
        "{events:?}"
    );
    // Without another server it is made where it can.
    let bob = world.person();
    ask(&mut world, bob, 1, &[]);
    ask(&mut world, bob, 2, &[1]);
    assert_eq!(world.events(bob).len(), 2);
}

#[test]
fn mailboxes_on_a_server_no_longer_chosen_are_told_after_every_start() {
    let mut world = world();
    let chosen = vec![world.relay.address()];
    let alice = world.person();
    open(&mut world, alice, Purpose::Conversation);
    let others = dead(&world, 1);
    let storage = world.people[alice].storage.clone();
    for (servers, told) in [(others, true), (chosen, false), (Vec::new(), false)] {
        for _ in 0..2 {
            let again = world.person_with(servers.clone(), storage.clone());
            world.run();
            let events = world.events(again);
            let displaced = |event: &NetworkEvent| matches!(event, NetworkEvent::Displaced { mailboxes } if *mailboxes == [BOX]);
            assert_eq!(events.iter().any(displaced), told, "{events:?}");
        }
    }
}

/// A relay that makes no queues.
fn closed() -> World {
    World::new(ServerConfig {
        creation: CreationPolicy::Closed,
        ..ServerConfig::default()
    })
}

fn failures(events: &[NetworkEvent]) -> Vec<MailboxFailure> {
    let reason = |event: &NetworkEvent| match event {
        NetworkEvent::MailboxFailed { reason, .. } => *reason,
        other => panic!("{other:?}"),
    };
    events.iter().map(reason).collect()
}

#[test]
fn what_one_server_refuses_is_tried_at_the_others() {
    for first in 0..2 {
        let mut world = closed();
        let mut servers = dead(&world, 1);
        servers.insert(first, world.relay.address());
        let alice = world.person_with(servers.clone(), MemoryStorage::default());
        for number in 1..9 {
            ask(&mut world, alice, number, &[]);
        }
        world.pass(120);
        let events = world.events(alice);
        // The other one may take them when it is back, so nothing is given up.
        assert_eq!(failures(&events), [MailboxFailure::Unreachable; 8]);
        let other = world.dialled.iter().filter(|(_, relay)| !relay);
        assert!(other.count() > 0);
        // Nor is a server asked again that refused.
        world.blocks = 0;
        world.pass(300);
        assert_eq!(world.blocks, 0);
        assert!(world.events(alice).is_empty());
    }
}

#[test]
fn it_is_refused_when_all_refuse_and_after_others_were_chosen_all_are_asked_again() {
    let mut world = closed();
    let alice = world.person();
    ask(&mut world, alice, 1, &[]);
    let events = world.events(alice);
    assert_eq!(failures(&events), [MailboxFailure::Refused]);

    let mut servers = dead(&world, 1);
    servers.push(world.relay.address());
    let bob = world.person_with(servers.clone(), MemoryStorage::default());
    ask(&mut world, bob, 1, &[]);
    world.pass(60);
    world.relay.config = std::sync::Arc::new(ServerConfig::default());
    world.restart_relay();
    world.people[bob].client.set_servers(servers);
    world.pass(120);
    let opened = |event: &NetworkEvent| matches!(event, NetworkEvent::MailboxOpened { .. });
    assert!(world.events(bob).iter().any(opened));
}

#[test]
fn it_is_told_when_no_mailbox_is_displaced_any_more() {
    let mut world = world();
    let chosen = vec![world.relay.address()];
    let alice = world.person();
    open(&mut world, alice, Purpose::Conversation);
    let others = dead(&world, 1);
    for (servers, told) in [
        (others, vec![vec![BOX]]),
        (chosen.clone(), vec![Vec::new()]),
        (chosen, Vec::new()),
    ] {
        world.people[alice].client.set_servers(servers);
        world.run();
        let events = world.events(alice).into_iter();
        let displaced = events.filter_map(|event| match event {
            NetworkEvent::Displaced { mailboxes } => Some(mailboxes),
            _ => None,
        });
        assert_eq!(displaced.collect::<Vec<_>>(), told);
    }
}
