//! Saying what was posted, to each at a moment of its own.
//!
//! A copy is said as any message is, and what it is to the post changes with it in one
//! transaction: a crash loses none and says none twice.

use hushwing_sansio::StorageError;

use super::super::stop::Stop;
use super::super::{Call, Messenger};
use crate::storage::Missed;
use crate::{ContactId, MessageId, Refusal, Reply};

/// What is to be said to one contact.
enum Owed {
    Text(String),
    Edit(MessageId, String),
    Deletion(MessageId),
}

impl Missed {
    /// Why it is, where it was refused so.
    pub(super) fn of(why: Refusal) -> Self {
        match why {
            Refusal::Blocked => Self::Blocked,
            Refusal::Broken | Refusal::RoomBroken | Refusal::PairOver => Self::Broken,
            Refusal::Restoring | Refusal::RoomRestoring => Self::Restoring,
            Refusal::NotEstablished => Self::NotEstablished,
            Refusal::NotAnswered => Self::NotAnswered,
            Refusal::OffRecordAlone | Refusal::SaidOffRecord => Self::OffRecord,
            // What disappeared is no text of mine any more.
            Refusal::NoMessage | Refusal::NotMine | Refusal::Deleted => Self::Gone,
            _ => Self::Refused,
        }
    }
}

impl Messenger {
    /// Takes up what an earlier run left.
    pub(in crate::messenger) fn plan_posts(&mut self, call: &mut Call<'_, '_>) {
        for number in self.lists.posts.keys().copied().collect::<Vec<_>>() {
            self.lists.plan(call.cx, number, self.config.spread);
        }
    }

    pub(in crate::messenger) fn posts_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        for (post, contact) in self.lists.due.take(call.cx.now()) {
            if let Some(owed) = self.owed(post, contact) {
                let outcome = self.say_owed(call, contact, owed)?;
                self.note_told(call, post, contact, outcome)?;
            }
        }
        Ok(())
    }

    fn owed(&self, number: u64, contact: ContactId) -> Option<Owed> {
        let post = self.lists.posts.get(&number)?;
        let mut waiting = post.waiting();
        let copy = waiting.find(|copy| copy.contact == contact)?;
        Some(match (copy.message(), post.text.clone()) {
            (None, text) => Owed::Text(text?),
            (Some(message), Some(text)) => Owed::Edit(message, text),
            (Some(message), None) if post.taken_back => Owed::Deletion(message),
            (Some(_), None) => return None,
        })
    }

    /// Says it; the name of what was said, or why it was not.
    fn say_owed(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        owed: Owed,
    ) -> Result<Result<MessageId, Missed>, StorageError> {
        // What is damaged breaks that conversation alone.
        let mut outcome = Err(Missed::Broken);
        let place = match &owed {
            Owed::Text(_) => Some(self.speaks_at(contact)),
            Owed::Edit(message, _) | Owed::Deletion(message) => {
                call.storage.whose_message(message)?
            }
        };
        self.within(call, place.unwrap_or(contact), |this, call| {
            let said = match &owed {
                Owed::Text(text) => this.send(call, contact, text, None),
                Owed::Edit(message, text) => this.edit(call, message, text),
                Owed::Deletion(message) => this.delete(call, message),
            };
            outcome = match said {
                Ok(Reply::Sent { message, .. }) => Ok(message),
                Ok(_) => Err(Missed::Refused),
                Err(Stop::Refused(why)) => match (&owed, Missed::of(why)) {
                    // That is what was wanted.
                    (Owed::Deletion(message), Missed::Gone) => Ok(*message),
                    (_, missed) => Err(missed),
                },
                Err(Stop::Storage(error)) => return Err(error),
            };
            Ok(())
        })?;
        Ok(outcome)
    }

    fn note_told(
        &mut self,
        call: &mut Call<'_, '_>,
        number: u64,
        contact: ContactId,
        outcome: Result<MessageId, Missed>,
    ) -> Result<(), StorageError> {
        let Some(post) = self.lists.posts.get_mut(&number) else {
            return Ok(());
        };
        let revision = post.revision;
        let mut copies = post.copies.iter_mut();
        if let Some(copy) = copies.find(|copy| copy.contact == contact) {
            match outcome {
                Err(why) => copy.miss(revision, why),
                Ok(message) => {
                    copy.told = revision;
                    // What changes a message has a name of its own.
                    copy.message.get_or_insert(*message.as_bytes());
                }
            }
        }
        self.lists.put_post(call.storage, number)
    }
}
