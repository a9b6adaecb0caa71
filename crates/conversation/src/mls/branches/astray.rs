//! Who loses the others, and what cannot be had where one is.

use super::signed;
use super::tests::raw_chain;
use super::village::{GROUP, Leaf, Village, account, policy};
use super::{ChainFault, HearFault, MakeFault, StatePrefix, Told, Wish};

/// What leads from the others to a state that leaf 2 has nothing in common with.
fn chain_beyond(village: &mut Village) -> Vec<Vec<u8>> {
    village.withheld = vec![(0, 2)];
    for name in 0..8 {
        village.wish(0, policy(None, Some(&name.to_string())));
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
    let forged = signed::sign(&stranger.keeper.as_ref().unwrap().key, GROUP, &chain).unwrap();
    let leaf = &mut village.leaves[2];
    let own = signed::sign(&leaf.keeper.as_ref().unwrap().key, GROUP, &chain).unwrap();
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
    let signature = village.leaves[1].with(|keeper, _| signed::sign(&keeper.key, GROUP, &chain));
    let signed: Vec<_> = chain.iter().cloned().chain(signature).collect();
    let leaf = &mut village.leaves[2];
    let broken = Some(ChainFault::Broken(HearFault::Unreadable));
    for (chain, strands) in [(&chain, false), (&signed, true)] {
        assert_eq!(hear_chain(leaf, chain), broken);
        leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
        assert!(!stranded(leaf));
        leaf.now += 72 * 3_600_000;
        leaf.keeper = leaf
            .lend(|lent, _| super::Keeper::open(lent, GROUP))
            .unwrap();
        leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
        assert_eq!(stranded(leaf), strands);
    }
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
fn what_cannot_be_had_in_a_state_that_may_lose_is_had_later() {
    let mut village = Village::found(54, &[1, 2, 3], 2);
    let leaf = &mut village.leaves[2];
    let wish = policy(None, Some("three"));
    let (id, told) = leaf
        .with(|keeper, lent| keeper.wish(lent, wish))
        .unwrap()
        .unwrap();
    assert_eq!(told, [Told::Waits(id, MakeFault::Rules)]);
    let list = [1, 2, 3].map(account).to_vec();
    village.wish(0, policy(Some(list), None));
    village.settle();
    village.check(&[0, 1, 2], &[]);
    let policy = village.leaves[0].with(|keeper, lent| keeper.policy(lent));
    assert_eq!(policy.unwrap().unwrap().name, "three");
}
