//! A conversation has the mailboxes it is to have, whatever its servers do.

use std::time::Duration;

use hushwing_conversation::storage::{MailRecord, MailboxState, Role};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{Command, ContactId, Standing, Storage as _};

use crate::blocked::block;
use crate::support::*;

const A_MINUTE: Duration = Duration::from_secs(60);
const AN_HOUR: Duration = Duration::from_secs(3_600);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

/// The roles of somebody's open mailboxes for a contact.
fn roles(village: &mut Village, home: Home, contact: ContactId) -> Vec<Role> {
    let storage = village.storage(home).unwrap();
    let mail = MailRecord::of(storage, contact).unwrap();
    let records = storage.mailbox_records().unwrap();
    let open = records
        .into_iter()
        .filter(|record| record.state == MailboxState::Open);
    open.map(|record| mail.role(record.id)).collect()
}

fn choose(c: &mut Couple, mailboxes: usize, recovery: bool) {
    for home in [c.alice, c.bob] {
        c.village
            .choose(home, |config| {
                config.mailboxes = mailboxes;
                config.recovery = recovery;
            })
            .unwrap();
    }
    c.village.pass(AN_HOUR).unwrap();
}

#[test]
fn a_conversation_does_not_stay_without_a_mailbox_in_service() {
    for recovery in [true, false] {
        let mut c = couple(910);
        c.village.set_servers(2);
        choose(&mut c, 1, recovery);
        let last = roles(&mut c.village, c.alice, c.her_bob);
        assert_eq!(last.contains(&Role::Recovery), recovery);
        // The one in service is lost, and none is made in its place.
        let service = c.village.servers_of(c.alice);
        let mail = MailRecord::of(c.village.storage(c.alice).unwrap(), c.her_bob).unwrap();
        let kept = mail.mailboxes.iter();
        let kept: Vec<_> = kept
            .filter(|note| note.role == Role::Recovery)
            .filter_map(|note| {
                let mailbox = hushwing_delivery::MailboxId(note.id);
                c.village.server_of(c.alice, mailbox)
            })
            .collect();
        assert!(service.len() > kept.len());
        c.village.lose_mailboxes_but(c.alice, &kept);
        c.village.refuse_mailboxes(true);
        c.village.open_again(c.alice).unwrap();
        c.village.pass(AN_HOUR * 3).unwrap();
        let without = roles(&mut c.village, c.alice, c.her_bob);
        assert!(!without.contains(&Role::Service));
        c.village.refuse_mailboxes(false);
        c.village.pass(AN_HOUR * 2).unwrap();
        let with = roles(&mut c.village, c.alice, c.her_bob);
        assert!(with.contains(&Role::Service), "{recovery} {with:?}");
        send(&mut c.village, c.bob, c.his_alice, "found you");
        c.village.pass(AN_HOUR).unwrap();
        let hers = texts(&mut c.village, c.alice, c.her_bob);
        assert_eq!(hers, ["found you"], "{recovery}");
    }
}

#[test]
fn a_mailbox_is_not_closed_before_what_came_meanwhile_was_fetched() {
    let mut c = couple(911);
    // This program has been running for long.
    c.village.pass(AN_HOUR * 5).unwrap();
    let contact = c.her_bob;
    ask(&mut c.village, c.alice, Command::Rotate { contact });
    c.village.pass(AN_HOUR).unwrap();
    let leaving = |role: &Role| matches!(role, Role::Leaving { since: Some(_) });
    assert!(roles(&mut c.village, c.alice, contact).iter().any(leaving));
    // Two days pass for the calendar while the machine sleeps.
    c.village.set_clocks_ahead(A_DAY * 2);
    c.village.pass(A_MINUTE * 30).unwrap();
    assert!(roles(&mut c.village, c.alice, contact).iter().any(leaving));
    c.village.pass(AN_HOUR * 2).unwrap();
    assert_eq!(roles(&mut c.village, c.alice, contact), [Role::Service]);
}

#[test]
fn conversations_that_cannot_have_more_keep_no_other_from_it() {
    let mut c = couple(912);
    // Mallory's many come first; all of them break.
    let mut pairs = vec![(c.her_bob, c.his_alice)];
    for _ in 0..18 {
        let link = invite(&mut c.village, c.alice, false).link;
        let his = join(&mut c.village, c.bob, &link).contact;
        c.village.rest().unwrap();
        let hers = contacts(&mut c.village, c.alice).into_iter();
        pairs.push((hers.map(|view| view.contact).max().unwrap(), his));
    }
    let (last, others) = pairs.split_last().unwrap();
    for (hers, his) in others {
        let broken = conversation(&mut c.village, c.alice, *hers);
        c.village.storage(c.alice).unwrap().spoil_group(broken);
        c.village.open_again(c.alice).unwrap();
        send(&mut c.village, c.bob, *his, "break");
        c.village.rest().unwrap();
    }
    let known = contacts(&mut c.village, c.alice);
    let broken = known
        .iter()
        .filter(|view| view.standing == Standing::Broken);
    assert_eq!(broken.count(), 18);
    c.village.set_servers(2);
    c.village
        .choose(c.alice, |config| config.mailboxes = 2)
        .unwrap();
    c.village.pass(AN_HOUR).unwrap();
    let open = roles(&mut c.village, c.alice, last.0);
    assert_eq!(open.len() - 18, 2, "{open:?}");
}

#[test]
fn what_could_not_move_when_a_server_was_given_up_moves_later() {
    let mut c = couple(913);
    block(&mut c.village, c.alice, c.her_bob, true);
    c.village.set_servers(2);
    c.village.close_server(0);
    c.village.pass(A_DAY * 2).unwrap();
    assert_eq!(c.village.servers_of(c.alice), [0], "nobody could be told");
    block(&mut c.village, c.alice, c.her_bob, false);
    c.village.pass(A_DAY * 3).unwrap();
    assert_eq!(c.village.servers_of(c.alice), [1]);
    send(&mut c.village, c.bob, c.his_alice, "there you are");
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), ["there you are"]);
}

#[test]
fn without_a_server_for_the_last_resort_there_is_none() {
    let mut c = couple(914);
    c.village.set_servers(2);
    choose(&mut c, 1, true);
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        assert!(roles(&mut c.village, home, contact).contains(&Role::Recovery));
    }
    choose(&mut c, 1, false);
    c.village.pass(A_DAY * 3).unwrap();
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        assert_eq!(roles(&mut c.village, home, contact), [Role::Service]);
        let told = MailRecord::of(c.village.storage(home).unwrap(), contact);
        assert!(told.unwrap().recovery.is_empty(), "the other side knows");
    }
    send(&mut c.village, c.bob, c.his_alice, "as ever");
    c.village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), ["as ever"]);
}
