//! Addresses of last resort, and servers that are given up.

use std::time::Duration;

use hushwing_conversation::storage::{MailRecord, Role};
use hushwing_conversation::village::{Conduct, Home, Village};
use hushwing_conversation::{ContactId, MessageState};
use hushwing_delivery::MailboxId;

use crate::support::*;

const AN_HOUR: Duration = Duration::from_secs(3_600);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

/// A couple whose mailboxes, and the last resort, are open on the three servers.
fn with_three_servers(seed: u64) -> Couple {
    let mut c = on_three_servers(seed);
    c.village.pass(AN_HOUR).unwrap();
    for home in [c.alice, c.bob] {
        assert_eq!(c.village.servers_of(home), [0, 1, 2]);
    }
    c
}

/// The server of somebody's mailboxes of one role.
fn servers(village: &mut Village, home: Home, contact: ContactId, role: Role) -> Vec<usize> {
    let mail = MailRecord::of(village.storage(home).unwrap(), contact).unwrap();
    let storage = village.storage(home).unwrap();
    let all = hushwing_conversation::Storage::mailbox_records(storage).unwrap();
    let mut ids: Vec<u64> = all.into_iter().map(|record| record.id).collect();
    ids.retain(|id| mail.role(*id) == role);
    let of = |id: &u64| village.server_of(home, MailboxId(*id));
    ids.iter().filter_map(of).collect()
}

#[test]
fn the_last_resort_is_used_when_all_else_failed_for_a_day_and_not_before() {
    let mut c = with_three_servers(440);
    let last = servers(&mut c.village, c.bob, c.his_alice, Role::Recovery);
    assert_eq!(last.len(), 1);
    for server in (0..3).filter(|server| !last.contains(server)) {
        c.village.set_conduct(server, Conduct::Dead);
    }
    send(&mut c.village, c.alice, c.her_bob, "anybody?");
    c.village.pass(AN_HOUR * 23).unwrap();
    assert!(texts(&mut c.village, c.bob, c.his_alice).is_empty());
    c.village.pass(AN_HOUR * 4).unwrap();
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice), ["anybody?"]);
    // His receipt may have to take the same way.
    c.village.pass(A_DAY * 2).unwrap();
    let views = read(&mut c.village, c.alice, c.her_bob);
    assert!(views[0].state >= MessageState::Delivered);
}

#[test]
fn the_last_resort_is_used_at_once_when_all_else_is_gone() {
    let mut c = with_three_servers(441);
    let last = servers(&mut c.village, c.bob, c.his_alice, Role::Recovery);
    c.village.lose_mailboxes_but(c.bob, &last);
    send(&mut c.village, c.alice, c.her_bob, "anybody?");
    c.village.rest().unwrap();
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice), ["anybody?"]);
}

#[test]
fn the_last_resort_carries_nothing_while_others_do_and_is_not_rotated() {
    let mut c = with_three_servers(442);
    for home in [c.alice, c.bob] {
        c.village
            .choose(home, |config| config.rotates = true)
            .unwrap();
    }
    let last = [(c.alice, c.her_bob), (c.bob, c.his_alice)]
        .map(|(home, contact)| servers(&mut c.village, home, contact, Role::Recovery));
    c.village.watch_servers();
    for day in 0..30 {
        send(&mut c.village, c.alice, c.her_bob, &day.to_string());
        send(&mut c.village, c.bob, c.his_alice, &day.to_string());
        c.village.pass(A_DAY).unwrap();
    }
    for (home, last) in [c.alice, c.bob].into_iter().zip(last) {
        assert_eq!(c.village.carried(home, last[0]), 0);
    }
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob).len(), 60);
}

#[test]
fn a_server_that_is_given_up_is_left_by_all_mailboxes() {
    for (count, seed) in [(2, 443), (3, 444)] {
        let mut c = couple(seed);
        c.village.set_servers(count);
        for home in [c.alice, c.bob] {
            c.village
                .choose(home, |config| config.mailboxes = 2)
                .unwrap();
        }
        c.village.pass(AN_HOUR).unwrap();
        c.village.close_server(0);
        for home in [c.alice, c.bob] {
            let left = count - 1;
            c.village
                .choose(home, |config| config.mailboxes = left.min(2))
                .unwrap();
        }
        for n in 0..6 {
            send(&mut c.village, c.alice, c.her_bob, &n.to_string());
            send(&mut c.village, c.bob, c.his_alice, &n.to_string());
            c.village.pass(AN_HOUR * 8).unwrap();
        }
        for home in [c.alice, c.bob] {
            let now = c.village.servers_of(home);
            assert!(!now.contains(&0), "{count}: {now:?}");
            assert_eq!(now.len(), (count - 1).min(2), "{count}: {now:?}");
        }
        let hers = texts(&mut c.village, c.alice, c.her_bob);
        assert_eq!(hers.len(), 12);
        assert_eq!(hers, texts(&mut c.village, c.bob, c.his_alice));
    }
}

/// Her only server dies for good; she takes another and gives the dead one up.
#[test]
fn a_dead_server_is_replaced_live() {
    let mut c = couple(445);
    c.village.set_servers(2);
    let hers = c.village.servers_of(c.alice);
    let dead = hers[0];
    let his = c.village.servers_of(c.bob);
    assert_eq!(his, hers, "both began with one server");
    // Bob has a second one, so Alice can tell him.
    c.village
        .choose(c.bob, |config| config.mailboxes = 2)
        .unwrap();
    c.village.pass(AN_HOUR).unwrap();
    c.village.set_conduct(dead, Conduct::Dead);
    for n in 0..3 {
        send(&mut c.village, c.bob, c.his_alice, &n.to_string());
    }
    c.village.pass(AN_HOUR).unwrap();
    assert!(texts(&mut c.village, c.alice, c.her_bob).is_empty());
    c.village.close_server(dead);
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), ["0", "1", "2"]);
    let views = read(&mut c.village, c.bob, c.his_alice);
    assert!(views.iter().all(|v| v.state >= MessageState::Delivered));
}
