//! [40] What a refusal costs does not tell why.
//!
//! A stranger asks, for what a session remembers of its own queues is no
//! secret to it. The cost is the list of primitives a whole block makes the
//! session run, so the test says the same on an idle and on a busy machine. It
//! leaves out looking queues up, and what the engine refuses (RFC 0010).
//! `hushwing bench relay` has the times.

use std::sync::Arc;

use hushwing_sansio::{Context, Entropy, Moment, Timestamp};

use super::{Accepted, ServerIdentity, Session};
use crate::server::{Directory, Id, Lookup, Name, QueueRecord, QueueRow, ServerConfig};
use crate::wire::effort::{Effort, spent_in};
use crate::wire::{
    AuthKey, BoxKey, ClientHello, DhPublic, KeyKind, QueueMode, SUPPORTED, SigningKey, Writer,
    hello_block, open_hello, transmissions,
};

const ABSENT: u8 = 99;
/// Has no sender's key.
const UNSECURED: u8 = 4;
const TARGETS: [u8; 5] = [ABSENT, 1, 2, 3, UNSECURED];

struct Dice;

impl Entropy for Dice {
    fn fill(&mut self, dest: &mut [u8]) {
        dest.fill(7);
    }
}

/// Queue 1 has Ed25519 keys, 2 Ed448 keys, 3 X25519 keys.
struct Queues;

impl Directory for Queues {
    fn find(&self, name: &Name) -> Lookup {
        let number = match name {
            Name::Recipient(id) | Name::Sender(id) => id.0[0],
            Name::Link(id) => id[0],
        };
        Lookup::Known(queue(number).map(Arc::new))
    }
}

fn queue(number: u8) -> Option<QueueRecord> {
    let key = match number {
        1 | UNSECURED => SigningKey::from_seed([1; 32]).unwrap().public(),
        2 => ed448(),
        3 => AuthKey::X25519(DhPublic([3; 32])),
        _ => return None,
    };
    Some(QueueRecord {
        row: QueueRow(number.into()),
        recipient_id: Id([number; 24]),
        sender_id: Id([number; 24]),
        recipient_keys: vec![key],
        sender_key: (number != UNSECURED).then_some(key),
        box_key: BoxKey::from_bytes([0; 32]),
        mode: Some(QueueMode::Messaging),
        active: true,
        link_id: None,
    })
}

/// The public key of the first Ed448 vector of RFC 8032, 7.4.
fn ed448() -> AuthKey {
    let hex = "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d\
               80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180";
    let raw: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    AuthKey::Ed448(raw.try_into().unwrap())
}

/// A session after its hellos; blocks are not sealed.
fn session() -> Session {
    let identity = ServerIdentity {
        fingerprint: [5; 32],
        chain: vec![b"leaf".to_vec(), b"identity".to_vec()],
        leaf_key: SigningKey::from_seed([6; 32]).unwrap(),
    };
    let accepted = Accepted {
        binding: vec![8; 32],
        alpn: true,
    };
    let mut dice = Dice;
    let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut dice);
    let config = Arc::new(ServerConfig::default());
    let mut session = Session::accept(&mut cx, &config, &Arc::new(identity), &accepted).unwrap();
    session.poll_block(&mut Vec::new()).unwrap().unwrap();
    let hello = ClientHello {
        version: SUPPORTED.max,
        key_hash: &[5; 32],
        key: None,
        forwards: false,
        service: None,
    };
    let mut block = hello_block(&hello.encode().unwrap()).unwrap();
    session.receive(&mut cx, &Queues, &mut block).unwrap();
    session
}

/// Lets a stranger say `text` about queue `target`, and returns what refusing
/// it costs.
fn cost(credential_len: usize, target: u8, text: &[u8]) -> Vec<Effort> {
    let mut session = session();
    let mut item = Vec::new();
    Writer::new(&mut item)
        .str(&vec![9; credential_len])
        .u8(b'0')
        .str(&[1; 24])
        .str(&[target; 24])
        .raw(text);
    let mut content = vec![1];
    Writer::new(&mut content).big(&item);
    let mut block = hello_block(&content).unwrap();
    let mut dice = Dice;
    let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut dice);
    let spent = spent_in(|| session.receive(&mut cx, &Queues, &mut block).unwrap());

    assert!(session.take_requests().is_empty());
    let mut answer = Vec::new();
    session.poll_block(&mut answer).unwrap().unwrap();
    let answers = transmissions(open_hello(&mut answer).unwrap(), SUPPORTED.max).unwrap();
    assert_eq!(answers[0].as_ref().unwrap().text, b"ERR AUTH", "{text:?}");
    spent
}

/// Compares refusals by the credential of this length; `expected` tells
/// whether a primitive is one that such a credential needs.
fn alike(credential_len: usize, expected: fn(&Effort) -> bool) {
    let spki = SigningKey::from_seed([2; 32]).unwrap().public().to_spki();
    let with_key = |tag: &[u8]| [tag, b" ", &[44], &spki].concat();
    let (key, skey, lkey) = (with_key(b"KEY"), with_key(b"SKEY"), with_key(b"LKEY"));
    let mut lset = Vec::new();
    Writer::new(&mut lset)
        .raw(b"LSET ")
        .str(&[4; 24])
        .big(&[5; 100])
        .big(&[6; 200]);
    let texts: [&[u8]; 12] = [
        b"SUB",
        b"GET",
        b"ACK \x01x",
        b"OFF",
        b"DEL",
        b"QUE",
        b"LDEL",
        &key,
        &lset,
        b"SEND F x",
        &skey,
        &lkey,
    ];
    for text in texts {
        let costs = TARGETS.map(|target| cost(credential_len, target, text));
        let [absent, others @ ..] = &costs;
        assert!(absent.iter().any(expected), "{absent:?}");
        for (target, other) in TARGETS[1..].iter().zip(others) {
            assert_eq!(absent, other, "{} about {target}", text.escape_ascii());
        }
    }
}

#[test]
fn refusal_by_ed25519_costs_the_same_for_every_reason() {
    alike(64, |effort| {
        matches!(effort, Effort::Signature(KeyKind::Ed25519, _))
    });
}

#[test]
fn refusal_by_ed448_costs_the_same_for_every_reason() {
    alike(114, |effort| {
        matches!(effort, Effort::Signature(KeyKind::Ed448, _))
    });
}

#[test]
fn refusal_by_x25519_costs_the_same_for_every_reason() {
    alike(80, |effort| matches!(effort, Effort::Agreement));
    alike(80, |effort| matches!(effort, Effort::Hash(_)));
    alike(80, |effort| matches!(effort, Effort::Opening(_)));
}
