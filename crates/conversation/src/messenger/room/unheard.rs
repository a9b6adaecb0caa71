//! What an author does when heralds are silent: writing to each.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::Keep;
use hushwing_sansio::{Moment, StorageError};

use super::passing::Name;
use crate::messenger::{Call, Messenger};
use crate::storage::MessageState;
use crate::{MemberId, MessageId, RoomId};

/// How long heralds have until somebody else has something. Twice the longest that a
/// herald waits for another.
const WAIT: Duration = Duration::from_secs(180);
/// What nobody confirms of one room that is kept for as long.
const MOST_KEPT: usize = 32;

/// What may not have been passed on.
#[derive(Default)]
pub(in crate::messenger) struct Unheard {
    said: BTreeMap<(RoomId, MessageId), Moment>,
    passing: BTreeMap<(RoomId, Name), (Moment, Vec<u8>)>,
}

impl Unheard {
    pub(super) fn due(&self) -> Option<Moment> {
        let said = self.said.values().copied();
        said.chain(self.passing.values().map(|(at, _)| *at)).min()
    }

    pub(super) fn forget(&mut self, room: RoomId) {
        self.said.retain(|(of, _), _| *of != room);
        self.passing.retain(|(of, _), _| *of != room);
    }

    /// A herald says that it passed something on.
    pub(super) fn passed(&mut self, room: RoomId, name: Name) {
        self.passing.remove(&(room, name));
    }
}

impl Messenger {
    /// Looks before long whether a message of mine came to anybody.
    pub(super) fn await_others(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        message: MessageId,
    ) -> Result<(), StorageError> {
        if self.relies_on_heralds(room)? {
            let at = call.cx.now() + WAIT;
            self.rooms.unheard.said.insert((room, message), at);
        }
        Ok(())
    }

    /// The same for what nobody confirms: a herald reports it.
    pub(super) fn listen_for(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        name: Option<Name>,
        body: &[u8],
    ) -> Result<(), StorageError> {
        let Some(name) = name else {
            return Ok(());
        };
        let kept = self.rooms.unheard.passing.keys();
        let kept = kept.filter(|(of, _)| *of == room).count();
        if self.relies_on_heralds(room)? && kept < MOST_KEPT {
            let at = call.cx.now() + WAIT;
            let kept = (at, body.to_vec());
            self.rooms.unheard.passing.insert((room, name), kept);
        }
        Ok(())
    }

    /// Whether others pass on what I say: what I pass on myself, I see to as a herald.
    fn relies_on_heralds(&mut self, room: RoomId) -> Result<bool, StorageError> {
        let known = self.rooms.find(room)?;
        let heralds = known.heralds();
        Ok(!heralds.is_empty() && !known.me().is_some_and(|me| heralds.includes(me)))
    }

    /// Looks again at what an earlier run said last.
    pub(super) fn resume_unheard(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        if !self.relies_on_heralds(room)? {
            return Ok(());
        }
        for (message, ..) in call.storage.on_the_way(room.place())? {
            self.await_others(call, room, message)?;
        }
        Ok(())
    }

    /// Writes to each what no herald passed on.
    pub(super) fn unheard_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.now();
        let unheard = &mut self.rooms.unheard;
        let said = unheard.said.extract_if(.., |_, at| *at <= now);
        let said: Vec<_> = said.map(|(key, _)| key).collect();
        let passing = unheard.passing.extract_if(.., |_, (at, _)| *at <= now);
        let passing: Vec<_> = passing.collect();
        for (room, message) in said {
            self.within(call, room.place(), |this, call| {
                this.write_to_each(call, room, message)
            })?;
        }
        for ((room, name), (_, body)) in passing {
            self.within(call, room.place(), |this, call| {
                let known = this.rooms.find(room)?;
                let heralds = known.heralds();
                let others = known.others().map(|one| one.member);
                let others = others.filter(|one| known.is_inside() && !heralds.includes(*one));
                let mut letters = Vec::new();
                for member in others.collect::<Vec<MemberId>>() {
                    let (body, keep) = (body.clone(), Keep::UntilAccepted);
                    letters.extend(this.post_to_member(call, room, member, body, keep)?);
                }
                this.publish_also(call, room, name, &letters)
            })?;
        }
        Ok(())
    }

    /// Nobody but heralds has a message of mine, as far as I know: one that drops it
    /// confirms it as others do. So it is said again, and to each.
    fn write_to_each(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        message: MessageId,
    ) -> Result<(), StorageError> {
        let Some(record) = call.storage.message(&message)? else {
            return Ok(());
        };
        let known = self.rooms.find(room)?;
        let heralds = known.heralds();
        let present: Vec<MemberId> = known.others().map(|one| one.member).collect();
        if !known.is_mine() || record.is_erased() || record.state >= MessageState::Delivered {
            return Ok(());
        }
        let all = call.storage.recipients(&message)?;
        let has = |state| state >= MessageState::Delivered;
        let mut others = all.iter().filter(|one| !heralds.includes(one.member));
        if others.any(|one| has(one.state)) {
            return Ok(());
        }
        let first = Some(record.position.epoch);
        let sealed = self.seal_for_all(call, room, &record.content, first)?;
        let Some((epoch, body)) = sealed else {
            return Ok(());
        };
        let open = all.into_iter().filter(|one| !has(one.state));
        for one in open.filter(|one| present.contains(&one.member)) {
            if let Some(letter) = one.letter {
                self.recall(call, letter)?;
            }
            self.send_to(call, room, one.member, message, body.clone())?;
        }
        call.storage.set_sealed(&message, epoch)?;
        self.count_anew(call, &message, None)
    }
}
