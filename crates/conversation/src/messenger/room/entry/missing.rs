//! Who is in a room and was not heard of: where they are written to, or whose devices they are.
//!
//! A newcomer is told who is there, and greets; each who is not known answers. Of all that
//! nobody confirms anything, and where a server dropped one of these letters two members would
//! lack each other for good. So whoever lacks somebody asks, later each time: the one who is
//! lacked, if that is possible, else two of those who are believed about others, which are
//! stewards and one's own devices.

use core::time::Duration;
use std::collections::BTreeSet;

use hushwing_delivery::Address;
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
pub(in crate::messenger::room) struct Question {
    at: Moment,
    wait: Duration,
    /// Who was missing then. For somebody else it begins anew.
    about: BTreeSet<MemberId>,
    /// How many it was asked for, once it was.
    asked: Option<usize>,
}

impl Question {
    /// How long to wait before it is asked next, and whether it is asked now; `None` if it is
    /// not time yet.
    fn next(
        before: Option<&Self>,
        about: &BTreeSet<MemberId>,
        now: Moment,
    ) -> Option<(Duration, bool)> {
        let before = before.filter(|before| about.is_subset(&before.about));
        match before {
            None => Some((FIRST, false)),
            Some(before) if now < before.at => None,
            // It was of use.
            Some(before) if before.asked.is_some() && about.len() < before.about.len() => {
                Some((FIRST, true))
            }
            Some(before) => Some((before.wait.saturating_mul(2).min(LONGEST), true)),
        }
    }

    /// Whether to ask on at once, so many fewer being missing since an answer: once for each
    /// question, and not where it told little. Who answers has me ask no oftener than it is
    /// of use.
    fn take_answer(&mut self, found: usize) -> bool {
        let enough = self.asked.is_some_and(|asked| found * 2 >= asked);
        if enough {
            self.asked = None;
        }
        enough && found > 0
    }
}

impl Room {
    /// Those who are there and of whom something is lacking.
    fn missing(&self) -> Vec<&MemberRecord> {
        let lacks = |one: &&MemberRecord| !self.reaches(one) || self.is_unbound(one);
        self.others().filter(lacks).collect()
    }

    /// Whether it is known where to write to somebody, as far as can be told.
    pub(super) fn reaches(&self, one: &MemberRecord) -> bool {
        !one.addresses.is_empty() && !self.refused.contains(&one.member)
    }

    /// Whether what others tell of somebody is taken: where nothing is known, or nothing that
    /// is of use any more.
    pub(super) fn lacks_addresses(&self, one: &MemberRecord, entry: &Entry) -> bool {
        let addresses = one.addresses.iter().map(|address| address.expose());
        let other = || !addresses.eq(entry.addresses.iter().map(Vec::as_slice));
        let unknown = one.revision == 0 && one.addresses.is_empty();
        unknown || (self.refused.contains(&one.member) && other())
    }

    /// Whether somebody else of their account is there, and it is not known that both are one.
    fn is_unbound(&self, one: &MemberRecord) -> bool {
        let person = self.person(one.member);
        let mut others = self.others();
        one.account != self.record.account
            && others
                .any(|other| other.account == one.account && self.person(other.member) != person)
    }

    /// Whom to ask for those who are missing, and by which keys.
    fn question_for(&self, cx: &mut Context<'_>) -> Result<Asked, StorageError> {
        // Each comes to be asked for some time, however many there are.
        let missing = shuffled(cx, self.missing());
        let reached = |one: &&&MemberRecord| self.reaches(one);
        let themselves: Vec<_> = missing.iter().filter(reached).take(MOST_ASKED).collect();
        let mut asked: Vec<_> = themselves.iter().map(|one| one.member).collect();
        let others = missing.iter().filter(|one| !asked.contains(&one.member));
        let named = themselves.iter().copied().chain(others).take(MAX_ROSTER);
        let keys = named.map(|one| key(&one.key)).collect::<Result<_, _>>()?;
        if !missing.iter().all(|one| reached(&one)) {
            let tells = |one: &&MemberRecord| {
                let believed = self.is_own_device(one.member) || self.is_steward(&one.account);
                believed && reached(&one) && !asked.contains(&one.member)
            };
            let tellers = shuffled(cx, self.others().filter(tells).collect());
            asked.extend(tellers.iter().map(|one| one.member).take(TELLERS));
        }
        Ok((asked, keys))
    }

    /// What I know of those with these keys who are there.
    fn entries_of(&self, asker: MemberId, keys: &[[u8; 32]]) -> Vec<Entry> {
        let there = keys
            .iter()
            .filter_map(|key| Some((key, self.present(key)?)));
        let others = there.filter(|(_, one)| !one.mine && one.member != asker);
        others.map(|(key, one)| entry_of(*key, one)).collect()
    }
}

/// Members to write to, and the keys of those they are asked for.
type Asked = (Vec<MemberId>, Vec<[u8; 32]>);

fn shuffled<T>(cx: &mut Context<'_>, mut all: Vec<T>) -> Vec<T> {
    for at in (1..all.len()).rev() {
        let other = cx.random_below(at as u64 + 1);
        all.swap(at, usize::try_from(other).unwrap_or(at));
    }
    all
}

impl Messenger {
    /// A letter was refused for good at each of these addresses: whoever has no other is asked
    /// for, in a wide group. A greeting that told where they moved may have been dropped.
    pub(in crate::messenger) fn note_refused(&mut self, tried: &[Address]) {
        let tried: Vec<Vec<u8>> = tried.iter().map(Address::encode).collect();
        let gone = |one: &MemberRecord| {
            let mut addresses = one.addresses.iter();
            !one.addresses.is_empty()
                && addresses.all(|known| tried.iter().any(|tried| tried == known.expose()))
        };
        for known in self
            .rooms
            .by_id
            .values_mut()
            .filter(|known| known.is_wide())
        {
            let gone = known.others().filter(|one| gone(one));
            let gone: Vec<_> = gone.map(|one| one.member).collect();
            known.refused.extend(gone);
        }
    }

    /// Asks for those who are missing in a room, if it is time to.
    pub(in crate::messenger::room) fn look_for_missing(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let silent = self.is_blocked_pair(room) || self.is_usurped_pair(room);
        let known = self.rooms.find(room)?;
        let about: BTreeSet<_> = known.missing().iter().map(|one| one.member).collect();
        if about.is_empty() || !known.is_mine() || silent {
            known.question = None;
            return Ok(());
        }
        let Some((wait, due)) = Question::next(known.question.as_ref(), &about, now) else {
            return Ok(());
        };
        let some_more = Duration::from_secs(call.cx.random_below(wait.as_secs()));
        let at = now + wait + some_more;
        let asked = None;
        known.question = Some(Question {
            at,
            wait,
            about,
            asked,
        });
        match due {
            true => self.ask_who_is_missing(call, room),
            false => Ok(()),
        }
    }

    /// Somebody told of so many who were missing: there may be more than fit into one answer.
    pub(super) fn ask_on(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        found: usize,
    ) -> Result<(), StorageError> {
        let silent = self.is_blocked_pair(room) || self.is_usurped_pair(room);
        let known = self.rooms.find(room)?;
        let question = known.question.as_mut();
        let answered = question.is_some_and(|question| question.take_answer(found));
        match answered && known.is_mine() && !silent && !known.missing().is_empty() {
            true => self.ask_who_is_missing(call, room),
            false => Ok(()),
        }
    }

    fn ask_who_is_missing(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let (asked, keys) = known.question_for(call.cx)?;
        if let Some(question) = &mut known.question {
            question.asked = Some(keys.len());
        }
        let content = Content::Room(RoomWord {
            room: known.record.conversation,
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
        let silent = self.is_blocked_pair(room) || self.is_usurped_pair(room);
        let own = self.rooms.find(room)?.is_own(by);
        if (silent && !own) || !self.rooms.greetings.may_answer(by, now) {
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
        // That is much for a few words: nobody needs it often, nor if they do not read it.
        if entries.is_empty() || !self.rooms.greetings.may_be_told_of_others(by, now) {
            return Ok(());
        }
        let content = Content::Room(RoomWord {
            room: conversation,
            step: RoomStep::Roster(entries),
        });
        self.tell_for_others(call, room, by, &content).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(60 * minutes))
    }

    fn members(numbers: core::ops::Range<u64>) -> BTreeSet<MemberId> {
        numbers.map(MemberId).collect()
    }

    fn question(about: core::ops::Range<u64>, asked: Option<usize>) -> Question {
        Question {
            at: at(40),
            wait: FIRST * 2,
            about: members(about),
            asked,
        }
    }

    #[test]
    fn it_is_asked_later_each_time_unless_that_was_of_use_or_others_are_missing() {
        let next = |before, about, minutes| Question::next(before, &members(about), at(minutes));
        assert_eq!(next(None, 0..3, 0), Some((FIRST, false)));
        let before = question(0..300, Some(64));
        assert_eq!(next(Some(&before), 0..300, 39), None);
        assert_eq!(next(Some(&before), 0..300, 40), Some((FIRST * 4, true)));
        assert_eq!(next(Some(&before), 0..299, 40), Some((FIRST, true)));
        assert_eq!(next(Some(&before), 0..301, 39), Some((FIRST, false)));
        let planned = question(0..300, None);
        assert_eq!(next(Some(&planned), 0..299, 40), Some((FIRST * 4, true)));
    }

    #[test]
    fn it_is_asked_on_at_once_where_an_answer_told_much_of_what_was_asked() {
        assert!(!question(0..300, None).take_answer(64));
        assert!(!question(0..300, Some(64)).take_answer(31));
        assert!(!question(0..300, Some(0)).take_answer(0));
        assert!(question(0..2, Some(2)).take_answer(1));
        let mut once = question(0..300, Some(64));
        assert!(once.take_answer(60));
        assert!(!once.take_answer(60));
    }
}
