//! Conversations that both sides made provable.

use std::time::Duration;

use hushwing_conversation::content::{Content, Mode};
use hushwing_conversation::proof::{CheckError, Confirmation, Proof, Proved, check};
use hushwing_conversation::view::ModeView;
use hushwing_conversation::village::{Crash, Home, Village};
use hushwing_conversation::{
    Command, ContactId, Event, MessageId, MessageState, ReceiptRows as _, Refusal, Reply,
};

use crate::support::*;

pub(crate) fn mode(village: &mut Village, home: Home, contact: ContactId) -> ModeView {
    match ask(village, home, Command::Mode { contact }) {
        Reply::Mode(view) => view,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn wish(village: &mut Village, home: Home, contact: ContactId, mode: Mode) -> ModeView {
    match ask(village, home, Command::SetMode { contact, mode }) {
        Reply::Mode(view) => view,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn prove(village: &mut Village, home: Home, message: MessageId) -> Proof {
    match ask(village, home, Command::Prove { message }) {
        Reply::Proof(proof) => proof,
        other => panic!("{other:?}"),
    }
}

fn proved(village: &mut Village, home: Home, message: MessageId) -> Proved {
    check(prove(village, home, message).to_text().as_bytes()).unwrap()
}

fn text(proved: &Proved) -> &str {
    match &proved.content {
        Content::Post(post) | Content::Edit { post, .. } => post.text.as_str(),
        other => panic!("{other:?}"),
    }
}

/// The text of each message and whether it can be proved, as somebody sees it.
fn marks(village: &mut Village, home: Home, contact: ContactId) -> Vec<(String, Option<bool>)> {
    let shown = read(village, home, contact).into_iter();
    shown.map(|view| (view.text, view.provable)).collect()
}

/// A couple that made their conversation provable.
pub(crate) fn provable_couple(seed: u64) -> Couple {
    let mut c = couple(seed);
    wish(&mut c.village, c.alice, c.her_bob, Mode::Provable);
    wish(&mut c.village, c.bob, c.his_alice, Mode::Provable);
    c.village.pass(Duration::from_secs(60)).unwrap();
    c.village.events(c.alice);
    c.village.events(c.bob);
    c
}

#[test]
fn one_wish_alone_signs_nothing() {
    let mut c = couple(900);
    let hers = wish(&mut c.village, c.alice, c.her_bob, Mode::Provable);
    assert_eq!((hers.in_force, hers.mine), (Mode::Normal, Mode::Provable));
    c.village.pass(Duration::from_secs(60)).unwrap();
    let his = mode(&mut c.village, c.bob, c.his_alice);
    assert_eq!((his.in_force, his.theirs), (Mode::Normal, Mode::Provable));
    assert_eq!(his.their_key, hers.my_key);
    assert_eq!(his.my_key, None);

    let message = send(&mut c.village, c.alice, c.her_bob, "not yet");
    c.village.pass(Duration::from_secs(60)).unwrap();
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        let shown = marks(&mut c.village, home, contact);
        assert_eq!(shown, [("not yet".to_owned(), None)]);
        let refused = refusal(&mut c.village, home, Command::Prove { message });
        assert_eq!(refused, Refusal::NotProvable);
    }
}

#[test]
fn what_both_wish_is_told_and_shown_to_both() {
    let mut c = couple(901);
    wish(&mut c.village, c.alice, c.her_bob, Mode::Provable);
    c.village.rest().unwrap();
    let told = c.village.events(c.bob);
    let seen = |event: &Event| matches!(event, Event::Mode(view) if view.theirs == Mode::Provable);
    assert!(told.iter().any(seen), "{told:?}");
    wish(&mut c.village, c.bob, c.his_alice, Mode::Provable);
    c.village.rest().unwrap();
    let told = c.village.events(c.alice);
    let seen = |event: &Event| matches!(event, Event::Mode(v) if v.in_force == Mode::Provable);
    assert!(told.iter().any(seen), "{told:?}");
    let hers = mode(&mut c.village, c.alice, c.her_bob);
    let his = mode(&mut c.village, c.bob, c.his_alice);
    assert_eq!([hers.in_force, his.in_force], [Mode::Provable; 2]);
    assert_eq!((hers.my_key, hers.their_key), (his.their_key, his.my_key));
    assert_ne!(hers.my_key, his.my_key);
    assert!(!hers.their_key_changed);
    assert_eq!(contacts(&mut c.village, c.alice)[0].mode, hers);
    // Wishing it again says nothing.
    c.village.overhear();
    wish(&mut c.village, c.alice, c.her_bob, Mode::Provable);
    assert_eq!(c.village.overhear().len(), 0);
}

#[test]
fn both_can_prove_what_either_said_and_who_received_it() {
    let mut c = provable_couple(902);
    let (alice, bob) = (c.alice, c.bob);
    // Read receipts are off unless somebody wants them.
    ask(&mut c.village, bob, Command::SetReadReceipts { on: true });
    let hers = mode(&mut c.village, alice, c.her_bob);
    let message = send(&mut c.village, alice, c.her_bob, "I owe you ten");
    c.village.rest().unwrap();
    c.village.pass(DELAY * 2).unwrap();
    read(&mut c.village, bob, c.his_alice);
    c.village.pass(DELAY * 2).unwrap();
    for (home, contact) in [(alice, c.her_bob), (bob, c.his_alice)] {
        let shown = marks(&mut c.village, home, contact);
        assert_eq!(shown, [("I owe you ten".to_owned(), Some(true))]);
        let proved = proved(&mut c.village, home, message);
        assert_eq!(text(&proved), "I owe you ten");
        assert_eq!(Some(proved.author), hers.my_key);
        assert_eq!(Some(proved.audience), hers.their_key);
        // Only who said it holds receipts.
        let kinds: Vec<_> = proved.received.iter().map(|(kind, _)| *kind).collect();
        match home == alice {
            true => assert_eq!(kinds, [Confirmation::Delivered, Confirmation::Read]),
            false => assert_eq!(kinds, []),
        }
    }
    let shown = read(&mut c.village, alice, c.her_bob);
    assert_eq!(shown[0].state, MessageState::Read);
    assert_eq!(dropped(&c.village.events(alice)), 0);
}

#[test]
fn either_ends_it_alone_and_what_was_signed_stays_provable() {
    let mut c = provable_couple(903);
    let before = send(&mut c.village, c.alice, c.her_bob, "signed");
    c.village.pass(DELAY * 2).unwrap();
    wish(&mut c.village, c.bob, c.his_alice, Mode::Normal);
    c.village.pass(DELAY * 2).unwrap();
    let hers = mode(&mut c.village, c.alice, c.her_bob);
    assert_eq!((hers.in_force, hers.mine), (Mode::Normal, Mode::Provable));
    let after = send(&mut c.village, c.alice, c.her_bob, "off the record");
    c.village.pass(DELAY * 2).unwrap();
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        let expected = [("signed", Some(true)), ("off the record", None)];
        let expected = expected.map(|(text, mark)| (text.to_owned(), mark));
        assert_eq!(marks(&mut c.village, home, contact), expected);
        assert_eq!(text(&proved(&mut c.village, home, before)), "signed");
        let refused = refusal(&mut c.village, home, Command::Prove { message: after });
        assert_eq!(refused, Refusal::NotProvable);
    }
    // What was received after the end is confirmed without a signature.
    let shown = read(&mut c.village, c.alice, c.her_bob);
    assert_eq!(shown[1].state, MessageState::Delivered);
}

#[test]
fn messages_in_flight_at_a_change_are_what_they_are_to_both() {
    let mut c = couple(904);
    wish(&mut c.village, c.bob, c.his_alice, Mode::Provable);
    c.village.rest().unwrap();
    // Alice agrees; before Bob hears of it, he speaks unsigned and she signed.
    wish(&mut c.village, c.alice, c.her_bob, Mode::Provable);
    send(&mut c.village, c.bob, c.his_alice, "b1");
    send(&mut c.village, c.alice, c.her_bob, "a1");
    c.village.pass(DELAY * 4).unwrap();
    // Bob ends it; before Alice hears of it, she signs once more.
    wish(&mut c.village, c.bob, c.his_alice, Mode::Normal);
    let last = send(&mut c.village, c.alice, c.her_bob, "a2");
    send(&mut c.village, c.bob, c.his_alice, "b2");
    c.village.pass(DELAY * 4).unwrap();
    let mut hers = marks(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers, marks(&mut c.village, c.bob, c.his_alice));
    hers.sort();
    // What stands after her wish and before his end, unsigned, cannot be proved.
    assert!(hers[2].1 != Some(true), "{hers:?}");
    let told = [&hers[0], &hers[1], &hers[3]].map(|(text, mark)| (text.as_str(), *mark));
    assert_eq!(told, [("a1", Some(true)), ("a2", Some(true)), ("b2", None)]);
    for home in [c.alice, c.bob] {
        assert_eq!(text(&proved(&mut c.village, home, last)), "a2");
    }
    // Bob signs no receipt for what came after he ended it.
    assert_eq!(prove(&mut c.village, c.alice, last).receipts.len(), 0);
}

#[test]
fn the_last_signed_version_is_proved_and_nothing_once_deleted() {
    let mut c = provable_couple(905);
    let message = send(&mut c.village, c.alice, c.her_bob, "ten");
    c.village.pass(DELAY * 2).unwrap();
    let edit = |text: &str| Command::Edit {
        message,
        text: text.into(),
    };
    ask(&mut c.village, c.alice, edit("twelve"));
    c.village.pass(DELAY * 2).unwrap();
    for home in [c.alice, c.bob] {
        let proved = proved(&mut c.village, home, message);
        assert_eq!(text(&proved), "twelve");
        assert!(matches!(proved.content, Content::Edit { target, .. } if target == message));
    }
    wish(&mut c.village, c.alice, c.her_bob, Mode::Normal);
    ask(&mut c.village, c.alice, edit("thirteen"));
    c.village.pass(DELAY * 2).unwrap();
    let shown = marks(&mut c.village, c.bob, c.his_alice);
    assert_eq!(shown, [("thirteen".to_owned(), None)]);
    // What was signed before cannot be taken back by saying it anew.
    let proved = proved(&mut c.village, c.bob, message);
    assert_eq!(text(&proved), "twelve");
    let receipts = |c: &mut Couple| {
        let storage = c.village.storage(c.alice).unwrap();
        storage.signed_receipts(&message).unwrap().len()
    };
    assert_eq!(receipts(&mut c), 1);
    ask(&mut c.village, c.alice, Command::Delete { message });
    c.village.pass(DELAY * 2).unwrap();
    assert_eq!(receipts(&mut c), 0);
    for home in [c.alice, c.bob] {
        let refused = refusal(&mut c.village, home, Command::Prove { message });
        assert_eq!(refused, Refusal::Deleted);
    }
}

#[test]
fn it_stays_so_after_a_restart_with_the_same_keys() {
    let mut c = provable_couple(906);
    let before = mode(&mut c.village, c.alice, c.her_bob);
    let message = send(&mut c.village, c.alice, c.her_bob, "still");
    c.village.open_again(c.alice).unwrap();
    c.village.open_again(c.bob).unwrap();
    c.village.pass(Duration::from_secs(60)).unwrap();
    assert_eq!(mode(&mut c.village, c.alice, c.her_bob), before);
    let proof = prove(&mut c.village, c.alice, message);
    assert_eq!(proof.receipts.len(), 1);
    c.village.open_again(c.alice).unwrap();
    assert_eq!(prove(&mut c.village, c.alice, message), proof);
    let later = send(&mut c.village, c.alice, c.her_bob, "later");
    c.village.pass(Duration::from_secs(60)).unwrap();
    let proved = proved(&mut c.village, c.bob, later);
    assert_eq!(Some(proved.author), before.my_key);
}

/// Both wish it and speak, with a crash of `whom` at their `at`th call.
fn story(whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut c = couple(907);
    let before = [c.village.calls(c.alice), c.village.calls(c.bob)];
    let homes = [c.alice, c.bob];
    c.village.crash_in(homes[whom], at, crash);
    let people = [(c.alice, c.her_bob), (c.bob, c.his_alice)];
    for (home, contact) in people {
        wish(&mut c.village, home, contact, Mode::Provable);
        c.village.rest().unwrap();
    }
    c.village.pass(Duration::from_secs(400)).unwrap();
    for (home, contact) in people {
        while texts(&mut c.village, home, contact)
            .iter()
            .all(|text| *text != format!("{home:?}"))
        {
            let text = format!("{home:?}");
            let command = Command::Send {
                contact,
                text,
                reply_to: None,
            };
            c.village.ask(home, command).unwrap();
            c.village.pass(Duration::from_secs(400)).unwrap();
        }
    }
    c.village.pass(Duration::from_secs(3_600)).unwrap();
    let [hers, his] = people.map(|(home, contact)| mode(&mut c.village, home, contact));
    assert_eq!([hers.in_force, his.in_force], [Mode::Provable; 2]);
    assert_eq!((hers.my_key, hers.their_key), (his.their_key, his.my_key));
    assert!(
        !hers.their_key_changed && !his.their_key_changed,
        "{at} {crash:?}"
    );
    for (home, contact) in people {
        let shown = read(&mut c.village, home, contact);
        assert_eq!(shown.len(), 2);
        for view in shown {
            assert_eq!(view.provable, Some(true), "{whom} {at} {crash:?}");
            let proof = prove(&mut c.village, home, view.id);
            assert_eq!(check(proof.to_text().as_bytes()).err(), None);
        }
        assert_eq!(dropped(&c.village.events(home)), 0);
    }
    [
        c.village.calls(c.alice) - before[0],
        c.village.calls(c.bob) - before[1],
    ]
}

#[test]
fn a_crash_at_any_step_loses_no_wish_and_makes_no_second_key() {
    let calls = story(0, u64::MAX, Crash::BeforeCommit);
    for whom in [0, 1] {
        for at in 1..=calls[whom].min(24) {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                story(whom, at, crash);
            }
        }
    }
}

#[test]
fn every_changed_byte_of_a_proof_is_noticed() {
    let mut c = provable_couple(908);
    let message = send(&mut c.village, c.alice, c.her_bob, "ten");
    c.village.rest().unwrap();
    read(&mut c.village, c.bob, c.his_alice);
    c.village.pass(DELAY * 2).unwrap();
    let proof = prove(&mut c.village, c.alice, message);
    assert!(!proof.receipts.is_empty());
    let good = proof.encode();
    for at in 0..good.len() {
        for change in [1, 0x80] {
            let mut changed = good.clone();
            changed[at] ^= change;
            let verdict = Proof::decode(&changed)
                .map_err(CheckError::from)
                .and_then(|proof| check(proof.to_text().as_bytes()));
            assert!(verdict.is_err(), "byte {at}");
        }
    }
    let text = proof.to_text().into_bytes();
    for at in 0..text.len() {
        let mut changed = text.clone();
        changed[at] ^= 1;
        assert!(check(&changed).is_err(), "character {at}");
    }
}
