//! Whatever the weather, all come to the same state.

use super::{Leaf, Letter, To, Village, Weather, account, rename, soak};
use crate::mls::branches::Wish;
use crate::mls::branches::tests::raw_chain;

/// Seeds; with `HUSHWING_SOAK=1` many more.
pub(super) fn seeds(few: u64, many: u64) -> core::ops::Range<u64> {
    0..if soak() { many } else { few }
}

pub(super) const STORM: Weather = Weather {
    lost: 20,
    twice: 20,
    slow: 3_000,
    crash: 10,
};

/// What there was to check in a storm.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cases {
    pub(super) texts: u32,
    pub(super) said_again: u32,
    pub(super) came: u32,
    pub(super) went: u32,
    pub(super) rewinds: usize,
}

impl Cases {
    pub(super) fn add(&mut self, other: Self) {
        self.texts += other.texts;
        self.said_again += other.said_again;
        self.came += other.came;
        self.went += other.went;
        self.rewinds += other.rewinds;
    }

    /// Notes what a village saw.
    pub(super) fn count(&mut self, village: &Village) {
        self.texts = village.texts_checked;
        self.said_again = village.texts_said_again;
        let rewinds = village.leaves.iter().flat_map(|leaf| &leaf.rewinds);
        self.rewinds = rewinds.filter(|far| **far > 0).count();
    }
}

/// Random acts of the stewards and members of a group, in a storm. People come and
/// go; `stewards` is more than one, and each of the first leaves is of another.
fn storm(seed: u64, accounts: &[u8], stewards: u8, acts: u32) -> Cases {
    eprintln!("storm {seed}");
    let mut village = Village::found(seed, accounts, stewards);
    let mut cases = Cases::default();
    // One who comes later.
    village.leaves.push(Leaf::new(accounts.len(), account(99)));
    village.weather = STORM;
    for act in 0..acts {
        let some = village.chance.below(village.leaves.len() as u64);
        let by = usize::try_from(some).unwrap();
        let steward = usize::try_from(village.chance.below(2)).unwrap();
        match village.chance.below(12) {
            0 | 1 if village.leaves[by].member() => {
                village.wish(by, rename(&format!("name {act}")));
            }
            2 if village.leaves[by].member() => village.wish(by, Wish::Refresh),
            3 => {
                let until = village.now + 5_000;
                village.cut_off.insert(by, until);
            }
            4 | 5 if !village.leaves[by].member() && village.leaves[steward].member() => {
                village.leaves[by].make_package();
                village.add(steward, by);
                cases.came += 1;
            }
            6 if village.leaves[steward].member() && by >= usize::from(stewards) => {
                let of = village.leaves[by].account.clone();
                village.wish(steward, Wish::Remove(of));
                cases.went += 1;
            }
            _ if village.leaves[by].member() => village.say(by),
            _ => {}
        }
        village.run_for(500);
    }
    village.settle();
    village.go_on();
    village.check_all();
    cases.count(&village);
    cases
}

#[test]
fn all_leaves_come_to_the_same_state_in_a_storm() {
    let mut cases = Cases::default();
    for seed in seeds(3, 200) {
        cases.add(storm(seed, &[1, 2, 3, 3], 2, 30));
    }
    for seed in seeds(1, 50) {
        cases.add(storm(1_000 + seed, &[1, 2, 3, 4, 4, 5, 2, 1], 3, 25));
    }
    for seed in seeds(0, 10) {
        let accounts = [1, 2, 3, 4, 4, 5, 2, 1, 3, 3, 5, 4];
        cases.add(storm(2_000 + seed, &accounts, 4, 60));
    }
    eprintln!("{cases:?}");
    assert!(cases.texts > 100 && cases.said_again > 10, "{cases:?}");
    assert!(
        cases.came > 0 && cases.went > 0 && cases.rewinds > 0,
        "{cases:?}"
    );
}

/// It follows one more commit there before it hears of the others, and a second
/// Welcome to that branch that comes late takes another leaf there.
#[test]
fn who_was_welcomed_to_a_branch_that_lost_comes_back_once_the_others_are_ahead() {
    storm(65, &[1, 2, 3, 3], 2, 30);
}

#[test]
fn a_steward_thrown_out_wins_nothing_with_five_commits() {
    for seed in seeds(1, 30) {
        let mut village = Village::found(seed, &[1, 2, 3, 4], 3);
        // Steward 2 hears nothing for a while, and makes a group of its own.
        village.cut_off.insert(1, village.now + 60_000);
        for name in ["a", "b", "c"] {
            village.wish(1, rename(name));
            village.run_for(3_000);
        }
        village.wish(1, Wish::Remove(account(3)));
        village.run_for(3_000);
        village.wish(1, rename("mine"));
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
            village.wish(0, rename(name));
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
    village.wish(0, rename("a"));
    village.wish(1, rename("b"));
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
