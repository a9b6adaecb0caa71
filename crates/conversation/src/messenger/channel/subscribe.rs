//! What a reader decides, and what a publisher decided about them.

use hushwing_sansio::{StorageError, Timestamp};

use super::MOST_CHANNELS;
use crate::channel::PublicChannelKey;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{ChannelPart, ChannelRecord, RoomStanding, SubscriptionRecord};
use crate::{ContactId, DropReason, Refusal, Reply, RoomId, Secret};

/// Offers of one contact that wait.
const MOST_WAITING: usize = 8;
/// And of all contacts.
const MOST_WAITING_OF_ALL: usize = 32;

/// An offer, as it came.
pub(super) struct Offer<'o> {
    pub(super) key: PublicChannelKey,
    pub(super) name: &'o str,
    pub(super) admission: u64,
    pub(super) word: &'o [u8; 64],
}

impl Messenger {
    /// A contact offers a channel of theirs. Whether there was room for that.
    pub(super) fn channel_offered(
        &mut self,
        call: &mut Call<'_, '_>,
        by: ContactId,
        offer: &Offer<'_>,
    ) -> Result<bool, StorageError> {
        // Else who reads it could offer it as theirs.
        let bond = self.bond_with(call, by, false)?;
        let (key, admission) = (&offer.key, offer.admission);
        if !bond.is_some_and(|bond| bond.is_offered(key, admission, offer.word)) {
            self.drop_letter(Some(by), DropReason::Room)?;
            return Ok(false);
        }
        let known = self.channels.named(key.channel(), by);
        let waits = known.is_some_and(|id| self.channels.standing_of(id) != RoomStanding::Left);
        if !waits && !self.may_wait(by) {
            self.drop_letter(Some(by), DropReason::TooManyRooms)?;
            return Ok(false);
        }
        match known {
            Some(id) => self.in_channel(call, id, |this, call| {
                this.offered_again(call, (id, by), admission)
            })?,
            None => self.offered_first(call, by, offer)?,
        }
        Ok(true)
    }

    fn may_wait(&self, by: ContactId) -> bool {
        let all = self.channels.by_id.values();
        let waiting = all.filter(|one| one.record.standing == RoomStanding::Offered);
        let theirs = waiting.clone().filter(|one| one.concerns(by));
        theirs.count() < MOST_WAITING && waiting.count() < MOST_WAITING_OF_ALL
    }

    fn offered_first(
        &mut self,
        call: &mut Call<'_, '_>,
        by: ContactId,
        offer: &Offer<'_>,
    ) -> Result<(), StorageError> {
        let record = ChannelRecord {
            id: RoomId(call.storage.next_number()?),
            conversation: offer.key.channel(),
            name: Secret::new(offer.name.as_bytes()),
            standing: RoomStanding::Offered,
            since: call.cx.wall(),
            chains: Vec::new(),
            part: ChannelPart::Reader(SubscriptionRecord {
                publisher: by,
                key: Secret::new(*offer.key.as_bytes()),
                admission: offer.admission,
                entered: false,
                next: 0,
                head: 0,
                came: Vec::new(),
                ask_after: Timestamp::from_secs(0),
                asking: None,
                owed: false,
            }),
        };
        self.add_channel(call, record)
    }

    /// The channel is known: what came before, or again, changes nothing.
    fn offered_again(
        &mut self,
        call: &mut Call<'_, '_>,
        (id, by): (RoomId, ContactId),
        admission: u64,
    ) -> Result<(), StorageError> {
        let since = call.cx.wall();
        let channel = self.channels.find(id)?;
        let standing = channel.record.standing;
        let Some(mine) = channel.subscribed() else {
            return self.drop_letter(Some(by), DropReason::Room);
        };
        if admission <= mine.admission {
            return Ok(());
        }
        match standing {
            // I said that I want to read it, and never that I do not.
            RoomStanding::Member | RoomStanding::Joining => mine.owed = true,
            // What I said of the last one is not said of this one.
            RoomStanding::Left | RoomStanding::Offered => mine.owed = false,
            _ => return self.drop_letter(Some(by), DropReason::Room),
        }
        mine.admission = admission;
        if !channel.lives() {
            channel.record.standing = RoomStanding::Offered;
            channel.record.since = since;
        }
        channel.record.put(call.storage)?;
        self.channels.to_tend.insert(id);
        self.tell_channel(id);
        Ok(())
    }

    /// I want to read a channel that was offered.
    pub(in crate::messenger) fn accept_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<Reply, Stop> {
        let channel = self.channels.find(id)?;
        let name = channel.name();
        let offered = channel.record.standing == RoomStanding::Offered;
        let mine = channel.subscribed().filter(|_| offered);
        let publisher = mine.ok_or(Refusal::NotARequest)?.publisher;
        self.may_be_asked(publisher)?;
        if !self.channels.find(id)?.is_entered() && self.channels.is_full() {
            return Err(Refusal::TooManyChannels {
                most: MOST_CHANNELS,
            }
            .into());
        }
        let place = self.conversations.get(&name).copied();
        if place.is_some_and(|place| place != id.place()) {
            return Err(Refusal::ReadAlready.into());
        }
        self.conversations.insert(name, id.place());
        let ask_after = self.next_asking(call);
        let channel = self.channels.find(id)?;
        channel.record.standing = RoomStanding::Joining;
        channel.record.chains.clear();
        if let Some(mine) = channel.subscribed() {
            mine.entered = true;
            mine.owed = true;
            mine.ask_after = ask_after;
            mine.came.clear();
        }
        channel.record.put(call.storage)?;
        self.channels.to_tend.insert(id);
        self.miss_posts(call, id)?;
        self.tell_channel(id);
        self.show_channel(id)
    }

    /// I do not; nobody is told.
    pub(in crate::messenger) fn refuse_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<Reply, Stop> {
        let channel = self.channels.find(id)?;
        if channel.record.standing != RoomStanding::Offered {
            return Err(Refusal::NotARequest.into());
        }
        self.let_offer_go(call, id)?;
        Ok(Reply::Done)
    }

    /// An offer does not stand any more. Where I read before, what was said stays.
    pub(super) fn let_offer_go(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        if !channel.is_entered() {
            return self.remove_channel(call, id);
        }
        channel.record.standing = RoomStanding::Left;
        channel.record.put(call.storage)?;
        self.tell_channel(id);
        Ok(())
    }

    /// The publisher says that it is over, of all offers up to that one.
    pub(super) fn channel_over(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        admission: u64,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let (offered, lives) = (
            channel.record.standing == RoomStanding::Offered,
            channel.lives(),
        );
        let Some(mine) = channel.subscribed() else {
            return Ok(());
        };
        if admission < mine.admission {
            return Ok(());
        }
        mine.admission = admission;
        // There is nothing left to be said to them.
        mine.owed = false;
        channel.record.put(call.storage)?;
        if offered {
            return self.let_offer_go(call, id);
        }
        if lives {
            self.end_channel(call, id)?;
            self.tell_channel(id);
        }
        Ok(())
    }
}
