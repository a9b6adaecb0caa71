#![doc = include_str!("../README.md")]

mod backlog;
mod clock;
mod conversation;
mod error;
mod group;
mod process;
mod relay;
mod report;
mod store;

use std::path::Path;
use std::thread;
use std::time::Duration;

pub use error::BenchError;
pub use report::{Area, Figure, Report};

/// Measures an area, spending about `budget` on each figure.
///
/// `program` is the `hushwing` executable, started as a child where a figure
/// is about a whole process. The call blocks for the whole measurement. It
/// works on threads of its own, so it may be called inside an asynchronous
/// runtime, which it then blocks.
///
/// # Errors
///
/// [`BenchError`] if something could not be started or did not work; then no
/// figure is given, since one from a run with errors would mean nothing.
pub fn run(area: Area, budget: Duration, program: &Path) -> Result<Report, BenchError> {
    let measure = || match area {
        Area::Backlog => backlog::measure(program),
        Area::Relay => relay::measure(budget, program),
        Area::Store => store::measure(program),
        Area::Conversation => conversation::measure(budget, program),
        Area::Group => group::measure(budget),
    };
    let results = thread::scope(|scope| {
        scope
            .spawn(measure)
            .join()
            .unwrap_or(Err(BenchError::Bug("a measuring thread ended")))
    })?;
    Ok(Report { area, results })
}
