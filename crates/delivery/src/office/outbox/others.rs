//! What is sent for others: of those to one address only the last are kept.
//!
//! Who is away for good takes nothing any more, and whoever passes on what others say would
//! keep all of it for them, until it could pass on nothing to anybody.

use std::collections::BTreeMap;

use super::super::lane::LaneId;
use super::super::letter::{LetterId, MOST_FOR_OTHERS, MOST_FOR_OTHERS_BYTES};

/// The letters that are kept for others, by where they go first, and how long each is.
#[derive(Default)]
pub(super) struct ForOthers {
    lanes: BTreeMap<LaneId, BTreeMap<LetterId, usize>>,
    letters: usize,
    bytes: usize,
}

impl ForOthers {
    pub(super) fn note(&mut self, lane: LaneId, letter: LetterId, length: usize) {
        let known = self.lanes.entry(lane).or_default();
        if known.insert(letter, length).is_none() {
            self.letters += 1;
            self.bytes = self.bytes.saturating_add(length);
        }
    }

    pub(super) fn forget(&mut self, lane: LaneId, letter: LetterId) {
        let Some(known) = self.lanes.get_mut(&lane) else {
            return;
        };
        if let Some(length) = known.remove(&letter) {
            self.letters = self.letters.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(length);
        }
        if known.is_empty() {
            self.lanes.remove(&lane);
        }
    }

    /// The oldest letter that `may` go of a lane that holds too much.
    pub(super) fn over(&self, lane: LaneId, may: impl Fn(LetterId) -> bool) -> Option<LetterId> {
        let known = self.lanes.get(&lane)?;
        let bytes: usize = known.values().sum();
        let over = known.len() > MOST_FOR_OTHERS || bytes > MOST_FOR_OTHERS_BYTES;
        known.keys().copied().find(|letter| over && may(*letter))
    }

    /// How many there are in all, and their bytes.
    pub(super) fn total(&self) -> (usize, usize) {
        (self.letters, self.bytes)
    }
}
