//! The one suite and the one policy of our groups.
//!
//! The number of the suite is provisional, so its name is bound into each
//! group: should the number come to mean another suite, old groups refuse it.

use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialType, CredentialWithKey, Extension,
    ExtensionType, Extensions, GroupContext, InvalidExtensionError, LeafNode, Lifetime,
    MlsGroupCreateConfig, MlsGroupJoinConfig, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY,
    PastEpochDeletionPolicy, ProtocolVersion, SenderRatchetConfiguration, UnknownExtension,
};
use openmls::treesync::LeafNodeSource;

use super::LeafKey;

/// X-Wing, AES-256-GCM, SHA-384, Ed25519 (draft-ietf-mls-pq-ciphersuites).
pub(super) const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
/// The name bound into the group context.
pub(super) const SUITE_NAME: &[u8] = b"MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519";
/// The group context extension that holds it, out of the private range of
/// RFC 9420 section 17.
pub(super) const SUITE_NAME_EXTENSION: u16 = 0xF48A;

/// How many messages may overtake another, and how many may be missing: a
/// network delivers in any order, and the window costs a key per gap.
const OUT_OF_ORDER: u32 = 512;
const FORWARD: u32 = 10_000;
/// Epochs whose messages can still be read after the next commits.
pub(crate) const PAST_EPOCHS: u64 = 2;
/// Application messages are padded to a multiple of this. Envelopes have one
/// size whatever is in them, so it hides lengths from nobody but the relay of a
/// future network with smaller units.
pub(super) const PADDING: usize = 64;

/// What our leaves support: this suite, basic credentials, our extension.
pub(super) fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&[
            ExtensionType::LastResort,
            ExtensionType::Unknown(SUITE_NAME_EXTENSION),
        ]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// Expiry is the signed bundle's, checked against the context's clock; MLS
/// would ask the system's.
pub(super) fn lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

/// The identity of a leaf is its key: fresh per conversation and nothing more.
pub(super) fn credential(key: &LeafKey) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(key.public().to_vec()).into(),
        signature_key: key.public().to_vec().into(),
    }
}

pub(super) fn ratchet() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(OUT_OF_ORDER, FORWARD)
}

fn past_epochs() -> PastEpochDeletionPolicy {
    PastEpochDeletionPolicy::MaxEpochs(usize::try_from(PAST_EPOCHS).unwrap_or(0))
}

/// The policy of groups we are added to.
pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING)
        .set_past_epoch_deletion_policy(past_epochs())
        .sender_ratchet_configuration(ratchet())
        .use_ratchet_tree_extension(true)
        .build()
}

/// The policy of groups we create.
///
/// # Errors
///
/// Never for this extension; openmls cannot say so in types.
pub(super) fn create_config() -> Result<MlsGroupCreateConfig, InvalidExtensionError> {
    let name = UnknownExtension(SUITE_NAME.to_vec());
    let extensions = Extensions::single(Extension::Unknown(SUITE_NAME_EXTENSION, name))?;
    Ok(MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING)
        .set_past_epoch_deletion_policy(past_epochs())
        .sender_ratchet_configuration(ratchet())
        .use_ratchet_tree_extension(true)
        .lifetime(lifetime())
        .capabilities(capabilities())
        .with_group_context_extensions(extensions)
        .build())
}

/// Whether a group context carries the name of our suite, and nothing else.
pub(super) fn names_our_suite(extensions: &Extensions<GroupContext>) -> bool {
    extensions.iter().count() == 1
        && extensions
            .unknown(SUITE_NAME_EXTENSION)
            .is_some_and(|name| name.0 == SUITE_NAME)
}

/// Whether somebody else's leaf is as ours are: identity and key are one, it
/// supports what our groups need, and it carries nothing more.
pub(super) fn leaf_follows_the_rules(leaf: &LeafNode) -> bool {
    let key = leaf.signature_key().as_slice();
    let credential = leaf.credential();
    let able = leaf.capabilities();
    let name = ExtensionType::Unknown(SUITE_NAME_EXTENSION);
    key.len() == 32
        && credential.credential_type() == CredentialType::Basic
        && credential.serialized_content() == key
        && able.ciphersuites().contains(&SUITE.into())
        && able.extensions().contains(&name)
        && able.credentials().contains(&CredentialType::Basic)
        && leaf.extensions().iter().next().is_none()
        && match leaf.leaf_node_source() {
            LeafNodeSource::KeyPackage(until) => *until == lifetime(),
            _ => true,
        }
}
