//! Hidden profiles: they work as others do, and one look at the home does not tell
//! that there are any.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::python::Python;
use crate::world::{Answer, Person, Relay, until};

/// Names and passphrases that no other word in a home holds.
const EVE: [&str; 2] = ["Evelinde", "many words by dice"];
const MAX: [&str; 2] = ["Maximilian", "other words by dice"];

impl Person {
    /// One call as somebody who knows a passphrase.
    fn knowing(&self, passphrase: &str, args: &[&str]) -> Answer {
        let mut command = self.command(args);
        command.env("HUSHWING_PASSPHRASE", passphrase);
        Answer::of(&command.output().unwrap())
    }

    /// One call as a hidden profile.
    fn as_hidden(&self, [name, passphrase]: [&str; 2], args: &[&str]) -> Value {
        let args = [args, &["--profile", name]].concat();
        self.knowing(passphrase, &args).ok()
    }

    fn hide(&self, [name, passphrase]: [&str; 2], slot: &str) {
        let args = ["profile", "create", name, "--hidden", "--slot", slot];
        let made = self.knowing(passphrase, &args).ok();
        assert_eq!(made, json!({ "profile": name, "hidden": true }));
    }
}

#[test]
fn hidden_profiles_talk_and_one_look_does_not_tell_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (alice, bob) = (Person::start("Alice", &relay), Person::start("Bob", &relay));
    alice.hide(EVE, "3");
    alice.hide(MAX, "6");
    for profile in [EVE, MAX] {
        let link = alice.as_hidden(profile, &["invite"])["link"].clone();
        bob.run(&["join", link.as_str().unwrap(), "--wait"]).ok();
        let [name, _] = profile;
        bob.run(&["send", name, "do you hide?", "--wait", "delivered"])
            .ok();
        let args = ["send", "Bob", "I do", "--wait", "delivered"];
        alice.as_hidden(profile, &args);
    }
    alice.meet(&bob);

    let seen = alice.run(&["profile", "list"]).ok();
    assert_eq!(
        seen,
        json!([{ "profile": "Alice", "default": true, "revoked": false }])
    );
    let seen = alice.as_hidden(EVE, &["profile", "list"]);
    let hers = json!({ "profile": EVE[0], "default": false, "revoked": false });
    assert_eq!(seen[1], hers, "{seen}");
    assert_eq!(seen.as_array().unwrap().len(), 2, "not the other one");
    for word in ["status", "doctor", "contacts"] {
        let told = alice.run(&[word]).json.to_string();
        for [name, _] in [EVE, MAX] {
            assert!(!told.contains(name), "{told}");
        }
    }
    let refused = alice.as_hidden_refused([EVE[0], MAX[1]]);
    let nobody = alice.as_hidden_refused(["Evelinda", EVE[1]]);
    assert_eq!(refused, nobody.replace("Evelinda", EVE[0]));

    alice.kill_daemon();
    one_look(alice.path());
    alice.run(&["up"]).ok();
    let said = alice.as_hidden(EVE, &["read", "Bob"]).to_string();
    assert!(
        said.contains("do you hide?") || said.contains("I do"),
        "{said}"
    );
    let args = ["send", "Bob", "still here", "--wait", "delivered"];
    alice.as_hidden(MAX, &args);

    let gone = alice.knowing(EVE[1], &["profile", "delete", EVE[0]]).ok();
    assert!(!gone.to_string().contains(EVE[0]), "{gone}");
    alice.as_hidden_refused(EVE);
    alice.as_hidden(MAX, &["contacts"]);
    alice.stop();
    one_look(alice.path());
    second_look(alice.path());
}

/// The second model opens what is left, by the protocol's text alone.
fn second_look(home: &Path) {
    let python = Python::with_packages();
    let slots = home.join("slots");
    let args = |[name, passphrase]: [&'static str; 2]| {
        let slots = slots.to_str().unwrap().to_owned();
        [
            "-m".to_owned(),
            "slots".to_owned(),
            slots,
            name.to_owned(),
            passphrase.to_owned(),
        ]
    };
    let words = args(MAX);
    let told = python.run(&words.each_ref().map(String::as_str));
    let told: Value = serde_json::from_str(&told).unwrap();
    for part in ["profile", "relay"] {
        assert_eq!(told[part]["integrity"], "ok", "{told}");
    }
    assert_eq!(told["settings"]["servers"].as_array().unwrap().len(), 1);
    let words = args(EVE);
    let complaint = python.refusal(&words.each_ref().map(String::as_str));
    assert!(complaint.contains("no profile is found"), "{complaint}");
}

/// Alice with a second profile that anybody can see, in which Bob asked something.
fn open_eve(relay: &Relay) -> [Person; 2] {
    let people = ["Alice", "Bob"].map(|name| Person::start(name, relay));
    let ([alice, bob], [name, _]) = (&people, EVE);
    alice.run(&["profile", "create", name]).ok();
    let link = alice.run(&["invite", "--profile", name]).ok()["link"].clone();
    bob.run(&["join", link.as_str().unwrap(), "--wait"]).ok();
    bob.run(&["send", name, "to whom?", "--wait", "delivered"])
        .ok();
    people
}

/// It goes on where it was, with everybody it knew.
#[test]
fn a_profile_that_was_there_is_hidden_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let [alice, bob] = open_eve(&relay);
    let [name, words] = EVE;
    let nobody = alice.knowing(words, &["profile", "hide", "Evelinda"]);
    assert_eq!(nobody.failed(4), "not_found");

    let hidden = alice.knowing(words, &["profile", "hide", name, "--slot", "2"]);
    assert_eq!(hidden.ok(), json!({ "profile": name, "hidden": true }));
    let seen = alice.run(&["profile", "list"]).ok();
    assert_eq!(
        seen,
        json!([{ "profile": "Alice", "default": true, "revoked": false }])
    );
    let contacts = alice.as_hidden(EVE, &["contacts"]);
    assert_eq!(contacts[0]["state"], "connected", "{contacts}");
    let args = ["send", "Bob", "to somebody", "--wait", "delivered"];
    alice.as_hidden(EVE, &args);
    bob.run(&["send", name, "again", "--wait", "delivered"])
        .ok();
    assert!(alice.path().join("profiles/Alice").exists());
    assert!(!alice.path().join("profiles").join(name).exists());

    alice.stop();
    alice.run(&["up"]).ok();
    alice.as_hidden_refused([name, "no words by dice"]);
    let said = alice.as_hidden(EVE, &["read", "Bob"]);
    assert_eq!(said.as_array().unwrap().len(), 3);
    let found = alice.as_hidden(EVE, &["search", "whom"]);
    assert_eq!(found.as_array().unwrap().len(), 1);
    let args = ["send", "Bob", "still here", "--wait", "delivered"];
    alice.as_hidden(EVE, &args);
}

/// Its files are gone by then, and nothing says that the slot holds the only copy.
#[test]
fn a_profile_whose_hiding_was_cut_short_begins_anew_from_its_slot() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let [alice, bob] = open_eve(&relay);
    let [name, words] = EVE;

    // The settings cannot be written after the files were moved away.
    let config = alice.path().join("config.json");
    let before = fs::read(&config).unwrap();
    fs::remove_file(&config).unwrap();
    fs::create_dir_all(config.join("in the way")).unwrap();
    let cut_short = alice.knowing(words, &["profile", "hide", name]);
    assert_ne!(cut_short.code, 0, "{}", cut_short.json);
    assert!(!alice.path().join("profiles").join(name).exists());
    fs::remove_dir_all(&config).unwrap();
    fs::write(&config, before).unwrap();
    alice.stop();
    alice.run(&["up"]).ok();
    let seen = alice.run(&["profile", "list"]).ok();
    assert_eq!(
        seen,
        json!([{ "profile": "Alice", "default": true, "revoked": false }])
    );

    until("the conversation began anew", || {
        alice.as_hidden(EVE, &["contacts"])[0]["state"] == "connected"
    });
    let said = alice.as_hidden(EVE, &["read", "Bob"]);
    assert_eq!(said[0]["text"], "to whom?");
    let known = bob.run(&["contacts"]).ok();
    assert_eq!(known[0]["key_changes"][0]["change"], "restored", "{known}");
    let args = ["send", "Bob", "to somebody", "--wait", "delivered"];
    alice.as_hidden(EVE, &args);
}

#[test]
fn a_hidden_profile_never_uses_the_relay_in_its_home() {
    let alice = Person::without_profile();
    alice.run(&["up"]).ok();
    alice.run(&["profile", "create", "Alice"]).ok();
    let args = ["profile", "create", EVE[0], "--hidden"];
    let refused = alice.knowing(EVE[1], &args);
    assert_eq!(refused.failed(2), "usage");
}

impl Person {
    /// The error of one call as somebody who is not there.
    fn as_hidden_refused(&self, [name, passphrase]: [&str; 2]) -> String {
        let refused = self.knowing(passphrase, &["contacts", "--profile", name]);
        let told = refused.json.to_string();
        assert_eq!(refused.failed(4), "not_found");
        told
    }
}

/// What somebody finds who looks at all files of a home once.
fn one_look(home: &Path) {
    let mut files = Vec::new();
    collect(home, &mut files);
    for file in &files {
        let shown = file.display();
        let Ok(bytes) = fs::read(file) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        for word in [EVE[0], MAX[0], "hidden", "by dice"] {
            assert!(!text.contains(word), "{word} in {shown}");
        }
    }
    let slots: Vec<&PathBuf> = (files.iter())
        .filter(|file| file.parent().is_some_and(|dir| dir.ends_with("slots")))
        .collect();
    assert_eq!(slots.len(), 8);
    let looks: BTreeSet<_> = slots
        .iter()
        .map(|slot| {
            let found = fs::metadata(slot).unwrap();
            let times = (found.mtime(), found.mtime_nsec());
            (found.len(), found.mode(), times)
        })
        .collect();
    assert_eq!(looks.len(), 1, "{looks:?}");
    let log = fs::read_to_string(home.join("log")).unwrap();
    let connected = log.matches("connected").count();
    assert!(connected <= 2, "one for each start:\n{log}");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push(path),
        }
    }
}
