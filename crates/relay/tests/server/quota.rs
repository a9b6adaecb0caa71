//! What a full queue does.

use hushwing_relay::server::ServerConfig;

use crate::world::{Queue, Read, World, read};

fn small() -> World {
    World::with(ServerConfig {
        quota: 2,
        ..ServerConfig::default()
    })
}

/// A queue of `alice` for two messages, to which `bob` has sent three.
struct Full {
    world: World,
    alice: usize,
    bob: usize,
    queue: Queue,
}

fn full() -> Full {
    let mut world = small();
    let (alice, bob) = (world.connect(), world.connect());
    let queue = world.plain_queue(alice);
    let answers: Vec<_> = (0..3)
        .map(|n| world.send(bob, None, &queue, &[n]))
        .collect();
    assert_eq!(answers, ["OK", "OK", "ERR QUOTA"]);
    Full {
        world,
        alice,
        bob,
        queue,
    }
}

impl Full {
    fn send(&mut self) -> String {
        self.world.send(self.bob, None, &self.queue, b"again")
    }

    fn pushed(&mut self) -> Read {
        self.world.pushed(self.alice, &self.queue)
    }

    fn next(&mut self, held: &Read) -> Read {
        next(&mut self.world, self.alice, &self.queue, held)
    }
}

#[test]
fn a_full_queue_refuses_while_its_mark_is_not_acknowledged() {
    // [31]
    let mut it = full();
    assert_eq!(it.send(), "ERR QUOTA");
    let mut held = it.pushed();
    // Undelivered after the first, delivered after the second.
    for _ in 0..2 {
        held = it.next(&held);
        assert_eq!(it.send(), "ERR QUOTA");
    }
    assert_eq!(held.body, None, "the mark is held");
}

#[test]
fn the_mark_follows_the_last_message() {
    // [32]
    let mut it = full();
    let mut held = it.pushed();
    for expected in [vec![0], vec![1]] {
        assert_eq!(held.body, Some(expected));
        held = it.next(&held);
    }
    assert_eq!(held.body, None);
}

#[test]
fn a_full_queue_takes_messages_again_when_its_mark_is_acknowledged() {
    // [33]
    let mut it = full();
    let mut held = it.pushed();
    for _ in 0..2 {
        held = it.next(&held);
    }
    let reply = it.world.ack(it.alice, &it.queue, &held.id);
    assert_eq!(reply.shown(), "OK");
    assert_eq!(it.send(), "OK");
    assert_eq!(it.pushed().body.as_deref(), Some(b"again".as_slice()));
}

fn next(world: &mut World, peer: usize, queue: &Queue, held: &Read) -> Read {
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
