//! A toy network: the contract in its smallest form, and ways to break it.
//!
//! A client keeps one stream to a hub that stores envelopes until they are
//! acknowledged. It has no security at all; whoever knows a queue reads it.
//!
//! ```text
//! client ── Open, Put, Fetch, Ack … ──► hub     each a 4-byte length, then
//! client ◄─ Opened, Taken, Card, Mail … ─ hub   postcard
//! ```

mod client;
mod hub;
mod wire;

pub use client::{ToyClient, ToyStore};
pub use hub::Hub;

use hushwing_delivery::NetworkTag;
use hushwing_sansio::{Machine, StorageError};

use crate::room::{NetworkRoom, Room};
use crate::{Dice, Netem};

/// A promise a toy network breaks, to see whether the suite notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Mutant {
    /// Keeps the contract.
    #[default]
    None,
    /// Acknowledges to the hub what has arrived but is not yet committed.
    AcknowledgesEarly,
    /// Says `Accepted` once the bytes are sent, before the hub has them.
    AcceptsEarly,
    /// Forgets its mailboxes at a restart.
    ForgetsMailboxes,
    /// The hub keeps what it took in memory only.
    HubForgets,
    /// The hub gives a one-time card to everybody.
    OneTimeForAll,
    /// The hub drops what does not fit instead of saying that it is full.
    DropsWhenFull,
}

impl Mutant {
    const ALL: [Self; 7] = [
        Self::None,
        Self::AcknowledgesEarly,
        Self::AcceptsEarly,
        Self::ForgetsMailboxes,
        Self::HubForgets,
        Self::OneTimeForAll,
        Self::DropsWhenFull,
    ];

    fn of(number: u8) -> Self {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or_default()
    }
}

/// The toy network; `MUTANT` is a [`Mutant`] as a number.
pub struct Toy<const MUTANT: u8 = 0>;

impl<const MUTANT: u8> Room for Toy<MUTANT> {
    type Machine = ToyClient;
    type Store = ToyStore;

    fn open(store: &mut ToyStore) -> Result<ToyClient, StorageError> {
        Ok(ToyClient::open(store, Mutant::of(MUTANT)))
    }

    fn lend(store: &mut ToyStore) -> &mut <ToyClient as Machine>::Storage {
        store
    }
}

impl<const MUTANT: u8> NetworkRoom for Toy<MUTANT> {
    type Server = Hub;
    const TAG: NetworkTag = NetworkTag::TOY;

    fn server(dice: Dice, netem: &Netem) -> Hub {
        Hub::new(dice, netem.clone(), Mutant::of(MUTANT))
    }

    fn store(_: &Hub) -> ToyStore {
        ToyStore::default()
    }
}
