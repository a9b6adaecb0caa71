//! Old backups that both put back, or one while old letters are brought again;
//! and what of a backup cannot go on.

use std::time::Duration;

use hushwing_conversation::storage::EraRecord;
use hushwing_conversation::village::{Conduct, Home, Village, Weather};
use hushwing_conversation::{
    BreakReason, Command, ContactId, ConversationId, DropReason, EndReason, Event, MemoryStorage,
    MessageState, MlsRows, Refusal, Reply, Standing, Storage,
};
use hushwing_delivery::{Envelope, Locator};

use crate::hostile::drops;
use crate::intruder::{Intruder, honest_config};
use crate::restored::rotating;
use crate::support::*;

const AN_HOUR: Duration = Duration::from_secs(3_600);
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

fn backup(village: &mut Village, home: Home) -> MemoryStorage {
    village.storage(home).unwrap().clone()
}

/// The group both are in.
fn common_group(c: &mut Couple) -> [u8; 16] {
    let mut group = |home, contact| {
        let storage = c.village.storage(home).unwrap();
        EraRecord::of(storage, contact).unwrap().group.unwrap()
    };
    let (hers, his) = (group(c.alice, c.her_bob), group(c.bob, c.his_alice));
    assert_eq!(hers, his);
    hers
}

fn both_talk(c: &mut Couple, word: &str) {
    let hers = send(&mut c.village, c.alice, c.her_bob, &format!("{word}, hers"));
    let his = send(&mut c.village, c.bob, c.his_alice, &format!("{word}, his"));
    c.village.pass(AN_HOUR).unwrap();
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        let views = read(&mut c.village, home, contact);
        for id in [hers, his] {
            let said: Vec<_> = views.iter().filter(|view| view.id == id).collect();
            assert_eq!(said.len(), 1, "{word} at {home:?}");
            assert!(said[0].state >= MessageState::Delivered, "{word}");
        }
    }
    common_group(c);
}

/// Bob put a backup back after Alice made hers; what he sent then.
fn one_restored(seed: u64) -> (Couple, MemoryStorage, Vec<(Locator, Envelope)>) {
    let mut c = rotating(seed);
    let hers = backup(&mut c.village, c.alice);
    let his = backup(&mut c.village, c.bob);
    c.village.pass(A_DAY).unwrap();
    c.village.overhear();
    c.village.restore(c.bob, his).unwrap();
    c.village.pass(A_DAY).unwrap();
    let asks = c.village.overhear();
    both_talk(&mut c, "once");
    c.village.pass(A_DAY).unwrap();
    (c, hers, asks)
}

// Whose key is higher is chance: among so many couples there are both.
#[test]
fn an_old_ask_brought_to_who_restored_later_parts_nobody() {
    for seed in 1_103..1_109 {
        let (mut c, hers, asks) = one_restored(seed);
        c.village.restore(c.alice, hers).unwrap();
        for (locator, envelope) in asks {
            c.village.slip_in(&locator, envelope);
        }
        c.village.pass(A_DAY).unwrap();
        both_talk(&mut c, "after");
    }
}

#[test]
fn what_they_asked_before_my_backup_was_put_back_is_old_once_they_answered() {
    for seed in 1_110..1_114 {
        let (mut c, hers, asks) = one_restored(seed);
        c.village.restore(c.alice, hers).unwrap();
        c.village.pass(A_DAY).unwrap();
        both_talk(&mut c, "after");
        let group = common_group(&mut c);
        for (locator, envelope) in asks {
            c.village.slip_in(&locator, envelope);
        }
        c.village.pass(A_DAY).unwrap();
        assert_eq!(common_group(&mut c), group);
        both_talk(&mut c, "still");
    }
}

#[test]
fn both_may_restore_in_bad_weather() {
    for seed in 1_120..1_128 {
        let mut c = couple(seed);
        let old = [
            backup(&mut c.village, c.alice),
            backup(&mut c.village, c.bob),
        ];
        both_talk_first(&mut c);
        c.village.set_weather(Weather {
            loss: 60,
            repeat: 60,
            reorder: 120,
        });
        let [hers, his] = old;
        c.village.restore(c.bob, his).unwrap();
        c.village.restore(c.alice, hers).unwrap();
        c.village.pass(A_DAY).unwrap();
        both_talk(&mut c, "after");
    }
}

fn both_talk_first(c: &mut Couple) {
    send(&mut c.village, c.alice, c.her_bob, "hers");
    send(&mut c.village, c.bob, c.his_alice, "his");
    c.village.pass(AN_HOUR).unwrap();
}

/// Rows of the group that the conversation had first, at Alice.
fn first_rows(c: &mut Couple) -> usize {
    let first = conversation(&mut c.village, c.alice, c.her_bob);
    rows_of(c, first)
}

fn rows_of(c: &mut Couple, group: ConversationId) -> usize {
    let storage = c.village.storage(c.alice).unwrap();
    let scope = [&[16], group.0.as_slice()].concat();
    storage.mls_scope(&scope).unwrap().len()
}

#[test]
fn what_the_lost_device_said_is_read_for_a_day_and_its_keys_are_wiped_then() {
    let mut c = couple(1_130);
    let old = backup(&mut c.village, c.bob);
    both_talk_first(&mut c);
    c.village.set_conduct(0, Conduct::Slow(AN_HOUR * 12));
    for n in 0..3 {
        let text = format!("last words {n}");
        send(&mut c.village, c.bob, c.his_alice, &text);
    }
    c.village.rest().unwrap();
    c.village.set_conduct(0, Conduct::Fair);
    c.village.restore(c.bob, old).unwrap();
    c.village.pass(AN_HOUR).unwrap();
    both_talk(&mut c, "after");
    assert!(first_rows(&mut c) > 0);
    c.village.pass(AN_HOUR * 12).unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    let last = hers.iter().filter(|text| text.starts_with("last words"));
    assert_eq!(last.count(), 3);
    both_talk(&mut c, "still");
    c.village.pass(A_DAY).unwrap();
    assert_eq!(first_rows(&mut c), 0);
}

#[test]
fn where_the_lost_device_is_to_be_reached_is_not_taken_any_more() {
    let mut c = couple(1_140);
    let old = backup(&mut c.village, c.bob);
    c.village.set_conduct(0, Conduct::Slow(AN_HOUR));
    c.village
        .choose(c.bob, |config| config.rotates = true)
        .unwrap();
    let rotate = Command::Rotate {
        contact: c.his_alice,
    };
    ask(&mut c.village, c.bob, rotate);
    c.village.rest().unwrap();
    c.village.set_conduct(0, Conduct::Fair);
    c.village.restore(c.bob, old).unwrap();
    c.village.pass(AN_HOUR * 2).unwrap();
    both_talk(&mut c, "after");
}

#[test]
fn what_was_left_is_forgotten_with_the_contact() {
    let mut c = couple(1_150);
    let old = backup(&mut c.village, c.bob);
    c.village.restore(c.bob, old).unwrap();
    c.village.pass(AN_HOUR).unwrap();
    let first = conversation(&mut c.village, c.alice, c.her_bob);
    assert!(rows_of(&mut c, first) > 0);
    let contact = c.her_bob;
    ask(&mut c.village, c.alice, Command::Forget { contact });
    assert_eq!(rows_of(&mut c, first), 0);
}

#[test]
fn who_had_not_answered_yet_is_told_as_broken_with_what_did_not_leave() {
    let mut w = waiting(1_160);
    w.village.cut_off(w.alice);
    let said = send(&mut w.village, w.bob, w.his_alice, "are you there?");
    let old = backup(&mut w.village, w.bob);
    w.village.events(w.bob);
    w.village.restore(w.bob, old).unwrap();
    w.village.pass(AN_HOUR).unwrap();
    let told = w.village.events(w.bob);
    let contact = w.his_alice;
    let reason = BreakReason::Restored;
    assert!(
        told.contains(&Event::Broken { contact, reason }),
        "{told:?}"
    );
    let failed = told.iter().any(|event| {
        matches!(event, Event::State { message, state: MessageState::Failed, .. } if *message == said)
    });
    assert!(failed, "{told:?}");
    let known = contacts(&mut w.village, w.bob);
    assert_eq!(known[0].standing, Standing::Broken);
    // The same link can be opened once more.
    join(&mut w.village, w.bob, &w.link);
}

#[test]
fn an_undecided_request_is_gone_and_not_a_broken_contact() {
    let mut w = waiting(1_170);
    let old = backup(&mut w.village, w.alice);
    w.village.events(w.alice);
    w.village.restore(w.alice, old).unwrap();
    w.village.pass(AN_HOUR).unwrap();
    let told = w.village.events(w.alice);
    let contact = w.her_bob;
    assert!(told.contains(&Event::RequestLapsed { contact }), "{told:?}");
    assert!(requests(&mut w.village, w.alice).is_empty());
    assert!(contacts(&mut w.village, w.alice).is_empty());
}

#[test]
fn a_commit_of_the_backup_is_not_kept() {
    let mut c = couple(1_180);
    send(&mut c.village, c.alice, c.her_bob, "something");
    c.village.pass(A_DAY).unwrap();
    let commit = |storage: &MemoryStorage, contact: ContactId| {
        storage.setting(&format!("commit {}", contact.0)).unwrap()
    };
    let mut made = None;
    for (home, contact, other) in [(c.alice, c.her_bob, c.bob), (c.bob, c.his_alice, c.alice)] {
        c.village.cut_off(other);
        send(&mut c.village, home, contact, "nobody hears");
        c.village.pass(A_DAY * 2).unwrap();
        let old = backup(&mut c.village, home);
        if commit(&old, contact).is_some() {
            c.village.restore(home, old).unwrap();
            c.village.rest().unwrap();
            made = Some(commit(c.village.storage(home).unwrap(), contact));
            break;
        }
    }
    assert_eq!(made, Some(None));
}

#[test]
fn one_time_links_of_a_backup_are_shown_as_ended() {
    let mut c = couple(1_190);
    let link = invite(&mut c.village, c.alice, false);
    let old = backup(&mut c.village, c.alice);
    c.village.events(c.alice);
    c.village.restore(c.alice, old).unwrap();
    c.village.rest().unwrap();
    let (invitation, reason) = (link.invitation, EndReason::Restored);
    let ended = Event::InvitationEnded { invitation, reason };
    assert!(c.village.events(c.alice).contains(&ended));
    let Reply::Invitations(shown) = ask(&mut c.village, c.alice, Command::Invitations) else {
        panic!("another reply")
    };
    let shown: Vec<_> = shown
        .iter()
        .map(|one| (one.invitation, one.ended))
        .collect();
    assert_eq!(shown, [(invitation, Some(reason))]);
    // Whoever opens it learns it at once.
    let carol = c.village.move_in("Carol", DELAY).unwrap();
    let open = Command::Join {
        link: link.link.clone(),
    };
    assert_eq!(refusal(&mut c.village, carol, open), Refusal::LinkUsed);
    ask(&mut c.village, c.alice, Command::Withdraw { invitation });
    let left = ask(&mut c.village, c.alice, Command::Invitations);
    assert_eq!(left, Reply::Invitations(Vec::new()));
}

#[test]
fn a_reusable_link_of_a_backup_works_and_who_used_it_since_is_not_welcomed_twice() {
    let mut village = village(1_200);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let old = backup(&mut village, alice);
    village.overhear();
    join(&mut village, bob, &link);
    village.rest().unwrap();
    let request = village.overhear();
    assert_eq!(requests(&mut village, alice).len(), 1);
    village.restore(alice, old).unwrap();
    village.pass(AN_HOUR).unwrap();
    village.events(alice);
    for (locator, envelope) in request {
        village.slip_in(&locator, envelope);
    }
    village.rest().unwrap();
    assert!(drops(&mut village, alice).contains(&DropReason::JoinRequest));
    assert!(requests(&mut village, alice).is_empty());
    let carol = village.move_in("Carol", DELAY).unwrap();
    let known = join(&mut village, carol, &link).contact;
    village.rest().unwrap();
    let contact = requests(&mut village, alice)[0].contact;
    ask(&mut village, alice, Command::Accept { contact });
    village.pass(AN_HOUR).unwrap();
    send(&mut village, carol, known, "by the old link");
    village.pass(AN_HOUR).unwrap();
    assert_eq!(texts(&mut village, alice, contact), ["by the old link"]);
}

#[test]
fn a_join_request_cannot_name_a_group_that_is_known() {
    let mut c = couple(1_210);
    let old = backup(&mut c.village, c.bob);
    c.village.restore(c.bob, old).unwrap();
    c.village.pass(A_DAY * 2).unwrap();
    both_talk(&mut c, "after");
    let first = conversation(&mut c.village, c.alice, c.her_bob);
    let present = common_group(&mut c);
    assert_eq!(first_rows(&mut c), 0);
    let mut mallory = Intruder::new();
    for name in [first.0, present] {
        let link = invite(&mut c.village, c.alice, false).link;
        let (alice, to) = Intruder::read_card(&c.village, &link);
        mallory.to = Some(to);
        let group = mallory.create(&name, &honest_config());
        let request = mallory.ask(group, &[alice]);
        c.village.events(c.alice);
        mallory.post_letter(&mut c.village, request);
        let dropped = drops(&mut c.village, c.alice);
        assert_eq!(dropped, [DropReason::KnownConversation]);
        assert_eq!(contacts(&mut c.village, c.alice).len(), 1);
    }
    both_talk(&mut c, "still");
}

#[test]
fn no_backup_of_an_established_conversation_holds_other_keys_than_the_present_ones() {
    for who in 0..2 {
        let mut at = 0;
        loop {
            let (mut w, mut copies) = accepted();
            let home = [w.alice, w.bob][who];
            let Some(copy) = copies[who].drain(..).nth(at) else {
                break;
            };
            w.village.restore(home, copy).unwrap();
            w.village.pass(AN_HOUR * 2).unwrap();
            let (alice, bob) = (w.alice, w.bob);
            let now = contacts(&mut w.village, home)[0].standing;
            assert_eq!(now, Standing::Established, "copy {at} of {who}");
            let hers = number(&mut w.village, alice, w.her_bob);
            assert_eq!(hers, number(&mut w.village, bob, w.his_alice));
            at += 1;
        }
        assert!(at > 3, "{at} copies of {who}");
    }
}

/// Alice accepted Bob, who used a reusable link; and all that either ever had in
/// storage while the other was established for them.
fn accepted() -> (Waiting, [Vec<MemoryStorage>; 2]) {
    let mut w = waiting(1_220);
    let homes = [w.alice, w.bob];
    for home in homes {
        w.village.remember(home);
    }
    let contact = w.her_bob;
    ask(&mut w.village, w.alice, Command::Accept { contact });
    w.village.pass(AN_HOUR).unwrap();
    let copies = homes.map(|home| {
        let mut copies = w.village.remembered(home);
        copies.retain(|copy| copy.contacts().unwrap()[0].standing == Standing::Established);
        copies
    });
    (w, copies)
}

#[test]
fn numbers_that_a_network_knows_are_not_given_again() {
    let mut c = couple(1_230);
    let mut old = backup(&mut c.village, c.bob);
    hushwing_conversation::restored(&mut old, 500).unwrap();
    assert_eq!(old.next_number().unwrap(), 501);
    let mut old = backup(&mut c.village, c.bob);
    let next = old.clone().next_number().unwrap();
    hushwing_conversation::restored(&mut old, 0).unwrap();
    assert_eq!(old.next_number().unwrap(), next);
}
