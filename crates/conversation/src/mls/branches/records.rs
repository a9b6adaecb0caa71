//! What the keeper remembers of a group, as rows.
//!
//! A version byte and postcard, like the rows of MLS beside which they lie.

use hushwing_sansio::StorageError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::intent::Intent;
use super::rows;
use crate::fork_choice::{
    AccountId, Class, Commit, CommitHash, DeviceKey, Shape, State, StateName,
};
use crate::mls::codec;
use crate::{ConversationId, MlsRows, Secret};

/// Labels of rows in the scope of records. Stored, so never reused.
mod label {
    pub(super) const HEAD: u8 = 1;
    pub(super) const STATE: u8 = 2;
    pub(super) const COMMIT: u8 = 3;
    pub(super) const INTENT: u8 = 4;
}

/// Labels of rows in the bulk scope.
#[derive(Clone, Copy)]
pub(super) enum Bulk {
    /// The bytes of a commit.
    Commit = 1,
    /// The Welcome of a commit of mine.
    Welcome = 2,
}

/// What there is one of.
#[derive(Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) account: Vec<u8>,
    pub(super) key: Secret,
    pub(super) pair: bool,
    pub(super) root: [u8; 32],
    pub(super) followed: [u8; 32],
    pub(super) next_intent: u64,
    /// The public signature key of the leaf that welcomed me.
    pub(super) welcomed_by: Option<Vec<u8>>,
    pub(super) stranded: bool,
    /// Since when a chain that a leaf I know signed could not be followed to its end,
    /// in milliseconds of the wall clock.
    pub(super) broken_since: Option<u64>,
    /// States that are forgotten and in which something was sealed, by epoch and
    /// name, from the root's epoch on.
    pub(super) spent: Vec<(u64, [u8; 32])>,
}

/// A state that is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StateRecord {
    /// The commit that led to it; none for the root.
    pub(super) by: Option<[u8; 32]>,
    pub(super) epoch: u64,
    pub(super) stewards: Vec<Vec<u8>>,
    /// The leaves that the choice weighs, by index, as [`DeviceKey`] names them.
    pub(super) devices: Vec<(u32, [u8; 32])>,
    /// The leaves of the stewards and of my account, as account and public
    /// signature key: whose Welcome may bring me back.
    pub(super) welcomers: Vec<(Vec<u8>, Vec<u8>)>,
    /// When it came to be held, in milliseconds of the wall clock.
    pub(super) since: u64,
    /// Whether there is a leaf of mine in it, and so rows.
    pub(super) mine: bool,
    /// Whether something may have been sealed in it.
    pub(super) used: bool,
    /// Bytes of its rows when it came to be held.
    pub(super) size: u64,
}

/// How far a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Standing {
    /// Of mine, and no network has taken it that we know of.
    Made,
    /// Of mine, taken by a network, and resting for so many milliseconds.
    Published(u64),
    /// It takes part in the choice.
    TakesPart,
    /// Of another leaf, and waits since its account makes many.
    Held,
}

/// A commit that is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct CommitRecord {
    pub(super) parent: [u8; 32],
    pub(super) child: [u8; 32],
    pub(super) author: Vec<u8>,
    pub(super) leaf: u32,
    pub(super) class: u8,
    pub(super) standing: Standing,
    /// The leaves its Welcome waits for, by public signature key: until it is released,
    /// once.
    pub(super) welcome: Option<Vec<Vec<u8>>>,
    /// Whether this leaf made it. MLS does not read what it sealed itself, so it
    /// could never be taken in again.
    pub(super) own: bool,
    /// When it came, or when it began to take part, in milliseconds of the wall
    /// clock.
    pub(super) since: u64,
}

const CLASSES: [Class; 6] = [
    Class::Removal,
    Class::Policy,
    Class::OwnRemoval,
    Class::Membership,
    Class::Turn,
    Class::Refresh,
];

/// The number under which a class is stored.
pub(super) fn number_of(class: Class) -> u8 {
    let place = CLASSES.iter().position(|other| *other == class);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}

fn corrupt() -> StorageError {
    StorageError::corrupt("reading the branches of a group")
}

pub(super) fn account(bytes: &[u8]) -> Result<AccountId, StorageError> {
    AccountId::try_from(bytes).map_err(|_| corrupt())
}

impl CommitRecord {
    /// Whether it is one of mine that does not take part yet.
    pub(super) fn rests(&self) -> bool {
        matches!(self.standing, Standing::Made | Standing::Published(_))
    }

    /// As the rule of choice sees it.
    pub(super) fn commit(&self, hash: CommitHash) -> Result<Commit, StorageError> {
        let class = CLASSES.get(usize::from(self.class)).ok_or_else(corrupt)?;
        Ok(Commit {
            hash,
            parent: StateName(self.parent),
            child: StateName(self.child),
            author: account(&self.author)?,
            leaf: self.leaf,
            class: *class,
        })
    }
}

impl StateRecord {
    /// As the rule of choice sees it.
    pub(super) fn state(&self, name: StateName, shape: Shape) -> Result<State, StorageError> {
        let stewards = self.stewards.iter().map(|steward| account(steward));
        let devices = self.devices.iter();
        Ok(State {
            name,
            shape,
            stewards: stewards.collect::<Result<_, _>>()?,
            devices: devices
                .map(|(leaf, key)| (*leaf, DeviceKey(*key)))
                .collect(),
        })
    }
}

/// All records of a group, as they are read when it is opened.
pub(super) struct Records {
    pub(super) head: Head,
    pub(super) states: Vec<(StateName, StateRecord)>,
    pub(super) commits: Vec<(CommitHash, CommitRecord)>,
    pub(super) intents: Vec<(u64, Intent)>,
}

impl Records {
    /// Reads the records of `group`; `None` if there are none.
    pub(super) fn read(
        lent: &dyn MlsRows,
        group: ConversationId,
    ) -> Result<Option<Self>, StorageError> {
        let mut head = None;
        let (mut states, mut commits, mut intents) = (Vec::new(), Vec::new(), Vec::new());
        let all = lent.mls_scope(&rows::records(group))?;
        if all.is_empty() {
            return Ok(None);
        }
        for (label, key, value) in all {
            match label {
                label::HEAD => head = Some(decode(&value)?),
                label::STATE => states.push((StateName(name(&key)?), decode(&value)?)),
                label::COMMIT => commits.push((CommitHash(name(&key)?), decode(&value)?)),
                label::INTENT => intents.push((u64::from_be_bytes(name(&key)?), decode(&value)?)),
                _ => return Err(corrupt()),
            }
        }
        Ok(Some(Self {
            head: head.ok_or_else(corrupt)?,
            states,
            commits,
            intents,
        }))
    }
}

fn name<const N: usize>(key: &[u8]) -> Result<[u8; N], StorageError> {
    key.try_into().map_err(|_| corrupt())
}

fn decode<T: DeserializeOwned>(value: &Secret) -> Result<T, StorageError> {
    codec::decode(value).ok_or_else(corrupt)
}

/// The records of one group in lent rows.
pub(super) struct Shelf<'a> {
    rows: &'a mut dyn MlsRows,
    group: ConversationId,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(rows: &'a mut dyn MlsRows, group: ConversationId) -> Self {
        Self { rows, group }
    }

    fn put<T: Serialize>(&mut self, label: u8, key: &[u8], value: &T) -> Result<(), StorageError> {
        let value = codec::encode(value).map_err(|error| corrupt().because(error))?;
        let scope = rows::records(self.group);
        self.rows.put_mls_row(&scope, label, key, value.expose())
    }

    fn remove(&mut self, label: u8, key: &[u8]) -> Result<(), StorageError> {
        self.rows
            .remove_mls_row(&rows::records(self.group), label, key)
    }

    pub(super) fn put_head(&mut self, head: &Head) -> Result<(), StorageError> {
        self.put(label::HEAD, &[], head)
    }

    pub(super) fn put_state(
        &mut self,
        name: &StateName,
        record: &StateRecord,
    ) -> Result<(), StorageError> {
        self.put(label::STATE, &name.0, record)
    }

    pub(super) fn put_commit(
        &mut self,
        hash: &CommitHash,
        record: &CommitRecord,
    ) -> Result<(), StorageError> {
        self.put(label::COMMIT, &hash.0, record)
    }

    pub(super) fn put_intent(&mut self, number: u64, intent: &Intent) -> Result<(), StorageError> {
        self.put(label::INTENT, &number.to_be_bytes(), intent)
    }

    pub(super) fn remove_intent(&mut self, number: u64) -> Result<(), StorageError> {
        self.remove(label::INTENT, &number.to_be_bytes())
    }

    /// Removes a state with its rows.
    pub(super) fn remove_state(&mut self, name: &StateName) -> Result<(), StorageError> {
        self.rows.remove_mls_scope(&rows::state(self.group, name))?;
        self.remove(label::STATE, &name.0)
    }

    /// Removes a commit with its bytes and its Welcome.
    pub(super) fn remove_commit(&mut self, hash: &CommitHash) -> Result<(), StorageError> {
        self.remove_bulk(Bulk::Commit, hash)?;
        self.remove_bulk(Bulk::Welcome, hash)?;
        self.remove(label::COMMIT, &hash.0)
    }

    pub(super) fn put_bulk(
        &mut self,
        what: Bulk,
        hash: &CommitHash,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        let scope = rows::bulk(self.group);
        self.rows.put_mls_row(&scope, what as u8, &hash.0, bytes)
    }

    pub(super) fn bulk(&self, what: Bulk, hash: &CommitHash) -> Result<Vec<u8>, StorageError> {
        let scope = rows::bulk(self.group);
        let row = self.rows.mls_row(&scope, what as u8, &hash.0)?;
        row.map(|row| row.expose().to_vec()).ok_or_else(corrupt)
    }

    pub(super) fn remove_bulk(
        &mut self,
        what: Bulk,
        hash: &CommitHash,
    ) -> Result<(), StorageError> {
        let scope = rows::bulk(self.group);
        self.rows.remove_mls_row(&scope, what as u8, &hash.0)
    }

    /// Removes everything of the group.
    pub(super) fn clear(&mut self) -> Result<(), StorageError> {
        for (label, key, _) in self.rows.mls_scope(&rows::records(self.group))? {
            if let (label::STATE, Ok(name)) = (label, name(&key)) {
                let scope = rows::state(self.group, &StateName(name));
                self.rows.remove_mls_scope(&scope)?;
            }
        }
        self.rows.remove_mls_scope(&rows::bulk(self.group))?;
        self.rows.remove_mls_scope(&rows::records(self.group))
    }
}
