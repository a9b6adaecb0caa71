//! Channels that end, are forgotten, lapse, or are damaged.

use core::time::Duration;

use hushwing_sansio::StorageError;

use super::MOST_READERS;
use crate::content::Content;
use crate::event::BreakReason;
use crate::messenger::hidden::forget_settled;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    ChannelPart, OrphanRecord, PublisherRecord, ReaderRecord, ReaderState, RoomStanding,
};
use crate::{ContactId, Event, Refusal, Reply, RoomId, Secret};

/// How long an offer waits.
const OFFER_LIFE: Duration = Duration::from_secs(21 * 24 * 60 * 60);

impl Messenger {
    /// I read no more, or publish no more. What was said stays.
    pub(in crate::messenger) fn leave_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<Reply, Stop> {
        if !self.channels.find(id)?.lives() {
            return Err(Refusal::ChannelOver.into());
        }
        self.end_channel(call, id)?;
        let channel = self.channels.find(id)?;
        if let Some(mine) = channel.subscribed() {
            mine.owed = true;
        }
        channel.record.put(call.storage)?;
        self.put_all_out(call, id)?;
        self.channels.to_tend.insert(id);
        self.tell_channel(id);
        self.show_channel(id)
    }

    fn put_all_out(&mut self, call: &mut Call<'_, '_>, id: RoomId) -> Result<(), StorageError> {
        let readers = self.channels.find(id)?.readers.clone();
        let here = readers.into_iter().filter(|(_, one)| one.state.is_here());
        for (reader, known) in here {
            self.put_out(call, id, reader, known)?;
        }
        Ok(())
    }

    /// A channel goes no further here; its keys go.
    pub(super) fn end_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        channel.record.standing = RoomStanding::Left;
        channel.record.chains.clear();
        channel.asks = None;
        if let Some(PublisherRecord { secret, posts, .. }) = channel.published() {
            *secret = Secret::new(Vec::new());
            posts.clear();
        }
        let asking = channel.subscribed().and_then(|mine| mine.asking.take());
        channel.record.put(call.storage)?;
        asking.map_or(Ok(()), |letter| self.recall(call, letter))
    }

    /// What is stored of a channel is damaged: it goes no further, alone. Readers who
    /// are known still are told that it is over.
    pub(in crate::messenger) fn break_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        self.end_channel(call, id)?;
        let channel = self.channels.find(id)?;
        channel.record.standing = RoomStanding::Broken;
        channel.record.put(call.storage)?;
        // Of the rows of its readers one may be what is damaged.
        ReaderRecord::clear_all(call.storage, id)?;
        for (reader, known) in self.channels.find(id)?.readers.clone() {
            self.put_reader(call.storage, id, reader, known)?;
        }
        self.put_all_out(call, id)?;
        self.tell(Event::Broken {
            contact: id.place(),
            reason: BreakReason::Damaged,
        });
        self.tell_channel(id);
        Ok(())
    }

    /// Forgets a channel with all that was said in it.
    pub(in crate::messenger) fn forget_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<Reply, Stop> {
        match self.channels.find(id)?.record.standing {
            RoomStanding::Left | RoomStanding::Broken => {}
            RoomStanding::Offered => return Err(Refusal::NoChannel.into()),
            _ => return Err(Refusal::StillInChannel.into()),
        }
        self.remove_channel(call, id)?;
        Ok(Reply::Done)
    }

    pub(super) fn remove_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let place = id.place();
        let channel = self.channels.find(id)?;
        let name = channel.name();
        let publisher = channel.subscribed().map(|mine| mine.publisher);
        let readers: Vec<_> = channel.readers.keys().copied().collect();
        for reader in readers.iter().copied() {
            // Who is to be told that it is over is told now.
            self.serve_reader(call, id, reader)?;
            self.drop_reader(call, id, reader)?;
        }
        for contact in readers.into_iter().chain(publisher) {
            self.within(call, contact, |_, call| {
                forget_settled(call.storage, contact, |said| {
                    matches!(said, Content::Channel(_))
                })
            })?;
        }
        ReaderRecord::clear_all(call.storage, id)?;
        self.channels.to_tend.remove(&id);
        self.channels.budgets.remove(&id);
        if let Some(channel) = self.channels.by_id.remove(&id) {
            channel.record.clear(call.storage)?;
        }
        if self.conversations.get(&name) == Some(&place) {
            self.conversations.remove(&name);
            call.storage.remove_conversation(name)?;
        }
        OrphanRecord::clear(call.storage, place)?;
        self.let_messages_go(call, place)?;
        self.tell(Event::RoomForgotten { room: id });
        Ok(())
    }

    /// Forgets a reader, whatever they are.
    pub(super) fn drop_reader(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        reader: ContactId,
    ) -> Result<(), StorageError> {
        ReaderRecord::clear(call.storage, id, reader)?;
        self.channels.later.remove(&(id, reader));
        self.channels.heeded.remove(&(id, reader));
        let known = self.channels.find(id)?.readers.remove(&reader);
        known.map_or(Ok(()), |known| self.call_letters_back(call, &known))
    }

    /// Takes back what is on its way to a reader.
    pub(super) fn call_letters_back(
        &mut self,
        call: &mut Call<'_, '_>,
        known: &ReaderRecord,
    ) -> Result<(), StorageError> {
        if let Some((letter, _)) = known.letter {
            self.channels.letters.remove(&letter);
            self.recall(call, letter)?;
        }
        let mut telling = known.telling.iter();
        telling.try_for_each(|letter| self.recall(call, *letter))
    }

    /// A contact is forgotten: whoever reads, reads no more, and theirs go no further.
    pub(in crate::messenger) fn end_channels_with(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let all = self.channels.by_id.values();
        let theirs = all.filter(|one| one.concerns(contact));
        for id in theirs.map(|one| one.record.id).collect::<Vec<_>>() {
            self.in_channel(call, id, |this, call| this.end_with(call, id, contact))?;
        }
        Ok(())
    }

    fn end_with(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let known = channel.readers.get(&contact);
        let read = known.is_some_and(|one| one.floor.is_some());
        match (&channel.record.part, channel.record.standing) {
            (ChannelPart::Publisher(_), standing) => {
                self.drop_reader(call, id, contact)?;
                if read && standing == RoomStanding::Member {
                    self.spend_keys(call, id)?;
                }
            }
            (_, RoomStanding::Offered) => return self.let_offer_go(call, id),
            (_, RoomStanding::Broken) => {}
            _ => self.end_channel(call, id)?,
        }
        self.tell_channel(id);
        Ok(())
    }

    /// Lets go of offers nobody decided, and tries again where nothing could be said.
    pub(in crate::messenger) fn sweep_channels(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        for id in self.channels.by_id.keys().copied().collect::<Vec<_>>() {
            self.in_channel(call, id, |this, call| this.sweep_channel(call, id))?;
        }
        Ok(())
    }

    fn sweep_channel(&mut self, call: &mut Call<'_, '_>, id: RoomId) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let channel = self.channels.find(id)?;
        let over = channel.record.since + OFFER_LIFE <= now;
        if channel.record.standing == RoomStanding::Offered && over {
            return self.let_offer_go(call, id);
        }
        for (reader, known) in channel.readers.clone() {
            // Who read before a backup was put back has time.
            let lapses = known.floor.is_none() && known.since + OFFER_LIFE <= now;
            if known.state == ReaderState::Offered && lapses {
                self.put_out(call, id, reader, known)?;
                self.tell_channel(id);
            }
        }
        self.forget_oldest_gone(call, id)?;
        self.forget_lost_letters(call, id)?;
        self.channels.to_tend.insert(id);
        self.ask_for_nothing(call, id)
    }

    /// Of those who are out the last ones are remembered.
    fn forget_oldest_gone(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let readers = channel.readers.iter();
        let gone = readers.filter(|(_, one)| one.state == ReaderState::Gone);
        let mut gone: Vec<_> = gone.map(|(who, one)| (one.since, *who)).collect();
        gone.sort_unstable();
        let beyond = gone.len().saturating_sub(MOST_READERS);
        for (_, reader) in gone.into_iter().take(beyond) {
            self.drop_reader(call, id, reader)?;
        }
        Ok(())
    }

    /// Takes up what was under way, once per run.
    pub(in crate::messenger) fn wake_channels(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        for id in self.channels.by_id.keys().copied().collect::<Vec<_>>() {
            self.in_channel(call, id, |this, call| {
                let channel = this.channels.find(id)?;
                let lives = channel.lives();
                this.forget_lost_letters(call, id)?;
                let channel = this.channels.find(id)?;
                if lives && channel.published().is_some_and(|mine| mine.restored) {
                    this.go_on_restored(call, id)?;
                }
                this.miss_posts(call, id)
            })?;
        }
        Ok(())
    }
}
