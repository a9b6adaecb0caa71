//! `figures AREA SECONDS PROGRAM`: prints the figures of an area as text.

use std::env::args;
use std::path::PathBuf;
use std::time::Duration;

type Failure = Box<dyn std::error::Error>;

#[expect(clippy::print_stdout, reason = "an example program")]
fn main() -> Result<(), Failure> {
    let words: Vec<String> = args().skip(1).collect();
    let [area, seconds, program] = words.as_slice() else {
        return Err("usage: figures AREA SECONDS PROGRAM".into());
    };
    let budget = Duration::from_secs(seconds.parse()?);
    let report = hushwing_bench::run(area.parse()?, budget, &PathBuf::from(program))?;
    print!("{report}");
    Ok(())
}
