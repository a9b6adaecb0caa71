//! Byte vectors computed independently of this crate (SMP 12).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use hushwing_relay::wire::auth::authenticator;
use hushwing_relay::wire::block::{Chain, hkdf};
use hushwing_relay::wire::{AuthKey, BoxKey, Opener, Role, Sealer, agree, pad};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

fn counting<const N: usize>(from: u8) -> [u8; N] {
    core::array::from_fn(|i| from + u8::try_from(i).unwrap())
}

const FIRST_CHAIN: &str = "60088c2491366ba15637a64db25fdb6f232f1eeb475dc988b8a79ebf021e21c1";
const SECOND_CHAIN: &str = "10da80bb03fb647bfa5afef1c155c7e4027f9312ab696d868bceb17253ee4e39";

#[test]
fn chains_start_from_session_id_and_secret() {
    let mut both = [0; 64];
    hkdf(
        &counting::<32>(0xc8),
        &counting::<32>(0),
        b"SimpleXSbChainInit",
        &mut both,
    )
    .unwrap();
    assert_eq!(both[..32], hex(FIRST_CHAIN));
    assert_eq!(both[32..], hex(SECOND_CHAIN));
}

#[test]
fn a_chain_step_yields_next_key_block_key_and_nonce() {
    let mut okm = [0; 88];
    hkdf(&[], &hex(FIRST_CHAIN), b"SimpleXSbChain", &mut okm).unwrap();
    assert_eq!(
        okm[..32],
        hex("05b3bcc817776931d3a14779d3221ea2eddde97f7d6caa310564ca93369d915e")
    );
    let key = hex("b7bab506bbc9d11d417438971227f084c837b9ed80403df0b7788e486b96d917");
    assert_eq!(okm[32..64], key);

    let mut chain = Chain::new(hex(FIRST_CHAIN).try_into().unwrap());
    let (stepped, nonce) = chain.step().unwrap();
    assert_eq!(
        nonce.to_vec(),
        hex("7ae0b5f023c7ae1f3a081444a39ee2c4fc895baeb5490fbf")
    );
    let expected = BoxKey::derive(&key.try_into().unwrap());
    assert_eq!(*stepped.to_bytes(), *expected.to_bytes());
    assert_ne!(chain.step().unwrap().1, nonce, "the chain moves on");
}

#[test]
fn the_server_sends_with_the_first_chain() {
    let (mut sealer, _) = agree(Role::Server, &counting::<32>(0xc8), &counting(0)).unwrap();
    let mut block = vec![0; 18];
    block.push(1);
    sealer.seal(&mut block).unwrap();
    let mut chain = Chain::new(hex(FIRST_CHAIN).try_into().unwrap());
    let (key, nonce) = chain.step().unwrap();
    let opened = key.open(&nonce, &mut block).unwrap();
    assert_eq!(opened[..4], [0, 1, 1, b'#']);
    assert_eq!(opened.len(), 16_368);
}

#[test]
fn both_ends_agree_on_directions() {
    let session = counting::<32>(0xc8);
    let (mut client_out, mut client_in) = agree(Role::Client, &session, &counting(0)).unwrap();
    let (mut server_out, mut server_in) = agree(Role::Server, &session, &counting(0)).unwrap();
    for (sealer, opener) in [
        (&mut client_out, &mut server_in),
        (&mut server_out, &mut client_in),
    ] {
        for round in 0..3 {
            let mut block = vec![0; sealer.head_len() + 2];
            block.push(round);
            sealer.seal(&mut block).unwrap();
            assert_eq!(block.len(), 16_384);
            assert_eq!(opener.open(&mut block).unwrap(), [round]);
        }
    }
}

#[test]
fn a_lost_block_ends_the_stream() {
    let session = counting::<32>(0xc8);
    let (mut sealer, _) = agree(Role::Client, &session, &counting(0)).unwrap();
    let (_, mut opener) = agree(Role::Server, &session, &counting(0)).unwrap();
    let mut lost = vec![0; 19];
    sealer.seal(&mut lost).unwrap();
    let mut next = vec![0; 19];
    sealer.seal(&mut next).unwrap();
    assert!(opener.open(&mut next).is_err());
}

#[test]
fn plain_blocks_are_padded_only() {
    let mut block = vec![0, 0, b'x'];
    Sealer::plain().seal(&mut block).unwrap();
    assert_eq!(block[..4], [0, 1, b'x', b'#']);
    assert_eq!(Opener::plain().open(&mut block).unwrap(), b"x");
}

#[test]
fn a_box_has_the_extra_hsalsa20() {
    let mut buffer = vec![0; 16];
    pad(&mut buffer, b"hello", 32).unwrap();
    BoxKey::derive(&counting(0))
        .seal(&counting(0x64), &mut buffer)
        .unwrap();
    assert_eq!(
        buffer,
        hex(
            "dc06b79187faaa671ffa795f4fb1c1621b92ea563fad3d6b0e2b551032511630572d1c11afcfab421178bc2773211d66"
        )
    );
}

#[test]
fn an_authenticator_boxes_the_hash() {
    let key = BoxKey::derive(&counting(0));
    let made = authenticator(&key, &counting::<24>(0x64), b"", b"authorized").unwrap();
    assert_eq!(
        made.to_vec(),
        hex(
            "89803cbc3df4a0d0c5eec74775c14cfe5b00459fa7a6d6c5c804c79892ad6623c29e61545026c8c83a7c2a4204419037f8617bb672aa1623d79dadaa3d64059e008c9cad40d4ba7ffdd86fe6f8b6b5e9"
        )
    );
}

/// RFC 8032, section 7.4, "1 octet".
#[test]
fn ed448_signatures_verify() {
    let key = hex(
        "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480",
    );
    let signature = hex(
        "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00",
    );
    let key = AuthKey::Ed448(key.try_into().unwrap());
    assert!(key.verify(&[0x03], &signature));
    assert!(!key.verify(&[0x04], &signature));
}
