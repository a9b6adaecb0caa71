//! By which address a letter goes, where some do not work.

use std::time::Duration;

use crate::desk::{DAY, Desk, MINUTE, Sent, address, letter};
use hushwing_delivery::{Letter, LetterId, OfficeEvent, RouteState, SendFailure};

const AN_HOUR: Duration = Duration::from_secs(3_600);

fn places(sent: &[Sent]) -> Vec<Vec<u8>> {
    sent.iter().map(|sent| sent.locator.0.clone()).collect()
}

/// A letter to "a" and "b" with "r" as its last resort.
fn with_last_resort(desk: &mut Desk) -> LetterId {
    desk.post(&Letter {
        last_resort: vec![address("r")],
        ..letter(&["a", "b"], b"hello")
    })
}

#[test]
fn a_refusal_brings_the_next_address_within_seconds() {
    for reason in [
        SendFailure::Unreachable,
        SendFailure::Full,
        SendFailure::WrongServer,
    ] {
        let mut desk = Desk::new(50);
        // The second waits behind the first, in the same lane.
        for _ in 0..20 {
            desk.post(&letter(&["a", "b"], b"hello"));
        }
        let first = desk.sent();
        assert_eq!(first.len(), 16, "a window");
        for sent in first {
            desk.fail(sent.send, reason);
        }
        desk.pass(Duration::from_secs(1) - Duration::from_millis(1));
        assert!(
            !places(&desk.sent()).contains(&b"b".to_vec()),
            "not at once"
        );
        desk.pass(Duration::from_secs(6));
        let by_b = places(&desk.sent());
        let by_b = by_b.iter().filter(|place| *place == b"b").count();
        assert_eq!(by_b, 16, "{reason:?}: as many as a window takes");
    }
}

#[test]
fn a_new_letter_begins_where_nothing_failed_last() {
    let mut desk = Desk::new(51);
    desk.post(&letter(&["a", "b"], b"one"));
    let first = desk.sent().pop().unwrap();
    desk.fail(first.send, SendFailure::Unreachable);
    desk.post(&letter(&["a", "b"], b"two"));
    assert_eq!(places(&desk.sent()), [b"b"]);
    desk.pass(MINUTE);
    let again = desk
        .sent()
        .into_iter()
        .rev()
        .find(|sent| sent.locator.0 == b"a");
    desk.accept(again.expect("it is tried again").send);
    desk.post(&letter(&["a", "b"], b"three"));
    let last = places(&desk.sent());
    assert_eq!(last.last().unwrap(), b"a", "and is first again: {last:?}");
}

#[test]
fn the_last_resort_waits_a_day_for_any_other_address() {
    let mut desk = Desk::new(52);
    let id = with_last_resort(&mut desk);
    let mut used_at = None;
    while used_at.is_none() && desk.now < DAY * 2 {
        for sent in desk.sent() {
            if sent.locator.0 == b"r" {
                used_at = Some(desk.now);
                desk.accept(sent.send);
            } else {
                desk.fail(sent.send, SendFailure::Unreachable);
            }
        }
        desk.pass(MINUTE);
    }
    let used_at = used_at.expect("it is used");
    assert!(used_at >= DAY && used_at < DAY + AN_HOUR * 3, "{used_at:?}");
    let routes = desk.office.routes(id);
    assert!(matches!(routes[2].1.state, RouteState::Accepted { .. }));
}

#[test]
fn the_last_resort_is_not_used_for_who_is_merely_away() {
    let mut desk = Desk::new(53);
    with_last_resort(&mut desk);
    for _ in 0..60 {
        for sent in desk.sent() {
            assert_ne!(sent.locator.0, b"r");
            desk.accept(sent.send);
        }
        desk.pass(DAY);
    }
}

#[test]
fn the_last_resort_is_used_at_once_when_all_else_is_gone_also_after_a_restart() {
    for restart in [false, true] {
        let mut desk = Desk::new(54);
        with_last_resort(&mut desk);
        for place in [b"a", b"b"] {
            let sent = desk.sent().pop().unwrap();
            assert_eq!(&sent.locator.0, place);
            if restart {
                desk.restart();
                let sent = desk.sent().pop().unwrap();
                desk.fail(sent.send, SendFailure::Gone);
            } else {
                desk.fail(sent.send, SendFailure::Gone);
            }
        }
        assert!(desk.events().is_empty(), "there is hope");
        let last = desk.sent().pop().unwrap();
        assert_eq!(last.locator.0, b"r");
        desk.fail(last.send, SendFailure::Gone);
        let events = desk.events();
        assert!(
            matches!(&events[..], [OfficeEvent::Failed { tried, .. }] if tried.len() == 3),
            "{events:?}"
        );
    }
}
