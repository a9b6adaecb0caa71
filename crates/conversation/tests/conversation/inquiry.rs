//! What became of messages is found out after a mailbox was lost, by asking.

use std::time::Duration;

use hushwing_conversation::content::{Content, Inquiry, Mark, Receipt, Status};
use hushwing_conversation::storage::Owed;
use hushwing_conversation::village::{Crash, Home, Village, Weather};
use hushwing_conversation::{ContactId, MessageId, MessageState, Storage as _};

use crate::intruder::Intruder;
use crate::support::*;

const A_MINUTE: Duration = Duration::from_secs(60);

fn state(village: &mut Village, home: Home, id: &MessageId) -> MessageState {
    let storage = village.storage(home).unwrap();
    storage.message(id).unwrap().unwrap().state
}

fn letter(village: &mut Village, home: Home, id: &MessageId) -> Option<u64> {
    let storage = village.storage(home).unwrap();
    storage.message(id).unwrap().unwrap().letter
}

#[test]
fn receipts_lost_with_a_mailbox_are_made_again_and_messages_not() {
    let mut c = couple(700);
    let hers: Vec<_> = (0..20)
        .map(|n| send(&mut c.village, c.alice, c.her_bob, &n.to_string()))
        .collect();
    let his: Vec<_> = (0..20)
        .map(|n| send(&mut c.village, c.bob, c.his_alice, &n.to_string()))
        .collect();
    c.village.rest().unwrap();
    // Each owes the other one letter of receipts.
    c.village.swallow(c.alice, 1);
    c.village.swallow(c.bob, 1);
    c.village.pass(DELAY * 2).unwrap();
    let all = |c: &mut Couple, state_is: MessageState| {
        let hers = hers
            .iter()
            .all(|id| state(&mut c.village, c.alice, id) == state_is);
        hers && his
            .iter()
            .all(|id| state(&mut c.village, c.bob, id) == state_is)
    };
    assert!(all(&mut c, MessageState::Accepted));
    let letters = |c: &mut Couple| -> Vec<_> {
        let hers = hers.iter().map(|id| (c.alice, id));
        let all: Vec<_> = hers.chain(his.iter().map(|id| (c.bob, id))).collect();
        all.into_iter()
            .map(|(home, id)| letter(&mut c.village, home, id))
            .collect()
    };
    let before = letters(&mut c);
    c.village.lose_mailboxes(c.alice, true);
    // Each asks, and the answer waits as receipts do.
    c.village.pass(DELAY + Duration::from_secs(1)).unwrap();
    assert!(all(&mut c, MessageState::Delivered));
    assert_eq!(letters(&mut c), before, "nothing was encrypted again");
}

#[test]
fn what_is_not_there_is_said_again_and_nothing_else() {
    let mut c = couple(701);
    let there = send(&mut c.village, c.bob, c.his_alice, "one");
    c.village.rest().unwrap();
    // Alice's receipt for it is lost, too.
    c.village.swallow(c.alice, 1);
    c.village.pass(DELAY).unwrap();
    c.village.swallow(c.bob, 1);
    let lost = send(&mut c.village, c.bob, c.his_alice, "two");
    c.village.pass(DELAY).unwrap();
    let before = [there, lost].map(|id| letter(&mut c.village, c.bob, &id));
    c.village.lose_mailboxes(c.alice, true);
    c.village.pass(DELAY * 3).unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), ["one", "two"]);
    let after = [there, lost].map(|id| letter(&mut c.village, c.bob, &id));
    assert_eq!(after[0], before[0]);
    assert_ne!(after[1], before[1]);
    let states = [there, lost].map(|id| state(&mut c.village, c.bob, &id));
    assert_eq!(states, [MessageState::Delivered; 2]);
}

/// Messages and receipts of both are lost with a mailbox, and `whom` crashes at
/// their `at`th call from then on. Gives how often both were called.
fn found_out(whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut c = couple(702);
    let first = send(&mut c.village, c.alice, c.her_bob, "one");
    c.village.rest().unwrap();
    c.village.swallow(c.bob, 2);
    send(&mut c.village, c.bob, c.his_alice, "two");
    c.village.pass(DELAY * 2).unwrap();
    assert_eq!(
        state(&mut c.village, c.alice, &first),
        MessageState::Accepted
    );
    let homes = [c.alice, c.bob];
    c.village.crash_in(homes[whom], at, crash);
    let before = homes.map(|home| c.village.calls(home));
    c.village.lose_mailboxes(c.alice, true);
    c.village.pass(A_MINUTE * 3).unwrap();
    let after = homes.map(|home| c.village.calls(home));
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers, ["one", "two"], "{whom} {at} {crash:?}");
    let told = state(&mut c.village, c.alice, &first);
    assert!(told >= MessageState::Delivered, "{whom} {at} {crash:?}");
    [0, 1].map(|who| after[who] - before[who])
}

#[test]
fn a_crash_at_any_step_leaves_no_question_open() {
    let calls = found_out(0, u64::MAX, Crash::BeforeCommit);
    assert!(calls.iter().all(|calls| *calls > 4), "{calls:?}");
    for whom in [0, 1] {
        for at in 1..=calls[whom] {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                found_out(whom, at, crash);
            }
        }
    }
}

#[test]
fn who_says_that_they_lack_everything_is_said_a_little() {
    let mut c = couple(703);
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut c.village, c.alice);
    c.village.pass(A_MINUTE).unwrap();
    let ids: Vec<_> = (0..600)
        .map(|n| send(&mut c.village, c.alice, contact, &n.to_string()))
        .collect();
    c.village.rest().unwrap();
    let letters = |c: &mut Couple| -> Vec<_> {
        ids.iter()
            .map(|id| letter(&mut c.village, c.alice, id))
            .collect()
    };
    let before = letters(&mut c);
    let lacking = |ids: &[MessageId]| {
        let receipts = ids.iter().map(|message| Receipt {
            message: *message,
            status: Status::ERROR,
        });
        Content::Receipts(receipts.collect())
    };
    for _ in 0..5 {
        mallory.tell(&mut c.village, &lacking(&ids));
        c.village.rest().unwrap();
    }
    let after = letters(&mut c);
    let again = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    assert!(again > 0 && again <= 256, "{again}");
}

/// Alice knows Bob, and Mallory who asks her. Somebody gave Mallory the ids of
/// what Bob said and of what Alice said to him.
struct Curious {
    c: Couple,
    mallory: Intruder,
    foreign: [MessageId; 2],
}

fn curious(seed: u64) -> Curious {
    let mut c = couple(seed);
    let bobs = send(&mut c.village, c.bob, c.his_alice, "between us");
    let hers = send(&mut c.village, c.alice, c.her_bob, "of course");
    c.village.pass(A_MINUTE).unwrap();
    let mut mallory = Intruder::new();
    mallory.meet(&mut c.village, c.alice);
    c.village.pass(A_MINUTE).unwrap();
    c.village.overhear();
    Curious {
        c,
        mallory,
        foreign: [bobs, hers],
    }
}

impl Curious {
    fn ask(&mut self, messages: Vec<MessageId>) {
        let inquiry = Content::Inquiry(Inquiry { messages });
        self.mallory.tell(&mut self.c.village, &inquiry);
    }

    /// What Alice answers, in the order of the ids.
    fn answers(&mut self) -> Vec<Receipt> {
        self.c.village.pass(A_MINUTE).unwrap();
        let said = self.mallory.understand(self.c.village.overhear());
        let receipts = said.into_iter().filter_map(|said| match said {
            Content::Receipts(receipts) => Some(receipts),
            _ => None,
        });
        let mut receipts: Vec<_> = receipts.flatten().collect();
        receipts.sort_by_key(|receipt| receipt.message);
        receipts
    }
}

/// An id that no message has.
fn nowhere(n: u16) -> MessageId {
    let mut id = [1; 32];
    id[1..3].copy_from_slice(&n.to_be_bytes());
    MessageId::from_bytes(&id).unwrap()
}

fn all(messages: &[MessageId], status: Status) -> Vec<Receipt> {
    let receipts = messages.iter().map(|message| Receipt {
        message: *message,
        status,
    });
    let mut receipts: Vec<_> = receipts.collect();
    receipts.sort_by_key(|receipt| receipt.message);
    receipts
}

#[test]
fn what_others_said_is_answered_as_if_it_were_nowhere() {
    let mut it = curious(704);
    let asked = [it.foreign[0], it.foreign[1], nowhere(1)];
    it.ask(asked.to_vec());
    assert_eq!(it.answers(), all(&asked, Status::ERROR));
}

#[test]
fn a_question_after_what_others_said_costs_them_no_receipt() {
    let mut it = curious(705);
    tell_of_reading(&mut it.c.village, it.c.alice);
    it.ask(vec![it.foreign[0]]);
    it.c.village.pass(DELAY / 3).unwrap();
    read(&mut it.c.village, it.c.alice, it.c.her_bob);
    // Mallory has the answer, and Bob's receipt waits still.
    it.c.village.pass(DELAY * 5 / 6).unwrap();
    let heard = it.mallory.understand(it.c.village.overhear());
    assert_eq!(
        heard,
        [Content::Receipts(all(&it.foreign[..1], Status::ERROR))]
    );
    let storage = it.c.village.storage(it.c.alice).unwrap();
    let owing = storage.owing(it.c.her_bob).unwrap();
    assert_eq!(owing, [(it.foreign[0], Owed::Read)]);
}

#[test]
fn a_change_to_what_others_said_is_kept_as_if_that_were_nowhere() {
    let mut it = curious(706);
    // Damage of one conversation is found by no other.
    let storage = it.c.village.storage(it.c.alice).unwrap();
    storage.spoil_message(&it.foreign[1]);
    let mut changes = Vec::new();
    for target in [it.foreign[0], it.foreign[1], nowhere(1)] {
        let mark = Mark::new("!").unwrap();
        let reaction = Content::Reaction {
            target,
            mark,
            replaces: None,
        };
        let reaction = it.mallory.compose(&reaction);
        changes.push(it.mallory.name_of(&reaction));
        let message = it.mallory.message(&reaction);
        it.mallory.post(&mut it.c.village, &[&message]);
    }
    assert_eq!(it.answers(), all(&changes, Status::DELIVERED));
    it.ask(changes.clone());
    assert_eq!(it.answers(), all(&changes, Status::DELIVERED));
    let storage = it.c.village.storage(it.c.alice).unwrap();
    let kept = changes
        .iter()
        .all(|change| storage.has_message(change).unwrap());
    assert!(kept);
    let bobs = storage.changes(it.c.her_bob, &it.foreign[0]).unwrap();
    assert!(bobs.is_empty());
}

#[test]
fn an_answer_names_all_that_was_asked_before_it_left() {
    let mut it = curious(707);
    let asked: Vec<_> = (1..=768).map(nowhere).collect();
    for asked in asked.chunks(256) {
        it.ask(asked.to_vec());
    }
    assert_eq!(it.answers(), all(&asked, Status::ERROR));
}

#[test]
fn more_than_may_be_said_again_in_a_minute_is_said_later() {
    let mut c = couple(708);
    c.village.swallow(c.bob, 400);
    let said: Vec<_> = (0..400).map(|n| n.to_string()).collect();
    for text in &said {
        send(&mut c.village, c.bob, c.his_alice, text);
    }
    c.village.rest().unwrap();
    c.village.lose_mailboxes(c.alice, true);
    c.village.pass(A_MINUTE * 5).unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), said);
}

#[test]
fn what_is_on_its_way_again_is_not_said_a_third_time() {
    let (mut c, mut mallory, contact) = met(709);
    let id = send(&mut c.village, c.alice, contact, "hello");
    c.village.rest().unwrap();
    c.village.set_weather(Weather {
        loss: 255,
        ..Weather::default()
    });
    let lacks = Content::Receipts(all(&[id], Status::ERROR));
    let letters = [0, 1, 2].map(|_| {
        let before = letter(&mut c.village, c.alice, &id);
        mallory.tell(&mut c.village, &lacks);
        before
    });
    assert_ne!(letters[0], letters[1]);
    assert_eq!(letters[1], letters[2]);
}

#[test]
fn who_says_that_they_lack_much_is_said_a_mebibyte() {
    let (mut c, mut mallory, contact) = met(710);
    let text = "x".repeat(65_000);
    let ids: Vec<_> = (0..20)
        .map(|_| send(&mut c.village, c.alice, contact, &text))
        .collect();
    c.village.rest().unwrap();
    let before: Vec<_> = (ids.iter().map(|id| letter(&mut c.village, c.alice, id))).collect();
    mallory.tell(&mut c.village, &Content::Receipts(all(&ids, Status::ERROR)));
    let after: Vec<_> = (ids.iter().map(|id| letter(&mut c.village, c.alice, id))).collect();
    let again = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    assert_eq!(again, 16);
}

fn met(seed: u64) -> (Couple, Intruder, ContactId) {
    let mut c = couple(seed);
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut c.village, c.alice);
    c.village.pass(A_MINUTE).unwrap();
    (c, mallory, contact)
}
