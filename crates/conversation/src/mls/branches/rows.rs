//! Where the states of a group lie: each has all its rows, once.
//!
//! openmls knows one scope per group. Here every state of a group has a scope
//! of its own, and openmls is shown one of them as the group's: in place, so
//! that a message costs what it always did, or as a copy in memory, in which a
//! commit is tried without a trace. As there is one copy of each state's rows,
//! its ratchets only ever go forward, whichever branch is followed: coming back
//! to a state never uses a key again.

use std::collections::BTreeMap;

use hushwing_sansio::StorageError;

use crate::fork_choice::StateName;
use crate::mls::codec;
use crate::storage::MlsRow;
use crate::{ConversationId, MlsRows, Secret};
use openmls::prelude::GroupId;

/// First byte of our scopes. Those of openmls begin with the length of a group
/// id, which is 16.
const MARK: u8 = 0xB5;

/// What lies in a scope.
#[derive(Clone, Copy)]
enum Kind {
    Records = 0,
    State = 1,
    Bulk = 2,
}

fn scope(kind: Kind, group: ConversationId) -> Vec<u8> {
    [&[MARK, kind as u8], group.0.as_slice()].concat()
}

/// The scope of what the keeper of a group remembers.
pub(super) fn records(group: ConversationId) -> Vec<u8> {
    scope(Kind::Records, group)
}

/// The scope of its commits and Welcomes, which are long and seldom read.
pub(super) fn bulk(group: ConversationId) -> Vec<u8> {
    scope(Kind::Bulk, group)
}

/// The scope of one state.
pub(super) fn state(group: ConversationId, name: &StateName) -> Vec<u8> {
    let mut scope = scope(Kind::State, group);
    scope.extend(name.0);
    scope
}

/// The scope openmls looks for.
pub(super) fn asked_for(group: ConversationId) -> Vec<u8> {
    codec::key(&GroupId::from_slice(&group.0))
}

/// Rows in which a state's scope stands in for the group's.
pub(super) struct InPlace<'a> {
    under: &'a mut dyn MlsRows,
    asked_for: Vec<u8>,
    state: Vec<u8>,
}

impl<'a> InPlace<'a> {
    pub(super) fn new(under: &'a mut dyn MlsRows, group: ConversationId, name: &StateName) -> Self {
        Self {
            under,
            asked_for: asked_for(group),
            state: state(group, name),
        }
    }

    fn meant<'s>(&'s self, scope: &'s [u8]) -> &'s [u8] {
        if scope == self.asked_for {
            &self.state
        } else {
            scope
        }
    }
}

impl MlsRows for InPlace<'_> {
    fn mls_row(&self, scope: &[u8], label: u8, key: &[u8]) -> Result<Option<Secret>, StorageError> {
        self.under.mls_row(self.meant(scope), label, key)
    }

    fn put_mls_row(
        &mut self,
        scope: &[u8],
        label: u8,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StorageError> {
        let scope = self.meant(scope).to_vec();
        self.under.put_mls_row(&scope, label, key, value)
    }

    fn remove_mls_row(&mut self, scope: &[u8], label: u8, key: &[u8]) -> Result<(), StorageError> {
        let scope = self.meant(scope).to_vec();
        self.under.remove_mls_row(&scope, label, key)
    }

    fn mls_scope(&self, scope: &[u8]) -> Result<Vec<MlsRow>, StorageError> {
        self.under.mls_scope(self.meant(scope))
    }

    fn remove_mls_scope(&mut self, scope: &[u8]) -> Result<(), StorageError> {
        let scope = self.meant(scope).to_vec();
        self.under.remove_mls_scope(&scope)
    }
}

/// A copy of a state's rows, shown to openmls as the group's. What is written
/// to the group stays in memory; all else goes to the lent rows.
pub(super) struct Overlay<'a> {
    under: &'a mut dyn MlsRows,
    asked_for: Vec<u8>,
    rows: BTreeMap<(u8, Vec<u8>), Secret>,
}

impl<'a> Overlay<'a> {
    /// A copy of the state `name`.
    pub(super) fn of(
        under: &'a mut dyn MlsRows,
        group: ConversationId,
        name: &StateName,
    ) -> Result<Self, StorageError> {
        let rows = under.mls_scope(&state(group, name))?;
        let rows = rows.into_iter().map(|(l, k, value)| ((l, k), value));
        Ok(Self {
            rows: rows.collect(),
            ..Self::empty(under, group)
        })
    }

    /// No rows of the group yet.
    pub(super) fn empty(under: &'a mut dyn MlsRows, group: ConversationId) -> Self {
        Self {
            under,
            asked_for: asked_for(group),
            rows: BTreeMap::new(),
        }
    }

    /// One row as it lies below the copy, by its true scope.
    pub(super) fn under(&self, scope: &[u8], label: u8) -> Result<Option<Secret>, StorageError> {
        self.under.mls_row(scope, label, &[])
    }

    /// One row of the copy.
    pub(super) fn row(&self, label: u8) -> Option<&Secret> {
        self.rows.get(&(label, Vec::new()))
    }

    /// Keeps the copy as the rows of the state `name`. Gives their length.
    pub(super) fn keep_as(
        self,
        group: ConversationId,
        name: &StateName,
    ) -> Result<u64, StorageError> {
        let scope = state(group, name);
        let mut length = 0_usize;
        for ((label, key), value) in self.rows {
            length += key.len() + value.expose().len();
            self.under
                .put_mls_row(&scope, label, &key, value.expose())?;
        }
        Ok(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

impl MlsRows for Overlay<'_> {
    fn mls_row(&self, scope: &[u8], label: u8, key: &[u8]) -> Result<Option<Secret>, StorageError> {
        if scope == self.asked_for {
            return Ok(self.rows.get(&(label, key.to_vec())).cloned());
        }
        self.under.mls_row(scope, label, key)
    }

    fn put_mls_row(
        &mut self,
        scope: &[u8],
        label: u8,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StorageError> {
        if scope == self.asked_for {
            self.rows.insert((label, key.to_vec()), Secret::new(value));
            return Ok(());
        }
        self.under.put_mls_row(scope, label, key, value)
    }

    fn remove_mls_row(&mut self, scope: &[u8], label: u8, key: &[u8]) -> Result<(), StorageError> {
        if scope == self.asked_for {
            self.rows.remove(&(label, key.to_vec()));
            return Ok(());
        }
        self.under.remove_mls_row(scope, label, key)
    }

    fn mls_scope(&self, scope: &[u8]) -> Result<Vec<MlsRow>, StorageError> {
        if scope != self.asked_for {
            return self.under.mls_scope(scope);
        }
        let rows = self.rows.iter();
        Ok(rows
            .map(|((label, key), value)| (*label, key.clone(), value.clone()))
            .collect())
    }

    fn remove_mls_scope(&mut self, scope: &[u8]) -> Result<(), StorageError> {
        if scope == self.asked_for {
            self.rows.clear();
            return Ok(());
        }
        self.under.remove_mls_scope(scope)
    }
}
