//! From the delivery contract on: a network tells of all that waited, mailbox
//! after mailbox in turn, and the messenger decrypts, stores and shows it.

use std::time::Instant;

use super::{BATCH, text};
use crate::BenchError;
use crate::clock::{micros, thread_time};
use crate::conversation::desk::{Desk, Memory, Profile};
use crate::conversation::people::People;

/// What was measured.
pub(super) struct Measured {
    /// Messages per second, committed and told to faces.
    pub(super) rate: f64,
    /// Microseconds of processor time per message.
    pub(super) cpu: f64,
}

/// Feeds `each` messages of each of so many contacts to somebody with a fresh
/// `profile.db`.
pub(super) fn measure(contacts: usize, each: usize) -> Result<Measured, BenchError> {
    let hers: Box<dyn Desk> = Box::new(Memory::default());
    let mut people = People::new(hers, Box::new(Profile::new()?))?;
    for _ in 1..contacts {
        people.meet()?;
    }
    people.write_to_absent(each, &text())?;
    let (started, busy) = (Instant::now(), thread_time());
    let shown = people.catch_up(BATCH)?;
    let (elapsed, busy) = (started.elapsed(), thread_time().saturating_sub(busy));
    if shown != contacts * each {
        return Err(BenchError::Bug("not all that waited was shown"));
    }
    let shown = shown as f64;
    Ok(Measured {
        rate: shown / elapsed.as_secs_f64(),
        cpu: micros(busy) / shown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_waited_is_shown() {
        assert!(measure(3, 5).unwrap().rate > 0.0);
    }
}
