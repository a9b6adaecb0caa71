//! The table in `crates/relay/CHECKLIST.md` tells the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Every test source a row may name, by file name.
fn sources() -> BTreeMap<String, String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = BTreeMap::new();
    for folder in [
        "relay/tests",
        "relay/tests/server",
        "relay/src/server/session",
        "daemon/tests/relay_server",
    ] {
        for file in fs::read_dir(crates.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "rs") {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let text = fs::read_to_string(&path).unwrap();
                // Names like `main` stand for several; rows name none of them.
                sources
                    .entry(name)
                    .or_insert_with(String::new)
                    .push_str(&text);
            }
        }
    }
    sources
}

/// Whether `text` has a test of that name.
fn has_test(text: &str, test: &str) -> bool {
    let mut attributed = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            attributed = true;
        } else if let Some((_, after)) = line.split_once("fn ") {
            if attributed && after.split('(').next() == Some(test) {
                return true;
            }
            attributed = false;
        }
    }
    false
}

#[test]
fn every_item_names_tests_that_exist_or_says_why_not() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../relay/CHECKLIST.md");
    let table = fs::read_to_string(table).unwrap();
    let sources = sources();
    let mut items = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, item, _, answer, _] = cells[..] else {
            continue;
        };
        let Ok(item) = item.parse::<u8>() else {
            continue;
        };
        assert!(items.insert(item), "{item} stands twice");
        if answer.starts_with("not here: ") {
            continue;
        }
        for named in answer.split(", ") {
            let named = named.trim_matches('`');
            let (file, test) = named.split_once("::").unwrap_or_else(|| panic!("{row}"));
            let text = sources.get(file).unwrap_or_else(|| panic!("no {file}.rs"));
            assert!(has_test(text, test), "{item}: no test {named}");
        }
    }
    let wanted: BTreeSet<u8> = (1..=40).chain(51..=57).chain([61, 64]).collect();
    assert_eq!(items, wanted);
}
