//! Two wires joined in memory: any portions, any damage.

use std::sync::LazyLock;

use hushwing_sansio::Endpoint;
use proptest::prelude::*;

use super::*;
use crate::tls::acceptor::server_config;
use crate::tls::connector::client_session;
use crate::tls::finished::FinishedLog;
use crate::tls::identity::Identity;

static IDENTITY: LazyLock<Identity> =
    LazyLock::new(|| Identity::generate("relay.test").unwrap().identity);

struct End {
    wire: Wire,
    log: FinishedLog,
    got: Vec<u8>,
    failed: bool,
}

impl End {
    fn client() -> Self {
        let endpoint = Endpoint {
            hosts: Vec::new(),
            port: 0,
            fingerprint: IDENTITY.fingerprint(),
            alpn: b"smp/1",
        };
        Self::new(Session::Client(Box::new(
            client_session(&endpoint).unwrap(),
        )))
    }

    fn server() -> Self {
        let config = Arc::new(server_config(&IDENTITY, vec![b"smp/1".to_vec()]).unwrap());
        Self::new(Session::Server(Box::new(
            UnbufferedServerConnection::new(config).unwrap(),
        )))
    }

    fn new(session: Session) -> Self {
        let wire = Wire::new(session, Pool::new(WIRE_BUFFER, 4));
        Self {
            wire,
            log: FinishedLog::default(),
            got: Vec::new(),
            failed: false,
        }
    }

    fn advance(&mut self) {
        let (wire, got) = (&mut self.wire, &mut self.got);
        let step = self
            .log
            .during(|| wire.advance(&mut |bytes| got.extend_from_slice(bytes)));
        self.failed |= step.is_err();
    }

    fn seal(&mut self, bytes: &[u8]) {
        let sealed = self
            .wire
            .seal(bytes, &mut |_| panic!("plaintext while sealing"));
        self.failed |= sealed.is_err();
    }

    fn take_unsent(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.wire.unsent() > 0 {
            let part = self.wire.with_unsent(|slices| {
                slices
                    .iter()
                    .flat_map(|slice| slice.iter().copied())
                    .collect::<Vec<u8>>()
            });
            self.wire.sent(part.len());
            bytes.extend(part);
        }
        bytes
    }

    fn feed(&mut self, mut bytes: &[u8], portion: usize) {
        while !bytes.is_empty() && !self.failed {
            let room = self.wire.room();
            let count = portion.min(room.len()).min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            self.wire.filled(count);
            self.advance();
        }
    }

    fn is_idle(&self) -> bool {
        !self.wire.is_mid_record() && self.wire.unsent() == 0
    }
}

/// Bytes `offset` (counted in one direction) and on are changed by this much.
#[derive(Clone, Debug)]
struct Damage {
    to_server: bool,
    offset: usize,
    xor: u8,
    cut: bool,
}

/// Shakes hands and sends `sizes` from the client; the ends afterwards.
fn converse(portion: usize, sizes: &[usize], damage: Option<&Damage>) -> (End, End, Vec<u8>) {
    let (mut client, mut server) = (End::client(), End::server());
    let mut carried = [0, 0];
    let mut sent = Vec::new();
    client.advance();
    for round in 0..12 {
        if round == 6 && !client.failed && !client.wire.is_handshaking() {
            for (index, size) in sizes.iter().enumerate() {
                let bytes = vec![index as u8; *size];
                client.seal(&bytes);
                sent.extend(bytes);
            }
        }
        for to_server in [true, false] {
            let (from, to) = if to_server {
                (&mut client, &mut server)
            } else {
                (&mut server, &mut client)
            };
            let mut bytes = from.take_unsent();
            let before = carried[usize::from(to_server)];
            carried[usize::from(to_server)] += bytes.len();
            if let Some(damage) = damage
                && damage.to_server == to_server
                && (before..before + bytes.len()).contains(&damage.offset)
            {
                bytes[damage.offset - before] ^= damage.xor;
                if damage.cut {
                    bytes.truncate(damage.offset - before);
                }
            }
            to.feed(&bytes, portion);
        }
    }
    (client, server, sent)
}

fn damage() -> impl Strategy<Value = Damage> {
    (any::<bool>(), 0..3000usize, 1..=255u8, any::<bool>()).prop_map(
        |(to_server, offset, xor, cut)| Damage {
            to_server,
            offset,
            xor,
            cut,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_portions_carry_the_same_bytes(
        portion in prop_oneof![1..200usize, 200..40_000usize],
        sizes in prop::collection::vec(0..50_000usize, 0..6),
    ) {
        let (client, server, sent) = converse(portion, &sizes, None);
        prop_assert!(!client.failed && !server.failed);
        prop_assert!(server.got == sent);
        prop_assert!(client.is_idle() && server.is_idle(), "buffers are held while idle");
        let binding = client.log.into_client_finished().unwrap();
        prop_assert_eq!(server.log.into_client_finished().unwrap(), binding);
    }

    #[test]
    fn damage_ends_a_connection_without_inventing_bytes(
        damage in damage(),
        portion in 1..3000usize,
    ) {
        let (client, server, sent) = converse(portion, &[100, 2000], Some(&damage));
        prop_assert!(sent.starts_with(&server.got));
        prop_assert!(client.got.is_empty());
        prop_assert!(server.got == sent || client.failed || server.failed || damage.cut);
    }

    #[test]
    fn strangers_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        for (mut end, hello) in [(End::server(), 1), (End::client(), 2)] {
            end.advance();
            end.feed(&bytes, 500);
            end.advance();
            // The same as a well-formed record with a handshake header.
            let mut record = vec![22, 3, 3, 0, 0, hello, 0, 0, 0];
            record.extend(&bytes);
            let (body, length) = ((record.len() - 5) as u16, (record.len() - 9) as u16);
            record[3..5].copy_from_slice(&body.to_be_bytes());
            record[7..9].copy_from_slice(&length.to_be_bytes());
            let mut fresh = if hello == 1 { End::server() } else { End::client() };
            fresh.advance();
            fresh.feed(&record, 500);
            fresh.advance();
        }
    }
}

#[test]
fn a_broken_connection_stays_broken() {
    let mut server = End::server();
    server.feed(b"GET / HTTP/1.1\r\n\r\n", 100);
    assert!(server.failed);
    assert!(server.wire.seal(b"x", &mut |_| {}).is_err());
    assert!(server.wire.seal_close(&mut |_| {}).is_err());
}
