//! What holds of every tree of valid commits.
//!
//! Each property is stated without the keys of the choice, and counts how often
//! it had something to say, so that none passes over trees that ask nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::super::rules::Parent;
use super::super::{AccountId, Class, Commit, DeviceKey, HORIZON, Refused, StateName, Tree};
use super::acts::{Act, act, devices, group, pair, stewards, world};
use super::world::{World, account};

const CASES: u32 = 100;

pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 0..40)
}

/// Runs `property` on random values and hands out how often what it names came.
pub(super) fn counted<S: Strategy>(
    strategy: S,
    property: impl Fn(S::Value, &mut BTreeMap<&'static str, usize>),
) -> BTreeMap<&'static str, usize> {
    let seen = RefCell::new(BTreeMap::new());
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        // What is counted must not depend on luck.
        rng_seed: RngSeed::Fixed(12),
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&strategy, |value| {
            property(value, &mut seen.borrow_mut());
            Ok(())
        })
        .unwrap();
    seen.into_inner()
}

pub(super) fn often(seen: &BTreeMap<&'static str, usize>, names: &[&str], times: usize) {
    for name in names {
        let count = seen.get(name).copied().unwrap_or(0);
        assert!(count >= times, "{name} only {count} times: {seen:?}");
    }
}

fn rank(world: &World, at: StateName, account: &AccountId) -> Option<usize> {
    world.tree.state(&at).unwrap().rank(account)
}

/// The ranks, in `at`, of the stewards who act on a path or throw out devices of their own.
fn judges(world: &World, at: StateName, path: &[Commit]) -> BTreeSet<usize> {
    let acts = path
        .iter()
        .filter(|commit| commit.class <= Class::OwnRemoval);
    acts.filter_map(|commit| rank(world, at, &commit.author))
        .collect()
}

fn has_leaf(world: &World, at: StateName, account: &AccountId) -> bool {
    world.states[&at]
        .leaves
        .values()
        .any(|leaf| leaf.account == *account)
}

/// Whether somebody else takes his place from a steward of `at`, or his leaves,
/// before he gives up his place or a higher one himself.
fn is_thrown_out(world: &World, at: StateName, path: &[&Commit], steward: &AccountId) -> bool {
    for commit in path {
        let before = rank(world, commit.parent, steward);
        let after = rank(world, commit.child, steward);
        if commit.author == *steward && commit.class <= Class::Policy && after != before {
            return false;
        }
        if after.is_none() {
            return rank(world, at, steward).is_some();
        }
    }
    false
}

fn places(world: &World) -> Vec<StateName> {
    world.states.keys().copied().collect()
}

#[test]
fn the_random_trees_hold_what_the_rule_is_about() {
    let seen = counted(acts(), |acts, seen| {
        let world = world(group(), &acts);
        let mut see = |name| *seen.entry(name).or_insert(0_usize) += 1;
        for (commit, _) in &world.made {
            see(match commit.class {
                Class::Removal => "removal",
                Class::Policy => "policy",
                Class::OwnRemoval => "own removal",
                Class::Membership => "membership",
                Class::Turn => "turn",
                Class::Refresh => "refresh",
            });
            cases_of(&world, commit, &mut see);
        }
    });
    let names = [
        "removal",
        "policy",
        "own removal",
        "membership",
        "refresh",
        "reordered",
        "resigned",
        "demoted",
        "promoted",
        "steward removed",
        "removed steward commits beside",
        "demoted steward acts beside",
        "added back",
        "leaf used again",
        "equivocation",
        "equivocating steward",
        "rank is not leaf",
        "deeper than the horizon",
        "own device added by a member",
    ];
    often(&seen, &names, 10);
}

fn cases_of(world: &World, commit: &Commit, see: &mut impl FnMut(&'static str)) {
    let (before, after) = (&world.states[&commit.parent], &world.states[&commit.child]);
    let (old, new) = (before.stewards(), after.stewards());
    let both = |of: &[AccountId], among: &[AccountId]| {
        of.iter()
            .filter(|one| among.contains(one))
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut when = |holds: bool, name| {
        if holds {
            see(name);
        }
    };
    when(both(&old, &new) != both(&new, &old), "reordered");
    when(new.iter().any(|one| !old.contains(one)), "promoted");
    let own = rank(world, commit.parent, &commit.author);
    when(
        own.is_some_and(|rank| rank != usize::try_from(commit.leaf).unwrap()),
        "rank is not leaf",
    );
    when(own.is_some() && !new.contains(&commit.author), "resigned");
    when(
        own.is_none() && commit.class == Class::Membership,
        "own device added by a member",
    );
    let beside = |gone: &AccountId, act: bool| {
        world.made.iter().any(|(other, _)| {
            let below = world.tree.chain_to(&other.child).unwrap();
            other.author == *gone
                && (!act || other.class <= Class::Policy)
                && !below.contains(&commit.hash)
                && !world
                    .tree
                    .chain_to(&commit.child)
                    .unwrap()
                    .contains(&other.hash)
        })
    };
    for gone in old
        .iter()
        .filter(|one| !new.contains(one) && **one != commit.author)
    {
        if has_leaf(world, commit.child, gone) {
            when(true, "demoted");
            when(beside(gone, true), "demoted steward acts beside");
        } else {
            when(true, "steward removed");
            when(beside(gone, false), "removed steward commits beside");
        }
    }
    for (index, leaf) in &after.leaves {
        let before = before.leaves.get(index);
        let other = |state: &Parent| {
            state
                .leaves
                .get(index)
                .is_some_and(|old| old.account != leaf.account)
        };
        when(
            before.is_none() && world.states.values().any(other),
            "leaf used again",
        );
    }
    when(
        (1..=8).map(account).any(|one| {
            let root = World::root();
            has_leaf(world, commit.child, &one)
                && !has_leaf(world, commit.parent, &one)
                && has_leaf(world, root, &one)
        }),
        "added back",
    );
    let twin = world.tree.children(&commit.parent);
    let twin = twin.filter(|twin| twin.leaf == commit.leaf).count() > 1;
    when(twin, "equivocation");
    when(twin && own.is_some(), "equivocating steward");
    let depth = world.tree.chain_to(&commit.child).unwrap().len();
    when(depth > HORIZON, "deeper than the horizon");
}

/// (a) What is followed does not depend on what came first.
#[test]
fn the_order_of_arrival_does_not_matter() {
    let roots = prop_oneof![
        3 => Just(group()),
        1 => Just(pair()),
        1 => Just(devices()),
        1 => Just(stewards()),
    ];
    let shuffled = (roots, acts()).prop_flat_map(|(root, acts)| {
        let made = world(root.clone(), &acts).made;
        (Just(root), Just(acts), Just(made).prop_shuffle())
    });
    let seen = counted(shuffled, |(root, acts, mut arriving), seen| {
        let world = world(root, &acts);
        let mut tree = Tree::new(world.tree.state(&World::root()).unwrap().clone());
        while !arriving.is_empty() {
            arriving.retain(|(commit, child)| {
                let waits = tree.insert(commit.clone(), child.clone());
                if waits == Err(Refused::UnknownParent(commit.parent)) {
                    *seen.entry("came early").or_insert(0) += 1;
                    return true;
                }
                assert_eq!(waits, Ok(()));
                false
            });
        }
        assert_eq!(tree.verdict(), world.tree.verdict());
    });
    often(&seen, &["came early"], 1_000);
}

/// (b) Where a steward can be thrown out, somebody above him acts on what is followed, or
/// throws out a device of his own there: what he does himself, those below and members is not
/// enough.
#[test]
fn who_is_thrown_out_wins_with_nothing() {
    let roots = prop_oneof![2 => Just(group()), 1 => Just(stewards())];
    let strategy = (roots, acts(), prop::collection::vec(act(), 0..12));
    let seen = counted(strategy, |(root, acts, last), seen| {
        let mut world = world(root, &acts);
        // One who shall be thrown out, and then what he and those below can do.
        let root = World::root();
        let most = world.tree.state(&root).unwrap().stewards.len();
        let ranks = (1..most).filter(|rank| {
            let steward = &world.tree.state(&root).unwrap().stewards[*rank];
            let paths = world.paths_from(root);
            paths
                .iter()
                .any(|path| is_thrown_out(&world, root, path, steward))
        });
        if let Some(highest) = ranks.min() {
            let above = world.tree.state(&root).unwrap().stewards[..highest].to_vec();
            for act in &last {
                let places = places(&world);
                if let Some(Ok(_)) = act.happen(&mut world, &places, |who| !above.contains(who)) {
                    *seen.entry("tried to come back").or_insert(0) += 1;
                }
            }
        }
        for at in places(&world) {
            let paths = world.paths_from(at);
            for (rank, steward) in world.tree.state(&at).unwrap().stewards.iter().enumerate() {
                if paths
                    .iter()
                    .any(|path| is_thrown_out(&world, at, path, steward))
                {
                    let judges = judges(&world, at, &world.followed_from(at));
                    assert!(judges.iter().any(|judge| *judge < rank));
                    let rivals = paths.iter().any(|path| {
                        path.iter().any(|commit| {
                            commit.class <= Class::Policy && commit.author == *steward
                        }) && !path.iter().any(|commit| {
                            judge(&world, at, commit).is_some_and(|judge| judge < rank)
                        })
                    });
                    *seen.entry("thrown out").or_insert(0) += 1;
                    *seen.entry("acts beside").or_insert(0) += usize::from(rivals);
                }
            }
        }
    });
    often(
        &seen,
        &["tried to come back", "thrown out", "acts beside"],
        100,
    );
}

fn judge(world: &World, at: StateName, commit: &Commit) -> Option<usize> {
    let acts = commit.class <= Class::Policy;
    acts.then(|| rank(world, at, &commit.author)).flatten()
}

/// (c) A member whose removal is followed changes nothing up to that removal,
/// whatever it commits and wherever.
#[test]
fn a_removed_member_never_wins() {
    let strategy = (acts(), prop::collection::vec(act(), 10..30));
    let seen = counted(strategy, |(acts, own), seen| {
        let mut world = world(group(), &acts);
        let verdict = world.tree.verdict();
        for member in (5..=8).map(account) {
            let was_steward = |at: &StateName| rank(&world, *at, &member).is_some();
            if world.states.keys().any(was_steward) {
                continue;
            }
            let removal = verdict.iter().position(|hash| {
                let commit = world.tree.commit(hash).unwrap();
                let gone = !has_leaf(&world, commit.child, &member);
                commit.class == Class::Removal && gone && has_leaf(&world, commit.parent, &member)
            });
            let Some(removal) = removal else { continue };
            *seen.entry("removed").or_insert(0) += 1;
            for act in &own {
                let places = places(&world);
                if let Some(Ok(hash)) = act.happen(&mut world, &places, |who| *who == member) {
                    *seen.entry("own commits").or_insert(0) += 1;
                    let class = world.tree.commit(&hash).unwrap().class;
                    let threw = class == Class::OwnRemoval;
                    *seen.entry("own removals").or_insert(0) += usize::from(threw);
                }
            }
            assert_eq!(world.tree.verdict()[..=removal], verdict[..=removal]);
            return;
        }
    });
    often(&seen, &["removed", "own commits", "own removals"], 15);
}

/// The first device on the path followed that a lower leaf throws out, which was there
/// in each state the other was in, and a steward's if there are stewards; with the place of
/// that commit on the path.
fn thrown_out(world: &World) -> Option<(DeviceKey, usize)> {
    let verdict = world.tree.verdict();
    let steps = verdict.iter().map(|hash| world.tree.commit(hash).unwrap());
    steps.enumerate().find_map(|(place, step)| {
        let before = &world.devices[&step.parent];
        let by = before[&step.leaf];
        let is_in = |at: &StateName, device| world.devices[at].values().any(|one| *one == device);
        let below = verdict[..place]
            .iter()
            .map(|hash| world.tree.commit(hash).unwrap().parent);
        let below: Vec<_> = below.collect();
        let weighed = |at: &StateName| {
            let stewards = &world.tree.state(at).unwrap().stewards;
            stewards.is_empty() || stewards.contains(&step.author)
        };
        if !below.iter().chain([&step.parent]).all(weighed) {
            return None;
        }
        let mut removed = world.contents[&step.hash].removed.iter();
        let device = removed.find(|leaf| {
            let older = below
                .iter()
                .all(|at| is_in(at, by) || !is_in(at, before[leaf]));
            **leaf > step.leaf && step.class == Class::OwnRemoval && older
        });
        device.map(|leaf| (before[leaf], place))
    })
}

/// (g) A device that a lower leaf threw out changes nothing up to that, whatever it and
/// those commit whom it lets in.
#[test]
fn a_thrown_out_device_never_wins() {
    let roots = prop_oneof![2 => Just(devices()), 1 => Just(pair()), 3 => Just(stewards())];
    let strategy = (roots, acts(), prop::collection::vec(act(), 30..90));
    let seen = counted(strategy, |(root, acts, own), seen| {
        let mut world = world(root, &acts);
        let verdict = world.tree.verdict();
        let Some((thief, removal)) = thrown_out(&world) else {
            return;
        };
        let mut see = |name, times: usize| *seen.entry(name).or_insert(0) += times;
        see("thrown out", 1);
        let ruled = !world.states[&World::root()].stewards().is_empty();
        see("of a steward", usize::from(ruled));
        see("not in the first state", usize::from(removal > 0));
        let mut gang = BTreeSet::from([thief]);
        // Of whom it let in before nothing is said: others built on that.
        let known: BTreeSet<_> = world
            .devices
            .values()
            .flat_map(|all| all.values().copied())
            .collect();
        for act in &own {
            let places = places(&world);
            let may =
                |world: &World, at: &StateName, leaf: &u32| gang.contains(&world.devices[at][leaf]);
            if let Some(Ok(hash)) = act.happen_by(&mut world, &places, may) {
                let commit = world.tree.commit(&hash).unwrap();
                let before = &world.devices[&commit.parent];
                let all = world.devices[&commit.child].values();
                gang.extend(
                    all.filter(|one| {
                        before.values().all(|old| old != *one) && !known.contains(one)
                    }),
                );
                see("own commits", 1);
                see(
                    "own removals",
                    usize::from(commit.class == Class::OwnRemoval),
                );
                see("of new devices", usize::from(before[&commit.leaf] != thief));
            }
        }
        assert_eq!(world.tree.verdict()[..=removal], verdict[..=removal]);
    });
    let names = [
        "thrown out",
        "of a steward",
        "not in the first state",
        "own commits",
        "own removals",
        "of new devices",
    ];
    often(&seen, &names, 15);
}

/// (d) Whoever keeps less follows the same, and (f) the end of it is a tip.
#[test]
fn a_later_root_follows_the_rest_and_the_end_is_a_tip() {
    let seen = counted(acts(), |acts, seen| {
        for root in [group(), pair(), devices(), stewards()] {
            let world = world(root, &acts);
            let verdict = world.tree.verdict();
            let mut later = world.tree.clone();
            for (place, hash) in verdict.iter().enumerate() {
                let child = later.commit(hash).unwrap().child;
                let before = later.len();
                let dropped = later.reroot(&child).unwrap();
                assert!(dropped.contains(hash));
                assert_eq!(later.len() + dropped.len(), before);
                assert_eq!(later.verdict(), verdict[place + 1..]);
                *seen.entry("rivals dropped").or_insert(0) += dropped.len() - 1;
            }
            assert!(world.tree.children(&world.tree.tip()).next().is_none());
            assert_eq!(world.tree.chain_to(&world.tree.tip()), Ok(verdict));
        }
    });
    often(&seen, &["rivals dropped"], 200);
}

/// (e) What pruning drops changes no verdict, now or later.
#[test]
fn pruning_changes_no_verdict() {
    let roots = prop_oneof![
        2 => Just(group()),
        1 => Just(pair()),
        1 => Just(devices()),
        1 => Just(stewards()),
    ];
    let strategy = (roots, acts(), prop::collection::vec(act(), 0..15));
    let seen = counted(strategy, |(root, acts, later), seen| {
        let mut whole = world(root, &acts);
        let mut pruned = whole.tree.clone();
        let dropped: BTreeSet<_> = pruned.prune(&BTreeSet::new()).into_iter().collect();
        assert_eq!(pruned.len() + dropped.len(), whole.tree.len());
        assert_eq!(pruned.verdict(), whole.tree.verdict());
        *seen.entry("dropped").or_insert(0) += dropped.len();
        let made = whole.made.len();
        for act in &later {
            let mut places = places(&whole);
            places.retain(|place| pruned.state(place).is_some());
            act.happen(&mut whole, &places, |_| true);
            for (commit, child) in whole.made.iter().skip(made) {
                let again = pruned.insert(commit.clone(), child.clone());
                assert!(matches!(again, Ok(()) | Err(Refused::Known)));
            }
            assert_eq!(pruned.verdict(), whole.tree.verdict());
            *seen.entry("built on").or_insert(0) += 1;
        }
    });
    often(&seen, &["dropped", "built on"], 50);
}

/// What the rest stands on: nobody but those above takes a steward's place, and
/// a group never is without stewards.
#[test]
fn only_who_stands_above_takes_a_place() {
    let seen = counted(acts(), |acts, seen| {
        let world = world(group(), &acts);
        for (commit, child) in &world.made {
            let before = world.tree.state(&commit.parent).unwrap();
            assert!(!child.stewards.is_empty());
            let own = before.rank(&commit.author);
            let kept = match own {
                Some(rank) if commit.class <= Class::Policy => rank,
                _ => before.stewards.len(),
            };
            assert_eq!(before.stewards[..kept], child.stewards[..kept]);
            assert!(child.stewards.len() >= kept);
            if own.is_none() || commit.class > Class::Policy {
                assert_eq!(before.stewards, child.stewards);
                *seen.entry("others").or_insert(0) += 1;
            }
            *seen.entry("acts").or_insert(0) += usize::from(commit.class <= Class::Policy);
        }
    });
    often(&seen, &["others", "acts"], 200);
}
