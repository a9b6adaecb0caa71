//! Comparing safety numbers, again and again, and numbers that become others.

use std::time::Duration;

use hushwing_conversation::storage::{Comparison, IdentityRecord, Seen};
use hushwing_conversation::view::ContactView;
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    ChangeKind, Command, Compared, ContactId, Event, IdentityChange, Refusal, Reply,
};
use hushwing_sansio::Timestamp;

use crate::support::*;

fn code(village: &mut Village, home: Home, contact: ContactId) -> String {
    match ask(village, home, Command::SafetyNumber { contact }) {
        Reply::SafetyNumber { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

fn verify(c: &mut Couple, number: &str) -> Result<ContactView, Refusal> {
    let number = number.to_owned();
    let contact = c.her_bob;
    let answer = c.village.ask(c.alice, Command::Verify { contact, number });
    match answer.unwrap().unwrap() {
        Ok(Reply::Contact(view)) => Ok(view),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal),
    }
}

fn her_bob(c: &mut Couple) -> ContactView {
    contacts(&mut c.village, c.alice).remove(0)
}

fn changes(events: &[Event]) -> Vec<IdentityChange> {
    let changes = events.iter().filter_map(|event| match event {
        Event::IdentityChanged { change, .. } => Some(*change),
        _ => None,
    });
    changes.collect()
}

#[test]
fn what_was_compared_when_and_how_is_kept_and_may_be_renewed() {
    let mut c = couple(600);
    let number = number(&mut c.village, c.bob, c.his_alice);
    let first = verify(&mut c, &number).unwrap();
    let (at, how) = first.identity.verified.unwrap();
    assert_eq!((first.verified, how), (true, Compared::Number));
    c.village.pass(Duration::from_secs(3_600)).unwrap();
    c.village.open_again(c.alice).unwrap();
    let code = code(&mut c.village, c.bob, c.his_alice);
    let again = verify(&mut c, &code).unwrap();
    let (later, how) = again.identity.verified.unwrap();
    assert_eq!(how, Compared::Code);
    assert!(later > at);
    c.village.open_again(c.alice).unwrap();
    assert_eq!(her_bob(&mut c), again);
}

#[test]
fn what_is_wrong_marks_nothing_and_says_so_louder_after_it_was_right() {
    let mut c = couple(601);
    let own = number(&mut c.village, c.bob, c.his_alice);
    let wrong: String = own.chars().rev().collect();
    assert_ne!(own, wrong);
    assert_eq!(verify(&mut c, &wrong), Err(Refusal::WrongNumber));
    assert!(!her_bob(&mut c).verified);
    for (nonsense, refusal) in [
        ("", Refusal::NotANumber),
        ("12345", Refusal::NotANumber),
        ("hushwing:v#", Refusal::NotACode),
        ("hushwing:i#AAAA", Refusal::NotACode),
        ("hushwing:v#Ag", Refusal::CodeNewer),
    ] {
        assert_eq!(verify(&mut c, nonsense), Err(refusal), "{nonsense}");
    }
    verify(&mut c, &own).unwrap();
    let before = her_bob(&mut c);
    assert_eq!(verify(&mut c, &wrong), Err(Refusal::WrongNumberNow));
    assert_eq!(her_bob(&mut c), before);
}

#[test]
fn the_code_of_another_conversation_is_wrong() {
    let mut c = couple(602);
    let carol = c.village.move_in("Carol", DELAY).unwrap();
    let link = invite(&mut c.village, c.bob, false).link;
    let her_bob = join(&mut c.village, carol, &link).contact;
    c.village.rest().unwrap();
    let other = code(&mut c.village, carol, her_bob);
    assert_eq!(verify(&mut c, &other), Err(Refusal::WrongNumber));
}

#[test]
fn renewed_keys_leave_what_was_compared_as_it_is() {
    let mut c = couple(603);
    let own = number(&mut c.village, c.bob, c.his_alice);
    verify(&mut c, &own).unwrap();
    c.village.events(c.alice);
    for n in 0..120 {
        send(&mut c.village, c.bob, c.his_alice, &n.to_string());
        c.village.rest().unwrap();
    }
    assert!(her_bob(&mut c).verified);
    assert_eq!(changes(&c.village.events(c.alice)), []);
}

#[test]
fn the_key_that_replaces_that_of_a_reusable_link_is_told_to_the_joiner() {
    let mut w = waiting(604);
    w.village.events(w.bob);
    let since = contacts(&mut w.village, w.bob)[0].identity.key_since;
    w.village.pass(Duration::from_secs(60)).unwrap();
    let contact = w.her_bob;
    ask(&mut w.village, w.alice, Command::Accept { contact });
    w.village.rest().unwrap();
    let told = changes(&w.village.events(w.bob));
    let kinds: Vec<_> = told.iter().map(|one| (one.kind, one.withdrew)).collect();
    assert_eq!(kinds, [(ChangeKind::Planned, false)]);
    let shown = contacts(&mut w.village, w.bob).remove(0);
    assert_eq!(shown.identity.changes, told);
    assert!(shown.identity.key_since > since && shown.identity.withdrawn.is_none());
    // The inviter's own key is another one, and nothing was compared before.
    assert_eq!(changes(&w.village.events(w.alice)), []);
}

/// Alice compared another number than that of the group she has now: as after a
/// key was changed, or a conversation begun anew, behind the back of whoever
/// keeps the record.
fn compared_another(c: &mut Couple, seen: Seen) {
    let own = number(&mut c.village, c.bob, c.his_alice);
    verify(c, &own).unwrap();
    let contact = c.her_bob;
    let storage = c.village.storage(c.alice).unwrap();
    let mut record = IdentityRecord::of(storage, contact).unwrap();
    record.comparison = Some(Comparison {
        number: seen.number.clone(),
        at: seen.since,
        how: Compared::Number,
    });
    record.seen = Some(seen);
    record.put(storage, contact).unwrap();
    c.village.open_again(c.alice).unwrap();
    c.village.events(c.alice);
}

#[test]
fn a_changed_key_withdraws_what_was_compared_and_is_told() {
    for (conversation, kind) in [(false, ChangeKind::Key), (true, ChangeKind::Conversation)] {
        let mut c = couple(605);
        let id = her_bob(&mut c).conversation.0;
        compared_another(
            &mut c,
            Seen {
                number: vec![9; 32],
                key: vec![9; 32],
                conversation: if conversation {
                    vec![9; 16]
                } else {
                    id.to_vec()
                },
                since: Timestamp::from_secs(1_767_000_000),
            },
        );
        assert!(her_bob(&mut c).verified);
        send(&mut c.village, c.bob, c.his_alice, "hello");
        c.village.rest().unwrap();
        let told = changes(&c.village.events(c.alice));
        let kinds: Vec<_> = told.iter().map(|one| (one.kind, one.withdrew)).collect();
        assert_eq!(kinds, [(kind, true)]);
        let shown = her_bob(&mut c);
        assert!(!shown.verified && shown.identity.verified.is_none());
        assert_eq!(shown.identity.withdrawn, Some(told[0].at));
        // It survives, is told once, and a wrong number now is told with it.
        c.village.open_again(c.alice).unwrap();
        assert_eq!(her_bob(&mut c), shown);
        let wrong = "0".repeat(60);
        assert_eq!(verify(&mut c, &wrong), Err(Refusal::WrongNumberNow));
        let own = number(&mut c.village, c.bob, c.his_alice);
        let again = verify(&mut c, &own).unwrap();
        assert!(again.verified && again.identity.withdrawn.is_none());
        assert_eq!(changes(&c.village.events(c.alice)), []);
    }
}
