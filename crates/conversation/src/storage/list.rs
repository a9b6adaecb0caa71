//! Lists: private names for contacts of mine, and what was posted to them.
//!
//! All lie in settings: most people never have any. Each post has one of its own, which is
//! written anew whenever a copy of it was said.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use super::hidden::hidden;
use super::introduction::in_a_setting;
use crate::{ContactId, ListId, MessageId};

/// Lists there are at most.
pub const MOST_LISTS: usize = 64;
/// Contacts on one.
pub const MOST_LISTED: usize = 256;
/// Posts that are remembered; the oldest of which nothing is to be said go.
pub const MOST_POSTS: usize = 256;

/// A private name for contacts. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRecord {
    /// Its name in commands.
    pub id: ListId,
    /// What I call it.
    pub name: String,
    /// Who is on it, in the order they were put there.
    pub contacts: Vec<ContactId>,
}

/// All lists, the oldest first. `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListsRecord {
    /// Lists.
    pub lists: Vec<ListRecord>,
}

/// What was posted to a list. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPostRecord {
    /// Its number.
    pub number: u64,
    /// By which it is named as messages are (32 bytes).
    pub id: [u8; 32],
    /// To which list. It may be deleted since.
    pub list: ListId,
    /// When.
    #[serde(with = "millis")]
    pub at: Timestamp,
    /// Counts what it said; 1 at first.
    pub revision: u32,
    /// What it says, as long as somebody is to be told.
    pub text: Option<String>,
    /// Whether it was taken back.
    pub taken_back: bool,
    /// For whom it is.
    pub copies: Vec<CopyRecord>,
}

/// What becomes of a post for one contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyRecord {
    /// For whom.
    pub contact: ContactId,
    /// The message that came of it (32 bytes); nothing before it was said.
    pub message: Option<[u8; 32]>,
    /// Up to which revision they were told, or cannot be.
    pub told: u32,
    /// Why they were not told the last of it, if so.
    pub missed: Option<Missed>,
}

/// Why a copy of a post, or the last change of it, was not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Missed {
    /// The contact is blocked.
    Blocked,
    /// The conversation cannot go on.
    Broken,
    /// It was read from a backup and is not begun anew yet.
    Restoring,
    /// There is no conversation yet.
    NotEstablished,
    /// It was refused there, for another reason.
    Refused,
    /// A backup was put back before it was said, or perhaps before.
    PutBack,
    /// It was taken back before it was said.
    TakenBack,
    /// The message is gone there: deleted, or it disappeared.
    Gone,
    /// I wish to be off the record there, and they do not; or it was said so.
    OffRecord,
    /// They have not answered yet, and were told all that is kept until then.
    NotAnswered,
}

hidden!(ListRecord, ListsRecord, ListPostRecord);

impl CopyRecord {
    /// The message that came of it.
    #[must_use]
    pub fn message(&self) -> Option<MessageId> {
        MessageId::from_bytes(&self.message?).ok()
    }

    /// Whether something is still to be said of a post that says its `revision`.
    #[must_use]
    pub fn waits(&self, revision: u32) -> bool {
        self.told < revision
    }

    /// Nothing further is said, for this reason.
    pub fn miss(&mut self, revision: u32, why: Missed) {
        self.told = revision;
        self.missed = Some(why);
    }
}

impl ListPostRecord {
    /// Every post with its number; or what is wrong with it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn all(storage: &dyn Storage) -> Result<Vec<ListPostRow>, StorageError> {
        let rows = storage.settings_of(POST)?.into_iter();
        let read = rows.filter_map(|(name, body)| {
            let number = name.strip_prefix(POST)?.parse().ok()?;
            Some((number, Self::decode(&body)))
        });
        Ok(read.collect())
    }

    /// By which it is named as messages are.
    #[must_use]
    pub fn id(&self) -> Option<MessageId> {
        MessageId::from_bytes(&self.id).ok()
    }

    /// Copies of which something is still to be said.
    pub fn waiting(&self) -> impl Iterator<Item = &CopyRecord> {
        let waits = |copy: &&CopyRecord| copy.waits(self.revision);
        self.copies.iter().filter(waits)
    }

    /// Whether nothing is to be said any more.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.waiting().next().is_none()
    }

    /// It says something else from now on, or nothing any more, to whom it was said and
    /// is to be said.
    pub fn change(&mut self, text: Option<String>) {
        let again = self.taken_back && text.is_none();
        let (before, now) = (self.revision, self.revision + 1);
        self.taken_back = text.is_none();
        self.text = text;
        for copy in &mut self.copies {
            match (copy.message.is_none(), copy.missed) {
                // They never got it, and do not get a change of it.
                (true, Some(why)) => copy.miss(now, why),
                (true, None) if self.taken_back => copy.miss(now, Missed::TakenBack),
                // They know that it was taken back.
                (false, None) if again && !copy.waits(before) => copy.told = now,
                // What they were not told last is told with this.
                _ => copy.missed = None,
            }
        }
        self.revision = now;
    }

    /// Nobody is told anything further, for this reason.
    pub fn give_up(&mut self, why: Missed) {
        let revision = self.revision;
        for copy in &mut self.copies {
            if copy.waits(revision) {
                copy.miss(revision, why);
            }
        }
        self.settle();
    }

    /// What nobody is to be told is not kept: whoever was told has it in a conversation.
    pub fn settle(&mut self) {
        if self.is_settled() {
            self.text = None;
        }
    }
}

in_a_setting!(ListsRecord, "reading lists", lists, ());
in_a_setting!(ListPostRecord, "reading a post to a list", post, u64);

/// A post and its number, as far as it can be read.
pub type ListPostRow = (u64, Result<ListPostRecord, StorageError>);

/// With what the settings of posts begin.
const POST: &str = "post to a list ";

fn lists((): ()) -> String {
    "lists".to_owned()
}

fn post(number: u64) -> String {
    format!("{POST}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(said: bool, told: u32, missed: Option<Missed>) -> CopyRecord {
        CopyRecord {
            contact: ContactId(1),
            message: said.then_some([1; 32]),
            told,
            missed,
        }
    }

    fn post(copies: Vec<CopyRecord>) -> ListPostRecord {
        ListPostRecord {
            number: 1,
            id: [1; 32],
            list: ListId(2),
            at: Timestamp::default(),
            revision: 1,
            text: Some("tea".to_owned()),
            taken_back: false,
            copies,
        }
    }

    #[test]
    fn a_change_is_told_to_who_has_it_or_is_to_have_it() {
        let mut post = post(vec![
            copy(true, 1, None),
            copy(false, 0, None),
            copy(false, 1, Some(Missed::Blocked)),
            copy(true, 1, Some(Missed::Broken)),
        ]);
        post.change(Some("cake".to_owned()));
        let waits: Vec<bool> = post.copies.iter().map(|copy| copy.waits(2)).collect();
        assert_eq!(waits, [true, true, false, true]);
        assert_eq!(post.copies[2].missed, Some(Missed::Blocked));
        assert_eq!(post.copies[3].missed, None);
    }

    #[test]
    fn who_was_not_told_yet_is_not_told_of_what_was_taken_back() {
        let mut post = post(vec![copy(true, 1, None), copy(false, 0, None)]);
        post.change(None);
        let waits: Vec<bool> = post.copies.iter().map(|copy| copy.waits(2)).collect();
        assert_eq!(waits, [true, false]);
        assert_eq!(post.copies[1].missed, Some(Missed::TakenBack));
    }

    #[test]
    fn a_text_is_kept_as_long_as_somebody_is_to_be_told() {
        let mut post = post(vec![copy(true, 1, None), copy(false, 0, None)]);
        post.settle();
        assert!(post.text.is_some());
        post.give_up(Missed::PutBack);
        assert_eq!(post.text, None);
        assert_eq!(post.copies[1].missed, Some(Missed::PutBack));
        assert_eq!(post.copies[0].missed, None);
    }
}
