//! What a new device does: it shows a link, is called, and answers once.

use hushwing_sansio::StorageError;

use super::LINK_LIFE;
use super::tie::tie;
use crate::content::{DeviceAnswer, DeviceCall, RoomStep, RoomWord};
use crate::letter::LetterBody;
use crate::messenger::room::usable;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::mls::LeafKey;
use crate::storage::{RoomStanding, ShownRecord, TalkRecord};
use crate::{ConversationId, DropReason, Refusal, Reply, Secret};

impl Messenger {
    /// Shows a link to be linked by, as a device of this name. What an older link waited
    /// for is over.
    pub(in crate::messenger) fn show_device(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<Reply, Stop> {
        let name = usable(name)?;
        self.forget_ruin(call)?;
        self.forget_meeting_of_one(call)?;
        match self.device_standing() {
            None => {}
            Some(RoomStanding::Joining) => self.stop_showing(call)?,
            Some(_) => return Err(Refusal::LinkedAlready.into()),
        }
        let used = !self.people.is_empty() || self.rooms.places().next().is_some();
        // Who put a backup back comes back to the others with all there is.
        if used && !self.devices.is_parted() {
            return Err(Refusal::NotANewDevice.into());
        }
        let key = LeafKey::generate(call.cx).secret();
        let until = call.cx.wall() + LINK_LIFE;
        let room = self.await_devices(call, &name)?;
        self.devices.record.room = Some(room);
        self.devices.record.shown = Some(ShownRecord {
            key,
            until,
            talked: None,
        });
        self.save_devices(call)?;
        self.list_devices()
    }

    /// Nobody came in time, or another link takes the place of this one.
    pub(in crate::messenger) fn stop_showing(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        self.end_shown(call)?;
        let room = self.devices.record.room.take();
        self.save_devices(call)?;
        if let Some(room) = room {
            self.remove_room(call, room)?;
        }
        self.tell_devices();
        Ok(())
    }

    /// The link is over: an answer that nobody took is called back.
    pub(super) fn end_shown(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let Some(shown) = self.devices.record.shown.take() else {
            return Ok(());
        };
        self.disagree(call)?;
        self.save_devices(call)?;
        match shown.talked.and_then(|talk| talk.letter) {
            Some(letter) => self.recall(call, letter),
            None => Ok(()),
        }
    }

    /// Whether I answered and am not in yet.
    pub(in crate::messenger) fn has_talked(&self) -> bool {
        let shown = self.devices.record.shown.as_ref();
        shown.is_some_and(|shown| shown.talked.is_some())
    }

    /// Somebody who read the link calls. The first is answered, and nobody else: whether
    /// it is the device that the person holds, the code shows.
    pub(super) fn called(
        &mut self,
        call: &mut Call<'_, '_>,
        word: &[u8],
        conversation: ConversationId,
        said: &DeviceCall,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let known = self.conversations.contains_key(&conversation);
        let shown = self.devices.record.shown.as_ref();
        let own = self
            .devices
            .is_called_by_its_own(conversation, said.account.as_bytes());
        let waits = shown.filter(|one| one.talked.is_none() && now < one.until && !known);
        let waits = waits.filter(|_| own);
        let key = waits.and_then(|one| LeafKey::from_secret(&one.key));
        let (Some(key), Some(room)) = (key, self.devices.record.room) else {
            return self.drop_letter(None, DropReason::Letter);
        };
        let (account, entry) = (&said.account, &said.entry);
        // Who was put back takes the place of the one that is called so.
        if self.devices.leaf_before().is_none() {
            self.be_unlike(room, &said.entry.name)?;
        }
        let package = self.be_called(call, room, (conversation, account), &key, entry.key)?;
        let step = RoomStep::Called(DeviceAnswer {
            package,
            entry: self.entry_of(room, key.public())?,
            profile: self.profile_name(),
            before: self.devices.leaf_before(),
        });
        let answer = RoomWord {
            room: conversation,
            step,
        }
        .encode();
        let Some(tied) = tie(&key, word, &answer) else {
            return Err(StorageError::corrupt("signing with the key of a link"));
        };
        let body = LetterBody::device(&answer, &tied);
        let letter = self.post_to_device(call, &entry.addresses, body)?;
        if let Some(shown) = &mut self.devices.record.shown {
            shown.talked = Some(TalkRecord {
                call: Secret::new(word.to_vec()),
                answer: Secret::new(answer),
                letter,
            });
        }
        self.save_devices(call)?;
        self.tell_devices();
        Ok(())
    }

    /// I am in: the link has served its purpose.
    pub(in crate::messenger) fn device_linked(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        self.end_shown(call)?;
        self.linked_again(call)
    }
}
