//! The durable write that an accepted message cannot do without.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::pair::BODY;
use super::peer::random_body;
use crate::BenchError;
use crate::clock::{Samples, micros};

/// Microseconds of each of many durable writes of one message's size, appended
/// to a file in `folder`. Wall-clock: nothing but waiting is measured.
pub(super) fn durable_writes(folder: &Path, budget: Duration) -> Result<Samples, BenchError> {
    let failed = || BenchError::system("write to the disk");
    let mut file = File::create(folder.join("reference")).map_err(failed())?;
    let body = random_body(BODY);
    let (mut each, started) = (Samples::default(), Instant::now());
    while each.len() < 8 || started.elapsed() < budget {
        let before = Instant::now();
        file.write_all(&body).map_err(failed())?;
        file.sync_data().map_err(failed())?;
        each.push(micros(before.elapsed()));
    }
    Ok(each)
}
