//! What every group of many looks like to MLS: suite, extensions, leaves.
//!
//! The suite is that of a conversation of two. New are three extensions, out of
//! the private range of RFC 9420 section 17: the policy of the group, in its
//! context; and in each leaf that ever committed, the epochs in which it did.

use openmls::prelude::{
    BasicCredential, Capabilities, CredentialType, CredentialWithKey, Extension, ExtensionType,
    Extensions, GroupContext, InvalidExtensionError, KeyPackage, LeafNode, LeafNodeParameters,
    MlsGroupCreateConfig, MlsGroupJoinConfig, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY,
    PastEpochDeletionPolicy, ProtocolVersion, RequiredCapabilitiesExtension, UnknownExtension,
};
use openmls::treesync::LeafNodeSource;

use super::policy::GroupPolicy;
use crate::fork_choice::AccountId;
use crate::mls::{LeafKey, suite};

/// The group context extension that holds the [`GroupPolicy`].
pub(super) const POLICY_EXTENSION: u16 = 0xF48B;
/// The leaf extension that holds its [`Stamp`].
pub(super) const STAMP_EXTENSION: u16 = 0xF48C;
/// Most entries in each list of a leaf's capabilities.
const MOST_CAPABILITIES: usize = 64;
/// Version byte of that extension.
const STAMP: u8 = 1;

/// When a leaf committed last, as it bears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The epoch whose end its last commit was.
    pub(super) renewed_at: u64,
    /// The same of its last commit that did more than renew its keys, if there was one.
    pub(super) changed_at: Option<u64>,
}

impl Stamp {
    pub(super) fn encode(self) -> Vec<u8> {
        let epochs = [Some(self.renewed_at), self.changed_at];
        let epochs = epochs.into_iter().flatten().flat_map(u64::to_be_bytes);
        core::iter::once(STAMP).chain(epochs).collect()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&STAMP, epochs) = bytes.split_first()? else {
            return None;
        };
        let (renewed_at, changed_at) = epochs.split_first_chunk()?;
        Some(Self {
            renewed_at: u64::from_be_bytes(*renewed_at),
            changed_at: match changed_at {
                [] => None,
                epoch => Some(u64::from_be_bytes(epoch.try_into().ok()?)),
            },
        })
    }
}

const fn ours() -> [ExtensionType; 3] {
    [
        ExtensionType::Unknown(suite::SUITE_NAME_EXTENSION),
        ExtensionType::Unknown(POLICY_EXTENSION),
        ExtensionType::Unknown(STAMP_EXTENSION),
    ]
}

/// What our leaves support.
pub(super) fn capabilities() -> Capabilities {
    let [suite_name, policy, stamp] = ours();
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[suite::SUITE]),
        Some(&[ExtensionType::LastResort, suite_name, policy, stamp]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// The identity of a leaf is its account: all devices of one share it.
pub(super) fn credential(account: &AccountId, key: &LeafKey) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(account.as_bytes().to_vec()).into(),
        signature_key: key.public().to_vec().into(),
    }
}

/// The policy towards MLS of groups we are added to. No past epochs: each state
/// has rows of its own, and late messages are read with those.
pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(suite::PADDING)
        .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::MaxEpochs(0))
        .sender_ratchet_configuration(suite::ratchet())
        .use_ratchet_tree_extension(true)
        .build()
}

/// The same for groups we create, in which `policy` holds (encoded).
pub(super) fn create_config(
    policy: Vec<u8>,
) -> Result<MlsGroupCreateConfig, InvalidExtensionError> {
    Ok(MlsGroupCreateConfig::builder()
        .ciphersuite(suite::SUITE)
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(suite::PADDING)
        .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::MaxEpochs(0))
        .sender_ratchet_configuration(suite::ratchet())
        .use_ratchet_tree_extension(true)
        .lifetime(suite::lifetime())
        .capabilities(capabilities())
        .with_group_context_extensions(context(policy)?)
        .build())
}

/// The extensions of a group context in which `policy` holds (encoded).
pub(super) fn context(policy: Vec<u8>) -> Result<Extensions<GroupContext>, InvalidExtensionError> {
    let name = UnknownExtension(suite::SUITE_NAME.to_vec());
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&ours(), &[], &[])),
        Extension::Unknown(suite::SUITE_NAME_EXTENSION, name),
        Extension::Unknown(POLICY_EXTENSION, UnknownExtension(policy)),
    ])
}

/// The policy in a group context; `None` unless the context is as
/// [`context`] makes it.
pub(super) fn policy(extensions: &Extensions<GroupContext>) -> Option<GroupPolicy> {
    let blob = extensions.unknown(POLICY_EXTENSION)?;
    // With their order: it is part of what all sign.
    let fits = context(blob.0.clone()).ok()? == *extensions;
    fits.then(|| GroupPolicy::decode(&blob.0).ok())?
}

/// The leaf of a commit.
pub(super) fn renewed_leaf(stamp: Stamp) -> Result<LeafNodeParameters, InvalidExtensionError> {
    let extension = Extension::Unknown(STAMP_EXTENSION, UnknownExtension(stamp.encode()));
    Ok(LeafNodeParameters::builder()
        .with_extensions(Extensions::single(extension)?)
        .build())
}

/// When a leaf committed last, if it ever did.
pub(super) fn stamp(leaf: &LeafNode) -> Option<Stamp> {
    Stamp::decode(&leaf.extensions().unknown(STAMP_EXTENSION)?.0)
}

/// The account of a leaf, if that is a name we use.
pub(super) fn account(leaf: &LeafNode) -> Option<AccountId> {
    let credential = leaf.credential();
    let basic = credential.credential_type() == CredentialType::Basic;
    basic.then(|| AccountId::try_from(credential.serialized_content()).ok())?
}

/// Whether a key package carries nothing beside its leaf but that it is one of
/// last resort.
pub(super) fn package_is_bare(package: &KeyPackage) -> bool {
    let mut more = package.extensions().iter();
    let first = more.next();
    first.is_none_or(|first| first.extension_type() == ExtensionType::LastResort)
        && more.next().is_none()
}

/// Whether no list of capabilities is so long that it is there to be carried.
pub(super) fn is_short(able: &Capabilities) -> bool {
    able.versions().len() <= MOST_CAPABILITIES
        && able.ciphersuites().len() <= MOST_CAPABILITIES
        && able.extensions().len() <= MOST_CAPABILITIES
        && able.proposals().len() <= MOST_CAPABILITIES
        && able.credentials().len() <= MOST_CAPABILITIES
}

/// Whether a leaf is as ours are: it supports what our groups need, and carries
/// nothing but, if it ever committed, the epochs in which it did.
pub(super) fn leaf_follows_the_rules(leaf: &LeafNode) -> bool {
    let able = leaf.capabilities();
    let more = leaf.extensions().iter().count();
    let stamped = match leaf.leaf_node_source() {
        LeafNodeSource::KeyPackage(until) => more == 0 && *until == suite::lifetime(),
        LeafNodeSource::Commit(_) => more == 1 && stamp(leaf).is_some(),
        LeafNodeSource::Update => false,
    };
    stamped
        && is_short(able)
        && leaf.signature_key().as_slice().len() == 32
        && account(leaf).is_some()
        && able.ciphersuites().contains(&suite::SUITE.into())
        && able.credentials().contains(&CredentialType::Basic)
        && ours().iter().all(|kind| able.extensions().contains(kind))
}
