//! What was asked for.

/// Shown by `cargo xtask help` and after a usage error.
pub(crate) const HELP: &str = "\
usage: cargo xtask <task>

  check [--only STEP]...      everything CI checks: format, house, licences,
                              clippy, docs, tests
  house [--write]             rooms, clippy files, manifests, long files;
                              --write regenerates what is generated
  soak                        slow campaigns, for nights and releases
  fuzz [TARGET] [--seconds N] fuzz one decoder (default 60 s); without TARGET
                              lists them";

/// One parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) task: Task,
}

/// The tasks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    /// All steps, or those named.
    Check {
        only: Vec<String>,
    },
    House {
        write: bool,
    },
    Soak,
    Fuzz {
        target: Option<String>,
        seconds: u32,
    },
}

/// A command line that could not be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Usage {
    #[error("no such task: {0}")]
    Task(String),
    #[error("unexpected argument: {0}")]
    Unexpected(String),
    #[error("{0} needs a value")]
    Value(&'static str),
    #[error("--seconds needs a whole number, not {0}")]
    Seconds(String),
}

impl Arguments {
    /// Reads the words after `cargo xtask`.
    pub(crate) fn parse(words: &[String]) -> Result<Self, Usage> {
        let mut words = words.iter().map(String::as_str);
        let task = match words.next() {
            None | Some("help" | "--help" | "-h") => Task::Help,
            Some("check") => Task::Check {
                only: only(&mut words)?,
            },
            Some("house") => Task::House {
                write: write(&mut words)?,
            },
            Some("soak") => Task::Soak,
            Some("fuzz") => fuzz(&mut words)?,
            Some(other) => return Err(Usage::Task(other.to_owned())),
        };
        match words.next() {
            None => Ok(Self { task }),
            Some(extra) => Err(Usage::Unexpected(extra.to_owned())),
        }
    }
}

fn only<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Vec<String>, Usage> {
    let mut steps = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "--only" => steps.push(words.next().ok_or(Usage::Value("--only"))?.to_owned()),
            other => return Err(Usage::Unexpected(other.to_owned())),
        }
    }
    Ok(steps)
}

fn write<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<bool, Usage> {
    match words.next() {
        None => Ok(false),
        Some("--write") => Ok(true),
        Some(other) => Err(Usage::Unexpected(other.to_owned())),
    }
}

fn fuzz<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Task, Usage> {
    let mut target = None;
    let mut seconds = 60;
    while let Some(word) = words.next() {
        match word {
            "--seconds" => {
                let value = words.next().ok_or(Usage::Value("--seconds"))?;
                seconds = value
                    .parse()
                    .map_err(|_| Usage::Seconds(value.to_owned()))?;
            }
            flag if flag.starts_with('-') => return Err(Usage::Unexpected(flag.to_owned())),
            name if target.is_none() => target = Some(name.to_owned()),
            extra => return Err(Usage::Unexpected(extra.to_owned())),
        }
    }
    Ok(Task::Fuzz { target, seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task, Usage> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Arguments::parse(&words).map(|arguments| arguments.task)
    }

    #[test]
    fn only_may_be_repeated() {
        let only = vec!["house".to_owned(), "docs".to_owned()];
        assert_eq!(
            parse("check --only house --only docs"),
            Ok(Task::Check { only })
        );
    }

    #[test]
    fn fuzz_takes_a_target_and_a_time() {
        let target = Some("smp_block".to_owned());
        assert_eq!(
            parse("fuzz smp_block --seconds 5"),
            Ok(Task::Fuzz { target, seconds: 5 })
        );
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(parse("chekc"), Err(Usage::Task("chekc".into())));
        assert_eq!(parse("check --only"), Err(Usage::Value("--only")));
        assert_eq!(parse("soak now"), Err(Usage::Unexpected("now".into())));
        assert_eq!(parse("fuzz --seconds x"), Err(Usage::Seconds("x".into())));
    }
}
