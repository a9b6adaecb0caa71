//! What is stored of one conversation is damaged: it ends, and nothing else.

use std::time::Duration;

use hushwing_conversation::{
    BreakReason, Command, ContactId, Event, FailReason, MessageState, Refusal, Standing, Storage,
};

use crate::support::*;

const AN_HOUR: Duration = Duration::from_secs(3_600);

/// Alice and Bob, and Carol whom Alice knows too.
struct Three {
    c: Couple,
    carol: hushwing_conversation::village::Home,
    her_carol: ContactId,
    carols_alice: ContactId,
}

fn three(seed: u64) -> Three {
    let mut c = couple(seed);
    let carol = c.village.move_in("Carol", DELAY).unwrap();
    let link = invite(&mut c.village, c.alice, false).link;
    let carols_alice = join(&mut c.village, carol, &link).contact;
    c.village.pass(Duration::from_secs(10)).unwrap();
    let her_carol = contacts(&mut c.village, c.alice)[1].contact;
    c.village.events(c.alice);
    Three {
        c,
        carol,
        her_carol,
        carols_alice,
    }
}

impl Three {
    fn spoil_group(&mut self) {
        let conversation = contacts(&mut self.c.village, self.c.alice)[0].conversation;
        let storage = self.c.village.storage(self.c.alice).unwrap();
        storage.spoil_group(conversation);
        self.c.village.open_again(self.c.alice).unwrap();
    }

    fn standings(&mut self) -> Vec<Standing> {
        let views = contacts(&mut self.c.village, self.c.alice);
        views.into_iter().map(|view| view.standing).collect()
    }

    /// Bob's conversation broke, once and by damage; Carol's goes on.
    fn only_bobs_broke(&mut self) {
        let events = self.c.village.events(self.c.alice);
        let broke: Vec<_> = events
            .iter()
            .filter(|event| matches!(event, Event::Broken { .. }))
            .collect();
        let broken = Event::Broken {
            contact: self.c.her_bob,
            reason: BreakReason::Damaged,
        };
        assert_eq!(broke, [&broken]);
        assert_eq!(self.standings(), [Standing::Broken, Standing::Established]);
        let (village, alice) = (&mut self.c.village, self.c.alice);
        let before = texts(village, alice, self.her_carol).len();
        send(village, self.carol, self.carols_alice, "and you?");
        send(village, alice, self.her_carol, "well");
        village.pass(AN_HOUR).unwrap();
        village.open_again(alice).unwrap();
        village.pass(AN_HOUR).unwrap();
        let hers = texts(village, alice, self.her_carol);
        assert_eq!(hers.len(), before + 2);
        assert_eq!(hers, texts(village, self.carol, self.carols_alice));
    }

    fn hello(&self) -> Command {
        Command::Send {
            contact: self.c.her_bob,
            text: "hello".to_owned(),
            reply_to: None,
        }
    }
}

#[test]
fn a_damaged_group_breaks_its_conversation_when_something_comes() {
    let mut t = three(500);
    t.spoil_group();
    send(&mut t.c.village, t.c.bob, t.c.his_alice, "hello");
    t.c.village.pass(AN_HOUR).unwrap();
    t.only_bobs_broke();
}

#[test]
fn a_damaged_group_breaks_its_conversation_when_something_is_said() {
    let mut t = three(501);
    t.spoil_group();
    for _ in 0..2 {
        let hello = t.hello();
        let refused = refusal(&mut t.c.village, t.c.alice, hello);
        assert_eq!(refused, Refusal::Broken);
    }
    t.only_bobs_broke();
}

#[test]
fn a_damaged_group_breaks_its_conversation_when_its_keys_are_to_be_renewed() {
    let mut t = three(502);
    send(&mut t.c.village, t.c.bob, t.c.his_alice, "hello");
    t.c.village.pass(AN_HOUR).unwrap();
    t.c.village.events(t.c.alice);
    t.spoil_group();
    t.c.village.pass(AN_HOUR * 25).unwrap();
    t.only_bobs_broke();
}

#[test]
fn a_damaged_group_breaks_its_conversation_when_receipts_are_due() {
    let mut t = three(503);
    send(&mut t.c.village, t.c.bob, t.c.his_alice, "hello");
    t.c.village.rest().unwrap();
    t.c.village.events(t.c.alice);
    t.spoil_group();
    t.c.village.pass(AN_HOUR).unwrap();
    t.only_bobs_broke();
}

#[test]
fn a_damaged_message_breaks_its_conversation_and_hides_no_later_one() {
    let mut t = three(504);
    let ids: Vec<_> = (0..8)
        .map(|n| send(&mut t.c.village, t.c.bob, t.c.his_alice, &n.to_string()))
        .collect();
    t.c.village.pass(AN_HOUR).unwrap();
    t.c.village.events(t.c.alice);
    t.c.village
        .storage(t.c.alice)
        .unwrap()
        .spoil_message(&ids[3]);
    let read_all = Command::Read {
        contact: t.c.her_bob,
        before: None,
        most: 16,
    };
    let refused = refusal(&mut t.c.village, t.c.alice, read_all);
    assert_eq!(refused, Refusal::Broken);
    t.only_bobs_broke();
    let views = read(&mut t.c.village, t.c.alice, t.c.her_bob);
    assert_eq!(views.last().unwrap().text, "7");
}

#[test]
fn damage_found_on_opening_breaks_its_conversation() {
    let mut t = three(508);
    let id = send(&mut t.c.village, t.c.bob, t.c.his_alice, "hello");
    t.c.village.pass(AN_HOUR).unwrap();
    t.c.village.events(t.c.alice);
    let storage = t.c.village.storage(t.c.alice).unwrap();
    storage.spoil_message(&id);
    storage
        .put_setting(&format!("repeats to {}", t.c.her_bob.0), b"?")
        .unwrap();
    t.c.village.open_again(t.c.alice).unwrap();
    t.c.village.rest().unwrap();
    t.only_bobs_broke();
}

#[test]
fn a_message_with_damaged_content_is_named_among_the_others() {
    let mut t = three(505);
    let ids: Vec<_> = (0..3)
        .map(|n| send(&mut t.c.village, t.c.bob, t.c.his_alice, &n.to_string()))
        .collect();
    t.c.village.pass(AN_HOUR).unwrap();
    t.c.village.events(t.c.alice);
    let storage = t.c.village.storage(t.c.alice).unwrap();
    let mut record = storage.message(&ids[1]).unwrap().unwrap();
    storage.remove_message(&ids[1]).unwrap();
    record.content.truncate(5);
    storage.add_message(&record).unwrap();
    for _ in 0..2 {
        let hers = texts(&mut t.c.village, t.c.alice, t.c.her_bob);
        assert_eq!(hers, ["0", "[damaged]", "2"]);
    }
    t.only_bobs_broke();
}

#[test]
fn a_damaged_message_breaks_its_conversation_when_its_letter_is_answered() {
    let mut t = three(506);
    let id = send(&mut t.c.village, t.c.alice, t.c.her_bob, "hello");
    t.c.village.storage(t.c.alice).unwrap().spoil_message(&id);
    t.c.village.pass(AN_HOUR).unwrap();
    t.only_bobs_broke();
}

#[test]
fn a_damaged_message_breaks_no_conversation_that_it_is_not_of() {
    let mut t = three(509);
    let carols = send(&mut t.c.village, t.carol, t.carols_alice, "psst");
    t.c.village.pass(AN_HOUR).unwrap();
    t.c.village.events(t.c.alice);
    let storage = t.c.village.storage(t.c.alice).unwrap();
    storage.spoil_message(&carols);
    let contact = t.c.her_bob;
    let answer = Command::Send {
        contact,
        text: "what?".to_owned(),
        reply_to: Some(carols),
    };
    let earlier = Command::Read {
        contact,
        before: Some(carols),
        most: 10,
    };
    for command in [answer, earlier] {
        let refused = refusal(&mut t.c.village, t.c.alice, command);
        assert_eq!(refused, Refusal::NoMessage);
    }
    assert_eq!(t.standings(), [Standing::Established; 2]);
    assert_eq!(t.c.village.events(t.c.alice), []);
}

#[test]
fn a_broken_conversation_takes_no_letters_with_it_of_another_by_the_same_link() {
    let mut village = village(510);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let first = join(&mut village, bob, &link);
    village.rest().unwrap();
    // Bob asks again as somebody new, and that does not leave yet.
    let storage = village.storage(bob).unwrap();
    let fetch = storage.joins().unwrap()[0].fetch;
    storage.remove_join(fetch).unwrap();
    village.open_again(bob).unwrap();
    village.set_weather(hushwing_conversation::village::Weather {
        loss: 255,
        ..Default::default()
    });
    assert_ne!(join(&mut village, bob, &link).contact, first.contact);
    village.rest().unwrap();
    let storage = village.storage(bob).unwrap();
    storage.spoil_group(first.conversation);
    village.open_again(bob).unwrap();
    let hello = Command::Send {
        contact: first.contact,
        text: "hello".to_owned(),
        reply_to: None,
    };
    assert_eq!(refusal(&mut village, bob, hello), Refusal::Broken);
    village.set_weather(Default::default());
    village.pass(AN_HOUR).unwrap();
    assert_eq!(requests(&mut village, alice).len(), 2);
}

#[test]
fn what_was_to_leave_a_broken_conversation_fails_with_a_reason_and_nothing_stays() {
    let mut t = three(507);
    // Bob is out of reach, and Alice has something to say and to confirm.
    send(&mut t.c.village, t.c.bob, t.c.his_alice, "hello");
    t.c.village.rest().unwrap();
    t.c.village
        .set_weather(hushwing_conversation::village::Weather {
            loss: 255,
            ..Default::default()
        });
    let ids: Vec<_> = (0..60)
        .map(|n| send(&mut t.c.village, t.c.alice, t.c.her_bob, &n.to_string()))
        .collect();
    t.c.village.pass(DELAY * 2).unwrap();
    let left = |t: &mut Three| {
        let storage = t.c.village.storage(t.c.alice).unwrap();
        hushwing_delivery::Storage::letters(storage).unwrap().len()
    };
    assert!(left(&mut t) > 60, "messages, a commit, a receipt");
    let storage = t.c.village.storage(t.c.alice).unwrap();
    let number = storage.next_number().unwrap();
    let held = hushwing_conversation::storage::HeldRecord {
        contact: t.c.her_bob,
        number,
        since: Default::default(),
        repeat: None,
        bytes: vec![0; 1_000],
    };
    storage.add_held(&held).unwrap();
    t.c.village.events(t.c.alice);
    t.spoil_group();
    let hello = t.hello();
    refusal(&mut t.c.village, t.c.alice, hello);

    assert_eq!(left(&mut t), 0);
    let storage = t.c.village.storage(t.c.alice).unwrap();
    assert!(storage.held_heads(t.c.her_bob).unwrap().is_empty());
    let events = t.c.village.events(t.c.alice);
    for message in &ids {
        let failed = Event::State {
            message: *message,
            state: MessageState::Failed,
            reason: Some(FailReason::Broken),
        };
        assert!(events.contains(&failed));
    }
    let views = read(&mut t.c.village, t.c.alice, t.c.her_bob);
    let mut mine = views.iter().filter(|view| ids.contains(&view.id));
    assert!(mine.all(|view| view.state == MessageState::Failed));
}
