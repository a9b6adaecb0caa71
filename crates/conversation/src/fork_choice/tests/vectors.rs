//! The vectors that the second model in `interop/commit_rule` checks: states'
//! names, commits with the states they were made in, and trees with what is
//! followed. `HUSHWING_BLESS=1` writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::super::rules::{Contents, Leaf, MAX_DEVICES, MAX_LEAVES, Parent, check};
use super::super::{AccountId, Class, CommitHash, Shape, StateName};
use super::acts::{act, devices, group, pair, stewards, world};
use super::stories;
use super::world::{World, account, bare, leaf, parent, stamped};

const STORED: &str = include_str!("../../../../../interop/vectors/commit_rule.json");

/// How many commits there are of each class and of each fault.
const OF_EACH: usize = 6;

#[test]
fn the_stored_vectors_are_what_this_rule_says() {
    let made = made();
    if std::env::var_os("HUSHWING_BLESS").is_some() {
        bless(&made);
    }
    assert!(made == STORED, "interop/vectors/commit_rule.json differs");
}

#[expect(clippy::disallowed_methods, reason = "by hand, when the rule changes")]
fn bless(made: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../interop/vectors");
    std::fs::write(format!("{folder}/commit_rule.json"), made).unwrap();
}

fn made() -> String {
    let mut text = String::from("{\n");
    section(&mut text, "commits", commits());
    section(&mut text, "names", names());
    section(&mut text, "trees", trees());
    section(&mut text, "validity", validity());
    text.push_str("\"version\": 1\n}\n");
    text
}

/// One value a line, so that a change shows where it is.
fn section(text: &mut String, name: &str, values: Vec<Value>) {
    let lines: Vec<_> = values.iter().map(Value::to_string).collect();
    writeln!(text, "\"{name}\": [\n{}\n],", lines.join(",\n")).unwrap();
}

fn names() -> Vec<Value> {
    let states = [
        ([9; 16], 0, vec![1; 48]),
        ([7; 16], 0x0102_0304_0506_0708, vec![2; 32]),
    ];
    let name = |(group, epoch, authenticator): ([u8; 16], u64, Vec<u8>)| {
        let name = StateName::derive(&group, epoch, &authenticator);
        json!({
            "authenticator": hex::encode(authenticator),
            "epoch": epoch,
            "group": hex::encode(group),
            "name": hex::encode(name.0),
            "short": hex::encode(name.short()),
        })
    };
    states.into_iter().map(name).collect()
}

fn commits() -> Vec<Value> {
    let messages: [&[u8]; 2] = [b"", b"\x00\x01\x00\x02 a commit"];
    let commit = |message: &[u8]| {
        let hash = CommitHash::of(message);
        json!({ "hash": hex::encode(hash.0), "message": hex::encode(message) })
    };
    messages.into_iter().map(commit).collect()
}

fn chance() -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[12; 32]);
    TestRunner::new_with_rng(Config::default(), rng)
}

fn drawn<S: Strategy>(chance: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(chance).unwrap().current()
}

fn trees() -> Vec<Value> {
    let mut trees: Vec<_> = stories::told()
        .iter()
        .map(|(name, world)| tree(name, world))
        .collect();
    let mut chance = chance();
    let roots = [
        ("random group", group(), 14),
        ("random pair", pair(), 5),
        ("random devices", devices(), 5),
        ("random devices of stewards", stewards(), 6),
    ];
    for (name, root, count) in roots {
        for _ in 0..count {
            let acts = drawn(&mut chance, &prop::collection::vec(act(), 30));
            trees.push(tree(name, &world(root.clone(), &acts)));
        }
    }
    trees
}

fn tree(name: &str, world: &World) -> Value {
    let hashes = |hashes: Vec<CommitHash>| {
        let hashes = hashes.iter().map(|hash| hex::encode(hash.0));
        hashes.collect::<Vec<_>>()
    };
    let commits = world.made.iter().map(|(commit, _)| {
        json!({
            "child": hex::encode(commit.child.0),
            "contents": contents(&world.contents[&commit.hash]),
            "hash": hex::encode(commit.hash.0),
            "parent": hex::encode(commit.parent.0),
        })
    });
    let dropped: BTreeSet<_> = world
        .tree
        .clone()
        .prune(&BTreeSet::new())
        .into_iter()
        .collect();
    json!({
        "commits": commits.collect::<Vec<_>>(),
        "dropped": hashes(dropped.into_iter().collect()),
        "name": name,
        "root": described(&world.states[&World::root()]),
        "root_name": hex::encode(World::root().0),
        "verdict": hashes(world.tree.verdict()),
    })
}

fn hexed(account: &AccountId) -> String {
    hex::encode(account.as_bytes())
}

fn listed(accounts: &[AccountId]) -> Vec<String> {
    accounts.iter().map(hexed).collect()
}

fn owned(leaf: &Leaf) -> Value {
    json!([hexed(&leaf.account), leaf.renewed_at, leaf.changed_at])
}

fn described(state: &Parent) -> Value {
    let leaves = state.leaves.iter();
    let leaves = leaves.map(|(index, leaf)| {
        json!([
            index,
            hexed(&leaf.account),
            leaf.renewed_at,
            leaf.changed_at
        ])
    });
    let mut described = json!({
        "epoch": state.epoch,
        "leaves": leaves.collect::<Vec<_>>(),
        "shape": match state.shape {
            Shape::Pair => "pair",
            Shape::Group => "group",
        },
        "stewards": listed(&state.listed),
    });
    if state.most != MAX_LEAVES {
        described["most"] = json!(state.most);
    }
    if state.each != MAX_DEVICES || state.of_one {
        described["each"] = json!(state.each);
    }
    if state.narrow != MAX_LEAVES {
        described["narrow"] = json!(state.narrow);
        described["heralds"] = json!(listed(&state.heralds));
    }
    described
}

fn contents(commit: &Contents) -> Value {
    let mut told = json!({
        "added": commit.added.iter().map(owned).collect::<Vec<_>>(),
        "committer": commit.committer,
        "foreign": commit.foreign,
        "path": commit.path.as_ref().map(owned),
        "removed": commit.removed,
        "stewards": commit.listed.as_deref().map(listed),
    });
    if let Some(heralds) = &commit.heralds {
        told["heralds"] = json!(listed(heralds));
    }
    told
}

/// Some commits of each class and of each fault, among what random people try.
fn validity() -> Vec<Value> {
    let mut chance = chance();
    let mut outcomes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let small = parent(Shape::Group, 6, &[9, 2, 1], &[3, 2, 0, 2, 1]);
    for root in [small, group(), pair()].iter().cycle().take(600) {
        let acts = drawn(&mut chance, &prop::collection::vec(act(), 4));
        let world = world(root.clone(), &acts);
        let tip = &world.states[&world.tree.tip()];
        let wrong = drawn(&mut chance, &wrong());
        let [mut one, other] = drawn(&mut chance, &[act(), act()]).map(|act| act.attempt(tip));
        wrong.apply(&mut one, &other);
        let mut one = stamped(tip, &one);
        if let (Wrong::Changed(stamp), Some(path)) = (&wrong, &mut one.path) {
            path.changed_at = *stamp;
        }
        let outcome = check(tip, &one);
        let outcomes = outcomes.entry(format!("{outcome:?}")).or_default();
        if outcomes.len() < OF_EACH {
            outcomes.push(judged(tip, &one));
        }
    }
    // Every class and every fault.
    assert_eq!(outcomes.len(), 6 + 13, "{:?}", outcomes.keys());
    let drawn = outcomes.into_values().flatten();
    let drawn = drawn.chain(bounded()).chain(heralds());
    let drawn = drawn.chain(of_one()).chain(stamps());
    drawn.chain(distances()).collect()
}

fn judged(state: &Parent, commit: &Contents) -> Value {
    let outcome = check(state, commit);
    json!({
        "class": outcome.ok().map(word),
        "contents": contents(commit),
        "state": described(state),
        "why": outcome.err().map(|fault| fault.to_string()),
    })
}

/// Devices that are added where an account may have one leaf, or two.
fn bounded() -> Vec<Value> {
    let mut judgements = Vec::new();
    for (each, committer, whose) in [(1, 0, 1), (1, 1, 2), (1, 0, 3), (2, 1, 2)] {
        let mut state = parent(Shape::Group, 100, &[1], &[1, 2]);
        state.each = each;
        let mut commit = bare(&state, committer);
        commit.added.push(leaf(whose));
        judgements.push(judged(&state, &stamped(&state, &commit)));
    }
    judgements
}

/// Leaves that are added or removed where more than three need a herald.
fn heralds() -> Vec<Value> {
    let accounts = |numbers: &[u8]| numbers.iter().map(|number| account(*number)).collect();
    let mut judgements = Vec::new();
    let named: [(&[u8], Option<&[u8]>); 7] = [
        (&[], None),
        (&[2], None),
        (&[9, 3], None),
        (&[9], None),
        (&[], Some(&[4])),
        (&[], Some(&[3, 9])),
        (&[2], Some(&[])),
    ];
    for (before, after) in named {
        for (adds, removes) in [(&[4, 5][..], None), (&[4, 5], Some(1)), (&[], Some(2))] {
            let mut state = parent(Shape::Group, 100, &[1], &[1, 2, 3]);
            state.narrow = 3;
            state.heralds = accounts(before);
            let mut commit = bare(&state, 0);
            commit.added = adds.iter().map(|number| leaf(*number)).collect();
            commit.removed.extend(removes);
            commit.listed = after.map(|_| accounts(&[1]));
            commit.heralds = after.map(accounts);
            judgements.push(judged(&state, &stamped(&state, &commit)));
        }
    }
    judgements
}

/// What two devices do in a group of devices of one account, and beside it in one that
/// is a group like others.
fn of_one() -> Vec<Value> {
    let changes: [fn(&mut Contents); 6] = [
        |_| (),
        |commit| commit.listed = Some(vec![account(1)]),
        |commit| commit.added.push(leaf(1)),
        |commit| commit.added.push(leaf(2)),
        |commit| commit.added.extend([leaf(1), leaf(1)]),
        |commit| {
            commit.removed.insert(0);
        },
    ];
    let bounds = [(3, 3, true), (8, 8, true), (3, 2, false), (8, 8, false)];
    let judge = |(most, each, of_one): (usize, usize, bool)| {
        let mut state = parent(Shape::Group, 100, &[1], &[1, 1]);
        (state.most, state.each, state.of_one) = (most, each, of_one);
        changes.map(|change| {
            let mut commit = bare(&state, 1);
            change(&mut commit);
            judged(&state, &stamped(&state, &commit))
        })
    };
    bounds.into_iter().flat_map(judge).collect()
}

/// What a commit's new leaf and an added one may say of when they committed.
fn stamps() -> Vec<Value> {
    let epochs = [None, Some(99), Some(100)];
    let both = epochs.map(|renewed| epochs.map(|changed| (renewed, changed)));
    let both = both.as_flattened().iter();
    let mut judgements = Vec::new();
    for (renewed_at, changed_at) in both {
        for (state, author) in [
            (parent(Shape::Pair, 100, &[], &[1, 2]), 1),
            (parent(Shape::Group, 100, &[2], &[1, 2]), 2),
        ] {
            let says = Leaf {
                account: account(author),
                renewed_at: *renewed_at,
                changed_at: *changed_at,
            };
            let mut commit = bare(&state, u32::from(author) - 1);
            commit.path = Some(says.clone());
            judgements.push(judged(&state, &commit));
            // Without a stamp, in a state in which the author has the turn, and has not.
            for other in [0, 1] {
                let mut commit = commit.clone();
                commit.committer = other;
                commit.path.as_mut().unwrap().account = account(u8::try_from(other).unwrap() + 1);
                judgements.push(judged(&state, &commit));
                let own = commit.path.clone().unwrap().account;
                let device = Leaf {
                    account: own,
                    renewed_at: None,
                    changed_at: None,
                };
                commit.added.push(device);
                judgements.push(judged(&state, &commit));
            }
            let mut commit = bare(&state, u32::from(author) - 1);
            commit.added.push(says);
            judgements.push(judged(&state, &stamped(&state, &commit)));
        }
    }
    judgements
}

/// What a member of five, with two devices and three, may do so long after it did something.
fn distances() -> Vec<Value> {
    let leaves = [1, 2, 3, 4, 5, 5];
    let mut judgements = Vec::new();
    for (renewed_at, changed_at) in [(96, 96), (96, 95), (96, 90), (95, 95), (95, 90), (92, 92)] {
        for more in [&[][..], &[5], &[6, 7, 8, 9]] {
            let mut state = parent(Shape::Group, 100, &[1], &[&leaves, more].concat());
            let first = state.leaves.get_mut(&4).unwrap();
            (first.renewed_at, first.changed_at) = (Some(renewed_at), Some(changed_at));
            // The other device did long before, whichever commits.
            let other = state.leaves.get_mut(&5).unwrap();
            (other.renewed_at, other.changed_at) = (Some(20), Some(10));
            let mut removal = bare(&state, 4);
            removal.removed.insert(5);
            let mut device = bare(&state, 5);
            device.added.push(leaf(5));
            for commit in [bare(&state, 5), bare(&state, 0), removal, device] {
                judgements.push(judged(&state, &stamped(&state, &commit)));
            }
        }
    }
    judgements
}

fn word(class: Class) -> &'static str {
    match class {
        Class::Removal => "removal",
        Class::Policy => "policy",
        Class::OwnRemoval => "own removal",
        Class::Membership => "membership",
        Class::Turn => "turn",
        Class::Refresh => "refresh",
    }
}

/// What spoils a commit, mostly nothing.
#[derive(Clone, Debug)]
enum Wrong {
    Nothing,
    NoPath,
    Foreign,
    Stranger,
    Account(Index),
    Stamp(Option<u64>),
    /// The other epoch of the stamp, once all else of the commit is settled.
    Changed(Option<u64>),
    Added(u64, bool),
    Crowd,
    Removed(Index),
    /// Parts of another commit beside its own.
    Joined,
}

fn wrong() -> impl Strategy<Value = Wrong> {
    prop_oneof![
        8 => Just(Wrong::Nothing),
        1 => Just(Wrong::NoPath),
        1 => Just(Wrong::Foreign),
        1 => Just(Wrong::Stranger),
        1 => any::<Index>().prop_map(Wrong::Account),
        1 => prop::option::of(0..120_u64).prop_map(Wrong::Stamp),
        1 => prop::option::of(0..120_u64).prop_map(Wrong::Changed),
        1 => (0..120_u64, any::<bool>()).prop_map(|(stamp, of)| Wrong::Added(stamp, of)),
        1 => Just(Wrong::Crowd),
        1 => any::<Index>().prop_map(Wrong::Removed),
        4 => Just(Wrong::Joined),
    ]
}

impl Wrong {
    fn apply(&self, commit: &mut Contents, other: &Contents) {
        let path = commit.path.as_mut().unwrap();
        match self {
            Self::Nothing | Self::Changed(_) => {}
            Self::NoPath => commit.path = None,
            Self::Foreign => commit.foreign = true,
            Self::Stranger => commit.committer = 40,
            Self::Account(number) => {
                path.account = account(1 + u8::try_from(number.index(8)).unwrap());
            }
            Self::Stamp(stamp) => path.renewed_at = *stamp,
            Self::Added(stamp, renewed) => commit.added.push(Leaf {
                account: path.account.clone(),
                renewed_at: renewed.then_some(*stamp),
                changed_at: (!renewed).then_some(*stamp),
            }),
            Self::Crowd => {
                let device = Leaf {
                    renewed_at: None,
                    changed_at: None,
                    ..path.clone()
                };
                commit.added.extend(vec![device; 7]);
            }
            Self::Removed(index) => {
                commit
                    .removed
                    .insert(u32::try_from(index.index(20)).unwrap());
            }
            Self::Joined => {
                commit.removed.extend(&other.removed);
                commit.removed.remove(&commit.committer);
                commit.added.extend(other.added.clone());
                if other.listed.is_some() {
                    commit.listed.clone_from(&other.listed);
                }
            }
        }
    }
}
