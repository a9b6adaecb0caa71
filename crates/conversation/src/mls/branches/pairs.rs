//! What a keeper does with a pair, one thing at a time.

use super::village::{GROUP, Leaf, Village, account};
use super::{AccountId, GroupPolicy, Keeper, MakeFault, Shape, Wish, pair};
use crate::fork_choice::rules::{self, Parent};
use std::collections::BTreeMap;

fn founded(policy: &GroupPolicy, packages: &[Vec<u8>]) -> Result<(), MakeFault> {
    let mut leaf = Leaf::new(0, account(1));
    leaf.lend(|lent, _| {
        let founded = Keeper::found_pair(lent, GROUP, &account(1), policy, packages);
        let founded = founded.unwrap().map(|_| ());
        let kept = Keeper::open(lent, GROUP).unwrap().is_some();
        assert_eq!(kept, founded.is_ok(), "something is kept");
        founded
    })
}

fn package(number: usize, of: u8) -> Vec<u8> {
    Leaf::new(number, account(of)).package()
}

#[test]
fn a_pair_is_of_two_accounts_without_stewards_and_within_its_bounds() {
    let pair = GroupPolicy::of_pair();
    assert_eq!(founded(&pair, &[package(1, 2), package(2, 1)]), Ok(()));
    for packages in [
        vec![],
        vec![package(1, 1)],
        vec![package(1, 2), package(2, 3)],
    ] {
        assert_eq!(founded(&pair, &packages), Err(MakeFault::Rules));
    }
    assert_eq!(founded(&pair, &[vec![9; 40]]), Err(MakeFault::Sense));
    let many: Vec<_> = (1..5).map(|number| package(number, 2)).collect();
    assert_eq!(founded(&pair, &many), Ok(()));
    let more: Vec<_> = (1..10).map(|number| package(number, 2)).collect();
    assert_eq!(founded(&pair, &more), Err(MakeFault::Rules));
    // One that bounds its devices further would never take another in.
    for bounded in [
        pair.clone().bounded(4),
        pair.clone().bounded_each(4),
        pair.heralded(0, &[]),
    ] {
        assert_eq!(founded(&bounded, &many), Err(MakeFault::Rules));
    }
    let group = GroupPolicy::of_group(vec![account(1)], "two");
    assert_eq!(founded(&group, &many), Err(MakeFault::Shape));
    let ruled = GroupPolicy {
        shape: Shape::Pair,
        ..group
    };
    assert_eq!(founded(&ruled, &many), Err(MakeFault::Shape));
}

#[test]
fn a_pair_of_several_devices_talks() {
    let mut village = Village::found_pair(1, &[1, 2, 1, 2, 1, 2]);
    village.settle();
    village.check(&[0, 1, 2, 3, 4, 5], &[]);
    let stewards = village.leaves[5].with(|keeper, _| keeper.stewards());
    assert_eq!(stewards.unwrap(), []);
}

#[test]
fn nobody_adds_or_removes_devices_of_the_other() {
    let mut village = Village::found_pair(2, &[1, 2, 2]);
    village.leaves.push(Leaf::new(3, account(2)));
    village.add(0, 3);
    village.leaves.push(Leaf::new(4, account(3)));
    village.add(0, 4);
    let key = village.leaves[2].with(|keeper, _| keeper.signature_key());
    village.wish(0, Wish::RemoveLeaf(key));
    village.wish(0, Wish::Remove(account(2)));
    village.settle();
    village.check(&[0, 1, 2], &[]);
    assert!(village.leaves[3].keeper.is_none() && village.leaves[4].keeper.is_none());
}

#[test]
fn an_account_adds_several_devices_though_the_other_is_silent() {
    let mut village = Village::found_pair(3, &[1, 2]);
    for number in 2..4 {
        village.leaves.push(Leaf::new(number, account(1)));
        village.add(0, number);
        village.calm();
    }
    village.settle();
    village.check(&[0, 1, 2, 3], &[]);
}

#[test]
fn who_has_the_turn_renews_keys_at_once() {
    let mut village = Village::found_pair(4, &[1, 2]);
    let epoch = |village: &Village| village.leaves[1].keeper.as_ref().unwrap().epoch();
    assert_eq!(epoch(&village), 1);
    // Leaf 0 adds a device out of its turn, and then has it.
    village.leaves.push(Leaf::new(2, account(1)));
    village.add(0, 2);
    village.calm();
    village.wish(0, Wish::Refresh);
    village.calm();
    assert_eq!(epoch(&village), 3);
    // Now it has not: that waits for the other.
    village.wish(0, Wish::Refresh);
    village.calm();
    assert_eq!(epoch(&village), 3);
    village.wish(1, Wish::Refresh);
    village.calm();
    assert_eq!(epoch(&village), 5);
    village.settle();
    village.check(&[0, 1, 2], &[]);
}

#[test]
fn a_revoked_device_is_not_brought_back_by_asking() {
    let mut village = Village::found_pair(6, &[1, 2, 1]);
    let lost = village.leaves[2].with(|keeper, _| keeper.signature_key());
    village.wish(0, Wish::RemoveLeaf(lost.clone()));
    village.settle();
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    village.wish(0, Wish::AddLeafAnew { package, lost });
    village.settle();
    village.check(&[0, 1, 2], &[2]);
}

#[test]
fn a_lost_device_is_brought_back_by_another_of_its_account() {
    let mut village = Village::found_pair(7, &[1, 2, 1]);
    let lost = village.leaves[2].with(|keeper, _| keeper.signature_key());
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    village.wish(0, Wish::AddLeafAnew { package, lost });
    village.settle();
    village.check(&[0, 1, 2], &[]);
}

#[test]
fn a_pair_is_not_founded_anew_as_a_group() {
    let mut village = Village::found_pair(5, &[1, 2]);
    let packages = [package(7, 2)];
    let anew = village.leaves[0].with(|old, lent| {
        let id = crate::ConversationId([8; 16]);
        let anew = Keeper::found_anew(lent, old, id, &packages);
        anew.unwrap().map(|_| ())
    });
    assert_eq!(anew, Err(MakeFault::Shape));
}

#[test]
fn who_throws_a_device_out_while_it_is_brought_back_gets_rid_of_it() {
    let mut village = Village::found_pair(8, &[1, 2, 1]);
    let lost = village.leaves[2].with(|keeper, _| keeper.signature_key());
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    let anew = Wish::AddLeafAnew {
        package,
        lost: lost.clone(),
    };
    // The commit that brings it back is under way already.
    village.wish(0, anew);
    village.wish(0, Wish::RemoveLeaf(lost));
    village.settle();
    village.check(&[0, 1, 2], &[2]);
}

#[test]
fn a_device_asked_out_is_not_brought_back_by_the_wish_before() {
    let mut village = Village::found_pair(9, &[1, 2, 1]);
    let lost = village.leaves[2].with(|keeper, _| keeper.signature_key());
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    // A commit of its own makes both wishes wait, so that one serves both.
    village.wish(0, Wish::RemoveLeaf(vec![0; 32]));
    village.leaves.push(Leaf::new(3, account(1)));
    village.add(0, 3);
    let anew = Wish::AddLeafAnew {
        package,
        lost: lost.clone(),
    };
    village.wish(0, anew);
    village.wish(0, Wish::RemoveLeaf(lost));
    village.settle();
    village.check(&[0, 1, 2, 3], &[2]);
}

fn state(epoch: u64, listed: &[u8], accounts: &[u8]) -> Parent {
    let leaf = |of: &u8| rules::Leaf {
        account: account(*of),
        renewed_at: None,
        changed_at: None,
    };
    Parent {
        shape: Shape::Pair,
        epoch,
        most: rules::MAX_LEAVES,
        each: rules::MAX_DEVICES,
        of_one: false,
        narrow: rules::MAX_LEAVES,
        heralds: Vec::new(),
        listed: listed.iter().map(|of| account(*of)).collect(),
        leaves: (0..)
            .zip(accounts.iter().map(leaf))
            .collect::<BTreeMap<_, _>>(),
    }
}

#[test]
fn the_other_account_welcomes_to_the_first_state_only() {
    let me: AccountId = account(1);
    let may = |state: &Parent, by: u8| pair::may_welcome(state, &me, &account(by));
    assert!(may(&state(1, &[], &[2, 1]), 2));
    assert!(!may(&state(2, &[], &[2, 1, 1]), 2));
    assert!(may(&state(2, &[], &[2, 1, 1]), 1));
    // And to nothing that is no pair.
    assert!(!may(&state(1, &[2], &[2, 1]), 2));
    assert!(!may(&state(1, &[], &[2, 1, 3]), 2));
    assert!(!may(&state(1, &[], &[1, 1]), 1));
}
