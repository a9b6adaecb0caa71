//! The room in which the devices of one account meet: made and entered otherwise than
//! others, and then a room like all.

use hushwing_delivery::MailboxId;
use hushwing_sansio::{Moment, StorageError};

use crate::branches::{AccountId, Lent, MemberPackage, OwnPackage, Wish};
use crate::content::Entry;
use crate::messenger::device::MOST_DEVICES;
use crate::messenger::device::name::unlike;
use crate::messenger::room::{GroupSize, Rooms};
use crate::messenger::{Call, Messenger};
use crate::mls::LeafKey;
use crate::storage::{MemberRecord, PackageRecord, RoomRecord, RoomStanding};
use crate::view::RoomView;
use crate::{ContactId, ConversationId, RoomId};

/// Where a contact stands with other rooms. No contact has this number.
const NOBODY: ContactId = ContactId(0);

impl Rooms {
    /// Whether I am in a room.
    pub(in crate::messenger) fn standing(&self, room: RoomId) -> Option<RoomStanding> {
        Some(self.by_id.get(&room)?.record.standing)
    }

    /// Whether a room only stands for one whose record is damaged.
    pub(in crate::messenger) fn is_stand_in(&self, room: RoomId) -> bool {
        let room = self.by_id.get(&room);
        room.is_some_and(|room| room.record.account.is_empty())
    }

    /// How many changes of a room are under way.
    pub(in crate::messenger) fn changes_of(&self, room: RoomId) -> usize {
        self.by_id.get(&room).map_or(0, |room| room.changing)
    }

    /// How many are in a room.
    pub(in crate::messenger) fn size_of(&self, room: RoomId) -> usize {
        self.by_id
            .get(&room)
            .map_or(0, crate::messenger::room::Room::size)
    }

    /// Those who are in a room, me included, by number.
    pub(in crate::messenger) fn present_in(
        &self,
        room: RoomId,
    ) -> impl Iterator<Item = &MemberRecord> {
        let room = self.by_id.get(&room).into_iter();
        let members = room.flat_map(|room| room.members.values());
        members.filter(|member| member.present)
    }

    /// As which leaf I am in a room, by public signature key.
    pub(in crate::messenger) fn key_in(&self, room: RoomId) -> &[u8] {
        let known = self.by_id.get(&room);
        known.map_or(&[], |known| known.key.as_slice())
    }

    /// Where I am written to in a room.
    pub(in crate::messenger) fn mailbox_of(&self, room: RoomId) -> Option<MailboxId> {
        self.by_id.get(&room)?.record.mailbox.map(MailboxId)
    }
}

impl Messenger {
    /// Reads where the devices meet, when nothing else is seen to.
    pub(in crate::messenger) fn wake_device_room(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let Some(room) = self.devices.room() else {
            return Ok(());
        };
        self.within(call, room.place(), |this, call| {
            this.refresh(call, room).map(drop)
        })
    }

    /// When its keeper wants to be called.
    pub(in crate::messenger) fn device_room_due_at(&self) -> Option<Moment> {
        let room = self.devices.room()?;
        self.rooms.keepers.get(&room)?.poll_timeout()
    }

    pub(in crate::messenger) fn device_room_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let due = self.device_room_due_at();
        match self.devices.room() {
            Some(room) if due.is_some_and(|at| at <= call.cx.now()) => self.tick(call, room),
            _ => Ok(()),
        }
    }

    /// What is to be seen to there now and then.
    pub(in crate::messenger) fn sweep_device_room(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let Some(room) = self.devices.room() else {
            return Ok(());
        };
        self.within(call, room.place(), |this, call| this.tend_room(call, room))
    }

    /// Tells faces of all rooms how they are now.
    pub(in crate::messenger) fn tell_all_rooms(&mut self) {
        for room in self.rooms.by_id.keys().copied().collect::<Vec<_>>() {
            self.tell_room(room);
        }
    }

    /// A room as it is shown: who was thrown out where the devices meet is in none any more,
    /// or soon.
    pub(in crate::messenger) fn as_seen_here(&self, view: RoomView) -> RoomView {
        match (self.is_out(), view.standing) {
            (
                true,
                RoomStanding::Member
                | RoomStanding::Joining
                | RoomStanding::Leaving
                | RoomStanding::Restoring,
            ) => RoomView {
                standing: RoomStanding::Left,
                ..view
            },
            _ => view,
        }
    }

    /// Waits in a room that nobody is in, for a device that has one.
    pub(in crate::messenger) fn await_devices(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<RoomId, StorageError> {
        let unknown = ConversationId(call.cx.random());
        let record = self.new_room(call, unknown, "")?;
        let room = record.id;
        self.add_room(
            call,
            RoomRecord {
                standing: RoomStanding::Joining,
                my_name: name.to_owned(),
                ..record
            },
        )?;
        self.open_room_mailbox(call, room)?;
        Ok(room)
    }

    /// Founds the room, as the first device.
    pub(in crate::messenger) fn found_devices(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<RoomId, StorageError> {
        let bounds = (GroupSize::of_devices(), MOST_DEVICES);
        let room = self.found_bounded(call, "", name.to_owned(), bounds)?;
        self.open_room_mailbox(call, room)?;
        Ok(room)
    }

    /// Which conversation a room is, and as whom I am in it.
    pub(in crate::messenger) fn who_in(
        &mut self,
        room: RoomId,
    ) -> Result<(ConversationId, AccountId), StorageError> {
        let known = self.rooms.find(room)?;
        Ok((known.record.conversation, known.account()?))
    }

    /// Is not called there as another one is.
    pub(in crate::messenger) fn be_unlike(
        &mut self,
        room: RoomId,
        other: &str,
    ) -> Result<(), StorageError> {
        let record = &mut self.rooms.find(room)?.record;
        record.my_name = unlike(&record.my_name, other);
        Ok(())
    }

    /// I was told which room it is: waits for the Welcome of that leaf, with a key package
    /// for a leaf of this key.
    pub(in crate::messenger) fn be_called(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (conversation, account): (ConversationId, &AccountId),
        key: &LeafKey,
        steward: [u8; 32],
    ) -> Result<Vec<u8>, StorageError> {
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        let package = OwnPackage::make_with(&mut lent, account, key)?;
        let record = &mut self.rooms.find(room)?.record;
        let before = core::mem::replace(&mut record.conversation, conversation);
        record.package = Some(PackageRecord {
            account: account.as_bytes().to_vec(),
            by: NOBODY,
            steward,
            reference: package.reference,
            message: package.message.clone(),
            key: package.key,
            entered: None,
        });
        self.conversations.remove(&before);
        self.conversations.insert(conversation, room.place());
        self.save_room(call, room)?;
        Ok(package.message)
    }

    /// Somebody who is not in a room knows where I am written to: that changes.
    pub(in crate::messenger) fn leave_told_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.rooms.find(room)?.record.exposed = true;
        self.save_room(call, room)?;
        self.replace_room_mailbox(call, room)
    }

    /// Adds a device that a person vouched for.
    pub(in crate::messenger) fn let_device_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        package: &[u8],
        entry: &Entry,
    ) -> Result<(), StorageError> {
        let Some(checked) = MemberPackage::check(&self.crypto, package) else {
            return Ok(());
        };
        let account = checked.account().clone();
        self.within(call, room.place(), |this, call| {
            let member = this.member_for(call, room, &account, &entry.key)?;
            this.learn(call, room, member, entry)?;
            this.want(call, room, Wish::Add(package.to_vec()))
        })
    }
}
