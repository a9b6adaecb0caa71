//! The group of one conversation.

use hushwing_sansio::{Context, StorageError};
use openmls::group::JoinBuilder;
use openmls::prelude::{
    GroupId, LeafNodeIndex, LeafNodeParameters, MlsGroup, MlsMessageBodyIn, MlsMessageIn,
    MlsMessageOut, NewSignerBundle, ProcessedWelcome, StagedWelcome, Welcome,
};
use openmls_traits::OpenMlsProvider as _;
use tls_codec::{DeserializeBytes as _, Serialize as _};
use zeroize::Zeroizing;

use super::crypto::Crypto;
use super::key_package::CheckedKeyPackage;
use super::provider::Provider;
use super::trial::bearable;
use super::{LeafKey, codec, suite};
use crate::{ConversationId, MlsRows};

/// The joiner's leaf, which creates the group.
const JOINER: u32 = 0;
/// The inviter's leaf.
const INVITER: u32 = 1;

/// The group of one conversation, kept between calls.
pub(crate) struct Group {
    pub(super) mls: MlsGroup,
    pub(super) key: LeafKey,
    place: Place,
}

/// Where a group stands in its conversation. One that was begun anew goes on
/// counting where the groups before it ended, and its leaves keep the names
/// they had in the first, whoever founded this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Epochs of the conversation before this group's first.
    pub(crate) before: u64,
    /// What the conversation calls my leaf.
    pub(crate) own_leaf: u32,
}

/// openmls cannot go on with this group, for instance because the other side
/// has a key that is none. Holds what was being done.
///
/// Part of a group is the other side's making, so this is a fault of one
/// conversation and never of storage. The rows are as before; what openmls
/// holds in memory is not, so the group must be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the group fails at {0}")]
pub(crate) struct GroupFault(pub(crate) &'static str);

/// Why a Welcome was not followed. All of these are the sender's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    /// Not a Welcome, or not one for a key package of ours.
    #[error("not a welcome for us")]
    Welcome,
    /// A group of another suite, size or shape.
    #[error("group against the rules")]
    Rules,
    /// A group we are in already.
    #[error("group known already")]
    Known,
}

impl Group {
    /// The first group of its conversation.
    fn first(mls: MlsGroup, key: LeafKey) -> Self {
        let place = Place {
            before: 0,
            own_leaf: mls.own_leaf_index().u32(),
        };
        Self { mls, key, place }
    }

    /// The same group at its place in a conversation that was begun anew.
    pub(crate) fn placed(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// Creates the group `id` with the inviter in it. Gives the Welcome.
    pub(crate) fn create(
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        id: ConversationId,
        key: LeafKey,
        inviter: &CheckedKeyPackage,
    ) -> Result<Result<(Self, Vec<u8>), GroupFault>, StorageError> {
        let provider = Provider::new(crypto, cx, rows);
        let outcome = Self::build(&provider, id, key, inviter);
        provider.end(outcome)
    }

    /// Whether a group can be created with the inviter in it. Leaves no trace.
    pub(crate) fn could_create(
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        inviter: &CheckedKeyPackage,
    ) -> Result<bool, StorageError> {
        let id = ConversationId(cx.random());
        let key = LeafKey::generate(cx);
        let provider = Provider::new(crypto, cx, rows);
        let built = Self::build(&provider, id, key, inviter).is_ok();
        // A failure, even of nothing, forgets the writes.
        provider.end(Err::<(), ()>(()))?.unwrap_or(());
        Ok(built)
    }

    fn build(
        provider: &Provider<'_>,
        id: ConversationId,
        key: LeafKey,
        inviter: &CheckedKeyPackage,
    ) -> Result<(Self, Vec<u8>), GroupFault> {
        let config = suite::create_config().map_err(|_| GroupFault("naming the suite"))?;
        let id = GroupId::from_slice(&id.0);
        let credential = suite::credential(&key);
        let mut mls = MlsGroup::new_with_group_id(provider, &key, &config, id, credential)
            .map_err(|_| GroupFault("creating a group"))?;
        let (_, welcome, _) = mls
            .add_members(provider, &key, core::slice::from_ref(&inviter.0))
            .map_err(|_| GroupFault("adding the inviter"))?;
        mls.merge_pending_commit(provider)
            .map_err(|_| GroupFault("merging my first commit"))?;
        bearable(provider, &mls, &key)?;
        Ok((Self::first(mls, key), encode(&welcome)?))
    }

    /// Follows a Welcome into a group. `key_of` gives the private key of the
    /// leaf with the given public key, if it is ours.
    pub(crate) fn join(
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        welcome: &[u8],
        key_of: impl FnOnce(&[u8]) -> Option<LeafKey>,
    ) -> Result<Result<Self, JoinError>, StorageError> {
        let provider = Provider::new(crypto, cx, rows);
        let outcome = Self::follow(&provider, welcome, key_of);
        provider.end(outcome)
    }

    fn follow(
        provider: &Provider<'_>,
        welcome: &[u8],
        key_of: impl FnOnce(&[u8]) -> Option<LeafKey>,
    ) -> Result<Self, JoinError> {
        let staged = stage(provider, parse_welcome(welcome)?)?;
        let own = staged.own_leaf_node().ok_or(JoinError::Welcome)?;
        let key = key_of(own.signature_key().as_slice()).ok_or(JoinError::Welcome)?;
        if !follows_the_rules(&staged) {
            return Err(JoinError::Rules);
        }
        let mls = staged
            .into_group(provider)
            .map_err(|_| JoinError::Welcome)?;
        bearable(provider, &mls, &key).map_err(|_| JoinError::Rules)?;
        Ok(Self::first(mls, key))
    }

    /// Reads the group `id` from the rows.
    pub(crate) fn load(
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        id: ConversationId,
        key: LeafKey,
    ) -> Result<Self, StorageError> {
        let provider = Provider::new(crypto, cx, rows);
        let loaded = MlsGroup::load(provider.storage(), &GroupId::from_slice(&id.0));
        let group = provider.end(loaded)?.ok().flatten();
        let mls = group.ok_or_else(|| StorageError::corrupt("reading a group"))?;
        Ok(Self::first(mls, key))
    }

    /// Encrypts what I say. `first_said` goes along, readable only to the
    /// recipient's MLS, if it is said again in a later epoch.
    pub(crate) fn encrypt(
        &mut self,
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        plaintext: &[u8],
        first_said: Option<u64>,
    ) -> Result<Result<Vec<u8>, GroupFault>, StorageError> {
        let provider = Provider::new(crypto, cx, rows);
        if let Some(epoch) = first_said {
            self.mls.set_aad(super::ladder::first_said(epoch));
        }
        let message = self.mls.create_message(&provider, &self.key, plaintext);
        let outcome = match message {
            Ok(message) => encode(&message),
            Err(_) => Err(GroupFault("encrypting")),
        };
        provider.end(outcome)
    }

    /// Renews my keys with a commit, merged at once: I hold the turn, so there
    /// is no rival. With `successor`, my signature key changes too.
    pub(crate) fn renew(
        &mut self,
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        successor: Option<LeafKey>,
    ) -> Result<Result<Vec<u8>, GroupFault>, StorageError> {
        let provider = Provider::new(crypto, cx, rows);
        let outcome = self.commit(&provider, successor);
        provider.end(outcome)
    }

    fn commit(
        &mut self,
        provider: &Provider<'_>,
        successor: Option<LeafKey>,
    ) -> Result<Vec<u8>, GroupFault> {
        let same = LeafNodeParameters::default();
        let bundle = match &successor {
            None => self.mls.self_update(provider, &self.key, same),
            Some(signer) => {
                let credential_with_key = suite::credential(signer);
                let new = NewSignerBundle {
                    signer,
                    credential_with_key,
                };
                self.mls
                    .self_update_with_new_signer(provider, &self.key, new, same)
            }
        };
        let bundle = bundle.map_err(|_| GroupFault("making a commit"))?;
        self.mls
            .merge_pending_commit(provider)
            .map_err(|_| GroupFault("merging my commit"))?;
        if let Some(key) = successor {
            self.key = key;
        }
        encode(bundle.commit())
    }

    /// The present epoch, as the conversation counts.
    pub(crate) fn epoch(&self) -> u64 {
        self.counted(self.mls.epoch().as_u64())
    }

    /// An epoch of this group, as the conversation counts.
    pub(super) fn counted(&self, epoch: u64) -> u64 {
        self.place.before.saturating_add(epoch)
    }

    /// My leaf, as the conversation calls it.
    pub(crate) fn own_leaf(&self) -> u32 {
        self.place.own_leaf
    }

    /// The other leaf, as the conversation calls it.
    pub(crate) fn their_leaf(&self) -> u32 {
        other(self.place.own_leaf)
    }

    /// The other leaf of this group.
    pub(super) fn their_index(&self) -> u32 {
        other(self.mls.own_leaf_index().u32())
    }

    /// Whether a commit in this epoch is mine to make.
    pub(crate) fn holds_turn(&self) -> bool {
        turn(self.mls.epoch().as_u64()) == self.mls.own_leaf_index().u32()
    }

    /// Whether a commit in this epoch is the other's to make.
    pub(super) fn they_hold_turn(&self) -> bool {
        turn(self.mls.epoch().as_u64()) == self.their_index()
    }

    /// The private key of my leaf.
    pub(crate) fn key(&self) -> &LeafKey {
        &self.key
    }

    /// The public signature key of the other leaf.
    pub(crate) fn their_key(&self) -> Option<[u8; 32]> {
        let member = self.mls.member_at(LeafNodeIndex::new(self.their_index()))?;
        member.signature_key.try_into().ok()
    }

    /// A secret of 32 bytes that both sides know in this epoch, for `label` and
    /// `context` (RFC 9420 section 8.5); `None` if openmls cannot.
    pub(crate) fn export(
        &self,
        crypto: &Crypto,
        label: &str,
        context: &[u8],
    ) -> Option<Zeroizing<[u8; 32]>> {
        let exported = self.mls.export_secret(crypto, label, context, 32).ok()?;
        let exported = Zeroizing::new(exported);
        exported.as_slice().try_into().ok().map(Zeroizing::new)
    }

    /// The scope in which the rows of group `id` lie.
    pub(crate) fn scope(id: ConversationId) -> Vec<u8> {
        codec::key(&GroupId::from_slice(&id.0))
    }
}

/// The leaf that is not `leaf`.
fn other(leaf: u32) -> u32 {
    if leaf == JOINER { INVITER } else { JOINER }
}

/// Whose turn it is in `epoch`.
fn turn(epoch: u64) -> u32 {
    if epoch.is_multiple_of(2) {
        JOINER
    } else {
        INVITER
    }
}

fn encode(message: &MlsMessageOut) -> Result<Vec<u8>, GroupFault> {
    message
        .tls_serialize_detached()
        .map_err(|_| GroupFault("encoding an MLS message"))
}

fn parse_welcome(bytes: &[u8]) -> Result<Welcome, JoinError> {
    let message =
        MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| JoinError::Welcome)?;
    match message.extract() {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        _ => Err(JoinError::Welcome),
    }
}

fn stage(provider: &Provider<'_>, welcome: Welcome) -> Result<StagedWelcome, JoinError> {
    let config = suite::join_config();
    let processed = ProcessedWelcome::new_from_welcome(provider, &config, welcome)
        .map_err(|_| JoinError::Welcome)?;
    if !processed.psks().is_empty() {
        return Err(JoinError::Rules);
    }
    let info = processed.unverified_group_info();
    // Not by loading it: the id is the sender's choice, and whatever lies
    // under it must not decide over more than this letter.
    if provider.storage().holds_group(info.group_id()) {
        return Err(JoinError::Known);
    }
    let staged = JoinBuilder::new(provider, processed)
        .skip_lifetime_validation()
        .build();
    staged.map_err(|_| JoinError::Welcome)
}

/// A group of two that the joiner created for us under our suite and policy.
fn follows_the_rules(staged: &StagedWelcome) -> bool {
    let context = staged.group_context();
    context.ciphersuite() == suite::SUITE
        && suite::names_our_suite(context.extensions())
        && staged
            .welcome_sender()
            .is_ok_and(suite::leaf_follows_the_rules)
        && context.group_id().as_slice().len() == 16
        && context.epoch().as_u64() == 1
        && staged.members().count() == 2
        && staged.welcome_sender_index().u32() == JOINER
        && staged.own_leaf_index().u32() == INVITER
}

impl Group {
    /// The conversation this group is.
    pub(crate) fn conversation(&self) -> Option<ConversationId> {
        self.mls
            .group_id()
            .as_slice()
            .try_into()
            .ok()
            .map(ConversationId)
    }
}
