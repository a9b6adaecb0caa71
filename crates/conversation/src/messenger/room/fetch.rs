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

use crate::branches::{StateName, StatePrefix};
use crate::content::{Content, RoomStep, RoomWord};
use crate::letter::LetterBody;
use crate::messenger::{Call, Messenger};
use crate::{DropReason, MemberId, RoomId};

/// How long a commit may be late before it is asked for.
const PATIENCE: Duration = Duration::from_secs(3);
/// After the first time it is asked for; each further time takes twice as long.
const PAUSE: Duration = Duration::from_secs(20);
/// How often the same is asked for.
const MOST_TRIES: u32 = 8;
/// Members asked at a time.
const AT_A_TIME: usize = 2;
/// States of one room that are asked for at a time.
const MOST_MISSING: usize = 16;
/// Between two answers to one member about one state.
const ANSWER_REST: Duration = Duration::from_secs(10);
/// Answers that are remembered.
const MOST_ANSWERS: usize = 1_024;
/// Pieces of a chain in one letter, which is as many as a letter has items: it
/// is believed as a whole, and nearly always shorter.
const MOST_IN_LETTER: usize = 16;

/// What is missing, and what was handed out.
#[derive(Default)]
pub(in crate::messenger) struct Missing {
    states: BTreeMap<(RoomId, StatePrefix), Search>,
    answered: BTreeMap<(MemberId, StatePrefix), Moment>,
}

struct Search {
    due: Moment,
    tries: u32,
    hint: Option<MemberId>,
}

impl Missing {
    /// When something is asked for next.
    pub(super) fn due(&self) -> Option<Moment> {
        self.states.values().map(|search| search.due).min()
    }

    /// Nothing is missing in a room any more.
    pub(super) fn forget(&mut self, room: RoomId) {
        self.states.retain(|(of, _), _| *of != room);
    }

    /// Whether somebody may be answered now.
    fn may_answer(&mut self, member: MemberId, state: StatePrefix, now: Moment) -> bool {
        if self.answered.len() >= MOST_ANSWERS {
            self.answered.retain(|_, at| now < *at + ANSWER_REST);
        }
        let last = self.answered.get(&(member, state));
        let may =
            last.is_none_or(|at| *at + ANSWER_REST <= now) && self.answered.len() < MOST_ANSWERS;
        if may {
            self.answered.insert((member, state), now);
        }
        may
    }
}

impl Messenger {
    /// Something came of a state that is not known here.
    pub(super) fn miss(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        state: StatePrefix,
        from: Option<&[u8]>,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let hint = from.and_then(|account| known.present_of(account));
        let hint = hint.map(|member| member.member);
        let states = &mut self.rooms.missing.states;
        let many = states.keys().filter(|(of, _)| *of == room).count();
        if let Some(search) = states.get_mut(&(room, state)) {
            search.hint = search.hint.or(hint);
        } else if many < MOST_MISSING {
            let search = Search {
                due: call.cx.now() + PATIENCE,
                tries: 0,
                hint,
            };
            states.insert((room, state), search);
        }
        Ok(())
    }

    /// Asks for what is missing and due.
    pub(super) fn ask_for_missing(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.now();
        let states = self.rooms.missing.states.iter();
        let due = states.filter(|(_, search)| search.due <= now);
        for (room, state) in due.map(|(key, _)| *key).collect::<Vec<_>>() {
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
        let states = &mut self.rooms.missing.states;
        let search = states.get_mut(&(room, state));
        let Some(search) = search.filter(|s| !found && waits && mine && s.tries < MOST_TRIES)
        else {
            states.remove(&(room, state));
            return Ok(());
        };
        search.due = call.cx.now() + PAUSE.saturating_mul(1 << search.tries.min(MOST_TRIES));
        search.tries += 1;
        let hint = search.hint.take();
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
            if let Some(side) = self.seal_aside(call, room, member, &content)? {
                let body = LetterBody::side(&side);
                self.post_to_member(call, room, member, body, Keep::UntilAccepted)?;
            }
        }
        Ok(())
    }

    /// Somebody asks for the commits that lead to a state.
    pub(super) fn asked_for(
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
        if chain.is_empty() || !self.rooms.missing.may_answer(member, state, now) {
            return Ok(());
        }
        for piece in chain.chunks(MOST_IN_LETTER) {
            let body = LetterBody::commits(piece);
            self.post_to_member(call, room, member, body, Keep::UntilAccepted)?;
        }
        Ok(())
    }

    /// Commits came, asked for or not: each is read as any other.
    pub(super) fn heard_commits(
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
