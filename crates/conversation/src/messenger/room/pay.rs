//! To whom receipts in a room leave, and which of them together.
//!
//! In a wide group a letter to a herald carries what it is to gather for all authors, and
//! the next one waits until that has left: of each member at most one letter waits for a
//! herald that sleeps, whose mailbox holds few, and only a few of all members send one
//! before it gave a sign ([`super::wide`]). What was written to me past the heralds is
//! confirmed the same way, since they may be away.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use hushwing_sansio::{StorageError, Timestamp};

use super::confirm::MOST_IN_LETTER;
use super::{Room, Rooms};
use crate::content::{Content, Receipt, Status};
use crate::messenger::receipts::{Debt, Due, REST, receipt};
use crate::messenger::{Call, Messenger};
use crate::storage::{MemberRecord, Owed};
use crate::{ContactId, MemberId, MessageId, RoomId};

/// How much longer receipts are gathered that heralds gather further: not as long as
/// these wait for them.
const LONGER: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));

/// A receipt, and to whom it is owed.
type One = (MemberId, MessageId, Due);

impl Rooms {
    /// The room of somebody to whom receipts are owed under that number.
    pub(in crate::messenger) fn room_of_debt(&self, to: ContactId) -> Option<RoomId> {
        self.of_member.get(&MemberId(to.0)).copied()
    }
}

impl Room {
    /// To whom I tell what I have of somebody: to each device of theirs, or to who gathers it.
    fn told_for(&self, author: MemberId, owed: Owed) -> BTreeSet<MemberId> {
        let devices = self.devices_of(author).map(|one| one.member);
        devices.map(|one| self.told_by(one, owed)).collect()
    }

    fn told_by(&self, author: MemberId, owed: Owed) -> MemberId {
        let heralds = self.heralds();
        let straight = owed.goes_back() && !heralds.includes(author);
        if straight || self.me().is_some_and(|me| heralds.includes(me)) {
            return author;
        }
        let reachable = |herald: &MemberId| {
            let record = self.members.get(herald);
            record.is_some_and(|record: &MemberRecord| !record.addresses.is_empty())
        };
        let herald = heralds.looks_after(&self.key).filter(reachable);
        herald.unwrap_or(author)
    }
}

impl Messenger {
    /// Whether receipts in a room go to somebody who gathers them.
    pub(in crate::messenger) fn receipts_leave_together(&self, room: RoomId) -> bool {
        let known = self.rooms.by_id.get(&room);
        known.is_some_and(|known| {
            let heralds = known.heralds();
            !heralds.is_empty() && !known.me().is_some_and(|me| heralds.includes(me))
        })
    }

    /// How long receipts in a room are gathered.
    pub(super) fn receipt_delay_in(&self, room: RoomId) -> (Duration, Duration) {
        let (least, most) = self.config.receipt_delay;
        match self.receipts_leave_together(room) {
            true => (least + LONGER.0, most + LONGER.1 + self.spread_in(room)),
            false => (least, most),
        }
    }

    /// How far what all in a room send to few is spread.
    pub(super) fn spread_in(&self, room: RoomId) -> Duration {
        let room = self.rooms.by_id.get(&room);
        room.map_or(Duration::ZERO, Room::spread)
    }

    /// Somebody wrote to me at that time: if they gather receipts, they get what waits for a
    /// sign.
    pub(super) fn heard_of(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        sent: Timestamp,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let (now, age) = (call.cx.now(), call.cx.wall().since(sent));
        if known.heralds().includes(member) && self.rooms.signs.heard(member, now, age) {
            let delay = self.receipt_delay_in(room);
            let rooms = &self.rooms;
            let of_room = |of| rooms.room_of_debt(of) == Some(room);
            self.debts.resume(call.cx, delay, of_room);
        }
        Ok(())
    }

    /// Sends the receipts that are due in a room.
    pub(in crate::messenger) fn pay_members(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        due: Vec<(ContactId, Debt)>,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        if !known.is_mine() {
            return Ok(());
        }
        let mut by_receiver: BTreeMap<MemberId, Vec<One>> = BTreeMap::new();
        let mut more = Vec::new();
        for (author, debt) in due {
            let author = MemberId(author.0);
            more.extend(debt.more.then_some(author));
            for (message, due) in debt.owed {
                let devices = known.told_for(author, due.owed);
                let waits = |to: &&MemberId| self.debts.waits_for(to.place(), &self.office);
                // Whose letters wait is left out where another device of theirs hears it.
                let some = devices.len() > 1 && !devices.iter().all(|to| waits(&to));
                let devices = devices.iter().filter(|to| !(some && waits(to)));
                for to in devices.copied() {
                    let all = by_receiver.entry(to).or_default();
                    all.push((author, message, due));
                }
            }
        }
        for (to, all) in by_receiver {
            self.pay_by(call, room, to, &all)?;
        }
        more.into_iter()
            .try_for_each(|author| self.resume_debts_to(call, room, author))
    }

    /// Sends receipts to one who gathers them, or the author.
    fn pay_by(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        to: MemberId,
        all: &[One],
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let heralds = known.heralds();
        let share = known.size().div_ceil(heralds.count().max(1));
        let lots = (share, self.config.to_silent);
        let until = match self.debts.waits_for(to.place(), &self.office) {
            true => Err(call.cx.now() + REST),
            false if heralds.includes(to) => self.rooms.signs.take(call.cx, to, lots),
            false => Ok(()),
        };
        if let Err(until) = until {
            for (author, message, due) in all {
                self.debts.postpone(author.place(), *message, *due, until);
            }
            return Ok(());
        }
        for batch in all.chunks(MOST_IN_LETTER) {
            let told = batch.iter().map(|one| self.told(room, *one)).collect();
            let content = Content::Receipts(told);
            let Some(letter) = self.say_aside(call, room, to, &content)? else {
                // Owed until it is known where to write.
                return Ok(());
            };
            self.debts.note_letter(to.place(), letter);
            for (_, message, _) in batch {
                call.storage.set_owed(message, Owed::Nothing)?;
            }
        }
        Ok(())
    }

    fn told(&self, room: RoomId, (author, message, due): One) -> Receipt {
        let mut told = receipt((message, due));
        if self.is_blocked_member(room, author) {
            // What was read before they were blocked reached me, and no more is said.
            told.status = Status::DELIVERED;
        }
        told
    }
}
