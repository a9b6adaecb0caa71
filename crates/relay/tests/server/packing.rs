//! How answers share blocks [64].

use crate::peer::{Key, Reply};
use crate::world::{Queue, World};

fn subscribe_all(world: &mut World, peer: usize, queues: &[Queue]) -> Vec<Reply> {
    let it = world.peer(peer);
    it.blocks = 0;
    let items: Vec<_> = queues
        .iter()
        .enumerate()
        .map(|(at, queue)| {
            let corr = [u8::try_from(at).unwrap()];
            it.transmission(Some(&queue.key), &corr, &queue.recipient, b"SUB")
        })
        .collect();
    let block = it.block(&items);
    world.deliver(peer, block);
    world.events(peer)
}

fn queues(world: &mut World, owner: usize, count: usize, full: usize) -> Vec<Queue> {
    let queues: Vec<_> = (0..count).map(|_| world.plain_queue(owner)).collect();
    for queue in &queues[..full] {
        assert_eq!(world.send(owner, None, queue, b"x"), "OK");
    }
    world.events(owner);
    queues
}

fn blocks(replies: &[Reply]) -> Vec<(usize, usize)> {
    let last = replies.iter().map(|reply| reply.block).max().unwrap();
    (0..=last)
        .map(|block| {
            let of_block = || replies.iter().filter(move |reply| reply.block == block);
            let messages = of_block().filter(|reply| reply.is_message()).count();
            (of_block().count() - messages, messages)
        })
        .collect()
}

#[test]
fn four_answers_and_a_message_fit_one_block() {
    let mut world = World::new();
    let (owner, peer) = (world.connect(), world.connect());
    let queues = queues(&mut world, owner, 4, 1);
    let replies = subscribe_all(&mut world, peer, &queues);
    assert_eq!(blocks(&replies), [(4, 1)]);
}

#[test]
fn five_answers_and_a_message_need_two_blocks() {
    let mut world = World::new();
    let (owner, peer) = (world.connect(), world.connect());
    let queues = queues(&mut world, owner, 5, 1);
    let replies = subscribe_all(&mut world, peer, &queues);
    assert_eq!(blocks(&replies), [(5, 0), (0, 1)]);
}

#[test]
fn every_answer_comes_before_every_message() {
    let mut world = World::new();
    let (owner, peer) = (world.connect(), world.connect());
    let queues = queues(&mut world, owner, 60, 3);
    let replies = subscribe_all(&mut world, peer, &queues);
    assert_eq!(blocks(&replies), [(60, 0), (0, 1), (0, 1), (0, 1)]);
    let first_message = replies.iter().position(Reply::is_message).unwrap();
    assert_eq!(first_message, 60);
}

#[test]
fn a_full_block_of_135_subscriptions_is_answered_in_one() {
    let mut world = World::new();
    let peer = world.connect();
    let key = Key::ed25519(70);
    let it = world.peer(peer);
    let items: Vec<_> = (0..135)
        .map(|_| {
            let corr = it.corr();
            it.transmission(Some(&key), &corr, &[9; 24], b"SUB")
        })
        .collect();
    let block = it.block(&items);
    it.blocks = 0;
    world.deliver(peer, block);
    let replies = world.events(peer);
    assert_eq!(replies.len(), 135);
    assert_eq!(replies.last().unwrap().block, 0);
}

#[test]
fn more_answers_than_a_block_holds_take_the_next() {
    let mut world = World::new();
    let peer = world.connect();
    let it = world.peer(peer);
    let corr = [7; 200];
    let items: Vec<_> = (0..77)
        .map(|_| it.transmission(None, &corr, &[], b"PING"))
        .collect();
    let block = it.block(&items);
    it.blocks = 0;
    world.deliver(peer, block);
    let replies = world.events(peer);
    assert_eq!(replies.len(), 77);
    assert!(replies.iter().all(|reply| reply.shown() == "PONG"));
    let errors: Vec<_> = (0..77)
        .map(|_| {
            let it = world.peer(peer);
            it.transmission(None, &corr, &[], b"HELLO")
        })
        .collect();
    let block = world.peer(peer).block(&errors);
    world.deliver(peer, block);
    let replies = world.events(peer);
    assert_eq!(replies.len(), 77);
    assert!(
        replies
            .iter()
            .all(|reply| reply.shown() == "ERR CMD UNKNOWN")
    );
    assert_eq!(blocks(&replies).len() - replies[0].block, 2);
}

#[test]
fn without_block_encryption_the_same_fits() {
    let mut world = World::new();
    let (owner, peer) = (world.connect_at(9), world.connect_at(9));
    let queues = queues(&mut world, owner, 4, 1);
    let replies = subscribe_all(&mut world, peer, &queues);
    assert_eq!(blocks(&replies), [(4, 1)]);
}
