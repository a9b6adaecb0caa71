//! A way of bringing texts from one person to another, and the measurement in
//! which several of them take turns.

use std::time::{Duration, Instant};

use crate::BenchError;
use crate::clock::{Samples, cost};

/// Messages of one line before the next line has its turn.
const MESSAGES: u32 = 100;
/// Messages in one direction before the other speaks.
const IN_A_ROW: u32 = 10;
/// Turns of each line at least: 1,000 messages.
const LEAST_TURNS: usize = 10;
/// Length of a text in bytes.
const TEXT: usize = 1_024;

/// Two people, and what is between them.
pub(crate) trait Line {
    /// Brings `text` from the person `from` (0 or 1) to the other.
    fn bring(&mut self, from: usize, text: &str) -> Result<(), BenchError>;

    /// Does between turns what is not to be measured.
    fn rest(&mut self) -> Result<(), BenchError> {
        Ok(())
    }
}

/// Turns until the time is up.
pub(crate) struct Turns {
    budget: Duration,
    text: String,
}

impl Turns {
    pub(crate) fn new(budget: Duration) -> Self {
        let text = "Hushwing flies without a sound. ";
        Self {
            budget,
            text: text.repeat(TEXT / text.len()),
        }
    }

    /// Microseconds of processor time per message of each line. `between` is
    /// called once for each turn of all lines.
    pub(crate) fn measure<const N: usize>(
        &mut self,
        mut lines: [&mut dyn Line; N],
        between: &mut dyn FnMut() -> Result<(), BenchError>,
    ) -> Result<[f64; N], BenchError> {
        let mut samples: [Samples; N] = std::array::from_fn(|_| Samples::default());
        let started = Instant::now();
        let mut turns = 0;
        while turns < LEAST_TURNS || started.elapsed() < self.budget {
            for (line, samples) in lines.iter_mut().zip(&mut samples) {
                samples.push(self.turn(*line)?);
                line.rest()?;
            }
            between()?;
            turns += 1;
        }
        Ok(samples.map(|samples| samples.median()))
    }

    fn turn(&self, line: &mut dyn Line) -> Result<f64, BenchError> {
        let mut said = 0;
        cost(MESSAGES, || {
            let from = usize::from((said / IN_A_ROW) % 2 == 1);
            said += 1;
            line.bring(from, &self.text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Noting(Vec<usize>);

    impl Line for Noting {
        fn bring(&mut self, from: usize, text: &str) -> Result<(), BenchError> {
            assert_eq!(text.len(), TEXT);
            self.0.push(from);
            Ok(())
        }
    }

    #[test]
    fn the_direction_changes_every_ten_messages() {
        let mut line = Noting::default();
        let mut between = 0;
        let mut count = || {
            between += 1;
            Ok(())
        };
        Turns::new(Duration::ZERO)
            .measure([&mut line as &mut dyn Line], &mut count)
            .unwrap();
        assert_eq!(line.0.len(), 1_000);
        assert_eq!(between, 10);
        for (number, from) in line.0.iter().enumerate() {
            assert_eq!(*from, number / 10 % 2);
        }
    }
}
