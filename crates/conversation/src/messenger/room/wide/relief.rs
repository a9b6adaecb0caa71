//! Putting others in the place of heralds that are silent.
//!
//! A steward's program goes by what it asked and heard itself ([`super::roll`]): nobody
//! answers for another, and nobody but a network can keep an answer from it. It puts in
//! their place who just answered. Stewards wait for those above them, and all wait a day
//! after each change, as long as a herald is there: who comes and goes is no reason for a
//! commit an hour.

use core::time::Duration;

use hushwing_sansio::{StorageError, Timestamp};

use super::roll::RollCall;
use crate::branches::{AccountId, Keeper, Wish};
use crate::content::{Content, Readiness, RoomStep, RoomWord};
use crate::messenger::room::{Room, account};
use crate::messenger::{Call, Messenger};
use crate::storage::{Dated, MemberRecord, RoomRollRecord};
use crate::{DropReason, MemberId, RoomId};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = HOUR.saturating_mul(24);
/// Who was replaced for silence is not named by itself for as long.
const PASSED_OVER: Duration = DAY.saturating_mul(7);
/// Others who are asked with heralds: while all answer, and while one does not.
const OTHERS: (usize, usize) = (2, 6);

/// How long a steward waits before it puts others in the place of heralds.
struct Patience {
    /// Since a herald was asked first and did not answer.
    silence: Duration,
    /// Since heralds changed last.
    rest: Duration,
    /// More for each who is asked to see to it before.
    turn: Duration,
}

/// While a herald is there, and while none is.
const SOME_THERE: Patience = Patience {
    silence: HOUR.saturating_mul(6),
    rest: DAY,
    turn: HOUR,
};
const NONE_THERE: Patience = Patience {
    silence: HOUR,
    rest: HOUR,
    turn: Duration::from_secs(20 * 60),
};

impl RoomRollRecord {
    /// Takes note of who is named now, and forgets what does not matter any more.
    fn tidy(&mut self, known: &Room, now: Timestamp) {
        let named: Vec<_> = known
            .named
            .iter()
            .map(|one| one.as_bytes().to_vec())
            .collect();
        if self.named != named {
            self.named = named;
            self.since = now;
        }
        let named = &self.named;
        self.silent.retain(|one| named.contains(&one.account));
        self.replaced.retain(|one| now < one.at + PASSED_OVER);
        let there = |one: &Dated| known.present_of(&one.account).is_some();
        self.unwilling.retain(there);
    }

    fn is_silent_since(&self, account: &[u8]) -> Option<Timestamp> {
        let mut silent = self.silent.iter();
        silent.find(|one| one.account == account).map(|one| one.at)
    }

    pub(in crate::messenger) fn is_unwilling(&self, account: &[u8]) -> bool {
        self.unwilling.iter().any(|one| one.account == account)
    }

    /// Whether somebody may be named by itself.
    fn may_be_named(&self, account: &[u8]) -> bool {
        let replaced = self.replaced.iter().any(|one| one.account == account);
        !replaced && !self.is_unwilling(account)
    }

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

impl Room {
    /// How many are to see to heralds before me: stewards above, and devices of mine. `None`
    /// if it is not for me to do.
    fn turn(&self) -> Option<u32> {
        let steward = |account: &AccountId| account.as_bytes() == self.record.account;
        let above = self.stewards.iter().position(steward)?;
        let mine = self.members.values().filter(|one| one.mine_too(self));
        let before = mine.filter(|one| one.key < self.key).count();
        let wide = self.is_mine() && self.size() > self.narrow;
        u32::try_from(above + before).ok().filter(|_| wide)
    }

    /// Whether somebody who is named to pass on is missing, as far as is known.
    fn lacks_heralds(&self, record: &RoomRollRecord) -> bool {
        self.named.iter().any(|one| {
            let account = one.as_bytes();
            record.is_silent_since(account).is_some()
                || record.is_unwilling(account)
                || self.present_of(account).is_none()
        })
    }

    /// Notes which heralds answered a call.
    fn note_answers(&self, record: &mut RoomRollRecord, over: &RollCall) {
        for named in &self.named {
            let account = named.as_bytes();
            let member = self.present_of(account).map(|one| one.member);
            let Some(answer) = member.and_then(|one| over.asked.get(&one)) else {
                continue;
            };
            match answer {
                Some(Readiness::Ready) => record.silent.retain(|one| one.account != account),
                None if !over.was_heard() => {}
                _ if record.is_silent_since(account).is_some() => {}
                _ => record.silent.push(Dated {
                    account: account.to_vec(),
                    at: over.wall,
                }),
            }
        }
    }

    /// Who is to come in whose place, if the time has come.
    fn relief(
        &self,
        record: &RoomRollRecord,
        over: &RollCall,
        (turn, now): (u32, Timestamp),
    ) -> Result<(Vec<AccountId>, Vec<AccountId>), StorageError> {
        let ready = |account: &AccountId| {
            let member = self.present_of(account.as_bytes());
            member.is_some_and(|one| one.mine || over.is_ready(one.member))
                && !record.is_unwilling(account.as_bytes())
        };
        let patience = match self.named.iter().any(ready) {
            true => SOME_THERE,
            false => NONE_THERE,
        };
        let later = patience.turn.saturating_mul(turn);
        if now < record.since + patience.rest + later {
            return Ok(Default::default());
        }
        let is_out = |account: &&AccountId| {
            let account = account.as_bytes();
            let silent = record.is_silent_since(account);
            record.is_unwilling(account)
                || self.present_of(account).is_none()
                || silent.is_some_and(|since| since + patience.silence + later <= now)
        };
        let mut heralds: Vec<_> = self.named.iter().filter(is_out).cloned().collect();
        let mut by = self.ready_others(record, over)?;
        by.truncate(heralds.len());
        heralds.truncate(by.len());
        Ok((heralds, by))
    }

    /// Who answered a call and may be named: first who answered most, and of these stewards;
    /// last I.
    fn ready_others(
        &self,
        record: &RoomRollRecord,
        over: &RollCall,
    ) -> Result<Vec<AccountId>, StorageError> {
        let mut ready: Vec<_> = self.eligible(record).collect();
        ready.retain(|one| over.is_ready(one.member));
        ready.sort_by_key(|one| {
            let worth = self.roll.worth(one.member);
            (core::cmp::Reverse(worth), !self.is_steward(&one.account))
        });
        let mut accounts: Vec<_> = ready
            .into_iter()
            .map(|one| account(&one.account))
            .collect::<Result<_, _>>()?;
        let me = self.account()?;
        if over.was_heard() && !self.named.contains(&me) && record.may_be_named(me.as_bytes()) {
            accounts.push(me);
        }
        Ok(accounts)
    }

    /// Others who may be named, each by the device that it would be.
    fn eligible<'a>(
        &'a self,
        record: &'a RoomRollRecord,
    ) -> impl Iterator<Item = &'a MemberRecord> {
        let others = self.others().filter(|one| {
            let named = self.named.iter().any(|of| of.as_bytes() == one.account);
            let first = self.present_of(&one.account).map(|of| of.member);
            !named && first == Some(one.member) && one.account != self.record.account
        });
        others.filter(|one| !one.addresses.is_empty() && record.may_be_named(&one.account))
    }
}

impl MemberRecord {
    /// Whether it is a device of mine that is there.
    fn mine_too(&self, room: &Room) -> bool {
        self.present && self.account == room.record.account
    }
}

impl Messenger {
    /// As a steward: asks heralds whether they are there, and puts others in the place of
    /// those that are not.
    pub(in crate::messenger::room) fn see_to_heralds(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let waits = self.waits_for_relief(room);
        let known = self.rooms.find(room)?;
        let Some(turn) = known.turn() else {
            known.roll.rest();
            return Ok(());
        };
        let before = RoomRollRecord::of(call.storage, room)?.unwrap_or_default();
        let mut record = before.clone();
        record.tidy(known, wall);
        let (mut heralds, mut by) = Default::default();
        if let Some(over) = known.roll.close(now) {
            known.note_answers(&mut record, &over);
            let missed = known.lacks_heralds(&record);
            known.roll.go_on(&over, missed);
            if missed && !waits {
                (heralds, by) = known.relief(&record, &over, (turn, wall))?;
            }
        }
        let replaced = heralds.iter().map(|one| Dated {
            account: one.as_bytes().to_vec(),
            at: wall,
        });
        record.replaced.extend(replaced);
        if record != before {
            record.put(call.storage, room)?;
        }
        if !by.is_empty() {
            self.want(call, room, Wish::Relieve { heralds, by })?;
        }
        let known = self.rooms.find(room)?;
        let missed = known.lacks_heralds(&record);
        match known.roll.is_due(call.cx, missed) {
            true => self.call_roll(call, room, &record, missed),
            false => Ok(()),
        }
    }

    /// Whether I want others in the place of heralds, and it is not so yet.
    fn waits_for_relief(&self, room: RoomId) -> bool {
        let keeper = self.rooms.keepers.get(&room);
        let mut pending = keeper.into_iter().flat_map(Keeper::pending);
        pending.any(|(wish, _)| matches!(wish, Wish::Relieve { .. }))
    }

    fn call_roll(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        record: &RoomRollRecord,
        missed: bool,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let me = known.me();
        let conversation = known.record.conversation;
        let heralds = known.heralds_if_wide();
        let heralds = heralds.iter().filter(|one| Some(*one) != me);
        let mut asked: Vec<MemberId> = heralds.collect();
        let mut others: Vec<_> = known.eligible(record).map(|one| one.member).collect();
        let count = if missed { OTHERS.1 } else { OTHERS.0 };
        // Half of them who answered before, so that who is there most shows; half by lot.
        others.sort_by_key(|one| core::cmp::Reverse(known.roll.worth(*one)));
        let tried = others.iter().filter(|one| known.roll.worth(**one) > 0);
        let tried = tried.count().min(count / 2);
        asked.extend(others.drain(..tried));
        for _ in tried..count {
            let left = u64::try_from(others.len()).unwrap_or(u64::MAX);
            if left == 0 {
                break;
            }
            let drawn = usize::try_from(call.cx.random_below(left)).unwrap_or(0);
            asked.push(others.swap_remove(drawn));
        }
        let mark = call.cx.random();
        let (now, wall) = (call.cx.now(), call.cx.wall());
        known.roll.open(mark, now, wall, &asked);
        let word = RoomWord {
            room: conversation,
            step: RoomStep::Roll(mark),
        };
        let word = Content::Room(word);
        asked
            .into_iter()
            .try_for_each(|member| self.tell_for_others(call, room, member, &word))
    }

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
        if !steward || !known.roll.answers(by, now) {
            return self.drop_letter(None, DropReason::Room);
        }
        self.tell_readiness(call, room, by, mark)
    }

    fn tell_readiness(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        to: MemberId,
        mark: [u8; 16],
    ) -> Result<(), StorageError> {
        let record = RoomRollRecord::of(call.storage, room)?.unwrap_or_default();
        let full = self.has_too_much_for_others();
        let known = self.rooms.find(room)?;
        let readiness = match record.is_unwilling(&known.record.account) {
            true => Readiness::Unwilling,
            false if full => Readiness::Unable,
            false => Readiness::Ready,
        };
        let word = RoomWord {
            room: known.record.conversation,
            step: RoomStep::Here { mark, readiness },
        };
        self.tell_for_others(call, room, to, &Content::Room(word))
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
        if known.turn().is_none() || account == known.record.account {
            return self.drop_letter(None, DropReason::Room);
        }
        let answers = known.roll.answered(by, &mark, readiness);
        let before = RoomRollRecord::of(call.storage, room)?.unwrap_or_default();
        let mut record = before.clone();
        record.note_will(&account, readiness != Readiness::Unwilling, wall);
        if answers && readiness == Readiness::Ready {
            record.silent.retain(|one| one.account != account);
        }
        match record == before {
            true => Ok(()),
            false => record.put(call.storage, room),
        }
    }
}
