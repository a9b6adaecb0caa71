//! How messages went that did not go straight.
//!
//! The outbox forgets a letter with its receipt; the way of one that took more
//! than one address is kept a while, so that a person can see what was done
//! about a server.

use hushwing_delivery::{NetworkTag, SendFailure};
use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec;
use crate::view::{Attempt, AttemptStage};
use crate::{ContactId, MessageId};

/// Messages of one contact whose way is kept; over it the oldest goes.
const MOST_KEPT: usize = 64;

/// The ways of the last messages to one contact that did not go straight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetourRecord {
    /// By message id (32 bytes), the oldest first.
    detours: Vec<(Vec<u8>, Vec<AttemptRow>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AttemptRow {
    network: u8,
    address: Option<u8>,
    recovery: bool,
    stage: StageRow,
    problem: Option<ProblemRow>,
    begun: Option<u64>,
    accepted: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum StageRow {
    Waiting,
    Sending,
    Trying,
    Accepted,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ProblemRow {
    Unreachable,
    Full,
    Gone,
    WrongServer,
    Unreadable,
}

impl DetourRecord {
    /// Those of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&detours_of(contact))?;
        let body = body.filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes those of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.put_setting(&detours_of(contact), &codec::encode(self))
    }

    /// Forgets those of `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&detours_of(contact))
    }

    /// Decodes the versioned body.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading the ways of messages")
    }

    /// Keeps the way of a message.
    pub fn add(&mut self, message: &MessageId, attempts: &[Attempt]) {
        let id = message.as_bytes();
        self.detours.retain(|(known, _)| known != id);
        let rows = attempts.iter().map(row).collect();
        self.detours.push((id.to_vec(), rows));
        let over = self.detours.len().saturating_sub(MOST_KEPT);
        self.detours.drain(..over);
    }

    /// The way of a message, if it was kept.
    #[must_use]
    pub fn find(&self, message: &MessageId) -> Option<Vec<Attempt>> {
        let id = message.as_bytes();
        let (_, rows) = self.detours.iter().find(|(known, _)| known == id)?;
        Some(rows.iter().map(attempt).collect())
    }
}

fn row(attempt: &Attempt) -> AttemptRow {
    AttemptRow {
        network: attempt.network.0,
        address: attempt.address,
        recovery: attempt.recovery,
        stage: match attempt.stage {
            AttemptStage::Waiting => StageRow::Waiting,
            AttemptStage::Sending => StageRow::Sending,
            AttemptStage::Trying => StageRow::Trying,
            AttemptStage::Accepted => StageRow::Accepted,
            AttemptStage::Failed => StageRow::Failed,
        },
        problem: attempt.problem.map(|problem| match problem {
            SendFailure::Unreachable => ProblemRow::Unreachable,
            SendFailure::Full => ProblemRow::Full,
            SendFailure::Gone => ProblemRow::Gone,
            SendFailure::WrongServer => ProblemRow::WrongServer,
            SendFailure::Unreadable => ProblemRow::Unreadable,
        }),
        begun: attempt.begun.map(Timestamp::as_millis),
        accepted: attempt.accepted.map(Timestamp::as_millis),
    }
}

fn attempt(row: &AttemptRow) -> Attempt {
    Attempt {
        network: NetworkTag(row.network),
        address: row.address,
        recovery: row.recovery,
        stage: match row.stage {
            StageRow::Waiting => AttemptStage::Waiting,
            StageRow::Sending => AttemptStage::Sending,
            StageRow::Trying => AttemptStage::Trying,
            StageRow::Accepted => AttemptStage::Accepted,
            StageRow::Failed => AttemptStage::Failed,
        },
        problem: row.problem.map(|problem| match problem {
            ProblemRow::Unreachable => SendFailure::Unreachable,
            ProblemRow::Full => SendFailure::Full,
            ProblemRow::Gone => SendFailure::Gone,
            ProblemRow::WrongServer => SendFailure::WrongServer,
            ProblemRow::Unreadable => SendFailure::Unreadable,
        }),
        begun: row.begun.map(Timestamp::from_millis),
        accepted: row.accepted.map(Timestamp::from_millis),
    }
}

fn detours_of(contact: ContactId) -> String {
    format!("detours of contact {}", contact.0)
}
