//! Everybody in a group renews their keys, each in their own time.

use std::collections::BTreeSet;

use hushwing_conversation::Command;
use hushwing_conversation::branches::Wish;
use hushwing_conversation::storage::RoomRenewalRecord;
use hushwing_conversation::village::Crash;

use hushwing_sansio::Timestamp;

use crate::rooms::{Circle, acquaintances};
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
            .choose(home, |config| config.rotates = true)
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
    // A quarter of an hour for each, and the sweep that draws.
    c.pass(COUNT as u64 * 15 * 60 + 600);
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

#[test]
fn a_crash_when_keys_are_renewed_renews_them_once_and_a_restart_draws_nothing_anew() {
    for (number, crash) in [Crash::BeforeCommit, Crash::AfterCommit]
        .into_iter()
        .enumerate()
    {
        let mut c = crowd(2_820 + number as u64, 3);
        c.pass(600);
        let (_, before) = renewed(&mut c, 0);
        let (mine, hers) = (drawn(&mut c, 1).unwrap(), drawn(&mut c, 2).unwrap());
        let (who, record) = if mine.due < hers.due {
            (1, mine)
        } else {
            (2, hers)
        };
        if record.renewed_at.is_some() {
            panic!("already: {record:?}");
        }
        c.village.open_again(c.homes[who]).unwrap();
        assert_eq!(drawn(&mut c, who), Some(record.clone()));
        let now = Timestamp::from_secs(START) + c.village.time();
        c.pass(record.due.since(now).as_secs().saturating_sub(2));
        c.village.open_again(c.homes[who]).unwrap();
        c.village.crash_in(c.homes[who], 2, crash);
        c.pass(120);
        assert!(!c.village.will_crash(c.homes[who]));
        assert_eq!(drawn(&mut c, who).map(|one| one.leaf), Some(record.leaf));
        let (_, after) = renewed(&mut c, 0);
        assert_eq!(after, before + 1, "{crash:?}");
    }
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
        .choose(alone.homes[0], |config| config.rotates = true)
        .unwrap();
    alone.found();
    alone.pass(1_200);
    assert_eq!(drawn(&mut alone, 0), None);
}

#[test]
fn who_has_no_network_when_keys_are_due_renews_them_once_when_it_is_back() {
    let mut c = crowd(2_840, 4);
    c.pass(600);
    let (_, before) = renewed(&mut c, 0);
    let who = (1..4).max_by_key(|who| drawn(&mut c, *who).unwrap().due);
    let who = who.unwrap();
    c.village.set_offline(c.homes[who], true);
    c.pass(2 * 3_600);
    let mut shadow = Shadow::of(&mut c, who);
    assert_eq!(shadow.keeper.pending().count(), 1, "wanted once");
    c.village.set_offline(c.homes[who], false);
    c.pass(1_200);
    let (all, epoch) = renewed(&mut c, 0);
    assert_eq!(all.iter().flatten().count(), 4);
    assert!(
        epoch <= before + 3,
        "no more than one each: {before} {epoch}"
    );
    shadow = Shadow::of(&mut c, who);
    assert_eq!(shadow.keeper.pending().count(), 0);
    c.agree(&[0, 1, 2, 3]);
}
