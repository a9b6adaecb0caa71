//! Rule: no runtime, socket or database below the upper rooms, not even
//! through somebody else's crate.

use std::path::Path;

use super::workspace::{PREFIX, Workspace};
use crate::command::Run;
use crate::config::House;
use crate::failure::{Failure, Finding};

/// Reads the normal dependency tree of each sans-IO room that exists, with the
/// features that room alone asks for.
pub(super) fn check(
    root: &Path,
    rules: &House,
    workspace: &Workspace,
) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for room in &rules.sans_io {
        if !workspace.rooms.contains_key(room) {
            continue;
        }
        let package = format!("{PREFIX}{room}");
        let words = ["tree", "--locked", "--edges", "normal", "--prefix", "none"];
        let words = [&words[..], &["--format", "{p}", "--package", &package]].concat();
        let tree = Run::cargo(root, &words).read()?;
        findings.extend(forbidden(rules, room, &tree));
    }
    Ok(findings)
}

fn forbidden(rules: &House, room: &str, tree: &str) -> Vec<Finding> {
    rules
        .never_below
        .iter()
        .filter(|name| tree.lines().any(|line| package(line) == name.as_str()))
        .map(|name| {
            let what = format!(
                "is sans-IO but depends on {name}; \
                 `cargo tree -p {PREFIX}{room} -e normal -i {name}` shows how"
            );
            Finding::new(room, what)
        })
        .collect()
}

fn package(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_deep_in_the_tree_is_found() {
        let rules = House::read(&crate::root().unwrap()).unwrap();
        let clean = "hushwing-relay v0.1.0 (/x)\nbytes v1.12.1\ntokio-util v0.7.0 (*)\n";
        assert_eq!(forbidden(&rules, "relay", clean), []);
        let dirty = format!("{clean}hyper v1.0.0\ntokio v1.50.0 (*)\nmio v1.0.0\n");
        assert_eq!(forbidden(&rules, "relay", &dirty).len(), 2);
    }
}
