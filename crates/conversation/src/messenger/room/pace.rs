//! What one member may make this program send, whoever else asks.
//!
//! Somebody who asks, greets or moves over and over costs letters that may arrive
//! nowhere. Each member has a budget of its own, so nobody pays for another.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_sansio::Moment;

use crate::MemberId;

/// Budgets of members: each has so much at first, and gets one more each `every`.
pub(super) struct Budgets {
    most: u32,
    every: Duration,
    spent: BTreeMap<MemberId, Spent>,
}

#[derive(Clone, Copy)]
struct Spent {
    /// How much of it is gone.
    gone: u32,
    /// Since when the next one grows back.
    since: Moment,
}

impl Budgets {
    /// Of `most`, of which one grows back each `every`.
    pub(super) fn new(most: u32, every: Duration) -> Self {
        Self {
            most,
            every,
            spent: BTreeMap::new(),
        }
    }

    /// Takes so much of what a member has; whether there was that much.
    pub(super) fn take(&mut self, member: MemberId, much: usize, now: Moment) -> bool {
        let much = u32::try_from(much).unwrap_or(u32::MAX);
        let mut spent = self.grown(member, now);
        let gone = spent.gone.saturating_add(much);
        if gone > self.most {
            return false;
        }
        spent.gone = gone;
        self.spent.insert(member, spent);
        true
    }

    /// What a member spent, less what grew back since.
    fn grown(&self, member: MemberId, now: Moment) -> Spent {
        let fresh = Spent {
            gone: 0,
            since: now,
        };
        let Some(mut spent) = self.spent.get(&member).copied() else {
            return fresh;
        };
        while spent.gone > 0 && spent.since + self.every <= now {
            spent.gone -= 1;
            spent.since = spent.since + self.every;
        }
        match spent.gone {
            0 => fresh,
            _ => spent,
        }
    }

    /// Forgets a member.
    pub(super) fn forget(&mut self, member: MemberId) {
        self.spent.remove(&member);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_spent_all_gets_one_at_a_time_and_nobody_else_pays() {
        let at = |seconds| Moment::from_origin(Duration::from_secs(seconds));
        let (one, other) = (MemberId(1), MemberId(2));
        let mut budgets = Budgets::new(3, Duration::from_secs(10));
        assert!(!budgets.take(one, 4, at(0)));
        assert!(budgets.take(one, 3, at(0)));
        assert!(!budgets.take(one, 1, at(9)));
        assert!(budgets.take(other, 3, at(9)));
        assert!(budgets.take(one, 1, at(10)));
        assert!(!budgets.take(one, 1, at(19)));
        assert!(budgets.take(one, 2, at(30)));
        assert!(budgets.take(one, 3, at(1_000_000)));
        assert!(!budgets.take(one, 1, at(1_000_000)));
    }
}
