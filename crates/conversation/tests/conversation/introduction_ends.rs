//! How introductions end before their time, and what stays of them.

use std::time::Duration;

use hushwing_conversation::content::{
    Content, Introduction, IntroductionId, IntroductionStep, Message, MessageId,
};
use hushwing_conversation::link::{Kind, Promise};
use hushwing_conversation::storage::{JoinRecord, OfferState, OffersRecord};
use hushwing_conversation::view::OfferView;
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Change, Command, ContactId, Event, Refusal, Reply, Standing, Storage as _,
};
use hushwing_delivery::{MailboxFailure, NetworkTag};

use crate::hostile::{drops, still_works};
use crate::hostile_mls::{scene, standing};
use crate::introduced_by_mallory::{come, failures, link_for, link_step, made_up, offer, say};
use crate::introductions::{agree, introductions, offers, party};
use crate::intruder::Intruder;
use crate::support::*;

fn block(village: &mut Village, home: Home, contact: ContactId) {
    let conversation = conversation(village, home, contact);
    let change = Change::Blocked(true);
    let command = Command::Keep {
        conversation,
        change,
    };
    ask(village, home, command);
}

fn invitations(c: &mut Couple) -> usize {
    let storage = c.village.storage(c.alice).unwrap();
    storage.invitations().unwrap().len()
}

/// The steps of introductions that somebody keeps because they said them.
fn steps_kept(village: &mut Village, home: Home) -> usize {
    let storage = village.storage(home).unwrap();
    let all = storage.contacts().unwrap().into_iter();
    let said = all.flat_map(|record| storage.control(record.id, true).unwrap());
    let contents = said.map(|record| Message::decode(&record.content).unwrap());
    contents
        .filter(|message| matches!(Content::read(message), Ok(Content::Introduction(_))))
        .count()
}

#[test]
fn blocking_who_introduces_ends_what_is_under_way() {
    let (mut c, mut mallory, contact) = scene(720);
    let before = invitations(&mut c);
    let link = link_for(&mut c, &mut mallory, Promise([1; 32]));
    assert_eq!(invitations(&mut c), before + 1);
    c.village.events(c.alice);
    block(&mut c.village, c.alice, contact);
    assert_eq!(invitations(&mut c), before);
    assert!(offers(&mut c.village, c.alice).is_empty());
    let told = c.village.events(c.alice);
    let over = |event: &Event| matches!(event, Event::Introduction(OfferView { state, .. }) if *state == OfferState::Refused);
    assert!(told.iter().any(over), "{told:?}");
    // Its card is down with it.
    let parsed =
        hushwing_conversation::link::Link::parse(core::str::from_utf8(link.expose()).unwrap());
    assert!(c.village.card(parsed.unwrap().place()).is_none());
    still_works(&mut c, &[]);
}

#[test]
fn forgetting_who_introduces_ends_it_and_a_link_that_comes_is_not_opened() {
    let (mut c, mut mallory, contact) = scene(721);
    let before = invitations(&mut c);
    link_for(&mut c, &mut mallory, Promise([1; 32]));
    let (link, secret) = made_up(1, Kind::OneTime, NetworkTag::TOY);
    let promise = Promise::of_inviter(IntroductionId([7; 16]), &secret);
    say(&mut mallory, &mut c.village, 7, offer(false));
    let request = offers(&mut c.village, c.alice).pop().unwrap().request;
    ask(
        &mut c.village,
        c.alice,
        Command::AcceptIntroduction { request },
    );
    say(
        &mut mallory,
        &mut c.village,
        7,
        IntroductionStep::Agreed(promise),
    );
    let joins = |c: &mut Couple| c.village.storage(c.alice).unwrap().joins().unwrap().len();
    ask(&mut c.village, c.alice, Command::Forget { contact });
    let joined = joins(&mut c);
    assert_eq!(invitations(&mut c), before);
    say(&mut mallory, &mut c.village, 7, link_step(7, 1, link));
    assert_eq!(joins(&mut c), joined);
    still_works(&mut c, &[]);
}

/// Alice agreed to a link that is being fetched.
fn fetching(c: &mut Couple, mallory: &mut Intruder, contact: ContactId) -> Command {
    let (link, secret) = made_up(1, Kind::OneTime, NetworkTag::TOY);
    let promise = Promise::of_inviter(IntroductionId([7; 16]), &secret);
    say(mallory, &mut c.village, 7, offer(false));
    agree(&mut c.village, c.alice);
    let storage = c.village.storage(c.alice).unwrap();
    let mut offers = OffersRecord::of(storage, contact).unwrap().unwrap();
    offers.offers[0].state = OfferState::Opening(7_777);
    offers.offers[0].their_promise = Some(promise.0);
    offers.put(storage, contact).unwrap();
    let record = JoinRecord {
        fetch: 7_777,
        link: link.clone(),
        contact: None,
        card: None,
    };
    storage.put_join(&record).unwrap();
    c.village.open_again(c.alice).unwrap();
    c.village.events(c.alice);
    Command::Join { link }
}

#[test]
fn who_opens_a_link_that_was_passed_on_too_gets_an_answer() {
    let (mut c, mut mallory, contact) = scene(722);
    let join = fetching(&mut c, &mut mallory, contact);
    let answer = c.village.ask(c.alice, join).unwrap();
    assert_eq!(answer, Some(Err(Refusal::LinkUsed)));
    assert_eq!(failures(&mut c), [Refusal::LinkUsed]);
}

#[test]
fn a_fetch_ends_with_who_introduces() {
    let (mut c, mut mallory, contact) = scene(723);
    fetching(&mut c, &mut mallory, contact);
    block(&mut c.village, c.alice, contact);
    let storage = c.village.storage(c.alice).unwrap();
    let left = storage.joins().unwrap().into_iter();
    assert!(!left.map(|join| join.fetch).any(|fetch| fetch == 7_777));
    c.village.rest().unwrap();
    still_works(&mut c, &[]);
}

#[test]
fn steps_go_when_they_were_confirmed() {
    let mut p = party(724);
    let command = Command::Introduce {
        one: p.his_alice,
        other: p.his_bob,
        word: None,
    };
    ask(&mut p.village, p.ivan, command);
    p.village.rest().unwrap();
    assert_eq!(steps_kept(&mut p.village, p.ivan), 2);
    agree(&mut p.village, p.alice);
    agree(&mut p.village, p.bob);
    p.village.pass(Duration::from_secs(120)).unwrap();
    for home in [p.ivan, p.alice, p.bob] {
        assert_eq!(steps_kept(&mut p.village, home), 0, "{home:?}");
    }
}

/// Alice introduces Mallory, who invites, to Bob; Mallory agreed. The name of it.
fn introduced_by_alice(c: &mut Couple, mallory: &mut Intruder, contact: ContactId) -> [u8; 16] {
    c.village.overhear();
    let command = Command::Introduce {
        one: contact,
        other: c.her_bob,
        word: None,
    };
    ask(&mut c.village, c.alice, command);
    c.village.rest().unwrap();
    let mine = mallory.address().locator;
    let sent = c.village.overhear().into_iter();
    let said = mallory.understand(sent.filter(|(to, _)| *to == mine).collect());
    let Some(Content::Introduction(Introduction { id, .. })) = said.last() else {
        panic!("{said:?}")
    };
    let id = *id;
    let (_, secret) = made_up(1, Kind::OneTime, NetworkTag::TOY);
    let step = IntroductionStep::Agree(Promise::of_inviter(id, &secret));
    let content = Content::Introduction(Introduction { id, step });
    mallory.tell(&mut c.village, &content);
    c.village.rest().unwrap();
    id.0
}

#[test]
fn a_link_that_could_not_be_passed_on_was_not_passed_on() {
    let (mut c, mut mallory, contact) = scene(725);
    let id = introduced_by_alice(&mut c, &mut mallory, contact);
    agree(&mut c.village, c.bob);
    assert!(introductions(&mut c.village, c.alice)[0].agreed);
    let bobs = conversation(&mut c.village, c.alice, c.her_bob);
    c.village.storage(c.alice).unwrap().spoil_group(bobs);
    c.village.open_again(c.alice).unwrap();
    c.village.events(c.alice);
    let (link, _) = made_up(1, Kind::OneTime, NetworkTag::TOY);
    let root = hushwing_conversation::link::RootKey::from_seed(&[1; 32]);
    let link = hushwing_conversation::link::IntroducedLink::sign(IntroductionId(id), link, &root);
    let step = IntroductionStep::Link(link);
    let content = Content::Introduction(Introduction {
        id: IntroductionId(id),
        step,
    });
    mallory.tell(&mut c.village, &content);
    c.village.rest().unwrap();
    let told = c.village.events(c.alice);
    let passed = |event: &Event| matches!(event, Event::Introducing(view) if view.passed);
    assert!(!told.iter().any(passed), "{told:?}");
    assert!(introductions(&mut c.village, c.alice).is_empty());
    assert_eq!(standing(&mut c, contact), Some(Standing::Established));
}

#[test]
fn blocking_one_of_two_ends_my_introduction_of_them() {
    let (mut c, mut mallory, contact) = scene(726);
    introduced_by_alice(&mut c, &mut mallory, contact);
    block(&mut c.village, c.alice, contact);
    assert!(introductions(&mut c.village, c.alice).is_empty());
    c.village.overhear();
    agree(&mut c.village, c.bob);
    c.village.pass(Duration::from_secs(60)).unwrap();
    let sent = c.village.overhear();
    let mine = mallory.address().locator;
    assert!(!sent.iter().any(|(to, _)| *to == mine));
    still_works(&mut c, &[]);
}

#[test]
fn damaged_introductions_of_mine_break_no_conversation() {
    let (mut c, mut mallory, contact) = scene(727);
    let spoil = |c: &mut Couple| {
        let storage = c.village.storage(c.alice).unwrap();
        storage
            .put_setting("introductions of mine", &[1, 0xff, 0xff])
            .unwrap();
    };
    spoil(&mut c);
    say(
        &mut mallory,
        &mut c.village,
        1,
        IntroductionStep::Agree(Promise([1; 32])),
    );
    assert_eq!(standing(&mut c, contact), Some(Standing::Established));
    spoil(&mut c);
    c.village.pass(Duration::from_secs(3_600)).unwrap();
    spoil(&mut c);
    introduced_by_alice(&mut c, &mut mallory, contact);
    assert_eq!(introductions(&mut c.village, c.alice).len(), 1);
    still_works(&mut c, &[]);
}

#[test]
fn a_link_for_one_who_is_introduced_admits_nobody_when_the_offer_is_damaged() {
    let (mut c, mut mallory, contact) = scene(728);
    let link = link_for(&mut c, &mut mallory, Promise([1; 32]));
    let storage = c.village.storage(c.alice).unwrap();
    let setting = format!("introductions by contact {}", contact.0);
    storage.put_setting(&setting, &[1, 0xff, 0xff]).unwrap();
    c.village.open_again(c.alice).unwrap();
    c.village.events(c.alice);
    let listed = ask(&mut c.village, c.alice, Command::Invitations);
    assert_eq!(listed, Reply::Invitations(vec![]));
    let known = contacts(&mut c.village, c.alice).len();
    come(&mut c, &mut mallory, &link);
    let told = drops(&mut c.village, c.alice);
    assert!(
        told.contains(&hushwing_conversation::DropReason::WrongJoiner),
        "{told:?}"
    );
    assert_eq!(contacts(&mut c.village, c.alice).len(), known);
    still_works(&mut c, &[]);
}

#[test]
fn what_i_call_a_contact_is_told_nobody() {
    let mut p = party(729);
    for (contact, name) in [(p.his_alice, "Alice the liar"), (p.his_bob, "Bad Bob")] {
        let name = name.to_owned();
        let command = Command::Rename { contact, name };
        ask(&mut p.village, p.ivan, command);
    }
    let command = Command::Introduce {
        one: p.his_alice,
        other: p.his_bob,
        word: None,
    };
    ask(&mut p.village, p.ivan, command);
    p.village.rest().unwrap();
    assert_eq!(offers(&mut p.village, p.alice)[0].name, "Bob");
    assert_eq!(offers(&mut p.village, p.bob)[0].name, "Alice");
}

/// The messages of mine that Alice confirmed since.
fn confirmed(c: &mut Couple, mallory: &mut Intruder) -> Vec<MessageId> {
    c.village.pass(Duration::from_secs(60)).unwrap();
    let said = mallory.understand(c.village.overhear()).into_iter();
    let receipts = said.filter_map(|content| match content {
        Content::Receipts(receipts) => Some(receipts),
        _ => None,
    });
    receipts.flatten().map(|receipt| receipt.message).collect()
}

#[test]
fn an_offer_that_found_no_room_is_not_confirmed_and_can_be_said_again() {
    let (mut c, mut mallory, _) = scene(730);
    for id in 10..18 {
        say(&mut mallory, &mut c.village, id, offer(true));
    }
    confirmed(&mut c, &mut mallory);
    let id = IntroductionId([18; 16]);
    let step = offer(true);
    let ninth = mallory.compose(&Content::Introduction(Introduction { id, step }));
    let message = mallory.message(&ninth);
    mallory.post(&mut c.village, &[&message]);
    assert_eq!(confirmed(&mut c, &mut mallory), []);
    let request = offers(&mut c.village, c.alice)[0].request;
    ask(
        &mut c.village,
        c.alice,
        Command::RefuseIntroduction { request },
    );
    let message = mallory.message(&ninth);
    mallory.post(&mut c.village, &[&message]);
    let name = mallory.name_of(&ninth);
    assert_eq!(confirmed(&mut c, &mut mallory), [name]);
    assert_eq!(offers(&mut c.village, c.alice).len(), 8);
}

#[test]
fn an_introduction_without_mailbox_fails_and_says_why() {
    let (mut c, mut mallory, _) = scene(731);
    let before = invitations(&mut c);
    say(&mut mallory, &mut c.village, 6, offer(true));
    agree(&mut c.village, c.alice);
    c.village.events(c.alice);
    c.village.refuse_mailboxes(true);
    say(
        &mut mallory,
        &mut c.village,
        6,
        IntroductionStep::Agreed(Promise([1; 32])),
    );
    assert_eq!(
        failures(&mut c),
        [Refusal::Mailbox(MailboxFailure::Refused)]
    );
    assert!(offers(&mut c.village, c.alice).is_empty());
    assert_eq!(invitations(&mut c), before);
    still_works(&mut c, &[]);
}
