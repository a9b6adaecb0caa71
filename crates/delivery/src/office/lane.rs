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
    /// How many answers came from anywhere when it began to fail.
    began: u64,
    /// It failed again though others answered in between: it is not my own network.
    silent: bool,
}

impl Lane {
    /// Whether one more envelope may leave. A lane that failed probes with one.
    pub(super) fn is_open(&self) -> bool {
        let window = if self.failures == 0 { WINDOW } else { 1 };
        self.resume.is_none() && self.in_flight < window
    }

    fn answered(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.failures = 0;
        self.full = false;
        self.silent = false;
    }

    fn failed(&mut self, reason: SendFailure, answers: u64) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.full = reason == SendFailure::Full;
        match self.failures {
            0 => self.began = answers,
            _ => self.silent |= answers > self.began,
        }
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
    /// Answers that came in this run.
    answers: u64,
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

    /// Notes an answer, good or final, that shows the network at work.
    pub(super) fn answered(&mut self, lane: LaneId) {
        self.answers = self.answers.saturating_add(1);
        if let Some(lane) = self.get_mut(lane) {
            lane.answered();
        }
    }

    /// Notes a failure; `true` if it is the first of a burst, which decides
    /// the wait for all envelopes that were on their way together.
    pub(super) fn failed(&mut self, lane: LaneId, reason: SendFailure) -> bool {
        let answers = self.answers;
        let lane = self.get_mut(lane);
        lane.is_some_and(|lane| lane.failed(reason, answers))
    }

    /// Whether nothing is taken there while it is elsewhere, or its mailbox is full.
    pub(super) fn takes_nothing(&self, lane: LaneId) -> bool {
        let lane = self.lanes.get(lane.0);
        lane.is_some_and(|lane| lane.full || lane.silent)
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
