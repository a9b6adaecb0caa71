//! Lists as shown.

use core::fmt;

use hushwing_sansio::Timestamp;

use crate::content::ShortId;
use crate::storage::{ListPostRecord, Missed};
use crate::{ContactId, ListId, MessageState};

/// A list as shown. `Debug` hides the name.
#[derive(Clone, PartialEq, Eq)]
pub struct ListView {
    /// Its name in commands.
    pub list: ListId,
    /// What I call it.
    pub name: String,
    /// Who is on it, in the order they were put there.
    pub contacts: Vec<ContactId>,
    /// What was posted to it, as far as it is remembered; the oldest first.
    pub posts: Vec<ListPostView>,
}

/// What was posted to a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPostView {
    /// By which it is named as messages are.
    pub id: ShortId,
    /// When.
    pub at: Timestamp,
    /// Whether it was taken back.
    pub taken_back: bool,
    /// For how many it is.
    pub all: usize,
    /// To how many something of it is still to be said.
    pub waiting: usize,
    /// Who was not told the last of it, and why.
    pub missed: Vec<(ContactId, Missed)>,
}

/// How far a post to a list got to a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyReached {
    /// To whom.
    pub contact: ContactId,
    /// How far the message got that came of it; nothing if none did yet.
    pub state: Option<MessageState>,
    /// Whether it, or its last change, is still to be said to them.
    pub waits: bool,
    /// Whether they know that it was taken back.
    pub taken_back: bool,
    /// Why they were not told it, or the last change of it.
    pub missed: Option<Missed>,
}

impl fmt::Debug for ListView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListView")
            .field("list", &self.list)
            .finish_non_exhaustive()
    }
}

impl ListPostView {
    pub(crate) fn of(record: &ListPostRecord, id: ShortId) -> Self {
        let missed = |copy: &crate::storage::CopyRecord| Some((copy.contact, copy.missed?));
        Self {
            id,
            at: record.at,
            taken_back: record.taken_back,
            all: record.copies.len(),
            waiting: record.waiting().count(),
            missed: record.copies.iter().filter_map(missed).collect(),
        }
    }
}
