//! What I tell a contact about a channel: their part in it, and the keys.

use core::time::Duration;

use hushwing_delivery::LetterId;
use hushwing_sansio::StorageError;

use crate::channel::{Bond, Chain, ChannelKey};
use crate::content::{ChannelStep, ChannelWord, Content, MOST_CHAINS};
use crate::messenger::show::content_of;
use crate::messenger::{Call, Messenger};
use crate::storage::{ReaderRecord, RoomStanding, Standing};
use crate::{ContactId, ConversationId, RoomId};

/// How long until it is looked again whether the keys of a conversation are those that stay,
/// where nothing told so before.
const SETTLES: Duration = Duration::from_secs(60 * 60);

impl Messenger {
    /// Whether something can be said to a contact now.
    pub(super) fn hears_of_channels(&self, contact: ContactId) -> bool {
        self.standing(contact) == Some(Standing::Established) && !self.is_blocked(contact)
    }

    /// Says who takes part in a channel, in the conversation with a contact: it is
    /// confirmed, and stands for all that I said of that before. `false` if nothing can
    /// be said to them now.
    pub(super) fn say_of_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        to: ContactId,
        step: ChannelStep,
    ) -> Result<bool, StorageError> {
        if !self.hears_of_channels(to) {
            return Ok(false);
        }
        let channel = self.channels.find(id)?.name();
        let content = Content::Channel(ChannelWord { channel, step });
        self.within(call, to, |this, call| {
            this.take_words_back(call, to, channel)?;
            this.say_control(call, to, &content)
        })?;
        Ok(true)
    }

    /// What I said of a channel to a contact before is said no more.
    fn take_words_back(
        &mut self,
        call: &mut Call<'_, '_>,
        to: ContactId,
        channel: ConversationId,
    ) -> Result<(), StorageError> {
        for record in call.storage.control(to, true)? {
            let content = content_of(&record)?;
            if !matches!(content, Content::Channel(word) if word.channel == channel) {
                continue;
            }
            if let Some(letter) = record.letter {
                self.recall(call, letter)?;
            }
            call.storage.remove_message(record.id())?;
        }
        Ok(())
    }

    /// Says something about a channel that is not kept and not confirmed; the letter.
    pub(super) fn mention_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        to: ContactId,
        step: ChannelStep,
    ) -> Result<Option<LetterId>, StorageError> {
        if !self.hears_of_channels(to) {
            return Ok(None);
        }
        let channel = self.channels.find(id)?.name();
        let content = Content::Channel(ChannelWord { channel, step });
        let mut letter = None;
        self.within(call, to, |this, call| {
            letter = this.say_in_passing(call, to, &content)?;
            Ok(())
        })?;
        Ok(letter)
    }

    /// The conversation with a contact in which a channel is offered; `None` while the keys
    /// that both sign with there are not those that stay.
    pub(super) fn bond_with(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        publishing: bool,
    ) -> Result<Option<Bond>, StorageError> {
        let mut bond = None;
        self.within(call, contact, |this, call| {
            let (person, group, _) = this.at_hand(call, contact)?;
            let (mine, theirs) = (group.key().public(), group.their_key());
            let theirs = theirs.filter(|_| !person.record.unsecured_start);
            let conversation = person.record.conversation;
            bond = theirs.map(|theirs| match publishing {
                true => Bond {
                    conversation,
                    publisher: mine,
                    reader: theirs,
                },
                false => Bond {
                    conversation,
                    publisher: theirs,
                    reader: mine,
                },
            });
            Ok(())
        })?;
        Ok(bond)
    }

    /// Asks somebody whether they want to read; whether it was said.
    pub(super) fn say_offer(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        reader: ContactId,
        known: ReaderRecord,
    ) -> Result<bool, StorageError> {
        let Some(bond) = self.bond_with(call, reader, true)? else {
            self.channels
                .later
                .insert((id, reader), call.cx.now() + SETTLES);
            return Ok(false);
        };
        let channel = self.channels.find(id)?;
        let name = channel.title();
        let mine = channel.published();
        let Some(key) = mine.and_then(|mine| ChannelKey::from_secret(&mine.secret)) else {
            return Ok(false);
        };
        let admission = known.admission;
        let step = ChannelStep::Offer {
            key: key.public(),
            name,
            admission,
            word: bond.offer(&key, admission),
        };
        let said = self.say_of_channel(call, id, reader, step)?;
        if said {
            let asked = ReaderRecord {
                asked: true,
                ..known
            };
            self.put_reader(call.storage, id, reader, asked)?;
        }
        Ok(said)
    }

    /// Tells a reader the keys that they have not, with what can be had.
    pub(super) fn tell_keys(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        reader: ContactId,
        known: &ReaderRecord,
    ) -> Result<bool, StorageError> {
        let Some(floor) = known.floor else {
            return Ok(false);
        };
        let from = known.from.unwrap_or(0).max(floor.number);
        let channel = self.channels.find(id)?;
        let (name, all) = (channel.name(), channel.record.chains.clone());
        let Some(mine) = channel.published() else {
            return Ok(false);
        };
        let head = mine.head;
        // Who did not ask is told of nothing that it is gone: it may be on its way.
        let oldest = match known.from {
            Some(_) => mine.oldest_from(from),
            None => from,
        };
        let later = all.iter().skip(1).map(Some).chain([None]);
        let missing = all.iter().zip(later).filter(|(chain, later)| {
            // All posts of it are before those they lack, if the next one begins there.
            let over = later.is_some_and(|later| later.next <= from);
            let told = known.told.is_some_and(|told| chain.generation <= told);
            !over && !told && chain.generation >= floor.generation
        });
        let most = usize::try_from(MOST_CHAINS).unwrap_or(usize::MAX);
        let all: Vec<&Chain> = missing.map(|(chain, _)| chain).collect();
        let answered = all.len() <= most;
        let missing: Vec<&Chain> = all.into_iter().take(most).collect();
        let Some(last) = missing.last().map(|chain| chain.generation) else {
            return Ok(false);
        };
        let there = missing.into_iter();
        let chains = there.filter_map(|chain| {
            let first = chain.next.max(from);
            chain.forward(&self.crypto, name, first)
        });
        let step = ChannelStep::Told {
            admission: known.admission,
            oldest,
            head,
            chains: chains.collect(),
        };
        let Some(letter) = self.mention_channel(call, id, reader, step)? else {
            return Ok(false);
        };
        let mut told = ReaderRecord {
            told: Some(last),
            from: known.from.filter(|_| !answered),
            ..known.clone()
        };
        let here = |letter: &u64| self.office.whereabouts(LetterId(*letter)).is_some();
        told.telling.retain(here);
        told.telling.push(letter.0);
        self.put_reader(call.storage, id, reader, told)?;
        Ok(true)
    }

    /// Says to the publisher what I decided, if that is still to be said.
    pub(super) fn say_decision(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let standing = channel.record.standing;
        let Some(mine) = channel.subscribed().filter(|mine| mine.owed) else {
            return Ok(());
        };
        let (publisher, admission) = (mine.publisher, mine.admission);
        let step = match standing {
            RoomStanding::Member | RoomStanding::Joining => ChannelStep::Accept { admission },
            _ => ChannelStep::Leave { admission },
        };
        if self.say_of_channel(call, id, publisher, step)? {
            let channel = self.channels.find(id)?;
            if let Some(mine) = channel.subscribed() {
                mine.owed = false;
            }
            channel.record.put(call.storage)?;
        }
        Ok(())
    }
}
