//! Mallory signs what she likes in a conversation that Alice wishes provable.

use std::time::Duration;

use hushwing_conversation::content::{
    Content, MessageId, Mode, Post, Signature, SignedReceipt, Text, Wish,
};
use hushwing_conversation::proof::{
    Confirmation, IdentityKey, PublicIdentity, Received, Said, Wished, digest,
};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Command, ContactId, ConversationId, DropReason, Event, MessageState, ReceiptRows as _, Refusal,
};
use hushwing_sansio::Timestamp;

use crate::hostile::drops;
use crate::intruder::{Intruder, honest_config};
use crate::provable::{mode, prove, wish};
use crate::support::*;

/// Alice and Mallory, whose conversation both wish provable.
struct Pair {
    village: Village,
    alice: Home,
    mallory: Intruder,
    contact: ContactId,
    conversation: ConversationId,
    key: IdentityKey,
    /// Alice's key.
    hers: PublicIdentity,
}

fn pair(seed: u64) -> Pair {
    let mut village = village(seed);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut village, alice);
    village.pass(Duration::from_secs(60)).unwrap();
    wish(&mut village, alice, contact, Mode::Provable);
    let key = IdentityKey::from_seed(&[66; 32]);
    let told = mallory.wish(&key);
    mallory.tell(&mut village, &told);
    village.pass(Duration::from_secs(60)).unwrap();
    let view = mode(&mut village, alice, contact);
    assert_eq!(view.in_force, Mode::Provable);
    village.events(alice);
    let conversation = contacts(&mut village, alice)[0].conversation;
    Pair {
        village,
        alice,
        mallory,
        contact,
        conversation,
        key,
        hers: view.my_key.unwrap(),
    }
}

impl Pair {
    fn compose(&mut self, text: &str) -> Vec<u8> {
        let post = Post::new(Text::new(text).unwrap(), None);
        self.mallory.compose(&Content::Post(post))
    }

    fn said(&self, content: &[u8]) -> Said {
        Said {
            conversation: self.conversation,
            author: self.key.public(),
            audience: self.hers,
            content: digest(content),
        }
    }

    fn say(&mut self, content: &[u8]) {
        let message = self.mallory.message(content);
        self.mallory.post(&mut self.village, &[&message]);
        self.village.pass(Duration::from_secs(10)).unwrap();
    }

    /// Says `text` signed by `key` for `said`, which is bent first.
    fn say_signed(&mut self, text: &str, key: &IdentityKey, bend: impl FnOnce(&mut Said)) {
        let content = self.compose(text);
        let mut said = self.said(&content);
        bend(&mut said);
        let signature = Signature {
            author: key.public(),
            audience: said.audience,
            bytes: said.sign(key),
        };
        let signed = signature.put_into(&content).unwrap();
        self.say(&signed);
    }

    /// What Alice sees of the last message: its text and mark, and whether she
    /// can prove it.
    fn last(&mut self) -> (String, Option<bool>, bool) {
        let view = read(&mut self.village, self.alice, self.contact)
            .pop()
            .unwrap();
        let command = Command::Prove { message: view.id };
        let proof = self.village.ask(self.alice, command).unwrap().unwrap();
        if let Err(refused) = &proof {
            assert_eq!(*refused, Refusal::NotProvable);
        }
        (view.text, view.provable, proof.is_ok())
    }

    fn dropped_receipts(&mut self) -> usize {
        let events = self.village.events(self.alice);
        let wrong = |event: &&Event| matches!(event, Event::Dropped { reason, .. } if *reason == DropReason::Receipt);
        events.iter().filter(wrong).count()
    }

    /// A receipt for what Alice said, which is bent first.
    fn receipt(&self, content: &[u8], said: impl FnOnce(&mut Said)) -> Received {
        let unsigned = Signature::take_off(content).unwrap();
        let mut about = Said {
            conversation: self.conversation,
            author: self.hers,
            audience: self.key.public(),
            content: digest(&unsigned.content),
        };
        said(&mut about);
        Received {
            said: about,
            status: Confirmation::Delivered,
            at: Timestamp::from_secs(1_767_225_700),
        }
    }

    fn tell(&mut self, content: &Content) {
        self.mallory.tell(&mut self.village, content);
        self.village.pass(Duration::from_secs(1)).unwrap();
    }

    fn tell_key(&mut self, key: &IdentityKey) {
        let told = self.mallory.wish(key);
        self.tell(&told);
    }

    /// Edits a message without signing it.
    fn edit(&mut self, target: MessageId, text: &str) {
        let post = Post::new(Text::new(text).unwrap(), None);
        self.tell(&Content::Edit { target, post });
    }

    fn confirm(&mut self, message: MessageId, received: &Received, key: &IdentityKey) {
        let receipt = SignedReceipt {
            message,
            status: received.status,
            at: received.at,
            signature: received.sign(key),
        };
        let content = Content::SignedReceipts(vec![receipt]);
        self.mallory.tell(&mut self.village, &content);
        self.village.pass(Duration::from_secs(1)).unwrap();
    }
}

#[test]
fn a_good_signature_is_believed_and_a_missing_one_marked() {
    let mut p = pair(920);
    let key = IdentityKey::from_seed(&[66; 32]);
    p.say_signed("signed", &key, |_| {});
    assert_eq!(p.last(), ("signed".to_owned(), Some(true), true));
    let content = p.compose("unsigned");
    p.say(&content);
    assert_eq!(p.last(), ("unsigned".to_owned(), Some(false), false));
    assert_eq!(dropped(&p.village.events(p.alice)), 0);
}

#[test]
fn wrong_signatures_are_shown_marked_and_never_believed() {
    let mut p = pair(921);
    let key = IdentityKey::from_seed(&[66; 32]);
    let other = IdentityKey::from_seed(&[67; 32]);
    let refused = |text: &str| (text.to_owned(), Some(false), false);
    p.say_signed("of another conversation", &key, |said| {
        said.conversation = ConversationId([1; 16]);
    });
    assert_eq!(p.last(), refused("of another conversation"));
    p.say_signed("to somebody else", &key, |said| {
        said.audience = IdentityKey::from_seed(&[67; 32]).public();
    });
    assert_eq!(p.last(), refused("to somebody else"));
    p.say_signed("of something else", &key, |said| said.content = [0; 32]);
    assert_eq!(p.last(), refused("of something else"));
    p.say_signed("by a key never told", &other, |said| {
        said.author = IdentityKey::from_seed(&[67; 32]).public();
    });
    assert_eq!(p.last(), refused("by a key never told"));
    // Every byte of the extension's value, bent.
    let content = p.compose("bent");
    let signature = Signature {
        author: key.public(),
        audience: p.hers,
        bytes: p.said(&content).sign(&key),
    };
    for at in [0, 31, 63] {
        let mut bent = signature;
        bent.bytes[at] ^= 1;
        let bent = bent.put_into(&content).unwrap();
        p.say(&bent);
        assert_eq!(p.last(), refused("bent"), "{at}");
    }
    assert_eq!(dropped(&p.village.events(p.alice)), 0);
}

#[test]
fn every_key_told_here_is_believed_and_a_change_is_shown() {
    let mut p = pair(922);
    let [old, new] = [66, 67].map(|seed| IdentityKey::from_seed(&[seed; 32]));
    p.say_signed("before", &old, |_| {});
    p.tell_key(&new);
    let view = mode(&mut p.village, p.alice, p.contact);
    assert!(view.their_key_changed);
    assert_eq!(view.their_key, Some(new.public()));
    let events = p.village.events(p.alice);
    let told = |event: &Event| matches!(event, Event::Mode(view) if view.their_key_changed);
    assert!(events.iter().any(told), "{events:?}");
    p.say_signed("by the old key", &old, |_| {});
    assert_eq!(p.last(), ("by the old key".to_owned(), Some(true), true));
    let by_new = new.public();
    p.say_signed("by the new key", &new, |said| said.author = by_new);
    assert_eq!(p.last(), ("by the new key".to_owned(), Some(true), true));
    let first = &read(&mut p.village, p.alice, p.contact)[0];
    assert_eq!(
        (first.text.as_str(), first.provable),
        ("before", Some(true))
    );
}

#[test]
fn nobody_takes_my_key_for_theirs() {
    let mut p = pair(923);
    let key = p.hers;
    let proof = [7; 64];
    p.tell(&Content::Mode(Wish::Provable { key, proof }));
    assert_eq!(drops(&mut p.village, p.alice), [DropReason::UnprovedKey]);
    let view = mode(&mut p.village, p.alice, p.contact);
    assert_eq!(view.their_key, Some(p.key.public()));
}

/// A key of somebody else, from another conversation: what that one signs there
/// must not become what Mallory said, nor may anybody be made its audience here.
#[test]
fn a_key_is_told_by_its_holder_for_this_conversation_alone() {
    let mut p = pair(928);
    let carols = IdentityKey::from_seed(&[67; 32]);
    let key = carols.public();
    let here = p.mallory.wished();
    let elsewhere = Wished {
        conversation: ConversationId([1; 16]),
        ..here
    };
    let of_another = Wished {
        sender: [1; 32],
        ..here
    };
    let to_another = Wished {
        receiver: [1; 32],
        ..here
    };
    let mine = IdentityKey::from_seed(&[66; 32]);
    let wishes = [
        Wish::Unsigned(key),
        Wish::Provable {
            key,
            proof: elsewhere.sign(&carols),
        },
        Wish::Provable {
            key,
            proof: of_another.sign(&carols),
        },
        Wish::Provable {
            key,
            proof: to_another.sign(&carols),
        },
        // By who tells it, and not by its holder.
        Wish::Provable {
            key,
            proof: here.sign(&mine),
        },
    ];
    for wish in wishes {
        p.tell(&Content::Mode(wish));
        let told = drops(&mut p.village, p.alice);
        assert_eq!(told, [DropReason::UnprovedKey], "{wish:?}");
        let view = mode(&mut p.village, p.alice, p.contact);
        assert_eq!(view.their_key, Some(p.key.public()));
    }
}

#[test]
fn thirty_three_keys_a_backdated_wish_and_an_unsigned_edit_undo_no_proof() {
    let mut p = pair(929);
    let key = IdentityKey::from_seed(&[66; 32]);
    p.say_signed("I owe you ten", &key, |_| {});
    let shown = read(&mut p.village, p.alice, p.contact).pop().unwrap();
    let proof = prove(&mut p.village, p.alice, shown.id);
    for seed in 100..133 {
        p.tell_key(&IdentityKey::from_seed(&[seed; 32]));
    }
    let told = drops(&mut p.village, p.alice);
    // Seven more than the first are taken.
    assert_eq!(told, [DropReason::TooManyKeys; 26]);
    assert_eq!(prove(&mut p.village, p.alice, shown.id), proof);
    // A key that is known, said to have been told before everything else.
    let content = p.mallory.wish(&IdentityKey::from_seed(&[101; 32]));
    let early = p.mallory.compose_at(&content, 1);
    p.say(&early);
    assert_eq!(prove(&mut p.village, p.alice, shown.id), proof);
    p.edit(shown.id, "I owe you nothing");
    let now = read(&mut p.village, p.alice, p.contact).pop().unwrap();
    assert_eq!(
        (now.text.as_str(), now.provable),
        ("I owe you nothing", Some(false))
    );
    assert_eq!(prove(&mut p.village, p.alice, shown.id), proof);
    p.village.open_again(p.alice).unwrap();
    assert_eq!(prove(&mut p.village, p.alice, shown.id), proof);
}

#[test]
fn a_wish_before_the_keys_are_fixed_is_not_taken() {
    let mut w = waiting(930);
    let refused = refusal(
        &mut w.village,
        w.bob,
        Command::SetMode {
            contact: w.his_alice,
            mode: Mode::Provable,
        },
    );
    assert_eq!(refused, Refusal::NotEstablished);
    // Mallory uses the same link, and speaks before Alice accepted.
    let mut mallory = Intruder::new();
    let (alice, to) = Intruder::read_card(&w.village, &w.link);
    mallory.to = Some(to);
    let group = mallory.create(&[9; 16], &honest_config());
    let request = mallory.ask(group, &[alice]);
    mallory.post_letter(&mut w.village, request);
    w.village.rest().unwrap();
    w.village.events(w.alice);
    let told = mallory.wish(&IdentityKey::from_seed(&[66; 32]));
    mallory.tell(&mut w.village, &told);
    w.village.rest().unwrap();
    assert_eq!(drops(&mut w.village, w.alice), [DropReason::UnprovedKey]);
    // Once she did, and her keys are her own there, Bob's wish is taken.
    let contact = w.her_bob;
    ask(&mut w.village, w.alice, Command::Accept { contact });
    w.village.pass(Duration::from_secs(60)).unwrap();
    wish(&mut w.village, w.bob, w.his_alice, Mode::Provable);
    wish(&mut w.village, w.alice, contact, Mode::Provable);
    w.village.pass(Duration::from_secs(60)).unwrap();
    let view = mode(&mut w.village, w.alice, contact);
    assert_eq!(view.in_force, Mode::Provable);
}

#[test]
fn a_signature_without_any_wish_means_nothing() {
    let mut village = village(924);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut village, alice);
    let key = IdentityKey::from_seed(&[66; 32]);
    let post = Post::new(Text::new("hello").unwrap(), None);
    let content = mallory.compose(&Content::Post(post));
    let signature = Signature {
        author: key.public(),
        audience: key.public(),
        bytes: [7; 64],
    };
    let message = mallory.message(&signature.put_into(&content).unwrap());
    mallory.post(&mut village, &[&message]);
    village.pass(Duration::from_secs(10)).unwrap();
    let view = read(&mut village, alice, contact).pop().unwrap();
    assert_eq!((view.text.as_str(), view.provable), ("hello", None));
}

#[test]
fn wrong_signed_receipts_count_as_none() {
    let mut p = pair(925);
    let (alice, contact) = (p.alice, p.contact);
    let first = send(&mut p.village, alice, contact, "first");
    let second = send(&mut p.village, alice, contact, "second");
    p.village.rest().unwrap();
    let contents = [first, second].map(|id| prove(&mut p.village, alice, id).content);
    let state = |p: &mut Pair| {
        let shown = read(&mut p.village, alice, contact);
        let receipts = prove(&mut p.village, alice, first).receipts.len();
        (shown[0].state, receipts)
    };
    let key = IdentityKey::from_seed(&[66; 32]);
    let other = IdentityKey::from_seed(&[67; 32]);
    let right = p.receipt(&contents[0], |_| {});
    let wrong = [
        // For another's message, by another key, of another conversation.
        (first, p.receipt(&contents[1], |_| {}), &key),
        (first, right, &other),
        (
            first,
            p.receipt(&contents[0], |said| {
                said.conversation = ConversationId([1; 16]);
            }),
            &key,
        ),
    ];
    for (message, received, key) in wrong {
        p.confirm(message, &received, key);
        assert_eq!(p.dropped_receipts(), 1);
        assert_eq!(state(&mut p), (MessageState::Accepted, 0));
    }
    // One signature passed off for another time, or another status.
    for (at, status) in [(1, Confirmation::Delivered), (0, Confirmation::Read)] {
        let receipt = SignedReceipt {
            message: first,
            status,
            at: right.at + Duration::from_secs(at),
            signature: right.sign(&key),
        };
        let content = Content::SignedReceipts(vec![receipt]);
        p.mallory.tell(&mut p.village, &content);
        p.village.pass(Duration::from_secs(1)).unwrap();
        assert_eq!(p.dropped_receipts(), 1);
        assert_eq!(state(&mut p), (MessageState::Accepted, 0));
    }
    // For a message of nobody here: as if it were nowhere.
    let nowhere = MessageId::from_bytes(&[1; 32]).unwrap();
    p.confirm(nowhere, &right, &key);
    assert_eq!(p.dropped_receipts(), 0);
    p.confirm(first, &right, &key);
    assert_eq!(p.dropped_receipts(), 0);
    assert_eq!(state(&mut p), (MessageState::Delivered, 1));
}

#[test]
fn a_signed_receipt_for_what_was_taken_back_is_a_plain_one() {
    let mut p = pair(927);
    let (alice, contact) = (p.alice, p.contact);
    let message = send(&mut p.village, alice, contact, "never mind");
    p.village.rest().unwrap();
    let content = prove(&mut p.village, alice, message).content;
    let received = p.receipt(&content, |_| {});
    ask(&mut p.village, alice, Command::Delete { message });
    p.village.rest().unwrap();
    let key = IdentityKey::from_seed(&[66; 32]);
    p.confirm(message, &received, &key);
    assert_eq!(p.dropped_receipts(), 0);
    let shown = read(&mut p.village, alice, contact);
    assert_eq!(shown[0].state, MessageState::Delivered);
    let storage = p.village.storage(alice).unwrap();
    assert_eq!(storage.signed_receipts(&message).unwrap(), []);
}

#[test]
fn a_receipt_has_one_signature_however_often_it_is_sent() {
    let mut p = pair(926);
    let key = IdentityKey::from_seed(&[66; 32]);
    p.village.overhear();
    let content = p.compose("twice");
    let signature = Signature {
        author: key.public(),
        audience: p.hers,
        bytes: p.said(&content).sign(&key),
    };
    let signed = signature.put_into(&content).unwrap();
    let mut heard = Vec::new();
    for _ in 0..2 {
        p.say(&signed);
        p.village.pass(Duration::from_secs(60)).unwrap();
        let sent = p.village.overhear();
        let receipts = p.mallory.understand(sent).into_iter();
        heard.extend(receipts.filter_map(|content| match content {
            Content::SignedReceipts(receipts) => Some(receipts),
            _ => None,
        }));
    }
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0], heard[1]);
    let received = Received {
        said: p.said(&content),
        status: heard[0][0].status,
        at: heard[0][0].at,
    };
    assert!(received.is_signed(&heard[0][0].signature));
}
