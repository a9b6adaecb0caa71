//! Lanes: one queue for each locator, so that letters to one recipient keep
//! their order and a full mailbox holds back only its own letters.

use std::collections::{BTreeMap, BTreeSet};

use hushwing_sansio::Moment;

use crate::{Address, LetterId, Locator, NetworkTag, SendFailure};

/// Envelopes on their way to one locator at a time. Enough to fill a link of
/// 100 ms at 3 MB/s; each costs 15 KiB of memory until answered.
const WINDOW: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneId(usize);

/// A letter's address: which letter, which of its addresses.
pub(super) type RouteKey = (LetterId, usize);

#[derive(Default)]
pub(super) struct Lane {
    /// Routes with parts to send, oldest letter first.
    pub(super) pending: BTreeSet<RouteKey>,
    pub(super) in_flight: usize,
    /// Failures since the last success.
    pub(super) failures: u32,
    /// Nothing is sent before this.
    pub(super) resume: Option<Moment>,
    /// Whether the mailbox said it was full.
    pub(super) full: bool,
}

impl Lane {
    /// Whether one more envelope may leave. A lane that failed probes with one.
    pub(super) fn is_open(&self) -> bool {
        let window = if self.failures == 0 { WINDOW } else { 1 };
        self.resume.is_none() && self.in_flight < window
    }

    /// Notes an answer, good or final, that shows the network at work.
    pub(super) fn answered(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.failures = 0;
        self.full = false;
    }

    /// Notes a failure; `true` if it is the first of a burst, which decides
    /// the wait for all envelopes that were on their way together.
    pub(super) fn failed(&mut self, reason: SendFailure) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.full = reason == SendFailure::Full;
        let first = self.resume.is_none();
        if first {
            self.failures = self.failures.saturating_add(1);
        }
        first
    }
}

/// All lanes. They stay for the length of a run: a lane is small, and there
/// are as many as addresses written to.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    by_locator: BTreeMap<(NetworkTag, Vec<u8>), LaneId>,
}

impl Lanes {
    pub(super) fn of(&mut self, address: &Address) -> LaneId {
        let key = (address.network, address.locator.0.clone());
        let next = LaneId(self.lanes.len());
        let lane = *self.by_locator.entry(key).or_insert(next);
        if lane == next {
            self.lanes.push(Lane::default());
        }
        lane
    }

    pub(super) fn get_mut(&mut self, lane: LaneId) -> Option<&mut Lane> {
        self.lanes.get_mut(lane.0)
    }

    /// Whether what was sent there last in this run failed.
    pub(super) fn is_failing(&self, lane: LaneId) -> bool {
        self.lanes.get(lane.0).is_some_and(|lane| lane.failures > 0)
    }

    pub(super) fn find(&self, network: NetworkTag, locator: &Locator) -> Option<LaneId> {
        let key = (network, locator.0.clone());
        self.by_locator.get(&key).copied()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = LaneId> + use<> {
        (0..self.lanes.len()).map(LaneId)
    }
}
