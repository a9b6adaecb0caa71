//! Somebody sends more than anybody can want: what is kept stays within its
//! bounds, and everybody else goes on.

use std::time::Duration;

use hushwing_conversation::storage::HeldHead;
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Command, ContactId, DropReason, Event, MessageState, Refusal, Storage as _,
};
use hushwing_delivery::Address;

use crate::hostile::{Mallory, drops};
use crate::support::*;

const MIB: usize = 1024 * 1024;
const DAY: Duration = Duration::from_secs(86_400);

/// Alice and Bob, and Carol who talks with Bob.
struct Three {
    c: Couple,
    carol: Home,
    his_carol: ContactId,
    her_bob: ContactId,
}

fn three(seed: u64) -> Three {
    let mut c = couple(seed);
    let carol = c.village.move_in("Carol", DELAY).unwrap();
    let link = invite(&mut c.village, c.bob, false).link;
    let her_bob = join(&mut c.village, carol, &link).contact;
    c.village.pass(Duration::from_secs(60)).unwrap();
    let known = contacts(&mut c.village, c.bob);
    let his_carol = known.iter().find(|known| known.name == "Carol");
    Three {
        his_carol: his_carol.unwrap().contact,
        c,
        carol,
        her_bob,
    }
}

impl Three {
    /// Carol and Bob talk as if nothing were the matter.
    fn others_go_on(&mut self) {
        let village = &mut self.c.village;
        send(village, self.carol, self.her_bob, "all well?");
        village.rest().unwrap();
        send(village, self.c.bob, self.his_carol, "as ever");
        village.rest().unwrap();
        let expected = ["all well?", "as ever"];
        assert_eq!(texts(village, self.c.bob, self.his_carol), expected);
        assert_eq!(texts(village, self.carol, self.her_bob), expected);
    }
}

/// Where `from` writes to their first contact, and in which conversation.
fn address(village: &mut Village, from: Home) -> (Address, [u8; 16]) {
    let contacts = village.storage(from).unwrap().contacts().unwrap();
    let to = Address::decode(contacts[0].addresses[0].expose()).unwrap();
    (to, contacts[0].conversation.0)
}

/// An MLS PrivateMessage (RFC 9420 section 6.3) with nothing in it.
fn private_message(conversation: [u8; 16], epoch: u64, length: usize) -> Vec<u8> {
    let variable = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap() | 0x8000_0000;
        [&length.to_be_bytes(), bytes].concat()
    };
    let short = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let ciphertext = if length < 64 {
        short(&vec![7; length])
    } else {
        variable(&vec![7; length])
    };
    [
        &[0, 1, 0, 2][..],
        &short(&conversation),
        &epoch.to_be_bytes(),
        &[1],
        &short(&[]),
        &short(&[9; 28]),
        &ciphertext,
    ]
    .concat()
}

/// A letter of such messages, at most 16.
fn letter(messages: &[Vec<u8>]) -> Vec<u8> {
    let items = messages.iter().flat_map(|message| {
        let length = u32::try_from(message.len()).unwrap();
        [&length.to_be_bytes(), message.as_slice()].concat()
    });
    [1, 0].into_iter().chain(items).collect()
}

fn held(village: &mut Village, home: Home) -> Vec<HeldHead> {
    let storage = village.storage(home).unwrap();
    let people = storage.contacts().unwrap().into_iter();
    let all = people.map(|person| person.id).chain([ContactId(0)]);
    all.flat_map(|of| storage.held_heads(of).unwrap()).collect()
}

fn bytes(held: &[HeldHead]) -> usize {
    held.iter().map(|letter| letter.length).sum()
}

fn said_to_be_dropped(village: &mut Village, home: Home, contact: ContactId) -> u64 {
    let known = contacts(village, home);
    let known = known.iter().find(|known| known.contact == contact);
    known.unwrap().dropped
}

#[test]
fn messages_from_epochs_that_cannot_have_begun_are_not_kept() {
    let mut three = three(200);
    let (to, conversation) = address(&mut three.c.village, three.c.bob);
    let mut mallory = Mallory::new();
    // In epoch 1 the turn is Alice's: nothing of epoch 2 can exist.
    for batch in 0..625 {
        let epochs = (0..16).map(|n| 2 + batch * n * n);
        let messages: Vec<_> = epochs
            .map(|epoch| private_message(conversation, epoch, 40))
            .collect();
        let c = &mut three.c;
        mallory.post(&mut c.village, to.clone(), letter(&messages));
    }
    let c = &mut three.c;
    assert_eq!(
        drops(&mut c.village, c.alice),
        [DropReason::FarAhead; 10_000]
    );
    assert!(held(&mut c.village, c.alice).is_empty());
    assert_eq!(
        said_to_be_dropped(&mut c.village, c.alice, c.her_bob),
        10_000
    );
    crate::hostile::still_works(c, &[]);
    three.others_go_on();
}

#[test]
fn letters_that_wait_for_a_commit_are_bounded_by_number_and_by_bytes() {
    for (each, batches, most) in [(40, 625, 1_024), (100_000, 6, 64)] {
        let mut three = three(201);
        let c = &mut three.c;
        // Bob may get messages of epoch 2, which Alice's commit begins.
        let (to, conversation) = address(&mut c.village, c.alice);
        let mut mallory = Mallory::new();
        for _ in 0..batches {
            let messages = vec![private_message(conversation, 2, each); 16];
            mallory.post(&mut c.village, to.clone(), letter(&messages));
        }
        let kept = held(&mut c.village, c.bob);
        assert!(kept.len() <= most && bytes(&kept) <= 4 * MIB);
        let gone = drops(&mut c.village, c.bob);
        assert_eq!(gone.len() + kept.len(), batches * 16);
        assert!(gone.iter().all(|reason| *reason == DropReason::TooManyHeld));
        let told = said_to_be_dropped(&mut c.village, c.bob, c.his_alice);
        assert_eq!(told, gone.len() as u64);
        // The commit comes: all of it turns out to be nothing, and goes.
        let mut said = Vec::new();
        for n in 0..60 {
            said.push(n.to_string());
            send(&mut c.village, c.alice, c.her_bob, &n.to_string());
            c.village.rest().unwrap();
        }
        assert!(held(&mut c.village, c.bob).is_empty());
        assert_eq!(texts(&mut c.village, c.bob, c.his_alice), said);
        three.others_go_on();
    }
}

#[test]
fn what_waits_is_read_once_its_commit_is_here_also_after_a_restart() {
    let mut c = couple(202);
    let mut said = Vec::new();
    let mut say = |c: &mut Couple| {
        said.push(said.len().to_string());
        send(&mut c.village, c.alice, c.her_bob, said.last().unwrap());
        c.village.rest().unwrap();
        said.clone()
    };
    // Everything is lost until Alice's commit is, what follows comes.
    let committed = |c: &mut Couple| {
        let contacts = c.village.storage(c.alice).unwrap().contacts().unwrap();
        contacts[0].commit_letter.is_some()
    };
    c.village.swallow(c.alice, u32::MAX);
    while !committed(&mut c) {
        say(&mut c);
    }
    c.village.swallow(c.alice, 0);
    let mut all = Vec::new();
    for _ in 0..20 {
        all = say(&mut c);
    }
    c.village.rest().unwrap();
    assert_eq!(held(&mut c.village, c.bob).len(), 20);
    assert!(texts(&mut c.village, c.bob, c.his_alice).is_empty());
    c.village.open_again(c.bob).unwrap();
    // The outbox sends anew what has no receipt.
    c.village.pass(DAY * 22).unwrap();
    assert!(held(&mut c.village, c.bob).is_empty());
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice), all);
    assert!(drops(&mut c.village, c.bob).is_empty());
}

#[test]
fn a_thousand_edits_and_reactions_leave_few_edits_and_one_reaction() {
    let mut three = three(220);
    let c = &mut three.c;
    let id = send(&mut c.village, c.alice, c.her_bob, "first");
    c.village.pass(Duration::from_secs(60)).unwrap();
    let count = |c: &mut Couple| {
        let bobs = c.village.storage(c.bob).unwrap();
        bobs.extent(c.his_alice).unwrap().messages
    };
    let before = count(c);
    for n in 0..1_000 {
        let command = match n % 4 {
            0 | 1 => Command::Edit {
                message: id,
                text: n.to_string(),
            },
            2 => Command::React {
                message: id,
                mark: format!("r{n}"),
            },
            _ => Command::React {
                message: id,
                mark: String::new(),
            },
        };
        ask(&mut c.village, c.alice, command);
        // With its receipt: what has none for three epochs is said again.
        c.village.pass(DELAY * 2).unwrap();
    }
    // The last edits, the last reaction and that it was taken back.
    assert_eq!(count(c), before + 16 + 2);
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        let views = read(&mut c.village, home, contact);
        assert_eq!(views.len(), 1);
        assert_eq!((views[0].text.as_str(), views[0].edited), ("997", true));
        assert!(views[0].reactions.is_empty());
    }
    // Nothing Alice said waits for a receipt.
    let hers = c.village.storage(c.alice).unwrap();
    assert!(
        hers.unconfirmed_before(c.her_bob, u64::MAX)
            .unwrap()
            .is_empty()
    );
    three.others_go_on();
}

#[test]
fn a_joiner_says_a_little_before_being_accepted_and_all_of_it_arrives() {
    for length in [1, 20_000] {
        let mut w = waiting(210);
        let mut said = Vec::new();
        let refused = loop {
            let text = format!("{}{}", said.len(), "x".repeat(length));
            let command = Command::Send {
                contact: w.his_alice,
                text: text.clone(),
                reply_to: None,
            };
            match w.village.ask(w.bob, command).unwrap().unwrap() {
                Ok(_) => said.push(text),
                Err(refusal) => break refusal,
            }
        };
        assert_eq!(refused, Refusal::NotAnswered);
        assert_eq!(said.len(), if length == 1 { 30 } else { 4 });
        w.village.pass(Duration::from_secs(60)).unwrap();
        assert!(drops(&mut w.village, w.alice).is_empty());
        let contact = w.her_bob;
        ask(&mut w.village, w.alice, Command::Accept { contact });
        w.village.pass(Duration::from_secs(60)).unwrap();
        assert_eq!(texts(&mut w.village, w.alice, w.her_bob), said);
        // Accepted, Bob says what he likes.
        send(&mut w.village, w.bob, w.his_alice, "and more");
        w.village.rest().unwrap();
        assert_eq!(
            texts(&mut w.village, w.alice, w.her_bob).len(),
            said.len() + 1
        );
    }
}

#[test]
fn a_stranger_who_says_more_is_not_kept_nor_told() {
    let mut w = waiting(211);
    w.village.pass(Duration::from_secs(60)).unwrap();
    // A joiner of another make takes the link for a one-time one.
    let mistake = |w: &mut Waiting, one_time: bool| {
        let storage = w.village.storage(w.bob).unwrap();
        let mut record = storage.contacts().unwrap().remove(0);
        record.unsecured_start = !one_time;
        storage.put_contact(&record).unwrap();
        w.village.open_again(w.bob).unwrap();
    };
    mistake(&mut w, true);
    w.village.events(w.alice);
    for n in 0..200 {
        send(&mut w.village, w.bob, w.his_alice, &n.to_string());
        w.village.rest().unwrap();
    }
    assert_eq!(
        drops(&mut w.village, w.alice),
        [DropReason::Unaccepted; 170]
    );
    let extent = |w: &mut Waiting| {
        let storage = w.village.storage(w.alice).unwrap();
        storage.extent(w.her_bob).unwrap().messages
    };
    assert_eq!(extent(&mut w), 32);
    w.village.events(w.bob);
    w.village.pass(DAY).unwrap();
    let told = w.village.events(w.bob);
    let receipt = |event: &Event| matches!(event, Event::State { state, .. } if *state >= MessageState::Delivered);
    assert!(!told.iter().any(receipt));
    mistake(&mut w, false);
    // Accepted in time, the rest comes when the outbox sends anew what has no
    // receipt: nothing is lost.
    let contact = w.her_bob;
    ask(&mut w.village, w.alice, Command::Accept { contact });
    w.village.pass(DAY * 25).unwrap();
    let heard: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    assert_eq!(texts(&mut w.village, w.alice, w.her_bob), heard);
}

#[test]
fn strays_are_bounded_and_let_go_after_three_days() {
    let mut three = three(203);
    let link = invite(&mut three.c.village, three.c.bob, true).link;
    let c = &mut three.c;
    // Where strangers write to Bob, learned as a joiner does.
    let eve = c.village.move_in("Eve", DELAY).unwrap();
    c.village
        .crash_in(eve, 3, hushwing_conversation::village::Crash::BeforeCommit);
    c.village.ask(eve, Command::Join { link }).unwrap();
    let joins = c.village.storage(eve).unwrap().joins().unwrap();
    let card = joins[0].card.clone().unwrap();
    let to = Address::decode(card.address.expose()).unwrap();
    let mut mallory = Mallory::new();
    c.village.rest().unwrap();
    c.village.events(c.bob);
    for n in 0..625_u64 {
        let mut conversation = [0; 16];
        conversation[..8].copy_from_slice(&n.to_be_bytes());
        let messages = vec![private_message(conversation, 1, 1_000); 16];
        mallory.post(&mut c.village, to.clone(), letter(&messages));
    }
    let kept = held(&mut c.village, c.bob);
    assert!(kept.len() <= 256 && bytes(&kept) <= MIB, "{}", kept.len());
    let gone = drops(&mut c.village, c.bob);
    assert_eq!(gone.len() + kept.len(), 10_000);
    c.village.pass(DAY * 3 - DAY / 24).unwrap();
    assert_eq!(held(&mut c.village, c.bob).len(), kept.len());
    c.village.pass(DAY / 12).unwrap();
    assert!(held(&mut c.village, c.bob).is_empty());
    let gone = drops(&mut c.village, c.bob);
    assert_eq!(gone, vec![DropReason::Stray; kept.len()]);
    // And Bob remembers none of them: a copy would be heard again.
    three.others_go_on();
}
