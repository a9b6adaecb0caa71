//! Old backups that are put back.

use std::time::Duration;

use hushwing_conversation::storage::EraRecord;
use hushwing_conversation::village::{Conduct, Crash, Home, Village, Weather};
use hushwing_conversation::{
    ChangeKind, Command, ContactId, Event, MemoryStorage, MessageState, MlsRows, Refusal, Standing,
    Storage,
};

use crate::support::*;

const AN_HOUR: Duration = Duration::from_secs(3_600);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

/// A couple with mailboxes on two of three servers and a last resort on the
/// third, all replaced weekly, who said something.
pub(crate) fn rotating(seed: u64) -> Couple {
    let mut c = on_three_servers(seed);
    for home in [c.alice, c.bob] {
        let rotate = c.village.choose(home, |config| config.rotates = true);
        rotate.unwrap();
    }
    c.village.pass(A_DAY).unwrap();
    send(&mut c.village, c.alice, c.her_bob, "before, hers");
    send(&mut c.village, c.bob, c.his_alice, "before, his");
    c.village.pass(A_DAY).unwrap();
    c
}

fn backup(village: &mut Village, home: Home) -> MemoryStorage {
    village.storage(home).unwrap().clone()
}

fn standing(village: &mut Village, home: Home) -> Standing {
    contacts(village, home)[0].standing
}

/// Both say something; both have it, once, in one order, and know that it came.
fn both_talk(c: &mut Couple, word: &str) {
    send(&mut c.village, c.alice, c.her_bob, &format!("{word}, hers"));
    send(&mut c.village, c.bob, c.his_alice, &format!("{word}, his"));
    c.village.pass(AN_HOUR).unwrap();
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        let views = read(&mut c.village, home, contact);
        for who in ["hers", "his"] {
            let said = format!("{word}, {who}");
            let count = views.iter().filter(|view| view.text == said).count();
            assert_eq!(count, 1, "{said}");
        }
        let last = &views[views.len() - 2..];
        assert!(
            last.iter()
                .all(|view| view.state >= MessageState::Delivered)
        );
    }
}

/// With one server there is no other for the last resort, and it still is one.
#[test]
fn with_one_server_a_backup_from_before_all_mailboxes_were_replaced_loses_nobody() {
    let mut c = couple(5_110);
    for home in [c.alice, c.bob] {
        let chosen = c.village.choose(home, |config| config.recovery = true);
        chosen.unwrap();
    }
    c.village.pass(AN_HOUR).unwrap();
    both_talk(&mut c, "before");
    let old = backup(&mut c.village, c.alice);
    let contact = c.his_alice;
    ask(&mut c.village, c.bob, Command::Rotate { contact });
    c.village.pass(AN_HOUR).unwrap();
    both_talk(&mut c, "since");
    c.village.pass(A_DAY * 3).unwrap();
    for word in ["after", "after it once more"] {
        c.village.restore(c.alice, old.clone()).unwrap();
        c.village.pass(A_DAY).unwrap();
        both_talk(&mut c, word);
    }
}

#[test]
fn a_backup_of_a_month_and_a_thousand_messages_ago_loses_nobody() {
    let mut c = rotating(900);
    let old = backup(&mut c.village, c.bob);
    let (days, each) = (30, 17);
    for day in 0..days {
        for n in 0..each {
            send(
                &mut c.village,
                c.alice,
                c.her_bob,
                &format!("hers {day} {n}"),
            );
            send(
                &mut c.village,
                c.bob,
                c.his_alice,
                &format!("his {day} {n}"),
            );
        }
        c.village.pass(A_DAY).unwrap();
    }
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers.len(), 2 + 2 * days * each);
    c.village.restore(c.bob, old).unwrap();
    assert_eq!(standing(&mut c.village, c.bob), Standing::Restoring);
    c.village.pass(A_DAY * 3).unwrap();
    assert_eq!(standing(&mut c.village, c.bob), Standing::Established);
    // What she said meanwhile came again; what he said is with her.
    let his = texts(&mut c.village, c.bob, c.his_alice);
    let of_her = |texts: &[String]| {
        let hers = texts.iter().filter(|text| text.contains("hers"));
        hers.cloned().collect::<Vec<_>>()
    };
    assert_eq!(of_her(&his), of_her(&hers));
    assert_eq!(
        texts(&mut c.village, c.alice, c.her_bob),
        hers,
        "nothing twice"
    );
    both_talk(&mut c, "after");
    assert_eq!(c.village.losses(c.bob), 0);
}

#[test]
fn both_may_restore() {
    for seed in 910..914 {
        let mut c = rotating(seed);
        let old = [
            backup(&mut c.village, c.alice),
            backup(&mut c.village, c.bob),
        ];
        for n in 0..5 {
            send(&mut c.village, c.alice, c.her_bob, &n.to_string());
            c.village.pass(A_DAY).unwrap();
        }
        let [hers, his] = old;
        c.village.restore(c.bob, his).unwrap();
        c.village.restore(c.alice, hers).unwrap();
        c.village.pass(A_DAY * 3).unwrap();
        both_talk(&mut c, "after");
    }
}

#[test]
fn one_restores_often() {
    let mut c = rotating(920);
    let old = backup(&mut c.village, c.bob);
    for n in 0..4 {
        c.village.restore(c.bob, old.clone()).unwrap();
        c.village.pass(A_DAY * 3).unwrap();
        both_talk(&mut c, &n.to_string());
    }
    let newest = backup(&mut c.village, c.bob);
    c.village.pass(A_DAY * 3).unwrap();
    c.village.restore(c.bob, newest).unwrap();
    c.village.pass(A_DAY * 3).unwrap();
    both_talk(&mut c, "at last");
}

#[test]
fn two_restorations_within_a_minute_lead_to_the_last() {
    let mut c = rotating(1_290);
    let old = backup(&mut c.village, c.alice);
    for _ in 0..2 {
        c.village.restore(c.alice, old.clone()).unwrap();
        c.village.pass(Duration::from_secs(10)).unwrap();
    }
    c.village.pass(Duration::from_secs(120)).unwrap();
    assert_eq!(standing(&mut c.village, c.alice), Standing::Established);
    both_talk(&mut c, "since then");
}

#[test]
fn nothing_is_encrypted_with_what_the_backup_knew() {
    let mut c = rotating(930);
    let old = backup(&mut c.village, c.bob);
    c.village.cut_off(c.alice);
    c.village.restore(c.bob, old).unwrap();
    let rows = |village: &mut Village| {
        let storage = village.storage(c.bob).unwrap();
        let group = storage.contacts().unwrap()[0].conversation;
        storage
            .mls_scope(&[&[16], group.0.as_slice()].concat())
            .unwrap()
    };
    let before = rows(&mut c.village);
    assert!(!before.is_empty(), "the group is found");
    let command = Command::Send {
        contact: c.his_alice,
        text: "anybody?".into(),
        reply_to: None,
    };
    let refused = refusal(&mut c.village, c.bob, command);
    assert_eq!(refused, Refusal::Restoring);
    c.village.pass(A_DAY * 2).unwrap();
    assert_eq!(standing(&mut c.village, c.bob), Standing::Restoring);
    assert!(rows(&mut c.village) == before, "no ratchet moved");
}

#[test]
fn what_was_on_its_way_then_is_said_in_the_new_group() {
    let mut c = rotating(940);
    let servers = c.village.servers_of(c.alice);
    for server in &servers {
        let conduct = Conduct::Dead;
        c.village.set_conduct(*server, conduct);
    }
    send(&mut c.village, c.bob, c.his_alice, "still here");
    let old = backup(&mut c.village, c.bob);
    c.village.restore(c.bob, old).unwrap();
    for server in servers {
        let conduct = Conduct::Fair;
        c.village.set_conduct(server, conduct);
    }
    c.village.pass(A_DAY * 3).unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    assert_eq!(hers.iter().filter(|text| *text == "still here").count(), 1);
    let his = read(&mut c.village, c.bob, c.his_alice);
    assert!(his.iter().all(|view| view.state >= MessageState::Delivered));
}

#[test]
fn the_other_side_is_told_and_keeps_the_verification() {
    let mut c = rotating(950);
    let number = number(&mut c.village, c.alice, c.her_bob);
    let command = Command::Verify {
        contact: c.her_bob,
        number: number.clone(),
    };
    ask(&mut c.village, c.alice, command);
    let old = backup(&mut c.village, c.bob);
    c.village.events(c.alice);
    c.village.restore(c.bob, old).unwrap();
    c.village.pass(A_DAY).unwrap();
    let told = c.village.events(c.alice);
    let restored = told.iter().filter(|event| {
        matches!(event, Event::IdentityChanged { change, .. } if change.kind == ChangeKind::Restored)
    });
    assert_eq!(restored.count(), 1);
    assert!(contacts(&mut c.village, c.alice)[0].verified);
    assert_eq!(
        super::support::number(&mut c.village, c.bob, c.his_alice),
        number
    );
}

#[test]
fn a_blocked_contact_is_not_answered_until_unblocked() {
    let mut c = rotating(960);
    let old = backup(&mut c.village, c.bob);
    let block = |village: &mut Village, on| {
        let conversation = conversation(village, c.alice, c.her_bob);
        let change = hushwing_conversation::Change::Blocked(on);
        ask(
            village,
            c.alice,
            Command::Keep {
                conversation,
                change,
            },
        );
    };
    block(&mut c.village, true);
    c.village.restore(c.bob, old).unwrap();
    c.village.pass(A_DAY * 3).unwrap();
    assert_eq!(standing(&mut c.village, c.bob), Standing::Restoring);
    block(&mut c.village, false);
    c.village.pass(A_DAY * 8).unwrap();
    both_talk(&mut c, "after");
}

#[test]
fn a_crash_anywhere_on_the_way_changes_nothing() {
    // Each call in a campaign; in between every third, each time others.
    let stride = if std::env::var_os("HUSHWING_SOAK").is_some() {
        1
    } else {
        3
    };
    for (begin, crash) in [(1, Crash::BeforeCommit), (2, Crash::AfterCommit)] {
        for whom in 0..2 {
            let mut at = begin;
            loop {
                let mut c = couple(970);
                let old = backup(&mut c.village, c.bob);
                send(&mut c.village, c.alice, c.her_bob, "between");
                c.village.pass(AN_HOUR).unwrap();
                c.village.restore(c.bob, old).unwrap();
                let home = [c.alice, c.bob][whom];
                c.village.crash_in(home, at, crash);
                c.village.pass(AN_HOUR * 2).unwrap();
                let over = c.village.will_crash(home);
                assert_eq!(
                    standing(&mut c.village, c.bob),
                    Standing::Established,
                    "{at}"
                );
                let his = texts(&mut c.village, c.bob, c.his_alice);
                assert_eq!(his, ["between"], "{crash:?} of {whom} at {at}");
                if over {
                    // The story is told in fewer calls.
                    break;
                }
                both_talk(&mut c, "after");
                at += stride;
            }
        }
    }
}

#[test]
fn bad_weather_only_delays_it() {
    for seed in 980..984 {
        let mut c = couple(seed);
        let old = backup(&mut c.village, c.bob);
        for n in 0..10 {
            send(&mut c.village, c.alice, c.her_bob, &n.to_string());
        }
        c.village.pass(AN_HOUR).unwrap();
        c.village.set_weather(Weather {
            loss: 60,
            repeat: 60,
            reorder: 60,
        });
        c.village.restore(c.bob, old).unwrap();
        c.village.pass(A_DAY).unwrap();
        both_talk(&mut c, "after");
        assert_eq!(texts(&mut c.village, c.bob, c.his_alice).len(), 12);
    }
}

#[test]
fn an_old_ask_that_a_server_brings_again_begins_nothing() {
    let mut c = couple(990);
    let old = backup(&mut c.village, c.bob);
    c.village.overhear();
    c.village.restore(c.bob, old).unwrap();
    c.village.pass(A_DAY).unwrap();
    let overheard = c.village.overhear();
    both_talk(&mut c, "after");
    let era = |village: &mut Village, home: Home, contact: ContactId| {
        EraRecord::of(village.storage(home).unwrap(), contact)
            .unwrap()
            .group
    };
    let present = era(&mut c.village, c.alice, c.her_bob);
    assert!(present.is_some());
    // Beyond the time for which repeats are remembered.
    c.village.pass(A_DAY * 60).unwrap();
    for (locator, envelope) in overheard {
        c.village.slip_in(&locator, envelope);
    }
    c.village.pass(A_DAY).unwrap();
    assert_eq!(era(&mut c.village, c.alice, c.her_bob), present);
    assert_eq!(era(&mut c.village, c.bob, c.his_alice), present);
    both_talk(&mut c, "still");
}

#[test]
fn a_backup_made_while_it_waited_is_no_worse() {
    let mut c = rotating(1000);
    let old = backup(&mut c.village, c.bob);
    for server in 0..3 {
        c.village.set_conduct(server, Conduct::Dead);
    }
    c.village.restore(c.bob, old).unwrap();
    c.village.pass(AN_HOUR).unwrap();
    let asking = backup(&mut c.village, c.bob);
    for server in 0..3 {
        c.village.set_conduct(server, Conduct::Fair);
    }
    c.village.pass(A_DAY * 3).unwrap();
    both_talk(&mut c, "after");
    c.village.restore(c.bob, asking).unwrap();
    c.village.pass(A_DAY * 3).unwrap();
    both_talk(&mut c, "again");
}

#[test]
fn what_came_late_to_the_lost_device_comes_again() {
    let mut c = rotating(1010);
    c.village.swallow(c.alice, 3);
    for n in 0..3 {
        send(&mut c.village, c.alice, c.her_bob, &format!("late {n}"));
    }
    for n in 0..6 {
        send(&mut c.village, c.bob, c.his_alice, &format!("his {n}"));
    }
    c.village.rest().unwrap();
    let old = backup(&mut c.village, c.bob);
    c.village.pass(A_DAY * 2).unwrap();
    let late = |village: &mut Village| {
        let texts = texts(village, c.bob, c.his_alice);
        texts.iter().filter(|text| text.starts_with("late")).count()
    };
    assert_eq!(late(&mut c.village), 3, "said again to the lost device");
    c.village.restore(c.bob, old).unwrap();
    assert_eq!(late(&mut c.village), 0, "the backup has none of them");
    c.village.pass(A_DAY * 3).unwrap();
    assert_eq!(late(&mut c.village), 3);
    both_talk(&mut c, "after");
}
