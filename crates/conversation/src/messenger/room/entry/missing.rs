//! Who is in a room and was not heard of: where they are written to, or whose devices they are.
//!
//! A newcomer is told who is there, and greets; each who is not known answers. Of all that
//! nobody confirms anything, and where a server dropped one of these letters two members would
//! lack each other for good. So whoever lacks somebody asks, later each time: the one who is
//! lacked, if that is possible, else two of those who are believed about others, which are
//! stewards and one's own devices.

use core::time::Duration;

use hushwing_sansio::{Context, Moment, StorageError};

use super::roster::{entry_of, fitted};
use crate::content::{Content, Entry, MAX_ROSTER, RoomStep, RoomWord};
use crate::messenger::room::{Room, key};
use crate::messenger::{Call, Messenger};
use crate::storage::MemberRecord;
use crate::{MemberId, RoomId};

/// Until it is asked first: who was just let in greets by then.
const FIRST: Duration = Duration::from_secs(10 * 60);
/// Between two questions, at most.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Of those who may tell of others, so many are asked at once.
const TELLERS: usize = 2;
/// Of those who only have to tell of themselves.
const MOST_ASKED: usize = 8;

/// When it is asked next for those who are missing, and how long was waited for that.
#[derive(Clone, Copy, Debug)]
pub(in crate::messenger::room) struct Question {
    at: Moment,
    wait: Duration,
}

impl Room {
    /// Those who are there and of whom something is lacking.
    fn missing(&self) -> Vec<&MemberRecord> {
        let lacks = |one: &&MemberRecord| one.addresses.is_empty() || self.is_unbound(one);
        self.others().filter(lacks).collect()
    }

    /// Whether somebody else of their account is there, and it is not known that both are one.
    fn is_unbound(&self, one: &MemberRecord) -> bool {
        let person = self.person(one.member);
        let mut others = self.others();
        one.account != self.record.account
            && others
                .any(|other| other.account == one.account && self.person(other.member) != person)
    }

    /// Whom to ask for those who are missing.
    fn asked_for(&self, cx: &mut Context<'_>, missing: &[&MemberRecord]) -> Vec<MemberId> {
        let reached = |one: &MemberRecord| !one.addresses.is_empty();
        let themselves = missing.iter().filter(|one| reached(one));
        let mut asked: Vec<_> = themselves.map(|one| one.member).take(MOST_ASKED).collect();
        if missing.iter().all(|one| reached(one)) {
            return asked;
        }
        let tells =
            |one: &MemberRecord| self.is_own_device(one.member) || self.is_steward(&one.account);
        let mut tellers: Vec<_> = self
            .others()
            .filter(|one| reached(one) && tells(one))
            .map(|one| one.member)
            .collect();
        for _ in 0..TELLERS.min(tellers.len()) {
            let at = cx.random_below(tellers.len() as u64);
            asked.push(tellers.swap_remove(usize::try_from(at).unwrap_or(0)));
        }
        asked.dedup();
        asked
    }
}

impl Messenger {
    /// Asks for those who are missing in a room, if it is time to.
    pub(in crate::messenger::room) fn look_for_missing(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let known = self.rooms.find(room)?;
        let missing = known.missing();
        if missing.is_empty() || !known.is_mine() {
            known.question = None;
            return Ok(());
        }
        let (wait, due) = match known.question {
            None => (FIRST, false),
            Some(question) if now < question.at => return Ok(()),
            Some(question) => (question.wait.saturating_mul(2).min(LONGEST), true),
        };
        let asked = match due {
            true => known.asked_for(call.cx, &missing),
            false => Vec::new(),
        };
        let keys = missing.iter().take(MAX_ROSTER).map(|one| key(&one.key));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let conversation = known.record.conversation;
        known.question = Some(Question {
            at: now + wait,
            wait,
        });
        let content = Content::Room(RoomWord {
            room: conversation,
            step: RoomStep::Missing(keys),
        });
        for member in asked {
            self.say_aside(call, room, member, &content)?;
        }
        Ok(())
    }

    /// Somebody lacks me, or others of whom they believe me.
    pub(in crate::messenger::room) fn heard_missing(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        by: MemberId,
        keys: &[[u8; 32]],
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let meeting = self.devices.meet_in(room);
        let blocked = self.is_blocked_pair(room);
        let known = self.rooms.find(room)?;
        let own = known.is_own(by);
        if (blocked && !own) || !self.rooms.greetings.may_answer(by, now) {
            return Ok(());
        }
        let known = self.rooms.find(room)?;
        let me = keys.iter().any(|one| one.as_slice() == known.key);
        let believed = meeting || own || known.is_steward(&known.record.account);
        let entries = match believed {
            true => known.entries_of(by, keys),
            false => Vec::new(),
        };
        let conversation = known.record.conversation;
        if me && known.record.mailbox.is_some() {
            self.greet_one(call, room, by)?;
        }
        let entries = fitted(entries);
        if entries.is_empty() {
            return Ok(());
        }
        let content = Content::Room(RoomWord {
            room: conversation,
            step: RoomStep::Roster(entries),
        });
        self.say_aside(call, room, by, &content).map(drop)
    }
}

impl Room {
    /// What I know of those with these keys who are there.
    fn entries_of(&self, asker: MemberId, keys: &[[u8; 32]]) -> Vec<Entry> {
        let there = keys
            .iter()
            .filter_map(|key| Some((key, self.present(key)?)));
        let others = there.filter(|(_, one)| !one.mine && one.member != asker);
        others.map(|(key, one)| entry_of(*key, one)).collect()
    }
}
