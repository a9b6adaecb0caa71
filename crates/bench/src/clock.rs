//! Processor time, and what to take of several measurements.
//!
//! Other programs share the machine, so wall-clock time says little. The
//! thread's processor clock counts only its own work.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::BenchError;

/// Processor time this thread has used.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// Microseconds of processor time per call of `work`, over `calls` calls.
pub(crate) fn cost(
    calls: u32,
    mut work: impl FnMut() -> Result<(), BenchError>,
) -> Result<f64, BenchError> {
    let before = thread_time();
    for _ in 0..calls {
        work()?;
    }
    Ok(micros(thread_time().saturating_sub(before)) / f64::from(calls.max(1)))
}

/// A duration in microseconds.
pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// A duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Values of one thing measured several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        self.0.extend(values);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value that half of the others do not exceed; 0 if there is none.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The value that the share `q` (0 to 1) of all do not exceed.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        let at = (last as f64 * q).round() as usize;
        sorted.get(at.min(last)).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_costs_no_processor_time_and_work_does() {
        let before = thread_time();
        std::thread::sleep(Duration::from_millis(20));
        assert!(thread_time() - before < Duration::from_millis(10));
        let mut sum = 0_u64;
        let each = cost(1_000, || {
            sum = std::hint::black_box((0..1_000).fold(sum, |sum, n| sum ^ n));
            Ok(())
        });
        assert!(each.unwrap() > 0.0);
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let mut samples = Samples::default();
        assert_eq!(samples.median(), 0.0);
        samples.extend((0..=100).rev().map(f64::from));
        assert_eq!((samples.median(), samples.quantile(0.99)), (50.0, 99.0));
        assert_eq!((samples.quantile(0.0), samples.quantile(1.0)), (0.0, 100.0));
    }
}
