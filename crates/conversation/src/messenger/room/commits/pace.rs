//! What one member may make this program send, whoever else asks.
//!
//! Somebody who asks, greets or moves over and over costs letters that may arrive
//! nowhere. Each member has a budget of its own, so nobody pays for another.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::REGULAR_PAYLOAD;
use hushwing_sansio::Moment;

use crate::MemberId;

/// Budgets of members: each has so much at first, and gets one more each `every`.
pub(in crate::messenger) struct Budgets {
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
    pub(in crate::messenger) fn new(most: u32, every: Duration) -> Self {
        Self {
            most,
            every,
            spent: BTreeMap::new(),
        }
    }

    /// Takes so much of what a member has; whether there was that much.
    pub(in crate::messenger) fn take(
        &mut self,
        member: MemberId,
        much: usize,
        now: Moment,
    ) -> bool {
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

    /// Whether a member has so much.
    fn has(&self, member: MemberId, much: usize, now: Moment) -> bool {
        let much = u32::try_from(much).unwrap_or(u32::MAX);
        self.grown(member, now).gone.saturating_add(much) <= self.most
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
    pub(in crate::messenger) fn forget(&mut self, member: MemberId) {
        self.spent.remove(&member);
    }
}

/// What of a member is passed on at once: so many parts of messages, and so many
/// envelopes, which are parts for leaves. What is over waits its turn.
pub(in crate::messenger) struct Allowance {
    parts: Budgets,
    envelopes: Budgets,
}

impl Allowance {
    pub(in crate::messenger) fn of_what_is_said() -> Self {
        Self {
            parts: Budgets::new(64, Duration::from_secs(2)),
            envelopes: Budgets::new(8_192, Duration::from_millis(4)),
        }
    }

    /// Those keep a pace by rule, but many may come in by them at once.
    pub(in crate::messenger) fn of_commits() -> Self {
        Self {
            parts: Budgets::new(256, Duration::from_secs(1)),
            envelopes: Budgets::new(65_536, Duration::from_millis(1)),
        }
    }

    /// Takes what a letter to so many leaves costs; whether there was that much.
    pub(in crate::messenger) fn take(
        &mut self,
        member: MemberId,
        bytes: usize,
        leaves: usize,
        now: Moment,
    ) -> bool {
        let parts = bytes.div_ceil(REGULAR_PAYLOAD).max(1);
        let envelopes = parts.saturating_mul(leaves);
        self.parts.has(member, parts, now)
            && self.envelopes.take(member, envelopes, now)
            && self.parts.take(member, parts, now)
    }

    /// Forgets a member.
    pub(in crate::messenger) fn forget(&mut self, member: MemberId) {
        self.parts.forget(member);
        self.envelopes.forget(member);
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
