//! Conversations of two accounts, each with one device or several.
//!
//! Nobody in a pair may add another account, so both are there from the first
//! state on that anybody but the founder sees: founding makes the one commit that
//! no rule is asked about, and nobody hears of the state before it. What comes
//! after is by the rules: each account adds and removes its own devices, and the
//! two renew their keys in turn.

use hushwing_sansio::StorageError;
use openmls::prelude::{GroupId, KeyPackage, MlsGroup};
use openmls_traits::OpenMlsProvider as _;
use tls_codec::Serialize as _;

use super::facts;
use super::found::First;
use super::keeper::{self, Keeper, Lent};
use super::member::MemberPackage;
use super::policy::GroupPolicy;
use super::rows::Overlay;
use super::shape;
use super::told::{MakeFault, Told};
use crate::ConversationId;
use crate::fork_choice::rules::Parent;
use crate::fork_choice::{AccountId, CommitHash, HORIZON, Shape, StateName};
use crate::mls::LeafKey;
use crate::mls::provider::Provider;

/// The epoch of the first state of a pair that anybody but its founder sees.
const FIRST_EPOCH: u64 = 1;

const FAILED: MakeFault = MakeFault::Group("founding a pair");

/// What founding comes to before anything of it is kept.
struct Founded {
    group: MlsGroup,
    commit: CommitHash,
    welcome: Vec<u8>,
}

impl Keeper {
    /// Founds the pair `id` as a device of the account `me`, with the devices whose
    /// key packages (MLS messages) are given: at least one of the other account,
    /// and of mine as many as there are further ones. The Welcome to them is told.
    ///
    /// # Errors
    ///
    /// When storage fails. The inner error says that `policy` is that of a group or
    /// has stewards, that a key package is of no use, that they are not of me and of
    /// one other account, or that there are too many.
    pub fn found_pair(
        lent: &mut Lent<'_, '_>,
        id: ConversationId,
        me: &AccountId,
        policy: &GroupPolicy,
        packages: &[Vec<u8>],
    ) -> Result<Result<(Self, Vec<Told>), MakeFault>, StorageError> {
        let key = LeafKey::generate(lent.cx);
        Self::found_pair_as(lent, id, (me, key), policy, packages)
    }

    /// The same, as a leaf of a key that the other account was told before.
    ///
    /// # Errors
    ///
    /// Those of [`found_pair`](Self::found_pair).
    pub(crate) fn found_pair_as(
        lent: &mut Lent<'_, '_>,
        id: ConversationId,
        (me, key): (&AccountId, LeafKey),
        policy: &GroupPolicy,
        packages: &[Vec<u8>],
    ) -> Result<Result<(Self, Vec<Told>), MakeFault>, StorageError> {
        if policy.shape != Shape::Pair || !policy.stewards.is_empty() {
            return Ok(Err(MakeFault::Shape));
        }
        let packages = packages.iter();
        let members = packages.map(|package| MemberPackage::check(lent.crypto, package));
        let Some(members) = members.collect::<Option<Vec<_>>>() else {
            return Ok(Err(MakeFault::Sense));
        };
        let Ok(policy) = policy.encode() else {
            return Ok(Err(MakeFault::Sense));
        };
        let to = members
            .iter()
            .map(|one| one.signature_key().to_vec())
            .collect();
        let adds = members.into_iter().map(|member| member.package).collect();
        let mut rows = Overlay::empty(&mut *lent.rows, id);
        let provider = Provider::new(lent.crypto, lent.cx, &mut rows);
        let founded = found(&provider, id, me, &key, policy, adds);
        let founded = match provider.end(founded)? {
            Ok(founded) => founded,
            Err(fault) => return Ok(Err(fault)),
        };
        let size = rows.keep_as(id, &keeper::name_of(&founded.group))?;
        let first = First {
            group: founded.group,
            key,
            size,
            account: me.clone(),
            welcomed_by: None,
        };
        let keeper = Self::begin(lent, id, first)?;
        let welcome = Told::Welcome {
            commit: founded.commit,
            state: keeper.followed,
            to,
            bytes: founded.welcome,
        };
        Ok(Ok((keeper, vec![welcome])))
    }
}

fn found(
    provider: &Provider<'_>,
    id: ConversationId,
    me: &AccountId,
    key: &LeafKey,
    policy: Vec<u8>,
    adds: Vec<KeyPackage>,
) -> Result<Founded, MakeFault> {
    let config = shape::create_config(policy).map_err(|_| MakeFault::Sense)?;
    let name = GroupId::from_slice(&id.0);
    let credential = shape::credential(me, key);
    let mut group = MlsGroup::new_with_group_id(provider, key, &config, name, credential)
        .map_err(|_| FAILED)?;
    let first = group.epoch().as_u64();
    let path = shape::renewed_leaf(shape::Stamp {
        renewed_at: first,
        changed_at: Some(first),
    });
    let path = path.map_err(|_| FAILED)?;
    let bundle = group
        .commit_builder()
        .force_self_update(true)
        .leaf_node_parameters(path)
        .propose_adds(adds)
        .load_psks(provider.storage())
        .map_err(|_| FAILED)?
        .build(provider.rand(), provider.crypto(), key, |_| true)
        .map_err(|_| MakeFault::Sense)?
        .stage_commit(provider)
        .map_err(|_| FAILED)?;
    let (commit, welcome, _) = bundle.into_messages();
    group.merge_pending_commit(provider).map_err(|_| FAILED)?;
    let parent = facts::parent(&group).ok_or(FAILED)?;
    if !parent.is_a_pair() || !parent.is_within_bounds() {
        return Err(MakeFault::Rules);
    }
    let welcome = welcome.ok_or(MakeFault::Rules)?;
    Ok(Founded {
        commit: CommitHash::of(&commit.tls_serialize_detached().map_err(|_| FAILED)?),
        welcome: welcome.tls_serialize_detached().map_err(|_| FAILED)?,
        group,
    })
}

impl Keeper {
    /// Whether who says something in this state cannot come to the one that is followed any
    /// more: they went on so far beside it that where the two parted is forgotten there.
    /// Should this one not win here either, two states stand for good.
    pub(crate) fn is_apart(&self, state: StateName) -> bool {
        let (there, here) = (self.path_to(state), self.path_to(self.followed));
        let common = there
            .iter()
            .zip(&here)
            .take_while(|(one, other)| one == other);
        let beside = there.len() - common.count();
        self.states.contains_key(&state) && beside > HORIZON
    }
}

/// Whether a leaf of `me` can have been welcomed to this state of a pair by the
/// account `by`: the other one only founds it with me.
pub(super) fn may_welcome(parent: &Parent, me: &AccountId, by: &AccountId) -> bool {
    parent.is_a_pair() && (by == me || parent.epoch == FIRST_EPOCH)
}
