//! What a relay could link two profiles of one home by, beyond their network
//! address: seen from a wire that is the relay's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hushwing_daemon::{Config, Daemon, Handle, Home, Relay, RelayConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What callers wrote, connection by connection, in the order they came.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Vec<Vec<u8>>>>);

impl Wire {
    /// Listens before a relay and passes everything on.
    async fn before(relay: SocketAddr) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        let wire = Self::default();
        let written = wire.clone();
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(written.clone().pass(caller, relay));
            }
        });
        (wire, place)
    }

    async fn pass(self, caller: TcpStream, relay: SocketAddr) {
        let number = {
            let mut all = self.0.lock().unwrap();
            all.push(Vec::new());
            all.len() - 1
        };
        let (mut from_caller, mut to_caller) = caller.into_split();
        let (mut from_relay, mut to_relay) = TcpStream::connect(relay).await.unwrap().into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_relay, &mut to_caller).await });
        let mut block = vec![0; 1 << 15];
        while let Ok(length @ 1..) = from_caller.read(&mut block).await {
            self.0.lock().unwrap()[number].extend_from_slice(&block[..length]);
            if to_relay.write_all(&block[..length]).await.is_err() {
                return;
            }
        }
    }

    fn lengths(&self) -> Vec<usize> {
        self.0.lock().unwrap().iter().map(Vec::len).collect()
    }

    /// Waits until nobody writes.
    async fn rest(&self) -> Vec<usize> {
        loop {
            let before = self.lengths();
            tokio::time::sleep(Duration::from_millis(500)).await;
            if self.lengths() == before {
                return before;
            }
        }
    }

    /// The connections over which a profile makes a mailbox.
    async fn of(&self, handle: &Handle, profile: &str) -> BTreeSet<usize> {
        let before = self.rest().await;
        handle.invite(Some(profile), false).await.unwrap();
        let after = self.rest().await;
        (0..after.len())
            .filter(|&at| after[at] > before.get(at).copied().unwrap_or(0))
            .collect()
    }
}

/// What one TLS client says that another may be known by again.
struct Hello {
    random: Vec<u8>,
    session: Vec<u8>,
    extensions: Vec<(u16, Vec<u8>)>,
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |sum, &byte| sum << 8 | usize::from(byte))
}

/// A vector whose length stands before it.
fn vector<'a>(rest: &mut &'a [u8], width: usize) -> &'a [u8] {
    let length = number(take(rest, width));
    take(rest, length)
}

/// RFC 8446, 4.1.2, in one record.
fn hello(mut record: &[u8]) -> Hello {
    assert_eq!(take(&mut record, 3)[0], 22, "a handshake");
    let mut message = vector(&mut record, 2);
    assert_eq!(take(&mut message, 1), [1], "a ClientHello");
    let mut body = vector(&mut message, 3);
    take(&mut body, 2);
    let random = take(&mut body, 32).to_vec();
    let session = vector(&mut body, 1).to_vec();
    vector(&mut body, 2);
    vector(&mut body, 1);
    let mut listed = vector(&mut body, 2);
    let mut extensions = Vec::new();
    while !listed.is_empty() {
        let kind = u16::try_from(number(take(&mut listed, 2))).unwrap();
        extensions.push((kind, vector(&mut listed, 2).to_vec()));
    }
    Hello {
        random,
        session,
        extensions,
    }
}

/// No connection takes up the TLS session of another, nor says anything twice
/// that is not the same for everybody.
fn assert_unlinked(connections: &[Vec<u8>]) {
    const SESSION_TICKET: u16 = 35;
    const PRE_SHARED_KEY: u16 = 41;
    const KEY_SHARE: u16 = 51;
    let mut said = BTreeSet::new();
    for hello in connections.iter().map(|bytes| hello(bytes)) {
        for (kind, value) in &hello.extensions {
            assert_ne!(*kind, PRE_SHARED_KEY, "a session is taken up again");
            assert!(*kind != SESSION_TICKET || value.is_empty());
            assert!(*kind != KEY_SHARE || said.insert(value.clone()));
        }
        assert!(said.insert(hello.random));
        assert!(hello.session.is_empty() || said.insert(hello.session));
    }
    assert!(said.len() > connections.len(), "no key share was found");
}

/// A made-up `ClientHello` with one extension.
fn hello_with(random: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    let vector = |width: usize, bytes: &[u8]| {
        let length = bytes.len().to_be_bytes();
        [&length[length.len() - width..], bytes].concat()
    };
    let extension = [&[0, kind][..], &vector(2, value)].concat();
    let body = [
        &[3, 3][..],
        &[random; 32],
        &vector(1, b""),
        &vector(2, &[0x13, 0x01]),
        &vector(1, &[0]),
        &vector(2, &extension),
    ];
    let message = [&[1][..], &vector(3, &body.concat())].concat();
    [&[22, 3, 1][..], &vector(2, &message)].concat()
}

#[test]
fn what_links_two_connections_is_seen() {
    let (psk, share) = (41, 51);
    let (fresh, own) = (hello_with(1, share, b"a"), hello_with(2, share, b"b"));
    assert_unlinked(&[fresh.clone(), own]);
    for linked in [
        hello_with(1, share, b"b"),
        hello_with(2, share, b"a"),
        hello_with(2, psk, b"b"),
    ] {
        let both = [fresh.clone(), linked];
        assert!(std::panic::catch_unwind(|| assert_unlinked(&both)).is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_profiles_share_no_connection_and_no_tls_session_at_a_relay() {
    let dir = tempfile::tempdir().unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let relay = Relay::start(RelayConfig::new(dir.path().join("relay"), listen));
    let relay = relay.await.unwrap();
    let (wire, place) = Wire::before(relay.listening()).await;
    let port = format!(":{}", relay.listening().port());
    let address = relay.address().to_string();
    let address = address.replace(&port, &format!(":{}", place.port()));

    let home = Home::at(dir.path().join("home"));
    let config = Config { home, lan: false };
    let daemon = Daemon::start(config, None).await.unwrap();
    let handle = daemon.handle();
    handle.add_server(None, &address).await.unwrap();
    for name in ["Ada", "Bea"] {
        handle.create_profile(name).await.unwrap();
    }
    let mut used = vec![wire.of(&handle, "Ada").await, wire.of(&handle, "Bea").await];
    // And after both have connected anew, when a session could be taken up.
    handle.set_switch("read_receipts", "on").await.unwrap();
    used.extend([wire.of(&handle, "Ada").await, wire.of(&handle, "Bea").await]);

    for (at, one) in used.iter().enumerate() {
        assert!(!one.is_empty(), "{used:?}");
        let others = used.iter().skip(at + 1);
        assert!(
            others.clone().all(|other| one.is_disjoint(other)),
            "{used:?}"
        );
    }
    let relays = handle.status().await.unwrap().networks.relay.relays;
    for name in ["Ada", "Bea"] {
        let own = relays.iter().filter(|relay| relay.profile == name);
        assert_eq!(own.map(|relay| relay.mailboxes).sum::<usize>(), 2, "{name}");
    }
    assert_unlinked(&wire.0.lock().unwrap());
    daemon.stop().await;
    relay.stop().await;
}
