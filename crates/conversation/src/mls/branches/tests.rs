//! What a keeper of branches does, one thing at a time.

use hushwing_sansio::StorageErrorKind;
use openmls::prelude::MlsGroup;
use openmls_traits::OpenMlsProvider as _;
use tls_codec::Serialize as _;

use super::keeper::load;
use super::rows::{self, Overlay};
use super::village::{GROUP, Leaf, Letter, REST, To, Village, account, rename, soak};
use super::{
    ChainFault, HearFault, Heard, Keeper, MakeFault, Pointer, StatePrefix, Told, Wish, facts, shape,
};
use crate::MlsRows as _;
use crate::mls::provider::Provider;

/// Commits as no keeper would make them: new keys, one upon the other, in the
/// state the leaf is in. Nothing of them is kept.
pub(super) fn raw_chain(leaf: &mut Leaf, length: usize) -> Vec<Vec<u8>> {
    let mut rows = leaf.storage.clone();
    let keeper = leaf.keeper.take().unwrap();
    let chain = leaf.lend(|lent, _| {
        let mut rows = Overlay::of(&mut rows, GROUP, &keeper.followed).unwrap();
        let provider = Provider::new(lent.crypto, lent.cx, &mut rows);
        let mut group = load(&provider, GROUP).unwrap();
        let commits = (0..length).map(|_| raw_commit(&provider, &mut group, &keeper));
        commits.collect()
    });
    leaf.crypto.sealed.lock().unwrap().clear();
    leaf.keeper = Some(keeper);
    chain
}

fn raw_commit(provider: &Provider<'_>, group: &mut MlsGroup, keeper: &Keeper) -> Vec<u8> {
    let pointer = Pointer {
        state: StatePrefix::of(&super::keeper::name_of(group)),
        first_said: None,
    };
    group.set_aad(pointer.encode());
    let before = group.own_leaf_node().and_then(shape::stamp);
    let path = shape::renewed_leaf(shape::Stamp {
        renewed_at: group.epoch().as_u64(),
        changed_at: before.and_then(|before| before.changed_at),
    });
    let commit = group
        .commit_builder()
        .force_self_update(true)
        .leaf_node_parameters(path.unwrap())
        .load_psks(provider.storage())
        .unwrap()
        .build(provider.rand(), provider.crypto(), &keeper.key, |_| true)
        .unwrap()
        .stage_commit(provider)
        .unwrap();
    let bytes = commit.commit().tls_serialize_detached().unwrap();
    group.merge_pending_commit(provider).unwrap();
    bytes
}

/// The MLS messages among what is to be sent.
fn messages(out: Vec<(To, Letter)>) -> Vec<Vec<u8>> {
    let messages = out.into_iter().filter_map(|(_, letter)| match letter {
        Letter::Mls(bytes) => Some(bytes),
        _ => None,
    });
    messages.collect()
}

fn hear(leaf: &mut Leaf, bytes: &[u8]) -> Result<Heard, HearFault> {
    let heard = leaf.with(|keeper, lent| keeper.hear(lent, bytes));
    heard.unwrap().1
}

#[test]
fn a_group_of_several_devices_talks() {
    let mut village = Village::found(1, &[1, 2, 3, 3], 2);
    village.settle();
    village.check(&[0, 1, 2, 3], &[]);
    let members = village.leaves[3].with(|keeper, lent| keeper.members(lent));
    let accounts: Vec<_> = members.unwrap().into_iter().map(|m| m.account).collect();
    assert_eq!(accounts, [account(1), account(2), account(3), account(3)]);
    let stewards = village.leaves[2]
        .keeper
        .as_ref()
        .unwrap()
        .stewards()
        .unwrap();
    assert_eq!(stewards, [account(1), account(2)]);
}

#[test]
fn of_two_concurrent_commits_all_follow_one_and_both_wishes_come_true() {
    let mut village = Village::found(2, &[1, 2, 3, 4], 2);
    village.leaves.push(Leaf::new(4, account(5)));
    village.add(0, 4);
    village.wish(1, rename("both"));
    village.say(2);
    village.settle();
    village.check(&[0, 1, 2, 3, 4], &[]);
    let policy = village.leaves[4].with(|keeper, lent| keeper.policy(lent));
    assert_eq!(policy.unwrap().unwrap().name, "both");
}

#[test]
fn an_own_commit_is_followed_only_after_it_was_published_and_rested() {
    let mut village = Village::found(3, &[1, 2], 1);
    let before = village.followed(0);
    let leaf = &mut village.leaves[0];
    let out = leaf.wish(rename("late"));
    let Letter::Taken(commit) = out[1].1.clone() else {
        panic!("nothing to be taken")
    };
    let now = leaf.now;
    leaf.now = now + 3_600_000;
    assert_eq!(leaf.with(|keeper, lent| keeper.tick(lent)).unwrap(), []);
    let told = leaf.with(|keeper, lent| keeper.published(lent, commit, REST));
    assert_eq!(told.unwrap(), []);
    leaf.now += 1_999;
    assert_eq!(leaf.with(|keeper, lent| keeper.tick(lent)).unwrap(), []);
    assert_eq!(leaf.keeper.as_ref().unwrap().followed(), before);
    leaf.now += 1;
    let told = leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
    assert!(
        matches!(&told[..], [Told::Followed { from, left, .. }] if *from == before && left.is_empty())
    );
}

#[test]
fn a_rest_outlives_a_crash() {
    let mut village = Village::found(3, &[1, 2], 1);
    let leaf = &mut village.leaves[0];
    let out = leaf.wish(rename("late"));
    let Letter::Taken(commit) = out[1].1.clone() else {
        panic!("nothing to be taken")
    };
    leaf.with(|keeper, lent| keeper.published(lent, commit, REST))
        .unwrap();
    leaf.keeper = leaf.lend(|lent, _| Keeper::open(lent, GROUP)).unwrap();
    leaf.now += 2_000;
    let told = leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
    assert!(matches!(told[..], [Told::Followed { .. }]));
}

#[test]
fn messages_of_a_state_that_was_left_are_read_late() {
    let mut village = Village::found(4, &[1, 2, 3], 2);
    let late = messages(village.leaves[2].say(77));
    for name in ["a", "b", "c"] {
        village.wish(0, rename(name));
        village.calm();
    }
    let heard = hear(&mut village.leaves[1], &late[0]);
    assert!(matches!(heard, Ok(Heard::Said(said)) if said.plaintext == 77_u64.to_be_bytes()));
    let leaf = &mut village.leaves[1];
    assert_eq!(hear(leaf, &late[0]), Ok(Heard::Known));
    // What was read before is remembered for a run, and its keys are gone.
    leaf.keeper = leaf.lend(|lent, _| Keeper::open(lent, GROUP)).unwrap();
    assert_eq!(hear(leaf, &late[0]), Err(HearFault::Unreadable));
    for name in ["d", "e", "f"] {
        village.wish(0, rename(name));
        village.calm();
    }
    assert_eq!(
        hear(&mut village.leaves[0], &late[0]).err(),
        Some(HearFault::TooLate)
    );
}

#[test]
fn six_states_of_a_branch_are_kept_and_those_three_days_old_are_not() {
    let mut village = Village::found(5, &[1, 2, 3], 2);
    for name in 0..9 {
        village.wish(0, rename(&name.to_string()));
        village.calm();
    }
    village.check(&[0, 1, 2], &[]);
    for leaf in &mut village.leaves {
        assert_eq!(leaf.keeper.as_ref().unwrap().states().count(), 6);
        leaf.now += 73 * 3_600_000;
        let told = leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
        let forgotten = told.iter().find_map(|told| match told {
            Told::Forgotten(states) => Some(states.len()),
            _ => None,
        });
        assert_eq!(forgotten, Some(5));
    }
    village.check(&[0, 1, 2], &[]);
}

#[test]
fn a_commit_against_the_rules_is_refused_and_changes_no_row() {
    let mut village = Village::found(6, &[1, 2, 3], 2);
    // A member renews keys once, and again at once.
    let chain = raw_chain(&mut village.leaves[2], 2);
    let leaf = &mut village.leaves[0];
    assert!(matches!(hear(leaf, &chain[0]), Ok(Heard::Commit(_))));
    let scope = rows::state(GROUP, &leaf.keeper.as_ref().unwrap().followed());
    let before = leaf.storage.mls_scope(&scope).unwrap();
    let scopes = leaf.storage.mls_scopes();
    assert_eq!(hear(leaf, &chain[1]).err(), Some(HearFault::Rules));
    assert_eq!(leaf.storage.mls_scope(&scope).unwrap(), before);
    assert_eq!(leaf.storage.mls_scopes(), scopes);
}

#[test]
fn what_the_rules_do_not_allow_me_is_given_up_once_nothing_can_undo_that() {
    let mut village = Village::found(7, &[1, 2, 3], 2);
    let leaf = &mut village.leaves[2];
    let wish = Wish::Remove(account(1));
    let (id, told) = leaf
        .with(|keeper, lent| keeper.wish(lent, wish))
        .unwrap()
        .unwrap();
    assert_eq!(told, [Told::Waits(id, MakeFault::Rules)]);
    let told = leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
    assert_eq!(told, []);
    leaf.now += 73 * 3_600_000;
    let told = leaf.with(|keeper, lent| keeper.tick(lent)).unwrap();
    assert!(told.contains(&Told::GivenUp(id, MakeFault::Rules)));
    assert_eq!(leaf.keeper.as_ref().unwrap().open_intents().count(), 0);
    // Where nothing can be undone it is given up at once.
    let wish = Wish::Remove(account(1));
    let (id, told) = leaf
        .with(|keeper, lent| keeper.wish(lent, wish))
        .unwrap()
        .unwrap();
    assert_eq!(told, [Told::GivenUp(id, MakeFault::Rules)]);
}

#[test]
fn who_was_removed_is_told_and_can_say_nothing() {
    let mut village = Village::found(8, &[1, 2, 3], 2);
    village.wish(1, Wish::Remove(account(3)));
    village.settle();
    village.check(&[0, 1, 2], &[2]);
    let said = village.leaves[2].with(|keeper, lent| keeper.say(lent, b"still here", None));
    assert_eq!(said.unwrap(), Err(MakeFault::NotIn));
    // And comes back with a Welcome.
    village.add(0, 2);
    village.settle();
    village.check(&[0, 1, 2], &[]);
}

#[test]
fn a_stolen_device_is_removed_by_another_of_its_account() {
    let mut village = Village::found(9, &[1, 2, 3, 3], 2);
    let members = village.leaves[0]
        .with(|keeper, lent| keeper.members(lent))
        .unwrap();
    village.wish(2, Wish::RemoveLeaf(members[3].signature_key.clone()));
    village.settle();
    village.check(&[0, 1, 2, 3], &[3]);
}

#[test]
fn a_chain_leads_to_an_unknown_state() {
    let mut village = Village::found(10, &[1, 2, 3], 2);
    village.cut_off.insert(2, village.now + 1_000_000);
    for name in ["a", "b"] {
        village.wish(0, rename(name));
        village.run_for(5_000);
    }
    let said = messages(village.leaves[1].say(5)).remove(0);
    let Err(HearFault::UnknownState { state, .. }) = hear(&mut village.leaves[2], &said) else {
        panic!("the state is known")
    };
    let chain = village.leaves[1].with(|keeper, lent| keeper.chain_to(lent.rows, state));
    let chain = chain.unwrap().unwrap();
    let leaf = &mut village.leaves[2];
    let (_, fault) = leaf
        .with(|keeper, lent| keeper.hear_chain(lent, &chain))
        .unwrap();
    assert_eq!(fault, None);
    assert!(matches!(hear(leaf, &said), Ok(Heard::Said(_))));
}

#[test]
fn beyond_all_common_states_only_being_added_anew_helps() {
    let mut village = Village::found(11, &[1, 2, 3], 2);
    village.withheld = vec![(0, 2)];
    for name in 0..8 {
        village.wish(0, rename(&name.to_string()));
        village.calm();
    }
    let state = StatePrefix::of(&village.followed(1));
    let chain = village.leaves[1].with(|keeper, lent| keeper.chain_to(lent.rows, state));
    let chain = chain.unwrap().unwrap();
    let beyond = village.leaves[2].with(|keeper, lent| keeper.hear_chain(lent, &chain));
    assert_eq!(beyond.unwrap().1, Some(ChainFault::Beyond));
    village.withheld.clear();
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    village.wish(0, Wish::AddAnew(package));
    village.settle();
    village.check(&[0, 1, 2], &[]);
}

#[test]
fn who_makes_many_commits_to_one_state_costs_the_others_little() {
    let mut village = Village::found(14, &[1, 2], 1);
    let flood: Vec<_> = (0..70)
        .map(|_| raw_chain(&mut village.leaves[1], 1).remove(0))
        .collect();
    let leaf = &mut village.leaves[0];
    for commit in &flood {
        let heard = hear(leaf, commit);
        assert!(matches!(heard, Ok(Heard::Commit(_))), "{heard:?}");
        assert!(leaf.keeper.as_ref().unwrap().commits() < 64);
    }
}

/// A group in which each leaf committed once, as its founder holds it.
fn filled(leaves: u8) -> Leaf {
    let mut founder = Leaf::new(0, account(1));
    founder.found(&super::GroupPolicy::of_group(vec![account(1)], "many"));
    for number in 2..=leaves {
        let mut joiner = Leaf::new(usize::from(number), account(number));
        founder.now += 130_000;
        let out = founder.wish(Wish::Add(joiner.package()));
        let mut welcomes = out.clone();
        for (_, letter) in out {
            if let Letter::Taken(_) = letter {
                founder.take(0, letter);
                founder.now += 10_000;
                let told = founder.with(|keeper, lent| keeper.tick(lent)).unwrap();
                welcomes.extend(founder.act(told));
            }
        }
        for (_, letter) in welcomes {
            if let Letter::Welcome(_) = letter {
                joiner.take(0, letter);
            }
        }
        for commit in messages(joiner.wish(Wish::Refresh)) {
            hear(&mut founder, &commit).unwrap();
        }
    }
    founder
}

#[test]
fn a_state_costs_three_kilobytes_a_leaf() {
    let leaves = if soak() { 100 } else { 8 };
    let mut founder = filled(leaves);
    let members = founder.with(|keeper, lent| keeper.members(lent)).unwrap();
    assert_eq!(members.len(), usize::from(leaves));
    let state = rows::state(GROUP, &founder.keeper.as_ref().unwrap().followed());
    let rows = founder.storage.mls_scope(&state).unwrap();
    let bytes: usize = rows
        .iter()
        .map(|(_, key, value)| key.len() + value.expose().len())
        .sum();
    eprintln!("{leaves} leaves: {bytes} bytes of rows for each state");
    for (label, _, value) in &rows {
        eprintln!("  label {label}: {}", value.expose().len());
    }
    assert!(bytes < 20_000 + 3_500 * usize::from(leaves), "{bytes}");
}

#[test]
fn damaged_records_are_told_as_damage() {
    let mut village = Village::found(12, &[1, 2], 1);
    let leaf = &mut village.leaves[0];
    let scope = rows::records(GROUP);
    for (label, key, _) in leaf.storage.mls_scope(&scope).unwrap() {
        let before = leaf.storage.clone();
        leaf.storage
            .put_mls_row(&scope, label, &key, &[9, 9])
            .unwrap();
        let opened = leaf.lend(|lent, _| Keeper::open(lent, GROUP).map(|_| ()));
        assert_eq!(opened.unwrap_err().kind, StorageErrorKind::Corrupt);
        leaf.storage = before;
    }
    let state = rows::state(GROUP, &leaf.keeper.as_ref().unwrap().followed());
    for (label, key, _) in leaf.storage.mls_scope(&state).unwrap() {
        leaf.storage
            .put_mls_row(&state, label, &key, &[9, 9])
            .unwrap();
    }
    leaf.keeper = leaf.lend(|lent, _| Keeper::open(lent, GROUP)).unwrap();
    let said = leaf.with(|keeper, lent| keeper.say(lent, b"?", None));
    assert_eq!(said.unwrap_err().kind, StorageErrorKind::Corrupt);
}

#[test]
fn a_key_that_is_none_takes_no_secrets() {
    let crypto = super::Crypto::default();
    for key in [&[][..], &[0; 31], &[0xFF; 1216]] {
        assert!(!facts::takes_secrets(&crypto, key));
    }
}

#[test]
fn a_group_is_forgotten_without_a_trace() {
    let mut village = Village::found(13, &[1, 2], 1);
    let leaf = &mut village.leaves[0];
    Keeper::forget(&mut leaf.storage, GROUP).unwrap();
    assert_eq!(leaf.storage.mls_scopes(), Vec::<Vec<u8>>::new());
    assert!(
        leaf.lend(|lent, _| Keeper::open(lent, GROUP))
            .unwrap()
            .is_none()
    );
}
