//! Who is blocked gets nothing from us, and what waited goes on afterwards.

use std::time::Duration;

use hushwing_conversation::content::{
    AddressUpdate, Content, Inquiry, Introduction, IntroductionId, IntroductionStep, Mark, Offer,
    Post, Profile, Receipt, Status, Text, Timer, Typing, Wish,
};
use hushwing_conversation::storage::{MailRecord, Role};
use hushwing_conversation::village::{Conduct, Home, Village};
use hushwing_conversation::{Change, Command, ContactId, MessageId, Refusal, Reply, Storage as _};
use hushwing_delivery::{Envelope, Locator};

use crate::intruder::Intruder;
use crate::support::*;

const AN_HOUR: Duration = Duration::from_secs(3_600);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

pub(crate) fn block(village: &mut Village, home: Home, contact: ContactId, blocked: bool) {
    let conversation = conversation(village, home, contact);
    let change = Change::Blocked(blocked);
    let command = Command::Keep {
        conversation,
        change,
    };
    ask(village, home, command);
}

/// Of what was sent, what went to Mallory.
fn to_mallory(sent: &[(Locator, Envelope)]) -> usize {
    let hers = |(to, _): &&(Locator, Envelope)| to.0.starts_with(&[77; 8]);
    sent.iter().filter(hers).count()
}

/// Everything a contact can say that might be answered.
fn all_that_may_be_answered(mallory: &Intruder, said: &[MessageId], nth: u64) -> Vec<Content> {
    let text = |text: &str| Text::new(text).unwrap();
    let lacking = said.iter().map(|message| Receipt {
        message: *message,
        status: Status::ERROR,
    });
    let unknown = (0..200).map(|n| {
        let mut id = [n; 32];
        id[0] = 1;
        MessageId::from_bytes(&id).unwrap()
    });
    let offer = Offer {
        invites: nth.is_multiple_of(2),
        name: "Carol".to_owned(),
        word: None,
    };
    vec![
        Content::Post(Post::new(text("hello?"), None)),
        Content::Receipts(lacking.collect()),
        Content::Inquiry(Inquiry {
            messages: unknown.collect(),
        }),
        Content::Addresses(AddressUpdate {
            revision: 10 + nth,
            addresses: vec![mallory.address().encode()],
            recovery: vec![mallory.address().encode()],
        }),
        Content::Profile(Profile::new("Mallory", None).unwrap()),
        Content::Reaction {
            target: said[0],
            mark: Mark::new("+").unwrap(),
            replaces: None,
        },
        Content::Timer(Timer { seconds: 60 }),
        Content::Typing(Typing),
        Content::Mode(Wish::Normal),
        Content::Introduction(Introduction {
            id: IntroductionId([u8::try_from(nth).unwrap(); 16]),
            step: IntroductionStep::Offer(offer),
        }),
    ]
}

#[test]
fn who_is_blocked_gets_nothing_whatever_they_send_and_however_long() {
    let mut c = couple(900);
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut c.village, c.alice);
    for home in [c.alice, c.bob] {
        c.village
            .choose(home, |config| config.rotates = true)
            .unwrap();
    }
    ask(&mut c.village, c.alice, Command::SetTyping { on: true });
    let said: Vec<_> = ["one", "two", "three"]
        .map(|text| send(&mut c.village, c.alice, contact, text))
        .into();
    c.village.pass(AN_HOUR).unwrap();
    assert!(to_mallory(&c.village.overhear()) > 0, "there is a way");
    block(&mut c.village, c.alice, contact, true);
    for nth in 0..8 {
        for content in all_that_may_be_answered(&mallory, &said, nth) {
            mallory.tell(&mut c.village, &content);
        }
        let commit = mallory.commit(|group, mls, key| {
            let update = openmls::prelude::LeafNodeParameters::default();
            let made = group.self_update(mls, key, update).unwrap();
            made.into_commit()
        });
        mallory.post(&mut c.village, &[&commit]);
        match nth {
            1 => c.village.open_again(c.alice).unwrap(),
            2 => c.village.lose_mailboxes(c.alice, false),
            3 => c.village.set_servers(2),
            4 => c.village.close_server(0),
            _ => {}
        }
        c.village.pass(A_DAY * 5).unwrap();
        let left = to_mallory(&c.village.overhear());
        assert_eq!(left, 0, "in round {nth}");
    }
    // Others are as before.
    send(&mut c.village, c.alice, c.her_bob, "still with me?");
    c.village.pass(AN_HOUR).unwrap();
    let his = texts(&mut c.village, c.bob, c.his_alice);
    assert_eq!(his, ["still with me?"]);
}

#[test]
fn what_did_not_leave_before_the_block_waits_and_comes_once() {
    let mut c = couple(901);
    c.village.set_conduct(0, Conduct::Dead);
    send(&mut c.village, c.alice, c.her_bob, "one more thing");
    c.village.rest().unwrap();
    block(&mut c.village, c.alice, c.her_bob, true);
    c.village.watch_servers();
    c.village.set_conduct(0, Conduct::Fair);
    c.village.pass(A_DAY * 30).unwrap();
    assert_eq!(c.village.carried(c.bob, 0), 0);
    c.village.open_again(c.alice).unwrap();
    block(&mut c.village, c.alice, c.her_bob, false);
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(
        texts(&mut c.village, c.bob, c.his_alice),
        ["one more thing"]
    );
}

#[test]
fn a_timer_and_a_deletion_said_while_blocked_hold_after_it() {
    let mut c = couple(902);
    let taken_back = send(&mut c.village, c.bob, c.his_alice, "forget this");
    c.village.pass(AN_HOUR).unwrap();
    block(&mut c.village, c.alice, c.her_bob, true);
    let message = taken_back;
    ask(&mut c.village, c.bob, Command::Delete { message });
    let conversation = conversation(&mut c.village, c.bob, c.his_alice);
    let seconds = 3_600 * 24 * 30;
    let timer = Command::Disappear {
        conversation,
        seconds,
    };
    ask(&mut c.village, c.bob, timer);
    c.village.pass(A_DAY).unwrap();
    let before = read(&mut c.village, c.alice, c.her_bob);
    assert_eq!(before[0].text, "forget this", "nothing is heard");
    block(&mut c.village, c.alice, c.her_bob, false);
    c.village.pass(AN_HOUR).unwrap();
    let views = read(&mut c.village, c.alice, c.her_bob);
    assert!(views[0].deleted);
    let holds = kept(&mut c.village, c.alice, c.her_bob).disappear_after;
    assert_eq!(holds.map(u64::from), Some(u64::from(seconds)));
}

#[test]
fn who_moved_while_blocked_is_found_after_it() {
    let mut c = couple(903);
    send(&mut c.village, c.alice, c.her_bob, "before");
    c.village.pass(AN_HOUR).unwrap();
    block(&mut c.village, c.alice, c.her_bob, true);
    c.village.lose_mailboxes(c.bob, true);
    c.village.pass(A_DAY).unwrap();
    send(&mut c.village, c.bob, c.his_alice, "I moved");
    c.village.pass(A_DAY).unwrap();
    block(&mut c.village, c.alice, c.her_bob, false);
    send(&mut c.village, c.alice, c.her_bob, "where are you?");
    c.village.pass(AN_HOUR).unwrap();
    let his = texts(&mut c.village, c.bob, c.his_alice);
    assert_eq!(his, ["before", "I moved", "where are you?"]);
    assert_eq!(his, texts(&mut c.village, c.alice, c.her_bob));
}

#[test]
fn old_mailboxes_are_closed_though_who_knew_them_is_blocked() {
    let mut c = couple(904);
    let contact = c.her_bob;
    let rotate = Command::Rotate { contact };
    ask(&mut c.village, c.alice, rotate.clone());
    c.village.rest().unwrap();
    let roles = |c: &mut Couple| {
        let mail = MailRecord::of(c.village.storage(c.alice).unwrap(), contact).unwrap();
        let notes = mail.mailboxes.iter();
        notes.map(|note| note.role).collect::<Vec<_>>()
    };
    assert!(roles(&mut c).contains(&Role::Old));
    block(&mut c.village, c.alice, contact, true);
    c.village.watch_servers();
    assert_eq!(
        refusal(&mut c.village, c.alice, rotate),
        Refusal::Blocked,
        "of new ones nobody could be told"
    );
    c.village.pass(A_DAY * 2).unwrap();
    assert_eq!(roles(&mut c), [Role::Service]);
    assert_eq!(c.village.servers_of(c.alice).len(), 1);
    assert_eq!(c.village.carried(c.bob, 0), 0);
    block(&mut c.village, c.alice, contact, false);
    send(&mut c.village, c.bob, c.his_alice, "hello");
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut c.village, c.alice, contact), ["hello"]);
}

#[test]
fn a_join_that_was_blocked_before_it_was_asked_goes_on_after_it() {
    let mut village = village(905);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, false).link;
    // His mailbox is not made yet.
    village.set_conduct(0, Conduct::Dead);
    let his_alice = join(&mut village, bob, &link).contact;
    block(&mut village, bob, his_alice, true);
    village.set_conduct(0, Conduct::Fair);
    village.pass(AN_HOUR).unwrap();
    assert!(contacts(&mut village, alice).is_empty());
    block(&mut village, bob, his_alice, false);
    village.pass(AN_HOUR).unwrap();
    let her_bob = contacts(&mut village, alice)[0].contact;
    send(&mut village, bob, his_alice, "here I am");
    village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut village, alice, her_bob), ["here I am"]);
    let Reply::Contacts(known) = ask(&mut village, bob, Command::Contacts) else {
        panic!("another reply")
    };
    assert_eq!(known.len(), 1);
    assert!(!village.storage(bob).unwrap().contacts().unwrap().is_empty());
}
