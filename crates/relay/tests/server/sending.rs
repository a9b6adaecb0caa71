//! `SEND` and what pushes it.

use std::time::Duration;

use hushwing_relay::wire::{Command, QueueRequest};

use crate::peer::{Key, Reply};
use crate::world::{Queue, World, encode};

#[test]
fn an_unauthorised_send_reaches_the_creators_connection() {
    // [2]
    let mut world = World::new();
    let (alice, bob) = (world.connect(), world.connect());
    let queue = world.plain_queue(alice);
    assert_eq!(world.send(bob, None, &queue, b"hello"), "OK");
    let read = world.pushed(alice, &queue);
    assert_eq!(read.body.as_deref(), Some(b"hello".as_slice()));
    assert_eq!(read.at.as_secs(), world.now.as_secs() / 3_600 * 3_600);
    assert!(world.events(bob).is_empty());
}

/// Exact times in storage would tell which message follows which (RFC 0017).
#[test]
fn of_a_message_only_the_hour_is_kept() {
    let mut world = World::new();
    let peer = world.connect();
    let key = world.key();
    let queue = world.queue_with(peer, key, QueueRequest::Messaging(None), false);
    let hour = world.now.as_secs() / 3_600 * 3_600;
    world.now = Duration::from_secs(hour + 3_599);
    assert_eq!(world.send(peer, None, &queue, b"x"), "OK");
    assert_eq!(world.sub(peer, &queue), "SOK 0");
    assert_eq!(world.pushed(peer, &queue).at.as_secs(), hour);
}

#[test]
fn an_authorised_send_before_securing_is_refused() {
    // [3]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let key = world.key();
    assert_eq!(world.send(peer, Some(&key), &queue, b"x"), "ERR AUTH");
    assert_eq!(world.storage.stored_messages(), 0);
}

#[test]
fn a_second_acknowledgement_has_no_message() {
    // [4]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    assert_eq!(world.send(peer, None, &queue, b"x"), "OK");
    let id = world.pushed(peer, &queue).id;
    assert_eq!(world.ack(peer, &queue, &id).shown(), "OK");
    assert_eq!(world.ack(peer, &queue, &id).shown(), "ERR NO_MSG");
    assert_eq!(world.storage.stored_messages(), 0);
}

#[test]
fn a_body_of_the_limit_passes_unchanged_and_one_more_byte_is_too_large() {
    // [10]
    for (version, limit) in [(8, 16_064), (10, 16_064), (11, 16_048), (18, 16_048)] {
        let mut world = World::new();
        let peer = world.connect_at(version);
        let queue = world.plain_queue(peer);
        let body: Vec<u8> = (0..=limit).map(|at| (at % 251) as u8).collect();
        assert_eq!(
            world.send(peer, None, &queue, &body),
            "ERR LARGE_MSG",
            "{version}"
        );
        assert_eq!(
            world.send(peer, None, &queue, &body[..limit]),
            "OK",
            "{version}"
        );
        assert_eq!(
            world.pushed(peer, &queue).body.as_deref(),
            Some(&body[..limit])
        );
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_after_authorisation() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let key = world.key();
    let large = vec![0; 16_049];
    assert_eq!(world.send(peer, Some(&key), &queue, &large), "ERR AUTH");
}

#[test]
fn every_kind_of_sender_key_authorises() {
    let mut world = World::new();
    let peer = world.connect();
    for sender in [Key::ed25519(40), Key::ed448(40), Key::x25519(40)] {
        let queue = world.plain_queue(peer);
        let secure = Command::Key(sender.public());
        assert_eq!(
            world.ask(peer, Some(&queue.key), &queue.recipient, secure),
            "OK"
        );
        for body in [b"one", b"two"] {
            assert_eq!(world.send(peer, Some(&sender), &queue, body), "OK");
            let read = world.pushed(peer, &queue);
            assert_eq!(read.body.as_deref(), Some(body.as_slice()));
            assert_eq!(world.ack(peer, &queue, &read.id).shown(), "OK");
        }
    }
}

#[test]
fn a_wrong_authenticator_does_not_become_right_by_repetition() {
    let mut world = World::new();
    let peer = world.connect();
    let (sender, other) = (Key::x25519(50), Key::x25519(51));
    let queue = world.plain_queue(peer);
    let secure = Command::Key(sender.public());
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.recipient, secure),
        "OK"
    );
    assert_eq!(world.send(peer, Some(&other), &queue, b"x"), "ERR AUTH");
    assert_eq!(world.send(peer, Some(&sender), &queue, b"x"), "OK");
    assert_eq!(world.send(peer, Some(&other), &queue, b"x"), "ERR AUTH");
}

#[test]
fn two_queues_carry_a_conversation_both_ways() {
    // [21]
    let mut world = World::new();
    let (alice, bob) = (world.connect(), world.connect());
    let (to_alice, to_bob) = (world.plain_queue(alice), world.plain_queue(bob));
    for turn in 0..3_u8 {
        assert_eq!(world.send(alice, None, &to_bob, &[turn]), "OK");
        let read = world.pushed(bob, &to_bob);
        assert_eq!(read.body, Some(vec![turn]));
        assert_eq!(world.ack(bob, &to_bob, &read.id).shown(), "OK");
        assert_eq!(world.send(bob, None, &to_alice, &[turn, turn]), "OK");
        let read = world.pushed(alice, &to_alice);
        assert_eq!(read.body, Some(vec![turn, turn]));
        assert_eq!(world.ack(alice, &to_alice, &read.id).shown(), "OK");
    }
}

#[test]
fn of_two_concurrent_senders_one_is_pushed_and_one_comes_with_the_acknowledgement() {
    // [34]
    let mut world = World::new();
    let alice = world.connect();
    let senders = [world.connect(), world.connect()];
    let queue = world.plain_queue(alice);
    for round in 0..50_u8 {
        let bodies = [[round, 0], [round, 1]];
        for (sender, body) in senders.into_iter().zip(bodies) {
            put_in_flight(&mut world, sender, &queue, &body);
        }
        // Both wait to be answered; either may be the first at the engine.
        assert!(senders.iter().all(|it| world.events(*it).is_empty()));
        world.backwards = round % 2 == 1;
        world.settle().unwrap();
        for sender in senders {
            let answers: Vec<_> = world.events(sender).iter().map(Reply::shown).collect();
            assert_eq!(answers, ["OK"]);
        }
        let first = world.pushed(alice, &queue);
        let reply = world.ack(alice, &queue, &first.id);
        let second = crate::world::read(&queue, &reply);
        assert_ne!(first.id, second.id);
        let mut expected = bodies.map(|body| Some(body.to_vec()));
        if world.backwards {
            expected.reverse();
        }
        assert_eq!([first.body, second.body], expected);
        assert_eq!(world.ack(alice, &queue, &second.id).shown(), "OK");
    }
}

/// Hands a `SEND` to its session, which asks the engine only later.
fn put_in_flight(world: &mut World, sender: usize, queue: &Queue, body: &[u8]) {
    let notify = false;
    let text = encode(world.peer(sender).version, Command::Send { notify, body });
    let it = world.peer(sender);
    let corr = it.corr();
    let item = it.transmission(None, &corr, &queue.sender, &text);
    let mut block = it.block(&[item]);
    world.receive(sender, &mut block);
}

#[test]
fn a_thousand_messages_arrive_in_order() {
    // [61]
    let mut world = World::new();
    let (alice, bob) = (world.connect(), world.connect());
    let queue = world.plain_queue(alice);
    let mut expected = 0_u16;
    let mut held = None;
    for number in 0..1_000_u16 {
        let body = number.to_be_bytes();
        assert_eq!(world.send(bob, None, &queue, &body), "OK");
        if held.is_none() {
            held = Some(world.pushed(alice, &queue));
        }
        // Let a backlog grow and shrink.
        let drain = number % 7 == 6 || number == 999;
        while drain && let Some(read) = held.take() {
            assert_eq!(read.body, Some(expected.to_be_bytes().to_vec()));
            expected += 1;
            let reply = world.ack(alice, &queue, &read.id);
            held = reply
                .is_message()
                .then(|| crate::world::read(&queue, &reply));
        }
    }
    assert_eq!(expected, 1_000);
}
