//! Many queues and many streams at a server of its own process.

use std::sync::Arc;

use crate::client::{Client, Queue};
use crate::killed::{Process, whereabouts};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_queues_survive_a_kill_and_batched_subscription() {
    // [20, 35, 36]
    let dir = tempfile::tempdir().unwrap();
    let process = Process::start(dir.path());
    let (address, fingerprint) = whereabouts(dir.path());
    let mut alice = Client::connect(address, fingerprint).await.unwrap();
    let mut bob = Client::connect(address, fingerprint).await.unwrap();
    let mut queues = Vec::new();
    for number in 0..300_u16 {
        let queue = alice.queue().await.unwrap();
        let body = number.to_be_bytes();
        assert_eq!(bob.send(&queue, &body).await.unwrap(), b"OK");
        queues.push(queue);
    }
    for deleted in &queues[280..] {
        assert_eq!(alice.del(deleted).await.unwrap(), b"OK");
    }
    process.kill();

    let process = Process::start(dir.path());
    let mut alice = Client::connect(address, fingerprint).await.unwrap();
    let answers = alice.sub_all(&queues).await.unwrap();
    assert!(answers[..280].iter().all(|answer| answer == b"SOK 0"));
    assert!(answers[280..].iter().all(|answer| answer == b"ERR AUTH"));
    for (number, queue) in (0..280_u16).zip(&queues) {
        let (_, body) = alice.pushed(queue).await.unwrap();
        assert_eq!(body, number.to_be_bytes());
    }
    process.kill();
}

/// Sends numbers, as fast as the queue takes them.
async fn send_numbers(mut bob: Client, queue: &Queue, count: u16) {
    for number in 0..count {
        loop {
            let answer = bob.send(queue, &number.to_be_bytes()).await.unwrap();
            if answer == b"OK" {
                break;
            }
            assert_eq!(answer, b"ERR QUOTA");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_streams_of_two_hundred_arrive_each_in_order() {
    // [61]
    const EACH: u16 = 200;
    let dir = tempfile::tempdir().unwrap();
    let process = Process::start(dir.path());
    let (address, fingerprint) = whereabouts(dir.path());
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..5 {
        streams.spawn(async move {
            let mut alice = Client::connect(address, fingerprint).await.unwrap();
            let bob = Client::connect(address, fingerprint).await.unwrap();
            let queue = Arc::new(alice.queue().await.unwrap());
            let to = Arc::clone(&queue);
            let sending = tokio::spawn(async move { send_numbers(bob, &to, EACH).await });
            let bodies = alice.drain(&queue, EACH.into()).await;
            sending.await.unwrap();
            let whole: Vec<_> = (0..EACH).map(|number| number.to_be_bytes()).collect();
            assert_eq!(bodies, whole);
        });
    }
    while let Some(stream) = streams.join_next().await {
        stream.unwrap();
    }
    process.kill();
}
