//! Malformed and forbidden input: the exact error, and nothing changed.
//!
//! That a refusal costs the same for every reason [40] is shown where the
//! session is, in `server/session/refusal.rs`.

use hushwing_relay::wire::{Command, QueueRequest};

use crate::world::World;

/// A queue's owner saying one thing wrong.
struct Case {
    signed: bool,
    entity: bool,
    text: &'static [u8],
    answer: &'static str,
}

/// A whole `KEY`: an Ed25519 key of thirty-two threes, in its SPKI.
const KEY: &[u8] = b"KEY \x2c\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\
    33333333333333333333333333333333";

#[test]
fn syntax_and_credentials_are_judged_as_the_checklist_says() {
    // [57]
    const CASES: &[Case] = &[
        Case {
            signed: false,
            entity: false,
            text: b"HELLO",
            answer: "ERR CMD UNKNOWN",
        },
        Case {
            signed: true,
            entity: false,
            text: b"NEW",
            answer: "ERR CMD SYNTAX",
        },
        Case {
            signed: true,
            entity: true,
            text: b"KEY",
            answer: "ERR CMD SYNTAX",
        },
        Case {
            signed: true,
            entity: true,
            text: b"ACK",
            answer: "ERR CMD SYNTAX",
        },
        Case {
            signed: true,
            entity: true,
            text: b"SUB x",
            answer: "ERR CMD SYNTAX",
        },
        Case {
            signed: true,
            entity: true,
            text: b"SUB=",
            answer: "ERR CMD UNKNOWN",
        },
        Case {
            signed: true,
            entity: true,
            text: b"OK",
            answer: "ERR CMD UNKNOWN",
        },
        Case {
            signed: true,
            entity: true,
            text: b"MSG ",
            answer: "ERR CMD UNKNOWN",
        },
        Case {
            signed: false,
            entity: true,
            text: KEY,
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: true,
            entity: false,
            text: KEY,
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: false,
            entity: true,
            text: b"SUB",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: true,
            entity: false,
            text: b"SUB",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: false,
            entity: true,
            text: b"ACK \x01x",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: true,
            entity: false,
            text: b"ACK \x01x",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: false,
            entity: true,
            text: b"OFF",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: true,
            entity: false,
            text: b"OFF",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: false,
            entity: true,
            text: b"DEL",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: true,
            entity: false,
            text: b"DEL",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: false,
            entity: true,
            text: b"GET",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: true,
            entity: false,
            text: b"GET",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: false,
            entity: true,
            text: b"QUE",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: true,
            entity: false,
            text: b"QUE",
            answer: "ERR CMD NO_AUTH",
        },
        Case {
            signed: false,
            entity: false,
            text: b"SEND F x",
            answer: "ERR CMD NO_ENTITY",
        },
        Case {
            signed: false,
            entity: true,
            text: b"SEND ",
            answer: "ERR CMD SYNTAX",
        },
        Case {
            signed: false,
            entity: true,
            text: b"SEND X x",
            answer: "ERR CMD SYNTAX",
        },
        Case {
            signed: false,
            entity: false,
            text: b"PING",
            answer: "PONG",
        },
        Case {
            signed: true,
            entity: false,
            text: b"PING",
            answer: "ERR CMD HAS_AUTH",
        },
        Case {
            signed: false,
            entity: true,
            text: b"PING",
            answer: "ERR CMD HAS_AUTH",
        },
        Case {
            signed: false,
            entity: false,
            text: b"LGET",
            answer: "ERR CMD NO_ENTITY",
        },
    ];
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    for case in CASES {
        let key = case.signed.then_some(&queue.key);
        let entity: &[u8] = if case.entity { &queue.recipient } else { &[] };
        let reply = world.say(peer, key, entity, case.text);
        let shown = String::from_utf8_lossy(case.text);
        assert_eq!(reply.shown(), case.answer, "{shown}");
    }
    assert_eq!(world.sub(peer, &queue), "SOK 0");
}

#[test]
fn new_needs_a_signature_and_no_entity() {
    // [57]
    let mut world = World::new();
    let peer = world.connect();
    let key = world.key();
    let (_, text) = world.new_command(peer, &key, QueueRequest::Messaging(None), true);
    assert_eq!(world.say(peer, None, &[], &text).shown(), "ERR CMD NO_AUTH");
    assert_eq!(
        world.say(peer, Some(&key), &[1; 24], &text).shown(),
        "ERR CMD HAS_AUTH"
    );
    let longer = [text.as_slice(), b"x"].concat();
    assert_eq!(
        world.say(peer, Some(&key), &[], &longer).shown(),
        "ERR CMD SYNTAX"
    );
}

#[test]
fn a_signature_of_no_known_length_is_a_block_error_without_entity() {
    let mut world = World::new();
    let peer = world.connect();
    let mut item = vec![63];
    item.extend([0; 63]);
    item.extend(b"0\x01c\x03abcSUB");
    let block = world.peer(peer).block(&[item]);
    world.deliver(peer, block);
    let replies = world.events(peer);
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].shown(), "ERR BLOCK");
    assert_eq!(
        (replies[0].corr.as_slice(), replies[0].entity.len()),
        (&b"c"[..], 0)
    );
}

#[test]
fn one_item_that_does_not_parse_leaves_the_others() {
    let mut world = World::new();
    let peer = world.connect();
    let it = world.peer(peer);
    let good = it.transmission(None, b"1", &[], b"PING");
    let block = it.block(&[good, vec![200, 1, 2], Vec::new()]);
    world.deliver(peer, block);
    let texts: Vec<_> = world
        .events(peer)
        .iter()
        .map(|r| (r.corr.clone(), r.shown()))
        .collect();
    let block_error = (Vec::new(), "ERR BLOCK".to_owned());
    assert_eq!(
        texts,
        [
            (b"1".to_vec(), "PONG".to_owned()),
            block_error.clone(),
            block_error
        ]
    );
}

#[test]
fn a_batch_that_is_none_is_a_block_error() {
    let mut world = World::new();
    let peer = world.connect();
    for content in [
        b"\x00".as_slice(),
        b"",
        b"\x02\x00\x01",
        b"\x01\x00\x00left",
    ] {
        let block = world.peer(peer).raw_block(content);
        world.deliver(peer, block);
        let replies = world.events(peer);
        assert_eq!(replies.len(), 1);
        assert_eq!(replies[0].shown(), "ERR BLOCK");
        assert!(replies[0].corr.is_empty() && replies[0].entity.is_empty());
    }
}

#[test]
fn correlation_ids_of_any_length_come_back() {
    let mut world = World::new();
    let peer = world.connect();
    for corr in [b"1".as_slice(), b"abcd", &[7; 255]] {
        assert_eq!(world.say_as(peer, None, corr, &[], b"PING").shown(), "PONG");
    }
}

#[test]
fn a_service_signature_outside_of_a_service_session_is_refused() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let it = world.peer(peer);
    let mut item = it.transmission(Some(&queue.key), b"1", &queue.recipient, b"SUB");
    // The mark after the signature says that a second one follows.
    assert_eq!(item[65], b'0');
    item[65] = b'1';
    item.splice(66..66, [64].into_iter().chain([0; 64]));
    let block = it.block(&[item]);
    world.deliver(peer, block);
    assert_eq!(world.events(peer)[0].shown(), "ERR SERVICE");
}

#[test]
fn a_command_recorded_in_another_session_is_refused() {
    let mut world = World::new();
    let (alice, thief) = (world.connect(), world.connect());
    let queue = world.plain_queue(alice);
    let recorded = world
        .peer(alice)
        .transmission(Some(&queue.key), b"1", &queue.recipient, b"DEL");
    let block = world.peer(thief).block(&[recorded]);
    world.deliver(thief, block);
    assert_eq!(world.events(thief)[0].shown(), "ERR AUTH");
}

#[test]
fn secured_and_missing_queues_refuse_a_sender_alike() {
    let mut world = World::new();
    let peer = world.connect();
    let queue = world.plain_queue(peer);
    let secure = Command::Key(world.key().public());
    world.ask(peer, Some(&queue.key), &queue.recipient, secure);
    let key = world.key();
    for entity in [queue.sender.as_slice(), &[98; 24], b"short"] {
        for key in [None, Some(&key)] {
            assert_eq!(
                world.say(peer, key, entity, b"SEND F x").shown(),
                "ERR AUTH"
            );
        }
    }
}
