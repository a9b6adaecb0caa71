//! Persisted rows: a version byte, then postcard.

use hushwing_sansio::{StorageError, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::letter::{Keep, RouteState};
use crate::SendFailure;

const VERSION: u8 = 1;

/// A mailbox: its network and the keys that open its envelopes.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct MailboxRow {
    pub(super) network: u8,
    pub(super) shared: Vec<[u8; 32]>,
    pub(super) first_contact: Vec<[u8; 32]>,
}

/// The head of a letter in the outbox.
#[derive(Serialize, Deserialize)]
pub(super) struct LetterRow {
    pub(super) repeat: [u8; 16],
    pub(super) length: u32,
    pub(super) urgent: bool,
    pub(super) keep: KeepRow,
    pub(super) posted: u64,
    pub(super) accepted: Option<u64>,
    pub(super) routes: Vec<RouteRow>,
}

/// How long a letter is kept. The first two were a truth value in the first versions, which
/// has the same bytes.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum KeepRow {
    UntilSettled,
    UntilAccepted,
    ForOthers,
}

/// One address of a letter, as [`Address::encode`](crate::Address::encode)
/// writes it, and how far it is.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct RouteRow {
    pub(super) address: Vec<u8>,
    #[zeroize(skip)]
    pub(super) state: StateRow,
}

/// How far one address of a letter is.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum StateRow {
    Waiting,
    /// The first so many parts were accepted.
    Sending(u16),
    Accepted(u64),
    Failed(FailureRow),
    /// Since the first several versions; added last, so that their rows read.
    Reserved,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum FailureRow {
    Unreachable,
    Full,
    Gone,
    WrongServer,
    Unreadable,
}

impl KeepRow {
    pub(super) fn of(keep: Keep) -> Self {
        match keep {
            Keep::UntilSettled => Self::UntilSettled,
            Keep::UntilAccepted => Self::UntilAccepted,
            Keep::ForOthers => Self::ForOthers,
        }
    }

    pub(super) fn keep(self) -> Keep {
        match self {
            Self::UntilSettled => Keep::UntilSettled,
            Self::UntilAccepted => Keep::UntilAccepted,
            Self::ForOthers => Keep::ForOthers,
        }
    }
}

impl StateRow {
    pub(super) fn of(state: RouteState, accepted_prefix: u16) -> Self {
        match state {
            RouteState::Waiting => Self::Waiting,
            RouteState::Reserved => Self::Reserved,
            RouteState::Sending => Self::Sending(accepted_prefix),
            RouteState::Accepted { at } => Self::Accepted(at.as_millis()),
            RouteState::Failed(reason) => Self::Failed(match reason {
                SendFailure::Unreachable => FailureRow::Unreachable,
                SendFailure::Full => FailureRow::Full,
                SendFailure::Gone => FailureRow::Gone,
                SendFailure::WrongServer => FailureRow::WrongServer,
                SendFailure::Unreadable => FailureRow::Unreadable,
            }),
        }
    }

    pub(super) fn state(self) -> (RouteState, u16) {
        match self {
            Self::Waiting => (RouteState::Waiting, 0),
            Self::Reserved => (RouteState::Reserved, 0),
            Self::Sending(prefix) => (RouteState::Sending, prefix),
            Self::Accepted(at) => (
                RouteState::Accepted {
                    at: Timestamp::from_millis(at),
                },
                0,
            ),
            Self::Failed(reason) => {
                let reason = match reason {
                    FailureRow::Unreachable => SendFailure::Unreachable,
                    FailureRow::Full => SendFailure::Full,
                    FailureRow::Gone => SendFailure::Gone,
                    FailureRow::WrongServer => SendFailure::WrongServer,
                    FailureRow::Unreadable => SendFailure::Unreadable,
                };
                (RouteState::Failed(reason), 0)
            }
        }
    }
}

pub(super) fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>, StorageError> {
    postcard::to_extend(row, vec![VERSION])
        .map_err(|error| StorageError::corrupt("encode a row of the post office").because(error))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StorageError> {
    match bytes.split_first() {
        Some((&VERSION, row)) => postcard::from_bytes(row)
            .map_err(|error| StorageError::corrupt("read a row of the post office").because(error)),
        _ => Err(StorageError::corrupt("read a row of the post office")),
    }
}
