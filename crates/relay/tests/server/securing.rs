//! `KEY` and `SKEY`.

use hushwing_relay::wire::{Command, QueueRequest};

use crate::peer::Key;
use crate::world::{Queue, World, encode};

#[test]
fn key_with_a_wrong_signature_is_refused() {
    // [5]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let (sender, other) = (world.key(), world.key());
    let secure = Command::Key(sender.public());
    assert_eq!(
        world.ask(peer, Some(&other), &queue.recipient, secure),
        "ERR AUTH"
    );
}

#[test]
fn key_with_the_senders_id_is_refused() {
    // [6]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let secure = Command::Key(world.key().public());
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.sender, secure),
        "ERR AUTH"
    );
}

/// A queue that its recipient has secured for the key.
fn secured(world: &mut World, peer: usize) -> (Queue, Key) {
    let queue = world.plain_queue(peer);
    let sender = world.key();
    assert_eq!(secure(world, peer, &queue, &sender), "OK");
    (queue, sender)
}

fn secure(world: &mut World, peer: usize, queue: &Queue, sender: &Key) -> String {
    let secure = Command::Key(sender.public());
    world.ask(peer, Some(&queue.key), &queue.recipient, secure)
}

#[test]
fn key_may_be_repeated_with_the_same_key() {
    // [7]
    let mut world = World::new();
    let peer = world.connect();
    let (queue, sender) = secured(&mut world, peer);
    assert_eq!(secure(&mut world, peer, &queue, &sender), "OK");
    assert_eq!(world.send(peer, Some(&sender), &queue, b"x"), "OK");
}

#[test]
fn key_with_another_key_is_refused() {
    // [8]
    let mut world = World::new();
    let peer = world.connect();
    let (queue, sender) = secured(&mut world, peer);
    let other = world.key();
    assert_eq!(secure(&mut world, peer, &queue, &other), "ERR AUTH");
    assert_eq!(world.send(peer, Some(&other), &queue, b"x"), "ERR AUTH");
    assert_eq!(world.send(peer, Some(&sender), &queue, b"x"), "OK");
}

#[test]
fn an_unauthorised_send_after_key_is_refused() {
    // [9]
    let mut world = World::new();
    let peer = world.connect();
    let (queue, _) = secured(&mut world, peer);
    assert_eq!(world.send(peer, None, &queue, b"x"), "ERR AUTH");
    assert_eq!(world.storage.stored_messages(), 0);
}

#[test]
fn a_sender_secures_a_messaging_queue_once() {
    // [11]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let (sender, other) = (world.key(), world.key());
    for (key, answer) in [(&sender, "OK"), (&sender, "OK"), (&other, "ERR AUTH")] {
        let secure = Command::SKey(key.public());
        assert_eq!(world.ask(peer, Some(key), &queue.sender, secure), answer);
    }
    assert_eq!(world.send(peer, Some(&sender), &queue, b"x"), "OK");
}

#[test]
fn skey_with_the_recipients_id_is_refused() {
    // [12]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let sender = world.key();
    let secure = Command::SKey(sender.public());
    assert_eq!(
        world.ask(peer, Some(&sender), &queue.recipient, secure),
        "ERR AUTH"
    );
}

#[test]
fn skey_on_a_contact_queue_is_refused() {
    // [13]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.queue(peer, QueueRequest::Contact(None));
    let sender = world.key();
    let secure = Command::SKey(sender.public());
    assert_eq!(
        world.ask(peer, Some(&sender), &queue.sender, secure),
        "ERR AUTH"
    );
}

#[test]
fn skey_signed_by_a_key_other_than_the_one_inside_is_refused() {
    // [14]
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let (sender, other) = (world.key(), world.key());
    let secure = Command::SKey(sender.public());
    assert_eq!(
        world.ask(peer, Some(&other), &queue.sender, secure),
        "ERR AUTH"
    );
    assert_eq!(world.send(peer, None, &queue, b"still open"), "OK");
}

/// Securing and sending in one block: the second is judged by the first.
fn secure_and_send_in_one_block(forgetful: bool) {
    let mut world = World::new();
    world.forgetful = forgetful;
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let sender = world.key();
    let version = world.peer(peer).version;
    let secure = encode(version, Command::SKey(sender.public()));
    let send = encode(
        version,
        Command::Send {
            notify: false,
            body: b"signed",
        },
    );
    let it = world.peer(peer);
    let items: Vec<_> = [&secure, &send, &send]
        .into_iter()
        .map(|text| {
            let corr = it.corr();
            it.transmission(Some(&sender), &corr, &queue.sender, text)
        })
        .collect();
    let block = it.block(&items);
    world.deliver(peer, block);
    let replies = world.events(peer);
    let texts: Vec<_> = replies
        .iter()
        .filter(|r| !r.is_message())
        .map(|r| r.shown())
        .collect();
    assert_eq!(texts, ["OK", "OK", "OK"]);
    assert_eq!(replies.iter().filter(|r| r.is_message()).count(), 1);
}

#[test]
fn a_command_sees_the_key_that_the_one_before_it_set() {
    secure_and_send_in_one_block(false);
}

#[test]
fn a_command_sees_that_key_also_if_the_directory_knows_nothing() {
    secure_and_send_in_one_block(true);
}
