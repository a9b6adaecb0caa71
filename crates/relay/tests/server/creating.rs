//! `NEW`, and the core conversation at every version whose encodings differ.

use hushwing_relay::server::{CreationPolicy, ServerConfig};
use hushwing_relay::wire::{Command, NewQueue, QueueRequest};

use crate::peer::Key;
use crate::world::{World, encode, read};

/// [1, 2, 4, 7, 9, 22] in the encodings of `version`.
fn core_conversation(version: u16) {
    let mut world = World::new();
    let (alice, bob) = (world.connect_at(version), world.connect_at(version));
    let queue = world.plain_queue(alice);
    assert_eq!(world.send(bob, None, &queue, b"first"), "OK");
    let first = world.pushed(alice, &queue);
    assert_eq!(first.body.as_deref(), Some(b"first".as_slice()));
    assert_eq!(world.ack(alice, &queue, &first.id).shown(), "OK");
    let sender = world.key();
    let secure = Command::Key(sender.public());
    assert_eq!(
        world.ask(alice, Some(&queue.key), &queue.recipient, secure),
        "OK"
    );
    assert_eq!(world.send(bob, None, &queue, b"unsigned"), "ERR AUTH");
    assert_eq!(world.send(bob, Some(&sender), &queue, b"second"), "OK");
    let second = world.pushed(alice, &queue);
    assert_eq!(second.body.as_deref(), Some(b"second".as_slice()));

    let again = world.connect_at(version);
    let subscribed = if version >= 16 { "SOK 0" } else { "OK" };
    assert_eq!(world.sub(again, &queue), subscribed);
    let redelivered = world.pushed(again, &queue);
    assert_eq!(redelivered.id, second.id);
    assert_eq!(world.events(alice)[0].shown(), "END");
    assert_eq!(world.ack(again, &queue, &second.id).shown(), "OK");
    assert_eq!(world.ask(again, None, &[], Command::Ping), "PONG");
}

#[test]
fn the_core_conversation_at_version_8() {
    core_conversation(8);
}

#[test]
fn the_core_conversation_at_version_9() {
    core_conversation(9);
}

#[test]
fn the_core_conversation_at_version_11() {
    core_conversation(11);
}

#[test]
fn the_core_conversation_at_version_14() {
    core_conversation(14);
}

#[test]
fn the_core_conversation_at_version_16() {
    core_conversation(16);
}

#[test]
fn the_core_conversation_at_version_18() {
    core_conversation(18);
}

#[test]
fn ids_are_fresh_and_unlike_each_other() {
    let mut world = World::new();
    let peer = world.connect();
    let (one, two) = (world.plain_queue(peer), world.plain_queue(peer));
    let ids = [&one.recipient, &one.sender, &two.recipient, &two.sender];
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(id.len(), 24);
        assert!(ids[at + 1..].iter().all(|other| other != id));
    }
}

#[test]
fn every_kind_of_recipient_key_is_accepted() {
    let mut world = World::new();
    let peer = world.connect();
    for key in [Key::ed25519(9), Key::ed448(9), Key::x25519(9)] {
        let queue = world.queue_with(peer, key, QueueRequest::Messaging(None), false);
        // Twice: the second X25519 check uses the remembered agreement.
        assert_eq!(world.sub(peer, &queue), "SOK 0");
        assert_eq!(world.sub(peer, &queue), "SOK 0");
    }
}

#[test]
fn a_queue_created_without_subscribing_gets_no_push() {
    let mut world = World::new();
    let peer = world.connect();
    let key = world.key();
    let queue = world.queue_with(peer, key, QueueRequest::Messaging(None), false);
    assert_eq!(world.send(peer, None, &queue, b"later"), "OK");
    assert!(world.events(peer).is_empty());
    assert_eq!(world.sub(peer, &queue), "SOK 0");
    assert_eq!(
        world.pushed(peer, &queue).body.as_deref(),
        Some(b"later".as_slice())
    );
}

#[test]
fn a_queue_of_a_client_that_names_no_mode_works() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.queue(peer, QueueRequest::Unspecified);
    assert_eq!(world.send(peer, None, &queue, b"x"), "OK");
    let sender = world.key();
    let secure = Command::SKey(sender.public());
    assert_eq!(
        world.ask(peer, Some(&sender), &queue.sender, secure),
        "ERR AUTH"
    );
}

fn try_new(world: &mut World, password: Option<&[u8]>) -> String {
    let peer = world.connect();
    let key = world.key();
    let (dh, _) = world.new_command(peer, &key, QueueRequest::Unspecified, true);
    let new = NewQueue {
        auth: key.public(),
        dh: dh.public(),
        password,
        subscribe: true,
        request: QueueRequest::Messaging(None),
        notifier: None,
    };
    world.ask(peer, Some(&key), &[], Command::New(new))
}

#[test]
fn a_closed_server_creates_no_queue() {
    // [19]
    let config = ServerConfig {
        creation: CreationPolicy::Closed,
        ..ServerConfig::default()
    };
    assert_eq!(try_new(&mut World::with(config), None), "ERR AUTH");
}

#[test]
fn a_server_with_a_password_creates_queues_for_those_who_know_it() {
    // [19]
    let creation = CreationPolicy::Password(b"sesame".to_vec().into());
    let mut world = World::with(ServerConfig {
        creation,
        ..ServerConfig::default()
    });
    assert_eq!(try_new(&mut world, None), "ERR AUTH");
    assert_eq!(try_new(&mut world, Some(b"wrong!")), "ERR AUTH");
    assert!(try_new(&mut world, Some(b"sesame")).starts_with("IDS "));
}

#[test]
fn a_new_command_signed_by_another_key_is_refused() {
    let mut world = World::new();
    let peer = world.connect();
    let (key, other) = (world.key(), world.key());
    let (_, text) = world.new_command(peer, &key, QueueRequest::Messaging(None), true);
    assert_eq!(
        world.say(peer, Some(&other), &[], &text).shown(),
        "ERR AUTH"
    );
}

#[test]
fn hundreds_of_queues_survive_reconnection_and_batched_subscription() {
    // [20]
    let mut world = World::new();
    let (alice, bob) = (world.connect(), world.connect());
    let queues: Vec<_> = (0..300)
        .map(|n| {
            let key = Key::ed25519(u8::try_from(n % 250).unwrap());
            world.queue_with(alice, key, QueueRequest::Messaging(None), true)
        })
        .collect();
    world.restart();
    let (alice, _) = (world.connect(), bob);
    for some in queues.chunks(100) {
        let version = world.peer(alice).version;
        let items: Vec<_> = some
            .iter()
            .map(|queue| {
                let it = world.peer(alice);
                let corr = it.corr();
                it.transmission(
                    Some(&queue.key),
                    &corr,
                    &queue.recipient,
                    &encode(version, Command::Sub),
                )
            })
            .collect();
        let block = world.peer(alice).block(&items);
        world.deliver(alice, block);
        let answers = world.events(alice);
        assert_eq!(answers.len(), some.len());
        assert!(answers.iter().all(|answer| answer.shown() == "SOK 0"));
    }
    let bob = world.connect();
    for queue in &queues {
        assert_eq!(world.send(bob, None, queue, b"hello"), "OK");
        let events = world.events(alice);
        assert_eq!(
            read(queue, &events[0]).body.as_deref(),
            Some(b"hello".as_slice())
        );
    }
}
