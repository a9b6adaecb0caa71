//! Our ends against OpenSSL's, with certificates OpenSSL made.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use hushwing_sansio::{CloseReason, Endpoint};
use hushwing_transport::tls::{ChainError, Identity};
use hushwing_transport::{
    Accepted, Acceptor, AcceptorConfig, BLOCK_LENGTH, BlockEvent, ByteEvent, ConnectError,
    Connector, ConnectorConfig, StreamError,
};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use openssl::ssl::{Ssl, SslAcceptor, SslContext, SslMethod, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Name};

const DAY: i64 = 86_400;

#[derive(Clone, Copy, Debug)]
enum Curve {
    Ed25519,
    Ed448,
}

#[derive(Clone)]
struct Certified {
    certificate: X509,
    key: PKey<Private>,
}

/// Days from now: first and last day of validity.
type Validity = (i64, i64);
const VALID: Validity = (-1, 30);

fn issue(
    curve: Curve,
    name: &str,
    issuer: Option<&Certified>,
    ca: bool,
    days: Validity,
) -> Certified {
    let key = match curve {
        Curve::Ed25519 => PKey::generate_ed25519().unwrap(),
        Curve::Ed448 => PKey::generate_ed448().unwrap(),
    };
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs() as i64;
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder
        .set_issuer_name(issuer.map_or(&subject, |i| i.certificate.subject_name()))
        .unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(now + days.0 * DAY).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(now + days.1 * DAY).unwrap())
        .unwrap();
    let mut constraints = BasicConstraints::new();
    constraints.critical();
    if ca {
        constraints.ca();
    }
    builder
        .append_extension(constraints.build().unwrap())
        .unwrap();
    builder
        .sign(issuer.map_or(&key, |i| &i.key), MessageDigest::null())
        .unwrap();
    Certified {
        certificate: builder.build(),
        key,
    }
}

/// Leaf first; `authorities` certificates above it, each signed by the next.
fn chain(curve: Curve, authorities: usize) -> Vec<Certified> {
    let mut chain = Vec::new();
    for level in 0..authorities {
        let above = chain.first().cloned();
        chain.insert(
            0,
            issue(
                curve,
                &format!("authority {level}"),
                above.as_ref(),
                true,
                VALID,
            ),
        );
    }
    let above = chain.first().cloned();
    chain.insert(0, issue(curve, "relay.test", above.as_ref(), false, VALID));
    chain
}

struct OpensslServer {
    endpoint: Endpoint,
    thread: JoinHandle<Option<Vec<u8>>>,
}

/// Takes one connection, echoes one block, and yields the peer's Finished.
fn openssl_server(chain: &[Certified]) -> OpensslServer {
    let mut builder = SslAcceptor::mozilla_modern_v5(SslMethod::tls()).unwrap();
    builder
        .set_ciphersuites("TLS_CHACHA20_POLY1305_SHA256")
        .unwrap();
    builder.set_alpn_select_callback(|_, offered| {
        assert_eq!(offered, b"\x05smp/1");
        Ok(&offered[1..])
    });
    builder.set_certificate(&chain[0].certificate).unwrap();
    builder.set_private_key(&chain[0].key).unwrap();
    for above in &chain[1..] {
        builder
            .add_extra_chain_cert(above.certificate.clone())
            .unwrap();
    }
    let acceptor = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint {
        hosts: vec!["127.0.0.1".into()],
        port: listener.local_addr().unwrap().port(),
        fingerprint: chain
            .get(1)
            .map_or([0; 32], |id| sha256(&id.certificate.to_der().unwrap())),
        alpn: b"smp/1",
    };
    let thread = thread::spawn(move || {
        let mut tls = acceptor.accept(listener.accept().unwrap().0).ok()?;
        let mut block = vec![0; BLOCK_LENGTH];
        tls.read_exact(&mut block).ok()?;
        tls.write_all(&block).unwrap();
        let mut finished = [0; 64];
        let length = tls.ssl().peer_finished(&mut finished);
        Some(finished[..length].to_vec())
    });
    OpensslServer { endpoint, thread }
}

async fn refusal(chain: &[Certified]) -> ChainError {
    let server = openssl_server(chain);
    let connected = Connector::new(ConnectorConfig::default())
        .connect(&server.endpoint)
        .await;
    let error = connected.err().unwrap();
    assert_eq!(error.close_reason(), CloseReason::WrongIdentity, "{error}");
    assert!(server.thread.join().unwrap().is_none());
    let ConnectError::WrongIdentity(chain) = error else {
        panic!("{error}")
    };
    chain
}

#[tokio::test]
async fn our_client_takes_ed25519_and_ed448_servers_with_two_to_four_certificates() {
    for curve in [Curve::Ed25519, Curve::Ed448] {
        for authorities in 1..=3 {
            let chain = chain(curve, authorities);
            let server = openssl_server(&chain);
            let client = Connector::new(ConnectorConfig::default());
            let (mut stream, channel) = client.connect(&server.endpoint).await.unwrap();
            let ders: Vec<_> = chain
                .iter()
                .map(|c| c.certificate.to_der().unwrap())
                .collect();
            assert_eq!(channel.chain, ders, "{curve:?}");
            let block: Vec<u8> = (0..BLOCK_LENGTH).map(|i| (i % 251) as u8).collect();
            stream.queue(&block).unwrap();
            let mut echoed = Vec::new();
            while echoed.len() < BLOCK_LENGTH {
                if let ByteEvent::Received(bytes) = stream.next().await.unwrap() {
                    echoed.extend(bytes);
                }
            }
            assert!(echoed == block);
            assert_eq!(server.thread.join().unwrap().unwrap(), channel.binding);
        }
    }
}

#[tokio::test]
async fn chains_of_one_and_of_five_are_refused() {
    assert_eq!(
        refusal(&chain(Curve::Ed25519, 0)).await,
        ChainError::Length(1)
    );
    assert_eq!(
        refusal(&chain(Curve::Ed448, 4)).await,
        ChainError::Length(5)
    );
}

#[tokio::test]
async fn certificates_out_of_their_dates_are_refused() {
    for (days, expected) in [
        ((-30, -1), ChainError::Expired),
        ((1, 30), ChainError::NotYetValid),
    ] {
        let identity = issue(Curve::Ed25519, "identity", None, true, VALID);
        let leaf = issue(Curve::Ed25519, "relay.test", Some(&identity), false, days);
        assert_eq!(refusal(&[leaf, identity]).await, expected);

        let identity = issue(Curve::Ed448, "identity", None, true, days);
        let leaf = issue(Curve::Ed448, "relay.test", Some(&identity), false, VALID);
        assert_eq!(
            refusal(&[leaf, identity]).await,
            expected,
            "the root's own dates"
        );
    }
}

#[tokio::test]
async fn an_identity_that_vouches_for_nothing_is_refused() {
    let real = issue(Curve::Ed25519, "identity", None, true, VALID);
    let mallory = issue(Curve::Ed25519, "mallory", None, true, VALID);
    let leaf = issue(Curve::Ed25519, "relay.test", Some(&mallory), false, VALID);
    // The fingerprint is right, and the leaf has a valid path to the last one.
    let beside = refusal(&[leaf.clone(), real.clone(), mallory.clone()]).await;
    assert!(matches!(beside, ChainError::Broken(_)), "{beside}");
    // The same without the root that would make the leaf valid.
    let unsigned = refusal(&[leaf, real.clone()]).await;
    assert!(matches!(unsigned, ChainError::Broken(_)), "{unsigned}");
    // A leaf that only names the identity as its issuer.
    let namesake = issue(Curve::Ed25519, "identity", None, true, VALID);
    let forged = issue(Curve::Ed25519, "relay.test", Some(&namesake), false, VALID);
    let forged = refusal(&[forged, real]).await;
    assert!(matches!(forged, ChainError::Broken(_)), "{forged}");
}

#[tokio::test]
async fn certificates_out_of_order_are_refused() {
    let mut chain = chain(Curve::Ed25519, 3);
    chain.swap(2, 3);
    let swapped = refusal(&chain).await;
    assert!(matches!(swapped, ChainError::Broken(_)), "{swapped}");
}

struct Relay {
    listener: tokio::net::TcpListener,
    acceptor: Acceptor,
    identity: Identity,
}

impl Relay {
    async fn start() -> Self {
        let identity = Identity::generate("relay.test").unwrap().identity;
        let acceptor = Acceptor::new(&identity, AcceptorConfig::default()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            listener,
            acceptor,
            identity,
        }
    }

    async fn accept(&self) -> Option<Accepted> {
        self.acceptor
            .accept(self.listener.accept().await.unwrap().0)
            .await
            .ok()
    }

    /// An OpenSSL client on a thread; it connects as soon as this is called.
    fn dial<R: Send + 'static>(
        &self,
        settings: fn(&mut openssl::ssl::SslContextBuilder),
        then: impl FnOnce(SslStream<std::net::TcpStream>) -> R + Send + 'static,
    ) -> JoinHandle<Option<R>> {
        let address = self.listener.local_addr().unwrap();
        thread::spawn(move || {
            let mut builder = SslContext::builder(SslMethod::tls_client()).unwrap();
            builder.set_verify(SslVerifyMode::NONE);
            settings(&mut builder);
            let ssl = Ssl::new(&builder.build()).unwrap();
            let tcp = std::net::TcpStream::connect(address).unwrap();
            Some(then(ssl.connect(tcp).ok()?))
        })
    }
}

fn finished(tls: &SslStream<std::net::TcpStream>) -> Vec<u8> {
    let mut finished = [0; 64];
    let length = tls.ssl().finished(&mut finished);
    finished[..length].to_vec()
}

#[tokio::test]
async fn our_server_and_an_openssl_client_agree_on_the_binding() {
    let relay = Relay::start().await;
    let client = relay.dial(
        |builder| builder.set_alpn_protos(b"\x05smp/1").unwrap(),
        |mut tls| {
            tls.write_all(&[5; BLOCK_LENGTH]).unwrap();
            let mut echoed = vec![0; BLOCK_LENGTH];
            tls.read_exact(&mut echoed).unwrap();
            let chain: Vec<_> = tls
                .ssl()
                .peer_cert_chain()
                .unwrap()
                .iter()
                .map(|c| c.to_der().unwrap())
                .collect();
            (
                finished(&tls),
                chain,
                echoed,
                tls.ssl().current_cipher().unwrap().name(),
            )
        },
    );
    let mut accepted = relay.accept().await.unwrap();
    assert_eq!(accepted.alpn.as_deref(), Some(&b"smp/1"[..]));
    let BlockEvent::Received(block) = accepted.stream.next().await.unwrap() else {
        panic!()
    };
    accepted.stream.queue(&block).unwrap();
    accepted.stream.flush().await.unwrap();
    let (binding, chain, echoed, cipher) = client.join().unwrap().unwrap();
    assert_eq!(binding, accepted.channel.binding);
    assert_eq!(chain, relay.identity.chain());
    assert_eq!(sha256(&chain[1]), relay.identity.fingerprint());
    assert!(echoed == [5; BLOCK_LENGTH]);
    assert_eq!(cipher, "TLS_CHACHA20_POLY1305_SHA256");
}

#[tokio::test]
async fn a_second_hello_for_another_group_does_not_spoil_the_binding() {
    let relay = Relay::start().await;
    let client = relay.dial(
        |builder| builder.set_groups_list("X448:X25519").unwrap(),
        |tls| finished(&tls),
    );
    let accepted = relay.accept().await.unwrap();
    assert_eq!(accepted.alpn, None);
    assert_eq!(client.join().unwrap().unwrap(), accepted.channel.binding);
}

#[tokio::test]
async fn the_web_port_alpn_is_taken() {
    let relay = Relay::start().await;
    let client = relay.dial(
        |builder| builder.set_alpn_protos(b"\x05other\x08http/1.1").unwrap(),
        |tls| tls.ssl().selected_alpn_protocol().map(<[u8]>::to_vec),
    );
    let accepted = relay.accept().await.unwrap();
    assert_eq!(accepted.alpn.as_deref(), Some(&b"http/1.1"[..]));
    assert_eq!(client.join().unwrap().unwrap(), accepted.alpn);
}

#[tokio::test]
async fn old_versions_and_other_suites_are_refused() {
    let relay = Relay::start().await;
    let old = relay.dial(
        |builder| {
            builder
                .set_max_proto_version(Some(SslVersion::TLS1_2))
                .unwrap()
        },
        |_| (),
    );
    assert!(relay.accept().await.is_none());
    assert!(old.join().unwrap().is_none());
    let aes = relay.dial(
        |builder| builder.set_ciphersuites("TLS_AES_256_GCM_SHA384").unwrap(),
        |_| (),
    );
    assert!(relay.accept().await.is_none());
    assert!(aes.join().unwrap().is_none());
}

#[tokio::test]
async fn an_openssl_clients_goodbye_is_heard() {
    let relay = Relay::start().await;
    let client = relay.dial(|_| (), |mut tls| tls.shutdown().is_ok());
    let mut accepted = relay.accept().await.unwrap();
    assert!(matches!(
        accepted.stream.next().await,
        Ok(BlockEvent::Closed)
    ));
    assert!(client.join().unwrap().unwrap());
}

#[tokio::test]
async fn garbage_instead_of_tls_is_refused() {
    let relay = Relay::start().await;
    let address = relay.listener.local_addr().unwrap();
    let client = thread::spawn(move || {
        let mut tcp = std::net::TcpStream::connect(address).unwrap();
        tcp.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let _reset = tcp.read_to_end(&mut answer);
        answer
    });
    assert!(relay.accept().await.is_none());
    // At most a TLS alert (record type 21) comes back.
    assert!(matches!(client.join().unwrap().first(), None | Some(21)));
}

#[tokio::test]
async fn a_record_that_was_changed_on_the_way_breaks_the_connection() {
    let relay = Relay::start().await;
    let client = relay.dial(
        |_| (),
        |tls| {
            let mut record = vec![0x17, 0x03, 0x03, 0x00, 0x20];
            record.extend([0; 32]);
            tls.get_ref().write_all(&record).unwrap();
            tls
        },
    );
    let mut accepted = relay.accept().await.unwrap();
    let error = accepted.stream.next().await.err().unwrap();
    assert!(matches!(error, StreamError::Tls(_)), "{error}");
    drop(client.join());
}
