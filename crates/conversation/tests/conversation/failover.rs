//! A server that fails in any way stops no conversation that has another.

use std::time::Duration;

use hushwing_conversation::view::{Attempt, AttemptStage};
use hushwing_conversation::village::{Conduct, Crash, Home, Village};
use hushwing_conversation::{Command, ContactId, MessageId, MessageState, Reply};
use hushwing_delivery::SendFailure;

use crate::support::*;

const AN_HOUR: Duration = Duration::from_secs(3_600);

/// A couple whose people have a mailbox on each of two servers.
pub(crate) fn with_two_servers(seed: u64) -> Couple {
    let mut c = couple(seed);
    c.village.set_servers(2);
    for home in [c.alice, c.bob] {
        c.village
            .choose(home, |config| config.mailboxes = 2)
            .unwrap();
    }
    c.village.pass(Duration::from_secs(1_500)).unwrap();
    for home in [c.alice, c.bob] {
        assert_eq!(c.village.servers_of(home), [0, 1]);
    }
    c
}

fn state(village: &mut Village, who: (Home, ContactId), id: MessageId) -> MessageState {
    let views = read(village, who.0, who.1);
    views.into_iter().find(|view| view.id == id).unwrap().state
}

fn attempts(village: &mut Village, home: Home, message: MessageId) -> Vec<Attempt> {
    match ask(village, home, Command::Where { message }) {
        Reply::Where(place) => place.attempts,
        other => panic!("{other:?}"),
    }
}

const HOSTILE: [Conduct; 7] = [
    Conduct::Dead,
    Conduct::Refusing(SendFailure::WrongServer),
    Conduct::Refusing(SendFailure::Full),
    Conduct::Dropping,
    Conduct::Slow(Duration::from_secs(1_800)),
    Conduct::Replaying,
    Conduct::Reordering,
];

#[test]
fn no_server_alone_stops_or_corrupts_a_conversation() {
    for (kind, conduct) in HOSTILE.into_iter().enumerate() {
        for server in [0, 1] {
            let mut c = with_two_servers(420);
            let pairs = [(c.alice, c.her_bob), (c.bob, c.his_alice)];
            // What lies there already is caught with it.
            send(&mut c.village, c.alice, c.her_bob, "the last before");
            c.village.set_conduct(server, conduct);
            for n in 0..12 {
                for (home, contact) in pairs {
                    send(&mut c.village, home, contact, &n.to_string());
                }
                c.village.pass(Duration::from_secs(40)).unwrap();
            }
            // What confirmed the last ones may have been dropped with it.
            c.village.pass(AN_HOUR * 2).unwrap();
            let hers = texts(&mut c.village, c.alice, c.her_bob);
            assert_eq!(hers.len(), 25, "{conduct:?} {server}: {hers:?}");
            let his = texts(&mut c.village, c.bob, c.his_alice);
            assert_eq!(hers, his, "{conduct:?} {server}");
            for (home, contact) in pairs {
                let views = read(&mut c.village, home, contact);
                let lacking = views.iter().filter(|v| v.state < MessageState::Delivered);
                assert_eq!(lacking.count(), 0, "{kind} {conduct:?} {server}");
                let events = c.village.events(home);
                assert_eq!(dropped(&events), 0, "{conduct:?} {server}");
            }
        }
    }
}

#[test]
fn where_tells_which_address_failed_and_which_one_took_it() {
    let mut c = with_two_servers(421);
    let id = send(&mut c.village, c.alice, c.her_bob, "straight");
    c.village.pass(Duration::from_secs(30)).unwrap();
    assert_eq!(attempts(&mut c.village, c.alice, id), [], "nothing to tell");

    for server in [0, 1] {
        let mut c = with_two_servers(421);
        c.village.set_conduct(server, Conduct::Dead);
        let id = send(&mut c.village, c.alice, c.her_bob, "round about");
        c.village.rest().unwrap();
        let under_way = attempts(&mut c.village, c.alice, id);
        assert_eq!(under_way.len(), 2);
        c.village.pass(Duration::from_secs(60)).unwrap();
        let who = (c.alice, c.her_bob);
        assert_eq!(
            state(&mut c.village, who, id),
            MessageState::Delivered,
            "{server}"
        );
        if under_way[0].stage == AttemptStage::Trying {
            let kept = attempts(&mut c.village, c.alice, id);
            assert_eq!(kept[0].address, Some(1));
            assert_eq!(kept[0].problem, Some(SendFailure::Unreachable));
            assert_eq!(kept[1].address, Some(2));
            assert_eq!(kept[1].stage, AttemptStage::Accepted);
            assert!(kept[1].accepted.is_some() && kept[1].begun.is_some());
        }
    }
}

#[test]
fn a_server_that_drops_is_found_out_tried_again_and_forgiven() {
    for server in [0, 1] {
        let mut c = with_two_servers(422);
        let who = (c.alice, c.her_bob);
        c.village.set_conduct(server, Conduct::Dropping);
        // Bob's own letters go by Alice's addresses; only hers are learnt here.
        let mut arrives = false;
        for n in 0..12 {
            let text = format!("learning {n}");
            send(&mut c.village, c.alice, c.her_bob, &text);
            c.village.rest().unwrap();
            arrives = texts(&mut c.village, c.bob, c.his_alice).contains(&text);
            c.village.pass(Duration::from_secs(600)).unwrap();
            if arrives {
                break;
            }
        }
        assert!(arrives, "{server}");
        // The first doubt lasts an hour.
        for n in 0..3 {
            let id = send(&mut c.village, c.alice, c.her_bob, &format!("learnt {n}"));
            c.village.rest().unwrap();
            let his = texts(&mut c.village, c.bob, c.his_alice);
            assert!(his.contains(&format!("learnt {n}")), "{server} {n}");
            c.village.pass(Duration::from_secs(400)).unwrap();
            assert!(state(&mut c.village, who, id) >= MessageState::Delivered);
        }
        // Over a restart, too.
        c.village.open_again(c.alice).unwrap();
        send(&mut c.village, c.alice, c.her_bob, "remembered");
        c.village.rest().unwrap();
        let his = texts(&mut c.village, c.bob, c.his_alice);
        assert!(his.contains(&"remembered".to_owned()), "{server}");

        c.village.set_conduct(server, Conduct::Fair);
        c.village.pass(AN_HOUR * 30).unwrap();
        c.village.set_conduct(1 - server, Conduct::Dead);
        send(&mut c.village, c.alice, c.her_bob, "forgiven");
        c.village.pass(Duration::from_secs(60)).unwrap();
        let his = texts(&mut c.village, c.bob, c.his_alice);
        assert!(his.contains(&"forgiven".to_owned()), "{server}");
    }
}

#[test]
fn in_parallel_no_single_server_costs_any_time() {
    for conduct in [Conduct::Dead, Conduct::Dropping] {
        for server in [0, 1] {
            let mut c = with_two_servers(423);
            c.village
                .choose(c.alice, |config| config.in_parallel = true)
                .unwrap();
            c.village.set_conduct(server, conduct);
            for n in 0..3 {
                send(&mut c.village, c.alice, c.her_bob, &n.to_string());
            }
            c.village.rest().unwrap();
            let his = texts(&mut c.village, c.bob, c.his_alice);
            assert_eq!(his, ["0", "1", "2"], "{conduct:?} {server}");
        }
    }
}

/// A server dies while both write, with a crash of `whom` at their `at`th call.
fn death(whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut c = with_two_servers(424);
    let homes = [c.alice, c.bob];
    let pairs = [(c.alice, c.her_bob), (c.bob, c.his_alice)];
    let before = homes.map(|home| c.village.calls(home));
    c.village.crash_in(homes[whom], at, crash);
    c.village.set_conduct(0, Conduct::Dead);
    for (home, contact) in pairs {
        let text = "said".to_owned();
        let send = Command::Send {
            contact,
            text,
            reply_to: None,
        };
        let said = c.village.ask(home, send.clone()).unwrap().is_some();
        if !said && texts(&mut c.village, home, contact).len() < 2 {
            let mine = read(&mut c.village, home, contact);
            if !mine
                .iter()
                .any(|v| v.from == hushwing_conversation::view::Speaker::Me)
            {
                c.village.ask(home, send).unwrap();
            }
        }
    }
    c.village.pass(Duration::from_secs(600)).unwrap();
    let after = homes.map(|home| c.village.calls(home));
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers, ["said", "said"], "{whom} {at} {crash:?}");
    assert_eq!(hers, texts(&mut c.village, c.bob, c.his_alice));
    [0, 1].map(|who| after[who] - before[who])
}

#[test]
fn a_crash_at_any_step_of_a_detour_loses_nothing() {
    let calls = death(0, u64::MAX, Crash::BeforeCommit);
    for whom in [0, 1] {
        for at in 1..=calls[whom] {
            if at > 12 && at % 4 != 0 {
                continue;
            }
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                death(whom, at, crash);
            }
        }
    }
}
