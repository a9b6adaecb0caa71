//! A crash before or after any commit loses nothing that was carried out and
//! shows nothing twice.

use std::time::Duration;

use hushwing_conversation::village::{Crash, Home, Village};
use hushwing_conversation::{Command, ContactId, Reply, Secret, Standing};

use crate::support::*;

/// What a patient person does: looks whether it happened, and asks again.
fn insist<T>(
    village: &mut Village,
    home: Home,
    command: &Command,
    mut happened: impl FnMut(&mut Village) -> Option<T>,
) -> T {
    for _ in 0..3 {
        village.ask(home, command.clone()).unwrap();
        village.pass(Duration::from_secs(400)).unwrap();
        if let Some(it) = happened(village) {
            return it;
        }
    }
    panic!("{command:?} did not happen");
}

fn link(village: &mut Village, home: Home) -> Option<Secret> {
    match ask(village, home, Command::Invitations) {
        Reply::Invitations(mut views) => views.pop().map(|view| view.link),
        other => panic!("{other:?}"),
    }
}

fn established(village: &mut Village, home: Home) -> Option<ContactId> {
    let views = contacts(village, home);
    views
        .iter()
        .find(|view| view.standing == Standing::Established)
        .map(|view| view.contact)
}

fn say(village: &mut Village, from: (Home, ContactId), text: &str) {
    let command = Command::Send {
        contact: from.1,
        text: text.into(),
        reply_to: None,
    };
    insist(village, from.0, &command, |village| {
        texts(village, from.0, from.1)
            .contains(&text.to_owned())
            .then_some(())
    });
}

/// The whole story, with a crash of `whom` at their `at`th call. Gives how
/// often both machines were called.
fn story(seed: u64, reusable: bool, whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut village = village(seed);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    village.crash_in(if whom == 0 { alice } else { bob }, at, crash);
    let invite = Command::Invite {
        reusable,
        network: None,
    };
    let link = insist(&mut village, alice, &invite, |village| link(village, alice));
    let join = Command::Join { link };
    insist(&mut village, bob, &join, |village| {
        contacts(village, bob).pop()
    });
    if reusable {
        let waiting = requests(&mut village, alice);
        let accept = Command::Accept {
            contact: waiting[0].contact,
        };
        insist(&mut village, alice, &accept, |village| {
            established(village, alice)
        });
    }
    let her_bob = established(&mut village, alice).expect("Bob");
    let his_alice = established(&mut village, bob).expect("Alice");
    for text in ["one", "two", "three"] {
        say(&mut village, (alice, her_bob), &format!("{text} a"));
        say(&mut village, (bob, his_alice), &format!("{text} b"));
    }
    village.pass(Duration::from_secs(3_600)).unwrap();
    let hers = texts(&mut village, alice, her_bob);
    assert_eq!(hers.len(), 6, "{whom} {at} {crash:?}: {hers:?}");
    assert_eq!(
        hers,
        texts(&mut village, bob, his_alice),
        "{whom} {at} {crash:?}"
    );
    [village.calls(alice), village.calls(bob)]
}

fn every_step(reusable: bool) {
    let calls = story(70, reusable, 0, u64::MAX, Crash::BeforeCommit);
    for whom in [0, 1] {
        for at in 1..=calls[whom] {
            // Reading is most of the story and changes little.
            if at > 24 && at % 3 != 0 {
                continue;
            }
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                story(71, reusable, whom, at, crash);
            }
        }
    }
}

#[test]
fn at_any_step_of_a_one_time_story() {
    every_step(false);
}

#[test]
fn at_any_step_of_a_reusable_story() {
    every_step(true);
}
