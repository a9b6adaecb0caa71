//! Mallory has Alice sign, keep or forget what she likes about a stretch.

use std::time::Duration;

use hushwing_conversation::content::{Content, Mark, Mode, Post, Receipt, Status, Text, Wish};
use hushwing_conversation::{Command, MessageId, MessageState, Storage as _};

use crate::bent::Key;
use crate::otr::{state, stretches};
use crate::otr_hostile::{Pair, announced_to, joined, pair, post};
use crate::provable::wish;
use crate::support::*;

const MINUTE: Duration = Duration::from_secs(60);

/// Whatever of hers comes in a stretch and is not kept, no receipt for it is signed by
/// the key of the conversation.
#[test]
fn what_is_not_kept_of_a_stretch_is_confirmed_in_it() {
    let mut p = pair(2520);
    let mut stretch = p.begin();
    let target = send(&mut p.village, p.alice, p.contact, "mine alone");
    p.village.pass(DELAY).unwrap();
    p.heard_both(&mut stretch);
    let text = Text::new("not mine to edit").unwrap();
    let edit = Content::Edit {
        target,
        post: Post::new(text, None),
    };
    let replaced = |mark: &str| Content::Reaction {
        target,
        mark: Mark::new(mark).unwrap(),
        replaces: None,
    };
    let mut owed = 0;
    for said in [
        vec![edit],
        vec![replaced("👍"), replaced("❤"), Content::Delete { target }],
    ] {
        owed += said.len();
        for content in &said {
            p.say_at_once(&mut stretch, content);
        }
    }
    p.village.pass(DELAY * 3).unwrap();
    let (heard, elsewhere) = p.heard_both(&mut stretch);
    let receipts = heard.into_iter().map(|(content, _)| match content {
        Content::Receipts(receipts) => receipts.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!((receipts.sum::<usize>(), elsewhere), (owed, 0));
}

/// The server may bring a copy of an offer late, while another stretch stands.
#[test]
fn a_late_copy_of_an_old_offer_ends_no_stretch() {
    let mut p = pair(2521);
    let old = p.offers(1, &Key::new(95));
    let mut stretch = p.begin_at(2);
    p.village.overhear();
    p.mallory.post_letter(&mut p.village, old);
    assert_eq!(p.dropped().len(), 1);
    assert_eq!(p.village.overhear().len(), 0, "and nothing is said of it");
    p.say(&mut stretch, &post("still here"));
    assert_eq!(p.texts(), ["still here"]);
}

/// The wishes that Alice keeps of her own, and how many of them are not confirmed.
fn wishes(p: &mut Pair) -> (Vec<MessageId>, usize) {
    let storage = p.village.storage(p.alice).unwrap();
    let rows = storage.control(p.contact, true).unwrap();
    let going = rows
        .iter()
        .filter(|row| row.state < MessageState::Delivered);
    let going = going.count();
    (rows.iter().map(|row| *row.id()).collect(), going)
}

/// She offers, and wishes, as if Alice wished it too.
#[test]
fn she_has_alice_wish_once_more_only_when_it_came_and_once_an_hour() {
    let mut p = pair(2522);
    wish(&mut p.village, p.alice, p.contact, Mode::Normal);
    let before = wishes(&mut p).0.len();
    let confirm = |p: &mut Pair| {
        let all = wishes(p).0.into_iter();
        let receipts = all.map(|message| Receipt {
            message,
            status: Status::DELIVERED,
        });
        let receipts = Content::Receipts(receipts.collect());
        p.mallory.tell(&mut p.village, &receipts);
        p.village.pass(DELAY).unwrap();
    };
    let mut number = 0;
    let mut offer = |p: &mut Pair| {
        number += 1;
        let offered = p.offers(number, &Key::new(u8::try_from(number).unwrap()));
        p.mallory.post_letter(&mut p.village, offered);
        p.village.pass(MINUTE * 10).unwrap();
    };
    for _ in 0..10 {
        offer(&mut p);
    }
    assert_eq!(wishes(&mut p).0.len(), before, "the last one is on its way");
    for _ in 0..12 {
        confirm(&mut p);
        offer(&mut p);
    }
    let grown = wishes(&mut p).0.len() - before;
    assert!((1..=3).contains(&grown), "{grown}");
}

/// Whoever is not to be off the record with her any more is offered nothing, and what
/// she said meanwhile waits.
#[test]
fn what_waits_is_no_reason_to_offer_for_ever() {
    let (mut p, _) = joined(2523);
    let waits = send(&mut p.village, p.alice, p.contact, "waits");
    p.mallory.tell(&mut p.village, &Content::Mode(Wish::Normal));
    p.village.pass(MINUTE).unwrap();
    assert!(stretches(&mut p.village, p.alice, p.contact).now.is_none());
    announced_to(&mut p);
    p.village.pass(MINUTE * 60 * 30).unwrap();
    assert_eq!(announced_to(&mut p), 0);
    assert_eq!(state(&mut p.village, p.alice, waits), MessageState::Queued);
    p.mallory.tell(&mut p.village, &Content::Mode(Wish::Otr));
    assert_eq!(announced_to(&mut p), 1);
    ask(&mut p.village, p.alice, Command::Delete { message: waits });
    assert_eq!(p.texts().len(), 0);
}
