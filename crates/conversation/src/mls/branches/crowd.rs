//! What one account can do by making many commits: nothing to the others.

use super::records::Standing;
use super::tests::raw_chain;
use super::trials::{descending, hear, imagine};
use super::village::{GROUP, Leaf, Village, soak};
use super::{CommitHash, HearFault, Keeper, StateName, Told, Wish};
use crate::fork_choice::Class;

fn tick(leaf: &mut Leaf) -> Vec<Told> {
    leaf.with(|keeper, lent| keeper.tick(lent)).unwrap()
}

fn commits(leaf: &Leaf) -> usize {
    leaf.keeper.as_ref().unwrap().commits()
}

fn followed(leaf: &Leaf) -> StateName {
    leaf.keeper.as_ref().unwrap().followed()
}

fn epoch(leaf: &Leaf) -> u64 {
    leaf.keeper.as_ref().unwrap().epoch()
}

/// The commit of a removal by leaf `by`, which nobody else hears of.
fn removal(village: &mut Village, by: usize, of: u8) -> Vec<u8> {
    let wish = Wish::Remove(super::village::account(of));
    let out = village.leaves[by].wish(wish);
    super::village::commit_in(out)
}

#[test]
fn refreshes_in_an_order_in_which_each_is_better_are_not_followed_one_by_one() {
    let mut village = Village::found(40, &[1, 2, 3], 2);
    let many = if soak() { 240 } else { 24 };
    let commit = removal(&mut village, 0, 3);
    let (leaf, others) = village.leaves.split_at_mut(2);
    let (leaf, member) = (&mut leaf[1], &mut others[0]);
    let flood = descending(member, leaf, many);
    let before = commits(leaf);
    let mut states = vec![followed(leaf)];
    for refresh in &flood {
        hear(leaf, refresh).unwrap();
        leaf.now += 1_000;
        leaf.say(1);
        states.push(followed(leaf));
    }
    states.dedup();
    assert_eq!(states.len(), 1 + 4, "states followed");
    assert_eq!(commits(leaf), before + 4 + 1);
    // And the last of them, which is the best, when its time has come.
    leaf.now += 30 * 60_000;
    tick(leaf);
    let last = CommitHash::of(flood.last().unwrap());
    let child = leaf.keeper.as_ref().unwrap().commits[&last].child;
    assert_eq!(followed(leaf), StateName(child));
    assert!(hear(leaf, &commit).is_ok());
    assert_ne!(followed(leaf), StateName(child));
}

#[test]
fn a_steward_who_commits_without_end_outruns_no_removal() {
    let mut village = Village::found(41, &[1, 2, 3], 2);
    let commit = removal(&mut village, 0, 2);
    let chain = raw_chain(&mut village.leaves[1], 8);
    let leaf = &mut village.leaves[2];
    // Longer ago than commits wait for each other.
    leaf.now += 10 * 60_000;
    let before = epoch(leaf);
    for refresh in &chain {
        assert!(hear(leaf, refresh).is_ok());
        leaf.now += 1_000;
    }
    assert_eq!(epoch(leaf), before + 5);
    assert!(hear(leaf, &commit).is_ok());
    assert_eq!(epoch(leaf), before + 1);
    let members = leaf.with(|keeper, lent| keeper.members(lent)).unwrap();
    assert_eq!(members.len(), 2);
}

#[test]
fn a_commit_that_waits_takes_part_when_it_is_due_and_a_restart_makes_it_wait_no_longer() {
    let mut village = Village::found(42, &[1, 2, 3], 2);
    let chain = raw_chain(&mut village.leaves[1], 7);
    let leaf = &mut village.leaves[2];
    leaf.now += 10 * 60_000;
    let before = epoch(leaf);
    for refresh in &chain {
        assert!(hear(leaf, refresh).is_ok());
    }
    let due = leaf.keeper.as_ref().unwrap().poll_timeout().unwrap();
    assert_eq!(
        due.since_origin().as_millis(),
        u128::from(leaf.now) + 120_000
    );
    leaf.now += 119_999;
    leaf.keeper = leaf.lend(|lent, _| Keeper::open(lent, GROUP)).unwrap();
    assert_eq!(tick(leaf), []);
    assert_eq!(epoch(leaf), before + 5);
    leaf.now += 1;
    let due = leaf.keeper.as_ref().unwrap().poll_timeout().unwrap();
    assert_eq!(due.since_origin().as_millis(), u128::from(leaf.now));
    assert!(matches!(tick(leaf)[..], [Told::Followed { .. }, ..]));
    assert_eq!(epoch(leaf), before + 7);
    assert_eq!(leaf.keeper.as_ref().unwrap().poll_timeout(), None);
}

#[test]
fn what_is_said_in_a_state_that_waits_is_read_and_brings_it_in_for_nobody() {
    let mut village = Village::found(43, &[1, 2, 3], 2);
    let chain = raw_chain(&mut village.leaves[1], 6);
    let leaf = &mut village.leaves[2];
    leaf.now += 10 * 60_000;
    for refresh in chain.iter().chain(&chain) {
        assert!(hear(leaf, refresh).is_ok());
    }
    let held = CommitHash::of(chain.last().unwrap());
    let keeper = leaf.keeper.as_ref().unwrap();
    assert_eq!(keeper.commits[&held].standing, Standing::Held);
}

#[test]
fn who_builds_on_a_commit_that_waits_brings_it_in() {
    let mut village = Village::found(44, &[1, 2, 3], 2);
    let chain = raw_chain(&mut village.leaves[1], 6);
    let leaf = &mut village.leaves[2];
    leaf.now += 10 * 60_000;
    for refresh in &chain {
        assert!(hear(leaf, refresh).is_ok());
    }
    let held = CommitHash::of(chain.last().unwrap());
    let on = StateName(leaf.keeper.as_ref().unwrap().commits[&held].child);
    for (by, standing) in [(2, Standing::Held), (1, Standing::TakesPart)] {
        imagine(leaf, on, u16::from(by), by, Class::Refresh);
        for commit in leaf.keeper.as_mut().unwrap().commits.values_mut() {
            if commit.parent == on.0 {
                (commit.standing, commit.leaf) = (Standing::Held, 7);
            }
        }
        tick(leaf);
        let keeper = leaf.keeper.as_ref().unwrap();
        assert_eq!(keeper.commits[&held].standing, standing, "by {by}");
    }
}

#[test]
fn removals_have_places_of_their_own() {
    let mut village = Village::found(45, &[1, 2, 3], 2);
    let commit = removal(&mut village, 0, 3);
    let refresh = raw_chain(&mut village.leaves[2], 1).remove(0);
    let leaf = &mut village.leaves[1];
    let on = followed(leaf);
    while commits(leaf) < 224 {
        let number = commits(leaf) as u16;
        imagine(leaf, on, number, 1, Class::Refresh);
        for commit in leaf.keeper.as_mut().unwrap().commits.values_mut() {
            // Not in the choice, so that none of them gives way.
            if commit.since == 0 {
                commit.standing = Standing::Made;
            }
        }
    }
    assert_eq!(hear(leaf, &refresh).err(), Some(HearFault::Full));
    assert!(hear(leaf, &commit).is_ok());
    assert_ne!(followed(leaf), on);
}

#[test]
fn states_beside_the_followed_branch_take_up_no_more_bytes_than_there_are_for_them() {
    let mut village = Village::found(46, &[1, 2, 3], 2);
    let refresh = raw_chain(&mut village.leaves[2], 1).remove(0);
    let commit = removal(&mut village, 0, 3);
    let leaf = &mut village.leaves[1];
    let on = followed(leaf);
    for number in 0..9 {
        imagine(leaf, on, number, 100 + number as u8, Class::Refresh);
    }
    let keeper = leaf.keeper.as_mut().unwrap();
    let imagined = keeper.states.values_mut().filter(|state| !state.mine);
    imagined.for_each(|state| state.size = 4 * 1024 * 1024);
    // One of them is followed; the others take up all there is.
    tick(leaf);
    let before = commits(leaf);
    // What weighs no more than those that are there finds no room.
    assert_eq!(hear(leaf, &refresh).err(), Some(HearFault::Full));
    assert!(hear(leaf, &commit).is_ok());
    assert_eq!(commits(leaf), before);
}
