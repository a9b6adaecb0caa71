//! When a connection was heard of last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hushwing_sansio::Moment;

/// Written by the connection with every block, read by the writer's rounds: a
/// timer in each of many idle connections would cost more.
pub(super) struct LastHeard(AtomicU64);

impl LastHeard {
    pub(super) fn at(now: Moment) -> Self {
        Self(AtomicU64::new(millis(now)))
    }

    pub(super) fn note(&self, now: Moment) {
        self.0.store(millis(now), Ordering::Relaxed);
    }

    pub(super) fn is_silent_for(&self, patience: Duration, now: Moment) -> bool {
        let since = millis(now).saturating_sub(self.0.load(Ordering::Relaxed));
        Duration::from_millis(since) >= patience
    }
}

fn millis(moment: Moment) -> u64 {
    let since = moment.since(Moment::default());
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
