//! The hellos (smp.md 1.4).

use hushwing_relay::server::SessionEnd;
use hushwing_relay::wire::{
    AuthKey, ClientHello, DhSecret, ServerHello, SignedKey, Version, VersionRange, hello_block,
    open_hello,
};

use crate::world::{FINGERPRINT, World, context};

fn hello(world: &mut World, alpn: bool) -> (hushwing_relay::server::Session, Vec<u8>) {
    let mut session = world.accept(&[1; 32], alpn);
    let mut block = Vec::new();
    session.poll_block(&mut block).unwrap().unwrap();
    let content = open_hello(&mut block).unwrap().to_vec();
    (session, content)
}

fn answer(
    world: &mut World,
    alpn: bool,
    hello_content: &ClientHello<'_>,
) -> Result<(), SessionEnd> {
    let (mut session, _) = hello(world, alpn);
    let mut block = hello_block(&hello_content.encode().unwrap()).unwrap();
    let mut cx = context(world.now, &mut world.dice);
    session.receive(&mut cx, &world.storage.directory(), &mut block)
}

fn good() -> ClientHello<'static> {
    ClientHello {
        version: Version(18),
        key_hash: &FINGERPRINT,
        key: None,
        forwards: false,
        service: None,
    }
}

#[test]
fn the_hello_offers_8_to_18_with_a_key_signed_by_the_leaf() {
    let mut world = World::new();
    let (_, content) = hello(&mut world, true);
    let hello = ServerHello::parse(&content).unwrap();
    assert_eq!(
        hello.versions,
        VersionRange {
            min: Version(8),
            max: Version(18)
        }
    );
    assert_eq!(hello.session_id, [1; 32]);
    assert_eq!(hello.chain, [b"leaf".as_slice(), b"identity"]);
    let signer = world.identity.leaf_key.public();
    assert!(
        SignedKey::parse(hello.signed_key)
            .unwrap()
            .verify(&signer)
            .is_some()
    );
    let other = AuthKey::Ed25519([1; 32]);
    assert!(
        SignedKey::parse(hello.signed_key)
            .unwrap()
            .verify(&other)
            .is_none()
    );
}

#[test]
fn session_keys_are_fresh_for_each_connection() {
    let mut world = World::new();
    let (first, second) = (hello(&mut world, true).1, hello(&mut world, true).1);
    let key = |content: &[u8]| ServerHello::parse(content).unwrap().signed_key.to_vec();
    assert_ne!(key(&first), key(&second));
}

#[test]
fn a_client_without_alpn_is_told_version_6_and_no_key() {
    let mut world = World::new();
    let (_, content) = hello(&mut world, false);
    assert_eq!(&content[..4], [0, 6, 0, 6]);
    assert_eq!(content.len(), 4 + 1 + 32);
    assert_eq!(answer(&mut world, false, &good()), Err(SessionEnd::Hello));
}

#[test]
fn a_good_hello_is_taken_with_and_without_a_key() {
    let mut world = World::new();
    assert_eq!(answer(&mut world, true, &good()), Ok(()));
    let key = DhSecret::from_bytes([3; 32]).unwrap().public();
    assert_eq!(
        answer(
            &mut world,
            true,
            &ClientHello {
                key: Some(key),
                ..good()
            }
        ),
        Ok(())
    );
}

#[test]
fn another_servers_fingerprint_ends_the_session() {
    let mut world = World::new();
    let wrong = ClientHello {
        key_hash: &[4; 32],
        ..good()
    };
    assert_eq!(answer(&mut world, true, &wrong), Err(SessionEnd::Hello));
    let short = ClientHello {
        key_hash: &FINGERPRINT[..31],
        ..good()
    };
    assert_eq!(answer(&mut world, true, &short), Err(SessionEnd::Hello));
}

#[test]
fn versions_that_were_not_offered_end_the_session() {
    let mut world = World::new();
    for version in [0, 6, 7, 19, 20, u16::MAX] {
        let wrong = ClientHello {
            version: Version(version),
            ..good()
        };
        assert_eq!(
            answer(&mut world, true, &wrong),
            Err(SessionEnd::Hello),
            "{version}"
        );
    }
}

#[test]
fn rubbish_instead_of_a_hello_ends_the_session() {
    let mut world = World::new();
    let (mut session, _) = hello(&mut world, true);
    let mut cx = context(world.now, &mut world.dice);
    let end = session.receive(&mut cx, &world.storage.directory(), &mut [0xff; 16_384]);
    assert_eq!(end, Err(SessionEnd::Hello));
}

#[test]
fn a_block_that_does_not_open_ends_the_session() {
    let mut world = World::new();
    let peer = world.connect();
    let mut block = world.peer(peer).raw_block(b"\x01");
    block[100] ^= 1;
    let (now, dice) = (world.now, &mut world.dice);
    let session = &mut world.peers[peer].as_mut().unwrap().session;
    let end = session.receive(
        &mut context(now, dice),
        &world.storage.directory(),
        &mut block,
    );
    assert_eq!(end, Err(SessionEnd::Block));
}
