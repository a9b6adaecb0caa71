//! The outbox: sole owner of retry, across restarts.
//!
//! A letter has one or more routes (its addresses); each route feeds the lane
//! of its locator with parts; each part in the air is a flight, known to the
//! network by its [`SendId`]. Letters are stored, routes are stored by how far
//! they are, flights are not: after a restart what was in the air is sent
//! again and the far inbox drops the repeat.

mod answers;
mod entry;
mod others;

use std::collections::{BTreeMap, BTreeSet};

use hushwing_sansio::{Context, Moment, StorageError};

use self::entry::Entry;
use self::others::ForOthers;
use super::lane::{LaneId, Lanes, RouteKey};
use super::letter::{
    Keep, Letter, LetterId, MOST_ADDRESSES, PostError, RouteRecord, RouteState, Whereabouts,
};
use super::numbers::Numbers;
use super::storage::Storage;
use super::{Outward, timing};
use crate::frame::{self, FrameHead, RepeatId};
use crate::{
    Address, LONGEST_FIRST_CONTACT, LONGEST_LETTER, NetworkCommand, SealKey, SendFailure, SendId,
    seal,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A lane's wait is over.
    Lane(LaneId),
    /// The next address of a letter is due.
    NextAddress(LetterId),
    /// Nothing took a letter for a day.
    LastResort(LetterId),
    /// One address took a letter a while ago, and the others have not.
    Enough(LetterId),
    /// The network may have let an accepted letter expire.
    Expiry(RouteKey),
    /// The network never answered.
    Stall(SendId),
}

/// Letters for others that are dropped with each that comes.
const MOST_DROPPED: usize = 64;

/// One envelope handed to a network.
struct Flight {
    route: RouteKey,
    part: u16,
    lane: LaneId,
    stall: Moment,
}

pub(super) struct Outbox {
    letters: BTreeMap<LetterId, Entry>,
    lanes: Lanes,
    for_others: ForOthers,
    flights: BTreeMap<SendId, Flight>,
    timers: BTreeSet<(Moment, Timer)>,
    numbers: Numbers,
    /// Whether nothing is to leave.
    held: bool,
}

impl Outbox {
    pub(super) fn open(storage: &mut dyn Storage) -> Result<Self, StorageError> {
        let mut lanes = Lanes::default();
        let mut letters = BTreeMap::new();
        let mut for_others = ForOthers::default();
        for (letter, head) in storage.letters()? {
            let entry = Entry::decode(&head, &mut lanes)?;
            if let Some(lane) = entry.lane_for_others() {
                for_others.note(lane, letter, entry.length);
            }
            letters.insert(letter, entry);
        }
        Ok(Self {
            letters,
            lanes,
            for_others,
            flights: BTreeMap::new(),
            timers: BTreeSet::new(),
            numbers: Numbers::open(storage)?,
            held: false,
        })
    }

    /// Takes up after opening what was left: called once, when the clocks are
    /// known for the first time.
    pub(super) fn wake(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
    ) -> Result<(), StorageError> {
        let letters: Vec<LetterId> = self.letters.keys().copied().collect();
        for letter in letters {
            self.plan_next_address(cx, letter);
            self.plan_last_resort(cx, letter);
            self.plan_enough(cx, letter);
            let routes = self
                .letters
                .get(&letter)
                .map_or(0, |entry| entry.routes.len());
            for route in 0..routes {
                self.plan_expiry(cx, (letter, route));
                self.enqueue((letter, route));
            }
        }
        self.pump_all(cx, storage, out)
    }

    pub(super) fn post(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        letter: &Letter,
    ) -> Result<LetterId, PostError> {
        check(letter)?;
        let id = LetterId(self.numbers.give(storage)?);
        let repeat = RepeatId(cx.random());
        let entry = Entry::new(letter, repeat, cx.wall(), &mut self.lanes);
        storage.insert_letter(id, &entry.encode()?, &letter.bytes)?;
        let lanes: Vec<LaneId> = entry.routes.iter().map(|route| route.lane).collect();
        let crowded = entry.lane_for_others();
        if let Some(lane) = crowded {
            self.for_others.note(lane, id, entry.length);
        }
        self.letters.insert(id, entry);
        // What a network has in part would lie there for nothing.
        let may = |outbox: &Self, letter| letter != id && !outbox.has_begun(letter);
        while let Some(oldest) =
            crowded.and_then(|lane| self.for_others.over(lane, |letter| may(self, letter)))
        {
            self.forget(cx, storage, out, oldest, false)?;
        }
        self.plan_next_address(cx, id);
        self.plan_last_resort(cx, id);
        for (route, lane) in lanes.into_iter().enumerate() {
            self.enqueue((id, route));
            self.pump(cx, storage, out, lane, Some((id, &letter.bytes)))?;
        }
        Ok(id)
    }

    /// Forgets a letter; `false` if there is none. If `received`, its
    /// recipient has read, so mailboxes that were full have room.
    pub(super) fn forget(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        letter: LetterId,
        received: bool,
    ) -> Result<bool, StorageError> {
        let routes = self
            .letters
            .get(&letter)
            .map_or(0, |entry| entry.routes.len());
        for route in 0..routes {
            self.withdraw(out, (letter, route));
        }
        let Some(entry) = self.letters.remove(&letter) else {
            return Ok(false);
        };
        storage.delete_letter(letter)?;
        if let Some(lane) = entry.lane_for_others() {
            self.for_others.forget(lane, letter);
        }
        self.drop_timer(entry.next_address, Timer::NextAddress(letter));
        self.drop_timer(entry.last_resort, Timer::LastResort(letter));
        self.drop_timer(entry.enough, Timer::Enough(letter));
        for (index, route) in entry.routes.iter().enumerate() {
            self.drop_timer(route.expiry, Timer::Expiry((letter, index)));
            if received {
                self.reopen_if_full(route.lane);
            }
            self.pump(cx, storage, out, route.lane, None)?;
        }
        Ok(true)
    }

    pub(super) fn handle_timeout(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
    ) -> Result<(), StorageError> {
        while let Some((at, timer)) = self.timers.first().copied() {
            if at > cx.now() {
                break;
            }
            self.timers.remove(&(at, timer));
            match timer {
                Timer::Lane(lane) => self.reopen(cx, storage, out, lane)?,
                Timer::NextAddress(letter) => self.start_next(cx, storage, out, letter)?,
                Timer::LastResort(letter) => self.resort(cx, storage, out, letter)?,
                Timer::Enough(letter) => {
                    self.forget(cx, storage, out, letter, false)?;
                }
                Timer::Expiry(route) => self.send_again(cx, storage, out, route)?,
                Timer::Stall(send) => {
                    self.cancel_at_network(out, send);
                    self.failed(cx, storage, out, send, SendFailure::Unreachable)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub(super) fn whereabouts(&self, letter: LetterId) -> Option<Whereabouts> {
        self.letters.get(&letter).map(Entry::whereabouts)
    }

    /// The addresses of a letter and how far each is, in the order given.
    pub(super) fn routes(&self, letter: LetterId) -> Vec<(Address, RouteRecord)> {
        let routes = self.letters.get(&letter).map(|entry| entry.routes.iter());
        let routes = routes.into_iter().flatten();
        routes
            .map(|route| (route.address.clone(), route.record()))
            .collect()
    }

    fn has_begun(&self, letter: LetterId) -> bool {
        let routes = self.letters.get(&letter).map(|entry| entry.routes.iter());
        let mut routes = routes.into_iter().flatten();
        routes.any(|route| route.begun.is_some())
    }

    pub(super) fn for_others(&self) -> (usize, usize) {
        self.for_others.total()
    }

    /// Drops of what is sent for others what is more than so many letters, and bytes: of those
    /// who take nothing, as they together have so much waiting, and of any beyond twice that.
    pub(super) fn keep_for_others(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        most: (usize, usize),
    ) -> Result<(), StorageError> {
        let over = |total: (usize, usize)| total.0 > most.0 || total.1 > most.1;
        let lanes = &self.lanes;
        let is_away = |lane| lanes.takes_nothing(lane);
        let mut away = match over(self.for_others.total()) {
            true => self.for_others.total_in(is_away),
            false => return Ok(()),
        };
        for _ in 0..MOST_DROPPED {
            let lanes = &self.lanes;
            let is_away = |lane| lanes.takes_nothing(lane);
            let stuck = |letter| {
                let entry = self.letters.get(&letter);
                entry.is_some_and(|entry| entry.is_stuck(lanes)) && !self.has_begun(letter)
            };
            let Some(oldest) = self
                .for_others
                .heaviest(is_away, stuck)
                .filter(|_| over(away))
            else {
                break;
            };
            let length = self.letters.get(&oldest).map_or(0, |entry| entry.length);
            away = (away.0.saturating_sub(1), away.1.saturating_sub(length));
            self.forget(cx, storage, out, oldest, false)?;
        }
        while let Some(oldest) = self.for_others.beyond(most) {
            self.forget(cx, storage, out, oldest, false)?;
        }
        Ok(())
    }

    pub(super) fn letters(&self) -> impl Iterator<Item = LetterId> {
        self.letters.keys().copied()
    }

    /// The letters all of whose addresses are among `addresses`, oldest first. Of what is sent
    /// for others it is enough that the first one is: who gives one address up after the other
    /// and keeps a dead one would fill more and more of them.
    pub(super) fn letters_to(&self, addresses: &[Address]) -> Vec<LetterId> {
        let gone = |address: &Address| addresses.contains(address);
        let there = self.letters.iter().filter(|(_, entry)| {
            let mut routes = entry.routes.iter().map(|route| &route.address);
            match entry.keep {
                Keep::ForOthers => routes.next().is_none_or(gone),
                _ => routes.all(gone),
            }
        });
        there.map(|(letter, _)| *letter).collect()
    }

    /// Sends from one lane what its window allows. `fresh` is a body at hand,
    /// which saves reading it back.
    fn pump(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        lane: LaneId,
        fresh: Option<(LetterId, &[u8])>,
    ) -> Result<(), StorageError> {
        while !self.held {
            let Some(state) = self.lanes.get_mut(lane).filter(|state| state.is_open()) else {
                return Ok(());
            };
            let Some(key) = state.pending.first().copied() else {
                return Ok(());
            };
            let part = self
                .letters
                .get_mut(&key.0)
                .and_then(|entry| entry.routes.get_mut(key.1))
                .and_then(|route| route.take_part());
            match part {
                None => {
                    state.pending.remove(&key);
                }
                Some(part) => {
                    let body = fresh
                        .filter(|(letter, _)| *letter == key.0)
                        .map(|(_, body)| body);
                    self.launch(cx, storage, out, key, part, body)?;
                }
            }
        }
        Ok(())
    }

    /// Seals one part and hands it to its network.
    fn launch(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        out: &mut Outward,
        key: RouteKey,
        part: u16,
        body: Option<&[u8]>,
    ) -> Result<(), StorageError> {
        let (letter, index) = key;
        let Some(entry) = self.letters.get_mut(&letter) else {
            return Ok(());
        };
        let head = FrameHead {
            repeat: entry.repeat,
            index: part,
            count: 0,
            length: u32::try_from(entry.length).unwrap_or(u32::MAX),
        };
        let Some(route) = entry.routes.get_mut(index) else {
            return Ok(());
        };
        let head = FrameHead {
            count: route.parts(),
            ..head
        };
        let len = frame::chunk_len(seal::frame_len(&route.address.seal));
        let offset = len.saturating_mul(usize::from(part));
        let sealed = match body {
            Some(body) => {
                let end = offset.saturating_add(len).min(body.len());
                let chunk = body.get(offset..end).unwrap_or_default();
                seal::seal(cx, &route.address.seal, |frame| {
                    frame::write(frame, &head, chunk)
                })
            }
            None => {
                let chunk = storage.letter_chunk(letter, offset, len)?;
                seal::seal(cx, &route.address.seal, |frame| {
                    frame::write(frame, &head, &chunk)
                })
            }
        };
        let Ok(envelope) = sealed else {
            return self.fail_route(cx, storage, out, key, SendFailure::Unreadable);
        };
        let send = SendId(self.numbers.give(storage)?);
        let stall = cx.now() + timing::STALL;
        route.flights.insert(send);
        route.begun.get_or_insert(cx.wall());
        route.attempts = route.attempts.saturating_add(1);
        let lane = route.lane;
        let locator = route.address.locator.clone();
        out.command(
            route.address.network,
            NetworkCommand::Send {
                send,
                locator,
                envelope,
            },
        );
        if let Some(state) = self.lanes.get_mut(lane) {
            state.in_flight = state.in_flight.saturating_add(1);
        }
        self.timers.insert((stall, Timer::Stall(send)));
        self.flights.insert(
            send,
            Flight {
                route: key,
                part,
                lane,
                stall,
            },
        );
        Ok(())
    }

    /// Puts a route into its lane if it has something to send.
    fn enqueue(&mut self, key: RouteKey) {
        let route = self
            .letters
            .get(&key.0)
            .and_then(|entry| entry.routes.get(key.1));
        if let Some(route) = route.filter(|route| route.state == RouteState::Sending)
            && let Some(lane) = self.lanes.get_mut(route.lane)
        {
            lane.pending.insert(key);
        }
    }

    fn plan_next_address(&mut self, cx: &mut Context<'_>, letter: LetterId) {
        let Some(entry) = self.letters.get_mut(&letter) else {
            return;
        };
        if entry.waiting().is_some() && entry.next_address.is_none() {
            let at = cx.now() + timing::next_address(cx);
            entry.next_address = Some(at);
            self.timers.insert((at, Timer::NextAddress(letter)));
        }
    }

    fn plan_last_resort(&mut self, cx: &mut Context<'_>, letter: LetterId) {
        let Some(entry) = self.letters.get_mut(&letter) else {
            return;
        };
        if entry.accepted.is_some() || entry.last_resort.is_some() || entry.reserved().is_empty() {
            return;
        }
        let waited = cx.wall().since(entry.posted);
        let at = cx.now() + timing::last_resort(cx).saturating_sub(waited);
        entry.last_resort = Some(at);
        self.timers.insert((at, Timer::LastResort(letter)));
    }

    fn plan_enough(&mut self, cx: &Context<'_>, letter: LetterId) {
        let Some(entry) = self.letters.get_mut(&letter) else {
            return;
        };
        let settles = entry.keep == Keep::UntilSettled;
        let Some(accepted) = entry
            .accepted
            .filter(|_| !settles && entry.enough.is_none())
        else {
            return;
        };
        let at = cx.now() + timing::ENOUGH.saturating_sub(cx.wall().since(accepted));
        entry.enough = Some(at);
        self.timers.insert((at, Timer::Enough(letter)));
    }

    fn plan_expiry(&mut self, cx: &Context<'_>, key: RouteKey) {
        let route = self
            .letters
            .get_mut(&key.0)
            .and_then(|entry| entry.routes.get_mut(key.1));
        if let Some(route) = route
            && let RouteState::Accepted { at } = route.state
        {
            let due = cx.now() + timing::EXPIRY.saturating_sub(cx.wall().since(at));
            route.expiry = Some(due);
            self.timers.insert((due, Timer::Expiry(key)));
        }
    }

    fn drop_timer(&mut self, at: Option<Moment>, timer: Timer) {
        if let Some(at) = at {
            self.timers.remove(&(at, timer));
        }
    }
}

/// What must hold of a letter before it is stored.
fn check(letter: &Letter) -> Result<(), PostError> {
    if letter.to.is_empty() {
        return Err(PostError::NoAddress);
    }
    let addresses = letter.to.len() + letter.last_resort.len();
    if addresses > MOST_ADDRESSES {
        return Err(PostError::TooManyAddresses(addresses));
    }
    let to_stranger = letter
        .to
        .iter()
        .chain(&letter.last_resort)
        .any(|address| matches!(address.seal, SealKey::FirstContact(_)));
    let most = if to_stranger {
        LONGEST_FIRST_CONTACT
    } else {
        LONGEST_LETTER
    };
    if letter.bytes.len() > most {
        return Err(PostError::TooLong {
            got: letter.bytes.len(),
            most,
        });
    }
    Ok(())
}
