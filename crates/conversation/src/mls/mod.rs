//! MLS (RFC 9420) as two people use it.
//!
//! One group per conversation: the joiner creates it and is leaf 0, the
//! inviter is leaf 1. What a peer sends climbs a ladder of types, and only the
//! last step changes anything:
//!
//! ```text
//! bytes ─ Received::parse ─▶ Received ─ open ─▶ Opened::Said(plaintext)
//!                                             └▶ Opened::Renewed(Staged) ─ merge ─▶ next epoch
//! ```
//!
//! Nothing of a peer's is let into the rows that could not be lived with: before
//! a created or joined group, or the epoch after a peer's commit, is kept, it is
//! read back, written in and renewed once in a trial that leaves no trace. So a
//! peer's fault ends a letter or a conversation, and a `StorageError` always
//! means our own rows.
//!
//! Groups of many leaves, which can fork, are kept by [`branches`].
//!
//! Who may commit is fixed by the epoch, so a conversation of two never forks:
//! in epoch *e* the leaf *e mod 2* holds the turn, see [`Group::holds_turn`].

pub mod branches;
mod codec;
mod crypto;
mod group;
mod key_package;
mod ladder;
mod leaf_key;
mod ledger;
mod provider;
mod store;
mod suite;
mod trial;

pub(crate) use crypto::Crypto;
pub(crate) use group::{Group, GroupFault, JoinError, Place};
pub(crate) use key_package::{CheckedKeyPackage, FreshKeyPackage, forget_key_package};
pub(crate) use ladder::{OpenFault, Opened, Received, Staged};
pub(crate) use leaf_key::LeafKey;
pub(crate) use suite::PAST_EPOCHS;

#[cfg(test)]
mod interop;
#[cfg(test)]
mod overheard;
#[cfg(test)]
mod passive_client;
#[cfg(test)]
mod tests;
