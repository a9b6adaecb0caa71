//! Which devices there are, and throwing one out.

use hushwing_sansio::StorageError;

use super::code::code;
use crate::branches::Wish;
use crate::content::{DeviceAnswer, RoomStep, RoomWord};
use crate::link::DeviceLink;
use crate::messenger::mailbox::shared_address;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::mls::LeafKey;
use crate::storage::{MemberRecord, RoomStanding};
use crate::view::{DeviceView, DevicesView, LinkView};
use crate::{Event, MemberId, Refusal, Reply, RoomId, Secret};

impl Messenger {
    pub(in crate::messenger) fn list_devices(&self) -> Result<Reply, Stop> {
        Ok(Reply::Devices(self.devices_view()))
    }

    /// Whether this device is in their room; `None` where there is none.
    pub(super) fn device_standing(&self) -> Option<RoomStanding> {
        self.rooms.standing(self.devices.record.room?)
    }

    fn devices_view(&self) -> DevicesView {
        let room = self.devices.record.room;
        let members = room.map(|room| self.rooms.present_in(room));
        let devices = members.into_iter().flatten().map(|member| DeviceView {
            device: member.member,
            name: member.name.clone(),
            me: member.mine,
            reachable: member.mine || !member.addresses.is_empty(),
            parted: false,
        });
        let linked = self.device_standing() == Some(RoomStanding::Member);
        let answer = self.answer_of_device();
        let replaced = answer.as_ref().and_then(|said| self.replaced(said));
        DevicesView {
            standing: self.device_standing(),
            devices: devices.chain(self.devices.parted_views()).collect(),
            link: self.shown_link(),
            code: self.code_to_compare(),
            newcomer: answer.as_ref().map(|said| said.entry.name.clone()),
            replaces: replaced.map(|one| one.name.clone()),
            asks_here: self.has_talked() && self.devices.waits_for_word(),
            profile: answer
                .map(|said| said.profile)
                .or_else(|| self.profile_across()),
            history: self.devices.history.filter(|_| linked),
            changing: room.map_or(0, |room| self.rooms.changes_of(room)),
        }
    }

    /// The link this device shows, while nobody has called.
    fn shown_link(&self) -> Option<LinkView> {
        let shown = self.devices.record.shown.as_ref();
        let shown = shown.filter(|shown| shown.talked.is_none())?;
        let mailbox = self.rooms.mailbox_of(self.devices.record.room?)?;
        let address = shared_address(self.mailboxes.get(&mailbox)?)?;
        let key = LeafKey::from_secret(&shown.key)?.public();
        let uri = DeviceLink::new(key, address, shown.until).to_uri()?;
        Some(LinkView {
            link: Secret::new(uri.into_bytes()),
            until: shown.until,
        })
    }

    /// What both devices show, once each has what it is made of.
    fn code_to_compare(&self) -> Option<String> {
        let record = &self.devices.record;
        let talked = record.shown.as_ref().and_then(|one| one.talked.as_ref());
        if let Some(talk) = talked {
            return Some(code(talk.call.expose(), talk.answer.expose()));
        }
        let called = record.called.as_ref()?;
        let (said, answer) = (called.call.as_ref()?, called.answer.as_ref()?);
        Some(code(said.expose(), answer.expose()))
    }

    /// What the new device answered that waits for the person's word.
    fn answer_of_device(&self) -> Option<DeviceAnswer> {
        let called = self.devices.record.called.as_ref()?;
        let word = RoomWord::decode(called.answer.as_ref()?.expose()).ok()?;
        match word.step {
            RoomStep::Called(said) => Some(said),
            _ => None,
        }
    }

    /// What the profile on the other side of a link calls itself.
    fn profile_across(&self) -> Option<String> {
        let talked = self.devices.record.shown.as_ref()?.talked.as_ref()?;
        let word = RoomWord::decode(talked.call.expose()).ok()?;
        match word.step {
            RoomStep::Call(said) => Some(said.profile),
            _ => None,
        }
    }

    /// Throws a device out.
    pub(in crate::messenger) fn revoke_device(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
    ) -> Result<Reply, Stop> {
        if self.give_up_device(call, device)? {
            return self.list_devices();
        }
        let room = self.devices.record.room.ok_or(Refusal::NoDevice)?;
        match self.device_standing() {
            Some(RoomStanding::Member) => {}
            Some(RoomStanding::Broken) => return Err(Refusal::Broken.into()),
            _ => return Err(Refusal::NotLinked.into()),
        }
        let found = self
            .rooms
            .present_in(room)
            .find(|member| member.member == device)
            .map(|member| (member.key.clone(), member.mine));
        let (key, mine) = found.ok_or(Refusal::NoDevice)?;
        if mine {
            return Err(Refusal::ThisDevice.into());
        }
        self.throw_device_out(call, room, key)?;
        self.list_devices()
    }

    fn throw_device_out(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        key: Vec<u8>,
    ) -> Result<(), StorageError> {
        // Noted first: what the room of the devices tells of it is heard with that in mind.
        self.revoke_in_rooms(call, &key)?;
        self.within(call, room.place(), |this, call| {
            this.want(call, room, Wish::RemoveLeaf(key))
        })
    }

    /// A new device is one that was there, put back from a backup: what it was before goes.
    pub(super) fn replace_device(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        said: &DeviceAnswer,
    ) -> Result<(), StorageError> {
        match self.replaced(said).map(|one| one.key.clone()) {
            Some(key) => self.throw_device_out(call, room, key),
            None => Ok(()),
        }
    }

    /// The other device in whose place a new one wants to be.
    fn replaced(&self, said: &DeviceAnswer) -> Option<&MemberRecord> {
        let (key, room) = (said.before?, self.devices.record.room?);
        let mut others = self.rooms.present_in(room).filter(|one| !one.mine);
        others.find(|one| one.key == key)
    }

    /// Tells faces how it is now, unless they are about to be told just that.
    pub(in crate::messenger) fn tell_devices(&mut self) {
        let event = Event::Devices(self.devices_view());
        let mut events = self.events.iter().rev();
        let told = events.find(|event| matches!(event, Event::Devices(_)));
        if told != Some(&event) {
            self.tell(event);
        }
    }
}
