//! Who loses the others, and what cannot be had where one is.

use super::signed;
use super::tests::raw_chain;
use super::trials::{join_again, rest, welcome_in, wish_published};
use super::village::{GROUP, Leaf, Village, account, rename};
use super::{
    ChainFault, HearFault, Invited, Keeper, MakeFault, StatePrefix, Succession, Told, WelcomeFault,
    Wish,
};
use crate::mls::LeafKey;
use crate::{ConversationId, Secret};

const TO: StatePrefix = StatePrefix([1; 8]);

/// What leads from the others to a state that leaf 2 has nothing in common with.
fn chain_beyond(village: &mut Village) -> Vec<Vec<u8>> {
    village.withheld = vec![(0, 2)];
    for name in 0..8 {
        village.wish(0, rename(&name.to_string()));
        village.calm();
    }
    let state = StatePrefix::of(&village.followed(1));
    let chain = village.leaves[1].with(|keeper, lent| keeper.chain_to(lent.rows, state));
    chain.unwrap().unwrap()
}

fn hear_chain(leaf: &mut Leaf, chain: &[Vec<u8>]) -> Option<ChainFault> {
    let heard = leaf.with(|keeper, lent| keeper.hear_chain(lent, chain));
    heard.unwrap().1
}

fn stranded(leaf: &Leaf) -> bool {
    leaf.keeper.as_ref().unwrap().is_stranded()
}

#[test]
fn only_to_a_leaf_that_is_known_it_is_believed_that_the_group_went_on() {
    let mut village = Village::found(50, &[1, 2, 3], 2);
    let mut chain = chain_beyond(&mut village);
    let signature = chain.pop().unwrap();
    let mut stranger = Leaf::new(9, account(9));
    stranger.found(&super::GroupPolicy::of_group(vec![account(9)], "other"));
    let forged = signed::sign(&stranger.keeper.as_ref().unwrap().key, GROUP, TO, &chain).unwrap();
    let leaf = &mut village.leaves[2];
    let own = signed::sign(&leaf.keeper.as_ref().unwrap().key, GROUP, TO, &chain).unwrap();
    for last in [None, Some(forged), Some(own)] {
        let chain: Vec<_> = chain.iter().cloned().chain(last).collect();
        assert_eq!(hear_chain(leaf, &chain), Some(ChainFault::Unproven));
        assert!(!stranded(leaf));
    }
    chain.push(signature);
    assert_eq!(hear_chain(leaf, &chain), Some(ChainFault::Beyond));
    assert!(stranded(leaf));
}

#[test]
fn a_chain_with_a_link_that_cannot_be_read_strands_once_nobody_goes_back() {
    let mut village = Village::found(51, &[1, 2, 3], 2);
    let mut link = raw_chain(&mut village.leaves[1], 1).remove(0);
    *link.last_mut().unwrap() ^= 1;
    let chain = vec![link];
    let signature =
        village.leaves[1].with(|keeper, _| signed::sign(&keeper.key, GROUP, TO, &chain));
    let signed: Vec<_> = chain.iter().cloned().chain(signature).collect();
    let leaf = &mut village.leaves[2];
    let broken = Some(ChainFault::Broken(HearFault::Unreadable));
    for (chain, strands) in [(&chain, false), (&signed, true)] {
        assert_eq!(hear_chain(leaf, chain), broken);
        leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
        assert!(!stranded(leaf));
        leaf.now += 72 * 3_600_000;
        leaf.keeper = leaf.lend(|lent, _| Keeper::open(lent, GROUP)).unwrap();
        leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
        assert_eq!(stranded(leaf), strands);
    }
}

#[test]
fn who_was_welcomed_to_a_branch_that_lost_is_stranded_though_the_other_is_no_longer() {
    let mut village = Village::found(61, &[1, 2], 2);
    village.leaves.push(Leaf::new(2, account(3)));
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    // Steward 2 adds somebody while steward 1 does what weighs more.
    let steward = &mut village.leaves[1];
    wish_published(steward, Wish::Add(package));
    let told = rest(steward);
    let welcome = welcome_in(steward.act(told));
    village.leaves[2].take(1, super::village::Letter::Welcome(welcome));
    village.cut_off.insert(1, village.now + 1_000_000);
    village.wish(0, rename("other"));
    village.run_for(10_000);
    let state = StatePrefix::of(&village.followed(0));
    let lost = StatePrefix::of(&village.followed(2));
    let mut chain_to = |state| {
        let chain = village.leaves[0].with(|keeper, lent| keeper.chain_to(lent.rows, state));
        chain.unwrap().unwrap()
    };
    let chain = chain_to(state);
    let unsigned = chain[..chain.len() - 1].to_vec();
    let key = &village.leaves[0].keeper.as_ref().unwrap().key;
    // Of the state it is in itself that shows nothing.
    let to_mine = [
        unsigned.clone(),
        vec![signed::sign(key, GROUP, lost, &unsigned).unwrap()],
    ];
    let leaf = &mut village.leaves[2];
    for chain in [&unsigned, &to_mine.concat()] {
        hear_chain(leaf, chain);
        assert!(!stranded(leaf));
    }
    assert_eq!(hear_chain(leaf, &chain), Some(ChainFault::Beyond));
    assert!(stranded(leaf));
}

#[test]
fn who_cannot_read_what_stands_on_its_removal_is_stranded() {
    let mut village = Village::found(62, &[1, 2, 3], 2);
    village.cut_off.insert(1, village.now + 1_000_000);
    let now = village.now;
    let steward = &mut village.leaves[1];
    steward.now = now;
    wish_published(steward, Wish::Remove(account(3)));
    rest(steward);
    wish_published(steward, rename("without three"));
    rest(steward);
    village.wish(0, rename("with three"));
    village.run_for(10_000);
    let chain = village.leaves[1].with(|keeper, lent| {
        let state = StatePrefix::of(&keeper.followed());
        keeper.chain_to(lent.rows, state)
    });
    let chain = chain.unwrap().unwrap();
    let leaf = &mut village.leaves[2];
    let unsigned = &chain[..chain.len() - 1];
    assert_eq!(hear_chain(leaf, unsigned), Some(ChainFault::Unproven));
    assert!(leaf.member() && !stranded(leaf));
    assert_eq!(hear_chain(leaf, &chain), Some(ChainFault::Beyond));
    assert!(leaf.member() && stranded(leaf));
}

#[test]
fn a_device_brings_back_a_lost_one_of_its_account_and_leaves_the_others_in() {
    let mut village = Village::found(52, &[1, 2, 2, 2, 3], 2);
    let lost = village.leaves[2].keeper.as_ref().unwrap().signature_key();
    let stays = village.leaves[3].keeper.as_ref().unwrap().signature_key();
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    village.leaves[2].keeper.as_mut().unwrap().stranded = true;
    village.wish(1, Wish::AddLeafAnew { package, lost });
    village.settle();
    village.check(&[0, 1, 2, 3, 4], &[]);
    let members = village.leaves[0].with(|keeper, lent| keeper.members(lent));
    let members = members.unwrap();
    let keys: Vec<_> = members.iter().map(|m| &m.signature_key).collect();
    assert!(keys.contains(&&stays));
    let key = village.leaves[2].keeper.as_ref().unwrap().signature_key();
    assert!(keys.contains(&&key));
}

#[test]
fn a_steward_brings_back_a_leaf_with_all_of_its_account_removed() {
    let mut village = Village::found(53, &[1, 2, 3, 3], 2);
    let lost = village.leaves[3].keeper.as_ref().unwrap().signature_key();
    village.leaves[3].make_package();
    let package = village.leaves[3].package();
    village.leaves[3].keeper.as_mut().unwrap().stranded = true;
    village.wish(0, Wish::AddLeafAnew { package, lost });
    village.settle();
    village.check(&[0, 1, 2, 3], &[2]);
}

#[test]
fn what_is_wished_for_already_is_not_noted_again() {
    let mut village = Village::found(62, &[1, 2, 3], 1);
    let leaf = &mut village.leaves[0];
    let before = leaf.keeper.as_ref().unwrap().intents.len();
    let mut wish = |wish: Wish| {
        let noted = leaf.with(|keeper, lent| keeper.wish(lent, wish));
        noted.unwrap().unwrap().0
    };
    let first = wish(Wish::Remove(account(3)));
    assert_eq!(wish(Wish::Remove(account(3))), first);
    assert_ne!(wish(Wish::Remove(account(2))), first);
    let intents = leaf.keeper.as_ref().unwrap().intents.len();
    assert_eq!(intents - before, 2);
}

#[test]
fn what_cannot_be_had_in_a_state_that_may_lose_is_had_later() {
    let mut village = Village::found(54, &[1, 2, 3], 2);
    let leaf = &mut village.leaves[2];
    let wish = rename("three");
    let (id, told) = leaf
        .with(|keeper, lent| keeper.wish(lent, wish))
        .unwrap()
        .unwrap();
    assert_eq!(told, [Told::Waits(id, MakeFault::Rules)]);
    village.appoint(0, &[3]);
    village.settle();
    village.check(&[0, 1, 2], &[]);
    let policy = village.leaves[0].with(|keeper, lent| keeper.policy(lent));
    assert_eq!(policy.unwrap().unwrap().name, "three");
}

#[test]
fn a_welcome_says_who_welcomes_and_leaves_no_trace() {
    let mut village = Village::found(56, &[1, 2], 1);
    let joiner = Leaf::new(2, account(3));
    village.leaves.push(joiner);
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    let founder = &mut village.leaves[0];
    wish_published(founder, Wish::Add(package));
    let told = rest(founder);
    let welcome = welcome_in(founder.act(told));
    let by = founder.keeper.as_ref().unwrap().signature_key();
    let leaf = &mut village.leaves[2];
    let scopes = leaf.storage.mls_scopes();
    for _ in 0..2 {
        let invited = look(leaf, &welcome).unwrap();
        assert_eq!(invited.group, GROUP);
        assert_eq!(invited.account, account(3));
        assert_eq!((invited.by.leaf, &invited.by.signature_key), (0, &by));
        assert_eq!(invited.policy.name, "here");
        assert_eq!(invited.members.len(), 3);
    }
    assert_eq!(leaf.storage.mls_scopes(), scopes);
    assert_eq!(look(leaf, b"none").err(), Some(WelcomeFault::Welcome));
}

fn look(leaf: &mut Leaf, welcome: &[u8]) -> Result<Invited, WelcomeFault> {
    let keys: Vec<_> = leaf.packages.iter().map(|own| own.key.clone()).collect();
    let key_of = key_of(keys);
    leaf.lend(|lent, _| Keeper::invited(lent, welcome, key_of))
        .unwrap()
}

fn key_of(keys: Vec<Secret>) -> impl FnOnce(&[u8]) -> Option<Secret> {
    move |public| {
        let mut keys = keys.into_iter();
        keys.find(|key| LeafKey::from_secret(key).unwrap().public() == public)
    }
}

#[test]
fn a_steward_whose_leaf_is_new_brings_back_who_is_vouched_for() {
    let mut village = Village::found(57, &[1, 2, 3], 2);
    // While leaf 2 hears nothing, steward 2 gets a new leaf.
    village.cut_off.insert(2, village.now + 1_000_000);
    village.leaves[1].make_package();
    village.leaves[1].keeper.as_mut().unwrap().stranded = true;
    let package = village.leaves[1].package();
    village.wish(0, Wish::AddAnew(package));
    village.run_for(10_000);
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    let now = village.now;
    let steward = &mut village.leaves[1];
    steward.now = now;
    let by = steward.keeper.as_ref().unwrap().signature_key();
    // It is listed still, or has to be again.
    village.run_for(10_000);
    village.appoint(0, &[2]);
    village.run_for(10_000);
    let now = village.now;
    let steward = &mut village.leaves[1];
    steward.now = now;
    wish_published(steward, Wish::AddAnew(package));
    let told = rest(steward);
    let welcome = welcome_in(steward.act(told));
    let leaf = &mut village.leaves[2];
    leaf.keeper.as_mut().unwrap().stranded = true;
    assert_eq!(join_again(leaf, &welcome), Err(WelcomeFault::Stranger));
    let keys: Vec<_> = leaf.packages.iter().map(|own| own.key.clone()).collect();
    for (vouched, comes) in [(vec![9; 32], false), (by, true)] {
        let key_of = key_of(keys.clone());
        let told =
            leaf.with(|keeper, lent| keeper.join_again_vouched(lent, &welcome, key_of, &vouched));
        assert_eq!(told.unwrap().is_ok(), comes);
    }
}

const NEW: ConversationId = ConversationId([8; 16]);

#[test]
fn any_member_founds_a_group_anew_with_those_who_answer() {
    let mut village = Village::found(58, &[1, 2, 3, 4], 2);
    for number in [1, 3] {
        village.leaves[number].make_package();
    }
    let mut stranger = Leaf::new(9, account(9));
    let packages = vec![
        village.leaves[1].package(),
        stranger.package(),
        village.leaves[3].package(),
    ];
    let founder = &mut village.leaves[2];
    let (mut anew, told) = founder
        .with(|keeper, lent| Keeper::found_anew(lent, keeper, NEW, &packages))
        .unwrap()
        .unwrap();
    let welcome = welcome_in(founder.act(told));
    let members = founder.lend(|lent, _| anew.members(lent)).unwrap();
    let accounts: Vec<_> = members.iter().map(|m| m.account.clone()).collect();
    assert_eq!(accounts, [3, 2, 4].map(account));
    assert_eq!(anew.stewards().unwrap(), [account(3)]);
    // Whoever is welcomed sees what it follows upon, and who says so.
    let leaf = &mut village.leaves[3];
    let invited = look(leaf, &welcome).unwrap();
    assert_eq!((invited.group, invited.policy.name.as_str()), (NEW, "here"));
    let succession = Succession::of(&invited.policy).unwrap();
    assert_eq!(succession.founder.as_slice(), invited.by.signature_key);
    let succeeds = |leaf: &mut Leaf, new, succession: &Succession| {
        leaf.with(|keeper, lent| keeper.is_succeeded_by(lent, new, succession))
            .unwrap()
    };
    let by = succeeds(leaf, NEW, &succession).unwrap();
    assert_eq!(by.account, account(3));
    assert_eq!(succeeds(leaf, GROUP, &succession), None);
    let mut other = succession.clone();
    other.group = NEW;
    assert_eq!(succeeds(leaf, NEW, &other), None);
    let keys: Vec<_> = leaf.packages.iter().map(|own| own.key.clone()).collect();
    let joined = leaf.lend(|lent, _| Keeper::join(lent, &welcome, key_of(keys)).map(|j| j.is_ok()));
    assert!(joined.unwrap());
}

#[test]
fn who_was_removed_founds_nothing_that_the_others_believe() {
    let mut village = Village::found(59, &[1, 2, 3], 2);
    village.wish(0, Wish::Remove(account(3)));
    village.leaves[0].make_package();
    let packages = vec![village.leaves[0].package()];
    // It has not heard of it.
    let founder = &mut village.leaves[2];
    let (mut anew, _) = founder
        .with(|keeper, lent| Keeper::found_anew(lent, keeper, NEW, &packages))
        .unwrap()
        .unwrap();
    let policy = founder.lend(|lent, _| anew.policy(lent)).unwrap().unwrap();
    let succession = Succession::of(&policy).unwrap();
    village.calm();
    let by = village.leaves[0].with(|keeper, lent| keeper.is_succeeded_by(lent, NEW, &succession));
    assert_eq!(by.unwrap(), None);
    let fault = village.leaves[2].with(|keeper, lent| {
        Keeper::found_anew(lent, keeper, ConversationId([9; 16]), &packages).map(|new| new.err())
    });
    assert_eq!(fault.unwrap(), Some(MakeFault::NotIn));
}

#[test]
fn a_policy_with_a_bent_founding_names_nobody() {
    let village = Village::found(60, &[1, 2], 1);
    let old = village.leaves[1].keeper.as_ref().unwrap();
    let key = LeafKey::from_secret(&Secret::new([5; 32])).unwrap();
    let entry = Succession::entry(old, 0, NEW, &key).unwrap();
    let crypto = super::Crypto::default();
    let signed = |entry: &[u8]| {
        let mut policy = super::GroupPolicy::of_group(vec![account(1)], "");
        policy.further = vec![(1, entry.to_vec())];
        let claim = Succession::of(&policy)?;
        Some(claim.is_signed(&crypto, NEW))
    };
    assert_eq!(signed(&entry), Some(true));
    for at in 0..entry.len() {
        let mut bent = entry.clone();
        bent[at] ^= 1;
        assert_eq!(signed(&bent), (at > 0).then_some(false), "{at}");
        assert_eq!(signed(&entry[..at]), None);
    }
}
