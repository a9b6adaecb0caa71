//! Putting others in the place of heralds that are silent.
//!
//! A steward's program goes by what it asked and heard itself ([`super::roll`]): nobody
//! answers for another, and nobody but a network can keep an answer from it. An answer ends
//! silence however late it comes, so the marks of calls are written down. It puts in
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
use crate::storage::{MemberRecord, RoomRollRecord, Silence};
use crate::{MemberId, RoomId};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = HOUR.saturating_mul(24);
/// Calls whose answers are known.
const MOST_MARKS: usize = 16;
/// Who was replaced for silence is not named by itself for as long.
const PASSED_OVER: Duration = DAY.saturating_mul(7);
/// Others who are asked with heralds: while all answer, and while one does not.
const OTHERS: (usize, usize) = (2, 6);

/// How long a steward waits before it puts others in the place of heralds.
struct Patience {
    /// Since a herald was asked first and did not answer, and so many calls.
    silence: Duration,
    missed: u32,
    /// Since heralds changed last.
    rest: Duration,
    /// More for each who is asked to see to it before.
    turn: Duration,
}

/// While a herald is there, and while none is.
const SOME_THERE: Patience = Patience {
    silence: HOUR.saturating_mul(6),
    missed: 3,
    rest: DAY,
    turn: HOUR,
};
const NONE_THERE: Patience = Patience {
    silence: HOUR,
    missed: 2,
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
        let mut gone = Vec::new();
        if self.named != named {
            gone = core::mem::replace(&mut self.named, named);
            self.since = now;
        }
        // A clock that was ahead for a while is not to hold for years.
        self.since = self.since.min(now);
        let dated = self.replaced.iter_mut().chain(&mut self.unwilling);
        let dated = dated.filter(|one| !one.is_for_good());
        dated.for_each(|one| one.at = one.at.min(now));
        let silent = self.silent.iter_mut();
        silent.for_each(|one| one.since = one.since.min(now));
        // Whoever saw to it, for silence or by hand.
        let named = &self.named;
        let silent = self
            .silent
            .extract_if(.., |one| !named.contains(&one.account));
        gone.extend(silent.map(|one| one.account));
        let there = |account: &[u8]| known.present_of(account).is_some();
        gone.retain(|one| !self.named.contains(one) && there(one));
        for account in gone {
            self.pass_over(&account, now);
        }
        self.replaced.retain(|one| match one.is_for_good() {
            true => there(&one.account),
            false => now < one.at + PASSED_OVER,
        });
        self.unwilling.retain(|one| there(&one.account));
    }

    fn silence_of(&self, account: &[u8]) -> Option<&Silence> {
        self.silent.iter().find(|one| one.account == account)
    }

    /// A herald did not answer a call that others did.
    fn note_missed(&mut self, account: &[u8], asked: Timestamp) {
        let mut silent = self.silent.iter_mut();
        match silent.find(|one| one.account == account) {
            Some(silence) => silence.missed = silence.missed.saturating_add(1),
            None => self.silent.push(Silence {
                account: account.to_vec(),
                since: asked,
                missed: 1,
            }),
        }
    }

    fn note_mark(&mut self, mark: [u8; 16]) {
        if self.marks.len() >= MOST_MARKS {
            self.marks.remove(0);
        }
        self.marks.push(mark);
    }

    pub(in crate::messenger) fn is_unwilling(&self, account: &[u8]) -> bool {
        self.unwilling.iter().any(|one| one.account == account)
    }

    /// Whether somebody may be named by itself.
    pub(super) fn may_be_named(&self, account: &[u8]) -> bool {
        let replaced = self.replaced.iter().any(|one| one.account == account);
        !replaced && self.silence_of(account).is_none() && !self.is_unwilling(account)
    }
}

impl Room {
    /// How many are to see to heralds before me: stewards above, and devices of mine. `None`
    /// if it is not for me to do.
    pub(super) fn turn(&self) -> Option<u32> {
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
            record.silence_of(account).is_some()
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
                // One with much waiting serves who is there all the same.
                Some(Readiness::Ready | Readiness::Unable) => {
                    record.silent.retain(|one| one.account != account);
                }
                None if !over.was_heard() => {}
                _ => record.note_missed(account, over.wall),
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
        let is_out = |account: &AccountId, patience: &Patience| {
            let later = patience.turn.saturating_mul(turn);
            let bytes = account.as_bytes();
            let silent = record.silence_of(bytes).filter(|_| !ready(account));
            let silent = silent.is_some_and(|silence| {
                silence.missed >= patience.missed && silence.since + patience.silence + later <= now
            });
            silent || record.is_unwilling(bytes) || self.present_of(bytes).is_none()
        };
        // One that did not answer once is no reason to hurry.
        let all_out = self.named.iter().all(|one| is_out(one, &NONE_THERE));
        let patience = match all_out {
            true => NONE_THERE,
            false => SOME_THERE,
        };
        let later = patience.turn.saturating_mul(turn);
        if now < record.since + patience.rest + later {
            return Ok(Default::default());
        }
        let named = self.named.iter();
        let out = named.filter(|one| is_out(one, &patience));
        let mut heralds: Vec<_> = out.cloned().collect();
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
        let first = self.present_of(me.as_bytes()).map(|one| one.member);
        let mine = first == self.me() && !self.named.contains(&me);
        if over.was_heard() && mine && record.may_be_named(me.as_bytes()) {
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
        let mut record = known.rolled.clone();
        record.tidy(known, wall);
        let (mut heralds, mut by) = Default::default();
        if let Some(over) = known.roll.close(now) {
            known.note_answers(&mut record, &over);
            let missed = known.lacks_heralds(&record) || over.lacks_one();
            known.roll.go_on(call.cx, &over, (missed, turn));
            if missed && !waits {
                (heralds, by) = known.relief(&record, &over, (turn, wall))?;
            }
        }
        self.save_roll(call, room, &record)?;
        if !by.is_empty() {
            self.want(call, room, Wish::Relieve { heralds, by })?;
        }
        let known = self.rooms.find(room)?;
        let missed = known.lacks_heralds(&record) || known.roll.was_in_doubt();
        match known.roll.is_due(call.cx, missed) {
            true => self.call_roll(call, room, record, missed),
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
        mut record: RoomRollRecord,
        missed: bool,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let me = known.me();
        let conversation = known.record.conversation;
        let heralds = known.heralds_if_wide();
        let heralds = heralds.iter().filter(|one| Some(*one) != me);
        let heralds: Vec<MemberId> = heralds.collect();
        let mut asked = Vec::new();
        let mut others: Vec<_> = known.eligible(&record).map(|one| one.member).collect();
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
        record.note_mark(mark);
        self.save_roll(call, room, &record)?;
        let word = RoomWord {
            room: conversation,
            step: RoomStep::Roll(mark),
        };
        let word = Content::Room(word);
        let heralds = self.ask_each(call, room, heralds, &word)?;
        let asked = self.ask_each(call, room, asked, &word)?;
        let times = (call.cx.now(), call.cx.wall());
        self.rooms.find(room)?.roll.open(times, &heralds, &asked);
        Ok(())
    }

    /// Asks all whom it is known where to write to; these.
    fn ask_each(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        mut all: Vec<MemberId>,
        word: &Content,
    ) -> Result<Vec<MemberId>, StorageError> {
        for one in core::mem::take(&mut all) {
            let letter = self.tell_for_others(call, room, one, word)?;
            all.extend(letter.map(|_| one));
        }
        Ok(all)
    }

    pub(super) fn save_roll(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        record: &RoomRollRecord,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        if known.rolled == *record {
            return Ok(());
        }
        known.rolled = record.clone();
        record.put(call.storage, room)
    }
}

#[cfg(test)]
mod tests {
    use hushwing_sansio::Moment;

    use super::*;
    use crate::messenger::room::devices::room;
    use crate::messenger::room::wide::Roll;

    const HERALD: MemberId = MemberId(1);

    /// A call of a herald and two others that is over, and which of these answered it.
    fn over(answered: &[u64]) -> RollCall {
        let mut roll = Roll::default();
        let times = (Moment::default(), Timestamp::default());
        roll.open(times, &[HERALD], &[MemberId(2), MemberId(3)]);
        for one in answered {
            roll.answered(MemberId(*one), Readiness::Ready);
        }
        roll.close(Moment::default() + Duration::from_secs(30 * 60))
            .unwrap()
    }

    #[test]
    fn who_does_not_answer_is_silent_only_where_others_are_heard() {
        let mut known = room(&[(1, 1), (2, 2), (3, 3)]);
        known.named = vec![account(&[1; 16]).unwrap()];
        let missed = |answered: &[u64]| {
            let mut record = RoomRollRecord::default();
            known.note_answers(&mut record, &over(answered));
            record.silence_of(&[1; 16]).map_or(0, |one| one.missed)
        };
        assert_eq!(missed(&[]), 0, "it may be me");
        assert_eq!(missed(&[2]), 0, "or who lets one through");
        assert_eq!(missed(&[2, 3]), 1);
        let mut with_much = over(&[2, 3]);
        with_much.asked.insert(HERALD, Some(Readiness::Unable));
        let mut record = RoomRollRecord::default();
        known.note_answers(&mut record, &with_much);
        assert!(
            record.silence_of(&[1; 16]).is_none(),
            "it serves who is there"
        );
        assert_eq!(missed(&[1, 2, 3]), 0);
    }
}
