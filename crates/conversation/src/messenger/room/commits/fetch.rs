//! Commits that were missed: asking for them, and handing them out.
//!
//! A message names the state it was made in. If that is not known here, the
//! message waits, and the commits that lead there are asked for: from who says
//! they sent it, and then from others, a few at a time. Often the commit is just
//! late, so nothing is asked for at once.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::Keep;
use hushwing_sansio::{Moment, StorageError};

use super::pace::Budgets;
use super::searches::{MOST_TRIES, Searches};
use crate::branches::{StateName, StatePrefix};
use crate::content::{Content, RoomStep, RoomWord};
use crate::letter::LetterBody;
use crate::messenger::{Call, Messenger};
use crate::{DropReason, MemberId, RoomId};

/// Members asked at a time.
const AT_A_TIME: usize = 2;
/// After the first answer to one member about one state; each further one takes
/// twice as long, and there are as many as somebody asks for in earnest.
const ANSWER_REST: Duration = Duration::from_secs(10);
/// Answers that are remembered.
const MOST_ANSWERS: usize = 1_024;
/// Letters of commits that one member gets at once, and the time in which one more
/// is earned: who asks need not be who is reached.
const LETTERS: (u32, Duration) = (32, Duration::from_secs(30));
/// Pieces of a chain in one letter, which is as many as a letter has items: it
/// is believed as a whole, and nearly always shorter.
const MOST_IN_LETTER: usize = 16;

/// What is missing, and what was handed out.
pub(in crate::messenger) struct Missing {
    searches: Searches,
    answered: BTreeMap<(MemberId, StatePrefix), Answered>,
    letters: Budgets,
}

struct Answered {
    times: u32,
    last: Moment,
}

impl Answered {
    /// When the next answer may leave.
    fn rests_until(&self) -> Moment {
        let doubled = self.times.saturating_sub(1).min(MOST_TRIES);
        self.last + ANSWER_REST.saturating_mul(1 << doubled)
    }

    fn is_over(&self, now: Moment) -> bool {
        self.times < MOST_TRIES && self.rests_until() <= now
    }
}

impl Default for Missing {
    fn default() -> Self {
        Self {
            searches: Searches::default(),
            answered: BTreeMap::new(),
            letters: Budgets::new(LETTERS.0, LETTERS.1),
        }
    }
}

impl Missing {
    /// When something is asked for next.
    pub(in crate::messenger) fn due(&self) -> Option<Moment> {
        self.searches.due()
    }

    /// Nothing is missing in a room any more.
    pub(in crate::messenger) fn forget(&mut self, room: RoomId) {
        self.searches.forget(room);
    }

    /// Forgets a member.
    pub(in crate::messenger) fn forget_member(&mut self, member: MemberId) {
        self.letters.forget(member);
        self.answered.retain(|(of, _), _| *of != member);
    }

    /// Whether a state is looked for.
    pub(in crate::messenger) fn seeks(&self, room: RoomId, state: StatePrefix) -> bool {
        self.searches.seeks(room, state)
    }

    /// Whether somebody may be answered now, by so many letters.
    fn may_answer(
        &mut self,
        member: MemberId,
        state: StatePrefix,
        letters: usize,
        now: Moment,
    ) -> bool {
        if self.answered.len() >= MOST_ANSWERS {
            self.answered.retain(|_, one| now < one.rests_until());
        }
        let key = (member, state);
        let last = self.answered.get(&key);
        let free = match last {
            Some(last) => last.is_over(now),
            None => self.answered.len() < MOST_ANSWERS,
        };
        if !free || !self.letters.take(member, letters, now) {
            return false;
        }
        let times = self.answered.get(&key).map_or(0, |last| last.times);
        let answered = Answered {
            times: times.saturating_add(1),
            last: now,
        };
        self.answered.insert(key, answered);
        true
    }
}

impl Messenger {
    /// Something came of a state that is not known here.
    pub(in crate::messenger) fn miss(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        state: StatePrefix,
        from: Option<&[u8]>,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let hint = from.and_then(|key| known.present(key));
        let hint = hint.filter(|member| !member.mine);
        let hint = hint.map(|member| member.member);
        let searches = &mut self.rooms.missing.searches;
        searches.note(room, state, hint, call.cx.now());
        Ok(())
    }

    /// Asks for what is missing and due.
    pub(in crate::messenger) fn ask_for_missing(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        for (room, state) in self.rooms.missing.searches.take_due(now) {
            self.within(call, room.place(), |this, call| {
                this.ask_for_state(call, room, state)
            })?;
        }
        Ok(())
    }

    fn ask_for_state(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        state: StatePrefix,
    ) -> Result<(), StorageError> {
        let found = self.rooms.keepers.get(&room);
        let is_it = |name: StateName| StatePrefix::of(&name) == state;
        let found = found.is_some_and(|keeper| keeper.states().any(is_it));
        let waits = !self.shelf.numbers(room.place()).is_empty();
        let mine = self.rooms.find(room)?.is_mine();
        let wanted = !found && waits && mine;
        let searches = &mut self.rooms.missing.searches;
        let now = call.cx.now();
        let hint = wanted.then(|| searches.try_again(room, state, now));
        let Some(hint) = hint.flatten() else {
            searches.end(room, state);
            return Ok(());
        };
        let known = self.rooms.find(room)?;
        let conversation = known.record.conversation;
        let mut others: Vec<_> = known.others().map(|member| member.member).collect();
        let mut asked: Vec<MemberId> = hint.into_iter().collect();
        while asked.len() < AT_A_TIME && !others.is_empty() {
            let at = call.cx.random_below(others.len() as u64);
            let one = others.swap_remove(usize::try_from(at).unwrap_or(0));
            if !asked.contains(&one) {
                asked.push(one);
            }
        }
        let content = Content::Room(RoomWord {
            room: conversation,
            step: RoomStep::Ask(state.0),
        });
        for member in asked {
            self.say_aside(call, room, member, &content)?;
        }
        Ok(())
    }

    /// Somebody asks for the commits that lead to a state.
    pub(in crate::messenger) fn asked_for(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        state: [u8; 8],
    ) -> Result<(), StorageError> {
        let state = StatePrefix(state);
        let now = call.cx.now();
        let chain = self.keeper(call, room, |keeper, lent| keeper.chain_to(lent.rows, state))?;
        // What nobody knows takes no place from those who ask for what there is.
        let chain = chain.unwrap_or_default();
        let letters = chain.len().div_ceil(MOST_IN_LETTER);
        let missing = &mut self.rooms.missing;
        if chain.is_empty() || !missing.may_answer(member, state, letters, now) {
            return Ok(());
        }
        self.hand_out(call, room, member, &chain)
    }

    /// Sends commits to somebody, who may be out.
    pub(in crate::messenger::room) fn hand_out(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        chain: &[Vec<u8>],
    ) -> Result<(), StorageError> {
        for piece in chain.chunks(MOST_IN_LETTER) {
            let body = LetterBody::commits(piece);
            self.post_to_member(call, room, member, body, Keep::UntilAccepted)?;
        }
        Ok(())
    }

    /// Commits came, asked for or not: each is read as any other.
    pub(in crate::messenger) fn heard_commits(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        chain: &[&[u8]],
    ) -> Result<(), StorageError> {
        use crate::storage::RoomStanding::{Leaving, Left, Member};
        if !matches!(
            self.rooms.find(room)?.record.standing,
            Member | Leaving | Left
        ) {
            return self.drop_letter(None, DropReason::Room);
        }
        let chain: Vec<Vec<u8>> = chain.iter().map(|commit| commit.to_vec()).collect();
        let (told, fault) =
            self.keeper(call, room, |keeper, lent| keeper.hear_chain(lent, &chain))?;
        self.act_on(call, room, told)?;
        if fault.is_some() {
            self.drop_letter(None, DropReason::Commit)?;
        }
        self.hear_held_in(call, room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_without_end_is_answered_less_and_less_and_then_no_more() {
        let at = |seconds| Moment::from_origin(Duration::from_secs(seconds));
        let (mallory, alice) = (MemberId(1), MemberId(2));
        let mut missing = Missing::default();
        let state = |number: u32| StatePrefix(u64::from(number).to_be_bytes());
        let mut letters = 0;
        // One state over and over for a day.
        for second in 0..86_400 {
            letters += usize::from(missing.may_answer(mallory, state(0), 1, at(second)));
        }
        assert_eq!(letters, 8);
        // All states there are, for a day.
        letters = 0;
        for second in 86_400..2 * 86_400 {
            let asked = state(u32::try_from(second % 250).unwrap());
            letters += usize::from(missing.may_answer(mallory, asked, 1, at(second)));
        }
        assert!((100..2_100).contains(&letters), "{letters}");
        assert!(missing.may_answer(alice, state(0), 5, at(2 * 86_400)));
    }
}
