//! Seeds about channels.

use std::fs;
use std::path::Path;

use hushwing_conversation::channel::{Chain, ChannelKey};
use hushwing_conversation::content::{ChannelStep, ChannelWord};
use hushwing_conversation::storage::{
    ChannelPart, ChannelRecord, Floor, PostRecord, PublisherRecord, ReaderRecord, ReaderState,
    RoomStanding, SubscriptionRecord,
};
use hushwing_conversation::{ContactId, RoomId, Secret};
use hushwing_sansio::Timestamp;

use crate::seeds::{Seed, hex};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

fn chain() -> Chain {
    Chain {
        generation: 1,
        next: 300,
        key: Secret::new([9; 32]),
    }
}

/// Each kind of word.
fn words() -> Vec<(&'static str, Vec<u8>)> {
    let key = ChannelKey::from_seed(&[3; 32]).public();
    let steps = [
        (
            "offer",
            ChannelStep::Offer {
                key,
                name: "News".to_owned(),
                admission: 7,
                word: [5; 64],
            },
        ),
        ("accept", ChannelStep::Accept { admission: 7 }),
        (
            "told",
            ChannelStep::Told {
                admission: 7,
                oldest: 290,
                head: 301,
                chains: vec![chain()],
            },
        ),
        ("ask", ChannelStep::Ask { next: 290 }),
        ("leave", ChannelStep::Leave { admission: 7 }),
        ("over", ChannelStep::Over { admission: 7 }),
    ];
    let channel = key.channel();
    let word = |(name, step)| (name, ChannelWord { channel, step }.encode());
    steps.into_iter().map(word).collect()
}

fn record(part: ChannelPart) -> Vec<u8> {
    let record = ChannelRecord {
        id: RoomId(9),
        conversation: ChannelKey::from_seed(&[3; 32]).public().channel(),
        name: Secret::new(*b"News"),
        standing: RoomStanding::Member,
        since: NOW,
        chains: vec![chain()],
        part,
    };
    record.encode()
}

/// What is stored of a channel.
fn rows() -> Vec<(&'static str, Vec<u8>)> {
    let publisher = PublisherRecord {
        secret: Secret::new([3; 32]),
        head: 301,
        posts: vec![PostRecord {
            number: 301,
            generation: 1,
            message: vec![1; 32],
        }],
        admissions: 7,
        spent: false,
        restored: false,
    };
    let subscription = SubscriptionRecord {
        publisher: ContactId(3),
        key: Secret::new(*ChannelKey::from_seed(&[3; 32]).public().as_bytes()),
        admission: 7,
        entered: true,
        next: 299,
        head: 301,
        came: vec![301],
        ask_after: NOW,
        asking: Some(12),
        owed: false,
    };
    let reader = ReaderRecord {
        state: ReaderState::Reading,
        admission: 7,
        asked: true,
        floor: Some(Floor {
            generation: 1,
            number: 290,
        }),
        returns: false,
        told: Some(1),
        telling: vec![13],
        from: Some(290),
        sent: 300,
        letter: Some((14, 301)),
        since: NOW,
    };
    vec![
        (
            "channel_published",
            record(ChannelPart::Publisher(publisher)),
        ),
        ("channel_read", record(ChannelPart::Reader(subscription))),
        ("channel_reader", reader.encode()),
    ]
}

/// From the vectors of channels, and what is said and stored of them.
pub(crate) fn channels() -> Vec<Seed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop/vectors/channel.json");
    let vectors = fs::read_to_string(path).unwrap();
    let vector = |name: &str| {
        let rest = vectors.split_once(&format!("\"{name}\": \"")).unwrap().1;
        hex(rest.split_once('"').unwrap().0)
    };
    let mut seeds = vec![
        ("conversation_channel", "post", vector("first")),
        ("conversation_channel", "void", vector("void")),
        ("conversation_channel", "key", vector("public")),
    ];
    let words = words().into_iter();
    seeds.extend(words.map(|(name, bytes)| ("conversation_channel", name, bytes)));
    let rows = rows().into_iter();
    seeds.extend(rows.map(|(name, bytes)| ("conversation_records", name, bytes)));
    seeds
}
