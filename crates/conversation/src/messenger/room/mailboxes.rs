//! My mailboxes for a room: how many, where each lies, when others take their places.
//!
//! Those in service are open and not on their way out; all members are told all of them,
//! the one to write to first in front. Which that is stands in the room's record; what
//! the others are follows from the mailboxes' own.
//!
//! ```text
//! opened ─▶ first      all before it leave, if any was exposed
//!        ─▶ a further  while there are fewer than were chosen
//! ```
//!
//! Whoever was removed knows them all, so then all leave together.

use core::time::Duration;

use hushwing_delivery::{MailboxFailure, MailboxId};
use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::entry::{GREETING_REST, MOST_ADDRESSES};
use crate::messenger::{Call, Messenger};
use crate::storage::{LeavingRecord, MailboxRecord, MailboxState, MailboxUse, RoomStanding};
use crate::{RoomId, Secret};

/// Mailboxes of a room that are listened to beside those that are told, before more may
/// take their places.
const MOST_LEAVING: usize = 3;
/// How long no mailbox is asked for where none could be made.
const REST: Duration = Duration::from_secs(60 * 60);

impl Messenger {
    /// The mailboxes that members are told, the one to write to first in front; none
    /// before there is one to write to first.
    pub(in crate::messenger) fn in_service(&self, room: RoomId) -> Vec<MailboxId> {
        let Some(record) = self.rooms.by_id.get(&room).map(|known| &known.record) else {
            return Vec::new();
        };
        let Some(first) = record.mailbox.map(MailboxId) else {
            return Vec::new();
        };
        let leaves = |id: &MailboxId| record.leaving.iter().any(|one| one.mailbox == id.0);
        let open = |record: &MailboxRecord| {
            record.owner == MailboxUse::Room(room) && record.state == MailboxState::Open
        };
        let all = self.mailboxes.iter().filter(|(_, record)| open(record));
        let further = all.map(|(id, _)| *id);
        let further = further.filter(|id| *id != first && !leaves(id));
        std::iter::once(first).chain(further).collect()
    }

    /// The mailboxes with which one more shall share no server.
    pub(in crate::messenger) fn apart_in_room(&self, room: RoomId) -> Vec<MailboxId> {
        let known = self.rooms.by_id.get(&room);
        match known.is_some_and(|known| known.record.exposed) {
            // It takes the place of all.
            true => Vec::new(),
            false => self.in_service(room),
        }
    }

    /// Opens a mailbox to which all members may write.
    pub(in crate::messenger) fn open_room_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let record = MailboxRecord {
            id: call.storage.next_number()?,
            network: self.config.network.0,
            state: MailboxState::Opening,
            owner: MailboxUse::Room(room),
            first_contact: Secret::default(),
            shared: Secret::new(call.cx.random::<32>()),
            locator: None,
        };
        self.open_mailbox(call, record)
    }

    /// A mailbox for a room is open.
    pub(in crate::messenger) fn room_mailbox_opened(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        let Some(known) = self.rooms.by_id.get_mut(&room) else {
            return self.close_mailbox(call, mailbox);
        };
        let record = &known.record;
        let (standing, revision) = (record.standing, record.revision);
        if !matches!(standing, RoomStanding::Joining | RoomStanding::Member) {
            return self.close_mailbox(call, mailbox);
        }
        let bare = record.mailbox.is_none();
        let joining = standing == RoomStanding::Joining;
        if bare || joining || record.exposed {
            self.put_first(room, mailbox, call.cx.wall())?;
            self.forget_turn(call, room)?;
            self.plan_rotation_of(call, room)?;
        }
        let record = &mut self.rooms.find(room)?.record;
        record.revision = record.revision.saturating_add(1);
        self.save_room(call, room)?;
        if joining {
            return match self.rooms.find(room)?.record.package.is_some() {
                // Where I was to be welcomed is gone.
                true => self.say_answer(call, room),
                false if self.devices.meet_in(room) => self.device_mailbox_opened(call),
                false => self.answer(call, room),
            };
        }
        if self.devices.meet_in(room) {
            self.device_mailbox_opened(call)?;
        }
        if self.lacks_mailboxes(room, call.cx.now())? {
            self.tend_room_mailboxes(call, room)?;
        }
        self.greet_room(call, room)?;
        match bare && revision > 0 {
            // Receipts for what I said may have been lost with it.
            true => self.strand_all(call, room, call.cx.now() + GREETING_REST),
            false => Ok(()),
        }
    }

    /// A mailbox takes the place of all others. Nobody was told it yet.
    fn put_first(
        &mut self,
        room: RoomId,
        mailbox: MailboxId,
        since: Timestamp,
    ) -> Result<(), StorageError> {
        let before = self.in_service(room).into_iter();
        let before = before.filter(|before| *before != mailbox);
        let before: Vec<_> = before.collect();
        let record = &mut self.rooms.find(room)?.record;
        record.mailbox = Some(mailbox.0);
        record.exposed = false;
        let mailbox = |before: MailboxId| before.0;
        let leaving = before.into_iter().map(mailbox);
        record
            .leaving
            .extend(leaving.map(|mailbox| LeavingRecord { mailbox, since }));
        Ok(())
    }

    /// None is told any more; all are listened to for a while. The record is not
    /// written.
    pub(super) fn retire_mailboxes(
        &mut self,
        room: RoomId,
        since: Timestamp,
    ) -> Result<(), StorageError> {
        let before = self.in_service(room);
        let record = &mut self.rooms.find(room)?.record;
        record.mailbox = None;
        let leaving = before.into_iter().map(|mailbox| LeavingRecord {
            mailbox: mailbox.0,
            since,
        });
        record.leaving.extend(leaving);
        Ok(())
    }

    /// A mailbox of a room was lost, or was not even made: another takes its place, the
    /// later the more often that was so. Until then the others serve, if there are any.
    pub(in crate::messenger) fn room_mailbox_lost(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        lost: MailboxRecord,
    ) -> Result<(), StorageError> {
        let id = MailboxId(lost.id);
        if !self.rooms.by_id.contains_key(&room) {
            return self.close_mailbox(call, id);
        }
        let mut left = self.in_service(room);
        let served = left.contains(&id);
        left.retain(|one| *one != id);
        let record = &mut self.rooms.find(room)?.record;
        record.leaving.retain(|one| one.mailbox != lost.id);
        if served {
            record.mailbox = left.first().map(|next| next.0);
        }
        if served && !left.is_empty() {
            record.revision = record.revision.saturating_add(1);
        }
        let needed = matches!(
            record.standing,
            RoomStanding::Joining | RoomStanding::Member
        );
        self.save_room(call, room)?;
        let wanted = served || lost.state == MailboxState::Opening;
        if !needed || !wanted {
            return self.close_mailbox(call, id);
        }
        if served && left.is_empty() && self.devices.meet_in(room) && self.has_talked() {
            // Only there would a Welcome have come.
            self.close_mailbox(call, id)?;
            return self.stop_showing(call);
        }
        if served && !left.is_empty() {
            self.greet_room(call, room)?;
            self.strand_all(call, room, call.cx.now() + GREETING_REST)?;
        }
        let keys = MailboxRecord {
            shared: Secret::new(call.cx.random::<32>()),
            ..lost
        };
        self.replace_mailbox(call, keys).map(drop)
    }

    /// Closes the mailboxes that a room has no use for any more.
    pub(super) fn close_room_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.retire_mailboxes(room, call.cx.wall())?;
        self.forget_rotation_of(call, room)?;
        self.forget_turn(call, room)?;
        self.forget_old_mailboxes(call, room)?;
        let record = &mut self.rooms.find(room)?.record;
        let all: Vec<u64> = record.leaving.drain(..).map(|one| one.mailbox).collect();
        for mailbox in all {
            self.close_mailbox(call, MailboxId(mailbox))?;
        }
        self.save_room(call, room)
    }

    /// Puts a mailbox in the place of those that somebody who is out knows. One at
    /// a time, and no more than a few in a day: who adds and removes without end
    /// does not fill my relay.
    pub(super) fn replace_room_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        match self.is_seldom_written_to(room)? || !self.has_its_turn(call, room)? {
            true => Ok(()),
            false => self.replace_mailbox_now(call, room),
        }
    }

    /// The same at once.
    pub(super) fn replace_mailbox_now(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let known = self.rooms.find(room)?;
        let rests = known.rests.is_some_and(|until| now < until);
        let record = &known.record;
        let due = record.exposed
            && !rests
            && record.standing == RoomStanding::Member
            && record.mailbox.is_some()
            && record.leaving.len() < MOST_LEAVING;
        match due && !self.is_opening_for(room) {
            true => self.open_room_mailbox(call, room),
            false => Ok(()),
        }
    }

    /// In a wide group each who moves makes heralds write to everybody: in one of very many
    /// only those do who are written to by all.
    pub(super) fn is_seldom_written_to(&mut self, room: RoomId) -> Result<bool, StorageError> {
        let most = self.config.most_who_move;
        let known = self.rooms.find(room)?;
        let heralds = known.heralds();
        let many = known.size() > most && !heralds.is_empty();
        Ok(many && !known.me().is_some_and(|me| heralds.includes(me)))
    }

    /// Whether more mailboxes of mine come soon in a wide group, so that one greeting is enough
    /// for all: each costs heralds two letters to everybody.
    pub(super) fn lacks_mailboxes(
        &mut self,
        room: RoomId,
        now: Moment,
    ) -> Result<bool, StorageError> {
        let wanted = self.config.mailboxes.clamp(1, MOST_ADDRESSES);
        let there = self.in_service(room).len();
        let few = !self.is_seldom_written_to(room)?;
        let known = self.rooms.find(room)?;
        let rests = known.rests.is_some_and(|until| now < until);
        Ok(known.is_wide() && few && !rests && there < wanted)
    }

    fn is_opening_for(&self, room: RoomId) -> bool {
        self.mailboxes.values().any(|record| {
            let comes = matches!(record.state, MailboxState::Opening | MailboxState::Due);
            record.owner == MailboxUse::Room(room) && comes
        })
    }

    /// Gives a room the mailboxes it lacks, one after the other, for where the next may
    /// lie depends on it; and takes leave of one too many.
    pub(super) fn tend_room_mailboxes(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let wanted = self.config.mailboxes.clamp(1, MOST_ADDRESSES);
        let service = self.in_service(room);
        let now = call.cx.now();
        let known = self.rooms.find(room)?;
        let rests = known.rests.is_some_and(|until| now < until);
        let stands = known.record.standing == RoomStanding::Member && !known.record.exposed;
        if !stands || rests || service.is_empty() || self.is_opening_for(room) {
            return Ok(());
        }
        if let Some(last) = service.get(wanted..).and_then(<[_]>::last) {
            let since = call.cx.wall();
            let mailbox = last.0;
            let record = &mut self.rooms.find(room)?.record;
            record.leaving.push(LeavingRecord { mailbox, since });
            record.revision = record.revision.saturating_add(1);
            self.save_room(call, room)?;
            return self.greet_room(call, room);
        }
        match service.len() < wanted && !self.is_seldom_written_to(room)? {
            true => self.open_room_mailbox(call, room),
            false => Ok(()),
        }
    }

    /// A mailbox was refused wherever it could be: the room goes on with those it has, known to
    /// whom they are, and what it lacks is asked for again later.
    pub(in crate::messenger) fn room_does_without(
        &mut self,
        call: &mut Call<'_, '_>,
        (room, mailbox): (RoomId, MailboxId),
        reason: MailboxFailure,
    ) -> Result<(), StorageError> {
        let final_answer = matches!(reason, MailboxFailure::Refused | MailboxFailure::NoServer);
        let record = self.mailboxes.get(&mailbox);
        let opening = record.is_some_and(|record| record.state == MailboxState::Opening);
        let rest: Moment = call.cx.now() + REST;
        let Some(known) = self.rooms.by_id.get_mut(&room) else {
            return Ok(());
        };
        if !final_answer || !opening || known.record.mailbox.is_none() {
            return Ok(());
        }
        known.rests = Some(rest);
        self.close_mailbox(call, mailbox)
    }

    /// A mailbox of a room lies where none is to lie any more: all are replaced.
    pub(in crate::messenger) fn move_room_away(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        if !self.rooms.by_id.contains_key(&room) || !self.in_service(room).contains(&mailbox) {
            return Ok(());
        }
        if self.rooms.find(room)?.record.standing != RoomStanding::Member {
            return Ok(());
        }
        self.expose_mailboxes(call, room)?;
        self.replace_mailbox_now(call, room)
    }

    /// Somebody who is out knows where I am written to, or none is to be any more there where
    /// one lies. What was being made beside them is given up: where it was to be nobody may
    /// answer, and it would be waited for.
    pub(super) fn expose_mailboxes(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let record = &mut self.rooms.find(room)?.record;
        record.exposed = true;
        let served = record.mailbox.is_some();
        self.save_room(call, room)?;
        let opening = self.mailboxes.iter().filter(|(_, record)| {
            record.owner == MailboxUse::Room(room) && record.state == MailboxState::Opening
        });
        let opening: Vec<_> = opening.map(|(id, _)| *id).filter(|_| served).collect();
        opening
            .into_iter()
            .try_for_each(|mailbox| self.close_mailbox(call, mailbox))
    }
}
