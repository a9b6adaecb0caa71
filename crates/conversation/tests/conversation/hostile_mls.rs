//! What a peer may make of cards, groups and commits: nothing that reaches
//! further than their own conversation. The village answers a `StorageError`
//! of anybody with a failed `unwrap`.

use std::time::Duration;

use hushwing_conversation::link::Kind;
use hushwing_conversation::{Command, ContactId, DropReason, Refusal, Standing};
use openmls::prelude::*;

use crate::bent::Key;
use crate::hostile::{drops, still_works};
use crate::intruder::*;
use crate::support::*;

pub(crate) const DAY: Duration = Duration::from_secs(86_400 + 1_200);

/// Alice and Bob, and somebody whose link Alice opened.
pub(crate) fn scene(seed: u64) -> (Couple, Intruder, ContactId) {
    let mut c = couple(seed);
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut c.village, c.alice);
    c.village.pass(Duration::from_secs(10)).unwrap();
    assert_eq!(standing(&mut c, contact), Some(Standing::Established));
    c.village.events(c.alice);
    (c, mallory, contact)
}

pub(crate) fn standing(c: &mut Couple, contact: ContactId) -> Option<Standing> {
    let all = contacts(&mut c.village, c.alice);
    let one = all.iter().find(|view| view.contact == contact);
    one.map(|view| view.standing)
}

fn other_identity(key: &Key) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(b"Bob".to_vec()).into(),
        signature_key: key.public().into(),
    }
}

fn more(kind: u16) -> Extension {
    Extension::Unknown(kind, UnknownExtension(vec![1; 9_000]))
}

/// Key packages that are no use, each for another reason.
fn useless_packages(mallory: &Intruder) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![
        ("empty", Vec::new()),
        ("random", vec![7; 1_500]),
        (
            "without the extension for the suite's name",
            mallory.package(honest_package().leaf_node_capabilities(able(&[]))),
        ),
        (
            "with a lifetime that ends",
            mallory.package(honest_package().key_package_lifetime(Lifetime::new(86_400))),
        ),
        (
            "with more in its leaf",
            mallory.package(
                honest_package()
                    .leaf_node_capabilities(able(&[NAME, 0xF48B]))
                    .leaf_node_extensions(Extensions::single(more(0xF48B)).unwrap()),
            ),
        ),
    ];
    let honest = mallory.package(honest_package());
    all.push(("cut off", honest[..honest.len() - 1].to_vec()));
    all.push(("with something behind", [honest.as_slice(), &[0]].concat()));
    let build = |suite, who| {
        let made = honest_package().build(suite, &mallory.mls, &mallory.key, who);
        bytes(&MlsMessageOut::from(made.unwrap().key_package().clone()))
    };
    let other_suite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
    all.push((
        "of another suite",
        build(other_suite, mallory.key.credential()),
    ));
    all.push((
        "of another identity",
        build(SUITE, other_identity(&mallory.key)),
    ));
    for (nth, name) in [
        (0, "whose first key is none"),
        (1, "whose second key is none"),
    ] {
        mallory.mls.spoil(nth);
        all.push((name, mallory.package(honest_package())));
    }
    mallory.mls.spoil(crate::bent::NOTHING);
    all
}

#[test]
fn cards_with_a_useless_key_package_are_refused_as_forged() {
    let mut c = couple(200);
    let mallory = Intruder::new();
    for (place, (name, package)) in (1..).zip(useless_packages(&mallory)) {
        let kind = if place % 2 == 0 {
            Kind::OneTime
        } else {
            Kind::Reusable
        };
        let card = mallory.card(kind, package);
        let link = Intruder::publish(&mut c.village, place, kind, card);
        let answer = c.village.ask(c.alice, Command::Join { link }).unwrap();
        assert_eq!(answer, Some(Err(Refusal::LinkForged)), "{name}");
    }
    assert_eq!(contacts(&mut c.village, c.alice).len(), 1);
    c.village.open_again(c.alice).unwrap();
    still_works(&mut c, &[]);
}

/// Join requests that are not taken, each for another reason.
fn useless_requests(mallory: &mut Intruder, alice: &KeyPackage) -> Vec<(&'static str, Vec<u8>)> {
    let honest = honest_config();
    let alices = core::slice::from_ref(alice);
    let mut all = Vec::new();
    for (name, id) in [
        ("an id too short", &[1; 15][..]),
        ("an id too long", &[1; 17]),
        ("no id", &[]),
    ] {
        let group = mallory.create(id, &honest);
        all.push((name, mallory.ask(group, alices)));
    }
    let group = mallory.create(&[2; 16], &config(b"some other suite"));
    all.push(("another suite's name", mallory.ask(group, alices)));
    let group = mallory.create_as(&[3; 16], &honest, other_identity(&mallory.key));
    all.push(("another identity", mallory.ask(group, alices)));
    let mut group = mallory.create(&[4; 16], &honest);
    let same = LeafNodeParameters::default();
    group.self_update(&mallory.mls, &mallory.key, same).unwrap();
    group.merge_pending_commit(&mallory.mls).unwrap();
    all.push(("a later epoch", mallory.ask(group, alices)));
    let third = honest_package().build(
        SUITE,
        &mallory.mls,
        &Key::new(67),
        Key::new(67).credential(),
    );
    let three = [alice.clone(), third.unwrap().key_package().clone()];
    let group = mallory.create(&[5; 16], &honest);
    all.push(("three members", mallory.ask(group, &three)));
    all.push(("no welcome", letter(1, &[&[0; 40]])));
    all
}

#[test]
fn join_requests_that_bend_the_rules_are_dropped_and_the_link_stays_good() {
    let mut c = couple(201);
    let mut mallory = Intruder::new();
    let link = invite(&mut c.village, c.alice, false).link;
    let (alice, to) = Intruder::read_card(&c.village, &link);
    mallory.to = Some(to);
    for (name, request) in useless_requests(&mut mallory, &alice) {
        mallory.post_letter(&mut c.village, request);
        let dropped = drops(&mut c.village, c.alice);
        assert_eq!(dropped, [DropReason::JoinRequest], "{name}");
    }
    let carol = c.village.move_in("Carol", DELAY).unwrap();
    join(&mut c.village, carol, &link);
    c.village.pass(Duration::from_secs(10)).unwrap();
    assert_eq!(contacts(&mut c.village, c.alice).len(), 2);
    still_works(&mut c, &[]);
}

#[test]
fn whichever_key_of_a_joiner_is_none_the_others_go_on() {
    let mut taken = 0;
    for nth in 0..8 {
        let mut c = couple(210);
        let mut mallory = Intruder::new();
        let link = invite(&mut c.village, c.alice, false).link;
        let (alice, to) = Intruder::read_card(&c.village, &link);
        mallory.to = Some(to);
        mallory.mls.spoil(nth);
        let group = mallory.create(&[6; 16], &honest_config());
        let request = mallory.ask(group, &[alice]);
        mallory.post_letter(&mut c.village, request);
        let known = contacts(&mut c.village, c.alice);
        if let [_, view] = known.as_slice() {
            taken += 1;
            send(&mut c.village, c.alice, view.contact, "so that keys age");
        }
        c.village.pass(DAY).unwrap();
        c.village.open_again(c.alice).unwrap();
        still_works(&mut c, &[]);
    }
    assert!((1..8).contains(&taken), "{taken} of 8");
}

/// Commits that are not followed, each for another reason.
fn useless_commits(mallory: &mut Intruder) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    for (nth, name) in [(0, "a first key that is none"), (1, "a second")] {
        mallory.mls.spoil(nth);
        let commit = mallory.commit(|group, mls, key| {
            let made = group.self_update(mls, key, LeafNodeParameters::default());
            made.unwrap().into_commit()
        });
        all.push((name, commit));
    }
    mallory.mls.spoil(crate::bent::NOTHING);
    let commit = mallory.commit(|group, mls, key| {
        let leaf = LeafNodeParameters::builder()
            .with_capabilities(able(&[NAME, 0xF48B]))
            .with_extensions(Extensions::single(more(0xF48B)).unwrap())
            .build();
        group.self_update(mls, key, leaf).unwrap().into_commit()
    });
    all.push(("more in its leaf", commit));
    let commit = mallory.commit(|group, mls, key| {
        let leaf = LeafNodeParameters::builder()
            .with_credential_with_key(other_identity(key))
            .build();
        group.self_update(mls, key, leaf).unwrap().into_commit()
    });
    all.push(("another identity", commit));
    let commit = mallory.commit(|group, mls, key| {
        let alice = LeafNodeIndex::new(0);
        group.remove_members(mls, key, &[alice]).unwrap().0
    });
    all.push(("the end of Alice", commit));
    let commit = mallory.commit(|group, mls, key| {
        let other = Key::new(68);
        let new = NewSignerBundle {
            signer: &other,
            credential_with_key: other.credential(),
        };
        let same = LeafNodeParameters::default();
        let made = group.self_update_with_new_signer(mls, key, new, same);
        made.unwrap().into_commit()
    });
    all.push(("another key", commit));
    all
}

#[test]
fn commits_that_bend_the_rules_are_dropped_and_nothing_else_stops() {
    let (mut c, mut mallory, contact) = scene(202);
    for (name, commit) in useless_commits(&mut mallory) {
        mallory.post(&mut c.village, &[&commit]);
        let dropped = drops(&mut c.village, c.alice);
        assert!(
            matches!(
                dropped.as_slice(),
                [DropReason::Commit | DropReason::Unreadable]
            ),
            "{name}: {dropped:?}"
        );
        // What Alice says to Mallory from here on must still be sayable.
        send(&mut c.village, c.alice, contact, name);
        c.village.open_again(c.alice).unwrap();
        send(&mut c.village, c.alice, contact, name);
    }
    c.village.pass(DAY).unwrap();
    still_works(&mut c, &[]);
}
