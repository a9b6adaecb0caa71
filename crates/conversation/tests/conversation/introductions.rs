//! Ivan knows Alice and Bob and introduces them.

use std::time::Duration;

use hushwing_conversation::storage::OfferState;
use hushwing_conversation::view::{ContactView, IntroductionView, OfferView};
use hushwing_conversation::village::{Crash, Home, Village};
use hushwing_conversation::{
    Change, Command, ContactId, Event, Refusal, Reply, Standing, Storage as _,
};

use crate::support::*;

const DAY: Duration = Duration::from_secs(86_400);

/// Ivan, who knows two people that do not know each other.
pub(crate) struct Party {
    pub(crate) village: Village,
    pub(crate) ivan: Home,
    pub(crate) alice: Home,
    pub(crate) bob: Home,
    pub(crate) his_alice: ContactId,
    pub(crate) his_bob: ContactId,
}

pub(crate) fn party(seed: u64) -> Party {
    let mut village = village(seed);
    let [ivan, alice, bob] = ["Ivan", "Alice", "Bob"].map(|n| village.move_in(n, DELAY).unwrap());
    for guest in [alice, bob] {
        let link = invite(&mut village, ivan, false).link;
        join(&mut village, guest, &link);
        village.rest().unwrap();
    }
    village.pass(Duration::from_secs(10)).unwrap();
    let known = contacts(&mut village, ivan);
    for home in [ivan, alice, bob] {
        village.events(home);
    }
    Party {
        village,
        ivan,
        alice,
        bob,
        his_alice: known[0].contact,
        his_bob: known[1].contact,
    }
}

fn introduce_by(p: &Party) -> Command {
    Command::Introduce {
        one: p.his_alice,
        other: p.his_bob,
        word: Some("you both play\nchess".to_owned()),
    }
}

pub(crate) fn offers(village: &mut Village, home: Home) -> Vec<OfferView> {
    match ask(village, home, Command::Offers) {
        Reply::Offers(offers) => offers,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn introductions(village: &mut Village, home: Home) -> Vec<IntroductionView> {
    match ask(village, home, Command::Introductions) {
        Reply::Introductions(all) => all,
        other => panic!("{other:?}"),
    }
}

/// Agrees to the only offer that waits.
pub(crate) fn agree(village: &mut Village, home: Home) {
    let request = offers(village, home)[0].request;
    ask(village, home, Command::AcceptIntroduction { request });
    village.rest().unwrap();
}

/// The contact that came of the introduction.
fn met(village: &mut Village, home: Home) -> Option<ContactView> {
    let all = contacts(village, home);
    all.into_iter().find(|view| {
        view.standing == Standing::Established
            && view
                .introduced
                .as_ref()
                .is_some_and(|by| by.agrees == Some(true))
    })
}

#[test]
fn two_contacts_who_both_agree_meet_and_are_not_verified() {
    let mut p = party(700);
    let command = introduce_by(&p);
    ask(&mut p.village, p.ivan, command);
    p.village.rest().unwrap();
    let hers = offers(&mut p.village, p.alice);
    assert_eq!(
        (hers[0].name.as_str(), hers[0].by_name.as_str()),
        ("Bob", "Ivan")
    );
    assert_eq!(hers[0].word.as_deref(), Some("you both play chess"));
    assert!(!hers[0].name_known);
    agree(&mut p.village, p.alice);
    // Bob has not decided: neither knows anything of the other.
    for home in [p.alice, p.bob] {
        p.village.pass(Duration::from_secs(60)).unwrap();
        assert_eq!(contacts(&mut p.village, home).len(), 1);
        assert!(
            p.village
                .storage(home)
                .unwrap()
                .invitations()
                .unwrap()
                .is_empty()
        );
    }
    assert!(!introductions(&mut p.village, p.ivan)[0].agreed);
    agree(&mut p.village, p.bob);
    p.village.pass(Duration::from_secs(60)).unwrap();

    let her_bob = met(&mut p.village, p.alice).expect("Bob");
    let his_alice = met(&mut p.village, p.bob).expect("Alice");
    assert_eq!(
        (her_bob.name.as_str(), his_alice.name.as_str()),
        ("Bob", "Alice")
    );
    for view in [&her_bob, &his_alice] {
        assert_eq!(view.introduced.as_ref().unwrap().by, "Ivan");
        assert!(!view.verified && !view.no_forward_secrecy);
    }
    assert_eq!(
        number(&mut p.village, p.alice, her_bob.contact),
        number(&mut p.village, p.bob, his_alice.contact)
    );
    send(&mut p.village, p.alice, her_bob.contact, "e4");
    p.village.rest().unwrap();
    send(&mut p.village, p.bob, his_alice.contact, "e5");
    p.village.rest().unwrap();
    assert_eq!(
        texts(&mut p.village, p.alice, her_bob.contact),
        ["e4", "e5"]
    );
    // Nothing is left to decide, or to be seen among links, and Ivan's people
    // are who they were.
    assert!(offers(&mut p.village, p.alice).is_empty());
    assert_eq!(
        ask(&mut p.village, p.alice, Command::Invitations),
        Reply::Invitations(vec![])
    );
    assert_eq!(contacts(&mut p.village, p.ivan).len(), 2);
    let told = introductions(&mut p.village, p.ivan);
    assert!(told[0].agreed && told[0].passed);
    // It lasts.
    p.village.open_again(p.bob).unwrap();
    assert_eq!(
        met(&mut p.village, p.bob).unwrap().introduced,
        his_alice.introduced
    );
}

#[test]
fn a_refusal_is_told_to_nobody_and_silence_ends_after_six_weeks() {
    let mut p = party(701);
    let command = introduce_by(&p);
    ask(&mut p.village, p.ivan, command.clone());
    p.village.rest().unwrap();
    agree(&mut p.village, p.alice);
    let request = offers(&mut p.village, p.bob)[0].request;
    p.village.events(p.ivan);
    ask(
        &mut p.village,
        p.bob,
        Command::RefuseIntroduction { request },
    );
    p.village.pass(Duration::from_secs(60)).unwrap();
    let told = p.village.events(p.ivan);
    assert!(
        !told
            .iter()
            .any(|event| matches!(event, Event::Introducing(_)))
    );
    assert_eq!(
        refusal(
            &mut p.village,
            p.bob,
            Command::AcceptIntroduction { request }
        ),
        Refusal::NotARequest
    );
    assert_eq!(
        refusal(&mut p.village, p.ivan, command),
        Refusal::IntroducedAlready
    );

    let mut q = party(702);
    let command = introduce_by(&q);
    ask(&mut q.village, q.ivan, command.clone());
    q.village.pass(DAY * 44).unwrap();
    for home in [q.alice, q.bob] {
        assert!(offers(&mut q.village, home).is_empty());
        let lapsed =
            q.village.events(home).into_iter().any(
                |event| matches!(event, Event::Introduction(o) if o.state == OfferState::Lapsed),
            );
        assert!(lapsed);
    }
    // Long after, all is forgotten, and it can be tried anew.
    q.village.pass(DAY * 44).unwrap();
    assert!(introductions(&mut q.village, q.ivan).is_empty());
    ask(&mut q.village, q.ivan, command);
    q.village.rest().unwrap();
    assert_eq!(offers(&mut q.village, q.bob).len(), 1);
}

#[test]
fn nobody_is_introduced_to_themselves_or_to_who_cannot_be_reached() {
    let mut p = party(703);
    let (ivan, one) = (p.ivan, p.his_alice);
    let mut introduce = |one, other| {
        let word = None;
        refusal(
            &mut p.village,
            ivan,
            Command::Introduce { one, other, word },
        )
    };
    assert_eq!(introduce(one, one), Refusal::SamePerson);
    assert_eq!(introduce(one, ContactId(99)), Refusal::NoContact);
    let carol = p.village.move_in("Carol", DELAY).unwrap();
    let link = invite(&mut p.village, carol, true).link;
    let other = join(&mut p.village, p.ivan, &link).contact;
    p.village.rest().unwrap();
    let word = None;
    assert_eq!(
        refusal(
            &mut p.village,
            p.ivan,
            Command::Introduce { one, other, word }
        ),
        Refusal::NotEstablished
    );
    for command in [
        Command::AcceptIntroduction { request: 99 },
        Command::RefuseIntroduction { request: 99 },
    ] {
        assert_eq!(refusal(&mut p.village, p.ivan, command), Refusal::NoRequest);
    }
}

#[test]
fn more_than_others_would_let_wait_is_not_offered() {
    let mut p = party(704);
    let mut known = vec![p.his_bob];
    for n in 0..8 {
        let guest = p.village.move_in(&format!("Guest {n}"), DELAY).unwrap();
        let link = invite(&mut p.village, p.ivan, false).link;
        join(&mut p.village, guest, &link);
        p.village.rest().unwrap();
        known.push(contacts(&mut p.village, p.ivan).last().unwrap().contact);
    }
    let one = p.his_alice;
    let of = |other| Command::Introduce {
        one,
        other,
        word: None,
    };
    for other in &known[..8] {
        ask(&mut p.village, p.ivan, of(*other));
    }
    assert_eq!(
        refusal(&mut p.village, p.ivan, of(known[8])),
        Refusal::TooManyIntroductions
    );
    p.village.rest().unwrap();
    assert_eq!(offers(&mut p.village, p.alice).len(), 8);
}

#[test]
fn who_is_blocked_is_neither_introduced_nor_heard_to_introduce() {
    let mut p = party(706);
    let conversation_with = |village: &mut Village, home, name: &str| {
        let all = contacts(village, home);
        all.into_iter()
            .find(|view| view.name == name)
            .unwrap()
            .conversation
    };
    let block = |village: &mut Village, home, name: &str, on| {
        let conversation = conversation_with(village, home, name);
        let change = Change::Blocked(on);
        let command = Command::Keep {
            conversation,
            change,
        };
        ask(village, home, command);
    };
    let command = introduce_by(&p);
    block(&mut p.village, p.ivan, "Bob", true);
    assert_eq!(
        refusal(&mut p.village, p.ivan, command.clone()),
        Refusal::Blocked
    );
    block(&mut p.village, p.ivan, "Bob", false);
    block(&mut p.village, p.alice, "Ivan", true);
    ask(&mut p.village, p.ivan, command);
    p.village.rest().unwrap();
    assert!(offers(&mut p.village, p.alice).is_empty());
    assert_eq!(offers(&mut p.village, p.bob).len(), 1);
    // What he offered is over, also when he is heard again.
    let request = offers(&mut p.village, p.bob)[0].request;
    block(&mut p.village, p.bob, "Ivan", true);
    block(&mut p.village, p.bob, "Ivan", false);
    assert!(offers(&mut p.village, p.bob).is_empty());
    assert_eq!(
        refusal(
            &mut p.village,
            p.bob,
            Command::AcceptIntroduction { request }
        ),
        Refusal::NotARequest
    );
}

/// The whole story with a crash of `whom` at their `at`th call from the
/// beginning of the introduction; gives how often each was called.
fn story(whom: usize, at: u64, crash: Crash) -> [u64; 3] {
    let mut p = party(705);
    let homes = [p.ivan, p.alice, p.bob];
    let before = homes.map(|home| p.village.calls(home));
    p.village.crash_in(homes[whom], at, crash);
    let command = introduce_by(&p);
    // A crash may swallow the answer, or the command.
    for _ in 0..2 {
        p.village.ask(p.ivan, command.clone()).unwrap();
        p.village.pass(Duration::from_secs(400)).unwrap();
    }
    for home in [p.alice, p.bob] {
        for _ in 0..2 {
            for offer in offers(&mut p.village, home) {
                let request = offer.request;
                p.village
                    .ask(home, Command::AcceptIntroduction { request })
                    .unwrap();
            }
            p.village.pass(Duration::from_secs(400)).unwrap();
        }
    }
    p.village.pass(Duration::from_secs(3_600)).unwrap();
    for home in [p.alice, p.bob] {
        let place = format!("{whom} {at} {crash:?} {home:?}");
        assert!(met(&mut p.village, home).is_some(), "{place}");
        assert_eq!(contacts(&mut p.village, home).len(), 2, "{place}");
    }
    let mut calls = [0; 3];
    for (index, home) in homes.into_iter().enumerate() {
        calls[index] = p.village.calls(home) - before[index];
    }
    calls
}

#[test]
fn a_crash_at_any_step_costs_nothing() {
    let calls = story(0, u64::MAX, Crash::BeforeCommit);
    for (whom, last) in calls.into_iter().enumerate() {
        // Every third step, before or after its commit: the whole takes minutes.
        for at in (1..=last).step_by(3) {
            let crash = match at % 2 {
                0 => Crash::BeforeCommit,
                _ => Crash::AfterCommit,
            };
            story(whom, at, crash);
        }
    }
}
