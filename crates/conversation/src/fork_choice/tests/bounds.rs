//! What many and hostile commits cost.

use std::collections::BTreeSet;

use super::super::{MAX_COMMITS, Refused, Shape, StateName, Tree, UnknownState};
use super::world::{World, account, bare, leaf, parent};

const ROOT: StateName = StateName([0; 32]);

/// Steward 1 at leaf 0, steward 2 at leaf 1, members 3 to 6 above.
fn group() -> World {
    World::new(parent(Shape::Group, 100, &[1, 2], &[1, 2, 3, 4, 5, 6]))
}

fn refuses(world: &World, on: StateName, committer: u32) -> Option<Refused> {
    let mut world = world.clone();
    let mut tree = world.tree.clone();
    let contents = bare(&world.states[&on], committer);
    world.tree = Tree::new(world.tree.state(&on).unwrap().clone());
    world.make(on, &contents, 77).unwrap();
    let (commit, child) = world.made.last().unwrap().clone();
    tree.insert(commit, child).err()
}

#[test]
fn a_chain_to_the_bound_is_followed_to_its_end_and_then_refused() {
    let mut world = group();
    let mut on = ROOT;
    for _ in 0..MAX_COMMITS {
        let contents = bare(&world.states[&on], 0);
        let hash = world.make(on, &contents, 0).unwrap();
        on = world.tree.commit(&hash).unwrap().child;
    }
    assert_eq!(world.tree.verdict().len(), MAX_COMMITS);
    assert_eq!(refuses(&world, on, 0), Some(Refused::Full));
    // What lies below can go, and there is room again.
    let later = world.tree.verdict()[0];
    let later = world.tree.commit(&later).unwrap().child;
    assert_eq!(world.tree.reroot(&later).unwrap().len(), 1);
    assert_eq!(refuses(&world, on, 0), None);
    assert_eq!(world.tree.reroot(&ROOT), Err(UnknownState));
    assert_eq!(world.tree.chain_to(&ROOT), Err(UnknownState));
}

/// Fills the tree with commits on the root by one leaf.
fn equivocate(world: &mut World, committer: u32) {
    let mut seed = 0;
    while world.tree.len() < MAX_COMMITS {
        let mut contents = bare(&world.states[&ROOT], committer);
        // Added devices make them differ beyond what seeds can.
        if world.tree.len() >= 250 {
            contents.added.push(contents.path.clone().unwrap());
            contents.added[0].renewed_at = None;
        }
        world.make(ROOT, &contents, seed).unwrap();
        seed = seed.wrapping_add(1);
    }
}

#[test]
fn one_leaf_with_many_commits_to_one_state_costs_one() {
    let mut world = group();
    equivocate(&mut world, 4);
    let verdict = world.tree.verdict();
    let dropped = world.tree.prune(&BTreeSet::new());
    assert_eq!((dropped.len(), world.tree.len()), (MAX_COMMITS - 1, 1));
    assert_eq!(world.tree.verdict(), verdict);
    assert_eq!(world.tree.prune(&BTreeSet::new()), []);
}

#[test]
fn an_account_that_builds_on_its_own_commits_makes_room_too() {
    let mut world = group();
    let mut seed = 0;
    while world.tree.len() < MAX_COMMITS {
        // A second device, and that one throws out the first: two by one account
        // for each of many first ones.
        let mut contents = bare(&world.states[&ROOT], 4);
        contents.added.push(leaf(5));
        let hash = world.make(ROOT, &contents, seed).unwrap();
        let on = world.tree.commit(&hash).unwrap().child;
        let mut contents = bare(&world.states[&on], 6);
        contents.removed.insert(4);
        world.make(on, &contents, seed).unwrap();
        seed += 1;
    }
    assert_eq!(world.tree.prune(&BTreeSet::new()), []);
    let verdict = world.tree.verdict();
    let dropped = room_for(&mut world, ROOT, 0);
    assert_eq!((dropped, world.tree.len()), (MAX_COMMITS - 2, 2));
    assert_eq!(world.tree.verdict(), verdict);
}

/// Makes room for a removal of leaf 2 by a leaf; tells how many went.
fn room_for(world: &mut World, on: StateName, committer: u32) -> usize {
    let mut contents = bare(&world.states[&on], committer);
    contents.removed.insert(2);
    let mut apart = world.clone();
    apart.tree = Tree::new(world.tree.state(&on).unwrap().clone());
    apart.make(on, &contents, 0).unwrap();
    let commit = apart.made.last().unwrap().0.clone();
    world
        .tree
        .room_for(&commit, MAX_COMMITS, &BTreeSet::new())
        .len()
}

#[test]
fn colluding_members_do_not_keep_a_removal_out() {
    let mut world = group();
    let mut seed = 0;
    // Two of them build on each other, so that no branch is of one alone.
    while world.tree.len() < MAX_COMMITS {
        let contents = bare(&world.states[&ROOT], 4);
        let hash = world.make(ROOT, &contents, seed).unwrap();
        let on = world.tree.commit(&hash).unwrap().child;
        let contents = bare(&world.states[&on], 5);
        world.make(on, &contents, seed).unwrap();
        seed += 1;
    }
    let followed = world.tree.verdict();
    let newest = world.tree.commit(&followed[0]).unwrap().child;
    for on in [ROOT, newest] {
        let mut world = world.clone();
        assert_eq!(room_for(&mut world, on, 1), 1);
        assert_eq!(world.tree.verdict(), followed);
        let mut removal = bare(&world.states[&on], 1);
        removal.removed.insert(2);
        let hash = world.make(on, &removal, 9).unwrap();
        assert!(world.tree.verdict().contains(&hash));
    }
}

#[test]
fn what_weighs_no_less_does_not_give_way() {
    let mut world = group();
    let mut seed = 0;
    while world.tree.len() < MAX_COMMITS {
        let mut contents = bare(&world.states[&ROOT], 0);
        contents.removed.insert(3);
        let hash = world.make(ROOT, &contents, seed).unwrap();
        let on = world.tree.commit(&hash).unwrap().child;
        let mut contents = bare(&world.states[&on], 1);
        contents.listed = Some(vec![account(1), account(2), account(3)]);
        world.make(on, &contents, seed).unwrap();
        seed += 1;
    }
    // The second steward's removal displaces none of his own policies, the first
    // steward's does.
    assert_eq!(room_for(&mut world.clone(), ROOT, 1), 0);
    assert_eq!(room_for(&mut world, ROOT, 0), 1);
}

#[test]
fn the_state_a_commit_stands_on_is_not_dropped_to_make_room() {
    let mut world = group();
    equivocate(&mut world, 4);
    let verdict = world.tree.verdict();
    let loser = world
        .made
        .iter()
        .find(|(commit, _)| commit.hash != verdict[0]);
    let on = loser.unwrap().0.child;
    room_for(&mut world, on, 0);
    assert!(world.tree.state(&on).is_some());
    assert_eq!(world.tree.len(), 2);
}
