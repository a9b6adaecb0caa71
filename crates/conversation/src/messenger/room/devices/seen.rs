//! What was read on one device is read on all, and what was begun to write there is begun
//! on all.
//!
//! Only the device that read tells the author. What it read may come to the others
//! later, so they remember up to where it was.

use hushwing_sansio::StorageError;

use crate::content::{Begun, Content, RoomStep, RoomWord, Seen};
use crate::messenger::{Call, Messenger};
use crate::storage::{DraftRecord, Position, SeenRecord};
use crate::{ContactId, MessageId, RoomId};

impl Messenger {
    /// Tells my other devices that I read up to there.
    pub(in crate::messenger) fn tell_seen(
        &mut self,
        call: &mut Call<'_, '_>,
        place: ContactId,
        until: &Position,
    ) -> Result<(), StorageError> {
        let Some(known) = self.rooms.get(place) else {
            return Ok(());
        };
        let seen = Seen {
            room: known.record.conversation,
            epoch: until.epoch,
            lamport: until.lamport,
            leaf: until.leaf,
            message: until.id,
        };
        self.tell_own(call, RoomStep::Seen(vec![seen]))
    }

    /// Tells my other devices what I began to write.
    pub(in crate::messenger) fn tell_begun(
        &mut self,
        call: &mut Call<'_, '_>,
        place: ContactId,
    ) -> Result<(), StorageError> {
        let Some(known) = self.rooms.get(self.speaks_at(place)) else {
            return Ok(());
        };
        // Of a pair that is kept where the conversation is.
        let person = self.people.get(&place);
        let kept = person.map_or(&known.kept, |person| &person.kept);
        let draft = kept.draft.as_ref();
        let reply_to = draft.and_then(|one| one.reply_to.as_deref());
        let begun = Begun {
            room: known.record.conversation,
            text: draft.map(|one| one.text.clone()).unwrap_or_default(),
            reply_to: reply_to.and_then(|id| MessageId::from_bytes(id).ok()),
        };
        self.tell_own(call, RoomStep::Begun(begun))
    }

    /// Tells each of my other devices something aside.
    fn tell_own(&mut self, call: &mut Call<'_, '_>, step: RoomStep) -> Result<(), StorageError> {
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(());
        };
        let content = Content::Room(RoomWord {
            room: good.conversation,
            step,
        });
        good.others().try_for_each(|device| {
            self.within_told(call, good.room, device, &content)
                .map(drop)
        })
    }

    /// Another device began to write: of several words the last one stands.
    pub(super) fn heard_begun(
        &mut self,
        call: &mut Call<'_, '_>,
        begun: &Begun,
    ) -> Result<(), StorageError> {
        let place = self.conversations.get(&begun.room).copied();
        let Some(place) = place.filter(|place| self.rooms.get(*place).is_some()) else {
            return Ok(());
        };
        let reply_to = begun.reply_to.map(|id| id.as_bytes().to_vec());
        let text = begun.text.clone();
        let draft = (!text.is_empty()).then_some(DraftRecord { text, reply_to });
        let otherwise = self.keep_changed(call, place, |kept| {
            let otherwise = kept.draft != draft;
            kept.draft = draft;
            otherwise
        })?;
        match otherwise {
            true => self.tell_kept(call, place),
            false => Ok(()),
        }
    }

    /// Another device read up to there.
    pub(super) fn heard_seen(
        &mut self,
        call: &mut Call<'_, '_>,
        seen: &Seen,
    ) -> Result<(), StorageError> {
        let place = self.conversations.get(&seen.room).copied();
        let room = place.map(RoomId::at);
        let Some(known) = room.and_then(|room| self.rooms.by_id.get_mut(&room)) else {
            return Ok(());
        };
        let until = Position {
            epoch: seen.epoch,
            lamport: seen.lamport,
            leaf: seen.leaf,
            id: seen.message,
        };
        // Where a message is here its own place counts; what is not here may never come,
        // and stands behind what is.
        let until = place_of(call, known.record.id, &until.id)?.unwrap_or(until);
        if let Some(before) = known.seen
            && let Some(before) = place_of(call, known.record.id, &before.id)?
            && before >= until
        {
            return Ok(());
        }
        known.seen = Some(until);
        let room = known.record.id;
        SeenRecord::at(&until).put(call.storage, room)?;
        self.within(call, room.place(), |this, call| {
            this.mark_what_was_seen(call, room)?;
            this.tell_kept(call, room.place())
        })
    }

    /// Something came that was read elsewhere before.
    pub(in crate::messenger) fn seen_before(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        position: &Position,
    ) -> Result<(), StorageError> {
        match self.rooms.find(room)?.seen {
            Some(seen) if seen >= *position => self.mark_what_was_seen(call, room),
            _ => Ok(()),
        }
    }

    /// Marks what another device read, up to a message that is here: nobody reads on to
    /// where nothing was said.
    fn mark_what_was_seen(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let Some(seen) = self.rooms.find(room)?.seen else {
            return Ok(());
        };
        match place_of(call, room, &seen.id)? {
            Some(until) => self.mark_seen(call, room.place(), &until),
            None => Ok(()),
        }
    }
}

/// The place of a message, if it is in that room.
fn place_of(
    call: &Call<'_, '_>,
    room: RoomId,
    id: &MessageId,
) -> Result<Option<Position>, StorageError> {
    let here = call.storage.outline(id)?;
    if here.is_none_or(|(place, _, _)| place != room.place()) {
        return Ok(None);
    }
    Ok(call.storage.message(id)?.map(|one| one.position))
}
