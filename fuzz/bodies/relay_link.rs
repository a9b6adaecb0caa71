//! Link data that somebody who holds the link sealed. The first byte is the
//! length of the fixed data.

use hushwing_relay::client::link::LinkKeys;
use hushwing_relay::wire::block::hkdf;
use hushwing_relay::wire::{BoxKey, LinkData, NONCE_LEN, QueueMode, TAG_LEN, pad};
use sha3::{Digest, Sha3_256};

pub(crate) fn run(data: &[u8]) {
    let Some((&length, rest)) = data.split_first() else {
        return;
    };
    let (fixed, user) = rest.split_at(rest.len().min(usize::from(length)));
    let secret: [u8; 32] = Sha3_256::digest(fixed).into();
    let mut key = [0; 32];
    hkdf(&[], &secret, b"SimpleXInvLink", &mut key).unwrap();
    let key = BoxKey::derive(&key);

    let unsigned = [&[0], fixed].concat();
    let mut padded = Vec::new();
    pad(&mut padded, &unsigned, unsigned.len() + 2).unwrap();
    let keys = LinkKeys::derive(&secret, QueueMode::Messaging).unwrap();
    let sealed = LinkData {
        fixed: &blob(&key, &padded),
        user: &blob(&key, user),
    };
    if let Ok(card) = keys.open(&secret, &sealed) {
        assert_eq!(card.fixed, fixed);
    }
    let unsealed = LinkData {
        fixed: data,
        user: data,
    };
    assert!(keys.open(&secret, &unsealed).is_err());
}

fn blob(key: &BoxKey, padded: &[u8]) -> Vec<u8> {
    let nonce = [3; NONCE_LEN];
    let mut sealed = [&[0; TAG_LEN], padded].concat();
    key.seal(&nonce, &mut sealed).unwrap();
    [nonce.as_slice(), &sealed].concat()
}
