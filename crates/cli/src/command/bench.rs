//! Figures of this machine, each beside its reference measured in the same run.

use std::process::ExitCode;
use std::time::Duration;

use hushwing_bench::Area;
use hushwing_daemon::{Error, ErrorKind};

use crate::args::{Bench, BenchArea};
use crate::output::Output;

/// `bench`
pub(super) fn run(bench: &Bench, output: Output) -> Result<ExitCode, Error> {
    let area = match bench.area {
        BenchArea::Backlog => Area::Backlog,
        BenchArea::Conversation => Area::Conversation,
        BenchArea::Group => Area::Group,
        BenchArea::Relay => Area::Relay,
        BenchArea::Store => Area::Store,
    };
    let failed =
        |problem: String| Error::new(ErrorKind::Internal, format!("cannot measure: {problem}"));
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let budget = Duration::from_secs(bench.seconds.clamp(1, 3_600));
    let report =
        hushwing_bench::run(area, budget, &program).map_err(|error| failed(error.to_string()))?;
    output.result(&report, |report| report.to_string().trim_end().to_owned());
    Ok(ExitCode::SUCCESS)
}
