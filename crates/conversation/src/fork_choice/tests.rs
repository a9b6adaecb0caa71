//! The choice as stories, and what holds of every tree.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// Leaves 0 to 2 are stewards in this order, 3 to 5 are members.
const STEWARDS: u32 = 3;
const LEAVES: u32 = 6;
const ROOT: u8 = 0;

fn state(number: u8) -> StateName {
    StateName([number; 32])
}

/// Commit `number` of `leaf` on `parent`, which leads to state `number`.
fn commit(number: u8, parent: u8, leaf: u32, class: Class) -> Commit {
    Commit {
        hash: CommitHash([number; 32]),
        parent: state(parent),
        child: state(number),
        committer: Leaf(leaf),
        standing: match u16::try_from(leaf) {
            Ok(place) if leaf < STEWARDS => Standing::Steward(place),
            _ => Standing::Member,
        },
        class,
        removed: BTreeSet::new(),
        demoted: BTreeSet::new(),
    }
}

fn removal(number: u8, parent: u8, leaf: u32, removed: u32) -> Commit {
    Commit {
        removed: BTreeSet::from([Leaf(removed)]),
        ..commit(number, parent, leaf, Class::Removal)
    }
}

fn demotion(number: u8, parent: u8, leaf: u32, demoted: u32) -> Commit {
    Commit {
        demoted: BTreeSet::from([Leaf(demoted)]),
        ..commit(number, parent, leaf, Class::Policy)
    }
}

fn forks(commits: &[Commit]) -> Forks {
    let mut forks = Forks::new(state(ROOT));
    for commit in commits {
        assert_eq!(forks.add(commit.clone()), Ok(()));
    }
    forks
}

/// The numbers of the commits to follow.
fn verdict(commits: &[Commit]) -> Vec<u8> {
    let hashes = forks(commits).verdict();
    hashes.into_iter().map(|hash| hash.0[0]).collect()
}

#[test]
fn without_commits_one_stays() {
    assert_eq!(verdict(&[]), [0_u8; 0]);
}

#[test]
fn the_longer_branch_is_followed() {
    let commits = [
        commit(1, ROOT, 0, Class::Membership),
        commit(2, ROOT, 1, Class::Update),
        commit(3, 2, 0, Class::Update),
    ];
    assert_eq!(verdict(&commits), [2, 3]);
}

#[test]
fn keys_renewed_out_of_turn_make_no_branch_longer() {
    let commits = [
        commit(1, ROOT, 1, Class::Update),
        commit(2, ROOT, 3, Class::SelfUpdate),
        commit(3, 2, 4, Class::SelfUpdate),
        commit(4, 3, 0, Class::SelfUpdate),
    ];
    assert_eq!(verdict(&commits), [1]);
}

#[test]
fn length_beyond_the_horizon_does_not_count() {
    let mut commits = vec![commit(1, ROOT, 0, Class::Membership)];
    commits.extend((2..6).map(|n| commit(n, n - 1, 0, Class::Update)));
    let mut parent = ROOT;
    for number in 10..18 {
        commits.push(commit(number, parent, 0, Class::Update));
        parent = number;
    }
    assert_eq!(verdict(&commits), [1, 2, 3, 4, 5]);
}

#[test]
fn a_removal_beats_any_length() {
    let commits = [
        commit(1, ROOT, 0, Class::Update),
        commit(2, 1, 0, Class::Membership),
        commit(3, 2, 0, Class::Update),
        removal(4, ROOT, 2, 5),
    ];
    assert_eq!(verdict(&commits), [4]);
}

#[test]
fn the_higher_stewards_policy_beats_the_lower_ones_removal() {
    let commits = [
        removal(1, ROOT, 1, 5),
        commit(2, ROOT, 0, Class::Policy),
        commit(3, 1, 1, Class::Update),
    ];
    assert_eq!(verdict(&commits), [2]);
}

#[test]
fn what_a_removed_leaf_made_beside_its_removal_falls_with_what_stands_on_it() {
    let commits = [
        removal(1, ROOT, 1, 2),
        // The removed steward removes somebody, and the first steward, who has
        // not seen the removal, builds on that.
        removal(2, ROOT, 2, 5),
        commit(3, 2, 0, Class::Policy),
    ];
    assert_eq!(verdict(&commits), [1]);
}

#[test]
fn what_a_removed_leaf_made_before_its_removal_stays() {
    let commits = [
        commit(1, ROOT, 2, Class::Membership),
        removal(2, 1, 0, 2),
        commit(3, ROOT, 1, Class::Membership),
    ];
    assert_eq!(verdict(&commits), [1, 2]);
}

#[test]
fn of_stewards_who_remove_each_other_the_higher_is_right() {
    let commits = [
        removal(1, ROOT, 2, 1),
        commit(2, 1, 2, Class::Update),
        removal(3, ROOT, 1, 2),
    ];
    assert_eq!(verdict(&commits), [3]);
    let from_the_lower_only = &commits[..2];
    assert_eq!(verdict(from_the_lower_only), [1, 2]);
}

#[test]
fn who_was_removed_by_a_higher_steward_cannot_remove_a_third() {
    let commits = [
        removal(1, ROOT, 0, 1),
        removal(2, ROOT, 1, 2),
        removal(3, 1, 2, 5),
        commit(4, ROOT, 2, Class::Policy),
    ];
    // 2 falls by 1, and so does not fell 4; 1 has the first steward's weight.
    assert_eq!(verdict(&commits), [1, 3]);
}

#[test]
fn a_demoted_steward_cannot_remove_who_demoted_him() {
    let commits = [demotion(1, ROOT, 0, 1), removal(2, ROOT, 1, 0)];
    assert_eq!(verdict(&commits), [1]);
}

#[test]
fn a_demoted_steward_may_still_renew_keys() {
    let mut update = commit(2, 1, 1, Class::SelfUpdate);
    update.standing = Standing::Member;
    let commits = [demotion(1, ROOT, 0, 1), update];
    assert_eq!(verdict(&commits), [1, 2]);
}

#[test]
fn class_then_standing_then_hash_decide_between_equals() {
    let membership = commit(9, ROOT, 1, Class::Membership);
    let update = commit(2, ROOT, 0, Class::Update);
    assert_eq!(verdict(&[membership.clone(), update]), [9]);
    let first = commit(8, ROOT, 0, Class::Membership);
    assert_eq!(verdict(&[membership, first.clone()]), [8]);
    assert_eq!(
        verdict(&[first, commit(7, ROOT, 0, Class::Membership)]),
        [7]
    );
}

#[test]
fn a_commit_that_stands_on_nothing_known_waits_for_it() {
    let later = commit(2, 1, 0, Class::Policy);
    assert_eq!(verdict(core::slice::from_ref(&later)), [0_u8; 0]);
    let commits = [later, commit(1, ROOT, 1, Class::Update)];
    assert_eq!(verdict(&commits), [1, 2]);
}

#[test]
fn two_commits_to_one_state_are_not_taken() {
    let mut forks = forks(&[commit(1, ROOT, 0, Class::Update)]);
    let again = commit(1, ROOT, 0, Class::Update);
    assert_eq!(forks.add(again), Err(NotTaken::Known));
    let mut forged = commit(2, ROOT, 1, Class::Policy);
    forged.child = state(1);
    assert_eq!(forks.add(forged.clone()), Err(NotTaken::SameState));
    forged.child = state(ROOT);
    assert_eq!(forks.add(forged), Err(NotTaken::SameState));
}

#[test]
fn commits_in_a_circle_end() {
    let commits = [
        commit(1, 3, 0, Class::Update),
        commit(2, 1, 0, Class::Update),
        commit(3, 2, 0, Class::Update),
        removal(4, ROOT, 1, 0),
    ];
    assert_eq!(verdict(&commits), [4]);
}

/// What some leaf does somewhere.
#[derive(Clone, Debug)]
struct Act {
    parent: Index,
    leaf: u32,
    class: Class,
    target: u32,
}

fn act() -> impl Strategy<Value = Act> {
    let class = prop_oneof![
        Just(Class::Removal),
        Just(Class::Policy),
        Just(Class::Membership),
        Just(Class::Update),
        Just(Class::SelfUpdate),
    ];
    (any::<Index>(), 0..LEAVES, class, 0..LEAVES).prop_map(|(parent, leaf, class, target)| Act {
        parent,
        leaf,
        class,
        target,
    })
}

impl Act {
    /// The act as a commit on one of `parents`; members can only renew keys.
    fn on(&self, number: u8, parents: &[u8]) -> Commit {
        let parent = parents[self.parent.index(parents.len())];
        match self.class {
            _ if self.leaf >= STEWARDS => commit(number, parent, self.leaf, Class::SelfUpdate),
            Class::Removal if self.target != self.leaf => {
                removal(number, parent, self.leaf, self.target)
            }
            Class::Policy if self.target != self.leaf => {
                demotion(number, parent, self.leaf, self.target)
            }
            Class::Removal => commit(number, parent, self.leaf, Class::Update),
            class => commit(number, parent, self.leaf, class),
        }
    }
}

/// A tree of at most `most` commits, numbered from `first`.
fn tree(acts: &[Act]) -> Vec<Commit> {
    let (mut commits, mut states) = (Vec::new(), vec![ROOT]);
    for (number, act) in (1..).zip(acts) {
        commits.push(act.on(number, &states));
        states.push(number);
    }
    commits
}

fn states_above(commits: &[Commit], number: u8) -> BTreeSet<u8> {
    let above = forks(commits).above(state(number));
    above.into_iter().map(|state| state.0[0]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_order_of_arrival_does_not_matter(
        (commits, shuffled) in prop::collection::vec(act(), 0..15)
            .prop_map(|acts| tree(&acts))
            .prop_flat_map(|commits| (Just(commits.clone()), Just(commits).prop_shuffle())),
    ) {
        prop_assert_eq!(verdict(&commits), verdict(&shuffled));
    }

    /// Beside the first steward's removal of leaf 1, nothing that leaf 1 makes
    /// changes what is followed.
    #[test]
    fn who_is_removed_wins_with_nothing(
        acts in prop::collection::vec(act(), 0..10),
        made in prop::collection::vec(act(), 1..6),
        at in any::<Index>(),
    ) {
        let mut commits = tree(&acts);
        commits.retain(|commit| commit.committer != Leaf(1));
        // First of the first steward's judgements, by its hash.
        commits.iter_mut().for_each(|commit| commit.hash.0[1] = 1);
        let mut states: Vec<u8> = states_above(&commits, ROOT).into_iter().collect();
        states.push(ROOT);
        let mut first = removal(100, states[at.index(states.len())], 0, 1);
        first.hash = CommitHash([0; 32]);
        commits.push(first);
        let before = verdict(&commits);

        let above = states_above(&commits, 100);
        states.retain(|number| !above.contains(number));
        for (number, act) in (101..).zip(&made) {
            let act = Act { leaf: 1, ..act.clone() };
            // Not on what the removal stands on: that would be before it.
            commits.push(act.on(number, &states));
            states.push(number);
        }
        prop_assert_eq!(verdict(&commits), before);
    }

    /// Only the first steward's removal is sure to be followed, wherever it is.
    #[test]
    fn the_first_stewards_only_removal_is_followed(
        acts in prop::collection::vec(act(), 0..12),
        at in any::<Index>(),
    ) {
        let mut commits = tree(&acts);
        for commit in commits.iter_mut().filter(|commit| commit.committer == Leaf(0)) {
            commit.class = Class::Update;
            commit.removed.clear();
            commit.demoted.clear();
        }
        let upright = forks(&commits).upright();
        let mut states: Vec<u8> = upright.iter().map(|state| state.0[0]).collect();
        states.push(ROOT);
        commits.push(removal(100, states[at.index(states.len())], 0, 5));
        let forks = forks(&commits);
        // It may stand on what it fells.
        if forks.upright().contains(&state(100)) {
            prop_assert!(verdict(&commits).contains(&100));
        }
    }

    /// Whoever is not removed on the branch that is followed loses no more than
    /// what stood on others' fallen commits or on a worse branch: the verdict
    /// ends only where nothing upright follows.
    #[test]
    fn a_verdict_ends_where_nothing_follows(acts in prop::collection::vec(act(), 0..15)) {
        let commits = tree(&acts);
        let forks = forks(&commits);
        let upright = forks.upright();
        let tip = verdict(&commits).last().map_or(ROOT, |number| *number);
        prop_assert!(forks.on(state(tip)).all(|next| !upright.contains(&next.child)));
    }
}
