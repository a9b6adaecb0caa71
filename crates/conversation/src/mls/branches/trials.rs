//! What hostile and crowded neighbours must not be able to do to a keeper.

use super::make::{How, Order};
use super::records::{CommitRecord, Standing, StateRecord};
use super::tests::raw_chain;
use super::village::{GROUP, Leaf, Letter, REST, To, Village, account, rename};
use super::{
    ChainFault, CommitHash, HearFault, Heard, Keeper, MakeFault, Shape, StateName, StatePrefix,
    Told, WelcomeFault, Wish, shape,
};
use crate::fork_choice::{Class, MAX_COMMITS};
use crate::mls::LeafKey;

const APART: How = How {
    apart: true,
    paced: false,
};

/// A commit nobody sent, on the state `on`, as if it had been heard.
pub(super) fn imagine(leaf: &mut Leaf, on: StateName, number: u16, by: u8, class: Class) {
    leaf.with(|keeper, lent| {
        let [high, low] = number.to_be_bytes();
        let name = |first| {
            let mut name = [first; 32];
            (name[1], name[2]) = (high, low);
            name
        };
        let (hash, child) = (CommitHash(name(0xC0)), StateName(name(0x50)));
        let below = keeper.states[&on].clone();
        let record = CommitRecord {
            parent: on.0,
            child: child.0,
            author: account(by).as_bytes().to_vec(),
            leaf: 1,
            class: super::records::number_of(class),
            standing: Standing::TakesPart,
            welcome: None,
            own: false,
            since: 0,
        };
        let state = StateRecord {
            by: Some(hash.0),
            epoch: below.epoch + 1,
            mine: false,
            used: false,
            ..below
        };
        keeper
            .keep(lent.rows, hash, record, b"imagined", child, state)
            .unwrap();
    });
}

/// The commit a wish makes, taken by a network.
pub(super) fn wish_published(leaf: &mut Leaf, wish: Wish) -> CommitHash {
    let out = leaf.wish(wish);
    let taken = out.into_iter().find_map(|(_, letter)| match letter {
        Letter::Taken(commit) => Some(commit),
        _ => None,
    });
    let commit = taken.expect("a commit is made");
    let told = leaf.with(|keeper, lent| keeper.published(lent, commit, REST));
    assert_eq!(told.unwrap(), []);
    commit
}

pub(super) fn rest(leaf: &mut Leaf) -> Vec<Told> {
    leaf.now += 2_000;
    leaf.with(|keeper, lent| keeper.tick(lent)).unwrap()
}

#[test]
fn what_a_broken_chain_brought_first_is_told_beside_the_fault() {
    let mut village = Village::found(20, &[1, 2, 3], 2);
    let commit = raw_chain(&mut village.leaves[1], 1).remove(0);
    let leaf = &mut village.leaves[2];
    let before = leaf.keeper.as_ref().unwrap().followed();
    let chain = [commit, b"no commit".to_vec()];
    let (told, fault) = leaf
        .with(|keeper, lent| keeper.hear_chain(lent, &chain))
        .unwrap();
    assert_eq!(fault, Some(ChainFault::Broken(HearFault::Kind)));
    assert!(matches!(told[..], [Told::Followed { from, .. }] if from == before));
}

#[test]
fn in_a_full_tree_there_is_room_for_a_commit_of_mine() {
    let mut village = Village::found(21, &[1, 2, 3], 2);
    let leaf = &mut village.leaves[0];
    let below = leaf.keeper.as_ref().unwrap().followed();
    wish_published(leaf, rename("a"));
    rest(leaf);
    let filler = MAX_COMMITS - leaf.keeper.as_ref().unwrap().commits();
    for number in 0..filler as u16 {
        imagine(
            leaf,
            below,
            number,
            10 + (number % 200) as u8,
            Class::Refresh,
        );
    }
    // All of different accounts: what one account made more than once goes anyway.
    let imagined = |hash: &CommitHash| hash.0[0] == 0xC0 && hash.0[3..] == [0xC0; 29];
    let keeper = leaf.keeper.as_mut().unwrap();
    let commits = keeper.commits.iter_mut();
    for (hash, record) in commits.filter(|(hash, _)| imagined(hash)) {
        record.author = hash.0[..16].to_vec();
    }
    assert_eq!(keeper.commits(), MAX_COMMITS);
    let commit = wish_published(leaf, rename("b"));
    let told = rest(leaf);
    assert!(
        told.iter()
            .any(|told| matches!(told, Told::Followed { .. }))
    );
    let keeper = leaf.keeper.as_ref().unwrap();
    assert!(keeper.commits.contains_key(&commit));
    assert!(keeper.commits() <= MAX_COMMITS);
}

#[test]
fn others_leave_places_for_my_commits() {
    let mut village = Village::found(22, &[1, 2, 3], 2);
    let commit = raw_chain(&mut village.leaves[2], 1).remove(0);
    let leaf = &mut village.leaves[0];
    let below = leaf.keeper.as_ref().unwrap().followed();
    wish_published(leaf, rename("a"));
    rest(leaf);
    for number in 0..240 {
        imagine(leaf, below, number, 1, Class::Refresh);
        let hash = CommitHash({
            let [high, low] = number.to_be_bytes();
            let mut name = [0xC0; 32];
            (name[1], name[2]) = (high, low);
            name
        });
        // Not in the choice, so that none of them gives way.
        let keeper = leaf.keeper.as_mut().unwrap();
        keeper.commits.get_mut(&hash).unwrap().standing = Standing::Made;
    }
    let mut faults = Vec::new();
    for _ in 0..4 {
        faults.extend(hear(leaf, &commit).err());
    }
    let keeper = leaf.keeper.as_ref().unwrap();
    assert!(keeper.commits() < MAX_COMMITS, "{}", keeper.commits());
    assert_eq!(faults, [HearFault::Full; 4]);
}

pub(super) fn hear(leaf: &mut Leaf, bytes: &[u8]) -> Result<Heard, HearFault> {
    let heard = leaf.with(|keeper, lent| keeper.hear(lent, bytes));
    heard.unwrap().1
}

#[test]
fn a_commit_that_was_sealed_twice_is_a_repeat() {
    let mut village = Village::found(23, &[1, 2, 3], 2);
    let commit = raw_chain(&mut village.leaves[1], 1).remove(0);
    let leaf = &mut village.leaves[2];
    assert!(matches!(hear(leaf, &commit), Ok(Heard::Commit(_))));
    // As if the other form of it had come first: same parent, same child.
    let keeper = leaf.keeper.as_mut().unwrap();
    let (hash, other) = (CommitHash::of(&commit), CommitHash([9; 32]));
    let record = keeper.commits.remove(&hash).unwrap();
    keeper.states.get_mut(&StateName(record.child)).unwrap().by = Some(other.0);
    keeper.commits.insert(other, record);
    assert_eq!(hear(leaf, &commit), Ok(Heard::Known));
    let chain = leaf.with(|keeper, lent| keeper.hear_chain(lent, &[commit]));
    assert_eq!(chain.unwrap().1, None);
}

#[test]
fn a_commit_of_mine_is_kept_though_it_can_no_longer_win() {
    let mut village = Village::found(24, &[1, 2, 3], 2);
    let leaf = &mut village.leaves[0];
    let on = leaf.keeper.as_ref().unwrap().followed();
    let mine = wish_published(leaf, rename("a"));
    for number in 0..70 {
        imagine(leaf, on, number, 1, Class::Removal);
    }
    rest(leaf);
    let keeper = leaf.keeper.as_ref().unwrap();
    assert!(keeper.commits() < 64);
    assert!(keeper.commits.contains_key(&mine));
}

#[test]
fn two_commits_sealed_in_one_state_use_two_keys() {
    let mut village = Village::found(25, &[1, 2], 1);
    let leaf = &mut village.leaves[0];
    for name in ["a", "b"] {
        let wish = rename(name);
        let open = [(super::IntentId(99), wish)];
        let me = account(1);
        leaf.with(|keeper, lent| {
            let (crypto, on) = (lent.crypto, keeper.followed);
            let order = keeper.within(lent, on, |_, group, _| {
                Order::collect(crypto, group, &me, &open, APART).ok_or(())
            });
            let order = order.unwrap().unwrap();
            let made = keeper.make(lent, &order, &mut Vec::new()).unwrap();
            assert!(made.is_ok());
        });
        // Fails if a key is used twice.
        leaf.commit();
    }
}

/// What a founder alone in a group of the same id and name sends to somebody
/// whose key package it has.
fn forged_welcome(package: Vec<u8>) -> Vec<u8> {
    let mut forger = Leaf::new(9, account(1));
    forger.found(&super::GroupPolicy::of_group(vec![account(1)], "here"));
    for name in 0..9 {
        forger.wish(rename(&name.to_string()));
    }
    welcome_in(forger.wish(Wish::Add(package)))
}

pub(super) fn welcome_in(out: Vec<(To, Letter)>) -> Vec<u8> {
    let welcome = out.into_iter().find_map(|(_, letter)| match letter {
        Letter::Welcome(bytes) => Some(bytes),
        _ => None,
    });
    welcome.expect("a welcome is sent")
}

pub(super) fn join_again(leaf: &mut Leaf, welcome: &[u8]) -> Result<Vec<Told>, WelcomeFault> {
    let keys: Vec<_> = leaf.packages.iter().map(|own| own.key.clone()).collect();
    leaf.with(|keeper, lent| {
        keeper.join_again(lent, welcome, |public| {
            let mut keys = keys.into_iter();
            keys.find(|key| LeafKey::from_secret(key).unwrap().public() == public)
        })
    })
    .unwrap()
}

#[test]
fn a_forged_group_of_the_same_names_takes_nobody() {
    let mut village = Village::found(26, &[1, 2], 1);
    let package = village.leaves[1].package();
    let welcome = forged_welcome(package);
    let leaf = &mut village.leaves[1];
    assert_eq!(join_again(leaf, &welcome), Err(WelcomeFault::Stranger));
    // Nor if it is waiting to be brought back.
    leaf.keeper.as_mut().unwrap().stranded = true;
    assert_eq!(join_again(leaf, &welcome), Err(WelcomeFault::Stranger));
}

#[test]
fn a_package_of_another_account_does_not_change_mine() {
    let mut village = Village::found(27, &[1, 2], 1);
    village.leaves[1].account = account(7);
    village.leaves[1].make_package();
    let package = village.leaves[1].package();
    village.leaves[1].account = account(2);
    let founder = &mut village.leaves[0];
    wish_published(founder, Wish::Add(package));
    let told = rest(founder);
    let welcome = welcome_in(founder.act(told));
    let leaf = &mut village.leaves[1];
    leaf.keeper.as_mut().unwrap().stranded = true;
    assert_eq!(join_again(leaf, &welcome), Err(WelcomeFault::Stranger));
}

#[test]
fn a_steward_who_was_thrown_out_brings_nobody_with_it() {
    let mut village = Village::found(28, &[1, 2], 2);
    village.leaves.push(Leaf::new(2, account(3)));
    village.add(1, 2);
    village.settle();
    village.check(&[0, 1, 2], &[]);
    village.cut_off.insert(1, village.now + 1_000_000);
    village.wish(0, Wish::Remove(account(2)));
    village.run_for(10_000);
    // It has not heard of it, and welcomes whom it welcomed before.
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    let now = village.now;
    let steward = &mut village.leaves[1];
    steward.now = now;
    wish_published(steward, Wish::AddAnew(package));
    let told = rest(steward);
    let welcome = welcome_in(steward.act(told));
    let leaf = &mut village.leaves[2];
    assert_eq!(join_again(leaf, &welcome), Err(WelcomeFault::Stranger));
}

#[test]
fn a_state_that_is_spent_is_not_entered_again() {
    let mut village = Village::found(29, &[1, 2], 1);
    village.leaves[1].make_package();
    let package = village.leaves[1].package();
    let founder = &mut village.leaves[0];
    wish_published(founder, Wish::AddAnew(package));
    let told = rest(founder);
    let welcome = welcome_in(founder.act(told));
    let leaf = &mut village.leaves[1];
    leaf.keeper.as_mut().unwrap().stranded = true;
    assert!(join_again(leaf, &welcome).is_ok());
    leaf.keeper.as_mut().unwrap().stranded = true;
    assert_eq!(join_again(leaf, &welcome), Err(WelcomeFault::Known));
    // Nor once it was forgotten, as long as the root is not above it.
    let keeper = leaf.keeper.as_mut().unwrap();
    let (name, state) = keeper.states.pop_first().unwrap();
    keeper.spent.push((state.epoch, name.0));
    let state = StateRecord {
        epoch: state.epoch - 1,
        ..state
    };
    keeper.states.insert(StateName([1; 32]), state);
    (keeper.root, keeper.followed) = (StateName([1; 32]), StateName([1; 32]));
    assert_eq!(join_again(leaf, &welcome), Err(WelcomeFault::Known));
}

#[test]
fn a_state_that_was_only_passed_may_go_and_one_that_was_spoken_in_may_not() {
    let mut village = Village::found(30, &[1, 2], 1);
    let (leaf, member) = village.leaves.split_at_mut(1);
    let leaf = &mut leaf[0];
    let flood = descending(&mut member[0], leaf, 70);
    for commit in &flood[..60] {
        hear(leaf, commit).unwrap();
        wait(leaf);
    }
    leaf.say(1);
    let spoken = leaf.keeper.as_ref().unwrap().followed();
    for commit in &flood[60..] {
        hear(leaf, commit).unwrap();
        wait(leaf);
    }
    let keeper = leaf.keeper.as_ref().unwrap();
    assert!(keeper.commits() < 64, "{}", keeper.commits());
    assert!(keeper.states.contains_key(&spoken));
    assert_ne!(keeper.followed(), spoken);
}

/// Longer than commits of one account wait for each other.
fn wait(leaf: &mut Leaf) {
    leaf.now += 31 * 60_000;
    leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
}

/// Refreshes of one leaf on one state, each better than those before, as
/// `reader` sees them.
pub(super) fn descending(leaf: &mut Leaf, reader: &mut Leaf, many: usize) -> Vec<Vec<u8>> {
    let storage = reader.storage.clone();
    let mut made: Vec<_> = (0..many)
        .map(|_| {
            let commit = raw_chain(leaf, 1).remove(0);
            hear(reader, &commit).unwrap();
            let keeper = reader.keeper.as_ref().unwrap();
            let child = keeper.commits[&CommitHash::of(&commit)].child;
            reader.storage = storage.clone();
            reader.keeper = reader.lend(|lent, _| Keeper::open(lent, GROUP)).unwrap();
            (child, commit)
        })
        .collect();
    made.sort_by_key(|(child, _)| core::cmp::Reverse(*child));
    made.into_iter().map(|(_, commit)| commit).collect()
}

#[test]
fn a_pair_is_not_founded_as_a_group() {
    let mut leaf = Leaf::new(0, account(1));
    let mut policy = super::GroupPolicy::of_group(vec![account(1)], "two");
    policy.shape = Shape::Pair;
    let founded = leaf.lend(|lent, _| {
        let founded = Keeper::found(lent, GROUP, &account(1), &policy);
        founded.unwrap().map(|_| ())
    });
    assert_eq!(founded, Err(MakeFault::Shape));
}

#[test]
fn all_states_with_one_prefix_are_handed_out() {
    let mut village = Village::found(31, &[1, 2, 3], 2);
    let one = raw_chain(&mut village.leaves[1], 1).remove(0);
    let leaf = &mut village.leaves[0];
    hear(leaf, &one).unwrap();
    let keeper = leaf.keeper.as_mut().unwrap();
    let known = keeper.followed();
    // Another state whose name begins so, which nobody can make in a test.
    let mut twin = known;
    twin.0[31] ^= 1;
    let on = StateName(keeper.commits[&CommitHash::of(&one)].parent);
    imagine(leaf, on, 1, 3, Class::Refresh);
    let keeper = leaf.keeper.as_mut().unwrap();
    let imagined = StateName({
        let mut name = [0x50; 32];
        (name[1], name[2]) = (0, 1);
        name
    });
    let state = keeper.states.remove(&imagined).unwrap();
    let by = CommitHash(state.by.unwrap());
    keeper.commits.get_mut(&by).unwrap().child = twin.0;
    keeper.states.insert(twin, state);
    let prefix = StatePrefix::of(&known);
    let chain = leaf.with(|keeper, lent| keeper.chain_to(lent.rows, prefix));
    let chain = chain.unwrap().unwrap();
    assert!(chain.contains(&one));
    assert!(chain.contains(&b"imagined".to_vec()));
}

#[test]
fn extensions_in_another_order_are_no_context_of_ours() {
    use openmls::prelude::Extensions;
    let policy = super::GroupPolicy::of_group(vec![account(1)], "here");
    let context = shape::context(policy.encode().unwrap()).unwrap();
    assert!(shape::policy(&context).is_some());
    let mut turned: Vec<_> = context.iter().cloned().collect();
    turned.reverse();
    let turned = Extensions::from_vec(turned).unwrap();
    assert!(shape::policy(&turned).is_none());
}

#[test]
fn a_leaf_with_endless_capabilities_is_refused() {
    use openmls::prelude::{Capabilities, ExtensionType};
    let able = |many: u16| {
        let mut able = shape::capabilities();
        let more = (0..many).map(|n| ExtensionType::Unknown(0xF000 + n));
        let all: Vec<_> = able.extensions().iter().copied().chain(more).collect();
        able = Capabilities::new(None, None, Some(&all), Some(&[]), None);
        shape::is_short(&able)
    };
    assert!(able(60));
    assert!(!able(61));
}
