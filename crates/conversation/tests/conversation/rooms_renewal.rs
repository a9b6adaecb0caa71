//! Everybody in a group renews their keys, each in their own time.

use std::collections::BTreeSet;

use hushwing_conversation::branches::{PolicyChange, Told, Wish};
use hushwing_conversation::storage::RoomRenewalRecord;
use hushwing_conversation::village::Crash;
use hushwing_conversation::{Command, Config, GroupSize};
use hushwing_sansio::Timestamp;

use crate::rooms::{Circle, acquaintances, acquaintances_of};
use crate::rooms_shadow::Shadow;

/// What the wall clock of a village shows at first.
const START: u64 = 1_767_225_600;
const A_DAY: u64 = 24 * 3_600;

/// A group of people whose keys are renewed in time, who were all added together.
fn crowd(seed: u64, count: usize) -> Circle {
    let names: Vec<String> = (0..count).map(|number| format!("N{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut c = acquaintances(seed, &names);
    for home in c.homes.clone() {
        c.village
            .choose(home, |config| config.renews = true)
            .unwrap();
    }
    c.found();
    for who in 1..count {
        let (room, contact) = (c.rooms[0], c.hers[who - 1]);
        c.ask(0, Command::OfferRoom { room, contact });
    }
    c.pass(20);
    for who in 1..count {
        c.accept(who);
    }
    c.pass(40);
    c
}

/// The epochs in which the leaves committed last, as somebody follows the group, and
/// the epoch it is in.
fn renewed(c: &mut Circle, who: usize) -> (Vec<Option<u64>>, u64) {
    let mut shadow = Shadow::of(c, who);
    let members = shadow.act(|keeper, lent| keeper.members(lent).unwrap());
    let epochs = members.iter().map(|member| member.renewed_at);
    (epochs.collect(), shadow.keeper.epoch())
}

fn drawn(c: &mut Circle, who: usize) -> Option<RoomRenewalRecord> {
    let room = c.rooms[who];
    RoomRenewalRecord::of(c.village.storage(c.homes[who]).unwrap(), room).unwrap()
}

#[test]
fn those_who_were_added_together_renew_their_keys_apart_and_again_after_a_week() {
    const COUNT: usize = 7;
    let mut c = crowd(2_810, COUNT);
    let (first, came) = renewed(&mut c, 1);
    assert_eq!(
        first.iter().flatten().count(),
        1,
        "the founder's: {first:?}"
    );
    c.pass(600);
    let dues = (1..COUNT).map(|who| drawn(&mut c, who).expect("a time").due);
    let dues: BTreeSet<_> = dues.collect();
    assert_eq!(dues.len(), COUNT - 1);
    // A quarter of an hour for each, and who came close behind another tries later.
    c.pass(COUNT as u64 * 15 * 60 + 3 * 3_600);
    let (all, epoch) = renewed(&mut c, 1);
    let epochs: BTreeSet<_> = all.iter().flatten().collect();
    assert_eq!(epochs.len(), COUNT, "{all:?}");
    assert_eq!(
        epoch,
        came + (COUNT as u64 - 1),
        "one commit of each newcomer"
    );
    c.say(3, "all here");
    c.pass(60);
    for who in 0..COUNT {
        assert_eq!(c.texts(who), ["all here"], "{who}");
        assert_eq!(c.view(who).changing, 0);
    }
    c.pass(4 * A_DAY);
    assert_eq!(
        renewed(&mut c, 2),
        (all.clone(), epoch),
        "not before five days"
    );
    c.pass(8 * A_DAY);
    let (again, _) = renewed(&mut c, 2);
    let newer = all.iter().zip(&again).filter(|(then, now)| then < now);
    assert_eq!(newer.count(), COUNT, "{all:?} {again:?}");
    c.agree(&(0..COUNT).collect::<Vec<_>>());
}

/// Whoever of these is due first, and when that is.
fn first_due(c: &mut Circle, of: core::ops::Range<usize>) -> (usize, RoomRenewalRecord) {
    let all = of.map(|who| (who, drawn(c, who).expect("a time")));
    let all: Vec<_> = all.collect();
    let first = all.into_iter().min_by_key(|(_, record)| record.due);
    first.unwrap()
}

fn pass_until(c: &mut Circle, at: Timestamp) {
    let now = Timestamp::from_secs(START) + c.village.time();
    c.pass(at.since(now).as_secs());
}

#[test]
fn a_crash_when_keys_are_renewed_renews_them_once_and_a_restart_draws_nothing_anew() {
    let (mut before_it, mut after_it) = (0, 0);
    for (kind, crash) in [Crash::BeforeCommit, Crash::AfterCommit]
        .into_iter()
        .enumerate()
    {
        // The letter to oneself, what comes back, and what follows from the commit.
        for call in 1..=6 {
            let mut c = crowd(2_820 + kind as u64, 3);
            c.pass(600);
            let (who, record) = first_due(&mut c, 1..3);
            assert_eq!(record.renewed_at, None);
            c.village.open_again(c.homes[who]).unwrap();
            assert_eq!(drawn(&mut c, who), Some(record.clone()));
            pass_until(&mut c, record.due);
            let made = renewed(&mut c, who).1;
            c.village.crash_in(c.homes[who], call, crash);
            while c.village.will_crash(c.homes[who]) && c.village.step().unwrap().is_some() {}
            match Shadow::of(&mut c, who).keeper.commits() {
                0..=1 if made == renewed(&mut c, who).1 => before_it += 1,
                _ => after_it += 1,
            }
            c.pass(5 * 3_600);
            let (all, epoch) = renewed(&mut c, 0);
            assert_eq!(all.iter().flatten().count(), 3, "{call} {crash:?}");
            assert_eq!(
                epoch,
                made + 2,
                "{call} {crash:?}: one commit of each newcomer"
            );
        }
    }
    assert!(before_it > 0 && after_it > 0, "{before_it} {after_it}");
}

#[test]
fn who_was_away_while_others_renewed_their_keys_undoes_none_of_them() {
    // The founder's commits are preferred to those of others, and the lowest leaf's.
    const COUNT: usize = 7;
    let mut c = crowd(2_850, COUNT);
    c.pass(600);
    c.village.set_asleep(c.homes[0], true);
    // Its mailbox is full before the first commit.
    for number in 0..130 {
        c.say(1 + number % 6, &number.to_string());
        c.pass(2);
    }
    assert_eq!(c.village.waiting_for(c.homes[0]), 128);
    c.pass(14 * A_DAY);
    let (before, epoch) = renewed(&mut c, 1);
    assert!(epoch > 8, "{epoch}: more than the founder can go back");
    let due = drawn(&mut c, 0).unwrap().due;
    assert!(due < Timestamp::from_secs(START) + c.village.time());
    c.village.set_asleep(c.homes[0], false);
    c.pass(1);
    assert_eq!(renewed(&mut c, 1).1, epoch, "not at once");
    c.pass(12 * 3_600);
    let (after, _) = renewed(&mut c, 1);
    assert!(before[0] < after[0], "the founder's too, in the end");
    for (then, now) in before.iter().zip(&after).skip(1) {
        assert!(then <= now, "{before:?} {after:?}");
    }
    let all: Vec<_> = (0..COUNT).collect();
    c.agree(&all);
    c.say(0, "back");
    c.pass(60);
    for who in all {
        let texts = c.texts(who);
        assert_eq!((texts.len(), texts.last().unwrap().as_str()), (131, "back"));
    }
}

#[test]
fn who_has_no_network_commits_to_nothing_before_it_is_back_and_has_read() {
    let mut c = crowd(2_840, 4);
    c.pass(600);
    let (who, record) = first_due(&mut c, 1..4);
    let known = renewed(&mut c, who).1;
    c.village.set_offline(c.homes[who], true);
    pass_until(&mut c, record.due);
    c.pass(2 * 3_600);
    let shadow = Shadow::of(&mut c, who);
    assert_eq!(
        (shadow.keeper.is_busy(), shadow.keeper.epoch()),
        (false, known)
    );
    let (others, epoch) = renewed(&mut c, 0);
    assert_eq!(others.iter().flatten().count(), 3);
    c.village.set_offline(c.homes[who], false);
    c.pass(12 * 3_600);
    let (all, after) = renewed(&mut c, 0);
    assert_eq!(all.iter().flatten().count(), 4);
    assert_eq!(after, epoch + 1, "{others:?} {all:?}");
    c.agree(&[0, 1, 2, 3]);
}

#[test]
fn who_was_without_a_network_for_hours_minds_other_letters_as_before() {
    let mut c = crowd(2_860, 3);
    c.pass(600);
    let (who, record) = first_due(&mut c, 1..3);
    // Four tries fail, and the next is some six hours after the first.
    c.village.set_offline(c.homes[who], true);
    pass_until(&mut c, record.due);
    c.pass(4 * 3_600);
    c.village.set_offline(c.homes[who], false);
    let talk = |c: &mut Circle, hours: u64| {
        for minutes in 0..hours * 15 {
            c.say(0, &minutes.to_string());
            c.pass(4 * 60);
        }
    };
    talk(&mut c, 3);
    assert_eq!(drawn(&mut c, who), Some(record.clone()), "one answer");
    // Nor do others hold it up without end.
    talk(&mut c, 5);
    let next = drawn(&mut c, who).unwrap();
    assert!(
        next.due > record.due && next.renewed_at.is_some(),
        "{next:?}"
    );
}

#[test]
fn what_somebody_wants_goes_before_new_keys() {
    let mut c = crowd(2_830, 3);
    let renew = |shadow: &mut Shadow| shadow.act(|keeper, lent| keeper.renew(lent).unwrap());
    // What is wanted has to wait for others' commits.
    let mut member = Shadow::of(&mut c, 1);
    member.commit(Wish::Refresh);
    let told = member.act(|keeper, lent| keeper.wish(lent, Wish::Refresh).unwrap());
    assert!(told.unwrap().1.is_empty());
    assert!(!member.keeper.is_busy());
    assert_eq!(renew(&mut member), None);
    let mut steward = Shadow::of(&mut c, 0);
    let policy = PolicyChange {
        name: Some("Sailing".to_owned()),
        ..PolicyChange::default()
    };
    let told = steward.act(|keeper, lent| keeper.wish(lent, Wish::Policy(policy)).unwrap());
    assert!(told.is_ok());
    assert_eq!(renew(&mut steward), None, "a commit is under way");
    let mut other = Shadow::of(&mut c, 0);
    let told = renew(&mut other).expect("a commit");
    assert!(matches!(told[..], [Told::Publish { .. }]), "{told:?}");
    assert_eq!(other.keeper.pending().count(), 0, "made once");
    assert_eq!(renew(&mut other), None);
}

#[test]
fn who_is_no_steward_keeps_the_distance_and_who_is_alone_renews_nothing() {
    let mut c = crowd(2_830, 3);
    let mut member = Shadow::of(&mut c, 1);
    let leaf = |shadow: &mut Shadow| {
        let leaf = shadow.act(|keeper, lent| keeper.own_leaf(lent).unwrap());
        leaf.expect("a member")
    };
    assert_eq!(leaf(&mut member).renewed_at, None);
    assert!(leaf(&mut member).may_renew);
    member.commit(Wish::Refresh);
    assert!(leaf(&mut member).renewed_at.is_some());
    assert!(
        !leaf(&mut member).may_renew,
        "three accounts, one epoch later"
    );
    let mut steward = Shadow::of(&mut c, 0);
    assert!(leaf(&mut steward).may_renew);
    let mut alone = acquaintances(2_831, &["Alice"]);
    alone
        .village
        .choose(alone.homes[0], |config| config.renews = true)
        .unwrap();
    alone.found();
    alone.pass(1_200);
    assert_eq!(drawn(&mut alone, 0), None);
}

#[test]
fn in_a_wide_group_nobody_renews_keys_by_themselves() {
    for (narrow, renews) in [(3, true), (2, false)] {
        let size = GroupSize { narrow, most: 12 };
        let mut c = acquaintances_of(2_870, &["Alice", "Bob", "Carol"], size);
        for home in c.homes.clone() {
            let choose = |config: &mut Config| config.renews = true;
            c.village.choose(home, choose).unwrap();
        }
        c.found();
        c.add(1);
        c.add(2);
        c.pass(6 * 3_600);
        let (all, _) = renewed(&mut c, 0);
        assert_eq!(all.iter().all(Option::is_some), renews, "{narrow}: {all:?}");
        assert_eq!(drawn(&mut c, 1).is_some(), renews);
    }
}
