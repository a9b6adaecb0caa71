//! Records made up from a key and a seed.
#![allow(dead_code)]

use hushwing_conversation::storage::{
    CardRecord, ContactRecord, InvitationRecord, InvitationState, JoinRecord, KeyPackageRecord,
    MailboxRecord, MailboxState, MailboxUse, MessageKind, MessageRecord, MessageState,
    MessageTimes, Owed, Position, Side, Standing,
};
use hushwing_conversation::{ContactId, ConversationId, InvitationId, MessageId, Secret};
use hushwing_delivery::NetworkTag;
use hushwing_sansio::Timestamp;

fn at(seed: u8) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + u64::from(seed))
}

pub(crate) fn contact(id: u8, seed: u8) -> ContactRecord {
    ContactRecord {
        id: ContactId(id.into()),
        conversation: ConversationId([id; 16]),
        side: if seed.is_multiple_of(2) {
            Side::Joiner
        } else {
            Side::Inviter
        },
        standing: if seed.is_multiple_of(3) {
            Standing::Asked
        } else {
            Standing::Established
        },
        name: format!("name {seed}"),
        verified: seed.is_multiple_of(5).then(|| at(seed)),
        unsecured_start: seed % 2 == 1,
        signing_key: Secret::new([seed; 32]),
        renamed: seed.is_multiple_of(7),
        addresses: vec![Secret::new([seed; 80]); usize::from(seed % 3)],
        address_revision: seed.into(),
        commit_letter: seed.is_multiple_of(2).then_some(seed.into()),
        invitation: (seed % 2 == 1).then_some(InvitationId(seed.into())),
        since: at(seed),
        epoch_since: at(seed / 2),
    }
}

pub(crate) fn invitation(id: u8, seed: u8) -> InvitationRecord {
    InvitationRecord {
        id: InvitationId(id.into()),
        state: if seed.is_multiple_of(2) {
            InvitationState::Opening
        } else {
            InvitationState::Open
        },
        reusable: seed.is_multiple_of(3),
        mailbox: seed.into(),
        root: Secret::new([seed; 32]),
        link: (seed % 2 == 1).then(|| Secret::new([seed; 200])),
        bundle: vec![seed; 2600],
        revision: seed.into(),
        since: at(seed),
        package_since: at(seed),
        expires: at(seed),
    }
}

pub(crate) fn key_package(reference: u8, of: u8, seed: u8) -> KeyPackageRecord {
    KeyPackageRecord {
        reference: vec![reference; 32],
        invitation: InvitationId(of.into()),
        signing_key: Secret::new([seed; 32]),
        wipe_after: at(seed),
    }
}

pub(crate) fn mailbox(id: u8, seed: u8) -> MailboxRecord {
    MailboxRecord {
        id: id.into(),
        network: 1,
        state: if seed.is_multiple_of(2) {
            MailboxState::Opening
        } else {
            MailboxState::Open
        },
        owner: if seed.is_multiple_of(3) {
            MailboxUse::Invitation(InvitationId(seed.into()))
        } else {
            MailboxUse::Conversation(ContactId(seed.into()))
        },
        first_contact: Secret::new([seed; 32]),
        shared: Secret::new([seed; 32]),
        locator: (seed % 2 == 1).then(|| Secret::new([seed; 100])),
    }
}

pub(crate) fn join(fetch: u8, seed: u8) -> JoinRecord {
    JoinRecord {
        fetch: fetch.into(),
        link: Secret::new([seed; 200]),
        contact: (seed % 2 == 1).then_some(ContactId(seed.into())),
        card: (seed % 2 == 1).then(|| CardRecord {
            key_package: vec![seed; 2600],
            address: Secret::new([seed; 1300]),
            reusable: seed.is_multiple_of(3),
        }),
    }
}

pub(crate) fn message_id(n: u8) -> MessageId {
    let mut id = [1; 32];
    // Not in the order in which they are said.
    id[1] = n.wrapping_mul(101);
    MessageId::from_bytes(&id).unwrap()
}

/// Message `n`, said in conversation `n % 4`.
pub(crate) fn message(n: u8, seed: u8) -> MessageRecord {
    let kinds = [
        MessageKind::Text,
        MessageKind::Edit,
        MessageKind::Delete,
        MessageKind::Reaction,
        MessageKind::Control,
    ];
    let kind = if seed.is_multiple_of(3) {
        kinds[usize::from(seed / 3 % 5)]
    } else {
        MessageKind::Text
    };
    let mine = seed.is_multiple_of(2);
    MessageRecord {
        contact: ContactId((n % 4).into()),
        position: Position {
            epoch: (seed % 5).into(),
            lamport: (seed / 5 % 7).into(),
            leaf: mine.into(),
            id: message_id(n),
        },
        mine,
        author: None,
        kind,
        target: (kind != MessageKind::Text).then(|| message_id(n % 4 + 4 * (seed % 3))),
        sent_at: at(seed),
        state: MessageState::from_code(seed % 5 + 1).unwrap(),
        times: times(seed),
        owed: Owed::from_code(seed % 3).unwrap(),
        letter: mine.then_some(n.into()),
        sealed_epoch: (seed % 6).into(),
        content: vec![seed; usize::from(seed)],
    }
}

pub(crate) fn times(seed: u8) -> MessageTimes {
    MessageTimes {
        accepted: seed
            .is_multiple_of(2)
            .then(|| (NetworkTag::RELAY, at(seed))),
        delivered: seed.is_multiple_of(3).then(|| at(seed)),
        read: seed.is_multiple_of(5).then(|| at(seed)),
        failed: seed.is_multiple_of(7).then(|| at(seed)),
        // The golden records are those of seeds below 218, and have none.
        vanishes: (seed > 217).then(|| at(seed)),
    }
}
