//! What a publisher and a reader tell each other in their conversation.

use core::time::Duration;

use hushwing_sansio::{Moment, StorageError};

use super::subscribe::Offer;
use crate::channel::Chain;
use crate::content::{ChannelStep, ChannelWord};
use crate::messenger::{Call, Messenger};
use crate::storage::{ReaderRecord, ReaderState, RoomStanding, Standing};
use crate::{ContactId, DropReason, RoomId};

/// Keys of generations that are kept at a time: a publisher has no more.
const MOST_KEPT: usize = super::MOST_POSTS + 1;
/// How often the asking of one reader is heeded.
const HEEDED: Duration = Duration::from_secs(60);
/// How many times as long at most who asks for the same again waits.
const MOST_TIMES: u32 = 1_024;

/// When somebody was answered last, when with what was sent before, how long nothing more
/// of that is heeded, and what had been said by then.
#[derive(Clone, Copy)]
pub(super) struct Heeded {
    at: Moment,
    repeated: Moment,
    again: Duration,
    head: u64,
}

impl Messenger {
    /// A contact said something about a channel. It does the same once and often. Whether
    /// it is to be confirmed: what found no room is said again.
    pub(in crate::messenger) fn heard_of_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        word: &ChannelWord,
    ) -> Result<bool, StorageError> {
        let standing = self.standing(contact);
        // An offer, and its end, may overtake the answer to me who opened their link.
        let asks = matches!(
            word.step,
            ChannelStep::Offer { .. } | ChannelStep::Over { .. }
        );
        let asked = standing == Some(Standing::Asked) && asks;
        if !asked && standing != Some(Standing::Established) {
            self.drop_letter(Some(contact), DropReason::Room)?;
            return Ok(false);
        }
        if let ChannelStep::Offer {
            key,
            name,
            admission,
            word,
        } = &word.step
        {
            let offer = Offer {
                key: *key,
                name,
                admission: *admission,
                word,
            };
            return self.channel_offered(call, contact, &offer);
        }
        match self.channels.named(word.channel, contact) {
            None => self.drop_letter(Some(contact), DropReason::Room)?,
            Some(id) => self.in_channel(call, id, |this, call| {
                this.heard_step(call, (id, contact), &word.step)
            })?,
        }
        Ok(word.step.is_kept())
    }

    fn heard_step(
        &mut self,
        call: &mut Call<'_, '_>,
        (id, contact): (RoomId, ContactId),
        step: &ChannelStep,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let mine = channel.published().is_some();
        let lives = channel.lives();
        match step {
            ChannelStep::Accept { admission } if mine => {
                self.channel_accepted(call, (id, contact), *admission)
            }
            ChannelStep::Leave { admission } if mine => {
                self.reader_left(call, (id, contact), *admission)
            }
            ChannelStep::Ask { next } if mine => self.reader_asks(call, id, contact, *next),
            ChannelStep::Told {
                admission,
                oldest,
                head,
                chains,
            } if !mine && lives => {
                let told = (*admission, *oldest, *head);
                self.take_told(call, id, told, chains)
            }
            ChannelStep::Over { admission } if !mine => self.channel_over(call, id, *admission),
            _ => self.drop_letter(Some(contact), DropReason::Room),
        }
    }

    /// Whether what a reader asks is answered now, which is noted then. Who asks for what
    /// was sent before, and says that they have not got it, waits twice as long each time,
    /// whatever they ask for in between: each answer may be all the posts that can be had.
    pub(super) fn heeds(
        &mut self,
        call: &Call<'_, '_>,
        (id, reader): (RoomId, ContactId),
        (next, head): (u64, u64),
    ) -> bool {
        let now = call.cx.now();
        let first = Heeded {
            at: now,
            repeated: now,
            again: HEEDED,
            head,
        };
        let heeded = match self.channels.heeded.get(&(id, reader)) {
            None => first,
            Some(before) if now < before.at + HEEDED => return false,
            Some(before) if next > before.head => Heeded {
                at: now,
                head: before.head.max(head),
                ..*before
            },
            Some(before) if now < before.repeated + before.again => return false,
            Some(before) => Heeded {
                again: match now < before.repeated + HEEDED * MOST_TIMES * 2 {
                    true => (before.again * 2).min(HEEDED * MOST_TIMES),
                    false => HEEDED,
                },
                head: before.head.max(head),
                ..first
            },
        };
        self.channels.heeded.insert((id, reader), heeded);
        true
    }

    /// A reader lacks posts, or keys: they are sent again from there on, as far as they
    /// can be had and are theirs.
    fn reader_asks(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        reader: ContactId,
        next: u64,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let head = channel.published().map_or(0, |mine| mine.head);
        if !self.heeds(call, (id, reader), (next, head)) {
            return Ok(());
        }
        let channel = self.channels.find(id)?;
        let known = channel.readers.get(&reader).cloned();
        let (Some(known), Some(mine)) = (known, channel.published()) else {
            return Ok(());
        };
        let floor = match (known.state, known.floor) {
            (ReaderState::Reading, Some(floor)) => floor,
            (ReaderState::Out | ReaderState::Gone, _) => {
                return self.say_over_again(call, id, reader, known);
            }
            // Their yes is on its way.
            _ => return Ok(()),
        };
        let from = next.max(floor.number).min(mine.head.saturating_add(1));
        let before = mine.oldest_from(from).saturating_sub(1);
        // It holds what they lack, or is in the way of it.
        self.call_letters_back(call, &known)?;
        let again = ReaderRecord {
            from: Some(from),
            told: None,
            sent: known.sent.min(before),
            letter: None,
            telling: Vec::new(),
            ..known
        };
        self.put_reader(call.storage, id, reader, again)?;
        self.channels.to_tend.insert(id);
        Ok(())
    }

    /// The publisher told what can be had, and by which keys it is read. The first word
    /// of it says where I stand.
    fn take_told(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        (admission, oldest, head): (u64, u64, u64),
        chains: &[Chain],
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let known = channel.subscribed().map_or(0, |mine| mine.admission);
        if admission < known || oldest > head.saturating_add(1) {
            return Ok(());
        }
        let first = channel.record.standing == RoomStanding::Joining;
        channel.record.standing = RoomStanding::Member;
        channel.take_chains(chains);
        if let Some(mine) = channel.subscribed() {
            mine.admission = admission;
            mine.head = mine.head.max(head);
            mine.skip_to(oldest);
        }
        self.let_keys_go(call, id)?;
        if first {
            self.tell_channel(id);
        }
        self.miss_posts(call, id)
    }
}

impl super::Channel {
    /// Of each generation the earliest key counts, and of generations the last ones.
    fn take_chains(&mut self, told: &[Chain]) {
        let chains = &mut self.record.chains;
        for chain in told {
            let mut known = chains.iter_mut();
            match known.find(|one| one.generation == chain.generation) {
                Some(known) if chain.next < known.next => *known = chain.clone(),
                Some(_) => {}
                None => chains.push(chain.clone()),
            }
        }
        chains.sort_by_key(|one| one.generation);
        let beyond = chains.len().saturating_sub(MOST_KEPT);
        chains.drain(..beyond);
    }
}
