//! Stories of a device that is in other hands, and was thrown out for it: what it does
//! in the states that it kept.

use super::super::rules::Parent;
use super::super::{Shape, StateName};
use super::acts::devices;
use super::world::{World, bare, leaf, parent};

const ROOT: StateName = StateName([0; 32]);
/// The device in other hands: the last of three.
const THIEF: u32 = 3;

/// What a device does.
#[derive(Clone, Copy, Debug)]
enum Act {
    Refresh,
    Device,
    RemoveAll,
}
use Act::{Device, Refresh, RemoveAll};

/// What it answers with, one commit upon the other.
const ANSWERS: [&[Act]; 5] = [
    &[RemoveAll],
    &[Device, RemoveAll],
    &[Refresh, RemoveAll],
    &[RemoveAll, Device, Refresh, Device, Refresh, Device, Refresh],
    &[Device, Refresh, Device, Refresh, RemoveAll],
];

/// A tree in which commits and the states they lead to are numbered.
struct Story {
    world: World,
    next: u8,
}

impl Story {
    fn new(root: Parent) -> Self {
        Self {
            world: World::new(root),
            next: 1,
        }
    }

    fn removes(&mut self, on: StateName, by: u32, whom: &[u32]) -> StateName {
        let mut commit = bare(&self.world.states[&on], by);
        commit.removed.extend(whom);
        self.next += 1;
        self.world.make_as(on, &commit, self.next)
    }

    fn does(&mut self, on: StateName, by: u32, act: Act) -> StateName {
        let state = &self.world.states[&on];
        let mut commit = bare(state, by);
        let account = &state.leaves[&by].account;
        match act {
            Refresh => {}
            Device => commit.added.push(super::super::rules::Leaf {
                account: account.clone(),
                renewed_at: None,
                changed_at: None,
            }),
            RemoveAll => {
                let own = state.leaves.iter();
                let own = own.filter(|(index, leaf)| **index != by && leaf.account == *account);
                commit.removed = own.map(|(index, _)| *index).collect();
            }
        }
        self.next += 1;
        self.world.make_as(on, &commit, self.next)
    }

    fn all(&mut self, on: StateName, by: u32, acts: &[Act]) -> StateName {
        acts.iter().fold(on, |on, act| self.does(on, by, *act))
    }

    fn follows(&self, state: StateName) -> bool {
        let below = self.world.tree.chain_to(&self.world.tree.tip());
        below.unwrap().iter().any(|hash| hash.0 == state.0)
    }
}

/// Stories that the second model is told too.
pub(super) fn told() -> Vec<(&'static str, World)> {
    let (device, _) = thrown_out(devices(), &[THIEF], 0, 0, ANSWERS[1]);
    let (pair, _) = thrown_out(pair(), &[1], 0, 0, ANSWERS[3]);
    vec![
        ("thrown out device", device.world),
        ("thrown out of a pair", pair.world),
        ("place taken again", place_taken_again().0.world),
        ("in place of a device", brought_back_beside().0.world),
        ("answered by acts", answered_by_acts().0.world),
        ("a creature acts", creature_acts().0.world),
    ]
}

/// Account 1 with leaves 0, 1 and 3, account 2 with leaf 2.
fn pair() -> Parent {
    parent(Shape::Pair, 100, &[], &[1, 1, 2, 1])
}

/// The leaves `before` renew their keys one after the other; then `by` throws the thief
/// out, which answers in the state after `kept` of them. Tells the state after the
/// removal.
fn thrown_out(
    root: Parent,
    before: &[u32],
    by: u32,
    kept: usize,
    answer: &[Act],
) -> (Story, StateName) {
    let mut story = Story::new(root);
    let mut states = vec![ROOT];
    for leaf in before {
        let on = *states.last().unwrap();
        // Whoever is too early in a pair lets a device in.
        let refresh = bare(&story.world.states[&on], *leaf);
        let early = super::super::rules::check(&story.world.states[&on], &refresh).is_err();
        states.push(story.does(on, *leaf, if early { Device } else { Refresh }));
    }
    let out = story.removes(*states.last().unwrap(), by, &[THIEF]);
    story.all(states[kept], THIEF, answer);
    (story, out)
}

#[test]
fn whatever_a_thrown_out_device_does_in_a_state_it_kept_it_stays_out() {
    for root in [devices, pair] {
        for before in [
            &[THIEF][..],
            &[0],
            &[1, THIEF],
            &[THIEF, 1, THIEF, 0, THIEF],
        ] {
            for (by, answer) in [0, 1]
                .into_iter()
                .flat_map(|by| ANSWERS.map(|one| (by, one)))
            {
                for kept in 0..=before.len() {
                    // In a pair keys are renewed in turn.
                    let answer: Vec<_> = match root().shape {
                        Shape::Pair => answer.iter().copied().filter(is_free).collect(),
                        Shape::Group => answer.to_vec(),
                    };
                    let (story, out) = thrown_out(root(), before, by, kept, &answer);
                    assert!(story.follows(out), "{before:?} {by} {answer:?} {kept}");
                }
            }
        }
    }
}

/// Account 1, the highest steward, with leaves 0, 1 and 3; steward 2 and member 3.
fn ruled() -> Parent {
    parent(Shape::Group, 100, &[1, 2], &[1, 1, 2, 1, 3])
}

/// The second device of the highest steward throws out the thief, which answers in the
/// state before with acts of a steward, and a lower steward acts upon that.
fn answered_by_acts() -> (Story, StateName) {
    let mut story = Story::new(ruled());
    let out = story.removes(ROOT, 1, &[THIEF]);
    let on = story.removes(ROOT, THIEF, &[4]);
    let mut commit = bare(&story.world.states[&on], 2);
    commit.listed = Some(vec![super::world::account(1), super::world::account(2)]);
    story.next += 1;
    story.world.make_as(on, &commit, story.next);
    story.removes(ROOT, THIEF, &[0, 1]);
    (story, out)
}

#[test]
fn a_stewards_stolen_device_does_not_answer_with_acts() {
    let (story, out) = answered_by_acts();
    assert!(story.follows(out));
}

/// The highest steward removes somebody on two branches, and on each the first device of the
/// second throws out another one. The one that is still in on the branch that is not followed puts
/// a creature of its own in a lower steward's place there, which acts.
fn creature_acts() -> (Story, StateName) {
    let leaves = [1, 2, 3, 2, 4, 5, 2];
    let mut story = Story::new(parent(Shape::Group, 100, &[1, 2, 3], &leaves));
    let branches = [(4, THIEF, 6), (5, 6, THIEF)].map(|(member, out, left)| {
        let on = story.removes(ROOT, 0, &[member]);
        (story.removes(on, 1, &[out]), left)
    });
    let [one, other] = branches;
    let (followed, (on, thief)) = match story.follows(one.0) {
        true => (one.0, other),
        false => (other.0, one),
    };
    let mut commit = bare(&story.world.states[&on], thief);
    commit.removed.insert(2);
    commit.added.push(leaf(3));
    story.next += 1;
    let on = story.world.make_as(on, &commit, story.next);
    let mut commit = bare(&story.world.states[&on], 2);
    commit.listed = Some([1, 2, 3].map(super::world::account).to_vec());
    story.next += 1;
    story.world.make_as(on, &commit, story.next);
    (story, followed)
}

#[test]
fn lower_ranks_change_nothing_where_the_same_leaf_is_heard() {
    let (story, out) = creature_acts();
    assert!(story.follows(out));
}

#[test]
fn a_higher_steward_outweighs_that_a_device_was_thrown_out() {
    let mut story = Story::new(ruled());
    // The lower steward's device goes, while the highest removes that account.
    let own = story.does(ROOT, 2, Device);
    let leaf = story.world.states[&own]
        .leaves
        .keys()
        .copied()
        .find(|leaf| {
            let account = &story.world.states[&own].leaves[leaf].account;
            *leaf != 2 && *account == super::world::account(2)
        });
    let lost = story.removes(own, 2, &[leaf.unwrap()]);
    let removed = story.removes(own, 0, &[2, leaf.unwrap()]);
    assert!(story.follows(removed));
    assert!(!story.follows(lost));
}

fn is_free(act: &Act) -> bool {
    !matches!(act, Refresh)
}

/// The thief throws out the first device and lets another take its leaf, which throws
/// the second out. That had thrown out the thief.
fn place_taken_again() -> (Story, StateName) {
    let mut story = Story::new(devices());
    let out = story.removes(ROOT, 1, &[THIEF]);
    let on = story.removes(ROOT, THIEF, &[0]);
    let on = story.does(on, THIEF, Device);
    assert!(story.world.states[&on].leaves.contains_key(&0));
    story.does(on, 0, RemoveAll);
    (story, out)
}

#[test]
fn whoever_takes_the_place_of_a_lower_leaf_is_not_heard_as_that() {
    let (story, out) = place_taken_again();
    assert!(story.follows(out));
    // Nor if there is place before anybody is thrown out.
    let mut story = Story::new(parent_with_place());
    let out = story.removes(ROOT, 1, &[THIEF]);
    let on = story.does(ROOT, THIEF, Device);
    assert!(story.world.states[&on].leaves.contains_key(&0));
    story.does(on, 0, RemoveAll);
    assert!(story.follows(out));
}

fn parent_with_place() -> Parent {
    let mut root = devices();
    root.leaves.remove(&0);
    root
}

#[test]
fn between_branches_of_one_leaf_the_thief_decides_nothing() {
    // Who throws out one device on either branch is no honest one. Where the thief was
    // not thrown out it goes on, and has the turn in every second state.
    let mut story = Story::new(pair());
    let out = story.removes(ROOT, 0, &[THIEF]);
    let on = story.removes(ROOT, 0, &[1]);
    story.all(on, THIEF, &[Device, Refresh, Device, Refresh]);
    assert!(story.follows(out));
}

/// The second device throws out the third, while the first brings the third back as
/// another leaf.
fn brought_back_beside() -> (Story, StateName) {
    let mut story = Story::new(devices());
    let out = story.removes(ROOT, 1, &[THIEF]);
    let mut commit = bare(&story.world.states[&ROOT], 0);
    commit.removed.insert(THIEF);
    commit.added.push(leaf(1));
    story.next += 1;
    story.world.make_as(ROOT, &commit, story.next);
    (story, out)
}

#[test]
fn a_device_thrown_out_outweighs_that_it_is_brought_back() {
    let (story, out) = brought_back_beside();
    assert!(story.follows(out));
}

#[test]
fn the_lower_leaf_is_heard_wherever_it_throws_somebody_out() {
    // The first device throws out the thief on a branch that the thief made, high above;
    // beside it the second does so at once.
    let mut story = Story::new(devices());
    story.removes(ROOT, 1, &[THIEF]);
    let on = story.all(ROOT, THIEF, &[Refresh, Device, Refresh]);
    let out = story.removes(on, 0, &[THIEF]);
    assert!(story.follows(out));
}
