//! What is told to many, to each at a moment of its own: told to all at once, it would
//! show a relay that has mailboxes of several that they know one person.
//!
//! The moments are of one run. What is still to be told lies in storage, and is planned
//! again by the next.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_sansio::{Context, Moment};

/// When who is told; `K` says who, and what.
pub(super) struct Spread<K>(BTreeMap<K, Moment>);

impl<K> Default for Spread<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Copy + Ord> Spread<K> {
    /// Plans it for a random moment within `time`, unless it is planned.
    pub(super) fn plan(&mut self, cx: &mut Context<'_>, key: K, time: Duration) {
        let planned = self.0.entry(key);
        planned.or_insert_with(|| {
            let wait = cx.random_time_below(time);
            cx.now() + wait
        });
    }

    /// When it is time for the next.
    pub(super) fn due(&self) -> Option<Moment> {
        self.0.values().min().copied()
    }

    /// Takes out those whose time has come.
    pub(super) fn take(&mut self, now: Moment) -> Vec<K> {
        let due = self.0.extract_if(.., |_, due| *due <= now);
        due.map(|(key, _)| key).collect()
    }

    pub(super) fn forget(&mut self, key: &K) {
        self.0.remove(key);
    }
}
