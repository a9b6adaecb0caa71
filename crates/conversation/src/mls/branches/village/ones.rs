//! Groups of the devices of one account: one of them is in other hands.

use openmls::prelude::{LeafNodeIndex, MlsGroup};
use openmls_traits::OpenMlsProvider as _;
use tls_codec::Serialize as _;

use super::{GROUP, GroupPolicy, Leaf, Letter, To, Village, account};
use crate::mls::branches::keeper::{self, Keeper, load};
use crate::mls::branches::rows::Overlay;
use crate::mls::branches::{Pointer, StatePrefix, Wish, shape};
use crate::mls::provider::Provider;

/// One more than there are, so that there is place for one.
const MOST: u16 = 4;

/// What a commit holds that the thief's own program would not make.
enum Act {
    Policy,
    Stranger(Vec<u8>),
    Device(Vec<u8>),
    RemoveAll,
}

impl Village {
    /// The first device founds the group and lets the other two in.
    fn found_of_one(seed: u64) -> Self {
        let mut village = Self::new(seed, &[1, 1, 1]);
        let policy = GroupPolicy::of_group(vec![account(1)], "");
        let policy = policy.bounded(MOST).bounded_each(MOST);
        village.leaves[0].found(&policy);
        for number in 1..3 {
            village.add(0, number);
            village.calm();
        }
        village
    }
}

/// Commits of the device, one upon the other, in the state it is in, whatever the rule
/// says of them. Nothing of them is kept.
fn raw(leaf: &mut Leaf, acts: Vec<Act>) -> Vec<Vec<u8>> {
    let mut rows = leaf.storage.clone();
    let keeper = leaf.keeper.take().unwrap();
    let chain = leaf.lend(|lent, _| {
        let mut rows = Overlay::of(&mut rows, GROUP, &keeper.followed()).unwrap();
        let provider = Provider::new(lent.crypto, lent.cx, &mut rows);
        let mut group = load(&provider, GROUP).unwrap();
        let acts = acts.into_iter();
        acts.map(|act| commit(&provider, &mut group, &keeper, act))
            .collect()
    });
    leaf.crypto.sealed.lock().unwrap().clear();
    leaf.keeper = Some(keeper);
    chain
}

fn commit(provider: &Provider<'_>, group: &mut MlsGroup, keeper: &Keeper, act: Act) -> Vec<u8> {
    let pointer = Pointer {
        state: StatePrefix::of(&keeper::name_of(group)),
        first_said: None,
    };
    group.set_aad(pointer.encode());
    let path = shape::renewed_leaf(group.epoch().as_u64()).unwrap();
    let mine = group.own_leaf_index();
    let others: Vec<_> = group.members().map(|member| member.index).collect();
    let others = others.into_iter().filter(|index| *index != mine);
    let policy = shape::policy(group.extensions()).unwrap();
    let builder = group
        .commit_builder()
        .force_self_update(true)
        .leaf_node_parameters(path);
    let builder = match act {
        Act::Policy => {
            let context = shape::context(policy.disappearing(60).encode().unwrap());
            let replaced = builder.propose_group_context_extensions(context.unwrap());
            replaced.unwrap()
        }
        Act::Stranger(package) | Act::Device(package) => {
            let package = crate::mls::branches::MemberPackage::check(provider.crypto(), &package);
            builder.propose_adds([package.unwrap().package])
        }
        Act::RemoveAll => builder.propose_removals(others.map(|i| LeafNodeIndex::new(i.u32()))),
    };
    let commit = builder
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

/// The second device throws out the third, which says `chain` in the state before, so
/// many commits of the others later.
fn thrown_out(seed: u64, acts: impl Fn() -> Vec<Act>, later: u32) {
    let mut village = Village::found_of_one(seed);
    let chain = raw(&mut village.leaves[2], acts());
    village.cut_off.insert(2, village.now + 600_000);
    let key = village.leaves[2].keeper.as_ref().unwrap().signature_key();
    village.wish(1, Wish::RemoveLeaf(key));
    village.run_for(10_000);
    for _ in 0..later {
        village.wish(0, Wish::Refresh);
        village.run_for(150_000);
    }
    let epoch = village.leaves[0].keeper.as_ref().unwrap().epoch();
    village.cut_off.remove(&2);
    for commit in chain {
        village.send(2, vec![(To::All, Letter::Mls(commit))]);
    }
    village.say(1);
    village.settle();
    village.check(&[0, 1, 2], &[2]);
    assert_eq!(village.leaves[0].keeper.as_ref().unwrap().epoch(), epoch);
}

#[test]
fn a_thrown_out_device_does_not_come_back_by_replacing_the_policy() {
    for later in [0, 1, 4, 6] {
        thrown_out(1, || vec![Act::Policy, Act::Policy, Act::RemoveAll], later);
    }
}

#[test]
fn nor_by_letting_in_a_device_of_its_own_or_somebody_else() {
    let device = || Leaf::new(10, account(1)).package();
    let stranger = || Leaf::new(11, account(2)).package();
    for later in [0, 3] {
        thrown_out(2, || vec![Act::Stranger(stranger()), Act::RemoveAll], later);
        let company = || vec![Act::Device(device()), Act::RemoveAll];
        thrown_out(3, company, later);
    }
}
