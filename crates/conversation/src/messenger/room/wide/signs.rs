//! Signs of life of heralds, and how many receipts leave to one that gives none.
//!
//! Of a group of 500 more look to one herald for their receipts than its mailbox holds
//! letters. While it is there that is no matter: it reads as they come. While it is not,
//! receipts would take the places of what is to be passed on. Nobody sees from outside
//! whether somebody reads, so all who look to one herald share a few places by lot. If it is
//! there it finds that others told nothing and serves them again, and that is the sign.
//! Heralds do the same with what they tell each other.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_sansio::{Context, Moment};

use crate::MemberId;

/// For how long a herald that wrote to me is taken to be there.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// How far clocks may lie apart, with the time letters take.
const CLOCKS: Duration = Duration::from_secs(2 * 60);
/// Between two signs of my own to one.
const BETWEEN: Duration = Duration::from_secs(150);
/// How old my last sign to one is when I give another where nothing is served again, and up
/// to when: after that they take me for silent.
const RENEWED: [Duration; 2] = [Duration::from_secs(4 * 60), Duration::from_secs(7 * 60)];
/// The first wait, and the longest. With sixteen letters at once, and as many after each wait,
/// they are 128 in a day: as many as a mailbox holds.
const FIRST_WAIT: Duration = Duration::from_secs(10 * 60);
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// What is known of each herald.
#[derive(Default)]
pub(in crate::messenger) struct Signs {
    heralds: BTreeMap<MemberId, Silence>,
    /// When I, a herald, gave each of those I look after a sign.
    given: BTreeMap<MemberId, Moment>,
}

struct Silence {
    /// Up to when it is taken to be there.
    fresh: Option<Moment>,
    /// Letters that may leave before `until`.
    credit: u64,
    /// When lots are drawn again.
    until: Moment,
    wait: Duration,
}

impl Signs {
    /// A herald wrote to me so long ago: what lay in my mailbox while I was away shows nothing
    /// any more. Whether it is there, and was silent before.
    pub(in crate::messenger) fn heard(
        &mut self,
        herald: MemberId,
        now: Moment,
        age: Duration,
    ) -> bool {
        let left = FRESH.saturating_sub(age.saturating_sub(CLOCKS));
        let fresh = Some(now + left);
        let before = self.heralds.get(&herald).map(|before| before.fresh);
        if left.is_zero() || before.is_some_and(|before| before >= fresh) {
            return false;
        }
        let new = Silence {
            fresh,
            credit: 0,
            until: now,
            wait: FIRST_WAIT,
        };
        let before = self.heralds.insert(herald, new);
        before.is_none_or(|before| !before.is_fresh(now))
    }

    /// Takes the place of a letter of receipts to a herald to which `share` members send
    /// them, `at_once` letters together.
    ///
    /// # Errors
    ///
    /// When to look again, if it has none for me now.
    pub(in crate::messenger) fn take(
        &mut self,
        cx: &mut Context<'_>,
        herald: MemberId,
        (share, at_once): (usize, u64),
    ) -> Result<(), Moment> {
        let now = cx.now();
        let silence = self.heralds.entry(herald).or_insert(Silence {
            fresh: None,
            credit: 0,
            until: now,
            wait: FIRST_WAIT,
        });
        if silence.is_fresh(now) {
            return Ok(());
        }
        if silence.until <= now {
            silence.credit = lot(cx, share, at_once);
            silence.until = now + silence.wait;
            silence.wait = silence.wait.saturating_mul(2).min(LONGEST_WAIT);
        }
        match silence.credit.checked_sub(1) {
            Some(left) => {
                silence.credit = left;
                Ok(())
            }
            None => Err(silence.until),
        }
    }

    pub(in crate::messenger) fn forget_member(&mut self, member: MemberId) {
        self.heralds.remove(&member);
        self.given.remove(&member);
    }

    /// Whether it is time to give somebody a sign, who is served; then it is given.
    pub(super) fn give(&mut self, member: MemberId, now: Moment) -> bool {
        let before = self.given.get(&member);
        let due = before.is_none_or(|at| *at + BETWEEN <= now);
        if due {
            self.given.insert(member, now);
        }
        due
    }

    /// Whether somebody who told what they have will take me for silent soon, though they
    /// do not yet; then they are given a sign.
    pub(super) fn renew(&mut self, member: MemberId, now: Moment) -> bool {
        let before = self.given.get(&member);
        let [from, to] = RENEWED;
        let due = before.is_some_and(|at| *at + from <= now && now < *at + to);
        due && self.give(member, now)
    }
}

impl Silence {
    fn is_fresh(&self, now: Moment) -> bool {
        self.fresh.is_some_and(|until| now < until)
    }
}

/// What one of so many gets of the letters of all: the same for each, and of the rest by chance.
fn lot(cx: &mut Context<'_>, share: usize, at_once: u64) -> u64 {
    let share = u64::try_from(share).unwrap_or(u64::MAX).max(1);
    let drawn = cx.random_below(share) < at_once % share;
    at_once / share + u64::from(drawn)
}

#[cfg(test)]
mod tests {
    use hushwing_sansio::{Entropy, Timestamp};

    use super::*;

    struct Counting(u64);

    impl Entropy for Counting {
        fn fill(&mut self, dest: &mut [u8]) {
            for byte in dest {
                self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005) | 1;
                self.0 = self.0.wrapping_add(1_442_695_040_888_963_406);
                *byte = self.0.to_be_bytes()[1];
            }
        }
    }

    const HERALD: MemberId = MemberId(7);

    fn after(minutes: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(60 * minutes))
    }

    /// How many of `share` leaves send to a silent herald what they owe each minute of a
    /// day, if so much is said.
    fn in_a_day(share: usize) -> usize {
        let mut letters = 0;
        for leaf in 0..share {
            let mut chance = Counting(u64::try_from(leaf).unwrap() + 91);
            let mut signs = Signs::default();
            for minute in 0..24 * 60 {
                let mut cx = Context::new(after(minute), Timestamp::default(), &mut chance);
                letters += usize::from(signs.take(&mut cx, HERALD, (share, 16)).is_ok());
            }
        }
        letters
    }

    #[test]
    fn a_silent_herald_gets_no_more_in_a_day_than_its_mailbox_holds() {
        for share in [1, 2, 4, 8, 16] {
            assert!((110..=128).contains(&in_a_day(share)), "{share}");
        }
        // By lot, so about as many.
        for share in [3, 13, 30, 100, 166] {
            let letters = in_a_day(share);
            assert!((90..=170).contains(&letters), "{share}: {letters}");
        }
    }

    #[test]
    fn who_was_heard_of_gets_all_until_it_was_silent_for_minutes() {
        let mut chance = Counting(5);
        let mut signs = Signs::default();
        let none = Duration::ZERO;
        assert!(signs.heard(HERALD, after(0), none));
        assert!(!signs.heard(HERALD, after(3), none));
        assert!(!signs.heard(HERALD, after(4), Duration::from_secs(3_600)));
        let mut take = |signs: &mut Signs, minute| {
            let mut cx = Context::new(after(minute), Timestamp::default(), &mut chance);
            signs.take(&mut cx, HERALD, (16, 16))
        };
        for _ in 0..100 {
            assert_eq!(take(&mut signs, 7), Ok(()));
        }
        assert_eq!(take(&mut signs, 8), Ok(()), "one of sixteen");
        assert_eq!(take(&mut signs, 9), Err(after(18)));
        assert_eq!(take(&mut signs, 18), Ok(()));
        assert_eq!(take(&mut signs, 19), Err(after(38)), "twice as long");
        assert!(!signs.heard(HERALD, after(20), Duration::from_secs(7 * 60)));
        assert_eq!(take(&mut signs, 21), Err(after(38)), "it was there once");
        assert!(signs.heard(HERALD, after(21), Duration::from_secs(4 * 60)));
        assert_eq!(take(&mut signs, 23), Ok(()));
        assert_eq!(take(&mut signs, 23), Ok(()));
        assert_eq!(take(&mut signs, 24), Ok(()), "one of sixteen");
        assert_eq!(take(&mut signs, 25), Err(after(34)));
    }

    #[test]
    fn one_gets_a_sign_now_and_then_and_one_more_before_it_is_too_old() {
        let mut signs = Signs::default();
        assert!(!signs.renew(HERALD, after(0)), "never served");
        assert!(signs.give(HERALD, after(0)));
        assert!(!signs.give(HERALD, after(2)));
        assert!(!signs.renew(HERALD, after(3)));
        assert!(signs.renew(HERALD, after(4)));
        assert!(!signs.renew(HERALD, after(5)));
        assert!(!signs.renew(HERALD, after(11)), "silent for long");
        assert!(signs.give(HERALD, after(11)));
    }
}
