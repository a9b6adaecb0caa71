//! Link data: `NEW` with it, `LSET`, `LDEL`, `LKEY`, `LGET`.

use hushwing_relay::wire::{Command, LinkData, QueueRequest, Response, Version};
use sha3::{Digest, Sha3_384};

use crate::peer::Reply;
use crate::world::{Queue, World, encode};

const DATA: LinkData<'static> = LinkData {
    fixed: b"fixed",
    user: b"user",
};
const NEWER: LinkData<'static> = LinkData {
    fixed: b"fixed",
    user: b"newer",
};
const LINK: &[u8] = &[33; 24];

/// What a client must choose for the correlation id its next `NEW` will have.
fn sender_id(world: &mut World, peer: usize) -> Vec<u8> {
    let corr = world.peer(peer).corr();
    let corr = {
        let mut next = corr.clone();
        let number = u32::from_be_bytes(corr[..4].try_into().unwrap()) + 1;
        next[..4].copy_from_slice(&number.to_be_bytes());
        next
    };
    Sha3_384::digest(corr)[..24].to_vec()
}

fn invitation(world: &mut World, peer: usize) -> Queue {
    let sender = sender_id(world, peer);
    let queue = world.queue(peer, QueueRequest::Messaging(Some((&sender, DATA))));
    assert_eq!(queue.sender, sender);
    queue
}

fn contact(world: &mut World, peer: usize) -> Queue {
    let sender = sender_id(world, peer);
    let queue = world.queue(peer, QueueRequest::Contact(Some((LINK, &sender, DATA))));
    assert_eq!(
        (queue.sender.as_slice(), queue.link.as_deref()),
        (&sender[..], Some(LINK))
    );
    queue
}

fn lget(world: &mut World, peer: usize, link: &[u8]) -> Reply {
    let text = encode(world.peer(peer).version, Command::LGet);
    world.say(peer, None, link, &text)
}

fn assert_link(reply: &Reply, queue: &Queue, data: LinkData<'_>) {
    match Response::parse(&reply.text, Version(18)) {
        Ok(Response::Lnk {
            sender_id,
            data: found,
        }) => {
            assert_eq!(sender_id, queue.sender);
            assert_eq!((found.fixed, found.user), (data.fixed, data.user));
        }
        _ => panic!("no link: {}", reply.shown()),
    }
}

fn lkey(world: &mut World, peer: usize, by: &crate::peer::Key, link: &[u8]) -> Reply {
    let text = encode(world.peer(peer).version, Command::LKey(by.public()));
    world.say(peer, Some(by), link, &text)
}

fn lset(
    world: &mut World,
    peer: usize,
    queue: &Queue,
    link_id: &[u8],
    data: LinkData<'_>,
) -> String {
    world.ask(
        peer,
        Some(&queue.key),
        &queue.recipient,
        Command::LSet { link_id, data },
    )
}

fn ldel(world: &mut World, peer: usize, queue: &Queue) -> String {
    world.ask(peer, Some(&queue.key), &queue.recipient, Command::LDel)
}

#[test]
fn a_chosen_sender_id_must_follow_from_the_correlation_id() {
    // [51]
    let mut world = World::new();
    let peer = world.connect();
    let key = world.key();
    for request in [
        QueueRequest::Messaging(Some((&[7; 24], DATA))),
        QueueRequest::Contact(Some((LINK, &[7; 24], DATA))),
        QueueRequest::Messaging(Some((&[7; 3], DATA))),
    ] {
        let (_, text) = world.new_command(peer, &key, request, true);
        assert_eq!(
            world.say(peer, Some(&key), &[], &text).shown(),
            "ERR CMD PROHIBITED"
        );
    }
}

#[test]
fn an_id_that_is_taken_is_refused() {
    let mut world = World::new();
    let peer = world.connect();
    contact(&mut world, peer);
    let sender = sender_id(&mut world, peer);
    let key = world.key();
    let request = QueueRequest::Contact(Some((LINK, &sender, DATA)));
    let (_, text) = world.new_command(peer, &key, request, true);
    assert_eq!(world.say(peer, Some(&key), &[], &text).shown(), "ERR AUTH");
    // Nothing of it is left: the sender's id is free.
    assert_eq!(
        world.say(peer, None, &sender, b"SEND F x").shown(),
        "ERR AUTH"
    );
}

#[test]
fn an_invitation_is_read_by_lkey_and_a_contact_by_lget() {
    // [52]
    let mut world = World::new();
    let (owner, reader) = (world.connect(), world.connect());
    let invited = invitation(&mut world, owner);
    let invited_link = invited.link.clone().unwrap();
    let open = contact(&mut world, owner);
    let key = world.key();
    assert_eq!(lget(&mut world, reader, &invited_link).shown(), "ERR AUTH");
    assert_eq!(lkey(&mut world, reader, &key, LINK).shown(), "ERR AUTH");
    assert_link(&lget(&mut world, reader, LINK), &open, DATA);
    assert_link(
        &lkey(&mut world, reader, &key, &invited_link),
        &invited,
        DATA,
    );
}

#[test]
fn lkey_secures_the_queue_for_the_first_reader() {
    // [53]
    let mut world = World::new();
    let (owner, reader) = (world.connect(), world.connect());
    let queue = invitation(&mut world, owner);
    let link = queue.link.clone().unwrap();
    let (key, other) = (world.key(), world.key());
    assert_eq!(lset(&mut world, owner, &queue, &link, NEWER), "OK");
    for _ in 0..2 {
        assert_link(&lkey(&mut world, reader, &key, &link), &queue, NEWER);
    }
    assert_eq!(lkey(&mut world, reader, &other, &link).shown(), "ERR AUTH");
    assert_eq!(world.send(reader, None, &queue, b"x"), "ERR AUTH");
    assert_eq!(world.send(reader, Some(&key), &queue, b"x"), "OK");
}

#[test]
fn lkey_needs_its_own_signature_and_the_links_id() {
    // [53]
    let mut world = World::new();
    let (owner, reader) = (world.connect(), world.connect());
    let queue = invitation(&mut world, owner);
    let link = queue.link.clone().unwrap();
    let (key, other) = (world.key(), world.key());
    let text = encode(Version(18), Command::LKey(key.public()));
    assert_eq!(
        world.say(reader, None, &link, &text).shown(),
        "ERR CMD NO_AUTH"
    );
    assert_eq!(
        world.say(reader, Some(&other), &link, &text).shown(),
        "ERR AUTH"
    );
    assert_eq!(
        world
            .say(reader, Some(&key), &queue.recipient, &text)
            .shown(),
        "ERR AUTH"
    );
    assert_link(&lkey(&mut world, reader, &other, &link), &queue, DATA);
}

#[test]
fn lset_after_securing_is_refused_and_ldel_is_not() {
    // [54]
    let mut world = World::new();
    let peer = world.connect();
    let queue = invitation(&mut world, peer);
    let link = queue.link.clone().unwrap();
    let secure = Command::Key(world.key().public());
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.recipient, secure),
        "OK"
    );
    assert_eq!(lset(&mut world, peer, &queue, &link, NEWER), "ERR AUTH");
    assert_eq!(ldel(&mut world, peer, &queue), "OK");
}

#[test]
fn lget_takes_no_signature_and_no_other_id() {
    // [55]
    let mut world = World::new();
    let peer = world.connect();
    let queue = contact(&mut world, peer);
    let key = world.key();
    assert_eq!(
        world.say(peer, Some(&key), LINK, b"LGET").shown(),
        "ERR CMD HAS_AUTH"
    );
    assert_eq!(lget(&mut world, peer, &queue.recipient).shown(), "ERR AUTH");
    assert_eq!(lget(&mut world, peer, &[8; 24]).shown(), "ERR AUTH");
}

#[test]
fn lset_changes_the_users_part_only() {
    // [56]
    let mut world = World::new();
    let peer = world.connect();
    let queue = contact(&mut world, peer);
    let changed = LinkData {
        fixed: b"other",
        user: b"newer",
    };
    assert_eq!(lset(&mut world, peer, &queue, &[34; 24], NEWER), "ERR AUTH");
    assert_eq!(lset(&mut world, peer, &queue, LINK, changed), "ERR AUTH");
    assert_link(&lget(&mut world, peer, LINK), &queue, DATA);
    assert_eq!(lset(&mut world, peer, &queue, LINK, NEWER), "OK");
    assert_link(&lget(&mut world, peer, LINK), &queue, NEWER);
}

#[test]
fn a_deleted_link_is_gone_and_may_be_deleted_again() {
    // [56]
    let mut world = World::new();
    let peer = world.connect();
    let queue = contact(&mut world, peer);
    assert_eq!(ldel(&mut world, peer, &queue), "OK");
    assert_eq!(ldel(&mut world, peer, &queue), "OK");
    assert_eq!(lget(&mut world, peer, LINK).shown(), "ERR AUTH");
    assert_eq!(lset(&mut world, peer, &queue, LINK, DATA), "OK");
    assert_link(&lget(&mut world, peer, LINK), &queue, DATA);
}

#[test]
fn a_link_id_of_another_queue_is_refused() {
    let mut world = World::new();
    let peer = world.connect();
    contact(&mut world, peer);
    let other = world.queue(peer, QueueRequest::Contact(None));
    assert_eq!(lset(&mut world, peer, &other, LINK, DATA), "ERR AUTH");
}

#[test]
fn the_first_message_to_a_secured_invitation_deletes_its_link() {
    let mut world = World::new();
    let (owner, reader) = (world.connect(), world.connect());
    let queue = invitation(&mut world, owner);
    let link = queue.link.clone().unwrap();
    let key = world.key();
    assert_link(&lkey(&mut world, reader, &key, &link), &queue, DATA);
    assert_eq!(world.send(reader, Some(&key), &queue, b"x"), "OK");
    assert_eq!(lkey(&mut world, reader, &key, &link).shown(), "ERR AUTH");
}

#[test]
fn a_message_to_a_contact_queue_leaves_its_link() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = contact(&mut world, peer);
    assert_eq!(world.send(peer, None, &queue, b"x"), "OK");
    assert_link(&lget(&mut world, peer, LINK), &queue, DATA);
}

#[test]
fn deleting_a_queue_deletes_its_link() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = contact(&mut world, peer);
    assert_eq!(
        world.ask(peer, Some(&queue.key), &queue.recipient, Command::Del),
        "OK"
    );
    assert_eq!(lget(&mut world, peer, LINK).shown(), "ERR AUTH");
    contact(&mut world, peer);
}

#[test]
fn link_data_of_the_usual_size_passes() {
    let mut world = World::new();
    let peer = world.connect();
    let (fixed, user) = (vec![1; 2_048], vec![2; 13_824]);
    let data = LinkData {
        fixed: &fixed,
        user: &user,
    };
    let sender = sender_id(&mut world, peer);
    let queue = world.queue(peer, QueueRequest::Contact(Some((LINK, &sender, data))));
    assert_link(&lget(&mut world, peer, LINK), &queue, data);
    assert_eq!(lset(&mut world, peer, &queue, LINK, data), "OK");
}
