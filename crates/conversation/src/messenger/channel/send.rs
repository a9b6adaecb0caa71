//! How posts and keys get to readers: each from where they stand, one letter at a time.

use core::time::Duration;

use hushwing_delivery::{Keep, LetterId, NetworkTag};
use hushwing_sansio::StorageError;

use crate::channel::{ChannelKey, Post};
use crate::content::{ChannelStep, MessageId};
use crate::letter::LetterBody;
use crate::messenger::{Call, Messenger};
use crate::storage::{MessageState, ReaderRecord, ReaderState};
use crate::{ContactId, RoomId};

/// Readers who are sent something in one input.
const AT_ONCE: usize = 16;
/// Posts in one letter.
const MOST_ITEMS: usize = 16;
/// Bytes of posts in one letter, unless one alone has more: what fits one envelope.
const MOST_BYTES: usize = 14_000;
/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(60 * 60);

impl Messenger {
    /// Sends what is due, of each channel a piece; the rest goes on at once.
    pub(in crate::messenger) fn tend_channels(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        self.channels.more = None;
        for id in core::mem::take(&mut self.channels.to_tend) {
            if self.is_channel(id) {
                self.in_channel(call, id, |this, call| this.tend_channel(call, id))?;
            }
        }
        Ok(())
    }

    fn tend_channel(&mut self, call: &mut Call<'_, '_>, id: RoomId) -> Result<(), StorageError> {
        self.say_decision(call, id)?;
        let readers: Vec<_> = self.channels.find(id)?.readers.keys().copied().collect();
        let mut served = 0;
        for reader in readers {
            if served == AT_ONCE {
                self.channels.to_tend.insert(id);
                self.channels.more = Some(call.cx.now());
                break;
            }
            served += usize::from(self.serve_reader(call, id, reader)?);
        }
        Ok(())
    }

    /// What failed is tried again, and what is missing asked for.
    pub(in crate::messenger) fn channels_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let later = self.channels.later.iter();
        let due = later.filter(|(_, at)| **at <= now);
        for (id, reader) in due.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.channels.later.remove(&(id, reader));
            self.channels.to_tend.insert(id);
        }
        self.ask_due(call)
    }

    /// Sends one reader what they are to have next; whether anything was.
    pub(super) fn serve_reader(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        reader: ContactId,
    ) -> Result<bool, StorageError> {
        let known = self.channels.find(id)?.readers.get(&reader).cloned();
        let Some(known) = known.filter(|_| self.hears_of_channels(reader)) else {
            return Ok(false);
        };
        match known.state {
            ReaderState::Offered if !known.asked => self.say_offer(call, id, reader, known),
            ReaderState::Out => {
                let admission = known.admission;
                let said =
                    self.say_of_channel(call, id, reader, ChannelStep::Over { admission })?;
                if said {
                    let state = ReaderState::Gone;
                    self.put_reader(call.storage, id, reader, ReaderRecord { state, ..known })?;
                }
                Ok(said)
            }
            ReaderState::Reading => {
                let keyed = self.tell_keys(call, id, reader, &known)?;
                if keyed {
                    // Of many generations the rest goes next.
                    self.channels.to_tend.insert(id);
                    self.channels.more = Some(call.cx.now());
                }
                let waits = self.channels.later.contains_key(&(id, reader));
                Ok(!waits && self.send_posts(call, id, reader)? || keyed)
            }
            ReaderState::Offered | ReaderState::Gone => Ok(false),
        }
    }

    /// Sends a reader the posts that come next, as many as go into one letter.
    fn send_posts(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        reader: ContactId,
    ) -> Result<bool, StorageError> {
        let channel = self.channels.find(id)?;
        let known = channel.readers.get(&reader).cloned();
        let Some(known) = known.filter(|one| one.letter.is_none()) else {
            return Ok(false);
        };
        let Some(floor) = known.floor else {
            return Ok(false);
        };
        let mine = channel.published();
        let posts = mine.map(|mine| mine.posts.clone()).unwrap_or_default();
        let mut items = Vec::new();
        let mut last = known.sent;
        let next = posts.iter().filter(|post| {
            let theirs = post.generation >= floor.generation && post.number >= floor.number;
            theirs && post.number > known.sent
        });
        for post in next {
            let item = self.sealed(call, id, post.number, post.generation, &post.message)?;
            let length: usize = items.iter().map(Vec::len).sum();
            let full = items.len() == MOST_ITEMS || length + item.len() > MOST_BYTES;
            if !items.is_empty() && full {
                break;
            }
            items.push(item);
            last = post.number;
        }
        if items.is_empty() {
            return Ok(false);
        }
        let body = LetterBody::posts(&items);
        // What is lost on the way they ask for.
        let Some(letter) = self.post(call, reader, body, Keep::UntilAccepted)? else {
            return Ok(false);
        };
        self.channels.letters.insert(letter.0, (id, reader));
        let sending = ReaderRecord {
            letter: Some((letter.0, last)),
            ..known
        };
        self.put_reader(call.storage, id, reader, sending)?;
        Ok(true)
    }

    /// A post as it travels; what was deleted is empty.
    fn sealed(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        number: u64,
        generation: u32,
        message: &[u8],
    ) -> Result<Vec<u8>, StorageError> {
        let damaged = || StorageError::corrupt("sealing a post");
        let message = MessageId::from_bytes(message).map_err(|_| damaged())?;
        let content = call.storage.message(&message)?;
        let content = content.map(|record| record.content).unwrap_or_default();
        let nonce = call.cx.random();
        let channel = self.channels.by_id.get_mut(&id).ok_or_else(damaged)?;
        let key = channel.published().map(|mine| mine.secret.clone());
        let key = key.and_then(|secret| ChannelKey::from_secret(&secret));
        let key = key.ok_or_else(damaged)?;
        let chain = channel.chain(generation).ok_or_else(damaged)?;
        let post = Post::seal(&self.crypto, &key, chain, number, nonce, &content);
        Ok(post.ok_or_else(damaged)?.encode())
    }

    /// A network took a letter; whether it was one with posts.
    pub(in crate::messenger) fn posts_accepted(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: LetterId,
        network: NetworkTag,
    ) -> Result<bool, StorageError> {
        let Some((id, reader)) = self.channels.letters.remove(&letter.0) else {
            return Ok(false);
        };
        self.in_channel(call, id, |this, call| {
            this.posts_reached(call, (id, reader), network)
        })?;
        Ok(true)
    }

    fn posts_reached(
        &mut self,
        call: &mut Call<'_, '_>,
        (id, reader): (RoomId, ContactId),
        network: NetworkTag,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let Some(known) = channel.readers.get(&reader).cloned() else {
            return Ok(());
        };
        let last = known.letter.map_or(known.sent, |(_, last)| last);
        let mine = channel.published();
        let posts = mine.map(|mine| mine.posts.clone()).unwrap_or_default();
        let sent = posts
            .iter()
            .filter(|post| post.number > known.sent && post.number <= last);
        let reached = ReaderRecord {
            sent: known.sent.max(last),
            letter: None,
            ..known
        };
        self.put_reader(call.storage, id, reader, reached)?;
        for post in sent {
            self.post_taken(call, &post.message, network)?;
        }
        self.channels.to_tend.insert(id);
        Ok(())
    }

    /// The first network that takes a post for any reader makes it accepted.
    fn post_taken(
        &mut self,
        call: &mut Call<'_, '_>,
        message: &[u8],
        network: NetworkTag,
    ) -> Result<(), StorageError> {
        let damaged = |_| StorageError::corrupt("reading a post");
        let id = MessageId::from_bytes(message).map_err(damaged)?;
        let Some(record) = call.storage.message(&id)? else {
            return Ok(());
        };
        if record.state != MessageState::Queued {
            return Ok(());
        }
        let mut times = record.times.clone();
        times.accepted = Some((network, call.cx.wall()));
        call.storage
            .set_state(&id, MessageState::Accepted, &times)?;
        self.tell_state(&record, MessageState::Accepted, None);
        Ok(())
    }

    /// A letter was given up; whether it was one with posts. The reader may move.
    pub(in crate::messenger) fn posts_failed(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: LetterId,
    ) -> Result<bool, StorageError> {
        let Some((id, reader)) = self.channels.letters.remove(&letter.0) else {
            return Ok(false);
        };
        let known = self.channels.find(id)?.readers.get(&reader).cloned();
        if let Some(known) = known {
            let waiting = ReaderRecord {
                letter: None,
                ..known
            };
            self.put_reader(call.storage, id, reader, waiting)?;
            let later = call.cx.now() + AGAIN;
            self.channels.later.insert((id, reader), later);
        }
        Ok(true)
    }

    /// Some posts are let go: letters that hold them are called back, and go again
    /// without.
    pub(super) fn call_posts_back(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        gone: &[u64],
    ) -> Result<(), StorageError> {
        for (reader, known) in self.channels.find(id)?.readers.clone() {
            let Some((letter, last)) = known.letter else {
                continue;
            };
            let holds = |number: &u64| *number > known.sent && *number <= last;
            if gone.iter().any(holds) {
                self.channels.letters.remove(&letter);
                self.recall(call, letter)?;
                let letter = None;
                self.put_reader(call.storage, id, reader, ReaderRecord { letter, ..known })?;
                self.channels.to_tend.insert(id);
            }
        }
        Ok(())
    }

    /// What is on its way to a contact does not get there any more: they moved, or were
    /// blocked, or what was sealed for them is of no use. It goes again from where they
    /// stand, with the keys.
    pub(in crate::messenger) fn readdress_posts(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let all = self.channels.by_id.values();
        let theirs = all.filter(|one| one.readers.contains_key(&contact));
        for id in theirs.map(|one| one.record.id).collect::<Vec<_>>() {
            let known = self.channels.find(id)?.readers.get(&contact).cloned();
            if let Some(known) = known {
                self.call_letters_back(call, &known)?;
                let again = ReaderRecord {
                    letter: None,
                    telling: Vec::new(),
                    told: None,
                    ..known
                };
                self.put_reader(call.storage, id, contact, again)?;
                self.channels.later.remove(&(id, contact));
                self.channels.to_tend.insert(id);
            }
        }
        Ok(())
    }

    /// Something can be said to a contact again.
    pub(in crate::messenger) fn tend_channels_with(&mut self, contact: ContactId) {
        let all = self.channels.by_id.values();
        let theirs = all.filter(|one| one.concerns(contact));
        let theirs: Vec<_> = theirs.map(|one| one.record.id).collect();
        self.channels.later.retain(|(_, who), _| *who != contact);
        self.channels.to_tend.extend(theirs);
    }

    /// Letters that are nowhere any more are waited for no longer.
    pub(super) fn forget_lost_letters(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        for (reader, known) in self.channels.find(id)?.readers.clone() {
            let here = |letter: u64| self.office.whereabouts(LetterId(letter)).is_some();
            let lost = known.letter.filter(|(letter, _)| !here(*letter));
            if let Some((letter, _)) = lost {
                self.channels.letters.remove(&letter);
                let letter = None;
                self.put_reader(call.storage, id, reader, ReaderRecord { letter, ..known })?;
                self.channels.to_tend.insert(id);
            }
        }
        Ok(())
    }
}
