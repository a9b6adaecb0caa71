//! Our client and our server over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod relay;

use std::time::Duration;

use hushwing_sansio::{CloseReason, Endpoint};
use hushwing_transport::tls::ChainError;
use hushwing_transport::{
    AcceptError, Accepted, AcceptorConfig, BLOCK_LENGTH, BlockEvent, BlockStream, ByteEvent,
    ByteStream, ConnectError, Connector, ConnectorConfig, ServeLimits, StreamError, StreamLimits,
};
use relay::Relay;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

fn connector() -> Connector {
    Connector::new(ConnectorConfig::default())
}

impl Relay {
    async fn accept(&self) -> Result<Accepted, AcceptError> {
        self.acceptor
            .accept(self.listener.accept().await.unwrap().0)
            .await
    }
}

async fn next_bytes(stream: &mut ByteStream, count: usize) -> Vec<u8> {
    let mut got = Vec::new();
    while got.len() < count {
        if let ByteEvent::Received(bytes) = stream.next().await.unwrap() {
            got.extend(bytes);
        }
    }
    got
}

async fn next_block(stream: &mut BlockStream) -> Vec<u8> {
    loop {
        match stream.next().await.unwrap() {
            BlockEvent::Received(block) => return block.to_vec(),
            BlockEvent::Room => {}
            BlockEvent::Closed => panic!("closed"),
        }
    }
}

#[tokio::test]
async fn both_ends_hold_the_same_binding_and_chain_and_no_two_connections_share_one() {
    let relay = Relay::listen(AcceptorConfig::default()).await;
    let mut bindings = Vec::new();
    for _ in 0..3 {
        let client = connector();
        let (connected, accepted) = tokio::join!(client.connect(&relay.endpoint), relay.accept());
        let ((_stream, channel), accepted) = (connected.unwrap(), accepted.unwrap());
        assert_eq!(channel.binding.len(), 32);
        assert_eq!(channel.binding, accepted.channel.binding);
        assert_eq!(channel.chain, accepted.channel.chain);
        assert_eq!(channel.chain.len(), 2);
        assert_eq!(accepted.alpn.as_deref(), Some(&b"smp/1"[..]));
        bindings.push(channel.binding);
    }
    bindings.dedup();
    assert_eq!(bindings.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_handshakes_do_not_mix_their_bindings() {
    let relay = Relay::listen(AcceptorConfig::default()).await;
    let (report, mut reports) = mpsc::channel(64);
    let (endpoint, server) = relay.serve(
        ServeLimits::default(),
        move |mut accepted: Accepted| {
            let report = report.clone();
            async move {
                let first = next_block(&mut accepted.stream).await;
                report
                    .send((accepted.channel.binding, first))
                    .await
                    .unwrap();
            }
        },
        std::future::pending(),
    );
    let clients: Vec<_> = (0..32)
        .map(|_| {
            let endpoint = endpoint.clone();
            tokio::spawn(async move {
                let (mut stream, channel) = connector().connect(&endpoint).await.unwrap();
                let mut block = channel.binding.clone();
                block.resize(BLOCK_LENGTH, b'#');
                stream.queue(&block).unwrap();
                stream.flush().await.unwrap();
                stream
            })
        })
        .collect();
    for client in clients {
        let _open = client.await.unwrap();
    }
    for _ in 0..32 {
        let (binding, block) = reports.recv().await.unwrap();
        assert_eq!(binding, block[..32]);
    }
    server.abort();
}

#[tokio::test]
async fn blocks_arrive_whole_and_in_order_both_ways() {
    let relay = Relay::listen(AcceptorConfig::default()).await;
    let client = connector();
    let (connected, accepted) = tokio::join!(client.connect(&relay.endpoint), relay.accept());
    let (mut client, mut server) = (connected.unwrap().0, accepted.unwrap().stream);
    let blocks: Vec<Vec<u8>> = (0..20u8).map(|i| vec![i; BLOCK_LENGTH]).collect();

    let sent = blocks.clone();
    let echoing = tokio::spawn(async move {
        for _ in 0..20 {
            let block = next_block(&mut server).await;
            server.queue(&block).unwrap();
        }
        server.flush().await.unwrap();
        server
    });
    for block in &sent {
        while !client.has_room() {
            client.flush().await.unwrap();
        }
        client.queue(block).unwrap();
    }
    let echoed = next_bytes(&mut client, 20 * BLOCK_LENGTH).await;
    assert!(echoed == blocks.concat());

    let server = echoing.await.unwrap();
    server.close().await.unwrap();
    assert_eq!(client.next().await.unwrap(), ByteEvent::Closed);
}

#[tokio::test]
async fn another_fingerprint_is_a_wrong_identity() {
    let relay = Relay::listen(AcceptorConfig::default()).await;
    let endpoint = Endpoint {
        fingerprint: [7; 32],
        ..relay.endpoint.clone()
    };
    let client = connector();
    let (connected, accepted) = tokio::join!(client.connect(&endpoint), relay.accept());
    let error = connected.err().unwrap();
    assert!(
        matches!(
            error,
            ConnectError::WrongIdentity(ChainError::WrongFingerprint)
        ),
        "{error}"
    );
    assert_eq!(error.close_reason(), CloseReason::WrongIdentity);
    assert!(accepted.is_err());
}

#[tokio::test]
async fn a_client_without_alpn_is_let_in_and_reported() {
    let relay = Relay::listen(AcceptorConfig::default()).await;
    let endpoint = Endpoint {
        alpn: b"",
        ..relay.endpoint.clone()
    };
    let client = connector();
    let (connected, accepted) = tokio::join!(client.connect(&endpoint), relay.accept());
    connected.unwrap();
    assert_eq!(accepted.unwrap().alpn, None);
}

#[tokio::test]
async fn a_client_that_offers_only_unknown_alpn_gets_an_alert() {
    let relay = Relay::listen(AcceptorConfig::default()).await;
    let endpoint = Endpoint {
        alpn: b"smp/9",
        ..relay.endpoint.clone()
    };
    let client = connector();
    let (connected, accepted) = tokio::join!(client.connect(&endpoint), relay.accept());
    assert!(accepted.is_err());
    let Err(ConnectError::Handshake(StreamError::Tls(rustls::Error::AlertReceived(alert)))) =
        connected
    else {
        panic!("no alert");
    };
    assert_eq!(alert, rustls::AlertDescription::NoApplicationProtocol);
}

#[tokio::test]
async fn hosts_are_tried_in_order_and_onion_names_passed_over() {
    let relay = Relay::listen(AcceptorConfig::default()).await;
    let hosts = vec![
        "abcdefgh.onion".into(),
        "127.0.0.2".into(),
        "[::1]".into(),
        "127.0.0.1".into(),
    ];
    let endpoint = Endpoint {
        hosts,
        ..relay.endpoint.clone()
    };
    let client = connector();
    let (connected, accepted) = tokio::join!(client.connect(&endpoint), relay.accept());
    connected.unwrap();
    accepted.unwrap();

    let only_onion = Endpoint {
        hosts: vec!["abcdefgh.onion".into()],
        ..endpoint
    };
    let error = connector().connect(&only_onion).await.err().unwrap();
    assert!(matches!(error, ConnectError::NoHost));
    assert_eq!(error.close_reason(), CloseReason::Unreachable);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint {
        hosts: vec!["127.0.0.1".into()],
        port: silent.local_addr().unwrap().port(),
        fingerprint: [0; 32],
        alpn: b"smp/1",
    };
    let handshake_patience = Duration::from_millis(100);
    let config = ConnectorConfig {
        handshake_patience,
        ..ConnectorConfig::default()
    };
    let error = Connector::new(config)
        .connect(&endpoint)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ConnectError::Slow));
    assert_eq!(error.close_reason(), CloseReason::Handshake);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_given_up() {
    let handshake_patience = Duration::from_millis(100);
    let relay = Relay::listen(AcceptorConfig {
        handshake_patience,
        ..AcceptorConfig::default()
    })
    .await;
    let port = relay.endpoint.port;
    let (_silent, accepted) = tokio::join!(TcpStream::connect(("127.0.0.1", port)), relay.accept());
    assert!(matches!(accepted, Err(AcceptError::Slow)));
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_off() {
    let limits = StreamLimits {
        write_patience: Duration::from_millis(300),
        ..StreamLimits::default()
    };
    let relay = Relay::listen(AcceptorConfig {
        limits,
        ..AcceptorConfig::default()
    })
    .await;
    let client = connector();
    let (connected, accepted) = tokio::join!(client.connect(&relay.endpoint), relay.accept());
    let (_never_reads, mut server) = (connected.unwrap(), accepted.unwrap().stream);
    let mut sent = 0;
    let error = loop {
        while server.has_room() {
            server.queue(&[0; BLOCK_LENGTH]).unwrap();
            sent += 1;
        }
        match server.next().await {
            Ok(BlockEvent::Room) => assert!(sent < 10_000, "the socket swallows everything"),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StreamError::WriteStalled), "{error}");
}

#[tokio::test]
async fn a_client_that_stops_in_the_middle_of_a_block_is_cut_off_and_an_idle_one_is_not() {
    let limits = StreamLimits {
        read_patience: Duration::from_millis(200),
        ..StreamLimits::default()
    };
    let relay = Relay::listen(AcceptorConfig {
        limits,
        ..AcceptorConfig::default()
    })
    .await;
    let client = connector();
    let (connected, accepted) = tokio::join!(client.connect(&relay.endpoint), relay.accept());
    let (mut client, mut server) = (connected.unwrap().0, accepted.unwrap().stream);
    client.queue(&[1; BLOCK_LENGTH]).unwrap();
    client.flush().await.unwrap();
    next_block(&mut server).await;
    let idle = tokio::time::timeout(Duration::from_millis(500), server.next()).await;
    assert!(idle.is_err(), "an idle connection is left alone");

    client.queue(&[2; 100]).unwrap();
    client.flush().await.unwrap();
    let error = server.next().await.err().unwrap();
    assert!(matches!(error, StreamError::ReadStalled), "{error}");
}

#[tokio::test]
async fn queueing_over_budget_is_refused_and_wrong_lengths_too() {
    let limits = StreamLimits {
        most_unsent: 4 * BLOCK_LENGTH,
        ..StreamLimits::default()
    };
    let relay = Relay::listen(AcceptorConfig {
        limits,
        ..AcceptorConfig::default()
    })
    .await;
    let client = connector();
    let (connected, accepted) = tokio::join!(client.connect(&relay.endpoint), relay.accept());
    let (_client, mut server) = (connected.unwrap(), accepted.unwrap().stream);
    assert!(matches!(
        server.queue(&[0; 100]),
        Err(StreamError::BlockLength(100))
    ));
    let outcomes: Vec<_> = (0..5).map(|_| server.queue(&[0; BLOCK_LENGTH])).collect();
    assert!(outcomes[..3].iter().all(Result::is_ok));
    assert!(matches!(outcomes[4], Err(StreamError::QueueFull)));
}

#[tokio::test]
async fn stopping_the_accept_loop_ends_its_sessions() {
    let relay = Relay::listen(AcceptorConfig::default()).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (endpoint, serving) = relay.serve(
        ServeLimits::default(),
        |mut accepted: Accepted| async move {
            let _ended = accepted.stream.next().await;
        },
        async {
            let _asked = stopped.await;
        },
    );
    let (mut stream, _) = connector().connect(&endpoint).await.unwrap();
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert!(matches!(
        stream.next().await,
        Ok(ByteEvent::Closed) | Err(StreamError::Io(_))
    ));
}
