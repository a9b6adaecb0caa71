//! One letter in the outbox.

use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::super::lane::Lanes;
use super::super::letter::{Keep, RouteState, Urgency, Whereabouts};
use super::super::route::Route;
use super::super::row::{self, LetterRow, RouteRow, StateRow};
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
}

impl Entry {
    pub(super) fn new(
        letter: &Letter,
        repeat: RepeatId,
        posted: Timestamp,
        lanes: &mut Lanes,
    ) -> Self {
        let length = letter.bytes.len();
        let routes = letter.to.iter().enumerate().map(|(at, address)| {
            let state = if at == 0 || letter.urgency == Urgency::Urgent {
                RouteState::Sending
            } else {
                RouteState::Waiting
            };
            Route::new(address.clone(), lanes.of(address), length, state, 0)
        });
        Self {
            repeat,
            length,
            urgency: letter.urgency,
            keep: letter.keep,
            posted,
            accepted: None,
            routes: routes.collect(),
            next_address: None,
        }
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
            until_accepted: self.keep == Keep::UntilAccepted,
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
            keep: if row.until_accepted {
                Keep::UntilAccepted
            } else {
                Keep::UntilSettled
            },
            posted: Timestamp::from_millis(row.posted),
            accepted: row.accepted.map(Timestamp::from_millis),
            routes,
            next_address: None,
        })
    }
}
