//! Another process: what it prints first, the processor time it uses, the
//! memory it holds.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::BenchError;

/// A started program, ended when dropped.
pub(crate) struct Process {
    child: Child,
    /// Held open, or the program could not print a second line.
    printed: BufReader<ChildStdout>,
}

impl Process {
    /// Starts `program` and returns the first line it prints.
    pub(crate) fn start(program: &Path, args: &[&str]) -> Result<(Self, String), BenchError> {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(BenchError::system("start the measured program"))?;
        let printed = child.stdout.take().ok_or(BenchError::Bug("no pipe"))?;
        let mut process = Self {
            child,
            printed: BufReader::new(printed),
        };
        let mut line = String::new();
        process
            .printed
            .read_line(&mut line)
            .map_err(BenchError::system("read what the measured program prints"))?;
        if line.is_empty() {
            return Err(BenchError::Program("it ended without a word".into()));
        }
        Ok((process, line))
    }

    /// Processor time it has used, user and system, all threads.
    pub(crate) fn time(&self) -> Result<Duration, BenchError> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))
            .map_err(BenchError::system("read the program's processor time"))?;
        let ticks = ticks(&stat).ok_or(BenchError::Bug("unknown form of /proc/PID/stat"))?;
        let each = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_secs(ticks) / u32::try_from(each).unwrap_or(100))
    }

    /// Bytes of memory it holds.
    pub(crate) fn resident(&self) -> Result<u64, BenchError> {
        resident(&self.child.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; nothing depends on either.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes of memory this process holds.
pub(crate) fn own_resident() -> Result<u64, BenchError> {
    resident("self")
}

/// From the page tables, unlike the counters in `status`, which lag behind.
fn resident(process: &str) -> Result<u64, BenchError> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))
        .map_err(BenchError::system("read how much memory a program holds"))?;
    resident_in(&text).ok_or(BenchError::Bug("unknown form of smaps_rollup"))
}

fn resident_in(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// The fields `utime` and `stime`. The second field may hold anything,
/// parentheses and spaces too, so counting begins behind its last one.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Sees to it that this process and those it starts may have `wanted` files
/// open each.
pub(crate) fn allow_open_files(wanted: u64) -> Result<(), BenchError> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|now| now >= wanted) {
        return Ok(());
    }
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    if allowed < wanted || setrlimit(Resource::Nofile, raised).is_err() {
        return Err(BenchError::OpenFiles { wanted, allowed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 5 0 0 0 120 34 0 0 20 0 3 0 99 1 2";
        assert_eq!(ticks(stat), Some(154));
        assert_eq!(ticks("7 (a"), None);
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let text = "00-ff ---p 0 00:00 0 [rollup]\nRss:      12 kB\nPss:   8 kB\n";
        assert_eq!(resident_in(text), Some(12_288));
        assert_eq!(resident_in("Pss: 8 kB"), None);
        assert!(own_resident().unwrap() > 100_000);
    }
}
