//! The choice as stories: who did what, and what is followed.

use std::collections::BTreeSet;

use super::super::rules::{Contents, Leaf, Parent};
use super::super::{Refused, Shape, State, StateName, Tree};
use super::thieves;
use super::world::{World, account, bare, leaf, parent};

/// Stewards 1, 2 and 3 at leaves 3, 2 and 1, members 4 and 5 with two devices
/// each: leaves 0 and 4, 5 and 6.
fn group() -> World {
    let root = parent(Shape::Group, 100, &[1, 2, 3], &[4, 3, 2, 1, 4, 5, 5]);
    World::new(root)
}

/// The numbers of the hashes that are followed.
fn verdict(world: &World) -> Vec<u8> {
    world.tree.verdict().iter().map(|hash| hash.0[0]).collect()
}

/// Who commits, on what, with which number for hash and child.
struct By(u8, StateName, u8);

impl By {
    fn make(&self, world: &mut World, change: impl FnOnce(&Parent, &mut Contents)) -> StateName {
        let Self(who, on, hash) = *self;
        let state = &world.states[&on];
        let mut devices = state.leaves.iter();
        let device = devices.find(|(_, leaf)| leaf.account == account(who));
        let mut contents = bare(state, *device.unwrap().0);
        change(state, &mut contents);
        world.make_as(on, &contents, hash)
    }

    fn removes(&self, world: &mut World, whom: u8) -> StateName {
        self.make(world, |state, commit| {
            let leaves = state.leaves.iter();
            let leaves = leaves.filter(|(_, leaf)| leaf.account == account(whom));
            commit.removed = leaves.map(|(index, _)| *index).collect();
        })
    }

    fn lists(&self, world: &mut World, stewards: &[u8]) -> StateName {
        self.make(world, |_, commit| {
            commit.listed = Some(stewards.iter().map(|number| account(*number)).collect());
        })
    }

    fn adds(&self, world: &mut World, whom: u8) -> StateName {
        self.make(world, |_, commit| commit.added.push(leaf(whom)))
    }

    fn refreshes(&self, world: &mut World) -> StateName {
        self.make(world, |_, _| ())
    }

    /// All other devices of the account, from its first or its last one.
    fn keeps_one_device(&self, world: &mut World, first: bool) -> StateName {
        self.make(world, |state, commit| {
            let leaves = state.leaves.iter();
            let own = leaves.filter(|(_, leaf)| leaf.account == account(self.0));
            let own: Vec<_> = own.map(|(index, _)| *index).collect();
            let kept = if first { own.first() } else { own.last() };
            commit.committer = *kept.unwrap();
            commit.removed = own.iter().copied().collect();
            commit.removed.remove(&commit.committer);
        })
    }
}

const ROOT: StateName = StateName([0; 32]);

/// Stories that the second model is told too.
pub(super) fn told() -> Vec<(&'static str, World)> {
    vec![
        ("act far above", act_far_above()),
        ("two branches of the first", two_branches_of_the_first()),
        ("court of a removed steward", court_of_a_removed_steward()),
        ("leaf used again", leaf_used_again()),
        ("devices against each other", devices_against_each_other()),
        ("reordered", reordered()),
    ]
    .into_iter()
    .chain(thieves::told())
    .collect()
}

fn act_far_above() -> World {
    // From 1 on, the first steward's act at the end is followed rather than the
    // second steward's removal of the third. Seen from the root that act is the
    // sixth commit; if only five were asked, the third would come back by 20.
    let mut world = group();
    let first = By(3, ROOT, 1).adds(&mut world, 101);
    By(2, first, 2).removes(&mut world, 3);
    let mut on = first;
    for step in 3..7 {
        on = By(2, on, step).adds(&mut world, 100 + step);
    }
    By(1, on, 7).lists(&mut world, &[1, 2, 3]);
    By(3, ROOT, 20).removes(&mut world, 5);
    world
}

fn two_branches_of_the_first() -> World {
    // The first steward acted on both branches. On the one the second removed the
    // third, who answers on the other with as many commits as he likes.
    let mut world = group();
    let on = By(1, ROOT, 1).lists(&mut world, &[1, 2, 3, 4]);
    By(2, on, 2).removes(&mut world, 3);
    let mut on = By(1, ROOT, 3).lists(&mut world, &[1, 2, 3]);
    for step in 4..9 {
        on = By(3, on, step).adds(&mut world, 100 + step);
    }
    By(3, on, 9).removes(&mut world, 5);
    world
}

fn court_of_a_removed_steward() -> World {
    let mut world = group();
    By(2, ROOT, 1).removes(&mut world, 3);
    // He makes himself a court, which removes and appoints in its turn.
    let on = By(3, ROOT, 2).lists(&mut world, &[1, 2, 3, 5]);
    let on = By(3, on, 3).removes(&mut world, 4);
    let on = By(5, on, 4).adds(&mut world, 101);
    let on = By(3, on, 5).lists(&mut world, &[1, 2, 101, 5]);
    By(101, on, 6).removes(&mut world, 5);
    world
}

fn leaf_used_again() -> World {
    // 2 removes 4 and adds 101 at its leaf 0. What 101 does is not 4's, and what
    // 4 does beside is not 101's.
    let mut world = group();
    let on = By(2, ROOT, 1).removes(&mut world, 4);
    let on = By(2, on, 2).adds(&mut world, 101);
    assert_eq!(world.states[&on].leaves[&0].account, account(101));
    By(101, on, 3).refreshes(&mut world);
    let on = By(4, ROOT, 4).refreshes(&mut world);
    By(3, on, 5).adds(&mut world, 102);
    world
}

fn devices_against_each_other() -> World {
    let mut world = group();
    By(4, ROOT, 9).keeps_one_device(&mut world, true);
    By(4, ROOT, 1).keeps_one_device(&mut world, false);
    world
}

fn reordered() -> World {
    // Once the first steward reordered the others, the third ranks above the
    // second there; beside it he does not.
    let mut world = group();
    let on = By(1, ROOT, 1).lists(&mut world, &[1, 3, 2]);
    By(2, on, 2).removes(&mut world, 4);
    By(3, on, 3).removes(&mut world, 2);
    world
}

#[test]
fn without_commits_one_stays() {
    assert_eq!(verdict(&group()), [0_u8; 0]);
    assert_eq!(group().tree.tip(), ROOT);
}

#[test]
fn the_longer_branch_is_followed() {
    let mut world = group();
    By(1, ROOT, 1).adds(&mut world, 101);
    let on = By(2, ROOT, 2).adds(&mut world, 101);
    By(3, on, 3).adds(&mut world, 102);
    assert_eq!(verdict(&world), [2, 3]);
}

#[test]
fn new_keys_and_members_own_devices_make_no_branch_longer() {
    let mut world = group();
    By(2, ROOT, 1).adds(&mut world, 101);
    let on = By(1, ROOT, 2).refreshes(&mut world);
    let on = By(4, on, 3).adds(&mut world, 4);
    let on = By(5, on, 4).adds(&mut world, 5);
    By(1, on, 5).refreshes(&mut world);
    assert_eq!(verdict(&world), [1]);
}

#[test]
fn length_counts_to_the_horizon() {
    let mut world = group();
    let mut tips = [ROOT, ROOT];
    for step in 0..6 {
        tips[0] = By(1, tips[0], 1 + step).adds(&mut world, 101 + step);
        tips[1] = By(2, tips[1], 11 + step).adds(&mut world, 101 + step);
    }
    By(2, tips[1], 30).adds(&mut world, 120);
    assert_eq!(verdict(&world), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_removal_beats_any_length() {
    let mut world = group();
    let mut on = ROOT;
    for step in 1..8 {
        on = By(1, on, step).adds(&mut world, 100 + step);
    }
    By(3, ROOT, 9).removes(&mut world, 5);
    assert_eq!(verdict(&world), [9]);
}

#[test]
fn an_act_deep_in_a_branch_protects_all_of_it() {
    let mut world = group();
    let mut on = ROOT;
    for step in 1..8 {
        on = By(3, on, step).adds(&mut world, 100 + step);
    }
    By(1, on, 8).removes(&mut world, 5);
    By(2, ROOT, 9).removes(&mut world, 4);
    assert_eq!(verdict(&world), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn what_is_followed_later_protects_from_farther_below() {
    let world = act_far_above();
    assert_eq!(verdict(&world), [1, 3, 4, 5, 6, 7]);
}

#[test]
fn who_acts_besides_the_highest_counts_too() {
    let world = two_branches_of_the_first();
    assert_eq!(verdict(&world), [1, 2]);
}

#[test]
fn a_removed_steward_does_not_come_back_by_going_on() {
    let world = court_of_a_removed_steward();
    assert_eq!(verdict(&world), [1]);
}

#[test]
fn a_fallen_judge_does_not_judge() {
    // 2 demotes 3. What 3 does beside it, even the removal of a third, is gone;
    // with it nobody falls who acted on the branch that is followed.
    let mut world = group();
    let on = By(2, ROOT, 1).lists(&mut world, &[1, 2]);
    By(3, ROOT, 2).removes(&mut world, 5);
    By(5, on, 3).refreshes(&mut world);
    assert_eq!(verdict(&world), [1, 3]);
}

#[test]
fn what_only_an_unfollowed_branch_holds_decides_nothing() {
    // 1's act stands on a branch that 1's other act keeps from being followed,
    // so the one fork cannot carry it into the other.
    let mut world = group();
    let left = By(3, ROOT, 1).adds(&mut world, 101);
    By(2, left, 2).removes(&mut world, 5);
    By(3, left, 3).removes(&mut world, 4);
    By(2, ROOT, 4).removes(&mut world, 4);
    // At the root the judges of both are {2}: 3's removal of 4 is not on the path.
    assert_eq!(verdict(&world), [1, 2]);
    By(2, ROOT, 5).removes(&mut world, 5);
    assert_eq!(verdict(&world), [1, 2]);
}

#[test]
fn a_leaf_used_again_is_somebody_else() {
    let world = leaf_used_again();
    assert_eq!(verdict(&world), [1, 2, 3]);
}

#[test]
fn the_rank_is_that_of_the_state_forked_from() {
    let world = reordered();
    assert_eq!(verdict(&world), [1, 3]);
}

#[test]
fn whom_a_path_makes_a_steward_judges_nothing_where_it_begins() {
    let mut world = group();
    let on = By(2, ROOT, 1).lists(&mut world, &[1, 2, 3, 5]);
    By(5, on, 2).removes(&mut world, 4);
    let on = By(2, ROOT, 3).lists(&mut world, &[1, 2, 3]);
    let on = By(2, on, 4).adds(&mut world, 101);
    By(2, on, 5).adds(&mut world, 102);
    assert_eq!(verdict(&world), [3, 4, 5]);
}

#[test]
fn a_ground_name_wins_against_its_own_maker_only() {
    let mut world = group();
    By(3, ROOT, 9).adds(&mut world, 101);
    By(3, ROOT, 1).adds(&mut world, 102);
    assert_eq!(verdict(&world), [1]);
    By(2, ROOT, 200).adds(&mut world, 103);
    assert_eq!(verdict(&world), [200]);
    By(5, ROOT, 2).refreshes(&mut world);
    assert_eq!(verdict(&world), [200]);
}

#[test]
fn a_commit_sealed_anew_changes_nothing() {
    let mut world = group();
    By(5, ROOT, 4).refreshes(&mut world);
    let chosen = By(5, ROOT, 3).make(&mut world, |_, commit| commit.committer = 5);
    assert_eq!(world.tree.tip(), chosen);
    // Others got it under another hash first.
    let (mut commit, state) = world.made.pop().unwrap();
    commit.hash.0 = [9; 32];
    assert_eq!(
        world.tree.insert(commit.clone(), state.clone()),
        Err(Refused::SameState)
    );
    let mut tree = Tree::new(world.tree.state(&ROOT).unwrap().clone());
    let (other, its_state) = world.made.pop().unwrap();
    assert_eq!(tree.insert(other, its_state), Ok(()));
    assert_eq!(tree.insert(commit, state), Ok(()));
    assert_eq!(tree.tip(), chosen);
}

#[test]
fn between_equal_members_the_lower_leaf_and_not_the_name_decides() {
    let mut world = group();
    By(5, ROOT, 1).refreshes(&mut world);
    By(4, ROOT, 9).refreshes(&mut world);
    assert_eq!(verdict(&world), [9]);
}

#[test]
fn class_and_rank_decide_between_equals() {
    let mut world = group();
    By(2, ROOT, 5).lists(&mut world, &[1, 2, 3]);
    By(2, ROOT, 9).removes(&mut world, 4);
    assert_eq!(verdict(&world), [9]);
    let mut world = group();
    By(2, ROOT, 5).adds(&mut world, 101);
    By(1, ROOT, 9).adds(&mut world, 102);
    assert_eq!(verdict(&world), [9]);
}

#[test]
fn a_stolen_device_is_thrown_out_by_its_account() {
    let mut world = group();
    By(4, ROOT, 5).keeps_one_device(&mut world, true);
    // The thief goes on, and stewards who know no better build on it.
    let on = By(4, ROOT, 1).make(&mut world, |_, commit| {
        commit.committer = 4;
        commit.path = Some(Leaf {
            renewed_at: Some(100),
            ..leaf(4)
        });
    });
    let on = By(1, on, 2).adds(&mut world, 101);
    By(2, on, 3).adds(&mut world, 102);
    assert_eq!(verdict(&world), [5]);
    // A steward's act is more than a device thrown out.
    By(3, on, 4).removes(&mut world, 5);
    assert_eq!(verdict(&world), [1, 2, 4]);
}

#[test]
fn of_two_devices_that_throw_each_other_out_the_older_leaf_stays() {
    let world = devices_against_each_other();
    assert_eq!(verdict(&world), [9]);
}

#[test]
fn beside_an_act_a_device_thrown_out_decides_nothing() {
    let mut world = group();
    let on = By(1, ROOT, 1).lists(&mut world, &[1, 2, 3]);
    By(4, on, 2).keeps_one_device(&mut world, true);
    let on = By(1, ROOT, 3).lists(&mut world, &[1, 2]);
    By(2, on, 4).adds(&mut world, 101);
    assert_eq!(verdict(&world), [3, 4]);
}

#[test]
fn a_pair_follows_who_is_in_turn() {
    let root = parent(Shape::Pair, 100, &[], &[1, 2, 2]);
    let mut world = World::new(root);
    By(2, ROOT, 1).refreshes(&mut world);
    let on = By(1, ROOT, 9).refreshes(&mut world);
    assert_eq!(verdict(&world), [9]);
    By(2, on, 10).refreshes(&mut world);
    assert_eq!(verdict(&world), [9, 10]);
    By(2, ROOT, 11).keeps_one_device(&mut world, true);
    assert_eq!(verdict(&world), [11]);
}

#[test]
fn what_does_not_fit_the_tree_is_refused() {
    let mut world = group();
    let child = By(1, ROOT, 1).adds(&mut world, 101);
    let (commit, state) = world.made[0].clone();
    let mut tree = Tree::new(world.tree.state(&ROOT).unwrap().clone());
    let mut early = commit.clone();
    early.parent = StateName([7; 32]);
    let unknown = Err(Refused::UnknownParent(StateName([7; 32])));
    assert_eq!(tree.insert(early, state.clone()), unknown);
    let other = State {
        name: StateName([8; 32]),
        ..state.clone()
    };
    assert_eq!(tree.insert(commit.clone(), other), Err(Refused::Mismatch));
    let pair = State {
        shape: Shape::Pair,
        ..state.clone()
    };
    assert_eq!(tree.insert(commit.clone(), pair), Err(Refused::Mismatch));
    assert_eq!(tree.len(), 0);

    assert_eq!(tree.insert(commit.clone(), state.clone()), Ok(()));
    assert_eq!(
        tree.insert(commit.clone(), state.clone()),
        Err(Refused::Known)
    );
    let mut twin = commit;
    twin.hash.0[0] = 2;
    assert_eq!(
        tree.insert(twin.clone(), state.clone()),
        Err(Refused::SameState)
    );
    twin.child = ROOT;
    let root = State {
        name: ROOT,
        ..state
    };
    assert_eq!(tree.insert(twin, root), Err(Refused::SameState));
    assert_eq!(
        tree.beginning(child.short()).collect::<BTreeSet<_>>(),
        BTreeSet::from([child])
    );
    assert_eq!(tree.beginning([9; 8]).next(), None);
}
