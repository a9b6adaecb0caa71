//! One address of a letter: which of its parts still have to go where.

use std::collections::BTreeSet;

use hushwing_sansio::{Moment, Timestamp};

use super::lane::LaneId;
use super::letter::{RouteRecord, RouteState};
use crate::{Address, SendFailure, SendId, Stage, frame, seal};

pub(super) struct Route {
    pub(super) address: Address,
    pub(super) lane: LaneId,
    pub(super) state: RouteState,
    parts: u16,
    /// All parts below were accepted, and these above it.
    prefix: u16,
    accepted: BTreeSet<u16>,
    /// The next part never sent in this run, and those to be sent again.
    cursor: u16,
    again: BTreeSet<u16>,
    pub(super) flights: BTreeSet<SendId>,
    /// When it is sent again as expired.
    pub(super) expiry: Option<Moment>,
    pub(super) stage: Option<Stage>,
    /// When it was first handed to its network in this run.
    pub(super) begun: Option<Timestamp>,
    pub(super) attempts: u32,
    pub(super) last_failure: Option<SendFailure>,
}

impl Route {
    pub(super) fn new(
        address: Address,
        lane: LaneId,
        length: usize,
        state: RouteState,
        prefix: u16,
    ) -> Self {
        let parts = frame::part_count(length, seal::frame_len(&address.seal));
        let prefix = prefix.min(parts);
        Self {
            address,
            lane,
            state,
            parts,
            prefix,
            accepted: BTreeSet::new(),
            cursor: prefix,
            again: BTreeSet::new(),
            flights: BTreeSet::new(),
            expiry: None,
            stage: None,
            begun: None,
            attempts: 0,
            last_failure: None,
        }
    }

    pub(super) fn parts(&self) -> u16 {
        self.parts
    }

    pub(super) fn prefix(&self) -> u16 {
        self.prefix
    }

    /// Starts over: every part is to be sent.
    pub(super) fn restart(&mut self) {
        self.state = RouteState::Sending;
        self.prefix = 0;
        self.cursor = 0;
        self.accepted.clear();
        self.again.clear();
        self.stage = None;
    }

    /// The next part to send, in ascending order as far as failures allow.
    pub(super) fn take_part(&mut self) -> Option<u16> {
        if self.state != RouteState::Sending {
            return None;
        }
        if let Some(part) = self.again.pop_first() {
            return Some(part);
        }
        let part = self.cursor;
        (part < self.parts).then(|| {
            self.cursor = self.cursor.saturating_add(1);
            part
        })
    }

    /// Puts a part back that did not get through.
    pub(super) fn give_back(&mut self, part: u16) {
        self.again.insert(part);
    }

    /// Notes that a part was accepted; `true` if that was the last.
    pub(super) fn accept_part(&mut self, part: u16) -> bool {
        self.accepted.insert(part);
        while self.accepted.remove(&self.prefix) {
            self.prefix = self.prefix.saturating_add(1);
        }
        self.prefix >= self.parts
    }

    pub(super) fn record(&self) -> RouteRecord {
        let done = matches!(self.state, RouteState::Accepted { .. });
        let above = u16::try_from(self.accepted.len()).unwrap_or(u16::MAX);
        RouteRecord {
            network: self.address.network,
            state: self.state,
            stage: self.stage,
            begun: self.begun,
            attempts: self.attempts,
            last_failure: self.last_failure,
            accepted_parts: if done {
                self.parts
            } else {
                self.prefix.saturating_add(above)
            },
            parts: self.parts,
        }
    }
}
