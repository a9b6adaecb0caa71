//! What a server put into the body of MSG, with padding and without.

use hushwing_relay::wire::message::SEALED_LEN;
use hushwing_relay::wire::{BoxKey, NONCE_LEN, TAG_LEN, open_message, pad};

pub(crate) fn run(data: &[u8]) {
    let (key, id) = (BoxKey::derive(&[1; 32]), [2; NONCE_LEN]);
    let mut padded = vec![0; TAG_LEN];
    let fits = pad(&mut padded, data, SEALED_LEN - TAG_LEN).is_ok();
    let raw = [&[0; TAG_LEN], data].concat();
    for mut sealed in [Some(raw), fits.then_some(padded)].into_iter().flatten() {
        key.seal(&id, &mut sealed).unwrap();
        let _ = open_message(&key, &id, &mut sealed);
    }
}
