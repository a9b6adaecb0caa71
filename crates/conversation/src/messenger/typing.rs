//! That somebody is writing: told only where that is switched on, seldom, and
//! kept nowhere. Who does not tell is not shown it either.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::{Keep, LetterId};
use hushwing_sansio::{Moment, StorageError};

use super::people::Person;
use super::stop::Stop;
use super::{Call, Messenger, TYPING};
use crate::content::{Content, Stamp, Typing};
use crate::storage::Standing;
use crate::{ContactId, ConversationId, Event, MemberId, Reply, RoomId};

/// How often a contact is told at most.
const TELL: Duration = Duration::from_secs(5);
/// How often it is shown at most that one contact is writing.
const SHOW: Duration = Duration::from_secs(2);
/// After this long nobody is writing any more.
const STALE_MILLIS: u64 = 30_000;

/// What was told and shown in this run.
#[derive(Default)]
pub(super) struct Notices {
    told: BTreeMap<ContactId, (Moment, LetterId)>,
    shown: BTreeMap<ContactId, Moment>,
}

impl Notices {
    /// Forgets a contact, or what lies at the place of a member.
    pub(super) fn forget(&mut self, contact: ContactId) {
        self.told.remove(&contact);
        self.shown.remove(&contact);
    }

    /// Whether it is to be shown that somebody is writing, which is noted then.
    fn may_show(&mut self, call: &Call<'_, '_>, who: ContactId, stamp: &Stamp) -> bool {
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let age = wall.as_millis().abs_diff(stamp.sent.as_millis());
        let often = self.shown.get(&who).is_some_and(|at| *at + SHOW > now);
        let shows = !often && age <= STALE_MILLIS;
        if shows {
            self.shown.insert(who, now);
        }
        shows
    }
}

impl Messenger {
    pub(super) fn set_typing(&mut self, call: &mut Call<'_, '_>, on: bool) -> Result<Reply, Stop> {
        call.storage.put_setting(TYPING, &[u8::from(on)])?;
        self.typing = on;
        Ok(Reply::Done)
    }

    /// I am writing. It is not an error if nobody is told.
    pub(super) fn tell_typing(
        &mut self,
        call: &mut Call<'_, '_>,
        conversation: ConversationId,
    ) -> Result<Reply, Stop> {
        let contact = self.contact_in(conversation)?;
        if !self.typing {
            return Ok(Reply::Done);
        }
        let contact = self.speaks_at(contact);
        if self.rooms.get(contact).is_some() {
            return self.tell_room_typing(call, RoomId::at(contact));
        }
        let established = self.standing(contact) == Some(Standing::Established);
        if !established || self.is_blocked(contact) || self.was_told(call, contact) {
            return Ok(Reply::Done);
        }
        let content = Content::Typing(Typing);
        let off = self
            .people
            .get(&contact)
            .is_some_and(Person::wishes_off_record);
        let letter = match off {
            true => self.say_in_stretch(call, contact, &content, Keep::UntilAccepted)?,
            false => self.say_in_passing(call, contact, &content)?,
        };
        if let Some(letter) = letter {
            let told = (call.cx.now(), letter);
            self.notices.told.insert(contact, told);
        }
        Ok(Reply::Done)
    }

    /// Whether somebody was just told, or is to be told by what did not leave yet:
    /// that says it all, and is stale when it does.
    fn was_told(&self, call: &Call<'_, '_>, who: ContactId) -> bool {
        let now = call.cx.now();
        let told = self.notices.told.get(&who);
        told.is_some_and(|(at, letter)| {
            *at + TELL > now || self.office.whereabouts(*letter).is_some()
        })
    }

    /// A contact said that they are writing.
    pub(super) fn hear_typing(&mut self, call: &Call<'_, '_>, contact: ContactId, stamp: &Stamp) {
        let established = self.standing(contact) == Some(Standing::Established);
        if self.typing && established && self.notices.may_show(call, contact, stamp) {
            let member = None;
            self.tell(Event::Typing { contact, member });
        }
    }

    /// I am writing in a room: each member is told aside, since a message to all
    /// that is often said and never confirmed would use up keys of who is away.
    fn tell_room_typing(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<Reply, Stop> {
        for member in self.listeners(room) {
            if !self.is_blocked_member(room, member) && !self.was_told(call, member.place()) {
                self.tell_member_typing(call, room, member)?;
            }
        }
        Ok(Reply::Done)
    }

    fn tell_member_typing(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        let content = Content::Typing(Typing);
        if let Some(letter) = self.say_aside(call, room, member, &content)? {
            let told = (call.cx.now(), letter);
            self.notices.told.insert(member.place(), told);
        }
        Ok(())
    }

    /// A member of a room said that they are writing.
    pub(super) fn hear_typing_in(
        &mut self,
        call: &Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        stamp: &Stamp,
    ) {
        let blocked = self.is_blocked_pair(room) || self.is_usurped_pair(room);
        if self.typing && !blocked && self.notices.may_show(call, member.place(), stamp) {
            let (contact, member) = (room.place(), Some(member));
            self.tell(Event::Typing { contact, member });
        }
    }

    /// Reads whether it is switched on.
    pub(super) fn is_on(storage: &dyn crate::Storage, setting: &str) -> Result<bool, StorageError> {
        Ok(storage.setting(setting)?.is_some_and(|value| value == [1]))
    }
}
