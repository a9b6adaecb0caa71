//! A network that falls apart for a while. Servers take what is sent across and keep
//! it, as they do for whoever is away.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::NetworkTag;
use hushwing_sansio::{Input, StorageError};

use super::servers::Arrival;
use super::{Home, Incoming, Village};

/// Which side everybody is on.
#[derive(Default)]
pub(super) struct Partition {
    /// Who is on none is on all.
    sides: BTreeMap<Home, usize>,
    /// What waits for the other side.
    held: Vec<Arrival>,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// To whom.
    pub home: Home,
    /// When, since everything began.
    pub at: Duration,
}

impl Partition {
    /// Keeps a letter that cannot get across; gives back one that can.
    pub(super) fn hold(&mut self, by: Home, arrival: Arrival) -> Option<Arrival> {
        let (to, ..) = arrival;
        let sides = self.sides.get(&by).zip(self.sides.get(&to));
        if sides.is_none_or(|(by, to)| by == to) {
            return Some(arrival);
        }
        self.held.push(arrival);
        None
    }
}

impl Village {
    /// Nothing gets from one of these sides to another until they heal.
    pub fn part(&mut self, sides: &[&[Home]]) {
        let numbered = sides.iter().enumerate();
        let all = numbered.flat_map(|(side, homes)| homes.iter().map(move |home| (*home, side)));
        self.network.partition.sides = all.collect();
    }

    /// All reach each other again; what was kept is on its way.
    pub fn heal(&mut self) {
        let partition = core::mem::take(&mut self.network.partition);
        for arrival in partition.held {
            self.network.deliver(arrival);
        }
    }

    /// How long it is since everything began.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.clock
    }

    /// The next thing happens: somebody is told something, or a timer rings, if need
    /// be once time has passed. `None` if nothing will.
    ///
    /// # Errors
    ///
    /// When a machine fails, which is a bug.
    pub fn step(&mut self) -> Result<Option<Step>, StorageError> {
        loop {
            self.network.release(self.clock);
            let at = self.clock;
            if let Some((home, event)) = self.network.step(self.entropy.as_mut()) {
                let network = NetworkTag::TOY;
                self.call(home, Input::Command(Incoming::Network { network, event }))?;
                return Ok(Some(Step { home, at }));
            }
            if let Some(home) = self.due() {
                self.call(home, Input::Timeout)?;
                return Ok(Some(Step { home, at }));
            }
            match self.next_timer() {
                Some(next) => self.clock = next.max(self.clock),
                None => return Ok(None),
            }
        }
    }
}
