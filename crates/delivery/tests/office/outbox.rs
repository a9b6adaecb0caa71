//! What the outbox promises.
use std::time::Duration;

use crate::desk::{DAY, Desk, MINUTE, Sent, address, letter};
use hushwing_delivery::{
    Keep, LONGEST_LETTER, Letter, NetworkCommand, NetworkEvent, NetworkTag, OfficeEvent, PostError,
    RouteState, SealKey, SendFailure, Stage, Urgency,
};

fn one(sent: Vec<Sent>) -> Sent {
    assert_eq!(sent.len(), 1);
    sent.into_iter().next().unwrap()
}

#[test]
fn a_letter_leaves_at_once_and_is_kept_until_settled() {
    let mut desk = Desk::new(1);
    let id = desk.post(&letter(&["a"], b"hello"));
    let sent = one(desk.sent());
    assert_eq!(sent.locator, address("a").locator);
    desk.accept(sent.send);
    assert!(matches!(
        desk.events()[..],
        [OfficeEvent::Accepted { letter, network: NetworkTag::TOY }] if letter == id
    ));
    assert_eq!(desk.storage.letter_count(), 1);
    assert!(desk.settle(id));
    assert_eq!(desk.storage.letter_count(), 0);
    assert!(!desk.settle(id));
    desk.pass(DAY * 60);
    assert!(desk.sent().is_empty());
}

#[test]
fn a_letter_that_nobody_answers_is_forgotten_once_accepted() {
    let mut desk = Desk::new(2);
    desk.post(&Letter {
        keep: Keep::UntilAccepted,
        ..letter(&["a"], b"receipt")
    });
    let sent = one(desk.sent());
    assert_eq!(desk.storage.letter_count(), 1);
    desk.accept(sent.send);
    assert_eq!(desk.storage.letter_count(), 0);
    assert!(matches!(desk.events()[..], [OfficeEvent::Accepted { .. }]));
}

#[test]
fn an_urgent_letter_that_nobody_answers_stays_until_each_address_took_it() {
    for restarts in [false, true] {
        let mut desk = Desk::new(26);
        let letter = Letter {
            urgency: Urgency::Urgent,
            keep: Keep::UntilAccepted,
            ..letter(&["a", "b"], b"receipt")
        };
        desk.post(&letter);
        let sent = desk.sent();
        desk.accept(sent[0].send);
        desk.fail(sent[1].send, SendFailure::Unreachable);
        assert_eq!(desk.storage.letter_count(), 1, "who took it may lose it");
        if restarts {
            desk.restart();
        }
        desk.pass(MINUTE);
        let again = one(desk.sent());
        assert_eq!(again.locator, sent[1].locator);
        desk.accept(again.send);
        assert_eq!(desk.storage.letter_count(), 0);

        desk.post(&letter);
        let sent = desk.sent();
        desk.accept(sent[1].send);
        desk.fail(sent[0].send, SendFailure::Gone);
        assert_eq!(
            desk.storage.letter_count(),
            0,
            "there is nobody to wait for"
        );

        desk.post(&letter);
        let sent = desk.sent();
        desk.accept(sent[1].send);
        if restarts {
            desk.restart();
        }
        desk.pass(MINUTE * 9);
        assert_eq!(desk.storage.letter_count(), 1);
        desk.pass(MINUTE * 2);
        assert_eq!(desk.storage.letter_count(), 0, "nobody answers there");
    }
}

#[test]
fn a_second_address_is_tried_two_to_four_minutes_later() {
    for seed in 0..20 {
        let mut desk = Desk::new(seed);
        let id = desk.post(&letter(&["a", "b", "c"], b"hello"));
        let sent = one(desk.sent());
        desk.accept(sent.send);
        desk.pass(MINUTE * 2 - Duration::from_millis(1));
        assert!(desk.sent().is_empty(), "too early");
        desk.pass(MINUTE * 2 + Duration::from_millis(1));
        let second = one(desk.sent());
        assert_eq!(second.locator, address("b").locator);
        assert_ne!(second.envelope, sent.envelope, "copies must not be matched");
        desk.settle(id);
        desk.pass(DAY);
        assert!(desk.sent().is_empty(), "settled letters are not sent");
    }
}

#[test]
fn an_urgent_letter_goes_to_all_addresses_at_once() {
    let mut desk = Desk::new(3);
    desk.post(&Letter {
        urgency: Urgency::Urgent,
        ..letter(&["a", "b", "c"], b"now")
    });
    assert_eq!(desk.sent().len(), 3);
}

#[test]
fn a_dead_address_gives_way_to_the_next_and_the_last_ends_the_letter() {
    let mut desk = Desk::new(4);
    let id = desk.post(&letter(&["a", "b"], b"hello"));
    let first = one(desk.sent());
    desk.fail(first.send, SendFailure::Gone);
    let second = one(desk.sent());
    assert_eq!(second.locator, address("b").locator);
    assert!(desk.events().is_empty());
    desk.fail(second.send, SendFailure::Unreadable);
    assert!(matches!(
        desk.events()[..],
        [OfficeEvent::Failed { letter, reason: SendFailure::Unreadable, .. }] if letter == id
    ));
    assert_eq!(desk.storage.letter_count(), 0);
}

#[test]
fn another_server_in_the_way_ends_no_letter() {
    let mut desk = Desk::new(4);
    desk.post(&letter(&["a"], b"hello"));
    let first = one(desk.sent());
    desk.fail(first.send, SendFailure::WrongServer);
    assert!(desk.events().is_empty());
    desk.pass(Duration::from_secs(60));
    let again = one(desk.sent());
    assert_eq!(again.locator, first.locator);
}

#[test]
fn an_unreachable_network_is_tried_again_ever_more_slowly() {
    let mut desk = Desk::new(5);
    desk.post(&letter(&["a"], b"hello"));
    let mut tries = Vec::new();
    for _ in 0..12 {
        let sent = loop {
            match desk.sent().pop() {
                Some(sent) => break sent,
                None => desk.pass(Duration::from_millis(100)),
            }
        };
        tries.push(desk.now);
        desk.fail(sent.send, SendFailure::Unreachable);
    }
    let waits: Vec<Duration> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[0] <= Duration::from_millis(1_100));
    let longest = MINUTE / 4;
    assert!(*waits.last().unwrap() >= longest / 2);
    assert!(waits.iter().all(|wait| *wait <= longest + MINUTE / 60));
}

#[test]
fn what_waits_for_a_server_leaves_as_soon_as_it_serves_and_nothing_else_does() {
    let mut desk = Desk::new(17);
    for place in ["away", "full", "elsewhere"] {
        desk.post(&letter(&[place], b"hello"));
    }
    for sent in desk.sent() {
        let full = sent.locator == address("full").locator;
        let reason = [SendFailure::Unreachable, SendFailure::Full][usize::from(full)];
        desk.fail(sent.send, reason);
    }
    let reachable = || NetworkEvent::Reachable {
        locators: ["away", "full", "unknown"]
            .map(|place| address(place).locator.clone())
            .to_vec(),
    };
    desk.call(|office, cx, storage| {
        office.handle_network(cx, storage, NetworkTag::RELAY, reachable())
    })
    .unwrap();
    assert!(desk.sent().is_empty(), "another network");
    desk.tell(reachable());
    assert_eq!(one(desk.sent()).locator, address("away").locator);
    desk.tell(reachable());
    assert!(desk.sent().is_empty(), "once is enough");
    desk.pass(Duration::from_secs(2));
    let own_time = one(desk.sent());
    assert_eq!(own_time.locator, address("elsewhere").locator);
}

#[test]
fn a_full_mailbox_holds_back_only_its_own_letters_until_a_receipt() {
    let mut desk = Desk::new(6);
    let read = desk.post(&letter(&["full"], b"0"));
    let sent = one(desk.sent());
    desk.accept(sent.send);
    desk.post(&letter(&["full"], b"1"));
    let sent = one(desk.sent());
    desk.fail(sent.send, SendFailure::Full);
    desk.post(&letter(&["full"], b"2"));
    assert!(desk.sent().is_empty(), "held back");
    desk.post(&letter(&["other"], b"3"));
    assert_eq!(one(desk.sent()).locator, address("other").locator);
    // A receipt shows that the mailbox was read: one probe leaves at once.
    desk.settle(read);
    let probe = one(desk.sent());
    assert_eq!(probe.locator, address("full").locator);
    desk.accept(probe.send);
    assert_eq!(desk.sent().len(), 1, "the rest follows a good answer");
}

#[test]
fn what_a_network_let_expire_is_sent_again_until_settled() {
    let mut desk = Desk::new(7);
    let id = desk.post(&letter(&["a"], b"hello"));
    let sent = one(desk.sent());
    desk.accept(sent.send);
    desk.pass(DAY * 21 - MINUTE);
    assert!(desk.sent().is_empty());
    desk.restart();
    desk.pass(MINUTE * 2);
    let again = one(desk.sent());
    desk.accept(again.send);
    desk.pass(DAY * 21);
    assert_eq!(desk.sent().len(), 1);
    desk.settle(id);
    desk.pass(DAY * 42);
    assert!(desk.sent().is_empty());
}

#[test]
fn a_restart_sends_in_order_what_was_not_accepted_and_ignores_old_answers() {
    let mut desk = Desk::new(8);
    let ids: Vec<_> = (0..3_u8)
        .map(|n| desk.post(&letter(&["a"], &[n])))
        .collect();
    let before = desk.sent();
    desk.accept(before[0].send);
    desk.events();
    desk.restart();
    let after = desk.sent();
    assert_eq!(after.len(), 2);
    for old in &before {
        assert!(after.iter().all(|new| new.send != old.send));
        desk.accept(old.send);
    }
    assert!(desk.events().is_empty(), "answers to an earlier run");
    for sent in &after {
        desk.accept(sent.send);
    }
    let accepted: Vec<_> = desk
        .events()
        .into_iter()
        .map(|event| match event {
            OfficeEvent::Accepted { letter, .. } => letter,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(accepted, ids[1..]);
}

#[test]
fn a_network_that_restarts_gets_everything_again() {
    let mut desk = Desk::new(9);
    desk.post(&letter(&["a"], b"1"));
    desk.post(&letter(&["a"], b"2"));
    assert_eq!(desk.sent().len(), 2);
    desk.call(|office, cx, storage| office.network_lost(cx, storage, NetworkTag::RELAY))
        .unwrap();
    assert!(desk.sent().is_empty(), "another network");
    desk.call(|office, cx, storage| office.network_lost(cx, storage, NetworkTag::TOY))
        .unwrap();
    assert_eq!(desk.sent().len(), 2);
}

#[test]
fn while_it_is_held_nothing_leaves_and_then_everything_does() {
    let mut desk = Desk::new(91);
    desk.post(&letter(&["a"], b"taken"));
    let taken = one(desk.sent());
    desk.accept(taken.send);
    desk.events();
    desk.post(&letter(&["a"], b"in the air"));
    let called_back = one(desk.sent());
    desk.call(|office, cx, storage| office.hold(cx, storage, true))
        .unwrap();
    let commands = desk.commands();
    assert!(
        matches!(&commands[..], [(_, NetworkCommand::Cancel { send })] if *send == called_back.send)
    );
    desk.post(&letter(&["a"], b"later"));
    desk.pass(MINUTE * 60 * 24 * 30);
    assert!(desk.sent().is_empty());
    desk.call(|office, cx, storage| office.hold(cx, storage, false))
        .unwrap();
    // What was taken is due again by then, as a network may have let it expire.
    assert_eq!(desk.sent().len(), 3);
}

#[test]
fn what_was_handed_over_in_the_call_that_holds_it_does_not_leave() {
    let mut desk = Desk::new(92);
    desk.call(|office, cx, storage| {
        office.post(cx, storage, &letter(&["a"], b"1")).unwrap();
        office.hold(cx, storage, true)
    })
    .unwrap();
    assert!(desk.sent().is_empty());
}

#[test]
fn a_network_that_never_answers_is_asked_again() {
    let mut desk = Desk::new(10);
    desk.post(&letter(&["a"], b"hello"));
    let lost = one(desk.sent());
    desk.pass(MINUTE * 16);
    let commands = desk.commands();
    assert!(matches!(
        &commands[0].1,
        NetworkCommand::Cancel { send } if *send == lost.send
    ));
    assert!(matches!(&commands[1].1, NetworkCommand::Send { .. }));
}

#[test]
fn a_long_letter_goes_in_parts_and_resumes_near_where_it_was() {
    let mut desk = Desk::new(11);
    let id = desk.post(&letter(&["a"], &vec![1; 1_000_000]));
    let mut sent = desk.sent();
    assert_eq!(sent.len(), 16, "the window bounds memory");
    for _ in 0..40 {
        let next = sent.remove(0);
        desk.accept(next.send);
        sent.extend(desk.sent());
    }
    let record = desk.office.whereabouts(id).unwrap().routes[0];
    assert_eq!((record.accepted_parts, record.parts), (40, 67));
    desk.restart();
    let mut sent = desk.sent();
    let mut parts = 0;
    while let Some(next) = sent.pop() {
        parts += 1;
        desk.accept(next.send);
        sent.extend(desk.sent());
    }
    assert_eq!(parts, 67 - 32, "at most 32 parts are sent again");
    assert!(matches!(
        desk.events().last(),
        Some(OfficeEvent::Accepted { .. })
    ));
}

#[test]
fn cancelling_calls_back_what_is_on_its_way() {
    let mut desk = Desk::new(12);
    let id = desk.post(&letter(&["a"], b"hello"));
    let sent = one(desk.sent());
    desk.call(|office, cx, storage| office.cancel(cx, storage, id))
        .unwrap();
    assert!(matches!(
        desk.commands()[..],
        [(_, NetworkCommand::Cancel { send })] if send == sent.send
    ));
    desk.accept(sent.send);
    assert!(desk.events().is_empty());
}

#[test]
fn it_can_be_told_where_a_letter_is() {
    let mut desk = Desk::new(13);
    let id = desk.post(&letter(&["a", "b"], b"hello"));
    let sent = one(desk.sent());
    let stage = Stage::Sent;
    desk.tell(NetworkEvent::Progress {
        send: sent.send,
        stage,
    });
    assert!(matches!(desk.events()[..], [OfficeEvent::Progress { .. }]));
    let routes = desk.office.whereabouts(id).unwrap().routes;
    assert_eq!(routes[0].stage, Some(Stage::Sent));
    assert_eq!(routes[0].state, RouteState::Sending);
    assert_eq!(routes[1].state, RouteState::Waiting);
    desk.accept(sent.send);
    let whereabouts = desk.office.whereabouts(id).unwrap();
    assert!(whereabouts.accepted.is_some());
    assert!(matches!(
        whereabouts.routes[0].state,
        RouteState::Accepted { .. }
    ));
}

#[test]
fn letters_that_cannot_be_sent_are_refused_before_anything_is_stored() {
    let mut desk = Desk::new(14);
    let mut refused = |letter: Letter| {
        let answer = desk.call(|office, cx, storage| office.post(cx, storage, &letter));
        assert_eq!(desk.storage.letter_count(), 0);
        answer.unwrap_err()
    };
    assert!(matches!(refused(letter(&[], b"")), PostError::NoAddress));
    assert!(matches!(
        refused(letter(&["a"; 17], b"")),
        PostError::TooManyAddresses(17)
    ));
    assert!(matches!(
        refused(letter(&["a"], &vec![0; LONGEST_LETTER + 1])),
        PostError::TooLong { .. }
    ));
    let mut to_stranger = letter(&["a"], &[0; 65_537]);
    to_stranger.to[0].seal = SealKey::FirstContact(Box::new([0; 1216]));
    assert!(matches!(refused(to_stranger), PostError::TooLong { .. }));
}

#[test]
fn an_address_with_a_broken_key_fails_for_good() {
    let mut desk = Desk::new(15);
    let mut broken = letter(&["a"], b"hello");
    // No ML-KEM key: every coefficient is out of range.
    broken.to[0].seal = SealKey::FirstContact(Box::new([0xFF; 1216]));
    desk.post(&broken);
    assert!(matches!(
        desk.events()[..],
        [OfficeEvent::Failed {
            reason: SendFailure::Unreadable,
            ..
        }]
    ));
    assert_eq!(desk.storage.letter_count(), 0);
}
