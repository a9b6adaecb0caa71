//! Rule: ARCHITECTURE.md shows the table that is kept.

use std::fmt::Write as _;
use std::path::Path;

use crate::config::{self, HOUSE, House};
use crate::failure::{Failure, Finding};

const FILE: &str = "ARCHITECTURE.md";
const BEGIN: &str = "<!-- table: begin, written by `cargo xtask house --write` -->\n";
const END: &str = "<!-- table: end -->\n";

/// Compares the table in ARCHITECTURE.md with the rules, and looks for every
/// room in its text.
pub(super) fn check(root: &Path, rules: &House) -> Result<Vec<Finding>, Failure> {
    Ok(differences(rules, &config::read(root, FILE)?))
}

/// Writes the table into ARCHITECTURE.md.
pub(super) fn write(root: &Path, rules: &House) -> Result<(), Failure> {
    let text = config::read(root, FILE)?;
    let Some((before, _, after)) = parts(&text) else {
        return Err(Failure::Parse {
            what: FILE.to_owned(),
            why: format!(
                "the marks {} and {} are not there",
                BEGIN.trim(),
                END.trim()
            ),
        });
    };
    let text = format!("{before}{BEGIN}{}{END}{after}", table(rules));
    config::write(root, FILE, &text)
}

fn differences(rules: &House, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if parts(text).is_none_or(|(_, found, _)| found != table(rules)) {
        let what = format!("its table is not that of {HOUSE}; run `cargo xtask house --write`");
        findings.push(Finding::new(FILE, what));
    }
    for room in rules.rooms.keys() {
        if !text.contains(&format!("**{room}**")) {
            findings.push(Finding::new(FILE, format!("says nothing about **{room}**")));
        }
    }
    findings
}

fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (table, after) = rest.split_once(END)?;
    Some((before, table, after))
}

fn table(rules: &House) -> String {
    let mut text = "| room | may use | sans-IO |\n|---|---|---|\n".to_owned();
    for (room, uses) in &rules.rooms {
        let mut uses = uses.join(", ");
        if uses.is_empty() {
            "no Hushwing crate".clone_into(&mut uses);
        }
        if rules.tests_only.contains(room) {
            uses.push_str(" (tests only)");
        }
        let sans_io = if rules.sans_io.contains(room) {
            "yes"
        } else {
            ""
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {room} | {uses} | {sans_io} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_table_and_a_forgotten_room_are_found() {
        let rules = House::read(&crate::root().unwrap()).unwrap();
        let rooms: String = rules
            .rooms
            .keys()
            .map(|room| format!("**{room}** "))
            .collect();
        let good = format!("{rooms}\n{BEGIN}{}{END}", table(&rules));
        assert_eq!(differences(&rules, &good), []);
        let old = good.replace("| sim | sansio, delivery", "| sim | sansio");
        assert_eq!(differences(&rules, &old).len(), 1);
        let forgotten = good.replace("**onion**", "");
        assert_eq!(differences(&rules, &forgotten).len(), 1);
    }
}
