//! Links that lead nowhere: whoever joins is told, and does not wait for ever.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use hushwing_conversation::link::{Kind, Link, Secret};
use hushwing_daemon::{Config, Daemon, ErrorKind, Home, Relay, RelayConfig};
use hushwing_delivery::{NetworkTag, Place};

async fn person(dir: &Path, name: &str) -> Daemon {
    let home = Home::at(dir.join(name));
    let config = Config { home, lan: false };
    let daemon = Daemon::start(config, None).await.unwrap();
    daemon.handle().create_profile(name).await.unwrap();
    daemon
}

#[tokio::test]
async fn a_link_of_a_network_that_does_not_run_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let bob = person(dir.path(), "Bob").await;
    let link = Link::new(
        Kind::OneTime,
        NetworkTag(200),
        Place(vec![1; 20]),
        Secret::from_bytes([7; 32]),
        None,
    );
    let link = link.unwrap().to_uri();
    let join = bob.handle();
    let refused = join.join(None, &link, false, Duration::from_secs(60)).await;
    let error = refused.err().unwrap();
    assert_ne!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("newer"), "{}", error.message());
    bob.stop().await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_longer_than_asked() {
    let dir = tempfile::tempdir().unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let relay = Relay::start(RelayConfig::new(dir.path().join("relay"), listen));
    let relay = relay.await.unwrap();
    let (alice, bob) = (
        person(dir.path(), "Alice").await,
        person(dir.path(), "Bob").await,
    );
    let address = relay.address().to_string();
    alice.handle().add_server(None, &address).await.unwrap();
    let link = alice.handle().invite(None, false).await.unwrap().link;
    let place = relay.listening();
    relay.stop().await;
    // It takes connections and says nothing.
    let mute = TcpListener::bind(place).unwrap();

    let limit = Duration::from_millis(300);
    let waited = bob.handle().join(None, &link, false, limit).await;
    let error = waited.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.message());
    drop(mute);
    alice.stop().await;
    bob.stop().await;
}
