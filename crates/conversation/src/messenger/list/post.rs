//! What is posted to a list, and changed of it.

use hushwing_sansio::StorageError;

use super::super::broken::is_damage;
use super::super::mention::plain_words;
use super::super::stop::Stop;
use super::super::{Call, Messenger};
use super::post_view;
use crate::content::{Content, Post};
use crate::storage::{CopyRecord, ListPostRecord, MOST_POSTS, MessageState, Missed};
use crate::{ContactId, ListId, MessageId, Refusal, Reply};

impl Messenger {
    /// Takes a post. Nothing is said yet; who cannot be written to is left out, and named.
    pub(super) fn post_to_list(
        &mut self,
        call: &mut Call<'_, '_>,
        list: ListId,
        text: String,
    ) -> Result<Reply, Stop> {
        plain_words(&text)?;
        let contacts = self.lists.list(list)?.contacts.clone();
        let copies = contacts.into_iter();
        let copies = copies.map(|contact| self.copy_for(call, contact, &text));
        let copies: Vec<CopyRecord> = copies.collect::<Result<_, StorageError>>()?;
        if copies.iter().all(|copy| copy.missed.is_some()) {
            return Err(Refusal::NobodyOnList.into());
        }
        self.make_room_for_a_post(call)?;
        let number = call.storage.next_number()?;
        let post = ListPostRecord {
            number,
            id: *MessageId::by_chance(call.cx.random()).as_bytes(),
            list,
            at: call.cx.wall(),
            revision: 1,
            text: Some(text),
            taken_back: false,
            copies,
        };
        post.put(call.storage, number)?;
        let view = post_view(call.storage, &post)?;
        self.lists.posts.insert(number, post);
        self.lists.plan(call.cx, number, self.config.spread);
        Ok(Reply::Posted(view))
    }

    fn copy_for(
        &mut self,
        call: &Call<'_, '_>,
        contact: ContactId,
        text: &str,
    ) -> Result<CopyRecord, StorageError> {
        let missed = match self.may_be_told(call, contact, text) {
            Ok(()) => None,
            Err(Stop::Refused(why)) => Some(Missed::of(why)),
            Err(Stop::Storage(error)) if is_damage(&error) => Some(Missed::Broken),
            Err(Stop::Storage(error)) => return Err(error),
        };
        Ok(CopyRecord {
            contact,
            message: None,
            told: u32::from(missed.is_some()),
            missed,
        })
    }

    /// Whether it could be said to a contact now.
    fn may_be_told(
        &mut self,
        call: &Call<'_, '_>,
        contact: ContactId,
        text: &str,
    ) -> Result<(), Stop> {
        let place = self.speaks_at(contact);
        self.may_speak(place, text.len())?;
        self.may_say_more(call, place)?;
        let post = Content::Post(Post::new(self.words(place, text)?, None));
        self.goes_off_record(call, place, &post).map(drop)
    }

    /// The oldest post goes of which nothing is to be said, where there are too many.
    fn make_room_for_a_post(&mut self, call: &mut Call<'_, '_>) -> Result<(), Stop> {
        if self.lists.posts.len() < MOST_POSTS {
            return Ok(());
        }
        let mut posts = self.lists.posts.values();
        let oldest = posts.find(|post| post.is_settled()).map(|post| post.number);
        let oldest = oldest.ok_or(Refusal::TooManyPosts { most: MOST_POSTS })?;
        Ok(self.lists.forget_post(call.storage, oldest)?)
    }

    /// Says something else in each copy; where none was said yet, only that.
    pub(in crate::messenger) fn edit_post(
        &mut self,
        call: &mut Call<'_, '_>,
        post: &MessageId,
        text: String,
    ) -> Result<Reply, Stop> {
        plain_words(&text)?;
        self.change_post(call, post, Some(text))
    }

    /// Takes each copy back; where none was said yet, none is.
    pub(in crate::messenger) fn delete_post(
        &mut self,
        call: &mut Call<'_, '_>,
        post: &MessageId,
    ) -> Result<Reply, Stop> {
        self.change_post(call, post, None)
    }

    fn change_post(
        &mut self,
        call: &mut Call<'_, '_>,
        id: &MessageId,
        text: Option<String>,
    ) -> Result<Reply, Stop> {
        let post = self.lists.named(id).ok_or(Refusal::NoMessage)?;
        let missed = |copy: &CopyRecord| copy.message.is_some() && copy.missed.is_some();
        let again = text.is_none() && post.copies.iter().any(missed);
        if post.taken_back && !again {
            return Err(Refusal::Deleted.into());
        }
        let number = post.number;
        let mut changed = post.clone();
        changed.change(text);
        let unsaid = |post: &ListPostRecord| {
            let mut copies = post.copies.iter();
            copies.any(|copy| copy.missed == Some(Missed::TakenBack))
        };
        if changed.is_settled() && !unsaid(&changed) {
            return Err(Refusal::NobodyWasTold.into());
        }
        self.lists.posts.insert(number, changed);
        self.lists.put_post(call.storage, number)?;
        self.lists.plan(call.cx, number, self.config.spread);
        Ok(Reply::Sent {
            message: *id,
            state: MessageState::Queued,
        })
    }
}
