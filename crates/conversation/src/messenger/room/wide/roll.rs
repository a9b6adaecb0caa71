//! Calling the roll: what a steward's program knows of who is there.
//!
//! ```text
//! call ─ half an hour ─▶ over: who answered ─ an hour, or longer each time ─▶ call ─▶ …
//! ```
//!
//! Heralds are asked, and with each call a few others: if nobody at all answers it may be
//! that I am not heard, and nobody is taken for silent. Who answers most calls is there most.
//! What is counted is forgotten when the program ends; who was silent, and since when, is
//! written down ([`RoomRollRecord`](crate::storage::RoomRollRecord)).

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hushwing_sansio::{Context, Moment, Timestamp};

use crate::MemberId;
use crate::content::Readiness;
use crate::messenger::room::commits::Budgets;

/// How long those who were asked have.
const ANSWER: Duration = Duration::from_secs(30 * 60);
/// Between two calls, and the longest while somebody stays silent.
const WAIT: Duration = Duration::from_secs(60 * 60);
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 60 * 60);
/// Before the first call of a run: what waits for me comes in first.
const START: Duration = Duration::from_secs(10 * 60);
/// Calls whose answers are known.
const MOST_MARKS: usize = 16;
/// Members whose answers are counted.
const MOST_COUNTED: usize = 128;
/// Calls of one steward that are answered at once, and the time in which one more is.
const ANSWERED: (u32, Duration) = (8, Duration::from_secs(10 * 60));

/// How far calling the roll of a room is in this run.
pub(in crate::messenger) struct Roll {
    next: Option<Moment>,
    wait: Duration,
    open: Option<RollCall>,
    marks: VecDeque<[u8; 16]>,
    counted: BTreeMap<MemberId, Count>,
    /// Something was said since the last call.
    in_use: bool,
    /// What of others' calls I answer.
    answers: Budgets,
}

/// A call, and who answered it.
pub(super) struct RollCall {
    at: Moment,
    pub(super) wall: Timestamp,
    pub(super) asked: BTreeMap<MemberId, Option<Readiness>>,
}

/// How often somebody was asked, and answered.
#[derive(Clone, Copy, Default)]
struct Count {
    asked: u32,
    answered: u32,
}

impl Default for Roll {
    fn default() -> Self {
        Self {
            next: None,
            wait: WAIT,
            open: None,
            marks: VecDeque::new(),
            counted: BTreeMap::new(),
            in_use: true,
            answers: Budgets::new(ANSWERED.0, ANSWERED.1),
        }
    }
}

impl RollCall {
    /// Whether anybody was heard: else it may be that I am not.
    pub(super) fn was_heard(&self) -> bool {
        self.asked.values().any(Option::is_some)
    }

    pub(super) fn is_ready(&self, member: MemberId) -> bool {
        self.asked.get(&member) == Some(&Some(Readiness::Ready))
    }
}

impl Roll {
    /// No calls are made any more; what others ask is answered as before.
    pub(super) fn rest(&mut self) {
        let answers = core::mem::replace(&mut self.answers, Budgets::new(0, ANSWERED.1));
        *self = Self {
            answers,
            ..Self::default()
        };
    }

    /// Something was said.
    pub(in crate::messenger) fn note_use(&mut self) {
        self.in_use = true;
    }

    /// Whether it is time for a call; `missed` says that somebody was silent in the last.
    pub(super) fn is_due(&mut self, cx: &mut Context<'_>, missed: bool) -> bool {
        let now = cx.now();
        let by_chance = u64::try_from(WAIT.saturating_sub(START).as_millis()).unwrap_or(1);
        let next = *self
            .next
            .get_or_insert_with(|| now + START + Duration::from_millis(cx.random_below(by_chance)));
        next <= now && self.open.is_none() && (self.in_use || missed)
    }

    /// These were asked.
    pub(super) fn open(&mut self, mark: [u8; 16], now: Moment, wall: Timestamp, all: &[MemberId]) {
        if self.marks.len() >= MOST_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(mark);
        for member in all {
            if self.counted.len() >= MOST_COUNTED && !self.counted.contains_key(member) {
                let least = self
                    .counted
                    .keys()
                    .min_by_key(|one| self.worth(**one))
                    .copied();
                self.counted.remove(&least.unwrap_or(*member));
            }
            let count = self.counted.entry(*member).or_default();
            count.asked = count.asked.saturating_add(1);
        }
        self.in_use = false;
        self.open = Some(RollCall {
            at: now,
            wall,
            asked: all.iter().map(|member| (*member, None)).collect(),
        });
    }

    /// Somebody answered; whether it is a call of mine that they answer.
    pub(super) fn answered(&mut self, by: MemberId, mark: &[u8; 16], readiness: Readiness) -> bool {
        if !self.marks.contains(mark) {
            return false;
        }
        let asked = self.open.as_mut().and_then(|open| open.asked.get_mut(&by));
        if let Some(answer) = asked
            && answer.replace(readiness).is_none()
            && let Some(count) = self.counted.get_mut(&by)
        {
            count.answered = count.answered.saturating_add(1);
        }
        true
    }

    /// The call that is over.
    pub(super) fn close(&mut self, now: Moment) -> Option<RollCall> {
        self.open.take_if(|open| open.at + ANSWER <= now)
    }

    /// When the next one is: seldomer while somebody stays silent.
    pub(super) fn go_on(&mut self, after: &RollCall, missed: bool) {
        self.next = Some(after.at + self.wait);
        self.wait = match missed {
            true => self.wait.saturating_mul(2).min(LONGEST_WAIT),
            false => WAIT,
        };
    }

    /// How many more calls somebody answered than not.
    pub(super) fn worth(&self, member: MemberId) -> i64 {
        let count = self.counted.get(&member).copied().unwrap_or_default();
        2 * i64::from(count.answered) - i64::from(count.asked)
    }

    /// Whether a steward is answered now.
    pub(super) fn answers(&mut self, steward: MemberId, now: Moment) -> bool {
        self.answers.take(steward, 1, now)
    }

    pub(in crate::messenger) fn forget_member(&mut self, member: MemberId) {
        self.counted.remove(&member);
        self.answers.forget(member);
    }
}

#[cfg(test)]
mod tests {
    use hushwing_sansio::Entropy;

    use super::*;

    struct Same;

    impl Entropy for Same {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(0);
        }
    }

    fn at(minutes: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(60 * minutes))
    }

    fn is_due(roll: &mut Roll, minutes: u64, missed: bool) -> bool {
        let mut chance = Same;
        let mut cx = Context::new(at(minutes), Timestamp::default(), &mut chance);
        roll.is_due(&mut cx, missed)
    }

    #[test]
    fn who_is_silent_is_asked_ever_seldomer_and_nobody_where_nothing_is_said() {
        let mut roll = Roll::default();
        assert!(!is_due(&mut roll, 0, false));
        let mut called = Vec::new();
        for minute in (0..24 * 60).step_by(10) {
            if let Some(over) = roll.close(at(minute)) {
                roll.go_on(&over, true);
            }
            if is_due(&mut roll, minute, true) {
                called.push(minute / 60);
                roll.open([0; 16], at(minute), Timestamp::default(), &[MemberId(1)]);
            }
        }
        assert_eq!(called, [0, 1, 3, 7, 13, 19]);
        roll.rest();
        assert!(!is_due(&mut roll, 0, false));
        assert!(is_due(&mut roll, 60, false));
        roll.open([0; 16], at(60), Timestamp::default(), &[MemberId(1)]);
        let over = roll.close(at(90)).unwrap();
        roll.go_on(&over, false);
        assert!(!is_due(&mut roll, 600, false), "nothing was said");
        roll.note_use();
        assert!(is_due(&mut roll, 600, false));
    }

    #[test]
    fn an_answer_counts_once_and_for_a_call_of_mine() {
        let (there, away) = (MemberId(1), MemberId(2));
        let mut roll = Roll::default();
        roll.open([1; 16], at(0), Timestamp::default(), &[there, away]);
        assert!(!roll.answered(there, &[9; 16], Readiness::Ready));
        for _ in 0..3 {
            assert!(roll.answered(there, &[1; 16], Readiness::Ready));
        }
        assert_eq!((roll.worth(there), roll.worth(away)), (1, -1));
        assert!(roll.close(at(29)).is_none());
        let over = roll.close(at(30)).unwrap();
        assert!(over.was_heard() && over.is_ready(there) && !over.is_ready(away));
        // Late: it is a sign, and no answer to the next call.
        assert!(roll.answered(away, &[1; 16], Readiness::Ready));
        assert_eq!(roll.worth(away), -1);
    }
}
