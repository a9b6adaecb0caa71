//! One letter in the outbox.

use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::super::lane::{LaneId, Lanes};
use super::super::letter::{Keep, RouteState, Urgency, Whereabouts};
use super::super::route::Route;
use super::super::row::{self, KeepRow, LetterRow, RouteRow, StateRow};
use crate::frame::RepeatId;
use crate::{Address, Letter};

pub(super) struct Entry {
    pub(super) repeat: RepeatId,
    pub(super) length: usize,
    pub(super) urgency: Urgency,
    pub(super) keep: Keep,
    pub(super) posted: Timestamp,
    pub(super) accepted: Option<Timestamp>,
    pub(super) routes: Vec<Route>,
    /// When the next waiting address is tried.
    pub(super) next_address: Option<Moment>,
    /// When the last resort is tried if nothing took the letter.
    pub(super) last_resort: Option<Moment>,
    /// When those addresses are given up that did not take it while another did.
    pub(super) enough: Option<Moment>,
}

impl Entry {
    pub(super) fn new(
        letter: &Letter,
        repeat: RepeatId,
        posted: Timestamp,
        lanes: &mut Lanes,
    ) -> Self {
        let length = letter.bytes.len();
        let known: Vec<_> = letter.to.iter().map(|address| lanes.of(address)).collect();
        let sound = known.iter().position(|lane| !lanes.is_failing(*lane));
        let first = sound.unwrap_or(0);
        let routes = letter.to.iter().zip(known).enumerate();
        let routes = routes.map(|(at, (address, lane))| {
            let state = if at == first || letter.urgency == Urgency::Urgent {
                RouteState::Sending
            } else {
                RouteState::Waiting
            };
            Route::new(address.clone(), lane, length, state, 0)
        });
        let mut routes: Vec<Route> = routes.collect();
        for address in &letter.last_resort {
            let lane = lanes.of(address);
            let state = RouteState::Reserved;
            routes.push(Route::new(address.clone(), lane, length, state, 0));
        }
        Self {
            repeat,
            length,
            urgency: letter.urgency,
            keep: letter.keep,
            posted,
            accepted: None,
            routes,
            next_address: None,
            last_resort: None,
            enough: None,
        }
    }

    /// Whether nothing more is to come of it: it was to be taken by one address, or by each
    /// in use, and was. Who takes a letter first may be who loses it.
    pub(super) fn is_over(&self) -> bool {
        let all = self.urgency == Urgency::Urgent && self.keep == Keep::UntilAccepted;
        let mut routes = self.routes.iter();
        let under_way = all && routes.any(|route| route.state == RouteState::Sending);
        self.keep != Keep::UntilSettled && self.accepted.is_some() && !under_way
    }

    /// Where it goes first, if it is sent for somebody else.
    pub(super) fn lane_for_others(&self) -> Option<LaneId> {
        let first = self.routes.first().map(|route| route.lane);
        first.filter(|_| self.keep == Keep::ForOthers)
    }

    /// Whether none of the addresses it is to go to takes anything.
    pub(super) fn is_stuck(&self, lanes: &Lanes) -> bool {
        let open = |state| matches!(state, RouteState::Sending | RouteState::Waiting);
        let mut routes = self.routes.iter().filter(|route| open(route.state));
        routes.all(|route| lanes.takes_nothing(route.lane))
    }

    /// The addresses held back as a last resort.
    pub(super) fn reserved(&self) -> Vec<usize> {
        let routes = self.routes.iter().enumerate();
        let reserved = routes.filter(|(_, route)| route.state == RouteState::Reserved);
        reserved.map(|(at, _)| at).collect()
    }

    /// Whether something may still come of an address in use or to be used.
    pub(super) fn has_hope(&self) -> bool {
        let over =
            |route: &Route| matches!(route.state, RouteState::Failed(_) | RouteState::Reserved);
        !self.routes.iter().all(over)
    }

    /// The first address not yet tried.
    pub(super) fn waiting(&self) -> Option<usize> {
        self.routes
            .iter()
            .position(|route| route.state == RouteState::Waiting)
    }

    pub(super) fn whereabouts(&self) -> Whereabouts {
        Whereabouts {
            posted: self.posted,
            accepted: self.accepted,
            routes: self.routes.iter().map(Route::record).collect(),
        }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, StorageError> {
        row::encode(&LetterRow {
            repeat: self.repeat.0,
            length: u32::try_from(self.length).unwrap_or(u32::MAX),
            urgent: self.urgency == Urgency::Urgent,
            keep: KeepRow::of(self.keep),
            posted: self.posted.as_millis(),
            accepted: self.accepted.map(Timestamp::as_millis),
            routes: self
                .routes
                .iter()
                .map(|route| RouteRow {
                    address: route.address.encode(),
                    state: StateRow::of(route.state, route.prefix()),
                })
                .collect(),
        })
    }

    pub(super) fn decode(bytes: &[u8], lanes: &mut Lanes) -> Result<Self, StorageError> {
        let corrupt = || StorageError::corrupt("read a letter of the outbox");
        let row: LetterRow = row::decode(bytes)?;
        let length = usize::try_from(row.length).map_err(|_| corrupt())?;
        let mut routes = Vec::with_capacity(row.routes.len());
        for route in &row.routes {
            let address =
                Address::decode(&route.address).map_err(|error| corrupt().because(error))?;
            let (state, prefix) = route.state.state();
            let lane = lanes.of(&address);
            routes.push(Route::new(address, lane, length, state, prefix));
        }
        Ok(Self {
            repeat: RepeatId(row.repeat),
            length,
            urgency: if row.urgent {
                Urgency::Urgent
            } else {
                Urgency::Normal
            },
            keep: row.keep.keep(),
            posted: Timestamp::from_millis(row.posted),
            accepted: row.accepted.map(Timestamp::from_millis),
            routes,
            next_address: None,
            last_resort: None,
            enough: None,
        })
    }
}
