//! Signs of life that a herald gives to those it looks after.
//!
//! They send their receipts to it, and only a few of them before it gave a sign ([`super::signs`]).
//! What it passes on bears its author's signature, and is mostly a repeat where it comes from the
//! one that looks after a leaf: the one in charge was first. So a word of its own stands beside
//! it, under its own signature.

use hushwing_delivery::{Keep, REGULAR_PAYLOAD};
use hushwing_sansio::StorageError;

use super::passing::Name;
use crate::content::{Content, RoomStep, RoomWord};
use crate::letter::LetterBody;
use crate::messenger::room::Room;
use crate::messenger::{Call, Messenger};
use crate::{MemberId, RoomId};

impl Room {
    /// The word that something was passed on.
    pub(super) fn passed_word(&self, names: &[Name]) -> Content {
        Content::Room(RoomWord {
            room: self.record.conversation,
            step: RoomStep::Passed(names.iter().map(|name| name.0).collect()),
        })
    }

    /// Whether somebody is there whom I look after.
    fn is_looked_after(&self, member: MemberId) -> bool {
        let heralds = self.heralds();
        let there = self.members.get(&member).filter(|one| one.present);
        there.is_some_and(|one| {
            !heralds.includes(member) && heralds.looks_after(&one.key) == self.me()
        })
    }
}

impl Messenger {
    /// A letter with one message, and where it is time beside it my word to who gets it that
    /// I passed it on.
    pub(super) fn with_sign(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        body: &[u8],
    ) -> Result<Vec<u8>, StorageError> {
        let alone = body.to_vec();
        let now = call.cx.now();
        if !self.rooms.find(room)?.is_looked_after(member) || !self.rooms.signs.give(member, now) {
            return Ok(alone);
        }
        let Some(name) = Name::of_letter(body) else {
            return Ok(alone);
        };
        let word = self.rooms.find(room)?.passed_word(&[name]);
        let Some(side) = self.seal_aside(call, room, member, &word)? else {
            return Ok(alone);
        };
        let both = LetterBody::beside(body, &side);
        let parts = |letter: &[u8]| letter.len().div_ceil(REGULAR_PAYLOAD);
        if parts(&both) == parts(&alone) {
            return Ok(both);
        }
        // What was said arrives also where the sign is lost.
        let letter = LetterBody::side(&side);
        self.post_to_member(call, room, member, letter, Keep::ForOthers)?;
        Ok(alone)
    }

    /// Who tells what they have is served nothing again: as long as much is said they get a
    /// word alone, before they take me for silent.
    pub(super) fn renew_sign(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let known = self.rooms.find(room)?;
        if known.is_looked_after(member) && self.rooms.signs.renew(member, now) {
            let word = self.rooms.find(room)?.passed_word(&[]);
            self.tell_for_others(call, room, member, &word)?;
        }
        Ok(())
    }
}
