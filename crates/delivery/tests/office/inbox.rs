//! What the inbox promises.
use crate::desk::{DAY, Desk, MAILBOX, SECRET, letter};
use hushwing_delivery::{
    Envelope, FirstContactSecret, MailboxId, MailboxKeys, NetworkTag, OfficeEvent, SealKey,
};
use proptest::prelude::*;
use rand_core::RngCore;

/// The envelopes of a letter, all of them.
fn envelopes(seed: u64, bytes: &[u8], seal: Option<SealKey>) -> Vec<Envelope> {
    let mut desk = Desk::new(seed);
    let mut letter = letter(&["a"], bytes);
    if let Some(seal) = seal {
        letter.to[0].seal = seal;
    }
    desk.post(&letter);
    let mut envelopes = Vec::new();
    let mut sent = desk.sent();
    while !sent.is_empty() {
        for sent in std::mem::take(&mut sent) {
            desk.accept(sent.send);
            envelopes.push(sent.envelope);
        }
        sent = desk.sent();
    }
    envelopes
}

#[test]
fn a_letter_is_shown_once_and_every_copy_is_acknowledged() {
    let mut desk = Desk::with_mailbox(1);
    let envelope = envelopes(1, b"hello", None).remove(0);
    for _ in 0..3 {
        desk.receive(MAILBOX, envelope.clone());
    }
    assert_eq!(desk.incoming(), [b"hello"]);
    assert_eq!(desk.acknowledgements(), 3);
    desk.restart();
    desk.receive(MAILBOX, envelope);
    assert!(desk.incoming().is_empty());
    assert_eq!(desk.acknowledgements(), 1);
}

#[test]
fn a_copy_in_another_mailbox_is_a_repeat_too() {
    let mut desk = Desk::with_mailbox(2);
    let other = MailboxId(8);
    desk.put_mailbox(other, MailboxKeys::shared(SECRET));
    let envelope = envelopes(2, b"hello", None).remove(0);
    desk.receive(MAILBOX, envelope.clone());
    desk.receive(other, envelope);
    assert_eq!(desk.incoming().len(), 1);
}

#[test]
fn repeats_are_recognised_for_sixty_days() {
    let mut desk = Desk::with_mailbox(3);
    let envelope = envelopes(3, b"hello", None).remove(0);
    desk.receive(MAILBOX, envelope.clone());
    desk.pass(DAY * 59);
    desk.receive(MAILBOX, envelope);
    assert_eq!(desk.incoming().len(), 1);
    desk.pass(DAY * 3);
    assert_eq!(desk.storage.repeat_count(), 0);
}

#[test]
fn a_letter_that_was_not_kept_is_given_again_when_a_copy_comes() {
    let mut desk = Desk::with_mailbox(9);
    for (seed, bytes) in [(9, vec![1; 50]), (10, vec![2; 40_000])] {
        let copies = envelopes(seed, &bytes, None);
        for envelope in copies.clone() {
            desk.receive(MAILBOX, envelope);
        }
        let [OfficeEvent::Incoming(letter)] = &desk.events()[..] else {
            panic!("one letter");
        };
        let repeat = letter.repeat;
        desk.office
            .forget_repeat(&mut desk.storage, repeat)
            .unwrap();
        for envelope in copies {
            desk.receive(MAILBOX, envelope);
        }
        assert_eq!(desk.incoming(), [bytes]);
    }
}

#[test]
fn what_does_not_open_is_acknowledged_counted_and_not_stored() {
    let mut desk = Desk::with_mailbox(4);
    let mut noise = vec![0; Envelope::REGULAR];
    desk.dice.0.fill_bytes(&mut noise);
    desk.receive(MAILBOX, Envelope::regular(noise).unwrap());
    desk.receive(
        MAILBOX,
        Envelope::first_contact(vec![1; Envelope::FIRST_CONTACT]).unwrap(),
    );
    let unknown = envelopes(4, b"hello", None).remove(0);
    desk.receive(MailboxId(99), unknown);
    assert!(desk.incoming().is_empty());
    assert_eq!(desk.acknowledgements(), 3);
    assert_eq!(desk.office.garbage(), 3);
    assert_eq!(desk.storage.repeat_count() + desk.storage.part_count(), 0);
}

#[test]
fn an_older_secret_opens_after_rotation_until_it_is_dropped() {
    let mut desk = Desk::with_mailbox(5);
    let mut keys = MailboxKeys::shared([9; 32]);
    keys.shared.extend(MailboxKeys::shared(SECRET).shared);
    desk.put_mailbox(MAILBOX, keys);
    desk.restart();
    desk.receive(MAILBOX, envelopes(5, b"old", None).remove(0));
    desk.receive(
        MAILBOX,
        envelopes(6, b"new", Some(SealKey::Shared([9; 32]))).remove(0),
    );
    assert_eq!(desk.incoming(), [b"old", b"new"]);
    desk.put_mailbox(MAILBOX, MailboxKeys::shared([9; 32]));
    desk.receive(MAILBOX, envelopes(7, b"old", None).remove(0));
    assert!(desk.incoming().is_empty());
}

#[test]
fn a_stranger_writes_to_the_key_of_an_invitation() {
    let mut desk = Desk::new(8);
    let secret = desk.call(|_, cx, _| FirstContactSecret::generate(cx));
    let public = secret.public().unwrap();
    desk.put_mailbox(MAILBOX, MailboxKeys::first_contact(secret));
    desk.restart();
    let bytes = vec![5; 30_000];
    let envelopes = envelopes(8, &bytes, Some(SealKey::FirstContact(public)));
    assert_eq!(envelopes.len(), 3);
    for envelope in envelopes {
        assert!(envelope.is_first_contact());
        desk.receive(MAILBOX, envelope);
    }
    match &desk.events()[..] {
        [OfficeEvent::Incoming(letter)] => {
            assert!(letter.first_contact);
            assert_eq!(letter.bytes, bytes);
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn parts_join_in_any_order_with_repeats_and_restarts(
        length in 15_000_usize..90_000,
        order in proptest::collection::vec(any::<(prop::sample::Index, bool)>(), 0..12),
        seed: u64,
    ) {
        let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let envelopes = envelopes(seed, &bytes, None);
        let mut desk = Desk::with_mailbox(seed);
        let mut received = 0;
        for (index, restart) in order {
            desk.receive(MAILBOX, index.get(&envelopes).clone());
            received += 1;
            if restart {
                let came = desk.incoming();
                prop_assert!(came.is_empty() || came == [bytes.clone()]);
                if !came.is_empty() {
                    return Ok(());
                }
                desk.restart();
            }
        }
        for envelope in envelopes.iter().rev() {
            desk.receive(MAILBOX, envelope.clone());
            received += 1;
        }
        prop_assert_eq!(desk.incoming(), [bytes]);
        prop_assert!(desk.acknowledgements() <= received);
        prop_assert_eq!(desk.storage.part_count(), 0);
        prop_assert_eq!(desk.storage.repeat_count(), 1);
    }
}

#[test]
fn beginnings_of_letters_do_not_fill_the_disk() {
    let mut desk = Desk::with_mailbox(9);
    let honest = envelopes(1_000, &[1; 29_000], None);
    for seed in 0..80 {
        let beginning = envelopes(seed, &[2; 29_000], None).remove(0);
        desk.receive(MAILBOX, beginning);
        desk.now += std::time::Duration::from_secs(1);
    }
    assert_eq!(desk.storage.part_count(), 64);
    for envelope in honest {
        desk.receive(MAILBOX, envelope);
    }
    assert_eq!(desk.incoming().len(), 1, "a whole letter still passes");
}

#[test]
fn the_beginning_of_a_letter_that_never_ends_is_forgotten() {
    let mut desk = Desk::with_mailbox(10);
    desk.receive(MAILBOX, envelopes(10, &[1; 29_000], None).remove(0));
    desk.pass(DAY * 29);
    assert_eq!(desk.storage.part_count(), 1);
    desk.pass(DAY * 3);
    assert_eq!(desk.storage.part_count(), 0);
}

#[test]
fn closing_a_mailbox_forgets_its_parts_and_tells_its_network() {
    let mut desk = Desk::with_mailbox(11);
    desk.receive(MAILBOX, envelopes(11, &[1; 29_000], None).remove(0));
    desk.commands();
    desk.call(|office, _, storage| office.close_mailbox(storage, MAILBOX))
        .unwrap();
    assert_eq!(desk.storage.part_count(), 0);
    let commands = desk.commands();
    assert_eq!(commands.len(), 1);
    assert_eq!(commands[0].0, NetworkTag::TOY);
}
