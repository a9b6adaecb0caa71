//! That somebody is writing: told only where that is switched on, seldom, and
//! kept nowhere. Who does not tell is not shown it either.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::LetterId;
use hushwing_sansio::{Moment, StorageError};

use super::stop::Stop;
use super::{Call, Messenger, TYPING};
use crate::content::{Content, Stamp, Typing};
use crate::storage::Standing;
use crate::{ContactId, ConversationId, Event, Reply};

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
    pub(super) fn forget(&mut self, contact: ContactId) {
        self.told.remove(&contact);
        self.shown.remove(&contact);
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
        let established = self.standing(contact) == Some(Standing::Established);
        if !self.typing || !established || self.is_blocked(contact) {
            return Ok(Reply::Done);
        }
        let now = call.cx.now();
        // One that did not leave yet says it all, and is stale when it does.
        let told = self.notices.told.get(&contact);
        if told.is_some_and(|(at, letter)| {
            *at + TELL > now || self.office.whereabouts(*letter).is_some()
        }) {
            return Ok(Reply::Done);
        }
        let content = Content::Typing(Typing);
        if let Some(letter) = self.say_in_passing(call, contact, &content)? {
            self.notices.told.insert(contact, (now, letter));
        }
        Ok(Reply::Done)
    }

    /// A contact said that they are writing.
    pub(super) fn hear_typing(&mut self, call: &Call<'_, '_>, contact: ContactId, stamp: &Stamp) {
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let age = wall.as_millis().abs_diff(stamp.sent.as_millis());
        let shown = self.notices.shown.get(&contact);
        let often = shown.is_some_and(|at| *at + SHOW > now);
        let established = self.standing(contact) == Some(Standing::Established);
        if self.typing && established && !often && age <= STALE_MILLIS {
            self.notices.shown.insert(contact, now);
            self.tell(Event::Typing { contact });
        }
    }

    /// Reads whether it is switched on.
    pub(super) fn is_on(storage: &dyn crate::Storage, setting: &str) -> Result<bool, StorageError> {
        Ok(storage.setting(setting)?.is_some_and(|value| value == [1]))
    }
}
