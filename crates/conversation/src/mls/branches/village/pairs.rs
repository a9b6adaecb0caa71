//! Pairs: two accounts with several devices each, in any weather.

use std::collections::BTreeSet;

use super::campaign::{Cases, STORM, seeds};
use super::{Leaf, Shape, Village, account, soak};
use crate::mls::branches::Wish;
use crate::mls::branches::tests::raw_chain;

impl Village {
    /// Leaf 0 founds the pair with the first leaf of the other account; the others
    /// are added by the first of theirs.
    pub(in super::super) fn found_pair(seed: u64, accounts: &[u8]) -> Self {
        let mut village = Self::new(seed, accounts);
        let other = accounts.iter().position(|of| *of != accounts[0]).unwrap();
        let package = village.leaves[other].package();
        let out = village.leaves[0].found_pair(&[package]);
        village.leaves[0].commit();
        village.send(0, out);
        village.calm();
        for number in (1..accounts.len()).filter(|number| *number != other) {
            let first = accounts.iter().position(|of| *of == accounts[number]);
            village.add(first.unwrap(), number);
            village.calm();
        }
        village
    }

    pub(super) fn is_pair(&self) -> bool {
        let keeper = self.leaves[0].keeper.as_ref().unwrap();
        keeper.shape == Shape::Pair
    }

    /// A device of each account wants new keys.
    pub(super) fn renew_both(&mut self) {
        let mine = &self.leaves[0].account;
        let mut leaves = self.leaves.iter();
        let other = leaves.position(|leaf| leaf.account != *mine).unwrap();
        self.wish(0, Wish::Refresh);
        self.wish(other, Wish::Refresh);
    }

    /// Whether a leaf wants what it has not.
    fn has_wishes(&self, leaf: usize) -> bool {
        let keeper = self.leaves[leaf].keeper.as_ref().unwrap();
        keeper.intents.values().any(|one| one.fulfilled.is_none())
    }

    /// The wish for a leaf to be removed.
    fn remove_leaf(&mut self, by: usize, number: usize) {
        let key = self.leaves[number].keeper.as_ref().unwrap().signature_key();
        self.wish(by, Wish::RemoveLeaf(key));
    }
}

/// Random acts of a pair of up to three devices each, in a storm. Leaves 0 and 1 are of
/// different accounts and stay; the others come and go.
fn storm(seed: u64, accounts: &[u8], acts: u32) -> Cases {
    let (mut village, mut cases) = stirred(seed, accounts, acts);
    village.check_all();
    cases.count(&village);
    cases
}

/// How it is after that.
fn stirred(seed: u64, accounts: &[u8], acts: u32) -> (Village, Cases) {
    eprintln!("storm of a pair {seed}");
    let mut village = Village::found_pair(seed, accounts);
    let mut cases = Cases::default();
    let first_of = |leaf: usize| usize::from(accounts[leaf] != accounts[0]);
    village.weather = STORM;
    // Nobody keeps an account from adding one device twice, so it does not.
    let mut inside: BTreeSet<_> = (0..accounts.len()).collect();
    let mut leaving = BTreeSet::new();
    for _ in 0..acts {
        let some = village.chance.below(accounts.len() as u64);
        let by = usize::try_from(some).unwrap();
        let first = first_of(by);
        let member = village.leaves[by].member();
        match village.chance.below(12) {
            0..=2 if member => village.wish(by, Wish::Refresh),
            3 => {
                let until = village.now + 5_000;
                village.cut_off.insert(by, until);
            }
            4 | 5 if inside.insert(by) => {
                village.leaves[by].make_package();
                village.add(first, by);
                cases.came += 1;
            }
            6 if member && by > 1 && leaving.insert(by) => {
                village.remove_leaf(first, by);
                cases.went += 1;
            }
            _ if member => village.say(by),
            _ => {}
        }
        village.run_for(500);
        for gone in leaving.iter().copied().collect::<Vec<_>>() {
            if !village.leaves[gone].member() && !village.has_wishes(first_of(gone)) {
                leaving.remove(&gone);
                inside.remove(&gone);
            }
        }
    }
    village.settle();
    village.go_on();
    (village, cases)
}

/// The one storm of 250 that is not calm: two states stand for good, and whoever is led by
/// one learns so of whom it hears in the other.
#[test]
fn who_hears_the_other_side_in_a_state_for_good_beside_its_own_knows() {
    let (village, _) = stirred(169, &[1, 2, 1, 2], 40);
    let members = village.leaves.iter().filter(|leaf| leaf.member());
    let members: Vec<_> = members.collect();
    let followed = |leaf: &Leaf| leaf.keeper.as_ref().unwrap().followed();
    let mut apart = 0;
    for one in &members {
        let keeper = one.keeper.as_ref().unwrap();
        for other in &members {
            let same = followed(one) == followed(other);
            assert!(
                !same || !keeper.is_apart(followed(other)),
                "nobody is from itself"
            );
            let others = one.account != other.account && !same;
            apart += usize::from(others && keeper.is_apart(followed(other)));
        }
    }
    assert!(apart > 0, "the storm of this seed is calm: find another");
}

#[test]
fn all_devices_of_a_pair_come_to_the_same_state_in_a_storm() {
    let mut cases = Cases::default();
    for seed in seeds(3, 200) {
        cases.add(storm(seed, &[1, 2, 1, 2], 40));
    }
    for seed in seeds(1, 50) {
        cases.add(storm(1_000 + seed, &[1, 2, 1, 2, 1, 2], 40));
    }
    eprintln!("{cases:?}");
    assert!(cases.texts > 100 && cases.said_again > 10, "{cases:?}");
    assert!(
        cases.came > 0 && cases.went > 0 && cases.rewinds > 0,
        "{cases:?}"
    );
}

#[test]
fn devices_that_both_sides_add_at_once_both_come() {
    let mut village = Village::found_pair(1, &[1, 2]);
    for of in [1, 2] {
        let number = village.leaves.len();
        village.leaves.push(Leaf::new(number, account(of)));
    }
    village.add(0, 2);
    village.add(1, 3);
    village.say(0);
    village.say(1);
    village.settle();
    village.check(&[0, 1, 2, 3], &[]);
}

#[test]
fn a_revoked_device_wins_nothing_with_new_keys() {
    for seed in seeds(1, 30) {
        let mut village = Village::found_pair(seed, &[1, 2, 1]);
        let chain = raw_chain(&mut village.leaves[2], 5);
        // They come when the revocation is followed.
        village.cut_off.insert(2, village.now + 60_000);
        village.remove_leaf(0, 2);
        for commit in chain {
            village.send(2, vec![(super::To::All, super::Letter::Mls(commit))]);
        }
        village.say(1);
        village.settle();
        village.check(&[0, 1, 2], &[2]);
        assert_eq!(village.leaves[1].keeper.as_ref().unwrap().epoch(), 2 + 1);
    }
}

#[test]
fn a_revoked_device_wins_nothing_with_five_devices_of_its_own() {
    for seed in 0..if soak() { 30 } else { 1 } {
        let mut village = Village::found_pair(seed, &[1, 2, 1]);
        // It hears nothing of the revocation, and nobody hears of it, until it is strong.
        village.cut_off.insert(2, village.now + 60_000);
        for number in 10..15 {
            let package = Leaf::new(number, account(1)).package();
            village.wish(2, Wish::Add(package));
            village.run_for(3_000);
        }
        let members = village.leaves[2].with(|keeper, lent| keeper.members(lent));
        assert_eq!(members.unwrap().len(), 3 + 5, "made by itself");
        village.remove_leaf(0, 2);
        village.say(1);
        village.settle();
        village.check(&[0, 1, 2], &[2]);
        assert_eq!(village.leaves[1].keeper.as_ref().unwrap().epoch(), 2 + 1);
    }
}
