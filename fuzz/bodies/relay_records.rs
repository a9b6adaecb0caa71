//! Rows of relay client and relay server that a disk gives back otherwise than
//! they were written.

use hushwing_relay::client::storage::{check_mailbox, check_sender_key};
use hushwing_relay::server::{keys_from_bytes, keys_to_bytes};

pub(crate) fn run(data: &[u8]) {
    let _ = check_mailbox(data);
    let _ = check_sender_key(data);
    if let Ok(keys) = keys_from_bytes(data) {
        assert_eq!(keys_to_bytes(&keys), data);
    }
}
