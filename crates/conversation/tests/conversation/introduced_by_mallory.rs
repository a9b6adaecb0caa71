//! What a contact may make of introductions: nothing but failed ones.

use std::time::Duration;

use hushwing_conversation::content::{
    Content, Introduction, IntroductionId, IntroductionStep, Offer,
};
use hushwing_conversation::link::{IntroducedLink, Kind, Link, Promise, RootKey};
use hushwing_conversation::storage::OfferState;
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Command, ContactId, DropReason, Event, Refusal, Secret, Standing, Storage as _,
};
use hushwing_delivery::{Card, NetworkTag, Place};

use crate::hostile::{drops, still_works};
use crate::hostile_mls::{scene, standing};
use crate::introductions::{agree, offers};
use crate::intruder::*;
use crate::support::*;

pub(crate) fn say(mallory: &mut Intruder, village: &mut Village, id: u8, step: IntroductionStep) {
    let id = IntroductionId([id; 16]);
    mallory.tell(village, &Content::Introduction(Introduction { id, step }));
    village.rest().unwrap();
}

pub(crate) fn offer(invites: bool) -> IntroductionStep {
    IntroductionStep::Offer(Offer {
        invites,
        name: "Carol".to_owned(),
        word: None,
    })
}

/// What was said to Mallory about introductions since.
fn heard(mallory: &mut Intruder, c: &mut Couple) -> Vec<IntroductionStep> {
    let said = mallory.understand(c.village.overhear());
    let steps = said.into_iter().filter_map(|content| match content {
        Content::Introduction(introduction) => Some(introduction.step),
        _ => None,
    });
    steps.collect()
}

pub(crate) fn failures(c: &mut Couple) -> Vec<Refusal> {
    let events = c.village.events(c.alice).into_iter();
    let failed = events.filter_map(|event| match event {
        Event::IntroductionFailed { refusal, .. } => Some(refusal),
        _ => None,
    });
    failed.collect()
}

#[test]
fn offers_by_the_thousand_leave_eight_and_hurt_nobody() {
    let (mut c, mut mallory, _) = scene(710);
    for n in 0..1_000_u32 {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        let step = offer(n % 2 == 0);
        let id = IntroductionId(id);
        mallory.tell(
            &mut c.village,
            &Content::Introduction(Introduction { id, step }),
        );
    }
    c.village.rest().unwrap();
    assert_eq!(offers(&mut c.village, c.alice).len(), 8);
    let dropped = drops(&mut c.village, c.alice);
    let too_many = dropped
        .iter()
        .filter(|d| **d == DropReason::TooManyIntroductions);
    assert_eq!(too_many.count(), 992);
    // Refusing makes room, but not for ever.
    for round in 0..6_u8 {
        for waiting in offers(&mut c.village, c.alice) {
            let request = waiting.request;
            ask(
                &mut c.village,
                c.alice,
                Command::RefuseIntroduction { request },
            );
        }
        for n in 0..8 {
            say(
                &mut mallory,
                &mut c.village,
                100 + round * 8 + n,
                offer(true),
            );
        }
    }
    assert!(offers(&mut c.village, c.alice).is_empty());
    c.village.open_again(c.alice).unwrap();
    still_works(&mut c, &[]);
}

#[test]
fn steps_of_nothing_and_repeated_ones_change_nothing() {
    let (mut c, mut mallory, contact) = scene(711);
    c.village.events(c.alice);
    for step in [
        IntroductionStep::Agree(Promise([1; 32])),
        IntroductionStep::Agreed(Promise([1; 32])),
        link_step(1, 1, Secret::new(*b"hushwing:i#AAAA")),
        IntroductionStep::Witness([1; 32]),
    ] {
        say(&mut mallory, &mut c.village, 1, step);
        assert_eq!(drops(&mut c.village, c.alice), [DropReason::Introduction]);
    }
    say(&mut mallory, &mut c.village, 2, offer(false));
    say(&mut mallory, &mut c.village, 2, offer(true));
    assert_eq!(offers(&mut c.village, c.alice).len(), 1);
    // Before she agreed, nothing goes on.
    for step in [
        IntroductionStep::Agreed(Promise([1; 32])),
        link_step(2, 1, Secret::new(*b"hushwing:i#AAAA")),
    ] {
        say(&mut mallory, &mut c.village, 2, step);
        assert_eq!(drops(&mut c.village, c.alice), [DropReason::Introduction]);
    }
    assert_eq!(
        offers(&mut c.village, c.alice)[0].state,
        OfferState::Waiting
    );
    assert_eq!(standing(&mut c, contact), Some(Standing::Established));
    still_works(&mut c, &[]);
}

/// A link to `place` that nobody published, under a root of its own.
pub(crate) fn made_up(
    seed: u8,
    kind: Kind,
    network: NetworkTag,
) -> (Secret, hushwing_conversation::link::Secret) {
    (made_up_at(seed, seed, kind, network), secret_of(seed))
}

fn secret_of(seed: u8) -> hushwing_conversation::link::Secret {
    RootKey::from_seed(&[seed; 32]).fixed().secret()
}

fn made_up_at(seed: u8, place: u8, kind: Kind, network: NetworkTag) -> Secret {
    let place = Place(vec![place; 16]);
    let link = Link::new(kind, network, place, secret_of(seed), None).unwrap();
    Secret::new(link.to_uri())
}

fn signed(id: u8, root: &RootKey, link: Secret) -> IntroducedLink {
    IntroducedLink::sign(IntroductionId([id; 16]), link, root)
}

/// A link, signed for introduction `id` by the root of `seed`.
pub(crate) fn link_step(id: u8, seed: u8, link: Secret) -> IntroductionStep {
    IntroductionStep::Link(signed(id, &RootKey::from_seed(&[seed; 32]), link))
}

/// Alice agreed to be the joiner; Mallory says what was promised, and a link.
fn passed(seed: u64, promise: Promise, link: &IntroducedLink) -> (Couple, Vec<Refusal>) {
    let (mut c, mut mallory, _) = scene(seed);
    say(&mut mallory, &mut c.village, 3, offer(false));
    agree(&mut c.village, c.alice);
    c.village.events(c.alice);
    // The link overtakes the promise; and both are said again.
    for _ in 0..2 {
        say(
            &mut mallory,
            &mut c.village,
            3,
            IntroductionStep::Link(link.clone()),
        );
        say(
            &mut mallory,
            &mut c.village,
            3,
            IntroductionStep::Agreed(promise),
        );
    }
    let failed = failures(&mut c);
    assert!(offers(&mut c.village, c.alice).is_empty());
    assert_eq!(contacts(&mut c.village, c.alice).len(), 2);
    (c, failed)
}

fn joins(c: &mut Couple) -> usize {
    let storage = c.village.storage(c.alice).unwrap();
    storage.joins().unwrap().len()
}

#[test]
fn a_link_that_was_not_promised_is_not_opened() {
    let id = IntroductionId([3; 16]);
    let root = RootKey::from_seed(&[1; 32]);
    let (one, secret) = made_up(1, Kind::OneTime, NetworkTag::TOY);
    let (other, _) = made_up(2, Kind::OneTime, NetworkTag::TOY);
    let promise = Promise::of_inviter(id, &secret);
    let (reusable, _) = made_up(1, Kind::Reusable, NetworkTag::TOY);
    let no_link = Secret::new(*b"https://elsewhere.example/");
    for link in [
        signed(3, &RootKey::from_seed(&[2; 32]), other),
        signed(3, &root, reusable),
        signed(3, &root, no_link),
    ] {
        let (mut c, failed) = passed(712, promise, &link);
        assert_eq!(failed, [Refusal::LinkForged]);
        assert!(joins(&mut c) < 2);
        still_works(&mut c, &[]);
    }
    // Promised, and leading nowhere.
    let (mut c, failed) = passed(713, promise, &signed(3, &root, one));
    assert_eq!(failed, [Refusal::LinkUsed]);
    still_works(&mut c, &[]);
}

#[test]
fn a_promised_link_to_another_server_is_not_opened() {
    let id = IntroductionId([3; 16]);
    let root = RootKey::from_seed(&[1; 32]);
    let (one, secret) = made_up(1, Kind::OneTime, NetworkTag::TOY);
    let promise = Promise::of_inviter(id, &secret);
    let good = signed(3, &root, one.clone());
    let elsewhere = IntroducedLink {
        link: made_up_at(1, 2, Kind::OneTime, NetworkTag::TOY),
        ..good.clone()
    };
    let unsigned = IntroducedLink {
        signature: [0; 64],
        ..good
    };
    // Signed, but for somebody else.
    let of_another = signed(4, &root, one);
    for link in [elsewhere, unsigned, of_another] {
        let (mut c, failed) = passed(719, promise, &link);
        assert_eq!(failed, [Refusal::LinkForged]);
        assert!(joins(&mut c) < 2, "it was fetched");
        still_works(&mut c, &[]);
    }
}

/// Mallory and whoever made a link introduce Alice to it; where her requests
/// went since, and what she was told.
fn introduced_to(
    c: &mut Couple,
    mallory: &mut Intruder,
    id: u8,
    link: Secret,
    root: &RootKey,
) -> (usize, Vec<Refusal>) {
    let parsed = Link::parse(core::str::from_utf8(link.expose()).unwrap()).unwrap();
    let promise = Promise::of_inviter(IntroductionId([id; 16]), parsed.secret());
    say(mallory, &mut c.village, id, offer(false));
    agree(&mut c.village, c.alice);
    c.village.events(c.alice);
    say(
        mallory,
        &mut c.village,
        id,
        IntroductionStep::Agreed(promise),
    );
    c.village.overhear();
    let step = IntroductionStep::Link(signed(id, root, link));
    say(mallory, &mut c.village, id, step);
    c.village.pass(Duration::from_secs(60)).unwrap();
    let sent = c.village.overhear().into_iter();
    let asked = sent.filter(|(to, _)| to.0 == parsed.place().0).count();
    (asked, failures(c))
}

/// The link of somebody's newest invitation, and its root.
fn made_by(c: &mut Couple, home: Home) -> (Secret, RootKey) {
    let link = invite(&mut c.village, home, false).link;
    let storage = c.village.storage(home).unwrap();
    let record = storage.invitations().unwrap().pop().unwrap();
    (link, RootKey::from_seed(&record.root.array().unwrap()))
}

/// Whoever introduces two names of one person must not see it, nor that one of
/// two had a link of the other: what leaves here is the same.
#[test]
fn whether_a_link_is_known_here_cannot_be_seen_from_outside() {
    let (mut c, mut mallory, _) = scene(714);
    // Of somebody she does not know, and whose answer is lost.
    let carol = c.village.move_in("Carol", DELAY).unwrap();
    let (link, root) = made_by(&mut c, carol);
    c.village.swallow(carol, 100);
    let strange = introduced_to(&mut c, &mut mallory, 4, link, &root);
    assert_eq!(strange, (1, vec![]));
    // Her own.
    let alice = c.alice;
    let (link, root) = made_by(&mut c, alice);
    let own = introduced_to(&mut c, &mut mallory, 5, link, &root);
    assert_eq!(own, (strange.0, vec![Refusal::LinkMine]));
    assert!(drops(&mut c.village, c.alice).is_empty());
    // One that she opened, and that is shown at another place.
    let bob = c.bob;
    let (link, root) = made_by(&mut c, bob);
    let record = c.village.storage(bob).unwrap().invitations().unwrap();
    let card = Card {
        secret: *root.fixed().secret().as_bytes(),
        fixed: root.fixed().encode(),
        bundle: record.last().unwrap().bundle.clone(),
    };
    join(&mut c.village, alice, &link);
    c.village.rest().unwrap();
    let place = Place([&[77; 8], 9_u64.to_be_bytes().as_slice()].concat());
    c.village.publish(place.clone(), card, true);
    let secret = root.fixed().secret();
    let there = Link::new(Kind::OneTime, NetworkTag::TOY, place, secret, None).unwrap();
    let there = Secret::new(there.to_uri());
    let opened = introduced_to(&mut c, &mut mallory, 6, there, &root);
    assert_eq!(opened, (strange.0, vec![Refusal::LinkUsed]));
    still_works(&mut c, &[]);
}

/// Alice made a link for a joiner who comes by `promised`; Mallory has it.
pub(crate) fn link_for(c: &mut Couple, mallory: &mut Intruder, promised: Promise) -> Secret {
    say(mallory, &mut c.village, 6, offer(true));
    c.village.overhear();
    agree(&mut c.village, c.alice);
    say(
        mallory,
        &mut c.village,
        6,
        IntroductionStep::Agreed(promised),
    );
    // Another promise comes too late.
    say(
        mallory,
        &mut c.village,
        6,
        IntroductionStep::Agreed(Promise([0; 32])),
    );
    let steps = heard(mallory, c);
    let [
        IntroductionStep::Agree(promise),
        IntroductionStep::Link(link),
    ] = steps.as_slice()
    else {
        panic!("{steps:?}")
    };
    let id = IntroductionId([6; 16]);
    let parsed = link.open(id).expect("signed for this introduction");
    assert_eq!(*promise, Promise::of_inviter(id, parsed.secret()));
    link.link.clone()
}

/// Somebody opens a link of Alice's with a key of theirs.
pub(crate) fn come(c: &mut Couple, mallory: &mut Intruder, link: &Secret) -> Intruder {
    let mut stranger = Intruder::new();
    // Two post offices of one seed would give letters one name.
    core::mem::swap(&mut stranger.mail, &mut mallory.mail);
    let (alice, to) = Intruder::read_card(&c.village, link);
    stranger.to = Some(to);
    let group = stranger.create(&[9; 16], &honest_config());
    let request = stranger.ask(group, &[alice]);
    stranger.post_letter(&mut c.village, request);
    c.village.rest().unwrap();
    stranger
}

#[test]
fn who_introduces_cannot_use_the_link_itself() {
    let (mut c, mut mallory, _) = scene(715);
    let link = link_for(&mut c, &mut mallory, Promise([1; 32]));
    c.village.events(c.alice);
    come(&mut c, &mut mallory, &link);
    assert_eq!(drops(&mut c.village, c.alice), [DropReason::WrongJoiner]);
    assert_eq!(contacts(&mut c.village, c.alice).len(), 2);
    // It is no link to be given to anybody else.
    let answer = ask(&mut c.village, c.alice, Command::Invitations);
    assert_eq!(answer, hushwing_conversation::Reply::Invitations(vec![]));
    c.village.open_again(c.alice).unwrap();
    still_works(&mut c, &[]);
}

fn disputed(c: &mut Couple) -> Vec<ContactId> {
    let events = c.village.events(c.alice).into_iter();
    let disputed = events.filter_map(|event| match event {
        Event::IntroductionDisputed { contact } => Some(contact),
        _ => None,
    });
    disputed.collect()
}

#[test]
fn who_was_told_other_promises_is_shown_as_disputed_for_good() {
    let (mut c, mut mallory, _) = scene(716);
    let id = IntroductionId([6; 16]);
    let key = Intruder::new().key.public();
    let key: [u8; 32] = key.try_into().unwrap();
    let link = link_for(&mut c, &mut mallory, Promise::of_joiner(id, &key));
    let mut carol = come(&mut c, &mut mallory, &link);
    let all = contacts(&mut c.village, c.alice);
    let her_carol = all.last().unwrap();
    assert_eq!(her_carol.standing, Standing::Established);
    assert_eq!(her_carol.introduced.as_ref().unwrap().agrees, None);
    let contact = her_carol.contact;
    say(
        &mut carol,
        &mut c.village,
        6,
        IntroductionStep::Witness([9; 32]),
    );
    assert_eq!(disputed(&mut c), [contact]);
    let parsed = Link::parse(core::str::from_utf8(link.expose()).unwrap()).unwrap();
    let honest = Promise::witness(
        id,
        &Promise::of_inviter(id, parsed.secret()),
        &Promise::of_joiner(id, &key),
    );
    say(
        &mut carol,
        &mut c.village,
        6,
        IntroductionStep::Witness(honest),
    );
    c.village.open_again(c.alice).unwrap();
    let all = contacts(&mut c.village, c.alice);
    assert_eq!(
        all.last().unwrap().introduced.as_ref().unwrap().agrees,
        Some(false)
    );
    assert!(disputed(&mut c).is_empty());
    still_works(&mut c, &[]);
}

#[test]
fn one_who_is_introduced_cannot_send_the_other_elsewhere() {
    let (mut c, mut mallory, contact) = scene(717);
    c.village.overhear();
    let command = Command::Introduce {
        one: contact,
        other: c.her_bob,
        word: None,
    };
    ask(&mut c.village, c.alice, command);
    c.village.rest().unwrap();
    let sent = c.village.overhear();
    let mine = mallory.address().locator;
    let sent = sent.into_iter().filter(|(to, _)| *to == mine).collect();
    let said = mallory.understand(sent);
    let Some(Content::Introduction(Introduction { id, .. })) = said.last().cloned() else {
        panic!("{said:?}")
    };
    let id = id.0;
    let tell = |mallory: &mut Intruder, c: &mut Couple, step| {
        let id = IntroductionId(id);
        mallory.tell(
            &mut c.village,
            &Content::Introduction(Introduction { id, step }),
        );
        c.village.rest().unwrap();
    };
    let root = RootKey::from_seed(&[1; 32]);
    let sign = |link| IntroducedLink::sign(IntroductionId(id), link, &root);
    let (link, secret) = made_up(1, Kind::OneTime, NetworkTag::TOY);
    let promise = Promise::of_inviter(IntroductionId(id), &secret);
    tell(&mut mallory, &mut c, IntroductionStep::Agree(promise));
    c.village.events(c.alice);
    // Before Bob agreed, and after: no link but the promised one goes on, to no
    // other place than it was made for. Nor does what no promise can be about.
    let (reusable, _) = made_up(1, Kind::Reusable, NetworkTag::TOY);
    let (other, _) = made_up(2, Kind::OneTime, NetworkTag::TOY);
    let elsewhere = IntroducedLink {
        link: made_up_at(1, 2, Kind::OneTime, NetworkTag::TOY),
        ..sign(link)
    };
    let by_another = IntroducedLink::sign(IntroductionId(id), other, &RootKey::from_seed(&[2; 32]));
    let links = [
        elsewhere,
        by_another,
        sign(reusable),
        sign(Secret::new(*b"no link")),
    ];
    for link in links.clone() {
        tell(&mut mallory, &mut c, IntroductionStep::Link(link));
    }
    agree(&mut c.village, c.bob);
    for link in links {
        tell(&mut mallory, &mut c, IntroductionStep::Link(link));
    }
    assert_eq!(
        drops(&mut c.village, c.alice),
        [DropReason::Introduction; 8]
    );
    c.village.pass(Duration::from_secs(60)).unwrap();
    assert_eq!(contacts(&mut c.village, c.bob).len(), 1);
    still_works(&mut c, &[]);
}

#[test]
fn forgetting_who_introduces_takes_the_link_down() {
    let (mut c, mut mallory, _) = scene(718);
    link_for(&mut c, &mut mallory, Promise([1; 32]));
    let waiting = |c: &mut Couple| {
        c.village
            .storage(c.alice)
            .unwrap()
            .invitations()
            .unwrap()
            .len()
    };
    let before = waiting(&mut c);
    // By its time: the offer lapses, and its link with it.
    c.village.pass(Duration::from_secs(86 * 86_400)).unwrap();
    assert!(waiting(&mut c) < before);
    assert!(offers(&mut c.village, c.alice).is_empty());
}
