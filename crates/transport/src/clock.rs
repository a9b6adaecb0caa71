//! The operating system's clocks and random generator, as machines are lent
//! them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hushwing_sansio::{Entropy, Moment, Timestamp};

/// Both clocks of this computer. Its copies share one origin, so their
/// [`Moment`]s compare.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic reading starts at zero now.
    #[must_use]
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// The monotonic reading.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::from_origin(self.origin.elapsed())
    }

    /// The wall clock; the epoch itself if the system clock stands before it.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::default() + since_epoch
    }

    /// How long until `moment`; zero if it has passed.
    #[must_use]
    pub fn until(&self, moment: Moment) -> Duration {
        moment.since(self.now())
    }
}

/// The operating system's random generator.
///
/// If the system cannot give randomness the process is aborted: there is no
/// safe way to go on, and no caller could do better.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, dest: &mut [u8]) {
        if getrandom::fill(dest).is_err() {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_randomness_differs_between_draws() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        OsEntropy.fill(&mut first);
        OsEntropy.fill(&mut second);
        assert_ne!(first, second);
    }

    #[test]
    fn waiting_for_the_past_takes_no_time() {
        let clock = SystemClock::start();
        assert_eq!(clock.until(Moment::default()), Duration::ZERO);
        assert!(clock.wall().as_secs() > 1_700_000_000);
    }
}
