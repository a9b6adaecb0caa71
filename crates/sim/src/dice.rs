//! Chance that can be replayed.

use core::time::Duration;

use hushwing_sansio::Entropy;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// A seeded random source: the same seed gives the same run.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice that always fall the same way for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Further dice that do not influence these ones' later falls by how often
    /// they are thrown.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self::new(self.0.next_u64())
    }

    /// A number below `bound`; 0 if `bound` is 0. The bias is below 2⁻³².
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// Whether something that happens `per_mille` times in a thousand happens.
    pub fn chance(&mut self, per_mille: u16) -> bool {
        self.below(1_000) < u64::from(per_mille)
    }

    /// A length of time between the two given ones.
    pub fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let width = longest.saturating_sub(shortest).as_micros();
        let width = u64::try_from(width).unwrap_or(u64::MAX).saturating_add(1);
        shortest.saturating_add(Duration::from_micros(self.below(width)))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

impl Entropy for Dice {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }
}
