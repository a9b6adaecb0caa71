//! What a full queue does.

use hushwing_relay::server::ServerConfig;

use crate::world::{Read, World, read};

fn small() -> World {
    World::with(ServerConfig {
        quota: 2,
        ..ServerConfig::default()
    })
}

#[test]
fn a_full_queue_refuses_until_its_mark_is_acknowledged() {
    // [31, 32, 33]
    let mut world = small();
    let (alice, bob) = (world.connect(), world.connect());
    let queue = world.plain_queue(alice);
    let answers: Vec<_> = (0..4)
        .map(|n| world.send(bob, None, &queue, &[n]))
        .collect();
    assert_eq!(answers, ["OK", "OK", "ERR QUOTA", "ERR QUOTA"]);
    let mut held = world.pushed(alice, &queue);
    for expected in [Some(vec![0]), Some(vec![1])] {
        assert_eq!(held.body, expected);
        held = next(&mut world, alice, &queue, &held);
        assert_eq!(world.send(bob, None, &queue, b"x"), "ERR QUOTA");
    }
    assert_eq!(held.body, None, "the mark comes last");
    assert_eq!(world.ack(alice, &queue, &held.id).shown(), "OK");
    assert_eq!(world.send(bob, None, &queue, b"again"), "OK");
    assert_eq!(
        world.pushed(alice, &queue).body.as_deref(),
        Some(b"again".as_slice())
    );
}

fn next(world: &mut World, peer: usize, queue: &crate::world::Queue, held: &Read) -> Read {
    let reply = world.ack(peer, queue, &held.id);
    read(queue, &reply)
}

#[test]
fn the_mark_is_stored_once() {
    let mut world = small();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    for n in 0..9 {
        world.send(peer, None, &queue, &[n]);
    }
    assert_eq!(world.storage.stored_messages(), 3);
}

#[test]
fn the_quota_survives_a_restart() {
    // [37]
    let mut world = small();
    let alice = world.connect();
    let queue = world.plain_queue(alice);
    for n in 0..3 {
        world.send(alice, None, &queue, &[n]);
    }
    world.restart();
    let (alice, bob) = (world.connect(), world.connect());
    assert_eq!(world.send(bob, None, &queue, b"x"), "ERR QUOTA");
    assert_eq!(world.sub(alice, &queue), "SOK 0");
    let mut held = world.pushed(alice, &queue);
    for expected in [vec![0], vec![1]] {
        assert_eq!(held.body, Some(expected));
        held = next(&mut world, alice, &queue, &held);
    }
    assert_eq!(held.body, None);
}

#[test]
fn another_queue_is_not_held_up_by_a_full_one() {
    let mut world = small();
    let peer = world.connect();
    let (full, other) = (world.plain_queue(peer), world.plain_queue(peer));
    for n in 0..3 {
        world.send(peer, None, &full, &[n]);
    }
    assert_eq!(world.send(peer, None, &other, b"x"), "OK");
}
