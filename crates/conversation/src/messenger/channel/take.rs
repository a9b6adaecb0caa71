//! What comes in a channel that I read.

use core::time::Duration;

use hushwing_delivery::NetworkTag;
use hushwing_sansio::{Moment, StorageError};

use super::say::is_post;
use crate::channel::{Chain, MOST_AHEAD, Post};
use crate::content::{self, Content};
use crate::messenger::hear::classify;
use crate::messenger::{Call, Messenger};
use crate::storage::{MessageRecord, MessageState, MessageTimes, Owed, Position, RoomStanding};
use crate::{ContactId, DropReason, MemberId, RoomId};

/// What a publisher may say at once, in pieces of 16 KiB, each post one at least.
const MOST_AT_ONCE: u32 = 64;
/// How soon one more.
const EVERY: Duration = Duration::from_secs(4);
const PIECE: usize = 16 * 1024;

/// What is left of what a publisher may say.
pub(super) struct Budget {
    left: u32,
    since: Moment,
}

impl Budget {
    fn take(&mut self, much: u32, now: Moment) -> bool {
        while self.left < MOST_AT_ONCE && self.since + EVERY <= now {
            self.left += 1;
            self.since = self.since + EVERY;
        }
        if self.left == MOST_AT_ONCE {
            self.since = now;
        }
        let enough = much <= self.left;
        if enough {
            self.left -= much;
        }
        enough
    }
}

impl Messenger {
    /// A letter with posts came to the mailbox of a contact.
    pub(in crate::messenger) fn hear_posts(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        items: &[&[u8]],
        network: Option<NetworkTag>,
    ) -> Result<(), StorageError> {
        if self.is_blocked(contact) {
            return Ok(());
        }
        for item in items {
            let Ok(post) = Post::decode(item) else {
                self.drop_letter(Some(contact), DropReason::Content)?;
                continue;
            };
            let known = self.channels.named(post.channel, contact);
            let publishes = known.is_some_and(|id| self.reads(id));
            match known.filter(|_| publishes) {
                Some(id) => self.in_channel(call, id, |this, call| {
                    this.hear_post(call, (id, contact), &post, item.len(), network)
                })?,
                None => self.drop_letter(Some(contact), DropReason::Room)?,
            }
        }
        Ok(())
    }

    fn reads(&mut self, id: RoomId) -> bool {
        let channel = self.channels.by_id.get_mut(&id);
        channel.is_some_and(|one| one.subscribed().is_some())
    }

    fn hear_post(
        &mut self,
        call: &mut Call<'_, '_>,
        (id, contact): (RoomId, ContactId),
        post: &Post,
        length: usize,
        network: Option<NetworkTag>,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        match channel.record.standing {
            RoomStanding::Member => {}
            // Its keys are on the way; then it is asked for.
            RoomStanding::Joining => return self.note_head(call, id, post.number),
            _ => return Ok(()),
        }
        let (key, chain) = (channel.key()?, channel.chain(post.generation).cloned());
        let (Some(key), Some(mine)) = (key, channel.subscribed()) else {
            return Ok(());
        };
        if post.number < mine.next || mine.came.contains(&post.number) {
            return Ok(());
        }
        let near = post.number - mine.next <= MOST_AHEAD;
        let chain = chain.filter(|chain| near && chain.next <= post.number);
        let chain = chain.filter(|_| self.may_take(call, id, length));
        let Some(chain) = chain else {
            // Its key is on the way, or was lost, or much was missed, or comes at once.
            self.note_head(call, id, post.number)?;
            return self.miss_posts(call, id);
        };
        let Ok(content) = post.open(&self.crypto, &key, &chain) else {
            return self.drop_letter(Some(contact), DropReason::Unreadable);
        };
        self.note_came(call, id, post.number)?;
        if !content.is_empty() {
            self.take_post(call, (id, contact), post.number, content, network)?;
        }
        self.miss_posts(call, id)
    }

    /// Whether a publisher may say so much more now: opening it is work, too.
    fn may_take(&mut self, call: &Call<'_, '_>, id: RoomId, length: usize) -> bool {
        let pieces = u32::try_from(1 + length / PIECE).unwrap_or(u32::MAX);
        let now = call.cx.now();
        let budget = self.channels.budgets.entry(id).or_insert(Budget {
            left: MOST_AT_ONCE,
            since: now,
        });
        budget.take(pieces, now)
    }

    /// Stores and shows a post, if it is one.
    fn take_post(
        &mut self,
        call: &mut Call<'_, '_>,
        (id, contact): (RoomId, ContactId),
        number: u64,
        bytes: Vec<u8>,
        network: Option<NetworkTag>,
    ) -> Result<(), StorageError> {
        let place = id.place();
        let origin = self.channels.find(id)?.origin()?;
        let wall = call.cx.wall();
        let said = content::open(&bytes, &origin, wall);
        let said = said.ok().filter(|said| {
            is_post(&said.content) && said.stamp.lamport.get() == number && said.expires.is_none()
        });
        let Some(said) = said else {
            return self.drop_letter(Some(contact), DropReason::Content);
        };
        if call.storage.has_message(&said.id)? {
            return Ok(());
        }
        let before = call.storage.last_position(place)?;
        let (kind, target) = classify(&said.content);
        let record = MessageRecord {
            contact: place,
            position: Position {
                epoch: 0,
                lamport: number,
                leaf: 0,
                id: said.id,
            },
            mine: false,
            // Contacts and members have numbers of one sequence.
            author: Some(MemberId(contact.0)),
            kind,
            target,
            sent_at: said.stamp.shown_at(wall),
            state: MessageState::Delivered,
            times: MessageTimes {
                accepted: network.map(|network| (network, wall)),
                delivered: Some(wall),
                ..MessageTimes::default()
            },
            owed: Owed::Nothing,
            letter: None,
            sealed_epoch: 0,
            content: bytes,
        };
        self.keep_post(call, &record, &said.content, before)
    }

    fn keep_post(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
        content: &Content,
        before: Option<Position>,
    ) -> Result<(), StorageError> {
        if self.find_place(call, record, content)? {
            call.storage.add_message(record)?;
            self.show_new(call, record, content, before)?;
        }
        Ok(())
    }

    /// Takes note that a post came, and lets go of keys that nothing needs any more.
    fn note_came(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        number: u64,
    ) -> Result<(), StorageError> {
        let ask_after = self.next_asking(call);
        let channel = self.channels.find(id)?;
        if let Some(mine) = channel.subscribed() {
            mine.note(number);
            mine.ask_after = ask_after;
        }
        self.let_keys_go(call, id)
    }

    pub(super) fn note_head(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        number: u64,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        if let Some(mine) = channel.subscribed().filter(|mine| mine.head < number) {
            mine.head = number;
            channel.record.put(call.storage)?;
        }
        Ok(())
    }

    /// Brings the chains to the first post that is missing, and stores the channel. One
    /// that is too far behind is let go, and asked for where it is needed.
    pub(super) fn let_keys_go(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let missing = || StorageError::corrupt("finding a channel");
        let channel = self.channels.by_id.get_mut(&id).ok_or_else(missing)?;
        let name = channel.name();
        let Some(next) = channel.subscribed().map(|mine| mine.next) else {
            return Ok(());
        };
        let crypto = &self.crypto;
        let chains = &mut channel.record.chains;
        let begun = chains.iter().filter(|chain| chain.next <= next);
        let newest = begun.map(|chain| chain.generation).max().unwrap_or(0);
        chains.retain(|chain| chain.generation >= newest);
        let there = |chain: &Chain| match chain.next >= next {
            true => Some(chain.clone()),
            false => chain.forward(crypto, name, next),
        };
        *chains = chains.iter().filter_map(there).collect();
        channel.record.put(call.storage)
    }
}
