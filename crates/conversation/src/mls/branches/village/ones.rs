//! Groups of the devices of one account: one of them is in other hands.

use openmls::prelude::{CommitBuilder, Initial, LeafNodeIndex, MlsGroup, MlsMessageOut};
use openmls_traits::OpenMlsProvider as _;
use tls_codec::Serialize as _;

use super::{GROUP, GroupPolicy, Leaf, Letter, To, Village, account};
use crate::mls::branches::keeper::{self, Keeper, load};
use crate::mls::branches::rows::Overlay;
use crate::mls::branches::{HearFault, Pointer, StatePrefix, WelcomeFault, Wish, shape};
use crate::mls::provider::Provider;

/// One more than there are, so that there is place for one.
const MOST: u16 = 4;

/// What a commit holds that the thief's own program would not make.
enum Act {
    Policy,
    OfOne,
    Stranger(Vec<u8>),
    Device(Vec<u8>),
    Refresh,
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

/// A commit that nobody's rules were asked about, with its Welcome.
struct Raw {
    commit: Vec<u8>,
    welcome: Option<Vec<u8>>,
}

/// Commits of the device, one upon the other, in the state it is in, whatever the rule
/// says of them. Nothing of them is kept.
fn raw(leaf: &mut Leaf, acts: Vec<Act>) -> Vec<Raw> {
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

fn commit(provider: &Provider<'_>, group: &mut MlsGroup, keeper: &Keeper, act: Act) -> Raw {
    let pointer = Pointer {
        state: StatePrefix::of(&keeper::name_of(group)),
        first_said: None,
    };
    group.set_aad(pointer.encode());
    let epoch = group.epoch().as_u64();
    let before = group.own_leaf_node().and_then(shape::stamp);
    let path = shape::renewed_leaf(shape::Stamp {
        renewed_at: epoch,
        changed_at: match act {
            Act::Refresh => before.and_then(|before| before.changed_at),
            _ => Some(epoch),
        },
    });
    let mine = group.own_leaf_index();
    let others: Vec<_> = group.members().map(|member| member.index).collect();
    let others = others.into_iter().filter(|index| *index != mine);
    let policy = shape::policy(group.extensions()).unwrap();
    let builder = group
        .commit_builder()
        .force_self_update(true)
        .leaf_node_parameters(path.unwrap());
    let builder = match act {
        Act::Policy => replace(builder, &policy.disappearing(60)),
        Act::OfOne => replace(builder, &policy.bounded_each(8)),
        Act::Stranger(package) | Act::Device(package) => {
            let package = crate::mls::branches::MemberPackage::check(provider.crypto(), &package);
            builder.propose_adds([package.unwrap().package])
        }
        Act::Refresh => builder,
        Act::RemoveAll => builder.propose_removals(others.map(|i| LeafNodeIndex::new(i.u32()))),
    };
    let made = builder
        .load_psks(provider.storage())
        .unwrap()
        .build(provider.rand(), provider.crypto(), &keeper.key, |_| true)
        .unwrap()
        .stage_commit(provider)
        .unwrap();
    let (commit, welcome, _) = made.into_messages();
    group.merge_pending_commit(provider).unwrap();
    let bytes = |message: MlsMessageOut| message.tls_serialize_detached().unwrap();
    Raw {
        commit: bytes(commit),
        welcome: welcome.map(bytes),
    }
}

fn replace<'a>(
    builder: CommitBuilder<'a, Initial>,
    policy: &GroupPolicy,
) -> CommitBuilder<'a, Initial> {
    let context = shape::context(policy.encode().unwrap()).unwrap();
    builder.propose_group_context_extensions(context).unwrap()
}

/// The leaves `before` renew their keys, one after the other; then the second device
/// throws out the third, and so many commits of the first follow. Then the third answers
/// in each state it was in. Whether the others kept anything of that.
fn thrown_out(seed: u64, before: &[usize], later: u32, acts: impl Fn() -> Vec<Act>) -> bool {
    let mut village = Village::found_of_one(seed);
    let mut answers = Vec::new();
    for leaf in before {
        answers.extend(raw(&mut village.leaves[2], acts()));
        village.wish(*leaf, Wish::Refresh);
        village.run_for(150_000);
    }
    answers.extend(raw(&mut village.leaves[2], acts()));
    village.cut_off.insert(2, village.now + 900_000);
    let key = village.leaves[2].keeper.as_ref().unwrap().signature_key();
    village.wish(1, Wish::RemoveLeaf(key));
    village.run_for(10_000);
    for _ in 0..later {
        village.wish(0, Wish::Refresh);
        village.run_for(150_000);
    }
    let now = |village: &Village| {
        let keeper = village.leaves[0].keeper.as_ref().unwrap();
        (keeper.followed(), keeper.commits())
    };
    let (followed, commits) = now(&village);
    village.cut_off.remove(&2);
    for answer in answers {
        village.send(2, vec![(To::All, Letter::Mls(answer.commit))]);
    }
    village.say(1);
    village.settle();
    village.check(&[0, 1, 2], &[2]);
    let (still, more) = now(&village);
    assert_eq!(still, followed, "{before:?}");
    more > commits
}

#[test]
fn a_thrown_out_device_does_not_come_back_by_replacing_the_policy() {
    for later in [0, 1, 4] {
        let acts = || vec![Act::Policy, Act::Policy, Act::RemoveAll];
        assert!(!thrown_out(1, &[], later, acts));
    }
}

#[test]
fn nor_by_letting_in_somebody_else() {
    let stranger = || Leaf::new(11, account(2)).package();
    for later in [0, 3] {
        let acts = || vec![Act::Stranger(stranger()), Act::RemoveAll];
        assert!(!thrown_out(2, &[], later, acts));
    }
}

#[test]
fn nor_by_throwing_out_the_others_in_any_state_it_kept() {
    let device = || Leaf::new(10, account(1)).package();
    for (before, later) in [
        (&[][..], 3),
        (&[2], 0),
        (&[0], 1),
        (&[1, 2], 0),
        (&[2, 0, 2], 1),
    ] {
        let alone = || vec![Act::RemoveAll];
        assert!(thrown_out(3, before, later, alone));
        let company = || vec![Act::Device(device()), Act::RemoveAll];
        assert!(thrown_out(4, before, later, company));
        let renewed = || vec![Act::Refresh, Act::RemoveAll];
        assert!(thrown_out(5, before, later, renewed));
    }
}

#[test]
fn a_device_thrown_out_while_another_brings_it_back_is_out() {
    let mut village = Village::found_of_one(6);
    let lost = village.leaves[2].keeper.as_ref().unwrap().signature_key();
    village.leaves[2].make_package();
    let package = village.leaves[2].package();
    // Neither hears in time what the other does.
    village.withheld = vec![(0, 1), (1, 0)];
    let anew = Wish::AddLeafAnew {
        package,
        lost: lost.clone(),
    };
    village.wish(0, anew);
    village.wish(1, Wish::RemoveLeaf(lost));
    village.run_for(10_000);
    assert_ne!(village.followed(0), village.followed(1));
    village.withheld.clear();
    village.settle();
    village.check(&[0, 1], &[]);
}

#[test]
fn nobody_is_welcomed_to_devices_of_one_account_that_are_not() {
    let mut village = Village::found_of_one(7);
    let join = |mut guest: Leaf, welcome: &[u8]| {
        let key = guest.packages[0].key.clone();
        guest.lend(|lent, _| {
            let joined = Keeper::join(lent, welcome, |_| Some(key)).unwrap();
            joined.map(|_| ())
        })
    };
    let guest = |of: u8| {
        let mut guest = Leaf::new(10, account(of));
        let package = guest.package();
        (guest, package)
    };
    let mut welcome = |acts| {
        let mut made = raw(&mut village.leaves[2], acts);
        made.pop().unwrap().welcome.unwrap()
    };
    let (mine, package) = guest(1);
    assert_eq!(join(mine, &welcome(vec![Act::Device(package)])), Ok(()));
    // Somebody else, and a device of the account among whom somebody else is.
    let (other, package) = guest(2);
    let refused = Err(WelcomeFault::Rules);
    assert_eq!(join(other, &welcome(vec![Act::Stranger(package)])), refused);
    let (mine, package) = guest(1);
    let stranger = Leaf::new(11, account(2)).package();
    let acts = vec![
        Act::RemoveAll,
        Act::Stranger(stranger),
        Act::Device(package),
    ];
    assert_eq!(join(mine, &welcome(acts)), refused);
}

#[test]
fn a_group_that_says_nothing_of_each_account_is_one_for_many() {
    let mut village = Village::new(8, &[1, 2]);
    let policy = GroupPolicy::of_group(vec![account(1)], "").bounded(8);
    village.leaves[0].found(&policy);
    village.add(0, 1);
    village.settle();
    village.check(&[0, 1], &[]);
    // Nor does its steward make it another.
    let state = village.followed(1);
    for made in raw(&mut village.leaves[0], vec![Act::OfOne]) {
        village.send(0, vec![(To::All, Letter::Mls(made.commit))]);
    }
    village.calm();
    assert_eq!(village.leaves[1].faults, [HearFault::Rules]);
    assert_eq!(village.followed(1), state);
}
