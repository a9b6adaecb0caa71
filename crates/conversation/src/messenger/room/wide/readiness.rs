//! Whether somebody is there to pass on what others say, and wants to.
//!
//! A steward's program asks; only the one who was asked answers, by a letter that nobody else
//! can make. Who wants to be no herald tells stewards and own devices, asked or not.

use hushwing_sansio::{StorageError, Timestamp};

use crate::content::{Content, Readiness, RoomStep, RoomWord};
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{Dated, MemberRecord, RoomRollRecord};
use crate::{DropReason, MemberId, Reply, RoomId};

impl RoomRollRecord {
    /// Somebody says whether they want to pass on; whether that is new.
    fn note_will(&mut self, account: &[u8], willing: bool, now: Timestamp) -> bool {
        if self.is_unwilling(account) != willing {
            return false;
        }
        match willing {
            true => self.unwilling.retain(|one| one.account != account),
            false => self.unwilling.push(Dated {
                account: account.to_vec(),
                at: now,
            }),
        }
        true
    }
}

impl Messenger {
    /// A steward asks whether I am there.
    pub(in crate::messenger::room) fn heard_roll(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        by: MemberId,
        mark: [u8; 16],
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let known = self.rooms.find(room)?;
        let member = known.members.get(&by).filter(|one| one.present);
        let steward = member.is_some_and(|one| known.is_steward(&one.account));
        let large = known.size() > known.narrow;
        if !steward || !large || !known.roll.answers(by, now) {
            return self.drop_letter(None, DropReason::Room);
        }
        self.tell_readiness(call, room, by, mark)
    }

    /// Whether nearly as much waits in my outbox as I keep for others: what I serve to who
    /// takes nothing is soon dropped, and another may have room for it.
    fn is_nearly_full_for_others(&self) -> bool {
        let (letters, bytes) = self.office.for_others();
        let most = self.config.most_for_others;
        let nearly = |waits: usize, most: usize| waits.saturating_mul(8) >= most.saturating_mul(7);
        nearly(letters, most.0) || nearly(bytes, most.1)
    }

    fn tell_readiness(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        to: MemberId,
        mark: [u8; 16],
    ) -> Result<(), StorageError> {
        let full = self.is_nearly_full_for_others();
        let known = self.rooms.find(room)?;
        let readiness = match known.rolled.is_unwilling(&known.record.account) {
            true => Readiness::Unwilling,
            false if full => Readiness::Unable,
            false => Readiness::Ready,
        };
        let word = RoomWord {
            room: known.record.conversation,
            step: RoomStep::Here { mark, readiness },
        };
        self.tell_for_others(call, room, to, &Content::Room(word))
            .map(drop)
    }

    /// Somebody says that they are there, and whether they pass on what others say.
    pub(in crate::messenger::room) fn heard_here(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        by: MemberId,
        mark: [u8; 16],
        readiness: Readiness,
    ) -> Result<(), StorageError> {
        let wall = call.cx.wall();
        let known = self.rooms.find(room)?;
        let Some(member) = known.members.get(&by).filter(|one| one.present) else {
            return self.drop_letter(None, DropReason::Room);
        };
        let account = member.account.clone();
        // Another device of mine tells me what was decided there, steward or not.
        let own = account == known.record.account;
        if known.me() == Some(by) || (known.turn().is_none() && !own) {
            return self.drop_letter(None, DropReason::Room);
        }
        let mut record = known.rolled.clone();
        let answers = record.marks.contains(&mark);
        if answers {
            known.roll.answered(by, readiness);
        }
        record.note_will(&account, readiness != Readiness::Unwilling, wall);
        if answers && readiness == Readiness::Ready {
            record.silent.retain(|one| one.account != account);
        }
        self.save_roll(call, room, &record)
    }

    /// Says whether I pass on what others say, if I am asked to. Who declines while they do
    /// goes on until a steward's program has named another.
    pub(in crate::messenger) fn be_herald(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        willing: bool,
    ) -> Result<Reply, Stop> {
        let wall = call.cx.wall();
        let known = self.my_room(room)?;
        let account = known.record.account.clone();
        let mut record = known.rolled.clone();
        if record.note_will(&account, willing, wall) {
            let told =
                |one: &&MemberRecord| known.is_steward(&one.account) || one.account == account;
            let others = known.others().filter(told);
            let stewards: Vec<_> = others.map(|one| one.member).collect();
            self.save_roll(call, room, &record)?;
            for steward in stewards {
                let mark = call.cx.random();
                self.tell_readiness(call, room, steward, mark)?;
            }
            self.tell_room(room);
        }
        self.show_room(room)
    }
}
