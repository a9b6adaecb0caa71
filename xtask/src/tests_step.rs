//! The tests: nextest where it is installed, else `cargo test`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::check::beside;
use crate::command::Run;
use crate::config::House;
use crate::failure::Failure;

/// Runs every test of the workspace, the replay of the fuzz corpora among
/// them, and the examples in the documentation. The runner's own closing line
/// comes last.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    if !has_nextest(root) {
        println!("cargo-nextest is not installed, so `cargo test` runs the same tests");
        return Run::cargo(root, &["test", "--locked", "--workspace", "--no-fail-fast"]).show();
    }
    let examples = Run::cargo(root, &["test", "--locked", "--workspace", "--doc"]).show();
    let words = ["nextest", "run", "--locked", "--workspace"];
    let tests = Run::cargo(root, &words).show();
    tests.and(examples)
}

/// Whether the runner with times per test is there.
pub(crate) fn has_nextest(root: &Path) -> bool {
    Run::cargo(root, &["nextest", "--version"]).works()
}

/// Prints each room's test time beside its budget, from nextest's report.
pub(crate) fn rooms(root: &Path, rules: &House) {
    let Ok(report) = std::fs::read_to_string(report(root)) else {
        println!("(test time per room needs cargo-nextest)");
        return;
    };
    println!("\n{:<14} {:>6} {:>8}  budget", "room", "tests", "took");
    for (room, tests, took) in times(&report) {
        let budget = rules.budget_rooms.get(&room).copied().unwrap_or(1);
        println!("{room:<14} {tests:>6} {}", beside(took, budget));
    }
}

/// Where nextest writes it, wherever what is compiled goes.
fn report(root: &Path) -> PathBuf {
    root.join("target/nextest/default/junit.xml")
}

/// Room, number of tests and their summed time, slowest first.
fn times(report: &str) -> Vec<(String, u32, Duration)> {
    let mut rooms = std::collections::BTreeMap::<String, (u32, f64)>::new();
    let mut room = String::new();
    for tag in report.split('<') {
        if tag.starts_with("testsuite ") {
            // `hushwing-relay::server_tests` is a suite of the room `relay`.
            let suite = attribute(tag, "name").unwrap_or_default();
            let package = suite.split("::").next().unwrap_or_default();
            room = package.trim_start_matches("hushwing-").to_owned();
        } else if tag.starts_with("testcase ") {
            let seconds = attribute(tag, "time").and_then(|time| time.parse::<f64>().ok());
            let sum = rooms.entry(room.clone()).or_default();
            sum.0 += 1;
            sum.1 += seconds.unwrap_or(0.0);
        }
    }
    let mut rooms: Vec<_> = rooms
        .into_iter()
        .map(|(room, (tests, seconds))| (room, tests, Duration::from_secs_f64(seconds.max(0.0))))
        .collect();
    rooms.sort_by_key(|room| std::cmp::Reverse(room.2));
    rooms
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_summed_per_room() {
        let report = r#"<testsuites name="nextest-run" tests="3" time="9.0">
            <testsuite name="hushwing-sim" tests="1"><testcase name="a" classname="hushwing-sim" time="0.5"/></testsuite>
            <testsuite name="hushwing-relay" tests="1"><testcase name="b" time="1.5"></testcase></testsuite>
            <testsuite name="hushwing-relay::codec" tests="1"><testcase name="c" time="2.000"/></testsuite>"#;
        let expected = [
            ("relay".to_owned(), 2, Duration::from_millis(3500)),
            ("sim".to_owned(), 1, Duration::from_millis(500)),
        ];
        assert_eq!(times(report), expected);
    }
}
