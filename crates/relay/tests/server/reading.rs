//! `SUB`, `GET`, `ACK` and who holds what.

use hushwing_relay::wire::{Command, QueueRequest};

use crate::peer::Reply;
use crate::world::{Queue, Read, World, encode, read};

fn get(world: &mut World, peer: usize, queue: &Queue) -> Reply {
    let text = encode(world.peer(peer).version, Command::Get);
    world.say(peer, Some(&queue.key), &queue.recipient, &text)
}

/// A queue whose message the first connection was sent and has not
/// acknowledged when the second subscribed.
struct TakenOver {
    world: World,
    first: usize,
    second: usize,
    queue: Queue,
    /// As the first connection read it.
    seen: Read,
}

fn taken_over() -> TakenOver {
    let mut world = World::new();
    let (first, second) = (world.connect(), world.connect());
    let queue = world.plain_queue(first);
    assert_eq!(world.send(first, None, &queue, b"x"), "OK");
    let seen = world.pushed(first, &queue);
    assert_eq!(world.sub(second, &queue), "SOK 0");
    TakenOver {
        world,
        first,
        second,
        queue,
        seen,
    }
}

#[test]
fn subscribing_elsewhere_redelivers_the_same_message() {
    // [22]
    let mut it = taken_over();
    assert_eq!(it.world.pushed(it.second, &it.queue), it.seen);
    let reply = it.world.ack(it.second, &it.queue, &it.seen.id);
    assert_eq!(reply.shown(), "OK");
}

#[test]
fn subscribing_elsewhere_ends_the_first_subscription() {
    // [23]
    let mut it = taken_over();
    let ended = it.world.events(it.first);
    assert_eq!(ended.len(), 1);
    assert_eq!(
        (ended[0].shown(), &ended[0].entity),
        ("END".to_owned(), &it.queue.recipient)
    );
}

#[test]
fn who_was_taken_over_from_has_nothing_to_acknowledge() {
    // [24]
    let mut it = taken_over();
    let reply = it.world.ack(it.first, &it.queue, &it.seen.id);
    assert_eq!(reply.shown(), "ERR NO_MSG");
    assert_eq!(it.world.storage.stored_messages(), 1);
}

#[test]
fn the_connection_that_took_over_gets_the_next_push() {
    let mut world = World::new();
    let (first, second) = (world.connect(), world.connect());
    let queue = world.plain_queue(first);
    assert_eq!(world.sub(second, &queue), "SOK 0");
    world.events(first);
    assert_eq!(world.send(first, None, &queue, b"x"), "OK");
    assert!(world.events(first).is_empty());
    world.pushed(second, &queue);
}

#[test]
fn subscribing_again_redelivers_on_the_same_connection() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    assert_eq!(world.send(peer, None, &queue, b"x"), "OK");
    let seen = world.pushed(peer, &queue);
    assert_eq!(world.sub(peer, &queue), "SOK 0");
    assert_eq!(world.pushed(peer, &queue), seen);
    assert_eq!(world.ack(peer, &queue, &seen.id).shown(), "OK");
}

#[test]
fn messages_wait_for_a_closed_connection_to_come_back() {
    let mut world = World::new();
    let (alice, bob) = (world.connect(), world.connect());
    let queue = world.plain_queue(alice);
    world.disconnect(alice);
    for body in [b"one", b"two"] {
        assert_eq!(world.send(bob, None, &queue, body), "OK");
    }
    let alice = world.connect();
    assert_eq!(world.sub(alice, &queue), "SOK 0");
    let one = world.pushed(alice, &queue);
    assert_eq!(one.body.as_deref(), Some(b"one".as_slice()));
    let reply = world.ack(alice, &queue, &one.id);
    assert_eq!(
        read(&queue, &reply).body.as_deref(),
        Some(b"two".as_slice())
    );
}

#[test]
fn get_returns_the_message_under_its_correlation_id() {
    // [26]
    let mut world = World::new();
    let peer = world.connect();
    let key = world.key();
    let queue = world.queue_with(peer, key, QueueRequest::Messaging(None), false);
    assert_eq!(get(&mut world, peer, &queue).shown(), "OK");
    assert_eq!(world.send(peer, None, &queue, b"x"), "OK");
    assert!(world.events(peer).is_empty());
    let reply = get(&mut world, peer, &queue);
    assert_eq!(reply.entity, queue.recipient);
    assert_eq!(read(&queue, &reply).body.as_deref(), Some(b"x".as_slice()));
}

#[test]
fn get_and_sub_see_the_identical_message() {
    // [27]
    let mut world = World::new();
    let (subscriber, asker) = (world.connect(), world.connect());
    let queue = world.plain_queue(subscriber);
    assert_eq!(world.send(asker, None, &queue, b"x"), "OK");
    let pushed = world.events(subscriber).remove(0);
    let got = get(&mut world, asker, &queue);
    assert_eq!(pushed.text, got.text);
    assert!(
        world.events(subscriber).is_empty(),
        "GET takes nothing over"
    );
}

#[test]
fn get_and_sub_do_not_mix_on_one_connection() {
    // [28]
    let mut world = World::new();
    let (subscriber, asker) = (world.connect(), world.connect());
    let queue = world.plain_queue(subscriber);
    assert_eq!(
        get(&mut world, subscriber, &queue).shown(),
        "ERR CMD PROHIBITED"
    );
    assert_eq!(get(&mut world, asker, &queue).shown(), "OK");
    assert_eq!(world.sub(asker, &queue), "ERR CMD PROHIBITED");
}

#[test]
fn an_asker_acknowledges_by_the_right_id_only() {
    // [29]
    let mut world = World::new();
    let (subscriber, asker) = (world.connect(), world.connect());
    let queue = world.plain_queue(subscriber);
    assert_eq!(world.send(asker, None, &queue, b"x"), "OK");
    let pushed = world.pushed(subscriber, &queue);
    get(&mut world, asker, &queue);
    assert_eq!(world.ack(asker, &queue, &[1; 24]).shown(), "ERR NO_MSG");
    // Gone already, by the subscriber.
    assert_eq!(world.ack(subscriber, &queue, &pushed.id).shown(), "OK");
    assert_eq!(world.ack(asker, &queue, &pushed.id).shown(), "OK");
}

#[test]
fn only_a_subscribers_acknowledgement_brings_the_next_message() {
    // [30]
    let mut world = World::new();
    let peer = world.connect();
    let key = world.key();
    let queue = world.queue_with(peer, key, QueueRequest::Messaging(None), false);
    for body in [b"1", b"2", b"3"] {
        assert_eq!(world.send(peer, None, &queue, body), "OK");
    }
    let one = get(&mut world, peer, &queue);
    let id = read(&queue, &one).id;
    assert_eq!(world.ack(peer, &queue, &id).shown(), "OK");
    let subscriber = world.connect();
    assert_eq!(world.sub(subscriber, &queue), "SOK 0");
    let two = world.pushed(subscriber, &queue);
    assert_eq!(two.body.as_deref(), Some(b"2".as_slice()));
    let reply = world.ack(subscriber, &queue, &two.id);
    assert_eq!(read(&queue, &reply).body.as_deref(), Some(b"3".as_slice()));
}

#[test]
fn an_acknowledgement_deletes_what_was_delivered_and_nothing_else() {
    let mut world = World::new();
    let (subscriber, asker) = (world.connect(), world.connect());
    let queue = world.plain_queue(subscriber);
    for body in [b"1", b"2"] {
        assert_eq!(world.send(asker, None, &queue, body), "OK");
    }
    let one = world.pushed(subscriber, &queue);
    get(&mut world, asker, &queue);
    assert_eq!(world.ack(asker, &queue, &one.id).shown(), "OK");
    // The subscriber's message is gone; it is told what is the head now.
    let reply = world.ack(subscriber, &queue, &one.id);
    assert_eq!(read(&queue, &reply).body.as_deref(), Some(b"2".as_slice()));
    assert_eq!(world.storage.stored_messages(), 1);
}

#[test]
fn an_empty_id_acknowledges_what_was_delivered() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    assert_eq!(world.ack(peer, &queue, &[]).shown(), "ERR NO_MSG");
    assert_eq!(world.send(peer, None, &queue, b"x"), "OK");
    world.pushed(peer, &queue);
    assert_eq!(world.ack(peer, &queue, &[]).shown(), "OK");
    assert_eq!(world.storage.stored_messages(), 0);
}

#[test]
fn acknowledging_without_having_read_has_no_message() {
    let mut world = World::new();
    let (alice, other) = (world.connect(), world.connect());
    let queue = world.plain_queue(alice);
    assert_eq!(world.send(other, None, &queue, b"x"), "OK");
    let id = world.pushed(alice, &queue).id;
    assert_eq!(world.ack(other, &queue, &id).shown(), "ERR NO_MSG");
    assert_eq!(world.storage.stored_messages(), 1);
}
