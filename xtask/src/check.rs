//! `cargo xtask check`: every step, its time beside its budget.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::command::Run;
use crate::config::House;
use crate::failure::Failure;
use crate::{house, licences, tests_step};

/// One step of the check.
struct Step {
    name: &'static str,
    /// What to do when it fails.
    advice: &'static str,
    run: fn(&Path, &House) -> Result<(), Failure>,
}

/// Cheap steps first, so that a slip shows in seconds. Clippy and docs check
/// without generating code and share what they checked; tests build last.
const STEPS: [Step; 6] = [
    Step {
        name: "format",
        advice: "run `cargo fmt --all`",
        run: format,
    },
    Step {
        name: "house",
        advice: "mend what is listed; `cargo xtask house --write` regenerates what is generated",
        run: |root, _| house::run(root),
    },
    Step {
        name: "licences",
        advice: "choose another crate, or add the licence to deny.toml with its reason",
        run: |root, _| licences::run(root),
    },
    Step {
        name: "clippy",
        advice: "mend the warnings; allow one only where it is wrong, with `reason = \"…\"`",
        run: clippy,
    },
    Step {
        name: "docs",
        advice: "mend the comment the warning points at",
        run: docs,
    },
    Step {
        name: "tests",
        advice: "run the one test again with `cargo nextest run -p PACKAGE NAME` \
                 or `cargo test -p PACKAGE NAME`",
        run: |root, _| tests_step::run(root),
    },
];

/// How one step went.
struct Outcome {
    name: &'static str,
    ok: bool,
    took: Duration,
    budget: u64,
}

/// Runs the steps named in `only`, or all of them, and sums up. A failed step
/// does not stop the next, so one run shows everything there is to mend.
pub(crate) fn run(root: &Path, only: &[String]) -> Result<(), Failure> {
    if let Some(name) = only
        .iter()
        .find(|name| !STEPS.iter().any(|s| s.name == **name))
    {
        return Err(Failure::NoStep(name.clone()));
    }
    let rules = House::read(root)?;
    let outcomes: Vec<Outcome> = STEPS
        .iter()
        .filter(|step| only.is_empty() || only.iter().any(|name| name == step.name))
        .map(|step| take(step, root, &rules))
        .collect();
    summary(&outcomes);
    if outcomes.iter().any(|outcome| outcome.name == "tests") {
        tests_step::rooms(root, &rules);
    }
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.ok)
        .map(|outcome| outcome.name.to_owned())
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Steps(failed))
}

fn take(step: &Step, root: &Path, rules: &House) -> Outcome {
    let budget = rules.budget.get(step.name).copied().unwrap_or(0);
    println!("\n── {} (budget {budget} min)", step.name);
    let started = Instant::now();
    let result = (step.run)(root, rules);
    if let Err(failure) = &result {
        eprintln!("{}: {failure}\n{}: {}", step.name, step.name, step.advice);
    }
    Outcome {
        name: step.name,
        ok: result.is_ok(),
        took: started.elapsed(),
        budget,
    }
}

fn summary(outcomes: &[Outcome]) {
    println!("\n{:<14} {:<7} {:>7}  budget", "step", "result", "took");
    for outcome in outcomes {
        let result = if outcome.ok { "ok" } else { "FAILED" };
        println!(
            "{:<14} {result:<7} {}",
            outcome.name,
            beside(outcome.took, outcome.budget)
        );
    }
}

/// A duration beside its budget. Going over is shown and not an error: a slow
/// or busy machine must not turn a right change red.
pub(crate) fn beside(took: Duration, budget: u64) -> String {
    let seconds = took.as_secs();
    let over = if seconds > budget * 60 {
        "  OVER: make it faster, or move slow cases to `cargo xtask soak`"
    } else {
        ""
    };
    format!(
        "{:>4}:{:02}  {budget} min{over}",
        seconds / 60,
        seconds % 60
    )
}

fn format(root: &Path, _: &House) -> Result<(), Failure> {
    Run::cargo(root, &["fmt", "--all", "--check"]).show()
}

fn clippy(root: &Path, _: &House) -> Result<(), Failure> {
    let words = ["clippy", "--locked", "--workspace", "--all-targets"];
    Run::cargo(root, &[&words[..], &["--", "-D", "warnings"]].concat()).show()
}

fn docs(root: &Path, _: &House) -> Result<(), Failure> {
    Run::cargo(root, &["doc", "--locked", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .show()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_over_budget_is_said() {
        assert_eq!(beside(Duration::from_secs(60), 1), "   1:00  1 min");
        assert!(beside(Duration::from_secs(61), 1).contains("OVER"));
    }

    #[test]
    fn an_unknown_step_is_refused() {
        let only = ["no-such-step".to_owned()];
        let result = run(Path::new("/nonexistent"), &only);
        assert!(matches!(result, Err(Failure::NoStep(_))));
    }

    #[test]
    fn all_steps_together_fit_the_budget() {
        let root = crate::root().unwrap();
        let rules = House::read(&root).unwrap();
        let total: u64 = STEPS.iter().map(|step| rules.budget[step.name]).sum();
        assert!(total < 45, "{total} minutes");
    }
}
