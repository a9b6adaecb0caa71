//! Why something says nothing about a room.

use crate::content::cbor::SyntaxError;

/// Why something says nothing about a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomWordError {
    /// Not the canonical CBOR of it.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("content about a room, of newer version {0}")]
    Newer(u64),
    /// A step that does not exist.
    #[error("unknown content about a room")]
    Step,
    /// An account id that is none.
    #[error("account id malformed")]
    Account,
    /// Nothing in a name can be seen.
    #[error("empty name")]
    EmptyName,
    /// A set of leaves, or the id of the message, that is none.
    #[error("count malformed")]
    Tally,
    /// The id of a message that is none.
    #[error("message id malformed")]
    Message,
    /// A readiness that does not exist.
    #[error("unknown readiness")]
    Readiness,
    /// A place that no message can have.
    #[error("place out of range")]
    Place,
}
