//! Queues of a relay server, made up from a number.
#![allow(dead_code)]

use hushwing_relay::server::{
    Id, MessageBody, NewRecord, QueueRecord, QueueRow, StoredLink, StoredMessage, keys_to_bytes,
};
use hushwing_relay::wire::{AuthKey, BoxKey, QueueMode};
use hushwing_sansio::Timestamp;

pub(crate) fn id(n: u8) -> Id {
    Id([n; 24])
}

pub(crate) fn auth_key(n: u8) -> AuthKey {
    if n.is_multiple_of(2) {
        AuthKey::Ed448([n; 57])
    } else {
        AuthKey::Ed25519([n; 32])
    }
}

pub(crate) fn new_queue(n: u8) -> NewRecord {
    NewRecord {
        recipient_id: id(n),
        sender_id: id(100 + n),
        recipient_key: auth_key(n),
        box_key: BoxKey::from_bytes([n; 32]),
        mode: [None, Some(QueueMode::Messaging), Some(QueueMode::Contact)][usize::from(n % 3)],
    }
}

pub(crate) fn stored_link(n: u8) -> StoredLink {
    StoredLink {
        fixed: vec![n; 100],
        user: vec![n; usize::from(n) * 10],
    }
}

pub(crate) fn stored_message(n: u8) -> StoredMessage {
    let body = match n % 4 {
        0 => MessageBody::Quota,
        kind => MessageBody::Message {
            notify: kind == 1,
            body: vec![n; 500].into(),
        },
    };
    StoredMessage {
        id: id(n),
        at: Timestamp::from_millis(1_700_000_000_000 + u64::from(n)),
        body,
    }
}

/// All of a queue that can be compared.
pub(crate) type Compared = (
    QueueRow,
    Id,
    Id,
    Vec<u8>,
    Option<AuthKey>,
    [u8; 32],
    Option<QueueMode>,
    bool,
    Option<Vec<u8>>,
);

pub(crate) fn columns(queue: &QueueRecord) -> Compared {
    (
        queue.row,
        queue.recipient_id,
        queue.sender_id,
        keys_to_bytes(&queue.recipient_keys),
        queue.sender_key,
        *queue.box_key.to_bytes(),
        queue.mode,
        queue.active,
        queue.link_id.clone(),
    )
}
