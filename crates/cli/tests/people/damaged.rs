//! Files whose bytes changed on the disk.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::world::Person;

/// The files that `doctor` found unsound, with its advice.
fn unsound(person: &Person) -> Vec<(String, String)> {
    let checks = person.run(&["doctor"]).json;
    let checks = checks.as_array().unwrap();
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    let files = checks
        .iter()
        .filter(|check| text(check, "check").starts_with("file "));
    assert_eq!(files.clone().count(), 3, "{checks:?}");
    files
        .filter(|check| check["ok"] == false)
        .map(|check| (text(check, "check"), text(check, "advice")))
        .collect()
}

/// Changes one byte in the last page.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - 2_000;
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_changed_byte_in_any_file_is_found_and_the_file_named() {
    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    alice.run(&["profile", "create", "Alice"]).ok();
    alice.run(&["invite"]).ok();
    alice.run(&["doctor"]).ok();
    for file in [
        "profiles/Alice/profile.db",
        "profiles/Alice/relay.db",
        "relay/relay-server.db",
    ] {
        let path = alice.path().join(file);
        // Closing puts everything into the file itself.
        alice.stop();
        flip(&path);
        // It may start or not: that depends on what the page holds.
        alice.run(&["up"]);
        let found = unsound(&alice);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, format!("file {file}"));
        assert!(found[0].1.contains("damaged"), "{found:?}");
        alice.stop();
        flip(&path);
        alice.run(&["up"]).ok();
        assert_eq!(unsound(&alice), []);
    }
}
