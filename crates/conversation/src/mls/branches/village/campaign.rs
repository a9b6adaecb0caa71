//! Whatever the weather, all come to the same state.

use super::{Letter, To, Village, Weather, account, policy, soak};
use crate::mls::branches::Wish;
use crate::mls::branches::tests::raw_chain;

/// Seeds; with `HUSHWING_SOAK=1` many more.
fn seeds(few: u64, many: u64) -> core::ops::Range<u64> {
    0..if soak() { many } else { few }
}

const STORM: Weather = Weather {
    lost: 20,
    twice: 20,
    slow: 3_000,
    crash: 10,
};

/// Random acts of the stewards and members of a group, in a storm.
fn storm(seed: u64, accounts: &[u8], stewards: u8, acts: u32) {
    eprintln!("storm {seed}");
    let mut village = Village::found(seed, accounts, stewards);
    village.weather = STORM;
    let leaves = accounts.len();
    let some = |village: &mut Village, bound: usize| village.chance.below(bound as u64) as usize;
    for act in 0..acts {
        let by = some(&mut village, leaves);
        if !village.leaves[by].member() {
            continue;
        }
        match village.chance.below(8) {
            0 | 1 => village.wish(by, policy(None, Some(&format!("name {act}")))),
            2 => village.wish(by, Wish::Refresh),
            3 => {
                let until = village.now + 5_000;
                village.cut_off.insert(by, until);
            }
            _ => village.say(by),
        }
        village.run_for(500);
    }
    village.settle();
    let all: Vec<_> = (0..leaves).collect();
    village.check(&all, &[]);
}

#[test]
fn all_leaves_come_to_the_same_state_in_a_storm() {
    for seed in seeds(3, 200) {
        storm(seed, &[1, 2, 3, 3], 2, 20);
    }
    for seed in seeds(1, 50) {
        storm(1_000 + seed, &[1, 2, 3, 4, 4, 5, 2, 1], 3, 25);
    }
    for seed in seeds(0, 10) {
        storm(2_000 + seed, &[1, 2, 3, 4, 4, 5, 2, 1, 3, 3, 5, 4], 4, 60);
    }
}

#[test]
fn a_steward_thrown_out_wins_nothing_with_five_commits() {
    for seed in seeds(1, 30) {
        let mut village = Village::found(seed, &[1, 2, 3, 4], 3);
        // Steward 2 hears nothing for a while, and makes a group of its own.
        village.cut_off.insert(1, village.now + 60_000);
        for name in ["a", "b", "c"] {
            village.wish(1, policy(None, Some(name)));
            village.run_for(3_000);
        }
        village.wish(1, Wish::Remove(account(3)));
        village.run_for(3_000);
        village.wish(1, policy(None, Some("mine")));
        village.wish(0, Wish::Remove(account(2)));
        village.say(2);
        village.settle();
        assert!(village.leaves[2].member());
        village.check(&[0, 1, 2, 3], &[1]);
        assert_eq!(name_of(&mut village, 0), "here");
    }
}

#[test]
fn a_member_thrown_out_wins_nothing_with_any_number_of_commits() {
    for seed in seeds(1, 30) {
        let mut village = Village::found(seed, &[1, 2, 3, 4], 2);
        let chain = raw_chain(&mut village.leaves[3], 5);
        village.wish(0, Wish::Remove(account(4)));
        for commit in chain {
            village.send(3, vec![(To::All, Letter::Mls(commit))]);
        }
        village.say(1);
        village.settle();
        village.check(&[0, 1, 2, 3], &[3]);
    }
}

#[test]
fn two_commits_of_one_leaf_to_one_state_split_nobody() {
    for seed in seeds(1, 30) {
        let mut village = Village::found(seed, &[1, 2, 3, 4, 5], 2);
        let one = raw_chain(&mut village.leaves[4], 1).remove(0);
        let other = raw_chain(&mut village.leaves[4], 1).remove(0);
        for (leaf, commit) in [(0, &one), (1, &one), (2, &other), (3, &other)] {
            village.send(4, vec![(To::One(leaf), Letter::Mls(commit.clone()))]);
        }
        village.calm();
        assert_ne!(village.followed(0), village.followed(2));
        for leaf in 0..4 {
            village.say(leaf);
        }
        village.calm();
        for leaf in 1..4 {
            assert_eq!(village.followed(leaf), village.followed(0));
        }
    }
}

#[test]
fn who_withholds_commits_holds_nobody_back() {
    for seed in seeds(1, 30) {
        let mut village = Village::found(seed, &[1, 2, 3, 4], 2);
        village.withheld = vec![(0, 3), (1, 3)];
        for name in ["a", "b"] {
            village.wish(0, policy(None, Some(name)));
            village.calm();
        }
        assert_ne!(village.followed(3), village.followed(0));
        village.say(2);
        village.calm();
        village.settle();
        village.check(&[0, 1, 2, 3], &[]);
        assert_eq!(name_of(&mut village, 3), "b");
    }
}

#[test]
fn garbage_and_repeats_change_nothing() {
    let mut village = Village::found(1, &[1, 2, 3], 2);
    village.weather = Weather {
        twice: 60,
        slow: 900,
        ..Weather::default()
    };
    village.wish(0, policy(None, Some("a")));
    village.wish(1, policy(None, Some("b")));
    for leaf in 0..3 {
        village.say(leaf);
    }
    for length in [0, 1, 40, 400] {
        let garbage = (0..length)
            .map(|_| village.chance.below(256) as u8)
            .collect();
        village.send(2, vec![(To::All, Letter::Mls(garbage))]);
    }
    let chain = raw_chain(&mut village.leaves[2], 1);
    for at in 0..chain[0].len() / 97 {
        let mut bent = chain[0].clone();
        bent[at * 97] ^= 1;
        village.send(2, vec![(To::All, Letter::Mls(bent))]);
    }
    village.settle();
    village.check(&[0, 1, 2], &[]);
}

fn name_of(village: &mut Village, leaf: usize) -> String {
    let policy = village.leaves[leaf].with(|keeper, lent| keeper.policy(lent));
    policy.unwrap().unwrap().name
}
