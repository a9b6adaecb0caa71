//! `OFF`, `DEL`, `RKEY`, `QUE` and expiry.

use std::time::Duration;

use hushwing_relay::wire::key::AuthKey;
use hushwing_relay::wire::{Command, KeyList, QueueRequest, Writer};

use crate::peer::Key;
use crate::world::{Queue, World};

fn set_keys(world: &mut World, peer: usize, by: &Key, queue: &Queue, keys: &[AuthKey]) -> String {
    let mut list = Vec::new();
    Writer::new(&mut list).list1(keys, |w, key| key.write(w));
    let command = Command::RKey(KeyList::parse(&list).unwrap());
    world.ask(peer, Some(by), &queue.recipient, command)
}

#[test]
fn recipient_keys_can_be_added_replaced_and_removed() {
    // [15]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.queue(peer, QueueRequest::Contact(None));
    let (second, third) = (world.key(), world.key());
    let both = [queue.key.public(), second.public()];
    assert_eq!(set_keys(&mut world, peer, &queue.key, &queue, &both), "OK");
    for key in [&queue.key, &second] {
        assert_eq!(
            world.ask(peer, Some(key), &queue.recipient, Command::Sub),
            "SOK 0"
        );
    }
    // The key that signs may be among those removed.
    assert_eq!(
        set_keys(&mut world, peer, &second, &queue, &[third.public()]),
        "OK"
    );
    for key in [&queue.key, &second] {
        assert_eq!(
            world.ask(peer, Some(key), &queue.recipient, Command::Sub),
            "ERR AUTH"
        );
    }
    assert_eq!(
        world.ask(peer, Some(&third), &queue.recipient, Command::Sub),
        "SOK 0"
    );
}

#[test]
fn recipient_keys_of_a_messaging_queue_stay() {
    // [16]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let other = world.key().public();
    assert_eq!(
        set_keys(&mut world, peer, &queue.key, &queue, &[other]),
        "ERR AUTH"
    );
    assert_eq!(world.sub(peer, &queue), "SOK 0");
}

#[test]
fn off_needs_the_recipients_signature_and_id() {
    // [17]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let other = world.key();
    assert_eq!(
        world.ask(peer, Some(&other), &queue.recipient, Command::Off),
        "ERR AUTH"
    );
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.sender, Command::Off),
        "ERR AUTH"
    );
    assert_eq!(world.send(peer, None, &queue, b"still on"), "OK");
}

#[test]
fn a_queue_that_is_off_refuses_messages_and_keeps_those_it_has() {
    // [17]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let sender = world.key();
    let secure = Command::Key(sender.public());
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.recipient, secure),
        "OK"
    );
    assert_eq!(world.send(peer, Some(&sender), &queue, b"kept"), "OK");
    let first = world.pushed(peer, &queue);
    for _ in 0..2 {
        assert_eq!(
            world.ask(peer, Some(&queue.key), &queue.recipient, Command::Off),
            "OK"
        );
    }
    assert_eq!(world.send(peer, Some(&sender), &queue, b"x"), "ERR AUTH");
    assert_eq!(world.send(peer, None, &queue, b"x"), "ERR AUTH");
    assert_eq!(world.sub(peer, &queue), "SOK 0");
    assert_eq!(world.pushed(peer, &queue).id, first.id);
}

#[test]
fn del_needs_the_recipients_signature_and_id() {
    // [18]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let other = world.key();
    assert_eq!(
        world.ask(peer, Some(&other), &queue.recipient, Command::Del),
        "ERR AUTH"
    );
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.sender, Command::Del),
        "ERR AUTH"
    );
    assert_eq!(world.sub(peer, &queue), "SOK 0");
}

#[test]
fn a_deleted_queue_answers_as_if_it_had_never_been() {
    // [18]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    assert_eq!(world.send(peer, None, &queue, b"one"), "OK");
    assert_eq!(world.send(peer, None, &queue, b"two"), "OK");
    let id = world.pushed(peer, &queue).id;
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.recipient, Command::Del),
        "OK"
    );
    assert_eq!(world.storage.stored_messages(), 0);
    assert_eq!(world.send(peer, None, &queue, b"x"), "ERR AUTH");
    assert_eq!(world.ack(peer, &queue, &id).shown(), "ERR AUTH");
    assert_eq!(world.sub(peer, &queue), "ERR AUTH");
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.recipient, Command::Off),
        "ERR AUTH"
    );
    assert!(world.events(peer).is_empty());
}

#[test]
fn the_subscriber_elsewhere_is_told_of_a_deletion() {
    // [25]
    for (version, event) in [(18, "DELD"), (10, "DELD"), (9, "END")] {
        let mut world = World::new();
        let (alice, other) = (world.connect_at(version), world.connect_at(version));
        let queue = world.plain_queue(alice);
        assert_eq!(
            world.ask(other, Some(&queue.key), &queue.recipient, Command::Del),
            "OK"
        );
        let events = world.events(alice);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].shown(), event);
        assert_eq!(events[0].entity, queue.recipient);
        assert!(world.events(other).is_empty());
    }
}

#[test]
fn a_deletion_by_the_subscriber_itself_is_no_event() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.recipient, Command::Del),
        "OK"
    );
    assert!(world.events(peer).is_empty());
}

#[test]
fn que_tells_size_subscription_and_head() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let ask = |world: &mut World| world.ask(peer, Some(&queue.key), &queue.recipient, Command::Que);
    assert_eq!(
        ask(&mut world),
        r#"INFO {"qiSnd":false,"qiNtf":false,"qiSub":{"qSubThread":"noSub"},"qiSize":0}"#
    );
    assert_eq!(world.send(peer, None, &queue, b"x"), "OK");
    let info = ask(&mut world);
    assert!(info.contains(r#""qiSize":1,"qiMsg":{"msgId":""#), "{info}");
    assert!(
        info.contains(r#""msgTs":"2023-11-14T22:00:00Z","msgType":"message""#),
        "{info}"
    );
    assert!(info.contains(r#""qDelivered":""#), "{info}");
}

#[test]
fn only_old_messages_expire() {
    // [50]
    let mut world = World::new();
    let peer = world.connect();
    let key = world.key();
    let queue = world.queue_with(peer, key, QueueRequest::Messaging(None), false);
    assert_eq!(world.send(peer, None, &queue, b"old"), "OK");
    world.now += Duration::from_secs(20 * 24 * 3600);
    assert_eq!(world.send(peer, None, &queue, b"young"), "OK");
    world.expire();
    assert_eq!(world.storage.stored_messages(), 2);
    world.now += Duration::from_secs(2 * 24 * 3600);
    world.expire();
    assert_eq!(world.storage.stored_messages(), 1);
    assert_eq!(world.sub(peer, &queue), "SOK 0");
    assert_eq!(
        world.pushed(peer, &queue).body.as_deref(),
        Some(b"young".as_slice())
    );
}

#[test]
fn a_queue_that_expired_empty_pushes_again_after_the_acknowledgement() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    assert_eq!(world.send(peer, None, &queue, b"old"), "OK");
    let old = world.pushed(peer, &queue);
    world.now += Duration::from_secs(22 * 24 * 3600);
    world.expire();
    assert_eq!(world.send(peer, None, &queue, b"new"), "OK");
    assert!(world.events(peer).is_empty());
    let reply = world.ack(peer, &queue, &old.id);
    let new = crate::world::read(&queue, &reply);
    assert_eq!(new.body.as_deref(), Some(b"new".as_slice()));
}
