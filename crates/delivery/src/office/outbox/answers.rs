//! What networks answer, and what time brings.

use hushwing_sansio::{Context, StorageError};

use super::super::lane::{LaneId, RouteKey};
use super::super::letter::{Keep, LetterId, OfficeEvent, RouteState};
use super::super::storage::Storage;
use super::super::{Outward, timing};
use super::{Outbox, Timer};
use crate::{Locator, NetworkCommand, NetworkTag, SendFailure, SendId, Stage};

/// How many parts of a long letter may be sent again needlessly after a
/// restart, so that not every part costs a write.
const PREFIX_STEP: u16 = 32;

impl Outbox {
    pub(in super::super) fn accepted(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        send: SendId,
    ) -> Result<(), StorageError> {
        let Some((key, part, lane)) = self.land(send) else {
            return Ok(());
        };
        self.lanes.answered(lane);
        let (letter, index) = key;
        let Some(entry) = self.letters.get_mut(&letter) else {
            return Ok(());
        };
        let Some(route) = entry.routes.get_mut(index) else {
            return Ok(());
        };
        route.last_failure = None;
        let network = route.address.network;
        let before = route.prefix();
        if route.accept_part(part) {
            route.state = RouteState::Accepted { at: cx.wall() };
            let first = entry
                .accepted
                .replace(entry.accepted.unwrap_or(cx.wall()))
                .is_none();
            if first {
                out.event(OfficeEvent::Accepted { letter, network });
            }
            if entry.is_over() {
                self.forget(cx, storage, out, letter, false)?;
            } else {
                let head = entry.encode()?;
                storage.set_letter_head(letter, &head)?;
                match entry.keep {
                    Keep::UntilSettled => self.plan_expiry(cx, key),
                    Keep::UntilAccepted | Keep::ForOthers => self.plan_enough(cx, letter),
                }
            }
        } else if before / PREFIX_STEP != route.prefix() / PREFIX_STEP {
            let head = entry.encode()?;
            storage.set_letter_head(letter, &head)?;
        }
        self.pump(cx, storage, out, lane, None)
    }

    pub(in super::super) fn failed(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        send: SendId,
        reason: SendFailure,
    ) -> Result<(), StorageError> {
        let Some((key, part, lane)) = self.land(send) else {
            return Ok(());
        };
        if !reason.is_retriable() {
            self.lanes.answered(lane);
            self.fail_route(cx, storage, out, key, reason)?;
            return self.pump(cx, storage, out, lane, None);
        }
        let first = self.lanes.failed(lane, reason);
        if let Some(route) = self
            .letters
            .get_mut(&key.0)
            .and_then(|entry| entry.routes.get_mut(key.1))
        {
            route.give_back(part);
            route.last_failure = Some(reason);
            route.stage = None;
        }
        self.enqueue(key);
        self.hasten(cx, first.then_some(lane), key);
        if first && let Some(state) = self.lanes.get_mut(lane) {
            let resume = cx.now() + timing::back_off(cx, reason, state.failures);
            state.resume = Some(resume);
            self.timers.insert((resume, Timer::Lane(lane)));
        }
        Ok(())
    }

    pub(in super::super) fn progress(&mut self, out: &mut Outward, send: SendId, stage: Stage) {
        let Some(flight) = self.flights.get(&send) else {
            return;
        };
        let (letter, index) = flight.route;
        let route = self
            .letters
            .get_mut(&letter)
            .and_then(|entry| entry.routes.get_mut(index));
        if let Some(route) = route.filter(|route| route.stage != Some(stage)) {
            route.stage = Some(stage);
            let network = route.address.network;
            out.event(OfficeEvent::Progress {
                letter,
                network,
                stage,
            });
        }
    }

    /// A network restarted and knows of nothing it was asked to send.
    pub(in super::super) fn network_lost(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        network: NetworkTag,
    ) -> Result<(), StorageError> {
        self.take_back(|at| at == network);
        self.pump_all(cx, storage, out)
    }

    /// From now on nothing leaves, and what a network has not taken yet is called back; or it
    /// does again.
    pub(in super::super) fn hold(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        held: bool,
    ) -> Result<(), StorageError> {
        self.held = held;
        if held {
            for send in self.flights.keys() {
                self.cancel_at_network(out, *send);
            }
            self.take_back(|_| true);
        }
        self.pump_all(cx, storage, out)
    }

    pub(in super::super) fn is_held(&self) -> bool {
        self.held
    }

    /// What is in the air on some networks is to be sent once more.
    fn take_back(&mut self, on: impl Fn(NetworkTag) -> bool) {
        let lost: Vec<SendId> = self
            .letters
            .values()
            .flat_map(|entry| &entry.routes)
            .filter(|route| on(route.address.network))
            .flat_map(|route| route.flights.iter().copied())
            .collect();
        for send in lost {
            let Some((key, part, lane)) = self.land(send) else {
                continue;
            };
            if let Some(state) = self.lanes.get_mut(lane) {
                state.in_flight = state.in_flight.saturating_sub(1);
            }
            if let Some(route) = self
                .letters
                .get_mut(&key.0)
                .and_then(|entry| entry.routes.get_mut(key.1))
            {
                route.give_back(part);
            }
            self.enqueue(key);
        }
    }

    /// A server of a network serves again: each lane to these locators that
    /// waits tries with one envelope.
    pub(in super::super) fn reachable(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        network: NetworkTag,
        locators: &[Locator],
    ) -> Result<(), StorageError> {
        for locator in locators {
            let Some(lane) = self.lanes.find(network, locator) else {
                continue;
            };
            let Some(state) = self.lanes.get_mut(lane).filter(|state| !state.full) else {
                continue;
            };
            if let Some(resume) = state.resume.take() {
                self.drop_timer(Some(resume), Timer::Lane(lane));
                self.pump(cx, storage, out, lane, None)?;
            }
        }
        Ok(())
    }

    /// Gives one address of a letter up, and the letter with its last.
    pub(super) fn fail_route(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        key: RouteKey,
        reason: SendFailure,
    ) -> Result<(), StorageError> {
        self.withdraw(out, key);
        let (letter, index) = key;
        let Some(entry) = self.letters.get_mut(&letter) else {
            return Ok(());
        };
        if let Some(route) = entry.routes.get_mut(index) {
            route.state = RouteState::Failed(reason);
            route.last_failure = Some(reason);
        }
        if entry.is_over() {
            self.forget(cx, storage, out, letter, false)?;
            return Ok(());
        }
        if !entry.has_hope() && !entry.reserved().is_empty() {
            return self.resort(cx, storage, out, letter);
        }
        if !entry.has_hope() {
            let tried = entry.routes.iter().map(|route| route.address.clone());
            let tried = tried.collect();
            out.event(OfficeEvent::Failed {
                letter,
                reason,
                tried,
            });
            self.forget(cx, storage, out, letter, false)?;
            return Ok(());
        }
        let head = entry.encode()?;
        storage.set_letter_head(letter, &head)?;
        self.start_next(cx, storage, out, letter)
    }

    /// Starts the next waiting address of a letter, if any.
    pub(super) fn start_next(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        letter: LetterId,
    ) -> Result<(), StorageError> {
        let Some(entry) = self.letters.get_mut(&letter) else {
            return Ok(());
        };
        let due = entry.next_address.take();
        let next = entry.waiting();
        self.drop_timer(due, Timer::NextAddress(letter));
        let Some(index) = next else {
            return Ok(());
        };
        self.send_again(cx, storage, out, (letter, index))?;
        self.plan_next_address(cx, letter);
        Ok(())
    }

    /// Something that was to go to one address failed: its letter's next address
    /// is tried soon, and those of all letters that wait in `lane`, if it failed
    /// just now.
    fn hasten(&mut self, cx: &mut Context<'_>, lane: Option<LaneId>, failed: RouteKey) {
        let lane = lane.and_then(|lane| self.lanes.get_mut(lane));
        let pending = lane.map(|lane| lane.pending.clone());
        let mut letters: Vec<LetterId> = pending.into_iter().flatten().map(|key| key.0).collect();
        if !letters.contains(&failed.0) {
            letters.push(failed.0);
        }
        for letter in letters {
            let soon = cx.now() + timing::after_refusal(cx);
            let Some(entry) = self.letters.get_mut(&letter) else {
                continue;
            };
            if entry.waiting().is_none() || entry.next_address.is_some_and(|at| at <= soon) {
                continue;
            }
            let before = entry.next_address.replace(soon);
            self.drop_timer(before, Timer::NextAddress(letter));
            self.timers.insert((soon, Timer::NextAddress(letter)));
        }
    }

    /// Tries the last resort of a letter that nothing took.
    pub(super) fn resort(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        letter: LetterId,
    ) -> Result<(), StorageError> {
        let Some(entry) = self.letters.get_mut(&letter) else {
            return Ok(());
        };
        let due = entry.last_resort.take();
        let reserved = match entry.accepted {
            None => entry.reserved(),
            Some(_) if !entry.has_hope() => entry.reserved(),
            Some(_) => Vec::new(),
        };
        self.drop_timer(due, Timer::LastResort(letter));
        for route in reserved {
            self.send_again(cx, storage, out, (letter, route))?;
        }
        Ok(())
    }

    /// Sends a letter to one of its addresses from the start.
    pub(super) fn send_again(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        key: RouteKey,
    ) -> Result<(), StorageError> {
        let (letter, index) = key;
        let Some(entry) = self.letters.get_mut(&letter) else {
            return Ok(());
        };
        let Some(route) = entry.routes.get_mut(index) else {
            return Ok(());
        };
        route.expiry = None;
        route.restart();
        let lane = route.lane;
        let head = entry.encode()?;
        storage.set_letter_head(letter, &head)?;
        self.enqueue(key);
        self.pump(cx, storage, out, lane, None)
    }

    /// A lane's wait is over.
    pub(super) fn reopen(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        lane: LaneId,
    ) -> Result<(), StorageError> {
        if let Some(state) = self.lanes.get_mut(lane) {
            state.resume = None;
        }
        self.pump(cx, storage, out, lane, None)
    }

    pub(super) fn reopen_if_full(&mut self, lane: LaneId) {
        let Some(state) = self.lanes.get_mut(lane).filter(|state| state.full) else {
            return;
        };
        state.full = false;
        let resume = state.resume.take();
        self.drop_timer(resume, Timer::Lane(lane));
    }

    pub(super) fn pump_all(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
    ) -> Result<(), StorageError> {
        for lane in self.lanes.ids() {
            self.pump(cx, storage, out, lane, None)?;
        }
        Ok(())
    }

    /// Takes a route out of its lane and calls its envelopes back.
    pub(super) fn withdraw(&mut self, out: &mut Outward, key: RouteKey) {
        let Some(route) = self
            .letters
            .get_mut(&key.0)
            .and_then(|entry| entry.routes.get_mut(key.1))
        else {
            return;
        };
        let flights = core::mem::take(&mut route.flights);
        let lane = route.lane;
        if let Some(state) = self.lanes.get_mut(lane) {
            state.pending.remove(&key);
            state.in_flight = state.in_flight.saturating_sub(flights.len());
        }
        for send in flights {
            self.cancel_at_network(out, send);
            if let Some(flight) = self.flights.remove(&send) {
                self.timers.remove(&(flight.stall, Timer::Stall(send)));
            }
        }
    }

    pub(super) fn cancel_at_network(&self, out: &mut Outward, send: SendId) {
        let network = self
            .flights
            .get(&send)
            .and_then(|flight| {
                self.letters
                    .get(&flight.route.0)?
                    .routes
                    .get(flight.route.1)
            })
            .map(|route| route.address.network);
        if let Some(network) = network {
            out.command(network, NetworkCommand::Cancel { send });
        }
    }

    /// Ends a flight; `None` if it is unknown, because it was called back or
    /// belongs to an earlier run.
    fn land(&mut self, send: SendId) -> Option<(RouteKey, u16, LaneId)> {
        let flight = self.flights.remove(&send)?;
        self.timers.remove(&(flight.stall, Timer::Stall(send)));
        if let Some(route) = self
            .letters
            .get_mut(&flight.route.0)
            .and_then(|entry| entry.routes.get_mut(flight.route.1))
        {
            route.flights.remove(&send);
        }
        Some((flight.route, flight.part, flight.lane))
    }
}
