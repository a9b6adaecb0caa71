//! How often and how long I try to renew my keys.

use core::time::Duration;

/// The first wait of who is late, and twice as long after each try that failed.
pub(super) const LATE: Duration = Duration::from_secs(10 * 60);
/// What I wrote to myself says nothing any more after this; twice as long after each try.
const ANSWER: Duration = Duration::from_secs(3 * 60);
/// After so many the waits grow no more.
const MOST_TRIES: u32 = 8;
/// After so many they do not where somebody waits for the keys.
const IN_HASTE: u32 = 2;
/// Whoever writes to me without end holds me up for so many answers.
const QUIET_ANSWERS: u32 = 4;

/// How often I wrote to myself for one renewal, and made no commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::messenger) struct Tries {
    all: u32,
    /// Of these, how often it came back in time. Without a network nothing does, however
    /// long, and then all is still to come that others wrote meanwhile.
    answered: u32,
}

impl Tries {
    /// With one more to which nothing came back, or too late.
    pub(super) fn unanswered(self) -> Self {
        let all = self.all.saturating_add(1);
        Self { all, ..self }
    }

    /// With one more that came back.
    pub(super) fn answered(self) -> Self {
        let answered = self.answered.saturating_add(1);
        let all = self.all.saturating_add(1);
        Self { all, answered }
    }

    /// How long what I write next has to come back.
    pub(super) fn answer(self) -> Duration {
        grown(ANSWER, self.all)
    }

    /// How long until the next. Whoever was without a network waits no longer for that.
    pub(super) fn wait(self) -> Duration {
        let count = if self.answered > 0 {
            self.answered
        } else {
            self.all
        };
        grown(LATE, count)
    }

    /// The same where somebody waits for it: what is lost is not waited for, and what comes back
    /// shows what others wrote lately.
    pub(super) fn in_haste(self) -> Self {
        let all = self.all.min(IN_HASTE);
        Self { all, ..self }
    }

    /// Whether I commit though others write to me.
    pub(super) fn ends_waiting(self) -> bool {
        self.answered >= QUIET_ANSWERS
    }
}

fn grown(span: Duration, tries: u32) -> Duration {
    span.saturating_mul(2_u32.saturating_pow(tries.min(MOST_TRIES)))
}

#[cfg(test)]
mod tests {
    use super::{ANSWER, LATE, Tries};

    #[test]
    fn in_haste_no_answer_is_waited_for_longer_than_twelve_minutes() {
        let mut tries = Tries::default();
        for _ in 0..20 {
            assert!(tries.in_haste().answer() <= 4 * ANSWER);
            tries = tries.unanswered();
        }
        assert!(tries.answer() > 4 * ANSWER);
    }

    #[test]
    fn tries_to_which_nothing_came_back_do_not_count_against_other_letters() {
        let mut tries = Tries::default();
        for _ in 0..20 {
            assert!(!tries.ends_waiting());
            tries = tries.unanswered();
        }
        for _ in 0..4 {
            assert!(!tries.ends_waiting());
            tries = tries.answered();
        }
        assert!(tries.ends_waiting());
        assert!(tries.unanswered().ends_waiting());
    }

    #[test]
    fn waits_grow_with_each_try_and_begin_anew_with_the_first_answer() {
        let mut tries = Tries::default();
        assert_eq!((tries.wait(), tries.answer()), (LATE, ANSWER));
        for _ in 0..20 {
            tries = tries.unanswered();
        }
        assert_eq!((tries.wait(), tries.answer()), (LATE * 256, ANSWER * 256));
        tries = tries.answered();
        assert_eq!((tries.wait(), tries.answer()), (LATE * 2, ANSWER * 256));
    }
}
