//! Greeting all of a room: here I am, and here I am written to.

use hushwing_sansio::StorageError;

use super::enter::GREETING_REST;
use crate::RoomId;
use crate::content::{Content, MAX_ROSTER, RoomStep, RoomWord};
use crate::messenger::room::key;
use crate::messenger::{Call, Messenger};

/// Where it stands that a greeting is owed, until it left.
fn owed_in(room: RoomId) -> String {
    format!("greeting to room {}", room.0)
}

impl Messenger {
    /// Greets all before long.
    pub(in crate::messenger) fn greet_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let soon = match self.lacks_mailboxes(room, now)? {
            true => now + GREETING_REST,
            false => now,
        };
        let known = self.rooms.find(room)?;
        let rested = known
            .greeted
            .map_or(soon, |at| soon.max(at + GREETING_REST));
        if known.greets.is_some() {
            return Ok(());
        }
        known.greets = Some(rested);
        call.storage.put_setting(&owed_in(room), &[1])
    }

    /// Greets where I was about to when this program ended: nobody else would hear where I
    /// am written to.
    pub(in crate::messenger::room) fn resume_greeting(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        match call.storage.setting(&owed_in(room))? {
            Some(_) => self.greet_room(call, room),
            None => Ok(()),
        }
    }

    /// Nobody is greeted any more.
    pub(in crate::messenger::room) fn forget_greeting(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.rooms.find(room)?.greets = None;
        call.storage.remove_setting(&owed_in(room))
    }

    pub(in crate::messenger) fn greet_now(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        self.forget_greeting(call, room)?;
        let known = self.rooms.find(room)?;
        if !known.is_mine() || known.record.mailbox.is_none() {
            return Ok(());
        }
        known.greeted = Some(now);
        let conversation = known.record.conversation;
        let others = known.others().filter(|member| member.revision > 0);
        let mut others: Vec<_> = others.collect();
        others.sort_by_cached_key(|member| !known.is_sought(member));
        let others = others.into_iter().take(MAX_ROSTER);
        let told = others.map(|member| Ok((key(&member.key)?, member.revision)));
        let told = told.collect::<Result<_, StorageError>>()?;
        let entry = self.my_entry(room)?;
        let step = RoomStep::Greeting { entry, known: told };
        let content = Content::Room(RoomWord {
            room: conversation,
            step,
        });
        self.say_in_passing_to_all(call, room, &content)?;
        match self.some_claims(room)? {
            Some(mine) => self.say_in_passing_to_all(call, room, &mine),
            None => Ok(()),
        }
    }
}
