//! Rules about the text of files: not too long, nothing unfinished, nothing
//! about the machine it was written on, prose wrapped.

use std::path::Path;

use super::prose;
use crate::config::{HOUSE, House};
use crate::failure::{Failure, Finding};

/// Marks of unfinished work. Split, so that this file does not find itself.
const UNFINISHED: [&str; 5] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ign", "ore"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];

/// Folders of somebody's machine.
const MACHINE: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/buil", "ds/"),
];

/// Folders that are not source.
const SKIPPED: [&str; 6] = [
    ".git",
    "target",
    "artifacts",
    "corpus",
    "__pycache__",
    "node_modules",
];

const CODE: [&str; 5] = ["rs", "py", "sh", "js", "mjs"];
const TEXT: [&str; 6] = ["md", "toml", "sql", "html", "css", "json"];

/// Reads every file of the workspace.
pub(super) fn check(root: &Path, rules: &House) -> Result<Vec<Finding>, Failure> {
    let mut files = Vec::new();
    walk(root, root, &mut files)?;
    let mut findings = Vec::new();
    for (name, text) in &files {
        findings.extend(inspect(rules, name, text));
    }
    for name in rules.long_files.keys() {
        if !files.iter().any(|(file, _)| file == name) {
            let what = format!("[long-files] names {name}, which does not exist");
            findings.push(Finding::new(HOUSE, what));
        }
    }
    Ok(findings)
}

/// Collects the names (from the root) and texts of all source files.
fn walk(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> Result<(), Failure> {
    let failed = |source| Failure::File {
        path: folder.to_path_buf(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !SKIPPED.contains(&&*name) {
            walk(root, &path, files)?;
        } else if path.is_file() && (is(&path, &CODE) || is(&path, &TEXT) || name == "run") {
            let text = std::fs::read_to_string(&path).map_err(|source| Failure::File {
                path: path.clone(),
                source,
            })?;
            let name = path.strip_prefix(root).unwrap_or(&path).display();
            files.push((name.to_string(), text));
        }
    }
    Ok(())
}

fn is(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| extensions.contains(&extension))
}

fn inspect(rules: &House, name: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let code = is(Path::new(name), &CODE);
    let lines = text.lines().count();
    let excused = rules.long_files.contains_key(name);
    if code && lines > rules.longest_file && !excused {
        let what = format!(
            "{lines} lines, more than {}: split it, or list it with a reason in {HOUSE}",
            rules.longest_file
        );
        findings.push(Finding::new(name, what));
    }
    if excused && lines <= rules.longest_file {
        let what = format!("is short enough now; take it out of [long-files] in {HOUSE}");
        findings.push(Finding::new(name, what));
    }
    if is(Path::new(name), &["md"]) {
        for number in prose::too_wide(text, rules.widest_prose) {
            let what = format!("more than {} characters: wrap it", rules.widest_prose);
            findings.push(Finding::new(format!("{name}:{number}"), what));
        }
    }
    for (number, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        if let Some(mark) = UNFINISHED.iter().find(|mark| code && line.contains(**mark)) {
            findings.push(Finding::new(place.clone(), format!("unfinished: {mark}")));
        }
        if let Some(folder) = MACHINE.iter().find(|folder| is_path(line, folder)) {
            findings.push(Finding::new(
                place,
                format!("names a machine's own {folder}"),
            ));
        }
    }
    findings
}

/// Whether `line` holds `folder` as the start of an absolute path, not as a
/// part of a longer one.
fn is_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || "./~_-}".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> House {
        let text = "sans-io = []\nnever-below = []\ntests-only = []\nlongest-file = 2\nwidest-prose = 40\n\
                    [long-files]\n'long.rs' = 'a table'\n[budget]\n[budget-rooms]\n[rooms]\n";
        crate::config::parse("rules", text).unwrap()
    }

    fn findings(name: &str, text: &str) -> usize {
        inspect(&rules(), name, text).len()
    }

    #[test]
    fn a_long_file_needs_a_reason() {
        assert_eq!(findings("a.rs", "1\n2\n"), 0);
        assert_eq!(findings("a.rs", "1\n2\n3\n"), 1);
        assert_eq!(findings("long.rs", "1\n2\n3\n"), 0);
        assert_eq!(findings("a.md", "1\n2\n3\n"), 0);
    }

    #[test]
    fn wide_prose_is_found() {
        assert_eq!(findings("a.md", &"word ".repeat(9)), 1);
        assert_eq!(findings("a.rs", &"word ".repeat(9)), 0);
    }

    #[test]
    fn a_reason_nobody_needs_is_found() {
        assert_eq!(findings("long.rs", "1\n"), 1);
    }

    #[test]
    fn unfinished_work_is_found_in_code() {
        for mark in UNFINISHED {
            assert_eq!(findings("a.rs", mark), 1);
            assert_eq!(findings("a.py", mark), 1);
            assert_eq!(findings("a.md", mark), 0);
        }
    }

    #[test]
    fn a_machines_own_folder_is_found_anywhere() {
        for folder in MACHINE {
            assert_eq!(findings("a.md", &format!("see {folder}alice")), 1);
            assert_eq!(findings("a.rs", &format!("\"{folder}alice\"")), 1);
        }
    }

    #[test]
    fn a_longer_path_is_no_machine_folder() {
        assert_eq!(findings("a.md", concat!("docs/ho", "me/index.md")), 0);
        assert_eq!(findings("a.md", concat!("${DIR}/wo", "rk/x")), 0);
    }

    #[test]
    fn the_walk_skips_what_is_not_source() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["target", "crates/a/src"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
            std::fs::write(root.join(name).join("lib.rs"), UNFINISHED[0]).unwrap();
        }
        let findings = check(root, &rules()).unwrap();
        let places: Vec<&str> = findings.iter().map(|f| f.place.as_str()).collect();
        assert_eq!(places, ["crates/a/src/lib.rs:1", HOUSE]);
    }
}
