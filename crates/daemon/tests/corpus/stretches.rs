//! Seeds about stretches off the record.

use std::fs;
use std::path::Path;

use hushwing_conversation::Secret;
use hushwing_conversation::content::{StretchWord, Wish};
use hushwing_conversation::otr::{Announced, Step};
use hushwing_conversation::storage::{Ending, Stretch, StretchRecord};
use hushwing_sansio::Timestamp;

use crate::seeds::{Seed, hex};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// From the vectors of stretches off the record.
pub(crate) fn stretches() -> Vec<Seed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop/vectors/otr.json");
    let vectors = fs::read_to_string(path).unwrap();
    let vector = |name: &str| {
        let rest = vectors.split_once(&format!("\"{name}\": \"")).unwrap().1;
        hex(rest.split_once('"').unwrap().0)
    };
    let announced = Announced {
        step: Step::Offer,
        leaf: 1,
        epoch: 5,
        stretch: 1,
        key: [7; 32],
    };
    vec![
        ("conversation_otr", "transcript", vector("real")),
        ("conversation_otr", "from_nothing", vector("from_nothing")),
        ("conversation_otr", "announced", announced.head()),
        (
            "conversation_parts",
            "stretch_here",
            StretchWord::Here.encode(),
        ),
        (
            "conversation_parts",
            "stretch_key",
            StretchWord::Key(Secret::new([7; 32])).encode(),
        ),
        ("conversation_parts", "wish_otr", Wish::Otr.encode()),
        ("conversation_records", "stretch", stretch().encode()),
    ]
}

/// A stretch that begins.
fn stretch() -> StretchRecord {
    let stretch = Stretch {
        number: 2,
        epoch: 5,
        tag_key: Secret::new([1; 32]),
        seed: Secret::new([2; 32]),
        package: Vec::new(),
        their_key: Some([3; 32]),
        group: Some([4; 16]),
        announcement: vec![1, 8],
        letter: Some(7),
        posted: NOW,
        again: 0,
        end: Ending::default(),
        their_seed: None,
    };
    let mut record = StretchRecord::default();
    record.last = 2;
    record.now = Some(stretch);
    record
}
