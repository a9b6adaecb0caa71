//! A disk that fills up: the home lies on a small file system of its own, in a
//! mount namespace nobody else sees.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::world::{BINARY, Person, Relay, until};

/// Enough for a home with its databases, little enough to fill.
const SIZE: &str = "6m";

/// Some containers forbid what Debian allows to everybody.
fn can_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["--map-root-user", "--user", "--mount", "true"])
        .status();
    tried.is_ok_and(|status| status.success())
}

/// A shell whose home folder is a file system of [`SIZE`].
struct Cramped {
    shell: Child,
    keyboard: ChildStdin,
    screen: Lines<BufReader<ChildStdout>>,
}

impl Cramped {
    fn new(dir: &Path) -> Self {
        let mut shell = Command::new("unshare")
            .args(["--map-root-user", "--user", "--mount", "sh"])
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let screen = BufReader::new(shell.stdout.take().unwrap()).lines();
        let keyboard = shell.stdin.take().unwrap();
        let mut cramped = Self {
            shell,
            keyboard,
            screen,
        };
        let mount = format!("mkdir disk && mount -t tmpfs -o size={SIZE} none disk && cd disk");
        let (_, code) = cramped.type_in(&mount);
        assert_eq!(code, 0, "cannot mount");
        cramped
    }

    /// Types a line and reads what it shows, with its exit code.
    fn type_in(&mut self, line: &str) -> (Vec<String>, i32) {
        writeln!(self.keyboard, "{line} </dev/null; echo \"exit $?\"").unwrap();
        let mut shown = Vec::new();
        loop {
            let line = self.screen.next().expect("the shell ended").unwrap();
            match line.strip_prefix("exit ") {
                Some(code) => return (shown, code.parse().unwrap()),
                None => shown.push(line),
            }
        }
    }

    /// Never to the last byte: what the daemon writes by itself in that moment
    /// would fail, and it rests a while before it looks for room again.
    fn fill_up_to_a_mebibyte(&mut self) {
        let (_, code) =
            self.type_in("head -c $(($(stat -f -c '%a * %S' .) - 1024 * 1024)) /dev/zero > filler");
        assert_eq!(code, 0, "less than a mebibyte was free");
    }

    fn run(&mut self, args: &str) -> (Value, i32) {
        let (shown, code) = self.type_in(&format!("{BINARY} --home home --json {args}"));
        let last = shown.last().map_or("null", String::as_str);
        (serde_json::from_str(last).unwrap(), code)
    }

    fn ok(&mut self, args: &str) -> Value {
        let (json, code) = self.run(args);
        assert_eq!(code, 0, "{args}: {json}");
        json
    }
}

impl Drop for Cramped {
    fn drop(&mut self) {
        self.run("down");
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// Sends until the disk is full; the ids of what was taken, and the refusal.
fn send_until_refused(alice: &mut Cramped) -> (Vec<String>, Value) {
    let text = "x".repeat(4_000);
    let mut taken = Vec::new();
    for _ in 0..1_000 {
        match alice.run(&format!("send Bob {text}")) {
            (sent, 0) => taken.push(sent["message"].as_str().unwrap().to_owned()),
            (refusal, _) => return (taken, refusal),
        }
    }
    panic!("the disk never filled up");
}

#[test]
fn a_full_disk_is_named_and_loses_nothing_that_was_accepted() {
    if !can_mount() {
        println!("not tried: no mount namespace is allowed here");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(&dir.path().join("relay"));
    let bob = Person::start("Bob", &relay);
    let link = bob.run(&["invite"]).ok()["link"].clone();

    let mut alice = Cramped::new(dir.path());
    alice.ok("up");
    alice.ok(&format!("server add {}", relay.address));
    alice.ok("profile create Alice");
    alice.ok(&format!("join '{}' --wait", link.as_str().unwrap()));

    until("the mailbox of last resort is open too", || {
        let status = alice.ok("status");
        status["networks"]["relay"]["relays"][0]["mailboxes"] == 2
    });

    alice.fill_up_to_a_mebibyte();
    let (taken, refusal) = send_until_refused(&mut alice);
    assert_eq!(refusal["error"]["kind"], "disk_full", "{refusal}");
    assert!(!taken.is_empty());
    alice.ok("status");

    alice.type_in("rm filler");
    until("there is room again", || alice.run("send Bob after").1 == 0);
    let shown = alice.ok("read Bob -n 10000");
    let ids: Vec<&str> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids[..taken.len()], taken);
    // Whether a refused one became durable, nobody promised.
    assert!(ids.len() > taken.len());
    until("all of it is with Bob", || {
        let there = bob.shown("Alice");
        there
            .iter()
            .map(|(id, _)| id.as_str())
            .eq(ids.iter().copied())
    });
}
