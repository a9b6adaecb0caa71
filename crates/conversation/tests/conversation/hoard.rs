//! What a hostile contact says that no face lists takes little room, however
//! much of it comes.

use std::time::Duration;

use hushwing_conversation::content::{AddressUpdate, Content, Mark, Post, Profile, Text};
use hushwing_conversation::village::{Home, Village, Weather};
use hushwing_conversation::{ContactId, MessageId, Storage as _};
use proptest::prelude::*;

use crate::intruder::Intruder;
use crate::support::*;

/// Letters of 16 messages.
const LETTERS: usize = 625;
/// What all of it may take, with what MLS keeps of a group.
const ROOM: usize = 1024 * 1024;

fn scene(seed: u64) -> (Couple, Intruder, ContactId) {
    let mut c = couple(seed);
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut c.village, c.alice);
    c.village.pass(Duration::from_secs(60)).unwrap();
    (c, mallory, contact)
}

fn weight(village: &mut Village, home: Home) -> usize {
    village.storage(home).unwrap().weight()
}

fn id(n: u64) -> MessageId {
    let mut id = [1; 32];
    id[1..9].copy_from_slice(&n.to_be_bytes());
    MessageId::from_bytes(&id).unwrap()
}

fn words(length: usize) -> Post {
    Post::new(Text::new(&"x".repeat(length)).unwrap(), None)
}

/// The `n`th thing of that kind: something about Mallory, or a change of what
/// is not here, of `text`, or of a change.
fn thing(mallory: &Intruder, kind: u8, n: u64, text: MessageId) -> Content {
    let target = id(n);
    match kind {
        0 => Content::Profile(Profile::new(&format!("Mallory {n}"), None).unwrap()),
        1 => Content::Addresses(AddressUpdate {
            revision: n,
            addresses: vec![vec![9; 2_000]],
            recovery: Vec::new(),
        }),
        2 => Content::Addresses(AddressUpdate {
            revision: n,
            addresses: vec![mallory.address().encode()],
            recovery: vec![vec![9; 2_000]],
        }),
        3 => Content::Edit {
            target,
            post: words(2_000),
        },
        4 => Content::Delete { target },
        5 => Content::Unreact { reaction: target },
        6 => Content::Edit {
            target: text,
            post: words(1_000),
        },
        _ => Content::Reaction {
            target: if kind == 7 { target } else { text },
            mark: Mark::new("👍").unwrap(),
            replaces: None,
        },
    }
}

proptest! {
    // One mixture a run: MLS takes its time for so many.
    #![proptest_config(ProptestConfig { cases: 1, max_shrink_iters: 0, ..ProptestConfig::default() })]
    #[test]
    fn ten_thousand_things_that_no_face_lists_take_little_room(
        kinds in prop::collection::vec(0..9_u8, 40..80),
        seed in 600..700_u64,
    ) {
        let (mut c, mut mallory, contact) = scene(seed);
        let text = send(&mut c.village, c.alice, contact, "hello");
        let before = weight(&mut c.village, c.alice);
        let mut sent = 0;
        let mut kinds = kinds.iter().cycle();
        for letter in 0..LETTERS as u64 {
            let messages: Vec<Vec<u8>> = (0..16)
                .map(|at| {
                    let kind = *kinds.next().unwrap();
                    let content = thing(&mallory, kind, letter * 16 + at + 2, text);
                    let bytes = mallory.compose(&content);
                    mallory.message(&bytes)
                })
                .collect();
            sent += messages.iter().map(Vec::len).sum::<usize>();
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            mallory.post(&mut c.village, &messages);
            if letter % 50 == 0 {
                c.village.pass(Duration::from_secs(10)).unwrap();
                c.village.events(c.alice);
            }
        }
        c.village.pass(Duration::from_secs(600)).unwrap();
        prop_assert!(sent > 2 * ROOM, "{}", sent);
        let after = weight(&mut c.village, c.alice);
        prop_assert!(after < before + ROOM, "{} to {}", before, after);
        // They may still say something.
        mallory.tell(&mut c.village, &Content::Post(words(5)));
        let texts = texts(&mut c.village, c.alice, contact);
        prop_assert_eq!(texts.last().map(String::as_str), Some("xxxxx"));
    }
}

#[test]
fn a_change_that_comes_first_still_changes_what_it_waits_for() {
    let (mut c, mut mallory, contact) = scene(601);
    let post = mallory.compose(&Content::Post(words(3)));
    let target = mallory.name_of(&post);
    let edit = Content::Edit {
        target,
        post: words(7),
    };
    mallory.tell(&mut c.village, &edit);
    // More than may wait beside it, but of this message.
    let message = mallory.message(&post);
    mallory.post(&mut c.village, &[&message]);
    for n in 0..200 {
        let other = thing(&mallory, 3, n, target);
        mallory.tell(&mut c.village, &other);
    }
    assert_eq!(texts(&mut c.village, c.alice, contact), ["xxxxxxx"]);
}

#[test]
fn the_last_name_and_no_older_one_is_kept() {
    let (mut c, mut mallory, contact) = scene(602);
    let late = mallory.compose(&Content::Profile(Profile::new("First", None).unwrap()));
    mallory.tell(
        &mut c.village,
        &Content::Profile(Profile::new("Second", None).unwrap()),
    );
    let late = mallory.message(&late);
    mallory.post(&mut c.village, &[&late]);
    let views = contacts(&mut c.village, c.alice);
    let view = views.iter().find(|view| view.contact == contact);
    assert_eq!(view.unwrap().name, "Second");
    let storage = c.village.storage(c.alice).unwrap();
    // The addresses and the name.
    assert_eq!(storage.control(contact, false).unwrap().len(), 2);
}

#[test]
fn receipts_that_cannot_leave_wait_in_one_letter() {
    let (mut c, mut mallory, _) = scene(603);
    let letters = |c: &mut Couple| {
        let storage = c.village.storage(c.alice).unwrap();
        hushwing_delivery::Storage::letters(storage).unwrap().len()
    };
    let before = letters(&mut c);
    c.village.set_weather(Weather {
        loss: 255,
        ..Weather::default()
    });
    for _ in 0..40 {
        mallory.tell(&mut c.village, &Content::Post(words(5)));
        c.village.pass(Duration::from_secs(10)).unwrap();
    }
    assert_eq!(letters(&mut c), before + 1);
    c.village.set_weather(Weather::default());
    c.village.pass(Duration::from_secs(1_200)).unwrap();
    let storage = c.village.storage(c.alice).unwrap();
    assert!(
        storage
            .contacts()
            .unwrap()
            .iter()
            .all(|person| { storage.owing(person.id).unwrap().is_empty() })
    );
}
