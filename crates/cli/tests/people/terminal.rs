//! What only a person at a terminal is asked.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::world::{BINARY, Person};

/// Runs the program on a terminal of its own and types `input`.
fn on_terminal(person: &Person, args: &str, input: &str) -> Output {
    let line = format!("{BINARY} --home {} {args}", person.path().display());
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(keyboard);
    output
}

#[test]
fn whoever_has_no_profile_is_asked_for_a_name() {
    let person = Person::without_profile();
    person.run(&["up"]).ok();
    assert_eq!(person.run(&["invite"]).failed(1), "no_profile");

    let output = on_terminal(&person, "invite", "Carol\n");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("hushwing:i#"), "{shown}");
    let profiles = person.run(&["profile", "list"]).ok();
    assert_eq!(profiles[0]["profile"], "Carol");
}

#[test]
fn whoever_gives_no_name_is_told_what_to_do() {
    let person = Person::without_profile();
    person.run(&["up"]).ok();
    let output = on_terminal(&person, "contacts", "\n");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("hushwing profile create NAME"), "{shown}");
}

#[test]
fn the_bare_command_leads_from_nothing_to_a_link() {
    let person = Person::without_profile();
    // Nobody is there to answer.
    assert_eq!(person.run(&[]).failed(1), "no_profile");
    person.run(&["down"]).ok();

    let output = on_terminal(&person, "", "Carol\n");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    for part in [
        "By what name",
        "hushwing:i#",
        "█",
        "hushwing watch",
        "hushwing send",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(person.run(&["profile", "list"]).ok()[0]["profile"], "Carol");

    // The next time there is nothing to ask, and the link is another one.
    let output = on_terminal(&person, "", "");
    let again = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{again}");
    assert!(!again.contains("By what name"), "{again}");
    let links = person.run(&["invite", "--list"]).ok();
    assert_eq!(links.as_array().unwrap().len(), 2);
    assert!(person.run(&[]).ok()["version"].is_string());
}
