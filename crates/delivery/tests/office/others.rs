//! What waits of what is sent for others.

use hushwing_delivery::{
    Keep, Letter, LetterId, MOST_FOR_OTHERS, MOST_FOR_OTHERS_BYTES, NetworkEvent, SendFailure,
};

use crate::desk::{Desk, MINUTE, address, letter};

fn for_others(to: &str, bytes: Vec<u8>) -> Letter {
    to_both(&[to], bytes)
}

fn to_both(to: &[&str], bytes: Vec<u8>) -> Letter {
    Letter {
        keep: Keep::ForOthers,
        ..letter(to, &bytes)
    }
}

fn keep(desk: &mut Desk, most: (usize, usize)) {
    desk.call(|office, cx, storage| office.keep_for_others(cx, storage, most))
        .unwrap();
}

/// How many of these are still there.
fn stays(desk: &Desk, letters: &[LetterId]) -> usize {
    let all = letters.iter();
    let there = all.filter(|one| desk.office.whereabouts(**one).is_some());
    there.count()
}

/// All mailboxes but one say that they are full.
fn refuse_but_slow(desk: &mut Desk) {
    for sent in desk.sent() {
        if sent.locator != address("slow").locator {
            desk.fail(sent.send, SendFailure::Full);
        }
    }
}

#[test]
fn of_what_is_sent_for_others_only_the_last_waits_for_one_address() {
    let mut desk = Desk::new(61);
    let mine = desk.post(&letter(&["away"], b"mine"));
    let there = desk.post(&for_others("there", vec![1]));
    let sent = desk.sent();
    desk.fail(sent[0].send, SendFailure::Full);
    let first = desk.post(&for_others("away", vec![2]));
    for _ in 0..MOST_FOR_OTHERS - 1 {
        desk.post(&for_others("away", vec![3]));
    }
    assert!(desk.office.whereabouts(first).is_some());
    let last = desk.post(&for_others("away", vec![4]));
    assert!(
        desk.office.whereabouts(first).is_none(),
        "the oldest gave way"
    );
    for letter in [mine, there, last] {
        assert!(desk.office.whereabouts(letter).is_some());
    }
    assert_eq!(desk.office.for_others().0, MOST_FOR_OTHERS + 1);
    // After a start it tries some again: these began to leave, and stay.
    desk.restart();
    let begun = desk.sent();
    assert!(begun.len() > 2);
    desk.post(&for_others("away", vec![5]));
    assert_eq!(desk.office.for_others().0, MOST_FOR_OTHERS + 1);
    let kept = |desk: &Desk| desk.storage.letter_count();
    assert_eq!(kept(&desk), MOST_FOR_OTHERS + 2);
    // A long one takes the places of all others that did not begin to leave.
    let long = desk.post(&for_others("away", vec![6; MOST_FOR_OTHERS_BYTES]));
    assert!(desk.office.whereabouts(last).is_none());
    assert!(desk.office.whereabouts(long).is_some());
    assert_eq!(kept(&desk), begun.len() + 1);
    desk.tell(NetworkEvent::Accepted {
        send: begun
            .iter()
            .find(|sent| sent.locator == address("there").locator)
            .unwrap()
            .send,
    });
    assert!(desk.office.whereabouts(there).is_none());
    assert_eq!(desk.office.for_others().0, begun.len() - 1);
}

#[test]
fn who_takes_nothing_and_has_most_waiting_gives_way_first() {
    let mut desk = Desk::new(62);
    // Somebody reads slowly, and two networks take nothing.
    let slow: Vec<_> = (0..40)
        .map(|_| desk.post(&for_others("slow", vec![1; 3_000])))
        .collect();
    for away in ["few", "many"] {
        desk.post(&for_others(away, vec![2]));
    }
    refuse_but_slow(&mut desk);
    let few: Vec<_> = (0..4)
        .map(|_| desk.post(&for_others("few", vec![3])))
        .collect();
    let many: Vec<_> = (0..9)
        .map(|_| desk.post(&for_others("many", vec![4])))
        .collect();
    assert_eq!(desk.office.for_others().0, 40 + 5 + 10);
    keep(&mut desk, (5 + 7, usize::MAX));
    assert_eq!(stays(&desk, &slow), 40, "they are there");
    assert_eq!(stays(&desk, &few), 4);
    assert_eq!(stays(&desk, &many), 6);
    assert!(desk.office.whereabouts(many[2]).is_none(), "oldest first");
    keep(&mut desk, (0, usize::MAX));
    // Each keeps what came last, and what began to leave.
    assert_eq!(stays(&desk, &slow), 40);
    assert_eq!((stays(&desk, &few), stays(&desk, &many)), (1, 1));
    assert!(desk.office.whereabouts(many[8]).is_some());
    // By bytes as well, and after a start; what that tried again has begun to leave.
    desk.restart();
    refuse_but_slow(&mut desk);
    for _ in 0..3 {
        desk.post(&for_others("many", vec![5; 10]));
        desk.post(&for_others("few", vec![6; 40_000]));
    }
    let (letters, bytes) = desk.office.for_others();
    keep(&mut desk, (usize::MAX, bytes - 40 * 3_000 - 1));
    assert_eq!(desk.office.for_others(), (letters - 1, bytes - 40_000));
}

#[test]
fn whoever_takes_it_slowly_there_is_an_end_to_what_waits() {
    let mut desk = Desk::new(63);
    let slow: Vec<_> = (0..40)
        .map(|_| desk.post(&for_others("slow", vec![1; 3_000])))
        .collect();
    let other = desk.post(&for_others("other", vec![2]));
    keep(&mut desk, (20, 60_000));
    // Twice 60,000 and 20 KiB, with 1 KiB for each letter.
    assert_eq!(stays(&desk, &slow), 39);
    keep(&mut desk, (1_000, 50_000));
    assert_eq!(stays(&desk, &slow), 33, "few, but long");
    keep(&mut desk, (1, 9_000));
    assert_eq!(stays(&desk, &slow), 4);
    assert!(desk.office.whereabouts(slow[39]).is_some());
    assert!(desk.office.whereabouts(other).is_some(), "it is no burden");
}

#[test]
fn nobody_loses_anything_while_my_own_network_is_gone() {
    let mut desk = Desk::new(64);
    let all: Vec<_> = (0..40)
        .map(|_| desk.post(&for_others("away", vec![1])))
        .collect();
    let there = desk.post(&letter(&["there"], b"mine"));
    let fail_all = |desk: &mut Desk| {
        for sent in desk.sent() {
            desk.fail(sent.send, SendFailure::Unreachable);
        }
    };
    fail_all(&mut desk);
    desk.pass(60 * MINUTE);
    fail_all(&mut desk);
    keep(&mut desk, (2, usize::MAX));
    assert_eq!(stays(&desk, &all), 40);
    // It is back, and that one is not.
    desk.pass(60 * MINUTE);
    for sent in desk.sent() {
        match sent.locator == address("there").locator {
            true => desk.tell(NetworkEvent::Accepted { send: sent.send }),
            false => desk.fail(sent.send, SendFailure::Unreachable),
        }
    }
    assert!(desk.office.whereabouts(there).is_some());
    desk.pass(60 * MINUTE);
    fail_all(&mut desk);
    keep(&mut desk, (2, usize::MAX));
    assert!(stays(&desk, &all) <= 17, "but what began to leave");
}

#[test]
fn who_is_written_to_elsewhere_takes_nothing_along() {
    let mut desk = Desk::new(65);
    let dead = |desk: &mut Desk| {
        for sent in desk.sent() {
            desk.fail(sent.send, SendFailure::Full);
        }
    };
    for number in 0..100 {
        let (at, next) = (number.to_string(), (number + 1).to_string());
        desk.post(&to_both(&[&at, "dead"], vec![1; 100_000]));
        dead(&mut desk);
        assert_eq!(desk.office.for_others().0, 1, "{next}");
        let old = [address(&at)];
        desk.call(|office, cx, storage| office.cancel_to(cx, storage, &old))
            .unwrap();
        assert_eq!(desk.office.for_others(), (0, 0));
    }
    assert_eq!(desk.storage.letter_count(), 0);
}

#[test]
fn who_takes_letters_by_another_address_is_there() {
    let mut desk = Desk::new(66);
    desk.post(&for_others("full", vec![1]));
    refuse_but_slow(&mut desk);
    let by_the_second: Vec<_> = (0..40)
        .map(|_| desk.post(&to_both(&["full", "slow"], vec![2])))
        .collect();
    keep(&mut desk, (2, usize::MAX));
    assert_eq!(stays(&desk, &by_the_second), 40);
}
