//! Storage that breaks down at every step: what was answered is true
//! afterwards, and what was not may have happened or not, but not half.

use std::collections::BTreeSet;

use hushwing_relay::wire::{Command, QueueRequest};

use crate::peer::Key;
use crate::world::{Queue, World, encode, read};

/// Says one thing; `None` if the server broke down over it, after which it has
/// been started anew.
fn attempt(
    world: &mut World,
    key: Option<&Key>,
    entity: &[u8],
    command: Command<'_>,
) -> Option<String> {
    let peer = match world.peers.iter().rposition(Option::is_some) {
        Some(peer) => peer,
        None => world.connect(),
    };
    let it = world.peer(peer);
    let corr = it.corr();
    let text = encode(it.version, command);
    let item = it.transmission(key, &corr, entity, &text);
    let mut block = it.block(&[item]);
    if world.try_deliver(peer, &mut block).is_err() {
        world.restart();
        return None;
    }
    let replies = world.events(peer);
    Some(replies.iter().find(|reply| reply.corr == corr)?.shown())
}

/// All messages of a queue, in order, without deleting any.
fn drain(world: &mut World, queue: &Queue) -> Vec<Vec<u8>> {
    let peer = world.connect();
    assert_eq!(world.sub(peer, queue), "SOK 0");
    let mut bodies = Vec::new();
    let mut next = world.events(peer).pop();
    while let Some(reply) = next {
        let message = read(queue, &reply);
        let after = world.ack(peer, queue, &message.id);
        bodies.push(message.body.unwrap());
        next = after.is_message().then_some(after);
    }
    bodies
}

#[test]
fn an_accepted_message_is_delivered_and_an_acknowledged_one_is_not() {
    for step in 0..12 {
        let mut world = World::new();
        let owner = world.connect();
        let key = world.key();
        let queue = world.queue_with(owner, key, QueueRequest::Messaging(None), false);
        world.storage.fail_after(step);
        let mut accepted = Vec::new();
        let mut sent = BTreeSet::new();
        let mut acknowledged = BTreeSet::new();
        for number in 0..6_u8 {
            let send = Command::Send {
                notify: false,
                body: &[number],
            };
            sent.insert(vec![number]);
            if attempt(&mut world, None, &queue.sender, send).as_deref() == Some("OK") {
                accepted.push(vec![number]);
            }
            if number % 2 == 1 {
                attempt(&mut world, Some(&queue.key), &queue.recipient, Command::Sub);
                let ack = attempt(
                    &mut world,
                    Some(&queue.key),
                    &queue.recipient,
                    Command::Ack(&[]),
                );
                if ack.is_some_and(|answer| answer == "OK" || answer.starts_with("MSG")) {
                    acknowledged.insert(accepted[acknowledged.len()].clone());
                }
            }
        }
        world.storage.fail_after(u32::MAX);
        let found = drain(&mut world, &queue);
        let due: Vec<_> = accepted
            .iter()
            .filter(|b| !acknowledged.contains(*b))
            .cloned()
            .collect();
        assert_eq!(found, due, "broken at step {step}");
        assert!(found.iter().all(|body| sent.contains(body)));
    }
}

#[test]
fn a_queue_is_created_whole_or_not_at_all() {
    for step in 0..3 {
        let mut world = World::new();
        let peer = world.connect();
        let key = world.key();
        world.storage.fail_after(step);
        let (_, text) = world.new_command(peer, &key, QueueRequest::Messaging(None), true);
        let it = world.peer(peer);
        let corr = it.corr();
        let item = it.transmission(Some(&key), &corr, &[], &text);
        let mut block = it.block(&[item]);
        let answered = world.try_deliver(peer, &mut block).is_ok();
        if !answered {
            world.restart();
        }
        assert_eq!(answered, step > 0);
    }
}

#[test]
fn nothing_is_said_of_a_transaction_that_failed() {
    let mut world = World::new();
    let (alice, bob) = (world.connect(), world.connect());
    let queue = world.plain_queue(alice);
    world.storage.fail_after(0);
    let it = world.peer(bob);
    let item = it.transmission(None, b"1", &queue.sender, b"SEND F x");
    let mut block = it.block(&[item]);
    assert!(world.try_deliver(bob, &mut block).is_err());
    for peer in [alice, bob] {
        world.peer(peer).collect();
        assert!(world.events(peer).is_empty());
    }
}

#[test]
fn a_restart_keeps_queues_keys_and_order() {
    // [35, 37]
    let mut world = World::new();
    let alice = world.connect();
    let queue = world.plain_queue(alice);
    let sender = world.key();
    let secure = Command::Key(sender.public());
    assert_eq!(
        world.ask(alice, Some(&queue.key), &queue.recipient, secure),
        "OK"
    );
    for number in 0..5_u8 {
        assert_eq!(world.send(alice, Some(&sender), &queue, &[number]), "OK");
    }
    world.restart();
    let bob = world.connect();
    assert_eq!(world.send(bob, None, &queue, b"x"), "ERR AUTH");
    assert_eq!(world.send(bob, Some(&sender), &queue, &[5]), "OK");
    assert_eq!(
        drain(&mut world, &queue),
        (0..6_u8).map(|n| vec![n]).collect::<Vec<_>>()
    );
}
