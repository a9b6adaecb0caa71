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
use std::collections::BTreeMap;

use hushwing_sansio::{Context, Moment, Timestamp};

use super::Heralds;
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
/// The longest more by chance, before a call.
const BY_CHANCE: Duration = Duration::from_secs(20 * 60);
/// A call that is looked at later than this says nothing: I was away, and answers may still
/// lie in my mailbox.
const LATEST: Duration = Duration::from_secs(50 * 60);
/// Others who have to answer before a herald that did not is taken for silent.
const LEAST_HEARD: usize = 2;
/// Members whose answers are counted.
const MOST_COUNTED: usize = 128;
/// Calls of one steward that are answered at once, and the time in which one more is.
const ANSWERED: (u32, Duration) = (8, Duration::from_secs(10 * 60));

/// How far calling the roll of a room is in this run.
pub(in crate::messenger) struct Roll {
    next: Option<Moment>,
    wait: Duration,
    open: Option<RollCall>,
    counted: BTreeMap<MemberId, Count>,
    /// Something was said since the last call.
    in_use: bool,
    /// Somebody was missing in the last call, herald or not.
    doubt: bool,
    /// What of others' calls I answer.
    answers: Budgets,
    /// When heralds wrote to me last, by letters that nobody else can make.
    signs: BTreeMap<MemberId, Timestamp>,
}

/// A call, and who answered it.
pub(super) struct RollCall {
    at: Moment,
    pub(super) wall: Timestamp,
    pub(super) asked: BTreeMap<MemberId, Option<Readiness>>,
    /// Those of them who are no heralds.
    others: Vec<MemberId>,
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
            counted: BTreeMap::new(),
            in_use: true,
            doubt: false,
            answers: Budgets::new(ANSWERED.0, ANSWERED.1),
            signs: BTreeMap::new(),
        }
    }
}

impl RollCall {
    /// Whether half of the others were heard, and some: else it may be that I am not, or
    /// that somebody between us lets through what they like.
    pub(super) fn was_heard(&self) -> bool {
        let heard = self.others.iter().filter(|one| {
            let answer = self.asked.get(one);
            answer.is_some_and(Option::is_some)
        });
        let heard = heard.count();
        heard >= LEAST_HEARD && heard * 2 >= self.others.len()
    }

    /// Whether a herald did not answer.
    pub(super) fn lacks_one(&self) -> bool {
        let mut asked = self.asked.iter();
        asked.any(|(one, answer)| answer.is_none() && !self.others.contains(one))
    }

    pub(super) fn is_ready(&self, member: MemberId) -> bool {
        self.asked.get(&member) == Some(&Some(Readiness::Ready))
    }
}

impl Roll {
    /// No calls are made any more; what others ask is answered as before.
    pub(super) fn rest(&mut self) {
        let answers = core::mem::replace(&mut self.answers, Budgets::new(0, ANSWERED.1));
        let signs = core::mem::take(&mut self.signs);
        *self = Self {
            answers,
            signs,
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
        let first = || now + START + cx.random_time_below(WAIT.saturating_sub(START));
        let next = *self.next.get_or_insert_with(first);
        next <= now && self.open.is_none() && (self.in_use || missed)
    }

    /// These were asked.
    pub(super) fn open(
        &mut self,
        (now, wall): (Moment, Timestamp),
        heralds: &[MemberId],
        others: &[MemberId],
    ) {
        let all = || heralds.iter().chain(others);
        for member in all() {
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
            asked: all().map(|member| (*member, None)).collect(),
            others: others.to_vec(),
        });
    }

    /// Somebody answered a call of mine.
    pub(super) fn answered(&mut self, by: MemberId, readiness: Readiness) {
        let asked = self.open.as_mut().and_then(|open| open.asked.get_mut(&by));
        if let Some(answer) = asked
            && answer.replace(readiness).is_none()
            && let Some(count) = self.counted.get_mut(&by)
        {
            count.answered = count.answered.saturating_add(1);
        }
    }

    /// The call that is over.
    pub(super) fn close(&mut self, now: Moment) -> Option<RollCall> {
        let over = self.open.take_if(|open| open.at + ANSWER <= now);
        over.filter(|over| now < over.at + LATEST)
    }

    /// When the next one is: seldomer while somebody stays silent, and for stewards
    /// above whom there are others.
    pub(super) fn go_on(
        &mut self,
        cx: &mut Context<'_>,
        after: &RollCall,
        (missed, turn): (bool, u32),
    ) {
        self.doubt = missed;
        if !missed {
            self.wait = WAIT;
        }
        let wait = self.wait.saturating_mul(turn.saturating_add(1));
        self.next = Some(after.at + wait + cx.random_time_below(BY_CHANCE));
        if missed {
            self.wait = self.wait.saturating_mul(2).min(LONGEST_WAIT);
        }
    }

    /// Whether somebody was missing in the last call.
    pub(super) fn was_in_doubt(&self) -> bool {
        self.doubt
    }

    /// How many more calls somebody answered than not.
    pub(super) fn worth(&self, member: MemberId) -> i64 {
        let count = self.counted.get(&member).copied().unwrap_or_default();
        2 * i64::from(count.answered) - i64::from(count.asked)
    }

    /// One of these heralds wrote to me at that time.
    pub(in crate::messenger) fn note_sign(
        &mut self,
        by: MemberId,
        heralds: &Heralds,
        sent: Timestamp,
    ) {
        if heralds.includes(by) {
            self.signs.retain(|member, _| heralds.includes(*member));
            let last = self.signs.entry(by).or_insert(sent);
            *last = sent.max(*last);
        }
    }

    /// When a herald wrote to me last in this run.
    pub(in crate::messenger) fn sign(&self, herald: MemberId) -> Option<Timestamp> {
        self.signs.get(&herald).copied()
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

    const NO_TIME: Timestamp = Timestamp::from_secs(0);

    fn at(minutes: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(60 * minutes))
    }

    fn within<T>(minutes: u64, act: impl FnOnce(&mut Context<'_>) -> T) -> T {
        act(&mut Context::new(at(minutes), NO_TIME, &mut Same))
    }

    fn open(roll: &mut Roll, minutes: u64) {
        let [herald, one, other] = [1, 2, 3].map(MemberId);
        roll.open((at(minutes), NO_TIME), &[herald], &[one, other]);
    }

    /// The hours of a day from a minute on in which calls are made, where heralds are
    /// missing in all before a minute, and something is said all the time.
    fn called(roll: &mut Roll, from: u64, missed_until: u64, turn: u32) -> Vec<u64> {
        let mut called = Vec::new();
        for minute in (from..from + 24 * 60).step_by(10) {
            let missed = minute < missed_until;
            roll.note_use();
            if let Some(over) = roll.close(at(minute)) {
                within(minute, |cx| roll.go_on(cx, &over, (missed, turn)));
            }
            if within(minute, |cx| roll.is_due(cx, missed)) {
                called.push((minute - from) / 60);
                open(roll, minute);
            }
        }
        called
    }

    #[test]
    fn who_is_silent_is_asked_ever_seldomer_and_nobody_where_nothing_is_said() {
        let mut roll = Roll::default();
        assert_eq!(called(&mut roll, 0, u64::MAX, 0), [0, 1, 3, 7, 13, 19]);
        // Who is there again is asked hourly, from the first answer on.
        let mut roll = Roll::default();
        let hours = called(&mut roll, 0, 3 * 60, 0);
        assert_eq!(hours[..5], [0, 1, 3, 4, 5]);
        let mut roll = Roll::default();
        assert_eq!(called(&mut roll, 0, 0, 3)[..4], [0, 4, 8, 12], "the fourth");
        let over = RollCall {
            at: at(0),
            wall: NO_TIME,
            asked: BTreeMap::new(),
            others: Vec::new(),
        };
        let mut roll = Roll::default();
        open(&mut roll, 0);
        roll.open = None;
        within(30, |cx| roll.go_on(cx, &over, (false, 0)));
        assert!(
            !within(600, |cx| roll.is_due(cx, false)),
            "nothing was said"
        );
        roll.note_use();
        assert!(within(600, |cx| roll.is_due(cx, false)));
    }

    #[test]
    fn an_answer_counts_once_and_one_alone_proves_nothing() {
        let [herald, one, other] = [1, 2, 3].map(MemberId);
        let mut roll = Roll::default();
        open(&mut roll, 0);
        for _ in 0..3 {
            roll.answered(one, Readiness::Ready);
        }
        assert_eq!((roll.worth(one), roll.worth(other)), (1, -1));
        assert!(roll.close(at(29)).is_none());
        let over = roll.close(at(30)).unwrap();
        assert!(over.is_ready(one) && !over.is_ready(other));
        assert!(over.lacks_one() && !over.was_heard());
        open(&mut roll, 60);
        roll.answered(one, Readiness::Ready);
        roll.answered(other, Readiness::Unwilling);
        let over = roll.close(at(90)).unwrap();
        assert!(over.lacks_one() && over.was_heard());
        // What is looked at late says nothing.
        open(&mut roll, 120);
        roll.answered(herald, Readiness::Ready);
        assert!(roll.close(at(180)).is_none());
    }
}
