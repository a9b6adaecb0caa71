//! Rule: a room uses only the rooms the table allows.

use super::workspace::Workspace;
use crate::config::{HOUSE, House};
use crate::failure::Finding;

/// Compares each room's manifest with the table.
pub(super) fn check(rules: &House, workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in &workspace.misnamed {
        let what = "a room is a folder NAME under crates/ with the package hushwing-NAME";
        findings.push(Finding::new(manifest.display().to_string(), what));
    }
    for (name, room) in &workspace.rooms {
        let Some(may_use) = rules.rooms.get(name) else {
            let what = format!("the room is not in {HOUSE}; give it a row there by RFC");
            findings.push(Finding::new(name, what));
            continue;
        };
        for other in room.uses.iter().filter(|other| !may_use.contains(other)) {
            let what = format!("may not use {other}; it may use {}", listed(may_use));
            findings.push(Finding::new(name, what));
        }
        let for_tests =
            |other: &&String| !may_use.contains(other) && !rules.tests_only.contains(other);
        for other in room.tests_with.iter().filter(for_tests) {
            let what = format!(
                "its tests may not use {other}; they may use {} and {}",
                listed(may_use),
                listed(&rules.tests_only)
            );
            findings.push(Finding::new(name, what));
        }
    }
    findings
}

fn listed(rooms: &[String]) -> String {
    if rooms.is_empty() {
        return "no other room".to_owned();
    }
    rooms.join(", ")
}

/// A table with a loop would allow what it is there to forbid.
#[cfg(test)]
fn has_loop(rules: &House) -> bool {
    fn reaches(rules: &House, from: &str, goal: &str, depth: usize) -> bool {
        depth > 0
            && rules.rooms.get(from).is_some_and(|uses| {
                uses.iter()
                    .any(|next| next == goal || reaches(rules, next, goal, depth - 1))
            })
    }
    rules
        .rooms
        .keys()
        .any(|room| reaches(rules, room, room, rules.rooms.len()))
}

#[cfg(test)]
mod tests {
    use super::super::workspace::Room;
    use super::*;

    fn house(rooms: &str) -> House {
        let text = format!(
            "sans-io = []\nnever-below = []\ntests-only = ['sim']\nlongest-file = 1\nwidest-prose = 100\n\
             [long-files]\n[budget]\n[budget-rooms]\n[rooms]\n{rooms}"
        );
        crate::config::parse("rules", &text).unwrap()
    }

    fn workspace(name: &str, uses: &[&str], tests_with: &[&str]) -> Workspace {
        let room = Room {
            uses: uses.iter().map(ToString::to_string).collect(),
            tests_with: tests_with.iter().map(ToString::to_string).collect(),
        };
        Workspace {
            rooms: [(name.to_owned(), room)].into(),
            manifests: Vec::new(),
            misnamed: Vec::new(),
        }
    }

    const TABLE: &str = "sansio = []\ndelivery = ['sansio']\nrelay = ['delivery', 'sansio']\n";

    #[test]
    fn what_the_table_lists_is_allowed() {
        let workspace = workspace("relay", &["delivery", "sansio"], &["sim"]);
        assert_eq!(check(&house(TABLE), &workspace), []);
    }

    #[test]
    fn an_upward_use_is_found() {
        let workspace = workspace("delivery", &["sansio", "relay"], &[]);
        assert_eq!(check(&house(TABLE), &workspace).len(), 1);
    }

    #[test]
    fn the_simulator_is_for_tests_only() {
        let workspace = workspace("relay", &["sim"], &[]);
        assert_eq!(check(&house(TABLE), &workspace).len(), 1);
    }

    #[test]
    fn tests_may_not_reach_upward_either() {
        let workspace = workspace("delivery", &[], &["relay"]);
        assert_eq!(check(&house(TABLE), &workspace).len(), 1);
    }

    #[test]
    fn an_unknown_room_is_found() {
        let workspace = workspace("attic", &[], &[]);
        assert_eq!(check(&house(TABLE), &workspace).len(), 1);
    }

    #[test]
    fn our_own_table_has_no_loop() {
        assert!(has_loop(&house("a = ['b']\nb = ['a']\n")));
        let own = House::read(&crate::root().unwrap()).unwrap();
        assert!(!has_loop(&own));
    }
}
