//! What is due in rooms, and what is seen to now and then.

use core::time::Duration;

use hushwing_sansio::{Moment, StorageError};

use super::commits::FAREWELL;
use crate::RoomId;
use crate::messenger::{Call, Messenger};
use crate::storage::RoomStanding;

/// Between two looks of a keeper at the calendar.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Messenger {
    /// Takes up what needs a clock.
    pub(in crate::messenger) fn wake_rooms(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let mut rooms: Vec<_> = self.rooms.by_id.keys().copied().collect();
        // What is signed for other devices names me as I am where they meet.
        rooms.sort_by_key(|room| !self.devices.meet_in(*room));
        for room in rooms {
            self.within(call, room.place(), |this, call| {
                this.find_own_quietly(call, room)?;
                let record = &this.rooms.find(room)?.record;
                let (standing, bare) = (record.standing, record.mailbox.is_none());
                match standing {
                    RoomStanding::Member | RoomStanding::Leaving | RoomStanding::Left => {
                        this.refresh(call, room)?;
                        this.resume_greeting(call, room)?;
                        this.resume_pieces(call, room)?;
                        this.resume_unheard(call, room)?;
                        this.resume_room_debts(call, room)
                    }
                    RoomStanding::Joining if !bare => this.answer(call, room),
                    RoomStanding::Offered
                    | RoomStanding::Joining
                    | RoomStanding::Broken
                    | RoomStanding::Restoring => Ok(()),
                }
            })?;
        }
        self.find_all_own(call)?;
        for room in self.rooms.by_id.keys().copied().collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| this.sweep(call, room))?;
        }
        self.share_rooms(call)?;
        self.note_history(call)?;
        self.take_further(call)
    }

    /// Does what is due in rooms.
    pub(in crate::messenger) fn rooms_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let due = |at: Option<Moment>| at.is_some_and(|at| at <= now);
        let keepers = self.rooms.keepers.iter();
        let rested: Vec<_> = keepers
            .filter(|(_, keeper)| due(keeper.poll_timeout()))
            .map(|(room, _)| *room)
            .collect();
        for room in rested {
            self.tick(call, room)?;
        }
        let rooms = self.rooms.by_id.iter();
        let greeting: Vec<_> = rooms
            .filter(|(_, room)| due(room.greets))
            .map(|(room, _)| *room)
            .collect();
        for room in greeting {
            self.within(call, room.place(), |this, call| this.greet_now(call, room))?;
        }
        self.turns_due(call)?;
        self.old_mailboxes_due(call)?;
        self.renewals_due(call, now)?;
        self.pieces_due(call)?;
        self.held_due(call)?;
        self.passing_due(call)?;
        self.backlog_due(call)?;
        self.counts_due(call)?;
        self.doubts_due(call)?;
        self.unheard_due(call)?;
        self.pages_due(call)?;
        self.ask_for_missing(call)
    }

    pub(super) fn tick(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.within(call, room.place(), |this, call| {
            let told = this.keeper(call, room, |keeper, lent| keeper.tick(lent))?;
            this.act_on(call, room, told)
        })
    }

    /// What is to be seen to in a room now and then.
    pub(super) fn tend_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let (now, wall) = (call.cx.now(), call.cx.wall());
        self.tend_old_mailboxes(call, room)?;
        self.rotate_room_in_time(call, room)?;
        self.replace_room_mailbox(call, room)?;
        self.tend_room_mailboxes(call, room)?;
        self.look_for_missing(call, room)?;
        self.tell_the_gone_again(call, room)?;
        self.let_go_of_the_gone(call, room)?;
        self.let_package_go(call, room)?;
        self.renew_in_time(call, room)?;
        self.see_to_heralds(call, room)?;
        let known = self.rooms.find(room)?;
        let ended = known.record.ended.is_some_and(|at| at + FAREWELL <= wall);
        let lasts = known.record.may_return || known.record.mailbox.is_some();
        match known.record.standing {
            RoomStanding::Leaving if ended && !known.holds_office() => self.removed(call, room),
            RoomStanding::Left if ended && lasts => self.end_stay(call, room),
            // A relay may have dropped the word, and all others stay in it without one.
            RoomStanding::Leaving if known.leaves_again(wall) && !known.holds_office() => {
                known.record.leave_said = known.record.leave_said.saturating_add(1);
                self.save_room(call, room)?;
                self.say_leave(call, room)
            }
            RoomStanding::Member if known.daily <= now => {
                known.daily = now + DAY;
                self.tick(call, room)
            }
            _ => Ok(()),
        }
    }
}
