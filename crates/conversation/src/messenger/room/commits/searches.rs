//! Which commits are missed, and whose turn it is to be asked for.
//!
//! A letter says itself of which state it is, and who sent it; both can be invented
//! by whoever knows the mailbox. So searches are kept by who is said to have sent
//! what they are for: each present member has a few places, and all who are none
//! share a few. In a full row a new one takes the place of one that was asked for
//! before. Of what is due, all rows take turns, and only so many are asked for at a
//! time: whoever fills rows makes the others wait for some seconds, and no more.
//!
//! How often a state was asked for is remembered for a day, also where it gave way: each letter
//! that comes has what is missing looked for again, and those who ask each other for what neither
//! has would else never come to an end.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use hushwing_sansio::Moment;

use crate::branches::StatePrefix;
use crate::{MemberId, RoomId};

/// How long a commit may be late before it is asked for.
const PATIENCE: Duration = Duration::from_secs(3);
/// After the first time it is asked for; each further time takes twice as long.
const PAUSE: Duration = Duration::from_secs(20);
/// How often the same is asked for.
pub(super) const MOST_TRIES: u32 = 8;
/// After the last time, before it is asked for anew.
const REST: Duration = Duration::from_secs(24 * 60 * 60);
/// The same where somebody who is there says something in it.
const HINT_REST: Duration = Duration::from_secs(60 * 60);
/// States of which it is remembered how often they were asked for.
const MOST_REMEMBERED: usize = 1_024;
/// States that are asked for at a time because of what one member sent.
const MOST_OF_ONE: usize = 4;
/// States of one room that are asked for in one go, and the time between two.
const MOST_AT_ONCE: usize = 8;
const TURN: Duration = Duration::from_secs(5);

/// A state of a room.
type Key = (RoomId, StatePrefix);

/// What is missing.
#[derive(Default)]
pub(super) struct Searches {
    states: BTreeMap<Key, Search>,
    /// Rooms in which enough was asked for, and until when.
    rests: BTreeMap<RoomId, Moment>,
    asked: BTreeMap<Key, Asked>,
}

/// How often a state was asked for, and when last.
#[derive(Clone, Copy)]
struct Asked {
    times: u32,
    last: Moment,
}

/// It was asked for often enough.
struct Enough;

impl Asked {
    /// From where it goes on. A letter of it that names who is there has them asked once more,
    /// each hour.
    fn again(self, hinted: bool, now: Moment) -> Result<Self, Enough> {
        match self.times < MOST_TRIES {
            true => Ok(self),
            false if hinted && self.last + HINT_REST <= now => Ok(Self {
                times: MOST_TRIES - 1,
                ..self
            }),
            false => Err(Enough),
        }
    }

    /// When it may be asked for again.
    fn due(&self) -> Moment {
        let doubled = self.times.saturating_sub(1).min(MOST_TRIES);
        self.last + PAUSE.saturating_mul(1 << doubled)
    }
}

struct Search {
    due: Moment,
    tries: u32,
    /// In whose row it is.
    whose: Option<MemberId>,
    /// Whom to ask first.
    hint: Option<MemberId>,
}

impl Searches {
    /// When something is asked for next.
    pub(in crate::messenger) fn due(&self) -> Option<Moment> {
        self.states.values().map(|search| search.due).min()
    }

    /// Nothing is missing in a room any more.
    pub(in crate::messenger) fn forget(&mut self, room: RoomId) {
        self.states.retain(|(of, _), _| *of != room);
        self.asked.retain(|(of, _), _| *of != room);
        self.rests.remove(&room);
    }

    /// A state is not looked for any more.
    pub(in crate::messenger) fn end(&mut self, room: RoomId, state: StatePrefix) {
        self.states.remove(&(room, state));
    }

    /// Whether a state is looked for.
    pub(in crate::messenger) fn seeks(&self, room: RoomId, state: StatePrefix) -> bool {
        self.states.contains_key(&(room, state))
    }

    /// Looks for a state, because of what `hint` is said to have sent.
    pub(in crate::messenger) fn note(
        &mut self,
        room: RoomId,
        state: StatePrefix,
        hint: Option<MemberId>,
        now: Moment,
    ) {
        if let Some(search) = self.states.get_mut(&(room, state)) {
            search.hint = search.hint.or(hint);
            return;
        }
        let asked = self.asked.get(&(room, state)).copied();
        let asked = asked.filter(|asked| now < asked.last + REST);
        let Ok(asked) = asked
            .map(|asked| asked.again(hint.is_some(), now))
            .transpose()
        else {
            return;
        };
        if !self.make_place(room, hint) {
            return;
        }
        let due = asked.map_or(now, |asked| asked.due());
        let search = Search {
            due: due.max(now + PATIENCE),
            tries: asked.map_or(0, |asked| asked.times),
            whose: hint,
            hint,
        };
        self.states.insert((room, state), search);
    }

    /// Whether there is a place in a row: one that was asked for before gives way.
    fn make_place(&mut self, room: RoomId, whose: Option<MemberId>) -> bool {
        let row = self.states.iter();
        let row = row.filter(|((of, _), search)| *of == room && search.whose == whose);
        let row: Vec<_> = row.map(|(key, search)| (search.tries, *key)).collect();
        if row.len() < MOST_OF_ONE {
            return true;
        }
        let oldest = row.into_iter().max_by_key(|(tries, _)| *tries);
        let Some((_, key)) = oldest.filter(|(tries, _)| *tries > 0) else {
            return false;
        };
        self.states.remove(&key);
        true
    }

    /// Takes what is to be asked for now: a few of each room, each row in turn.
    pub(in crate::messenger) fn take_due(&mut self, now: Moment) -> Vec<Key> {
        let due = self.states.iter().filter(|(_, search)| search.due <= now);
        let mut due: Vec<_> = due
            .map(|(key, search)| (search.tries, search.due, *key, search.whose))
            .collect();
        due.sort();
        let mut served = BTreeSet::new();
        let (first, rest): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|(_, _, (room, _), whose)| served.insert((*room, *whose)));
        let mut taken: Vec<Key> = Vec::new();
        let mut count: BTreeMap<RoomId, usize> = BTreeMap::new();
        for (_, _, key, _) in first.into_iter().chain(rest) {
            let of_room = count.entry(key.0).or_default();
            let rests = self.rests.get(&key.0).copied().filter(|until| now < *until);
            if *of_room < MOST_AT_ONCE && rests.is_none() {
                *of_room += 1;
                taken.push(key);
            } else if let Some(search) = self.states.get_mut(&key) {
                search.due = rests.unwrap_or(now + TURN);
            }
        }
        let full = count
            .into_iter()
            .filter(|(_, count)| *count == MOST_AT_ONCE);
        self.rests.extend(full.map(|(room, _)| (room, now + TURN)));
        taken
    }

    /// A state is asked for once more, at first of who is said to have been in it;
    /// `None` if it was asked for often enough.
    pub(super) fn try_again(
        &mut self,
        room: RoomId,
        state: StatePrefix,
        now: Moment,
    ) -> Option<Option<MemberId>> {
        let search = self.states.get_mut(&(room, state))?;
        if search.tries >= MOST_TRIES {
            return None;
        }
        search.tries += 1;
        let asked = Asked {
            times: search.tries,
            last: now,
        };
        search.due = asked.due();
        let hint = search.hint.take();
        self.remember((room, state), asked);
        Some(hint)
    }

    fn remember(&mut self, key: Key, asked: Asked) {
        self.asked.insert(key, asked);
        if self.asked.len() > MOST_REMEMBERED {
            let oldest = self.asked.iter().min_by_key(|(_, asked)| asked.last);
            let oldest = oldest.map(|(key, _)| *key);
            oldest.map(|key| self.asked.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId(1);

    fn at(seconds: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(seconds))
    }

    fn state(number: u8) -> StatePrefix {
        StatePrefix([number; 8])
    }

    fn ask(searches: &mut Searches, now: u64) -> Vec<StatePrefix> {
        let due = searches.take_due(at(now));
        let mut asked = Vec::new();
        for (room, state) in due {
            match searches.try_again(room, state, at(now)) {
                Some(_) => asked.push(state),
                None => searches.end(room, state),
            }
        }
        asked
    }

    #[test]
    fn nobody_pushes_out_what_another_sent() {
        let (mallory, alice) = (Some(MemberId(1)), Some(MemberId(2)));
        let mut searches = Searches::default();
        searches.note(ROOM, state(200), alice, at(0));
        for number in 0..100 {
            searches.note(ROOM, state(number), mallory, at(0));
            searches.note(ROOM, state(100 + number), None, at(0));
        }
        searches.note(ROOM, state(201), alice, at(0));
        let asked = ask(&mut searches, 3);
        assert!(asked.contains(&state(200)));
        let rest = ask(&mut searches, 8);
        assert!(asked.contains(&state(201)) || rest.contains(&state(201)));
        assert_eq!(searches.states.len(), 2 + 2 * MOST_OF_ONE);
    }

    #[test]
    fn what_was_asked_for_gives_way_to_what_was_not() {
        let mallory = Some(MemberId(1));
        let mut searches = Searches::default();
        for number in 0..4 {
            searches.note(ROOM, state(number), mallory, at(0));
        }
        searches.note(ROOM, state(9), mallory, at(0));
        assert!(!searches.seeks(ROOM, state(9)));
        ask(&mut searches, 3);
        searches.note(ROOM, state(9), mallory, at(4));
        assert!(searches.seeks(ROOM, state(9)));
        assert_eq!(ask(&mut searches, 7), [state(9)]);
    }

    #[test]
    fn what_nobody_has_is_asked_for_a_few_times_a_day_however_often_it_is_missed() {
        let mut searches = Searches::default();
        let mut asked = [0; 2];
        for second in 0..2 * 86_400 {
            // More than there are places, and a letter each second.
            for number in 0..10 {
                searches.note(ROOM, state(number), None, at(second));
            }
            asked[usize::from(second >= 86_400)] += ask(&mut searches, second).len();
        }
        let most = 10 * usize::try_from(MOST_TRIES).unwrap();
        assert_eq!(asked, [most; 2]);
    }

    #[test]
    fn who_talks_in_a_state_is_asked_for_it_once_more_each_hour() {
        let mut searches = Searches::default();
        let alice = Some(MemberId(2));
        let mut hours = [0; 12];
        for second in 0..12 * 3_600 {
            searches.note(ROOM, state(1), alice, at(second));
            hours[usize::try_from(second / 3_600).unwrap()] += ask(&mut searches, second).len();
        }
        assert_eq!(hours[0], 8);
        assert!(hours[1..].iter().all(|count| *count <= 1), "{hours:?}");
        assert!(hours[1..].iter().sum::<usize>() >= 8, "{hours:?}");
    }

    #[test]
    fn all_rows_take_turns_and_only_so_many_are_asked_for_in_one_go() {
        let mut searches = Searches::default();
        for number in 0..120_u8 {
            let whose = Some(MemberId(u64::from(number / 4)));
            searches.note(ROOM, state(number), whose, at(0));
        }
        searches.note(ROOM, state(250), None, at(0));
        let mut asked = Vec::new();
        let mut turns = 0;
        while !asked.contains(&state(250)) {
            let now = searches.due().unwrap();
            let due = searches.take_due(now);
            assert!(due.len() <= MOST_AT_ONCE);
            for (room, state) in &due {
                searches.try_again(*room, *state, now);
            }
            asked.extend(due.into_iter().map(|(_, state)| state));
            turns += 1;
            assert!(turns < 60);
        }
    }

    #[test]
    fn the_same_is_asked_for_eight_times() {
        let mut searches = Searches::default();
        searches.note(ROOM, state(1), Some(MemberId(1)), at(0));
        let mut asked = 0;
        while searches.seeks(ROOM, state(1)) {
            let now = searches.due().unwrap();
            searches.take_due(now);
            match searches.try_again(ROOM, state(1), now) {
                Some(hint) => {
                    assert_eq!(hint.is_some(), asked == 0);
                    asked += 1;
                }
                None => searches.end(ROOM, state(1)),
            }
        }
        assert_eq!(asked, MOST_TRIES);
    }
}
