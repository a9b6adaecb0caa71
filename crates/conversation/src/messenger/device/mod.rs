//! The devices of one account: how a new one comes in, who they are, and how one is
//! thrown out (RFC 0024).
//!
//! They meet in a room of their own ([`super::room`]) that no face shows and of which no
//! contact hears. [`show`] is what a new device does, [`call`] what an old one does;
//! both make of what they told each other six digits ([`code`]) that a person compares.
//! The answer is tied to the call ([`tie`]), so that nobody between them can try answers
//! until the digits are the same.
//!
//! Who was thrown out obeys ([`out`]), and before anybody is thrown out what the others said is
//! fetched ([`mail_first`]).

mod call;
mod code;
mod list;
mod mail_first;
pub(super) mod name;
mod out;
mod parted;
pub(super) mod proof;
mod show;
mod tie;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use hushwing_delivery::LetterId;
use hushwing_sansio::{Moment, StorageError};

use mail_first::MailFirst;
use out::Out;

use super::broken::is_damage;
use super::room::usable;
use super::{Call, Messenger};
use crate::content::{RoomStep, RoomWord};
use crate::storage::{DevicesRecord, PartedRecord, RoomStanding};
use crate::view::HistoryView;
use crate::{DropReason, Event, MemberId, RoomId, Storage};

/// Devices of one account.
pub(super) const MOST_DEVICES: u16 = 3;
/// How long a link can be used.
const LINK_LIFE: Duration = Duration::from_secs(10 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How much longer a new device that answered waits to be let in.
const WELCOME_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// What this device knows of the others.
#[derive(Default)]
pub(super) struct Devices {
    record: DevicesRecord,
    /// Those of a backup.
    parted: PartedRecord,
    /// How much was taken of what was said before this one was linked.
    pub(super) history: Option<HistoryView>,
    /// Of which leaves of mine each other device was told in this run.
    told: BTreeMap<MemberId, BTreeSet<Vec<u8>>>,
    /// When they are told again of what they did not come into.
    pub(super) tells_again: Option<Moment>,
    /// What is done only once the others were heard.
    mail: MailFirst,
    /// Since this device was thrown out.
    out: Out,
    /// The letters of this run that tell others that they are out.
    told_out: BTreeMap<MemberId, LetterId>,
}

impl Devices {
    pub(super) fn open(storage: &dyn Storage) -> Result<Self, StorageError> {
        Ok(Self {
            record: DevicesRecord::read(storage)?,
            parted: PartedRecord::read(storage)?,
            history: None,
            told: BTreeMap::new(),
            tells_again: None,
            mail: MailFirst::default(),
            out: Out::default(),
            told_out: BTreeMap::new(),
        })
    }

    /// Where they meet.
    pub(super) fn room(&self) -> Option<RoomId> {
        self.record.room
    }

    /// Whether a device was told that this leaf is mine.
    pub(super) fn was_told(&self, device: MemberId, key: &[u8]) -> bool {
        let told = self.told.get(&device);
        told.is_some_and(|told| told.contains(key))
    }

    pub(super) fn note_told(&mut self, device: MemberId, keys: impl Iterator<Item = [u8; 32]>) {
        let told = self.told.entry(device).or_default();
        told.extend(keys.map(|key| key.to_vec()));
    }

    pub(super) fn forget_all_told(&mut self) {
        self.told.clear();
    }

    pub(super) fn forget_told(&mut self, device: MemberId) {
        self.told.remove(&device);
    }

    /// As if it had not been told of this leaf of mine.
    pub(super) fn forget_told_of(&mut self, device: MemberId, key: &[u8]) {
        if let Some(told) = self.told.get_mut(&device) {
            told.remove(key);
        }
    }

    pub(super) fn note_told_out(&mut self, device: MemberId, letter: Option<LetterId>) {
        self.told_out.extend(letter.map(|letter| (device, letter)));
    }

    pub(super) fn take_told_out(&mut self, device: MemberId) -> Option<LetterId> {
        self.told_out.remove(&device)
    }

    /// Whether that is their room.
    pub(super) fn meet_in(&self, room: RoomId) -> bool {
        self.record.room == Some(room)
    }

    /// Whether that tells of their room as of a room or a conversation. Faces know
    /// neither.
    pub(super) fn hide(&self, event: &Event) -> bool {
        let place = match event {
            Event::RoomUnchanged { room, .. } | Event::RoomForgotten { room } => room.place(),
            Event::Room(view) | Event::RoomOffered(view) => view.room.place(),
            Event::Broken { contact, .. } | Event::Typing { contact, .. } => *contact,
            Event::Conversation(view) => view.contact,
            _ => return false,
        };
        self.meet_in(RoomId::at(place))
    }
}

impl Messenger {
    fn save_devices(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        self.devices.record.put(call.storage)
    }

    /// What two devices said before they shared a room.
    pub(super) fn heard_of_device(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (word, signature): (&[u8], &[u8]),
    ) -> Result<(), StorageError> {
        let standing = self
            .rooms
            .standing(room)
            .filter(|_| self.devices.meet_in(room));
        let Ok(RoomWord { room: of, step }) = RoomWord::decode(word) else {
            return self.drop_letter(None, DropReason::Letter);
        };
        match (standing, &step) {
            (Some(RoomStanding::Joining), RoomStep::Call(said)) => {
                self.called(call, word, of, said)
            }
            (Some(RoomStanding::Member), RoomStep::Called(said)) => {
                self.answered(call, (word, signature), of, said)
            }
            _ => self.drop_letter(None, DropReason::Letter),
        }
    }

    /// What this profile is called, as another device is told: nothing is told without.
    fn profile_name(&self) -> String {
        usable(&self.config.name).unwrap_or_else(|_| "?".to_owned())
    }

    /// The room of the devices has a mailbox: what waited for it leaves.
    pub(super) fn device_mailbox_opened(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        self.call_now(call)?;
        self.tell_devices();
        Ok(())
    }

    /// A room that cannot go on, and in which nobody else is or was, is forgotten: there
    /// is nobody who could throw me out and take me in anew.
    fn forget_ruin(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let ruined = self.device_standing() == Some(RoomStanding::Broken);
        let Some(room) = self.devices.record.room.filter(|_| ruined) else {
            return Ok(());
        };
        match call.storage.members(room) {
            Ok(members) if members.iter().all(|member| member.mine) => {}
            Err(error) if !is_damage(&error) => return Err(error),
            Ok(_) | Err(_) => return Ok(()),
        }
        if self.rooms.is_stand_in(room) {
            // Who was in it is not known.
            return Ok(());
        }
        self.end_called(call)?;
        self.end_shown(call)?;
        self.devices.record.room = None;
        self.save_devices(call)?;
        self.remove_room(call, room)
    }

    /// A room that was founded to link a device which never came, on one that was put back
    /// from a backup: it can still be linked with those it was linked with.
    fn forget_meeting_of_one(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let member = self.device_standing() == Some(RoomStanding::Member);
        let room = self.devices.record.room;
        let alone = room.filter(|room| self.rooms.size_of(*room) < 2);
        let Some(room) = alone.filter(|_| member && self.devices.is_parted()) else {
            return Ok(());
        };
        self.end_called(call)?;
        self.devices.record.room = None;
        self.save_devices(call)?;
        self.remove_room(call, room)
    }

    /// Nothing of a link that is over stays.
    pub(super) fn sweep_devices(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let record = &self.devices.record;
        let over = record.called.as_ref().is_some_and(|one| one.until <= now);
        let in_vain = record.shown.as_ref().is_some_and(|one| {
            // The Welcome may be on its way to whoever answered.
            let patience = match one.talked {
                Some(_) => WELCOME_LIFE,
                None => Duration::ZERO,
            };
            one.until + patience <= now
        });
        if over {
            self.end_called(call)?;
            self.tell_devices();
        }
        match in_vain {
            true => self.stop_showing(call),
            false => Ok(()),
        }
    }
}

/// A call and its answer in one, to be hashed or signed.
fn talk(label: &[u8], call: &[u8], answer: &[u8]) -> Vec<u8> {
    let length = u64::try_from(call.len()).unwrap_or(u64::MAX);
    [label, &length.to_be_bytes(), call, answer].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{BreakReason, RoomFault};

    #[test]
    fn what_tells_of_their_room_as_of_a_room_is_hidden() {
        let mut devices = Devices::default();
        let of = |room: RoomId| {
            let contact = room.place();
            [
                Event::RoomUnchanged {
                    room,
                    reason: RoomFault::Sense,
                },
                Event::RoomForgotten { room },
                Event::Broken {
                    contact,
                    reason: BreakReason::Damaged,
                },
                Event::Typing {
                    contact,
                    member: None,
                },
            ]
        };
        assert!(!of(RoomId(7)).iter().any(|event| devices.hide(event)));
        devices.record.room = Some(RoomId(7));
        assert!(of(RoomId(7)).iter().all(|event| devices.hide(event)));
        assert!(!of(RoomId(8)).iter().any(|event| devices.hide(event)));
    }
}
