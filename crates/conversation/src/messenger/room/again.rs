//! Saying again to one member what may never have reached them: what waited until
//! it was known where to write, and what left for a mailbox they have no more.
//!
//! ```text
//! other addresses are told ─▶ stranded: all letters up to now ─▶ piece ─▶ piece ─▶ …
//! a later one is confirmed ─▶ stranded: all letters up to that, after a while
//! ```
//!
//! A server may drop what it took. Nothing tells that but what came after it: a member who
//! confirmed that has read what lay there before. So what was overtaken is said again, after
//! five minutes, and after twice as long each time: somebody may leave a message unconfirmed
//! for good.
//!
//! A piece is bounded, and there is a pause between two: whoever tells one new
//! address after the other must not keep this program busy. What is left lies in
//! storage, with the member and with each message.
//!
//! What is said to one is no MLS message: each would use a key of my ratchet that
//! nobody else ever sees, and who asks for enough of them would make the others lose
//! what comes late. It is a side letter that holds the message as it was.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_sansio::{Moment, StorageError};

use crate::content::{Content, RoomStep, RoomWord};
use crate::letter::LetterBody;
use crate::messenger::{Call, Messenger};
use crate::storage::{MessageRecord, MessageState, RecipientRecord};
use crate::{MemberId, RoomId};

/// Messages said again to one member at a time.
const MOST_IN_PIECE: usize = 32;
/// Messages given up for one former member at a time.
const MOST_GIVEN_UP: usize = 256;
/// Between two pieces for one member.
const PAUSE: Duration = Duration::from_secs(15);
/// Until what was overtaken is said again: its receipt may be on the way.
const FIRST_DOUBT: Duration = Duration::from_secs(5 * 60);
/// The same, where that was of no use again and again.
const LAST_DOUBT: Duration = Duration::from_secs(24 * 60 * 60);

/// When the next pieces are due.
#[derive(Default)]
pub(in crate::messenger) struct Pieces {
    due: BTreeMap<MemberId, Moment>,
    last: BTreeMap<MemberId, Moment>,
    /// How long it is waited for what a member has not confirmed next.
    doubts: BTreeMap<MemberId, Duration>,
}

impl Pieces {
    /// When the next one of all is.
    pub(super) fn due(&self) -> Option<Moment> {
        self.due.values().min().copied()
    }

    /// A piece for a member shall be said, not before `at`.
    fn plan(&mut self, member: MemberId, at: Moment) {
        let rested = self
            .last
            .get(&member)
            .map_or(at, |last| at.max(*last + PAUSE));
        let due = self.due.entry(member).or_insert(rested);
        // What is doubted may wait for a day: who moved meanwhile does not.
        *due = rested.min(*due);
    }

    fn take(&mut self, now: Moment) -> Vec<MemberId> {
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let due: Vec<_> = due.map(|(member, _)| *member).collect();
        for member in &due {
            self.due.remove(member);
            self.last.insert(*member, now);
        }
        due
    }

    /// Forgets a member.
    pub(super) fn forget(&mut self, member: MemberId) {
        self.due.remove(&member);
        self.last.remove(&member);
        self.doubts.remove(&member);
    }

    /// How long to wait for what a member has not confirmed: longer each time.
    fn doubt(&mut self, member: MemberId) -> Duration {
        let next = self.doubts.entry(member).or_insert(FIRST_DOUBT);
        let wait = *next;
        *next = wait.saturating_mul(2).min(LAST_DOUBT);
        wait
    }
}

impl Messenger {
    /// Takes up what earlier runs did not say again yet.
    pub(super) fn resume_pieces(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let known = self.rooms.find(room)?;
        let mut open = Vec::new();
        // In a wide group others wait for heralds, unless they moved.
        let wide = known.is_wide();
        for member in known.others() {
            if wide && member.stranded.is_none() {
                continue;
            }
            let up_to = member.stranded.unwrap_or(0);
            if !call.storage.unreached(member.member, up_to, 1)?.is_empty() {
                open.push(member.member);
            }
        }
        for member in open {
            self.rooms.again.plan(member, now);
        }
        Ok(())
    }

    /// A member is written to elsewhere from now on: what was on its way to them,
    /// failed or waited is said again.
    pub(super) fn strand(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        from: Moment,
    ) -> Result<(), StorageError> {
        let last = call.storage.last_unreached(member)?;
        let known = self.rooms.find(room)?;
        let record = known.members.get(&member).cloned();
        if let Some(mut record) = record.filter(|record| record.stranded < last) {
            record.stranded = last;
            self.save_member(call, record)?;
        }
        self.rooms.again.plan(member, from);
        Ok(())
    }

    /// A member confirmed what left in this letter: what left before it, and was not
    /// confirmed, may be lost.
    pub(super) fn overtaken(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        letter: u64,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        // There others look after who lacks what.
        if known.is_wide() || self.rooms.again.due.contains_key(&member) {
            return Ok(());
        }
        let up_to = letter.saturating_sub(1);
        let open = call.storage.unreached(member, up_to, 1)?;
        let Some(oldest) = open.first() else {
            self.rooms.again.doubts.remove(&member);
            return Ok(());
        };
        // What never left waits for something else.
        if oldest.letter.is_none() {
            return Ok(());
        }
        let record = self.rooms.find(room)?.members.get(&member).cloned();
        if let Some(mut record) = record.filter(|record| record.stranded < Some(up_to)) {
            record.stranded = Some(up_to);
            self.save_member(call, record)?;
        }
        let at = call.cx.now() + self.rooms.again.doubt(member);
        self.rooms.again.plan(member, at);
        Ok(())
    }

    /// My mailbox was lost, with all that may have come to it: what nobody
    /// confirmed is said again, so that it is confirmed where I am now.
    pub(super) fn strand_all(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        from: Moment,
    ) -> Result<(), StorageError> {
        let others = self.rooms.find(room)?.others();
        let others: Vec<MemberId> = others.map(|member| member.member).collect();
        others
            .into_iter()
            .try_for_each(|member| self.strand(call, room, member, from))
    }

    /// Some are not in a room any more for good: nothing is sent to them, and nothing
    /// waits for them.
    pub(super) fn give_up_on(
        &mut self,
        call: &mut Call<'_, '_>,
        members: &[MemberId],
    ) -> Result<(), StorageError> {
        for member in members {
            self.rooms.again.forget(*member);
            loop {
                let open = call.storage.unreached(*member, u64::MAX, MOST_GIVEN_UP)?;
                for one in &open {
                    self.give_up_one(call, one)?;
                }
                if open.len() < MOST_GIVEN_UP {
                    break;
                }
            }
        }
        Ok(())
    }

    fn give_up_one(
        &mut self,
        call: &mut Call<'_, '_>,
        one: &RecipientRecord,
    ) -> Result<(), StorageError> {
        if let Some(letter) = one.letter {
            self.recall(call, letter)?;
        }
        call.storage.remove_recipient(&one.message, one.member)?;
        self.count_anew(call, &one.message, None)
    }

    /// Says the pieces that are due.
    pub(super) fn pieces_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for member in self.rooms.again.take(call.cx.now()) {
            let Some(room) = self.rooms.of_member.get(&member).copied() else {
                continue;
            };
            self.within(call, room.place(), |this, call| {
                this.say_piece(call, room, member)
            })?;
        }
        Ok(())
    }

    fn say_piece(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let mine = known.is_mine();
        let Some(record) = known.members.get(&member).cloned() else {
            return Ok(());
        };
        if !mine || !record.present || record.addresses.is_empty() {
            return Ok(());
        }
        let up_to = record.stranded.unwrap_or(0);
        let open = call.storage.unreached(member, up_to, MOST_IN_PIECE)?;
        for one in &open {
            if !self.say_to_one(call, room, one)? {
                // They have to tell other addresses first.
                return Ok(());
            }
        }
        if open.len() == MOST_IN_PIECE {
            self.rooms.again.plan(member, call.cx.now());
            return Ok(());
        }
        match self.rooms.find(room)?.members.get(&member).cloned() {
            Some(mut record) if record.stranded.is_some() => {
                record.stranded = None;
                self.save_member(call, record)
            }
            _ => Ok(()),
        }
    }

    /// Says one message again to one member; `false` if that cannot be.
    fn say_to_one(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        one: &RecipientRecord,
    ) -> Result<bool, StorageError> {
        let record = call.storage.message(&one.message)?;
        let Some(record) = record.filter(|record| !record.is_erased()) else {
            self.give_up_one(call, one)?;
            return Ok(true);
        };
        if !self.repeat_to(call, room, one, &record)? {
            return Ok(false);
        }
        if one.state != MessageState::Queued {
            self.count_anew(call, &one.message, None)?;
        }
        Ok(true)
    }

    /// Says a message again to one member, in a letter that is for nobody else;
    /// `false` if it cannot be sealed for them, or waits until they tell where to
    /// write.
    pub(super) fn repeat_to(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        to: &RecipientRecord,
        record: &MessageRecord,
    ) -> Result<bool, StorageError> {
        let now = self.keeper(call, room, |keeper, _| Ok(keeper.epoch()))?;
        let known = self.rooms.find(room)?;
        let content = Content::Room(RoomWord {
            room: known.record.conversation,
            step: RoomStep::Again {
                epoch: known.epoch_of(&record.position).min(now),
                message: record.content.clone(),
            },
        });
        let Some(side) = self.seal_aside(call, room, to.member, &content)? else {
            return Ok(false);
        };
        if let Some(letter) = to.letter {
            self.recall(call, letter)?;
        }
        self.send_to(call, room, to.member, to.message, LetterBody::side(&side))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_moves_does_not_wait_for_what_is_doubted() {
        let (member, now) = (MemberId(1), Moment::default());
        let mut pieces = Pieces::default();
        let doubted = now + pieces.doubt(member);
        pieces.plan(member, doubted);
        pieces.plan(member, now);
        assert_eq!(pieces.due(), Some(now));
        pieces.plan(member, doubted);
        assert_eq!(pieces.due(), Some(now));
    }

    #[test]
    fn who_moves_often_is_said_things_again_now_and_then() {
        let member = MemberId(1);
        let at = |seconds| Moment::from_origin(Duration::from_secs(seconds));
        let mut pieces = Pieces::default();
        pieces.plan(member, at(5));
        assert_eq!(pieces.due(), Some(at(5)), "the first time at once");
        assert_eq!(pieces.take(at(5)), [member]);
        for moved in [6, 10, 19] {
            pieces.plan(member, at(moved));
            assert_eq!(pieces.due(), Some(at(20)));
        }
        assert!(pieces.take(at(19)).is_empty());
        pieces.forget(member);
        assert_eq!(pieces.due(), None);
    }
}
