//! Starting, serving, stopping.

use std::time::Duration;

use hushwing_daemon::relay_server::StartError;
use hushwing_relay::server::ServerConfig;
use hushwing_relay::wire::Command;
use hushwing_store::OpenError;

use crate::client::{Client, start, start_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_goes_from_one_client_to_another() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), None).await.unwrap();
    let (address, fingerprint) = (server.listening(), server.fingerprint());
    let mut alice = Client::connect(address, fingerprint).await.unwrap();
    let mut bob = Client::connect(address, fingerprint).await.unwrap();
    let queue = alice.queue().await.unwrap();
    let body = vec![5; 16_048];
    assert_eq!(bob.send(&queue, &body).await.unwrap(), b"OK");
    let (id, read) = alice.pushed(&queue).await.unwrap();
    assert_eq!(read, body);
    assert_eq!(alice.ack(&queue, &id).await.unwrap(), None);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_address_queues_and_order() {
    // [37]
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), None).await.unwrap();
    let (address, fingerprint) = (server.listening(), server.fingerprint());
    let mut bob = Client::connect(address, fingerprint).await.unwrap();
    let queue = bob.queue().await.unwrap();
    for number in 0..5_u8 {
        assert_eq!(bob.send(&queue, &[number]).await.unwrap(), b"OK");
    }
    server.shutdown().await;
    assert!(bob.send(&queue, b"nobody listens").await.is_none());

    let server = start(dir.path(), Some(address)).await.unwrap();
    assert_eq!(server.fingerprint(), fingerprint);
    let mut alice = Client::connect(address, fingerprint).await.unwrap();
    assert_eq!(alice.sub(&queue).await.unwrap(), b"SOK 0");
    let bodies = alice.drain(&queue, 5).await;
    assert_eq!(bodies, (0..5_u8).map(|n| vec![n]).collect::<Vec<_>>());
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_streams_of_a_hundred_arrive_each_in_order() {
    // [61]
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), None).await.unwrap();
    let (address, fingerprint) = (server.listening(), server.fingerprint());
    let streams: Vec<_> = (0..10)
        .map(|_| {
            tokio::spawn(async move {
                let mut alice = Client::connect(address, fingerprint).await.unwrap();
                let mut bob = Client::connect(address, fingerprint).await.unwrap();
                let queue = std::sync::Arc::new(alice.queue().await.unwrap());
                let to = std::sync::Arc::clone(&queue);
                let sending = tokio::spawn(async move {
                    for number in 0..100_u8 {
                        assert_eq!(bob.send(&to, &[number]).await.unwrap(), b"OK");
                    }
                });
                let bodies = alice.drain(&queue, 100).await;
                sending.await.unwrap();
                assert_eq!(bodies, (0..100_u8).map(|n| vec![n]).collect::<Vec<_>>());
            })
        })
        .collect();
    for stream in streams {
        stream.await.unwrap();
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir.path().join("one"), None).await.unwrap();
    let taken = server.listening();
    let second = start(&dir.path().join("two"), Some(taken)).await;
    assert!(matches!(second, Err(StartError::AddressInUse(address)) if address == taken));
    server.shutdown().await;
}

#[tokio::test]
async fn a_folder_serves_one_server_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), None).await.unwrap();
    let second = start(dir.path(), None).await;
    assert!(matches!(
        second,
        Err(StartError::Store(OpenError::Busy { .. }))
    ));
    server.shutdown().await;
    start(dir.path(), None).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_client_that_names_another_server_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), None).await.unwrap();
    assert!(Client::connect(server.listening(), [1; 32]).await.is_none());
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_what_it_is_sent_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let config = ServerConfig {
        unread: 256 * 1024,
        ..ServerConfig::default()
    };
    let server = start_with(dir.path(), None, config).await.unwrap();
    let (address, fingerprint) = (server.listening(), server.fingerprint());
    let mut alice = Client::connect(address, fingerprint).await.unwrap();
    let mut bob = Client::connect(address, fingerprint).await.unwrap();
    let mut queues = Vec::new();
    for _ in 0..500 {
        queues.push(alice.queue().await.unwrap());
    }
    for queue in &queues {
        assert_eq!(bob.send(queue, &[5; 16_048]).await.unwrap(), b"OK");
    }
    let mut read = 0;
    while alice.take_block().await.is_some() {
        read += 1;
    }
    assert!(read < queues.len(), "{read}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_client_is_cut_off_unless_it_is_subscribed() {
    let dir = tempfile::tempdir().unwrap();
    let config = ServerConfig {
        inactivity: Duration::from_secs(1),
        ..ServerConfig::default()
    };
    let server = start_with(dir.path(), None, config).await.unwrap();
    let (address, fingerprint) = (server.listening(), server.fingerprint());
    let mut subscribed = Client::connect(address, fingerprint).await.unwrap();
    let queue = subscribed.queue().await.unwrap();
    let mut silent = Client::connect(address, fingerprint).await.unwrap();
    assert!(silent.ask(None, &[], Command::Ping).await.is_some());
    let mut busy = Client::connect(address, fingerprint).await.unwrap();
    let pinging = async {
        loop {
            assert!(busy.ask(None, &[], Command::Ping).await.is_some());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        block = silent.take_block() => assert!(block.is_none()),
        () = pinging => {}
    }
    assert!(busy.ask(None, &[], Command::Ping).await.is_some());
    assert_eq!(subscribed.sub(&queue).await.unwrap(), b"SOK 0");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gets_its_mail_while_one_that_parks_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let config = ServerConfig {
        unread_in_all: 256 * 1024,
        ..ServerConfig::default()
    };
    let server = start_with(dir.path(), None, config).await.unwrap();
    let (address, fingerprint) = (server.listening(), server.fingerprint());
    let mut bob = Client::connect(address, fingerprint).await.unwrap();
    let mut queues = Vec::new();
    for _ in 0..552 {
        queues.push(bob.queue().await.unwrap());
    }
    // The subscriptions end with their connection.
    drop(bob);
    let mut bob = Client::connect(address, fingerprint).await.unwrap();
    for queue in &queues {
        assert_eq!(bob.send(queue, &[5; 16_048]).await.unwrap(), b"OK");
    }
    // More than the system's buffers take, asked for bit by bit, so that what
    // comes first does not wait when the rest is asked for.
    let (hers, parked) = queues.split_at(12);
    let mut parking = Client::connect(address, fingerprint).await.unwrap();
    for block in parked.chunks(135) {
        // It may be closed before it asked for all.
        if parking.ask_for(block).await.is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    for _ in 0..3 {
        let mut alice = Client::connect(address, fingerprint).await.unwrap();
        alice.sub_all(hers).await.unwrap();
        for queue in hers {
            let (_, body) = alice.pushed(queue).await.unwrap();
            assert_eq!(body, [5; 16_048]);
        }
    }
    let mut read = 0;
    while parking.take_block().await.is_some() {
        read += 1;
    }
    assert!(read < parked.len(), "{read}");
    server.shutdown().await;
}

/// The write-ahead log tells in which order things came (RFC 0017).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_ahead_log_is_soon_blank_and_nothing_is_lost_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("relay-server.db-wal");
    let written = || {
        let log = std::fs::read(&log).unwrap_or_default();
        log.into_iter().filter(|byte| *byte != 0).count()
    };
    let config = ServerConfig {
        forgetting: Duration::from_millis(200),
        ..ServerConfig::default()
    };
    let server = start_with(dir.path(), None, config).await.unwrap();
    let (address, fingerprint) = (server.listening(), server.fingerprint());
    let mut alice = Client::connect(address, fingerprint).await.unwrap();
    let mut bob = Client::connect(address, fingerprint).await.unwrap();
    let queue = alice.queue().await.unwrap();
    for number in 0..3_u8 {
        assert_eq!(bob.send(&queue, &[number]).await.unwrap(), b"OK");
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while written() > 0 {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{} bytes",
                written()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let bodies = alice.drain(&queue, 3).await;
    assert_eq!(bodies, [[0], [1], [2]]);
    server.shutdown().await;
}
