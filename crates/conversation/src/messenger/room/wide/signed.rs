//! Signs of life that a herald gives to whom it looks after, and which are believed.
//!
//! They send their receipts to it, and only a few of them before it gave a sign ([`super::signs`]).
//! What it passes on bears its author's signature, and is mostly a repeat where it comes from the
//! one that looks after a leaf: the one in charge was first. So a word of its own stands beside
//! it, under its own signature.

use hushwing_delivery::Keep;
use hushwing_sansio::StorageError;

use super::duties::Charge;
use super::passing::Name;
use crate::branches::Said;
use crate::content::{Content, RoomStep, RoomWord};
use crate::letter::LetterBody;
use crate::messenger::{Call, Messenger};
use crate::{MemberId, RoomId};

impl Messenger {
    /// Serves each of these, and shows those I look after that I am there.
    pub(super) fn post_to_each(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        to: &[Charge],
        body: &[u8],
        keep: Keep,
    ) -> Result<Vec<u64>, StorageError> {
        let me = self.rooms.find(room)?.me();
        let mut letters = Vec::new();
        for one in to {
            let body = match Some(one.looks_after) == me && !one.herald {
                true => self.with_sign(call, room, one.member, body)?,
                false => body.to_vec(),
            };
            let letter = self.post_to_member(call, room, one.member, body, keep)?;
            letters.extend(letter.map(|letter| letter.0));
        }
        Ok(letters)
    }

    /// A letter with one message, and beside it my word to one that I passed it on.
    fn with_sign(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        body: &[u8],
    ) -> Result<Vec<u8>, StorageError> {
        let names = Name::of_letter(body).map(|name| name.0);
        let word = RoomWord {
            room: self.rooms.find(room)?.record.conversation,
            step: RoomStep::Passed(names.into_iter().collect()),
        };
        let side = self.seal_aside(call, room, member, &Content::Room(word))?;
        Ok(match side {
            Some(side) => LetterBody::beside(body, &side),
            // One of us is not in the state that is followed.
            None => body.to_vec(),
        })
    }

    /// Whose own words come is there. Who names itself as the sender of another's is not
    /// believed: anybody who was told the mailbox can name a herald.
    pub(in crate::messenger::room) fn note_author(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        said: &Said,
    ) -> Result<(), StorageError> {
        let author = self.rooms.find(room)?.member_by(&said.author, &said.key);
        let author = author.filter(|author| author.present && !author.mine);
        match author.map(|author| author.member) {
            Some(author) => self.heard_of(call, room, author),
            None => Ok(()),
        }
    }
}
