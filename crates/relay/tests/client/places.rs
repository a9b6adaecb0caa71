//! On which server a mailbox is made, and when it is to leave.

use hushwing_delivery::{MailboxId, NetworkCommand, NetworkEvent, Purpose};
use hushwing_relay::address::ServerAddress;
use hushwing_relay::client::MemoryStorage;

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
