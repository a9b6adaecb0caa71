//! The embedded relay of a home, and how it waits for its port.
//!
//! Its address is in the hands of contacts, so it can listen at one port only.
//! Where another program took that port, everything else goes on meanwhile, and
//! the relay starts once the port is free.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hushwing_relay::address::ServerAddress;
use hushwing_sansio::StorageErrorKind;

use crate::error::{Error, ErrorKind};
use crate::inspection::{Fault, Verdict};
use crate::relay::Relay;

/// First rest before the port is tried again; doubles each time.
pub(crate) const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// The embedded relay, if this home has one.
#[derive(Default)]
pub(crate) struct Embedded(Mutex<Stage>);

#[derive(Default)]
enum Stage {
    /// There is none, or not any more.
    #[default]
    None,
    Running(Relay),
    Waiting(Waiting),
}

/// A relay whose port another program has.
#[derive(Clone)]
struct Waiting {
    address: ServerAddress,
    next: Instant,
}

/// The rest after `rest`.
pub(crate) fn longer(rest: Duration) -> Duration {
    (rest * 2).min(LONGEST_REST)
}

impl Embedded {
    /// It runs.
    pub(crate) fn run(&self, relay: Relay) {
        *self.stage() = Stage::Running(relay);
    }

    /// Its port is taken; the next try is after `rest`.
    pub(crate) fn wait(&self, address: ServerAddress, rest: Duration) {
        let next = Instant::now() + rest;
        *self.stage() = Stage::Waiting(Waiting { address, next });
    }

    /// Whether this home has one, running or waiting.
    pub(crate) fn is_there(&self) -> bool {
        !matches!(*self.stage(), Stage::None)
    }

    /// Its address, whether it runs or waits: mailboxes live there.
    pub(crate) fn address(&self) -> Option<ServerAddress> {
        match &*self.stage() {
            Stage::None => None,
            Stage::Running(relay) => Some(relay.address().clone()),
            Stage::Waiting(waiting) => Some(waiting.address.clone()),
        }
    }

    /// Why it does not run though it should, and how long until the next try.
    pub(crate) fn problem(&self) -> Option<(Error, Duration)> {
        let waiting = self.waiting()?;
        let rest = waiting.next.saturating_duration_since(Instant::now());
        Some((port_taken(waiting.address.server.port), rest))
    }

    /// Whether it waits for its port.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting().is_some()
    }

    /// Whether its database is sound; `None` where it does not run. Slow.
    pub(crate) async fn inspect(&self) -> Option<Verdict> {
        let answer = match &*self.stage() {
            Stage::Running(relay) => relay.inspect(),
            Stage::None | Stage::Waiting(_) => return None,
        };
        let failed = Err(Fault::Storage(StorageErrorKind::Failed));
        Some(answer.await.unwrap_or(failed))
    }

    /// Stops it, if it runs, and waits until what was accepted is on disk.
    pub(crate) async fn stop(&self) {
        let stage = std::mem::take(&mut *self.stage());
        if let Stage::Running(relay) = stage {
            relay.stop().await;
        }
    }

    fn waiting(&self) -> Option<Waiting> {
        match &*self.stage() {
            Stage::Waiting(waiting) => Some(waiting.clone()),
            Stage::None | Stage::Running(_) => None,
        }
    }

    /// A poisoned lock only means that another caller panicked; what it guards
    /// is replaced whole, so it is never half-written.
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That another program listens where the embedded relay should.
fn port_taken(port: u16) -> Error {
    let message = format!("the embedded relay cannot listen: another program has its port {port}");
    Error::new(ErrorKind::PortInUse, message).with_advice(format!(
        "stop that program (`ss -ltnp sport = :{port}` names it); the relay is tried again by \
         itself, and it cannot move to another port, because your contacts know this one"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_up_to_half_a_minute() {
        let mut rest = FIRST_REST;
        let mut rests = Vec::new();
        for _ in 0..7 {
            rests.push(rest.as_secs());
            rest = longer(rest);
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 30, 30]);
    }
}
