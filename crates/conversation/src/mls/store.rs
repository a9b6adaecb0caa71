//! openmls' storage trait over the ledger.
//!
//! Rows that belong to a group lie in the group's scope, so that all rows of
//! the scope are a snapshot of it; keys that belong to no group yet lie in the
//! empty scope. Values are a version byte and postcard.
//!
//! Values are [`Secret`]s from the rows to openmls and back, so they are wiped
//! wherever they lay and never printed. What openmls makes of them is out of
//! our hands: it keeps secrets and private keys in `SecretVLBytes`, which wipe
//! themselves, but nonces and the plaintext it gives back in plain memory, and
//! the crates it computes with leave intermediate values on the stack.

use openmls::prelude::KeyPackageBundle;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use hushwing_sansio::StorageError;

use super::codec::{decode, encode, encode_in_steps, key};
use super::ledger::{Found, Ledger, RowError};
use crate::{MlsRows, Secret};

/// The scope of keys that belong to no group yet.
const KEYS: &[u8] = &[];

/// Labels of rows. Stored, so never reused.
mod label {
    pub(super) const JOIN_CONFIG: u8 = 1;
    pub(super) const OWN_LEAF_NODES: u8 = 2;
    pub(super) const PROPOSAL_REFS: u8 = 3;
    pub(super) const PROPOSAL: u8 = 4;
    pub(super) const TREE: u8 = 5;
    pub(super) const INTERIM_TRANSCRIPT_HASH: u8 = 6;
    pub(super) const CONTEXT: u8 = 7;
    pub(super) const CONFIRMATION_TAG: u8 = 8;
    pub(super) const GROUP_STATE: u8 = 9;
    pub(super) const MESSAGE_SECRETS: u8 = 10;
    pub(super) const RESUMPTION_PSKS: u8 = 11;
    pub(super) const OWN_LEAF_INDEX: u8 = 12;
    pub(super) const EPOCH_SECRETS: u8 = 13;
    pub(super) const EPOCH_KEY_PAIRS: u8 = 14;
    pub(super) const SIGNATURE_KEY_PAIR: u8 = 32;
    pub(super) const ENCRYPTION_KEY_PAIR: u8 = 33;
    pub(super) const KEY_PACKAGE: u8 = 34;
    pub(super) const PSK: u8 = 35;
}

/// The label of the row with all ratchets of a group.
pub(super) const MESSAGE_SECRETS: u8 = label::MESSAGE_SECRETS;

/// Removes the private half of the key package named by `reference`, a value
/// of [`key`].
pub(super) fn remove_key_package(
    rows: &mut dyn MlsRows,
    reference: &[u8],
) -> Result<(), StorageError> {
    let Some(row) = rows.mls_row(KEYS, label::KEY_PACKAGE, reference)? else {
        return Ok(());
    };
    if let Some(bundle) = decode::<KeyPackageBundle>(&row) {
        let leaf = bundle.key_package().leaf_node().encryption_key();
        rows.remove_mls_row(KEYS, label::ENCRYPTION_KEY_PAIR, &key(leaf))?;
    }
    rows.remove_mls_row(KEYS, label::KEY_PACKAGE, reference)
}

impl Ledger<'_> {
    /// Whether there are rows of a group with this id.
    pub(super) fn holds_group<G: Serialize>(&self, group: &G) -> bool {
        // A failure of the rows is noted, and told when the call ends.
        !matches!(
            self.get(&key(group), label::GROUP_STATE, &[]),
            Ok(Found::Nothing)
        )
    }

    fn write<T: Serialize>(
        &self,
        scope: Vec<u8>,
        label: u8,
        key: Vec<u8>,
        value: &T,
    ) -> Result<(), RowError> {
        let value = encode(value).map_err(|_| RowError)?;
        self.set(scope, label, key, Some(value));
        Ok(())
    }

    fn read<T: DeserializeOwned>(
        &self,
        scope: &[u8],
        label: u8,
        key: &[u8],
    ) -> Result<Option<T>, RowError> {
        match self.get(scope, label, key)? {
            Found::Nothing => Ok(None),
            Found::Pending(bytes) => decode(&bytes).map(Some).ok_or(RowError),
            Found::Stored(bytes) => decode(&bytes)
                .map(Some)
                .ok_or_else(|| self.fail(StorageError::corrupt("reading MLS state"))),
        }
    }

    fn write_group<G: Serialize, T: Serialize>(
        &self,
        group: &G,
        label: u8,
        value: &T,
    ) -> Result<(), RowError> {
        self.write(key(group), label, Vec::new(), value)
    }

    fn read_group<G: Serialize, T: DeserializeOwned>(
        &self,
        group: &G,
        label: u8,
    ) -> Result<Option<T>, RowError> {
        self.read(&key(group), label, &[])
    }

    fn remove_group<G: Serialize>(&self, group: &G, label: u8) -> Result<(), RowError> {
        self.set(key(group), label, Vec::new(), None);
        Ok(())
    }

    fn write_key<K: Serialize, T: Serialize>(
        &self,
        label: u8,
        name: &K,
        value: &T,
    ) -> Result<(), RowError> {
        self.write(KEYS.to_vec(), label, key(name), value)
    }

    fn read_key<K: Serialize, T: DeserializeOwned>(
        &self,
        label: u8,
        name: &K,
    ) -> Result<Option<T>, RowError> {
        self.read(KEYS, label, &key(name))
    }

    fn remove_key<K: Serialize>(&self, label: u8, name: &K) -> Result<(), RowError> {
        self.set(KEYS.to_vec(), label, key(name), None);
        Ok(())
    }
}

impl StorageProvider<CURRENT_VERSION> for Ledger<'_> {
    type Error = RowError;

    // One field of the configuration can only be read from a format that
    // describes itself; the row is written once per group.
    fn write_mls_join_config<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        MlsGroupJoinConfig: traits::MlsGroupJoinConfig<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        config: &MlsGroupJoinConfig,
    ) -> Result<(), RowError> {
        let json = serde_json::to_string(config).map_err(|_| RowError)?;
        self.write_group(group_id, label::JOIN_CONFIG, &json)
    }

    fn mls_group_join_config<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        MlsGroupJoinConfig: traits::MlsGroupJoinConfig<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<MlsGroupJoinConfig>, RowError> {
        let json: Option<String> = self.read_group(group_id, label::JOIN_CONFIG)?;
        let config = json.map(|json| serde_json::from_str(&json)).transpose();
        config.map_err(|_| self.fail(StorageError::corrupt("reading MLS state")))
    }

    fn delete_group_config<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::JOIN_CONFIG)
    }

    fn write_tree<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        TreeSync: traits::TreeSync<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        value: &TreeSync,
    ) -> Result<(), RowError> {
        self.write_group(group_id, label::TREE, value)
    }

    fn tree<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        TreeSync: traits::TreeSync<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<TreeSync>, RowError> {
        self.read_group(group_id, label::TREE)
    }

    fn delete_tree<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::TREE)
    }

    fn write_interim_transcript_hash<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        InterimTranscriptHash: traits::InterimTranscriptHash<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        value: &InterimTranscriptHash,
    ) -> Result<(), RowError> {
        self.write_group(group_id, label::INTERIM_TRANSCRIPT_HASH, value)
    }

    fn interim_transcript_hash<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        InterimTranscriptHash: traits::InterimTranscriptHash<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<InterimTranscriptHash>, RowError> {
        self.read_group(group_id, label::INTERIM_TRANSCRIPT_HASH)
    }

    fn delete_interim_transcript_hash<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::INTERIM_TRANSCRIPT_HASH)
    }

    fn write_context<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        GroupContext: traits::GroupContext<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        value: &GroupContext,
    ) -> Result<(), RowError> {
        self.write_group(group_id, label::CONTEXT, value)
    }

    fn group_context<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        GroupContext: traits::GroupContext<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<GroupContext>, RowError> {
        self.read_group(group_id, label::CONTEXT)
    }

    fn delete_context<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::CONTEXT)
    }

    fn write_confirmation_tag<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ConfirmationTag: traits::ConfirmationTag<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        value: &ConfirmationTag,
    ) -> Result<(), RowError> {
        self.write_group(group_id, label::CONFIRMATION_TAG, value)
    }

    fn confirmation_tag<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ConfirmationTag: traits::ConfirmationTag<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<ConfirmationTag>, RowError> {
        self.read_group(group_id, label::CONFIRMATION_TAG)
    }

    fn delete_confirmation_tag<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::CONFIRMATION_TAG)
    }

    fn write_message_secrets<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        MessageSecrets: traits::MessageSecrets<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        value: &MessageSecrets,
    ) -> Result<(), RowError> {
        // With each message, and what changes stands last.
        let value = encode_in_steps(value).map_err(|_| RowError)?;
        self.set(
            key(group_id),
            label::MESSAGE_SECRETS,
            Vec::new(),
            Some(value),
        );
        Ok(())
    }

    fn message_secrets<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        MessageSecrets: traits::MessageSecrets<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<MessageSecrets>, RowError> {
        self.read_group(group_id, label::MESSAGE_SECRETS)
    }

    fn delete_message_secrets<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::MESSAGE_SECRETS)
    }

    fn write_resumption_psk_store<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ResumptionPskStore: traits::ResumptionPskStore<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        value: &ResumptionPskStore,
    ) -> Result<(), RowError> {
        self.write_group(group_id, label::RESUMPTION_PSKS, value)
    }

    fn resumption_psk_store<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ResumptionPskStore: traits::ResumptionPskStore<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<ResumptionPskStore>, RowError> {
        self.read_group(group_id, label::RESUMPTION_PSKS)
    }

    fn delete_all_resumption_psk_secrets<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::RESUMPTION_PSKS)
    }

    fn write_own_leaf_index<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        LeafNodeIndex: traits::LeafNodeIndex<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        value: &LeafNodeIndex,
    ) -> Result<(), RowError> {
        self.write_group(group_id, label::OWN_LEAF_INDEX, value)
    }

    fn own_leaf_index<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        LeafNodeIndex: traits::LeafNodeIndex<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<LeafNodeIndex>, RowError> {
        self.read_group(group_id, label::OWN_LEAF_INDEX)
    }

    fn delete_own_leaf_index<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::OWN_LEAF_INDEX)
    }

    fn write_group_epoch_secrets<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        GroupEpochSecrets: traits::GroupEpochSecrets<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        value: &GroupEpochSecrets,
    ) -> Result<(), RowError> {
        self.write_group(group_id, label::EPOCH_SECRETS, value)
    }

    fn group_epoch_secrets<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        GroupEpochSecrets: traits::GroupEpochSecrets<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<GroupEpochSecrets>, RowError> {
        self.read_group(group_id, label::EPOCH_SECRETS)
    }

    fn delete_group_epoch_secrets<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::EPOCH_SECRETS)
    }

    fn write_group_state<
        GroupState: traits::GroupState<CURRENT_VERSION>,
        GroupId: traits::GroupId<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        value: &GroupState,
    ) -> Result<(), RowError> {
        self.write_group(group_id, label::GROUP_STATE, value)
    }

    fn group_state<
        GroupState: traits::GroupState<CURRENT_VERSION>,
        GroupId: traits::GroupId<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<GroupState>, RowError> {
        self.read_group(group_id, label::GROUP_STATE)
    }

    fn delete_group_state<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::GROUP_STATE)
    }

    fn append_own_leaf_node<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        LeafNode: traits::LeafNode<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        leaf_node: &LeafNode,
    ) -> Result<(), RowError> {
        let mut nodes: Vec<Secret> = self
            .read_group(group_id, label::OWN_LEAF_NODES)?
            .unwrap_or_default();
        nodes.push(encode(leaf_node).map_err(|_| RowError)?);
        self.write_group(group_id, label::OWN_LEAF_NODES, &nodes)
    }

    fn own_leaf_nodes<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        LeafNode: traits::LeafNode<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<LeafNode>, RowError> {
        let nodes: Vec<Secret> = self
            .read_group(group_id, label::OWN_LEAF_NODES)?
            .unwrap_or_default();
        let nodes = nodes.iter().map(|node| decode(node));
        nodes
            .collect::<Option<_>>()
            .ok_or_else(|| self.fail(StorageError::corrupt("reading MLS state")))
    }

    fn delete_own_leaf_nodes<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        self.remove_group(group_id, label::OWN_LEAF_NODES)
    }

    fn queue_proposal<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
        QueuedProposal: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        proposal_ref: &ProposalRef,
        proposal: &QueuedProposal,
    ) -> Result<(), RowError> {
        let mut refs: Vec<Vec<u8>> = self
            .read_group(group_id, label::PROPOSAL_REFS)?
            .unwrap_or_default();
        let name = key(proposal_ref);
        self.write(key(group_id), label::PROPOSAL, name.clone(), proposal)?;
        if !refs.contains(&name) {
            refs.push(name);
        }
        self.write_group(group_id, label::PROPOSAL_REFS, &refs)
    }

    fn queued_proposal_refs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<ProposalRef>, RowError> {
        let refs: Vec<Vec<u8>> = self
            .read_group(group_id, label::PROPOSAL_REFS)?
            .unwrap_or_default();
        let refs = refs.iter().map(|name| postcard::from_bytes(name));
        refs.collect::<Result<_, _>>()
            .map_err(|_| self.fail(StorageError::corrupt("reading MLS state")))
    }

    fn queued_proposals<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
        QueuedProposal: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<(ProposalRef, QueuedProposal)>, RowError> {
        let refs: Vec<ProposalRef> = self.queued_proposal_refs(group_id)?;
        let scope = key(group_id);
        let proposals = refs.into_iter().map(|name| {
            let proposal = self.read(&scope, label::PROPOSAL, &key(&name))?;
            Ok((
                name,
                proposal.ok_or_else(|| self.fail(StorageError::corrupt("reading MLS state")))?,
            ))
        });
        proposals.collect()
    }

    fn remove_proposal<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        proposal_ref: &ProposalRef,
    ) -> Result<(), RowError> {
        let mut refs: Vec<Vec<u8>> = self
            .read_group(group_id, label::PROPOSAL_REFS)?
            .unwrap_or_default();
        let name = key(proposal_ref);
        refs.retain(|other| *other != name);
        self.set(key(group_id), label::PROPOSAL, name, None);
        self.write_group(group_id, label::PROPOSAL_REFS, &refs)
    }

    fn clear_proposal_queue<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<(), RowError> {
        let refs: Vec<Vec<u8>> = self
            .read_group(group_id, label::PROPOSAL_REFS)?
            .unwrap_or_default();
        for name in refs {
            self.set(key(group_id), label::PROPOSAL, name, None);
        }
        self.remove_group(group_id, label::PROPOSAL_REFS)
    }

    fn write_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
        key_pairs: &[HpkeKeyPair],
    ) -> Result<(), RowError> {
        self.write(
            key(group_id),
            label::EPOCH_KEY_PAIRS,
            key(&(epoch, leaf_index)),
            &key_pairs,
        )
    }

    fn encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<Vec<HpkeKeyPair>, RowError> {
        let pairs = self.read(
            &key(group_id),
            label::EPOCH_KEY_PAIRS,
            &key(&(epoch, leaf_index)),
        )?;
        Ok(pairs.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<(), RowError> {
        self.set(
            key(group_id),
            label::EPOCH_KEY_PAIRS,
            key(&(epoch, leaf_index)),
            None,
        );
        Ok(())
    }

    fn write_signature_key_pair<
        SignaturePublicKey: traits::SignaturePublicKey<CURRENT_VERSION>,
        SignatureKeyPair: traits::SignatureKeyPair<CURRENT_VERSION>,
    >(
        &self,
        name: &SignaturePublicKey,
        value: &SignatureKeyPair,
    ) -> Result<(), RowError> {
        self.write_key(label::SIGNATURE_KEY_PAIR, name, value)
    }

    fn signature_key_pair<
        SignaturePublicKey: traits::SignaturePublicKey<CURRENT_VERSION>,
        SignatureKeyPair: traits::SignatureKeyPair<CURRENT_VERSION>,
    >(
        &self,
        name: &SignaturePublicKey,
    ) -> Result<Option<SignatureKeyPair>, RowError> {
        self.read_key(label::SIGNATURE_KEY_PAIR, name)
    }

    fn delete_signature_key_pair<
        SignaturePublicKey: traits::SignaturePublicKey<CURRENT_VERSION>,
    >(
        &self,
        name: &SignaturePublicKey,
    ) -> Result<(), RowError> {
        self.remove_key(label::SIGNATURE_KEY_PAIR, name)
    }

    fn write_encryption_key_pair<
        EncryptionKey: traits::EncryptionKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        name: &EncryptionKey,
        value: &HpkeKeyPair,
    ) -> Result<(), RowError> {
        self.write_key(label::ENCRYPTION_KEY_PAIR, name, value)
    }

    fn encryption_key_pair<
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
        EncryptionKey: traits::EncryptionKey<CURRENT_VERSION>,
    >(
        &self,
        name: &EncryptionKey,
    ) -> Result<Option<HpkeKeyPair>, RowError> {
        self.read_key(label::ENCRYPTION_KEY_PAIR, name)
    }

    fn delete_encryption_key_pair<EncryptionKey: traits::EncryptionKey<CURRENT_VERSION>>(
        &self,
        name: &EncryptionKey,
    ) -> Result<(), RowError> {
        self.remove_key(label::ENCRYPTION_KEY_PAIR, name)
    }

    fn write_key_package<
        HashReference: traits::HashReference<CURRENT_VERSION>,
        KeyPackage: traits::KeyPackage<CURRENT_VERSION>,
    >(
        &self,
        name: &HashReference,
        value: &KeyPackage,
    ) -> Result<(), RowError> {
        self.write_key(label::KEY_PACKAGE, name, value)
    }

    fn key_package<
        HashReference: traits::HashReference<CURRENT_VERSION>,
        KeyPackage: traits::KeyPackage<CURRENT_VERSION>,
    >(
        &self,
        name: &HashReference,
    ) -> Result<Option<KeyPackage>, RowError> {
        self.read_key(label::KEY_PACKAGE, name)
    }

    fn delete_key_package<HashReference: traits::HashReference<CURRENT_VERSION>>(
        &self,
        name: &HashReference,
    ) -> Result<(), RowError> {
        self.remove_key(label::KEY_PACKAGE, name)
    }

    fn write_psk<
        PskId: traits::PskId<CURRENT_VERSION>,
        PskBundle: traits::PskBundle<CURRENT_VERSION>,
    >(
        &self,
        name: &PskId,
        value: &PskBundle,
    ) -> Result<(), RowError> {
        self.write_key(label::PSK, name, value)
    }

    fn psk<PskBundle: traits::PskBundle<CURRENT_VERSION>, PskId: traits::PskId<CURRENT_VERSION>>(
        &self,
        name: &PskId,
    ) -> Result<Option<PskBundle>, RowError> {
        self.read_key(label::PSK, name)
    }

    fn delete_psk<PskId: traits::PskId<CURRENT_VERSION>>(
        &self,
        name: &PskId,
    ) -> Result<(), RowError> {
        self.remove_key(label::PSK, name)
    }
}
