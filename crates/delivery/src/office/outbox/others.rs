//! What is sent for others: of those to one address only the last are kept, and of all so
//! much in all.
//!
//! Who is away for good takes nothing any more, and whoever passes on what others say would
//! keep all of it for them, until it could pass on nothing to anybody. Where too much waits
//! for those who take nothing, the oldest goes of the one for whom most does: nobody who is away
//! takes the place of others. Who takes it slowly keeps it up to twice as much in all.

use std::collections::{BTreeMap, BTreeSet};

use super::super::lane::LaneId;
use super::super::letter::{LetterId, MOST_FOR_OTHERS, MOST_FOR_OTHERS_BYTES};

/// What a letter takes beside its bytes, where it is asked for whom most waits.
const EACH: usize = 1024;

/// The letters that are kept for others, by where they go first, and how long each is.
#[derive(Default)]
pub(super) struct ForOthers {
    lanes: BTreeMap<LaneId, Queue>,
    /// The lanes by what waits there.
    by_weight: BTreeSet<(usize, LaneId)>,
    letters: usize,
    bytes: usize,
}

#[derive(Default)]
struct Queue {
    letters: BTreeMap<LetterId, usize>,
    bytes: usize,
}

impl Queue {
    fn weight(&self) -> usize {
        self.bytes
            .saturating_add(self.letters.len().saturating_mul(EACH))
    }
}

impl ForOthers {
    pub(super) fn note(&mut self, lane: LaneId, letter: LetterId, length: usize) {
        let queue = self.lanes.entry(lane).or_default();
        if queue.letters.contains_key(&letter) {
            return;
        }
        self.by_weight.remove(&(queue.weight(), lane));
        queue.letters.insert(letter, length);
        queue.bytes = queue.bytes.saturating_add(length);
        self.by_weight.insert((queue.weight(), lane));
        self.letters += 1;
        self.bytes = self.bytes.saturating_add(length);
    }

    pub(super) fn forget(&mut self, lane: LaneId, letter: LetterId) {
        let Some(queue) = self.lanes.get_mut(&lane) else {
            return;
        };
        self.by_weight.remove(&(queue.weight(), lane));
        if let Some(length) = queue.letters.remove(&letter) {
            queue.bytes = queue.bytes.saturating_sub(length);
            self.letters = self.letters.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(length);
        }
        match queue.letters.is_empty() {
            true => drop(self.lanes.remove(&lane)),
            false => drop(self.by_weight.insert((queue.weight(), lane))),
        }
    }

    /// The oldest letter that `may` go of a lane that holds too much.
    pub(super) fn over(&self, lane: LaneId, may: impl Fn(LetterId) -> bool) -> Option<LetterId> {
        let queue = self.lanes.get(&lane)?;
        let over = queue.letters.len() > MOST_FOR_OTHERS || queue.bytes > MOST_FOR_OTHERS_BYTES;
        let mut letters = queue.letters.keys().copied();
        letters.find(|letter| over && may(*letter))
    }

    /// The oldest letter that `may` go of that of these lanes in which most waits. The last
    /// one of each lane stays.
    pub(super) fn heaviest(
        &self,
        among: impl Fn(LaneId) -> bool,
        may: impl Fn(LetterId) -> bool,
    ) -> Option<LetterId> {
        let lanes = self.by_weight.iter().rev();
        let lanes = lanes.filter(|(_, lane)| among(*lane));
        let mut queues = lanes.filter_map(|(_, lane)| self.lanes.get(lane));
        queues.find_map(|queue| {
            let before_last = queue.letters.len().saturating_sub(1);
            let mut letters = queue.letters.keys().copied().take(before_last);
            letters.find(|letter| may(*letter))
        })
    }

    /// The oldest of all where most waits, if more than twice so many bytes do in all, or
    /// letters where each counts with its own weight.
    pub(super) fn beyond(&self, most: (usize, usize)) -> Option<LetterId> {
        let weight = |(letters, bytes): (usize, usize)| {
            let each = letters.saturating_mul(EACH);
            bytes.saturating_add(each)
        };
        let twice = |most: usize| most.saturating_mul(2);
        let over = self.bytes > twice(most.1) || weight(self.total()) > twice(weight(most));
        let (_, lane) = self.by_weight.last().filter(|_| over)?;
        self.lanes.get(lane)?.letters.keys().next().copied()
    }

    /// How many wait in these lanes, and their bytes.
    pub(super) fn total_in(&self, among: impl Fn(LaneId) -> bool) -> (usize, usize) {
        let lanes = self.lanes.iter().filter(|(lane, _)| among(**lane));
        lanes.fold((0, 0), |(letters, bytes), (_, queue)| {
            let bytes = queue.bytes.saturating_add(bytes);
            (letters + queue.letters.len(), bytes)
        })
    }

    /// How many there are in all, and their bytes.
    pub(super) fn total(&self) -> (usize, usize) {
        (self.letters, self.bytes)
    }
}
