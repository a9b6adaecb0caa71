//! What a Welcome says before it is followed: what the caller has to ask a person.
//!
//! All of it comes out of the tree that the Welcome brings, in which anything can
//! stand. Only the signature of whoever welcomes is sure, and says something once
//! somebody vouches that the key is theirs.

use hushwing_sansio::StorageError;
use openmls::prelude::MlsGroup;

use super::found;
use super::keeper::{Keeper, Lent, Member};
use super::policy::GroupPolicy;
use super::rows::Overlay;
use super::shape;
use super::told::WelcomeFault;
use crate::fork_choice::AccountId;
use crate::mls::provider::Provider;
use crate::{ConversationId, Secret};

/// A group somebody welcomes me to, as the Welcome has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// Which group.
    pub group: ConversationId,
    /// The account of my key package it was made for.
    pub account: AccountId,
    /// The leaf that signed the Welcome. Its key is what a person has to vouch for.
    pub by: Member,
    /// The epoch I would enter.
    pub epoch: u64,
    /// What is agreed on there.
    pub policy: GroupPolicy,
    /// Who is in it.
    pub members: Vec<Member>,
}

impl Keeper {
    /// Looks at a Welcome, and follows it nowhere. `key_of` is as for
    /// [`join`](Self::join).
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn invited(
        lent: &mut Lent<'_, '_>,
        welcome: &[u8],
        key_of: impl FnOnce(&[u8]) -> Option<Secret>,
    ) -> Result<Result<Invited, WelcomeFault>, StorageError> {
        let opened = match found::open(lent, welcome)? {
            Ok(opened) => opened,
            Err(fault) => return Ok(Err(fault)),
        };
        let group = opened.id;
        // Nothing of these rows is kept.
        let mut rows = Overlay::empty(&mut *lent.rows, group);
        let provider = Provider::new(lent.crypto, lent.cx, &mut rows);
        let first = found::follow(&provider, opened.welcome, key_of);
        let looked = first.and_then(|first| {
            let policy = shape::policy(first.group.extensions());
            let members = members(&first.group);
            let by = first.welcomed_by.and_then(|by| {
                let mut members = members.iter();
                members.find(|member| member.signature_key == by.key)
            });
            Ok(Invited {
                group,
                account: first.account,
                by: by.cloned().ok_or(WelcomeFault::Rules)?,
                epoch: first.group.epoch().as_u64(),
                policy: policy.ok_or(WelcomeFault::Rules)?,
                members,
            })
        });
        // As a failure, so that what openmls wrote goes nowhere.
        let undone = provider.end(Err::<(), _>(looked))?;
        Ok(undone.err().unwrap_or(Err(WelcomeFault::Welcome)))
    }
}

/// The member leaves of a group.
pub(super) fn members(group: &MlsGroup) -> Vec<Member> {
    let leaves = group.treesync().full_leaves();
    let members = leaves.filter_map(|(index, leaf)| {
        Some(Member {
            leaf: index.u32(),
            account: shape::account(leaf)?,
            signature_key: leaf.signature_key().as_slice().to_vec(),
            renewed_at: shape::stamp(leaf).map(|stamp| stamp.renewed_at),
        })
    });
    members.collect()
}
