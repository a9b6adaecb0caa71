//! The embedded relay of a home, and how it waits for its port.
//!
//! Its address is in the hands of contacts, so it can listen at one port only.
//! Where another program took that port, everything else goes on meanwhile, and
//! the relay starts once the port is free.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// A relay whose port another program has, or had before it could not start for
/// another reason.
#[derive(Clone)]
struct Waiting {
    address: ServerAddress,
    next: Instant,
    /// Why the last attempt failed, unless for its port.
    other: Option<Arc<Error>>,
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
        let other = None;
        *self.stage() = Stage::Waiting(Waiting {
            address,
            next,
            other,
        });
    }

    /// While it waited it could not start for another reason than its port; the
    /// next try is after `rest`.
    pub(crate) fn failed(&self, error: Error, rest: Duration) {
        if let Stage::Waiting(waiting) = &mut *self.stage() {
            waiting.next = Instant::now() + rest;
            waiting.other = Some(Arc::new(error));
        }
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
        let problem = match waiting.other {
            Some(other) => cannot_start(&other),
            None => port_taken(waiting.address.server.port),
        };
        Some((problem, rest))
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

/// That something else than its port keeps the embedded relay from starting.
fn cannot_start(why: &Error) -> Error {
    let message = format!("the embedded relay cannot start: {why}");
    Error::new(why.kind(), message).with_advice(why.advice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_the_relay_from_starting_is_told_as_it_is_now() {
        let text = format!("smp://{}=@127.0.0.1:5223", "A".repeat(43));
        let embedded = Embedded::default();
        let kind = || embedded.problem().map(|(problem, _)| problem.kind());
        embedded.failed(Error::new(ErrorKind::Internal, "none waits"), FIRST_REST);
        assert_eq!(kind(), None);
        embedded.wait(text.parse().unwrap(), Duration::ZERO);
        assert_eq!(kind(), Some(ErrorKind::PortInUse));
        let full = Error::new(ErrorKind::DiskFull, "no space is left");
        embedded.failed(full, LONGEST_REST);
        let (problem, rest) = embedded.problem().unwrap();
        assert_eq!(problem.kind(), ErrorKind::DiskFull);
        assert!(problem.to_string().ends_with("no space is left"));
        assert!(rest > FIRST_REST);
        embedded.wait(text.parse().unwrap(), FIRST_REST);
        assert_eq!(kind(), Some(ErrorKind::PortInUse));
    }

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
