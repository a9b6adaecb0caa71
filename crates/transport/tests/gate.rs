//! Sockets that cost their sender little keep nobody out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod relay;

use std::time::Duration;

use hushwing_sansio::Endpoint;
use hushwing_transport::{Accepted, AcceptorConfig, Connector, ConnectorConfig, ServeLimits};
use relay::Relay;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// Far below the patience of the limits, and enough for a busy machine.
const SOON: Duration = Duration::from_secs(5);

async fn serving(limits: ServeLimits) -> Endpoint {
    let session = |mut accepted: Accepted| async move {
        let _ended = accepted.stream.next().await;
    };
    let relay = Relay::listen(AcceptorConfig::default()).await;
    relay.serve(limits, session, std::future::pending()).0
}

fn one_place() -> ServeLimits {
    ServeLimits {
        handshakes: 1,
        ..ServeLimits::default()
    }
}

/// A socket that says `bytes` and no more.
async fn socket(endpoint: &Endpoint, bytes: &[u8]) -> TcpStream {
    let address = ("127.0.0.1", endpoint.port);
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    tcp
}

/// The first record of a client.
async fn client_hello() -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint {
        hosts: vec!["127.0.0.1".into()],
        port: listener.local_addr().unwrap().port(),
        fingerprint: [0; 32],
        alpn: b"smp/1",
    };
    let connector = Connector::new(ConnectorConfig::default());
    let heard = async {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 5];
        tcp.read_exact(&mut hello).await.unwrap();
        let length = u16::from_be_bytes([hello[3], hello[4]]);
        hello.resize(5 + usize::from(length), 0);
        tcp.read_exact(&mut hello[5..]).await.unwrap();
        hello
    };
    tokio::join!(heard, connector.connect(&endpoint)).0
}

async fn connects(endpoint: &Endpoint) -> bool {
    let connector = Connector::new(ConnectorConfig::default());
    matches!(timeout(SOON, connector.connect(endpoint)).await, Ok(Ok(_)))
}

async fn is_closed_within(tcp: &TcpStream, patience: Duration) -> bool {
    timeout(patience, tcp.readable()).await.is_ok()
}

#[tokio::test]
async fn sockets_without_a_whole_hello_hold_no_place_of_a_handshake() {
    let hello = client_hello().await;
    for length in [0, 1, 5, 9, hello.len() - 1] {
        let endpoint = serving(one_place()).await;
        let _part = socket(&endpoint, &hello[..length]).await;
        assert!(connects(&endpoint).await, "{length}");
    }
}

#[tokio::test]
async fn a_hello_may_come_in_pieces() {
    let endpoint = serving(ServeLimits::default()).await;
    let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = Endpoint {
        port: between.local_addr().unwrap().port(),
        ..endpoint.clone()
    };
    tokio::spawn(async move {
        let (mut client, _) = between.accept().await.unwrap();
        let mut relay = socket(&endpoint, &[]).await;
        relay.set_nodelay(true).unwrap();
        for _ in 0..50 {
            let byte = client.read_u8().await.unwrap();
            relay.write_u8(byte).await.unwrap();
            sleep(Duration::from_millis(2)).await;
        }
        let _ended = copy_bidirectional(&mut client, &mut relay).await;
    });
    assert!(connects(&slow).await);
}

#[tokio::test]
async fn the_oldest_of_too_many_silent_sockets_is_closed() {
    let limits = ServeLimits {
        silent: 2,
        ..ServeLimits::default()
    };
    let endpoint = serving(limits).await;
    let first = socket(&endpoint, &[22]).await;
    // The order of acceptance is the order of connecting; that of the tasks
    // is not, so the first is given time to be the oldest.
    sleep(Duration::from_millis(100)).await;
    let others = [socket(&endpoint, &[]).await, socket(&endpoint, &[22]).await];
    assert!(is_closed_within(&first, SOON).await);
    for other in &others {
        assert!(!is_closed_within(other, Duration::from_millis(50)).await);
    }
}

#[tokio::test]
async fn a_socket_that_stays_silent_is_closed() {
    let limits = ServeLimits {
        patience: Duration::from_millis(100),
        ..ServeLimits::default()
    };
    let endpoint = serving(limits).await;
    for said in [&[][..], &[22]] {
        let socket = socket(&endpoint, said).await;
        assert!(is_closed_within(&socket, SOON).await);
    }
}

#[tokio::test]
async fn a_handshake_that_stands_still_gives_its_place_to_who_waits() {
    let limits = ServeLimits {
        safe: Duration::from_millis(200),
        ..one_place()
    };
    let endpoint = serving(limits).await;
    let hello = client_hello().await;
    let _standing = [
        socket(&endpoint, &hello).await,
        socket(&endpoint, &hello).await,
    ];
    assert!(connects(&endpoint).await);
}

#[tokio::test]
async fn the_oldest_of_too_many_that_wait_for_a_place_is_closed() {
    let limits = ServeLimits {
        queued: 1,
        safe: Duration::from_secs(60),
        ..one_place()
    };
    let endpoint = serving(limits).await;
    let hello = client_hello().await;
    let holder = socket(&endpoint, &hello).await;
    assert!(is_closed_within(&holder, SOON).await, "the server's flight");
    let waiting = socket(&endpoint, &hello).await;
    assert!(!is_closed_within(&waiting, Duration::from_millis(100)).await);
    let next = socket(&endpoint, &hello).await;
    assert!(is_closed_within(&waiting, SOON).await);
    assert!(!is_closed_within(&next, Duration::from_millis(50)).await);
}

#[tokio::test]
async fn nobody_waits_for_a_place_for_ever() {
    let limits = ServeLimits {
        patience: Duration::from_millis(300),
        safe: Duration::from_secs(60),
        ..one_place()
    };
    let endpoint = serving(limits).await;
    let hello = client_hello().await;
    let holder = socket(&endpoint, &hello).await;
    assert!(is_closed_within(&holder, SOON).await, "the server's flight");
    let waiting = socket(&endpoint, &hello).await;
    assert!(is_closed_within(&waiting, SOON).await);
}
