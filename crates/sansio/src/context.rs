//! What a driver lends a machine besides storage: clocks and chance.

use core::time::Duration;

use crate::{Moment, Timestamp};

/// A source of random bytes fit for keys.
///
/// Drivers in the running program lend the operating system's generator; tests
/// lend a seeded one, which makes a run repeatable.
pub trait Entropy {
    /// Fills `dest` with random bytes.
    fn fill(&mut self, dest: &mut [u8]);
}

/// The clocks and the random source for one call of
/// [`Machine::handle`](crate::Machine::handle).
pub struct Context<'a> {
    now: Moment,
    wall: Timestamp,
    entropy: &'a mut dyn Entropy,
}

impl<'a> Context<'a> {
    /// A context for one call at `now`, which the wall clock shows as `wall`.
    pub fn new(now: Moment, wall: Timestamp, entropy: &'a mut dyn Entropy) -> Self {
        Self { now, wall, entropy }
    }

    /// The monotonic clock; use it for timeouts.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The wall clock; use it for what is stored or shown.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.wall
    }

    /// `N` fresh random bytes.
    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// Fills `dest` with random bytes.
    pub fn fill(&mut self, dest: &mut [u8]) {
        self.entropy.fill(dest);
    }

    /// A random number below `bound`, without bias; 0 if `bound` is 0.
    ///
    /// Rejection sampling: the expected number of draws is below two.
    pub fn random_below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let draw = u64::from_le_bytes(self.random());
            if draw < zone {
                return draw % bound;
            }
        }
    }

    /// A random time shorter than `span`, in whole milliseconds; none if `span` has none.
    pub fn random_time_below(&mut self, span: Duration) -> Duration {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.random_below(millis))
    }

    /// The random source itself, for libraries that want one.
    pub fn entropy(&mut self) -> &mut dyn Entropy {
        self.entropy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, dest: &mut [u8]) {
            for byte in dest {
                self.0 = self.0.wrapping_mul(167).wrapping_add(13);
                *byte = self.0;
            }
        }
    }

    #[test]
    fn random_below_stays_below() {
        let mut source = Counting(1);
        let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut source);
        assert_eq!(cx.random_below(0), 0);
        for bound in 1..200 {
            assert!(cx.random_below(bound) < bound);
            let span = Duration::from_millis(bound);
            assert!(cx.random_time_below(span) < span);
        }
        assert_eq!(
            cx.random_time_below(Duration::from_micros(999)),
            Duration::ZERO
        );
    }
}
