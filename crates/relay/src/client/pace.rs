//! How often a server is dialled, and what its return sets free.
//!
//! Whoever is written to chooses the server, so a server must not be able to
//! quicken its own dialling, let alone that of others: only what somebody asks
//! for now does, and trouble ends by service, not by a greeting.

use core::time::Duration;
use std::collections::BTreeSet;

use hushwing_delivery::Locator;
use hushwing_sansio::{Context, Moment};

use super::session::Ended;

/// Longest wait between attempts to connect: somebody waits for what comes.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// From here on an outage is a long one.
const LONG_OUTAGE: Duration = Duration::from_secs(300);
/// Longest wait in a long outage, so that a relay that comes back is not met by
/// all its clients within seconds.
const LONGEST_WAIT_IN_LONG_OUTAGE: Duration = Duration::from_secs(60);
/// What somebody asks for now waits no longer than this after the last attempt.
const WAIT_FOR_NEW: Duration = Duration::from_secs(2);
/// A return is told no oftener than this.
const BETWEEN_RETURNS: Duration = LONGEST_WAIT_IN_LONG_OUTAGE;
/// A server nobody needs is remembered for so long, and with it its pace: longer
/// than whoever failed there rests before the next attempt.
const MEMORY: Duration = Duration::from_secs(300);

/// The pace of one server.
#[derive(Default)]
pub(super) struct Pace {
    /// Connections and attempts that ended since it last served.
    failures: u32,
    /// Since when it does not serve, and why the last connection or attempt
    /// ended.
    down: Option<(Moment, Ended)>,
    retry_at: Moment,
    tried_at: Option<Moment>,
    ended_at: Option<Moment>,
    /// Where sends failed since it last served: as many as are written to.
    stranded: BTreeSet<Vec<u8>>,
    told_at: Option<Moment>,
}

impl Pace {
    /// Since when there is trouble, and why.
    pub(super) fn down(&self) -> Option<(Moment, Ended)> {
        self.down
    }

    /// When the next attempt may be made.
    pub(super) fn next(&self) -> Moment {
        self.retry_at
    }

    /// When a server that nobody needs is forgotten.
    pub(super) fn forget_at(&self) -> Moment {
        self.ended_at
            .map_or(Moment::default(), |ended| ended + MEMORY)
    }

    /// An attempt is made.
    pub(super) fn tried(&mut self, now: Moment) {
        self.tried_at = Some(now);
    }

    /// A connection or an attempt ended: the next waits longer. Also where
    /// another server answered: the right one may be back soon.
    pub(super) fn ended(&mut self, cx: &mut Context<'_>, why: Ended) {
        let now = cx.now();
        let since = self.down.map_or(now, |(since, _)| since);
        self.down = Some((since, why));
        let longest = if now < since + LONG_OUTAGE {
            LONGEST_WAIT
        } else {
            LONGEST_WAIT_IN_LONG_OUTAGE
        };
        let wait = Duration::from_secs(1 << self.failures.min(6)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now + jitter(cx, wait);
        self.ended_at = Some(now);
    }

    /// Somebody asks for something now.
    pub(super) fn hurry(&mut self) {
        if let Some(tried) = self.tried_at {
            self.retry_at = self.retry_at.min(tried + WAIT_FOR_NEW);
        }
    }

    /// The server did what it was asked: the trouble is over. Gives the
    /// locators to be told of that, if it is to be told now.
    pub(super) fn served(&mut self, now: Moment) -> Vec<Locator> {
        self.failures = 0;
        self.down = None;
        let told = self.told_at.is_some_and(|at| now < at + BETWEEN_RETURNS);
        if told || self.stranded.is_empty() {
            return Vec::new();
        }
        self.told_at = Some(now);
        let free = core::mem::take(&mut self.stranded);
        free.into_iter().map(Locator).collect()
    }

    /// A send to this locator failed because of the server.
    pub(super) fn strand(&mut self, locator: Locator) {
        self.stranded.insert(locator.0);
    }

    /// Whether a send to it failed since the server last served.
    pub(super) fn is_stranded(&self, locator: &Locator) -> bool {
        self.stranded.contains(&locator.0)
    }

    /// A send to this locator was accepted.
    pub(super) fn freed(&mut self, locator: &Locator) {
        self.stranded.remove(&locator.0);
    }
}

/// Half of `wait`, and a random part of the other half, so that clients of a
/// restarted server do not all come back at once.
fn jitter(cx: &mut Context<'_>, wait: Duration) -> Duration {
    let half = wait / 2;
    let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    half + Duration::from_millis(cx.random_below(millis.saturating_add(1)))
}
