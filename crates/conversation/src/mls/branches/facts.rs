//! What openmls knows of a state and a commit, as plain facts for the rules.

use std::collections::{BTreeMap, BTreeSet};

use openmls::framing::Sender;
use openmls::prelude::{LeafNode, MlsGroup, Proposal, ProposalOrRefType, StagedCommit};
use openmls::treesync::TreeSync;
use openmls_traits::crypto::OpenMlsCrypto as _;
use tls_codec::{DeserializeBytes as _, Serialize, VLBytes};

use super::policy::GroupPolicy;
use super::shape;
use crate::fork_choice::rules::{Contents, Leaf, MAX_DEVICES, MAX_LEAVES, Parent};
use crate::fork_choice::{AccountId, DeviceKey};
use crate::mls::crypto::Crypto;
use crate::mls::suite;

fn leaf(node: &LeafNode) -> Option<Leaf> {
    let stamp = shape::stamp(node);
    Some(Leaf {
        account: shape::account(node)?,
        renewed_at: stamp.map(|stamp| stamp.renewed_at),
        changed_at: stamp.and_then(|stamp| stamp.changed_at),
    })
}

fn most(policy: &GroupPolicy) -> usize {
    policy
        .most_leaves()
        .map_or(MAX_LEAVES, |most| most.min(MAX_LEAVES))
}

fn each(policy: &GroupPolicy) -> usize {
    policy
        .most_of_one()
        .map_or(MAX_DEVICES, |most| most.min(MAX_DEVICES))
}

/// Whether it bounds the leaves of one account, and to as many as there may be at all.
/// A group that says nothing of each account is one for many, however small.
fn of_one(policy: &GroupPolicy) -> bool {
    policy.most_of_one().is_some() && most(policy) == each(policy)
}

fn narrow(policy: &GroupPolicy) -> usize {
    policy
        .narrow()
        .map_or(MAX_LEAVES, |narrow| narrow.min(MAX_LEAVES))
}

/// The state a group is in; `None` if it is none of ours.
pub(super) fn parent(group: &MlsGroup) -> Option<Parent> {
    let policy = shape::policy(group.extensions())?;
    let leaves = group.treesync().full_leaves();
    let leaves = leaves.map(|(index, node)| Some((index.u32(), leaf(node)?)));
    Some(Parent {
        shape: policy.shape,
        epoch: group.epoch().as_u64(),
        most: most(&policy),
        each: each(&policy),
        of_one: of_one(&policy),
        narrow: narrow(&policy),
        heralds: policy.heralds(),
        listed: policy.stewards,
        leaves: leaves.collect::<Option<BTreeMap<_, _>>>()?,
    })
}

/// The leaves of a state that the choice weighs, by index.
pub(super) fn devices(group: &MlsGroup, parent: &Parent) -> Vec<(u32, DeviceKey)> {
    let weighed = parent.weighed();
    let leaves = group.treesync().full_leaves();
    let leaves = leaves.filter(|(index, _)| weighed.contains(&index.u32()));
    let devices = leaves.map(|(index, node)| {
        let device = DeviceKey::of(&shape::account(node)?, node.signature_key().as_slice());
        Some((index.u32(), device))
    });
    devices.flatten().collect()
}

/// The leaves of a state whose Welcome can bring back a leaf of `me`: those of
/// the stewards and of the account itself, as account and public signature key.
pub(super) fn welcomers(
    group: &MlsGroup,
    stewards: &[AccountId],
    me: &AccountId,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let leaves = group.treesync().full_leaves();
    let leaves = leaves.filter_map(|(_, node)| {
        let account = shape::account(node)?;
        let may = account == *me || stewards.contains(&account);
        let key = node.signature_key().as_slice().to_vec();
        may.then(|| (account.as_bytes().to_vec(), key))
    });
    leaves.collect()
}

/// What a commit on that state holds. What is not as our groups have it is
/// foreign.
pub(super) fn contents(parent: &Parent, committer: u32, staged: &StagedCommit) -> Contents {
    let mut contents = Contents {
        committer,
        path: None,
        removed: BTreeSet::new(),
        added: Vec::new(),
        listed: None,
        heralds: None,
        foreign: false,
    };
    if let Some(node) = staged.update_path_leaf_node() {
        contents.path = leaf(node);
        contents.foreign |= !shape::leaf_follows_the_rules(node);
    }
    for queued in staged.queued_proposals() {
        let inline = matches!(queued.proposal_or_ref_type(), ProposalOrRefType::Proposal);
        let own = matches!(queued.sender(), Sender::Member(from) if from.u32() == committer);
        contents.foreign |= !inline || !own || !contents.take(parent, queued.proposal());
    }
    contents
}

impl Contents {
    /// Notes what a proposal does; whether it is one of ours.
    fn take(&mut self, parent: &Parent, proposal: &Proposal) -> bool {
        match proposal {
            Proposal::Add(add) => {
                let node = add.key_package().leaf_node();
                let added = leaf(node).filter(|_| shape::leaf_follows_the_rules(node));
                let fits = added.is_some() && shape::package_is_bare(add.key_package());
                self.added.extend(added);
                fits
            }
            Proposal::Remove(remove) => self.removed.insert(remove.removed().u32()),
            Proposal::GroupContextExtensions(change) => match shape::policy(change.extensions()) {
                Some(policy) => {
                    let same = policy.shape == parent.shape
                        && most(&policy) == parent.most
                        && each(&policy) == parent.each
                        && of_one(&policy) == parent.of_one
                        && narrow(&policy) == parent.narrow;
                    self.heralds = Some(policy.heralds());
                    self.listed.replace(policy.stewards).is_none() && same
                }
                None => false,
            },
            _ => false,
        }
    }
}

/// Whether something can be encrypted to this public key. openmls takes keys
/// that are none, and fails only when it has to use them.
pub(super) fn takes_secrets(crypto: &Crypto, key: &[u8]) -> bool {
    let config = suite::SUITE.hpke_config();
    crypto.hpke_seal(config, key, &[], &[], &[]).is_ok()
}

/// All public encryption keys in a tree.
pub(super) fn encryption_keys(tree: &TreeSync) -> BTreeSet<Vec<u8>> {
    let leaves = tree
        .full_leaves()
        .map(|(_, leaf)| first_field(leaf.encryption_key()));
    // Of a parent node nothing is handed out but its bytes, which begin with the key.
    let parents = tree.full_parents().map(|(_, parent)| first_field(parent));
    leaves
        .chain(parents)
        .map(Option::unwrap_or_default)
        .collect()
}

fn first_field<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    let bytes = value.tls_serialize_detached().ok()?;
    let (key, _) = VLBytes::tls_deserialize_bytes(&bytes).ok()?;
    Some(key.into())
}

/// Whether all keys are keys that came into the tree since it held `before`.
/// Every leaf has to answer alike, or a commit would split the group; so all new
/// keys are tried, not only those this leaf would have to encrypt to.
pub(super) fn new_keys_are_keys(
    crypto: &Crypto,
    before: &BTreeSet<Vec<u8>>,
    tree: &TreeSync,
) -> bool {
    let after = encryption_keys(tree);
    after
        .difference(before)
        .all(|key| takes_secrets(crypto, key))
}
