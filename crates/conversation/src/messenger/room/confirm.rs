//! Whom a message of mine reached, and telling others that theirs reached me.
//!
//! Receipts go to the author alone, as side letters. What is owed to a member is
//! kept with the receipts that are owed to contacts, under the member's number.

use core::time::Duration;
use std::collections::BTreeSet;

use hushwing_delivery::{LetterId, NetworkTag};
use hushwing_sansio::StorageError;

use super::Room;
use crate::branches::MakeFault;
use crate::content::{Content, MessageId, Receipt, Status};
use crate::event::FailReason;
use crate::fork_choice::StateName;
use crate::messenger::broken::is_damage;
use crate::messenger::{Call, Messenger};
use crate::storage::{MessageRecord, MessageState, Owed, RecipientRecord};
use crate::view::{Counted, Reached};
use crate::{ContactId, MemberId, RoomId, Storage};

/// How long the time of a message waits for members to whom it has not left.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// Members that are named of those whom a message is for.
const MOST_NAMED: usize = 32;
/// Receipts in one letter.
pub(super) const MOST_IN_LETTER: usize = 256;

/// To how many a message of mine got how far.
pub(in crate::messenger) fn counted(
    room: &Room,
    storage: &dyn Storage,
    message: &MessageId,
) -> Result<Counted, StorageError> {
    let all = room.by_people(storage.recipients(message)?);
    let at_least = |state| all.iter().filter(|one| one.state >= state).count();
    let failed = all.iter().filter(|one| one.state == MessageState::Failed);
    let failed = failed.count();
    Ok(Counted {
        all: all.len(),
        accepted: at_least(MessageState::Accepted).saturating_sub(failed),
        delivered: at_least(MessageState::Delivered),
        read: at_least(MessageState::Read),
        failed,
    })
}

/// How far a message of mine got to each member it was for, if these are few.
pub(in crate::messenger) fn reached_by_each(
    room: &Room,
    storage: &dyn Storage,
    message: &MessageId,
) -> Result<Vec<Reached>, StorageError> {
    let mut all = room.by_people(storage.recipients(message)?);
    if all.len() > MOST_NAMED {
        // Numbers say it.
        all.clear();
    }
    let reached = all.into_iter().map(|one| Reached {
        member: one.member,
        state: one.state,
    });
    Ok(reached.collect())
}

/// How long the time of a message of mine waits to run, if it may: not at all once it
/// left to all of whom it is known where to write, and a day once it left to anybody.
/// A member whose mailbox takes nothing is no reason to keep it for ever.
fn until_it_vanishes(recipients: &[RecipientRecord]) -> Option<Duration> {
    let any = |test: fn(&RecipientRecord) -> bool| recipients.iter().any(test);
    let left = recipients.is_empty() || any(|one| one.state > MessageState::Queued);
    let waits = any(|one| one.letter.is_some() && one.state == MessageState::Queued);
    left.then_some(match waits {
        true => LONGEST_WAIT,
        false => Duration::ZERO,
    })
}

/// How far a message got to those it got least far to. What was left to heralds has left
/// as soon as it left to one of them.
fn least_of(recipients: &[RecipientRecord]) -> MessageState {
    let took = |state| !matches!(state, MessageState::Queued | MessageState::Failed);
    let any = |test: &dyn Fn(&RecipientRecord) -> bool| recipients.iter().any(test);
    let spread = any(&|one| one.letter.is_none() && one.state == MessageState::Accepted)
        && any(&|one| one.letter.is_some() && took(one.state));
    let counts = |one: &&RecipientRecord| !spread || one.letter.is_none() || took(one.state);
    let counted = recipients.iter().filter(counts);
    let least = counted.map(|one| one.state).min();
    least.unwrap_or(MessageState::Delivered)
}

impl Messenger {
    /// A network took a letter to a member; whether it is one.
    pub(in crate::messenger) fn room_letter_accepted(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: LetterId,
        network: NetworkTag,
    ) -> Result<bool, StorageError> {
        self.rooms.unheard.answered(letter, call.cx.now());
        if self.commit_left(call, letter, true)? {
            return Ok(true);
        }
        self.recipient_moved(call, letter, MessageState::Accepted, |this, call, id| {
            this.count_anew(call, id, Some(network))
        })
    }

    /// A letter to a member was given up; whether it is one.
    pub(in crate::messenger) fn room_letter_failed(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: LetterId,
        reason: FailReason,
    ) -> Result<bool, StorageError> {
        self.rooms.unheard.answered(letter, call.cx.now());
        if self.commit_left(call, letter, false)? {
            return Ok(true);
        }
        self.recipient_moved(call, letter, MessageState::Failed, |this, call, id| {
            let before = call.storage.outline(id)?.map(|(.., state)| state);
            this.count_anew(call, id, None)?;
            let after = call.storage.message(id)?;
            let after = after.filter(|record| record.state == MessageState::Failed);
            if let Some(record) = after.filter(|_| before != Some(MessageState::Failed)) {
                this.tell_state(&record, MessageState::Failed, Some(reason));
            }
            Ok(())
        })
    }

    fn recipient_moved<'c, 'x>(
        &mut self,
        call: &mut Call<'c, 'x>,
        letter: LetterId,
        state: MessageState,
        then: impl FnOnce(&mut Self, &mut Call<'c, 'x>, &MessageId) -> Result<(), StorageError>,
    ) -> Result<bool, StorageError> {
        let Some(one) = call.storage.recipient_of(letter.0)? else {
            return Ok(false);
        };
        if one.state >= state {
            return Ok(true);
        }
        let Some(place) = call.storage.whose_message(&one.message)? else {
            return Ok(true);
        };
        self.within(call, place, |this, call| {
            call.storage
                .put_recipient(&RecipientRecord { state, ..one })?;
            then(this, call, &one.message)
        })?;
        Ok(true)
    }

    /// How far a message got is how far it got to those it got least far to.
    pub(super) fn count_anew(
        &mut self,
        call: &mut Call<'_, '_>,
        message: &MessageId,
        network: Option<NetworkTag>,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let recipients = call.storage.recipients(message)?;
        let Some(record) = call.storage.message(message)? else {
            return Ok(());
        };
        let least = match self.rooms.get(record.contact) {
            Some(known) => least_of(&known.by_people(recipients.clone())),
            None => least_of(&recipients),
        };
        let mut times = record.times.clone();
        if let Some(network) = network {
            times.accepted.get_or_insert((network, now));
        }
        if let Some(wait) = until_it_vanishes(&recipients) {
            self.vanish_within(call, &record, &mut times, wait)?;
        }
        if record.state == least && times == record.times {
            return Ok(());
        }
        match least {
            MessageState::Queued | MessageState::Accepted => times.failed = None,
            MessageState::Failed => times.failed = Some(now),
            MessageState::Delivered => {
                times.delivered.get_or_insert(now);
            }
            MessageState::Read => {
                times.delivered.get_or_insert(now);
                times.read.get_or_insert(now);
            }
        }
        call.storage.set_state(message, least, &times)?;
        if record.state != least && least != MessageState::Failed {
            self.tell_state(&record, least, None);
        }
        Ok(())
    }

    /// A member told what became of my messages.
    pub(super) fn confirmed_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        receipts: &[Receipt],
    ) -> Result<(), StorageError> {
        let mut last = None;
        for receipt in receipts {
            let state = match receipt.status {
                Status::DELIVERED => MessageState::Delivered,
                Status::READ => MessageState::Read,
                _ => continue,
            };
            let outline = call.storage.outline(&receipt.message)?;
            if !outline.is_some_and(|(place, mine, _)| mine && place == room.place()) {
                self.gather(call, room, member, receipt.message, state)?;
                continue;
            }
            let recipients = call.storage.recipients(&receipt.message)?;
            if recipients.is_empty() {
                // Another device of mine said it, and keeps whom it reached.
                self.gather(call, room, member, receipt.message, state)?;
                continue;
            }
            let passing = &mut self.rooms.passing;
            passing.confirmed(room, &receipt.message, member);
            let Some(one) = recipients.into_iter().find(|one| one.member == member) else {
                continue;
            };
            if one.state >= state {
                continue;
            }
            call.storage
                .put_recipient(&RecipientRecord { state, ..one })?;
            if let Some(letter) = one.letter {
                self.office
                    .settle(call.cx, &mut *call.storage, LetterId(letter))?;
                last = last.max(Some(letter));
            }
            self.count_anew(call, &receipt.message, None)?;
        }
        match last {
            Some(letter) => self.overtaken(call, room, member, letter),
            None => Ok(()),
        }
    }

    /// Owes the author of a message in a room a receipt; `false` if the place is
    /// no room's.
    pub(in crate::messenger) fn owe_in_room(
        &mut self,
        call: &mut Call<'_, '_>,
        place: ContactId,
        message: MessageId,
        owed: Owed,
    ) -> Result<bool, StorageError> {
        let Some(known) = self.rooms.get(place) else {
            return Ok(false);
        };
        if !known.is_mine() {
            return Ok(true);
        }
        let room = known.record.id;
        let record = match call.storage.message(&message) {
            // The damage is told where the message is shown.
            Err(error) if is_damage(&error) => None,
            record => record?,
        };
        let record = record.and_then(|record| Some((record.author?, record.owed)));
        if let Some((author, before)) = record {
            if owed.is_read() && self.is_blocked_member(room, author) {
                return Ok(true);
            }
            let owed = owed.and(before);
            call.storage.set_owed(&message, owed)?;
            let delay = self.receipt_delay_in(room);
            let to = author.place();
            self.debts.add(call.cx, delay, to, message, owed, false);
        }
        Ok(true)
    }

    /// Takes up what is owed in a room to all who are in it.
    pub(super) fn resume_room_debts(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let people = known.others().map(|one| known.person(one.member));
        let people: BTreeSet<MemberId> = people.collect();
        // Also what is owed under a device that is gone, to who is there by another.
        let all = known.members.keys().copied();
        let there = all.filter(|member| people.contains(&known.person(*member)));
        let there: Vec<MemberId> = there.collect();
        there
            .into_iter()
            .try_for_each(|member| self.resume_debts_to(call, room, member))
    }

    /// Takes up a letter's worth of what is owed to a member, and the rest when that
    /// has left.
    pub(in crate::messenger) fn resume_debts_to(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        if !self.rooms.find(room)?.is_mine() {
            return Ok(());
        }
        let owing = call
            .storage
            .owing_to(room.place(), member, MOST_IN_LETTER)?;
        let (to, delay) = (member.place(), self.receipt_delay_in(room));
        for (message, owed) in &owing {
            self.debts.add(call.cx, delay, to, *message, *owed, false);
        }
        if owing.len() == MOST_IN_LETTER {
            self.debts.expect_more(to);
        }
        Ok(())
    }

    /// Seals something for one member; `None` if one of us is not in the state
    /// that is followed.
    pub(super) fn seal_aside(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        content: &Content,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let state = self.keeper(call, room, |keeper, _| Ok(keeper.followed()))?;
        self.seal_aside_in(call, room, (member, state), content)
    }

    /// The same in another state, which is all that a newcomer has.
    pub(super) fn seal_aside_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (member, state): (MemberId, StateName),
        content: &Content,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(bytes) = self.compose_in(call, room, content)? else {
            return Ok(None);
        };
        let known = self.rooms.find(room)?;
        let Some(key) = known.members.get(&member).map(|m| m.key.clone()) else {
            return Ok(None);
        };
        let sealed = self.keeper(call, room, |keeper, lent| {
            keeper.write_aside(lent, state, &key, &bytes)
        })?;
        match sealed {
            Ok(bytes) => Ok(Some(bytes)),
            Err(MakeFault::Group(what)) => Err(StorageError::corrupt(what)),
            Err(_) => Ok(None),
        }
    }

    /// Lets go what is on its way of a message that was taken back.
    pub(in crate::messenger) fn call_back_said(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
    ) -> Result<(), StorageError> {
        if !record.mine || self.rooms.get(record.contact).is_none() {
            return Ok(());
        }
        for one in call.storage.recipients(record.id())? {
            if let Some(letter) = one.letter.filter(|_| one.state < MessageState::Delivered) {
                self.recall(call, letter)?;
            }
        }
        Ok(())
    }
}
