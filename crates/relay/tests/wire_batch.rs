//! Packing transmissions into blocks, and authorising them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use hushwing_relay::wire::auth::Signer;
use hushwing_relay::wire::{
    AuthKey, Authoriser, BlockBuilder, BlockReader, BoxKey, Command, Credential, DhSecret,
    MessageContent, Packer, Rejected, Response, Role, Sealer, SigningKey, TooLong, Transmission,
    Verifier, Version, Writer, agree, transmissions, write_message, write_response,
};
use hushwing_sansio::Timestamp;

const V18: Version = Version(18);
const SESSION: [u8; 32] = [0xc8; 32];

fn sealer() -> Sealer {
    agree(Role::Client, &SESSION, &[1; 32]).unwrap().0
}

fn fill(mut write: impl FnMut(&mut Writer<'_>)) -> u32 {
    let mut builder = BlockBuilder::new(&sealer());
    let mut count = 0;
    loop {
        match builder.push(&mut write) {
            Ok(()) => count += 1,
            Err(Rejected::Full(_)) => return count,
            Err(Rejected::TooLong) => panic!("too long"),
        }
    }
}

#[test]
fn a_block_holds_135_subscriptions() {
    let key = SigningKey::from_seed([1; 32]).unwrap();
    let authoriser = Authoriser::new(&SESSION);
    let count = fill(|w| {
        let signer = Some(Signer::Ed25519(&key));
        authoriser.write(w, V18, &[2; 24], &[3; 24], signer, |w| {
            Command::Sub.write(w, V18)
        });
    });
    assert_eq!(count, 135);
}

#[test]
fn a_block_holds_255_ends() {
    assert_eq!(
        fill(|w| write_response(w, V18, &[], &[3; 24], &Response::End)),
        255
    );
}

fn blocks_of(soks: u8, message: impl FnOnce(&mut Writer<'_>)) -> usize {
    let mut sealer = sealer();
    let mut packer = Packer::new(&mut sealer);
    for n in 0..soks {
        let write =
            |w: &mut Writer<'_>| write_response(w, V18, &[n; 24], &[3; 24], &Response::SOk(None));
        packer.push(write).unwrap();
    }
    packer.push(message).unwrap();
    packer.finish().unwrap().len()
}

#[test]
fn four_answers_fit_beside_a_message_and_five_do_not() {
    // Sizes of the official test: a body of 16,048 bytes without its box.
    let message = |w: &mut Writer<'_>| {
        let response = Response::Msg {
            id: &[4; 24],
            sealed: &[5; 16_048],
        };
        write_response(w, V18, &[6; 24], &[3; 24], &response);
    };
    assert_eq!(blocks_of(4, message), 1);
    assert_eq!(blocks_of(5, message), 2);
}

#[test]
fn a_real_message_leaves_room_for_three_answers() {
    let key = BoxKey::derive(&[9; 32]);
    let content = MessageContent::Quota {
        at: Timestamp::from_secs(1),
    };
    let message = |w: &mut Writer<'_>| {
        w.str(&[]).str(&[]).str(&[3; 24]);
        write_message(w, &key, &[4; 24], &content);
    };
    assert_eq!(blocks_of(3, message), 1);
    assert_eq!(blocks_of(4, message), 2);
}

#[test]
fn an_item_too_large_alone_is_refused_and_the_others_go() {
    let mut sealer = sealer();
    let mut packer = Packer::new(&mut sealer);
    let small = |w: &mut Writer<'_>| write_response(w, V18, &[], &[1; 24], &Response::Ok);
    packer.push(small).unwrap();
    assert_eq!(packer.push(|w| drop_into(w, 16_364)), Err(TooLong));
    packer.push(|w| drop_into(w, 16_363)).unwrap();
    packer.push(small).unwrap();
    let mut opener = agree(Role::Server, &SESSION, &[1; 32]).unwrap().1;
    let counts: Vec<_> = (packer.finish().unwrap().iter_mut())
        .map(|block| opener.open(block).unwrap()[0])
        .collect();
    assert_eq!(counts, [1, 1, 1]);
}

fn drop_into(w: &mut Writer<'_>, len: usize) {
    w.fill(0, len);
}

#[test]
fn one_bad_item_does_not_spoil_the_batch() {
    let content = b"\x03\x00\x08\x00\x011\x01ePING\x00\x02\x09x\x00\x07\x00\x012\x00PING";
    // The first item's length is one short of its text, so lengths must agree.
    assert!(transmissions(content, V18).is_err());
    let content = b"\x02\x00\x02\x09x\x00\x09\x00\x012\x00PINGx";
    let parsed = transmissions(content, V18).unwrap();
    assert!(parsed[0].is_err());
    assert_eq!(parsed[1].as_ref().unwrap().text, b"PINGx");
    assert!(
        transmissions(b"\x00", V18).is_err(),
        "an empty batch is refused"
    );
    assert!(transmissions(b"", V18).is_err());
}

fn signed(version: Version, signer: Signer<'_>) -> Vec<u8> {
    let mut item = Vec::new();
    let mut w = Writer::new(&mut item);
    Authoriser::new(&SESSION).write(&mut w, version, &[2; 24], &[3; 24], Some(signer), |w| {
        Command::Send {
            notify: true,
            body: b"hello",
        }
        .write(w, version);
    });
    w.check().unwrap();
    item
}

#[test]
fn a_signature_is_accepted_for_its_key_session_and_bytes_only() {
    let key = SigningKey::from_seed([1; 32]).unwrap();
    let other = SigningKey::from_seed([2; 32]).unwrap();
    for version in (8..=18).map(Version) {
        let item = signed(version, Signer::Ed25519(&key));
        let accepts = |session: &[u8], item: &[u8], key: Option<AuthKey>| {
            let t = Transmission::parse(item, version).unwrap();
            let credential = Credential::parse(t.authorisation).unwrap();
            Verifier::new(session, None)
                .verify(&t, credential, key.as_ref(), None)
                .is_accepted()
        };
        assert!(accepts(&SESSION, &item, Some(key.public())));
        assert!(!accepts(&[0; 32], &item, Some(key.public())));
        assert!(!accepts(&SESSION, &item, Some(other.public())));
        assert!(!accepts(&SESSION, &item, None));
        let mut changed = item.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(!accepts(&SESSION, &changed, Some(key.public())));
    }
}

#[test]
fn an_authenticator_is_accepted_and_its_key_cached() {
    let server = || DhSecret::from_bytes([7; 32]).unwrap();
    let queue = DhSecret::from_bytes([8; 32]).unwrap();
    let shared = BoxKey::agree(&queue, &server().public()).unwrap();
    let item = signed(V18, Signer::Authenticator(&shared));
    let t = Transmission::parse(&item, V18).unwrap();
    let credential = || Credential::parse(t.authorisation).unwrap();
    let key = AuthKey::X25519(queue.public());
    let mut verifier = Verifier::new(&SESSION, Some(server()));

    let verdict = verifier.verify(&t, credential(), Some(&key), None);
    let hushwing_relay::wire::Verdict::Accepted(Some(cached)) = verdict else {
        panic!("refused or not computed");
    };
    assert!(
        verifier
            .verify(&t, credential(), Some(&key), Some(&cached))
            .is_accepted()
    );
    let wrong = AuthKey::X25519(DhSecret::from_bytes([9; 32]).unwrap().public());
    assert!(
        !verifier
            .verify(&t, credential(), Some(&wrong), None)
            .is_accepted()
    );
    assert!(!verifier.verify(&t, credential(), None, None).is_accepted());
    assert!(
        !verifier
            .verify(&t, credential(), None, Some(&cached))
            .is_accepted()
    );
    let signing = SigningKey::from_seed([1; 32]).unwrap().public();
    assert!(
        !verifier
            .verify(&t, credential(), Some(&signing), None)
            .is_accepted()
    );
    let mut without = Verifier::new(&SESSION, None);
    assert!(
        !without
            .verify(&t, credential(), Some(&key), None)
            .is_accepted()
    );
}

#[test]
fn credentials_have_four_lengths() {
    for len in 0..200 {
        let known = matches!(len, 0 | 64 | 80 | 114);
        assert_eq!(Credential::parse(&vec![0; len]).is_ok(), known, "{len}");
    }
}

#[test]
fn a_stream_is_cut_into_blocks_however_it_arrives() {
    let stream: Vec<u8> = (0..3 * 16_384u32).map(|n| (n % 251) as u8).collect();
    for chunk in [1_000, 16_384, 20_000, stream.len()] {
        let mut reader = BlockReader::default();
        let mut blocks = Vec::new();
        for part in stream.chunks(chunk) {
            reader.push(part, |block| {
                blocks.push(block);
                true
            });
        }
        assert_eq!(blocks.len(), 3);
        assert_eq!(blocks.concat(), stream);
    }
}
