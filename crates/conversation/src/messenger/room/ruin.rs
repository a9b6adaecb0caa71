//! A room of which something is damaged.

use hushwing_sansio::StorageError;

use crate::event::BreakReason;
use crate::messenger::{Call, Messenger};
use crate::storage::RoomStanding;
use crate::{ContactId, Event, RoomId};

impl Messenger {
    /// What is stored of a room is damaged: it goes no further, alone.
    pub(in crate::messenger) fn break_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.rooms.keepers.remove(&room);
        self.forget_greeting(call, room)?;
        let place = room.place();
        let known = self.rooms.find(room)?;
        known.record.standing = RoomStanding::Broken;
        known.record.asked.clear();
        known.picture = None;
        let members: Vec<_> = known.members.keys().copied().collect();
        for publishing in core::mem::take(&mut known.record.publishing) {
            for letter in publishing.letters {
                self.rooms.publishing.remove(&letter);
                self.recall(call, letter)?;
            }
        }
        for member in members {
            self.debts.forget(member.place());
            self.notices.forget(member.place());
            self.rooms.again.forget(member);
        }
        self.rooms.missing.forget(room);
        self.forget_wide(room);
        self.rooms.held.forget(room);
        self.shelf.forget(place);
        call.storage.remove_all_held(place)?;
        self.give_up_said(call, room)?;
        self.save_room(call, room)?;
        self.tell(Event::Broken {
            contact: place,
            reason: BreakReason::Damaged,
        });
        self.tell_room(room);
        Ok(())
    }

    /// Whether the room at a place is broken.
    pub(in crate::messenger) fn is_broken_room(&self, place: ContactId) -> bool {
        let room = self.rooms.get(place);
        room.is_some_and(|room| room.record.standing == RoomStanding::Broken)
    }
}
