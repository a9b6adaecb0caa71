//! To whom history is handed, and the pieces of it.

use hushwing_sansio::{StorageError, Timestamp};

use super::{place_at, place_of};
use crate::content::{Content, Entitled, MAX_PAST, Next, Past, Piece, Place, RoomStep, RoomWord};
use crate::messenger::room::entry::Scope;
use crate::messenger::room::key;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    HandedRecord, HandingRecord, LeavesRecord, MessageRecord, Position, TakingRecord,
};
use crate::{ConversationId, DropReason, MemberId, RoomId};

/// Texts that are looked at for one piece, and bytes of it: it fits into one envelope, but for
/// what does not alone.
const MOST_TEXTS: usize = 32;
const MOST_BYTES: usize = 12 * 1024;
/// Bytes of one message in it, beside what was said and by whom: account, key and places.
const BESIDE: usize = 96;

impl Messenger {
    /// A person let a device in, and has what was said since then handed to it. Whoever lets
    /// one in may be handed all that is said on others.
    pub(in crate::messenger) fn hand_history_to(
        &mut self,
        call: &mut Call<'_, '_>,
        device: [u8; 32],
        since: Timestamp,
    ) -> Result<(), StorageError> {
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(());
        };
        let mut handing = HandingRecord::read(call.storage)?;
        let is_device = |one: &[u8]| one == device || one == good.me || good.includes(one);
        handing.note(HandedRecord { device, since }, is_device);
        let me = HandedRecord {
            device: key(&good.me)?,
            since: Timestamp::default(),
        };
        handing.hear(me, is_device);
        handing.put(call.storage)?;
        let mut others = good.others();
        others.try_for_each(|other| self.tell_entitled(call, other))
    }

    /// Tells a device whom history is handed to.
    pub(in crate::messenger::room) fn tell_entitled(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
    ) -> Result<(), StorageError> {
        let Some(good) = self.good_devices_with(call.storage, device)? else {
            return Ok(());
        };
        let handing = HandingRecord::read(call.storage)?;
        let all = handing.devices.into_iter();
        let all: Vec<_> = all
            .map(|HandedRecord { device, since }| Entitled { device, since })
            .collect();
        if all.is_empty() {
            return Ok(());
        }
        let content = Content::Room(RoomWord {
            room: good.conversation,
            step: RoomStep::Entitled(all),
        });
        self.within_told(call, good.room, device, &content)
            .map(drop)
    }

    /// Another device says whom history is handed to: what a person said here stands.
    pub(in crate::messenger::room) fn heard_entitled(
        &mut self,
        call: &mut Call<'_, '_>,
        all: Vec<Entitled>,
    ) -> Result<(), StorageError> {
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(());
        };
        let mut handing = HandingRecord::read(call.storage)?;
        for Entitled { device, since } in all {
            let one = HandedRecord { device, since };
            handing.hear(one, |one| one == good.me || good.includes(one));
        }
        handing.put(call.storage)
    }

    /// A device asks for a piece of what was said in a group.
    pub(in crate::messenger::room) fn asked_further(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
        conversation: ConversationId,
        asked: Place,
    ) -> Result<(), StorageError> {
        let (now, before) = (call.cx.now(), place_at(&asked));
        let Some(before) = before.filter(|_| self.rooms.pages.given.take(device, 1, now)) else {
            return self.drop_letter(None, DropReason::Room);
        };
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(());
        };
        let since = HandingRecord::read(call.storage)?;
        let since = good.key_of(device).and_then(|key| since.since(key));
        let room = self.room_with(call, device, conversation)?;
        let (past, next) = match room.zip(since) {
            Some((room, since)) => match self.piece_before(call, room, before, since)? {
                (past, Next::End) if self.lacks_history(call, room, device)? => {
                    (past, Next::Elsewhere)
                }
                piece => piece,
            },
            None => (Vec::new(), Next::Elsewhere),
        };
        let content = |past| {
            Content::Room(RoomWord {
                room: conversation,
                step: RoomStep::Piece(Piece { asked, next, past }),
            })
        };
        match self.within_told(call, good.room, device, &content(past))? {
            true => Ok(()),
            // Too long for a letter: the next goes on behind it.
            false => self
                .within_told(call, good.room, device, &content(Vec::new()))
                .map(drop),
        }
    }

    /// Whether others than the one who asks may have more of a group than I do.
    fn lacks_history(
        &mut self,
        call: &Call<'_, '_>,
        room: RoomId,
        device: MemberId,
    ) -> Result<bool, StorageError> {
        let taking = TakingRecord::read(call.storage)?;
        let group = taking.to_come().find(|one| one.room == room);
        let good = self.good_devices(call.storage)?;
        let Some((group, good)) = group.zip(good) else {
            return Ok(false);
        };
        let mut others = good.others().filter(|one| *one != device);
        Ok(others.any(|one| good.key_of(one).is_some_and(|key| !group.is_ended_by(key))))
    }

    /// The group of that id, if a device that is in it asks.
    fn room_with(
        &mut self,
        call: &Call<'_, '_>,
        device: MemberId,
        conversation: ConversationId,
    ) -> Result<Option<RoomId>, StorageError> {
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(None);
        };
        let place = self.conversations.get(&conversation).copied();
        let Some(known) = place.and_then(|place| self.rooms.get(place)) else {
            return Ok(None);
        };
        let leaves = LeavesRecord::read(call.storage)?;
        let inside = leaves.within(conversation).any(|leaf| {
            let theirs = good.key_of(device) == Some(&leaf.device);
            theirs && known.present(&leaf.key).is_some()
        });
        let mine = known.is_mine() && known.record.id != good.room;
        Ok((inside && mine).then_some(known.record.id))
    }

    /// What was said before a place, newest first, and how it goes on.
    fn piece_before(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        before: Position,
        since: Timestamp,
    ) -> Result<(Vec<Past>, Next), StorageError> {
        let texts = self.texts_before(call, room, before)?;
        let (mut all, mut bytes, mut next) = (Vec::new(), 0, Next::End);
        // Clocks differ: behind a text that is too old there may be some that are not, but
        // hardly behind so many.
        if texts.iter().all(|text| text.sent_at < since) && texts.len() >= MOST_TEXTS {
            return Ok((all, next));
        }
        for text in texts.iter().rev() {
            let mut one = Vec::new();
            if text.sent_at >= since {
                self.within(call, text.contact, |this, call| {
                    one = this.with_changes(call, room, Scope::OWN, text)?;
                    Ok(())
                })?;
            }
            one.truncate(MAX_PAST);
            let much = |past: &Past| BESIDE + past.name.len() + past.message.len();
            let much: usize = one.iter().map(much).sum();
            let full = bytes + much > MOST_BYTES || all.len() + one.len() > MAX_PAST;
            if full && !all.is_empty() {
                break;
            }
            bytes += much;
            all.extend(one);
            next = Next::Before(place_of(&text.position));
        }
        Ok((all, next))
    }

    /// The last texts before a place: behind those of a pair stand those of the conversation
    /// before it, where I have the contact.
    fn texts_before(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        before: Position,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let in_pair = (room.place(), before);
        let places = [Some(in_pair), self.before_pair(room, before)];
        let mut texts = Vec::new();
        for (place, before) in places.into_iter().flatten() {
            if texts.is_empty() {
                self.within(call, place, |_, call| {
                    let storage = &call.storage;
                    texts = storage.messages(place, Some(&before), MOST_TEXTS, MOST_BYTES)?;
                    Ok(())
                })?;
            }
        }
        Ok(texts)
    }
}
