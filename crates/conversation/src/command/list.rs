//! What a face may ask about lists.

use crate::{ContactId, ListId};

/// What a face may ask about lists: private names for contacts.
///
/// What was posted to one is found, looked after ([`Where`](crate::Command::Where)),
/// edited and deleted as a message, by an id of its own.
#[derive(Clone, PartialEq, Eq)]
pub enum ListCommand {
    /// Make a list with nobody on it. `Reply::List`.
    New {
        /// 1 to 128 bytes on one line.
        name: String,
    },
    /// All lists, the oldest first. `Reply::Lists`.
    All,
    /// Put a contact on a list. `Reply::List`.
    Add {
        /// Which list.
        list: ListId,
        /// Whom.
        contact: ContactId,
    },
    /// Take a contact off a list. `Reply::List`.
    Remove {
        /// Which list.
        list: ListId,
        /// Whom.
        contact: ContactId,
    },
    /// Forget a list. What was posted to it is said nevertheless. `Reply::Done`.
    Delete {
        /// Which one.
        list: ListId,
    },
    /// Say the same to each who is on a list, in the conversation with them.
    /// `Reply::Posted`.
    Post {
        /// Which list.
        list: ListId,
        /// What to say.
        text: String,
    },
}
