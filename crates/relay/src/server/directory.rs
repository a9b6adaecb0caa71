//! Where sessions look queues up.

use core::fmt;
use std::sync::Arc;

use super::record::{Id, QueueRecord};
use crate::wire::Transmission;

/// A queue by one of the names that clients use.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// The recipient's id.
    Recipient(Id),
    /// The sender's id.
    Sender(Id),
    /// The link's id, 1 to 255 bytes.
    Link(Vec<u8>),
}

impl Name {
    /// The queue that a transmission is about; `None` if it names none that
    /// could exist.
    #[must_use]
    pub fn of(transmission: &Transmission<'_>) -> Option<Self> {
        let tag = transmission.text.split(|byte| *byte == b' ').next()?;
        let id = || Id::from_entity(transmission.entity_id);
        match tag {
            b"NEW" | b"PING" => None,
            b"SEND" | b"SKEY" => id().map(Self::Sender),
            b"LKEY" | b"LGET" => Some(Self::Link(transmission.entity_id.to_vec())),
            _ => id().map(Self::Recipient),
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(..)")
    }
}

/// What a directory knows at once.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// The queue of that name, or that there is none.
    Known(Option<Arc<QueueRecord>>),
    /// Storage must be asked; see
    /// [`Session::take_wanted`](super::Session::take_wanted).
    Unknown,
}

/// Committed queues by the names clients use. Shared by all sessions, so it
/// answers without waiting.
///
/// It may lag behind the engine by what is not committed yet; the engine
/// checks again.
pub trait Directory {
    /// What is known of `name`.
    fn find(&self, name: &Name) -> Lookup;
}
