//! The distance that who is no steward keeps between commits: what it binds, what it
//! leaves free, and what somebody can make of it.

use super::super::rules::{self, Contents, Invalid, Parent, SPACING, check};
use super::super::{AccountId, Class, Shape, StateName};
use super::acts::group;
use super::properties::{acts, counted, often};
use super::validity::{adds, on, pair, removes};
use super::world::{World, account, after, bare, leaf, parent, stamped};

/// Accounts 1 to `accounts`, of which 5 has two leaves. The first of them renewed its keys
/// and changed something so many epochs ago.
fn spaced(accounts: u8, renewed: u64, changed: u64) -> Parent {
    let leaves: Vec<_> = (1..=accounts).chain([5]).collect();
    let mut group = parent(Shape::Group, 100, &[1], &leaves);
    let first = group.leaves.get_mut(&4).unwrap();
    first.renewed_at = Some(100 - renewed);
    first.changed_at = Some(100 - changed);
    group
}

#[test]
fn who_is_no_steward_keeps_a_distance_by_account() {
    let near = spaced(9, SPACING - 1, SPACING - 1);
    let far = spaced(9, SPACING, SPACING);
    // From either device of the account.
    for device in [4, 9] {
        assert_eq!(on(&near, device, |_| ()), Err(Invalid::TooSoon));
        assert_eq!(on(&far, device, |_| ()), Ok(Class::Refresh));
        assert_eq!(adds(&near, device, &[5]), Err(Invalid::TooSoon));
        assert_eq!(adds(&far, device, &[5]), Ok(Class::Membership));
    }
    assert_eq!(on(&near, 3, |_| ()), Ok(Class::Refresh));
    let mut stewards = near;
    stewards.listed.push(account(5));
    assert_eq!(on(&stewards, 4, |_| ()), Ok(Class::Refresh));
    assert_eq!(adds(&stewards, 4, &[5]), Ok(Class::Membership));
}

#[test]
fn small_groups_keep_a_distance_of_their_size() {
    for (since, refreshes, adding) in [
        (4, Err(Invalid::TooSoon), Err(Invalid::TooSoon)),
        (5, Ok(Class::Refresh), Ok(Class::Membership)),
    ] {
        let group = spaced(5, since, since);
        assert_eq!(on(&group, 4, |_| ()), refreshes);
        assert_eq!(adds(&group, 4, &[5]), adding);
    }
    let mut pair = pair(101);
    let first = pair.leaves.get_mut(&0).unwrap();
    (first.renewed_at, first.changed_at) = (Some(100), Some(100));
    assert_eq!(on(&pair, 0, |_| ()), Err(Invalid::TooSoon));
    assert_eq!(adds(&pair, 0, &[1]), Ok(Class::Membership));
}

#[test]
fn new_keys_wait_for_every_commit_of_the_account_and_changes_for_changes_alone() {
    let renewed = spaced(9, 1, SPACING);
    let removes_one = |group: &Parent| {
        let mut group = group.clone();
        group.leaves.insert(10, leaf(5));
        removes(&group, 9, &[10])
    };
    assert_eq!(on(&renewed, 9, |_| ()), Err(Invalid::TooSoon));
    assert_eq!(adds(&renewed, 9, &[5]), Ok(Class::Membership));
    assert_eq!(removes_one(&renewed), Ok(Class::OwnRemoval));
    let changed = spaced(9, SPACING - 1, SPACING - 1);
    assert_eq!(on(&changed, 9, |_| ()), Err(Invalid::TooSoon));
    assert_eq!(adds(&changed, 9, &[5]), Err(Invalid::TooSoon));
    assert_eq!(removes_one(&changed), Err(Invalid::TooSoon));
    // Who renewed keys and changed nothing ever is free to do so.
    let mut never = renewed;
    never.leaves.get_mut(&4).unwrap().changed_at = None;
    assert_eq!(adds(&never, 4, &[5]), Ok(Class::Membership));
    assert_eq!(on(&never, 4, |_| ()), Err(Invalid::TooSoon));
}

#[test]
fn of_several_devices_the_last_commit_counts() {
    for (first, second) in [(0, SPACING + 3), (SPACING + 3, 0)] {
        let mut group = spaced(9, first, first);
        let other = group.leaves.get_mut(&9).unwrap();
        (other.renewed_at, other.changed_at) = (Some(100 - second), Some(100 - second));
        for device in [4, 9] {
            assert_eq!(on(&group, device, |_| ()), Err(Invalid::TooSoon));
            assert_eq!(adds(&group, device, &[5]), Err(Invalid::TooSoon));
        }
    }
}

#[test]
fn a_device_throws_out_all_others_of_its_account_at_any_time() {
    let near = spaced(9, 0, 0);
    assert_eq!(removes(&near, 4, &[9]), Ok(Class::OwnRemoval));
    assert_eq!(removes(&near, 9, &[4]), Ok(Class::OwnRemoval));
    let and_adds = on(&near, 9, |commit| {
        commit.removed.insert(4);
        commit.added.push(leaf(5));
    });
    assert_eq!(and_adds, Err(Invalid::TooSoon));
}

#[test]
fn the_new_leaf_says_when_its_device_changed_something() {
    let group = spaced(9, SPACING, SPACING + 2);
    let says = |stamp: Option<u64>, change: fn(&mut Contents)| {
        let mut commit = bare(&group, 4);
        change(&mut commit);
        commit.path.as_mut().unwrap().changed_at = stamp;
        check(&group, &commit)
    };
    let before = Some(100 - SPACING - 2);
    let changes: [(fn(&mut Contents), _, _); 3] = [
        (|_| (), Class::Refresh, before),
        (
            |commit| commit.added.push(leaf(5)),
            Class::Membership,
            Some(100),
        ),
        (
            |commit| commit.removed.extend([9]),
            Class::OwnRemoval,
            Some(100),
        ),
    ];
    for (change, class, right) in changes {
        for stamp in [None, before, Some(99), Some(100), Some(101)] {
            let expected = if stamp == right {
                Ok(class)
            } else {
                Err(Invalid::Stamp)
            };
            assert_eq!(says(stamp, change), expected, "{class:?} {stamp:?}");
        }
    }
    let stamped = on(&group, 0, |commit| {
        commit.added.push(leaf(100));
        commit.added[0].changed_at = Some(100);
    });
    assert_eq!(stamped, Err(Invalid::Stamp));
    // In a pair a turn may do without both, and not without one.
    let turn = |renewed_at, changed_at| {
        on(&pair(100), 0, |commit| {
            commit.added.push(leaf(1));
            let path = commit.path.as_mut().unwrap();
            (path.renewed_at, path.changed_at) = (renewed_at, changed_at);
        })
    };
    assert_eq!(turn(Some(100), None), Ok(Class::Membership));
    assert_eq!(turn(None, None), Err(Invalid::Stamp));
    let mut turn = bare(&pair(100), 0);
    turn.path.as_mut().unwrap().renewed_at = None;
    assert_eq!(check(&pair(100), &turn), Ok(Class::Turn));
    turn.path.as_mut().unwrap().changed_at = Some(100);
    assert_eq!(check(&pair(100), &turn), Err(Invalid::Stamp));
}

#[test]
fn stamps_at_the_end_of_time_do_not_overflow() {
    let mut group = spaced(9, 0, 0);
    let last = group.leaves.get_mut(&4).unwrap();
    (last.renewed_at, last.changed_at) = (Some(u64::MAX), Some(u64::MAX));
    assert_eq!(group.free_to_renew(&account(5)), u64::MAX);
    assert_eq!(group.free_to_change(&account(5)), u64::MAX);
    assert_eq!(on(&group, 4, |_| ()), Err(Invalid::TooSoon));
    assert_eq!(adds(&group, 4, &[5]), Err(Invalid::TooSoon));
}

/// What somebody does in a state, if the rule allows it, and the state after it.
fn done(state: &Parent, leaf: u32, does: Does) -> Option<Parent> {
    let mut commit = bare(state, leaf);
    let author = &state.leaves[&leaf].account;
    let others = state.leaves.iter();
    let others = others.filter(|(index, other)| **index != leaf && other.account == *author);
    match does {
        Does::Refresh => {}
        Does::Adds => commit.added.push(rules::Leaf {
            renewed_at: None,
            changed_at: None,
            ..state.leaves[&leaf].clone()
        }),
        Does::RemovesOne => commit
            .removed
            .extend(others.map(|(index, _)| *index).next_back()),
        Does::RemovesAll => commit.removed.extend(others.map(|(index, _)| *index)),
    }
    let commit = stamped(state, &commit);
    check(state, &commit).is_ok().then(|| after(state, &commit))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Refresh,
    Adds,
    RemovesOne,
    RemovesAll,
}

const ALL: [Does; 4] = [
    Does::Refresh,
    Does::Adds,
    Does::RemovesOne,
    Does::RemovesAll,
];

#[test]
fn that_everybody_renewed_their_keys_keeps_nobodys_other_device_out() {
    let mut group = parent(Shape::Group, 100, &[1], &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for member in 1..9 {
        group = done(&group, member, Does::Refresh).unwrap();
    }
    for member in 1..9 {
        group = done(&group, member, Does::Adds).unwrap();
    }
    // Of three devices one can be thrown out as soon.
    let mut group = parent(Shape::Group, 100, &[1], &[1, 2, 2, 2, 3]);
    for device in [1, 4] {
        group = done(&group, device, Does::Refresh).unwrap();
    }
    assert!(done(&group, 1, Does::Refresh).is_none());
    assert!(done(&group, 1, Does::RemovesOne).is_some());
}

/// The most commits in a row that the accounts in `leaves` can make on a state, up to so
/// many, each by any of its devices.
fn longest(state: &Parent, of: &[AccountId], most: usize) -> usize {
    if most == 0 {
        return 0;
    }
    let leaves = state.leaves.iter();
    let leaves = leaves.filter(|(_, leaf)| of.contains(&leaf.account));
    let tries = leaves.flat_map(|(index, _)| ALL.map(|does| (*index, does)));
    let children = tries.filter_map(|(index, does)| done(state, index, does));
    let runs = children.map(|child| 1 + longest(&child, of, most - 1));
    runs.max().unwrap_or(0)
}

#[test]
fn nobody_alone_carries_a_tip_away_and_no_two_of_many_without_end() {
    for accounts in 2..=9 {
        let leaves: Vec<_> = (1..=accounts).collect();
        let group = parent(Shape::Group, 100, &[1], &leaves);
        // New keys, a device, and that one throws out the other.
        assert_eq!(longest(&group, &[account(2)], 6), 3, "{accounts}");
    }
    // With three devices, whenever they committed last.
    for since in [0, 4, 9] {
        let mut group = parent(Shape::Group, 100, &[1], &[1, 2, 2, 2, 3, 4, 5]);
        for (index, more) in (1..4).zip([0, 1, 5]) {
            let device = group.leaves.get_mut(&index).unwrap();
            device.renewed_at = Some(100 - since - more);
            device.changed_at = (index == 2).then_some(100 - since - more);
        }
        assert!(longest(&group, &[account(2)], 5) <= 3, "{since}");
    }
    let group = parent(Shape::Group, 100, &[1], &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(longest(&group, &[2, 3].map(account), 7), 6);
    // Where each account has one leaf, one commit each.
    let mut single = group;
    single.each = 1;
    assert_eq!(longest(&single, &[2, 3].map(account), 4), 2);
}

/// Of whoever commits alone on the others' commits: as often as the rule allows.
#[test]
fn an_account_makes_three_commits_in_a_row_and_then_none_for_its_distance() {
    for accounts in 2..=9_u8 {
        let leaves: Vec<_> = (1..=accounts).collect();
        let mut group = parent(Shape::Group, 100, &[1], &leaves);
        let distance = u64::from(accounts).min(SPACING);
        let mut made = Vec::new();
        for epoch in 0..40_u64 {
            let leaves = group.leaves.iter();
            let mine = leaves.filter(|(_, leaf)| leaf.account == account(2));
            // The device that was let in last throws out the others.
            let mine: Vec<_> = mine.map(|(index, _)| *index).rev().collect();
            let tries = mine.into_iter().flat_map(|leaf| {
                [Does::Refresh, Does::RemovesAll, Does::Adds].map(|does| (leaf, does))
            });
            let next = tries.filter_map(|(leaf, does)| done(&group, leaf, does));
            let next = next.into_iter().next();
            made.extend(next.is_some().then_some(epoch));
            group = next.unwrap_or_else(|| done(&group, 0, Does::Refresh).unwrap());
        }
        let all: Vec<_> = made.windows(4).map(|four| four[3] - four[0]).collect();
        assert!(
            all.iter().all(|span| *span >= distance + 2),
            "{accounts}: {made:?}"
        );
        assert!(all.contains(&(distance + 2)), "{accounts}: {made:?}");
    }
}

/// The classes of the last commits on the way to a state that are of its last author, newest
/// first, as long as that is no steward.
fn run(world: &World, tip: StateName) -> Vec<Class> {
    let path = world.tree.chain_to(&tip).unwrap();
    let path: Vec<_> = path
        .iter()
        .rev()
        .map(|hash| world.tree.commit(hash))
        .collect();
    let Some(author) = path.first().map(|last| last.unwrap().author.clone()) else {
        return Vec::new();
    };
    let same = path.into_iter().flatten().take_while(|commit| {
        let stewards = world.states[&commit.parent].stewards();
        commit.author == author && !stewards.contains(&author)
    });
    same.map(|commit| commit.class).collect()
}

#[test]
fn nobody_who_is_no_steward_makes_more_than_two_bound_commits_in_a_row() {
    let seen = counted(acts(), |acts, seen| {
        let mut world = World::new(group());
        let mut places = vec![World::root()];
        for act in &acts {
            // Two members with three devices each do most of it.
            let busy = |one: &AccountId| [6, 7].map(account).contains(one);
            if let Some(Ok(hash)) = act.happen(&mut world, &places, busy) {
                places.push(world.tree.commit(&hash).unwrap().child);
            }
        }
        for place in places {
            let run = run(&world, place);
            let state = &world.states[&place];
            let alone = |class: &&Class| **class == Class::OwnRemoval;
            let free = run.iter().filter(alone).count();
            assert!(run.len() <= 3, "{run:?}");
            assert!(run.len() < 3 || free > 0, "{run:?}");
            let mut see = |name, holds| *seen.entry(name).or_insert(0) += usize::from(holds);
            see("two in a row", run.len() == 2);
            see("three in a row", run.len() == 3);
            see(
                "a change after new keys",
                run.ends_with(&[Class::Refresh]) && run.len() > 1,
            );
            // Nobody is kept from a device by new keys alone.
            for (index, leaf) in &state.leaves {
                let account = &leaf.account;
                let leaves = || {
                    state
                        .leaves
                        .values()
                        .filter(|leaf| leaf.account == *account)
                };
                let changed = leaves().any(|leaf| leaf.changed_at.is_some());
                let room = leaves().count() < state.each;
                let renewed = leaves().any(|leaf| leaf.renewed_at.is_some());
                if !changed && room && renewed && !state.stewards().contains(account) {
                    assert!(done(state, *index, Does::Adds).is_some());
                    see("a device after new keys", true);
                }
            }
        }
    });
    let names = [
        "two in a row",
        "a change after new keys",
        "a device after new keys",
    ];
    often(&seen, &names, 50);
    often(&seen, &["three in a row"], 5);
}
