//! What an old device does: it reads the link of a new one, calls it, hears its answer
//! and lets it in once a person compared the code.

use hushwing_delivery::{Address, Keep, Letter, PostError, SealKey, Urgency};
use hushwing_sansio::{StorageError, Timestamp};

use super::code::{code, is_code};
use super::tie::is_tied;
use super::{DAY, LINK_LIFE, MOST_DEVICES};
use crate::branches::MemberPackage;
use crate::content::{DeviceAnswer, DeviceCall, RoomStep, RoomWord};
use crate::letter::LetterBody;
use crate::link::DeviceLink;
use crate::messenger::join::refusal_of_link;
use crate::messenger::room::usable;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{CalledRecord, RoomStanding};
use crate::{ConversationId, DropReason, Refusal, Reply, RoomId, Secret};

/// Addresses of one device that are written to at first.
const MOST_ADDRESSES: usize = 4;

impl Messenger {
    /// Calls the new device that shows this link. `name` is what this one is called among
    /// its like, unless it was said before.
    pub(in crate::messenger) fn call_device(
        &mut self,
        call: &mut Call<'_, '_>,
        link: &Secret,
        name: &str,
    ) -> Result<Reply, Stop> {
        let name = usable(name)?;
        let text = core::str::from_utf8(link.expose()).map_err(|_| Refusal::NotALink)?;
        let link = DeviceLink::parse(text).map_err(refusal_of_link)?;
        let now = call.cx.wall();
        if link.expires() <= now {
            return Err(Refusal::LinkExpired.into());
        }
        let room = self.room_of_devices(call, &name)?;
        if self.rooms.present_in(room).any(|one| one.key == link.key()) {
            return Err(Refusal::DeviceHere.into());
        }
        self.has_place(room)?;
        self.end_called(call)?;
        self.devices.record.called = Some(CalledRecord {
            key: *link.key(),
            address: Secret::new(link.address().encode()),
            until: now + LINK_LIFE,
            call: None,
            letter: None,
            answer: None,
        });
        self.save_devices(call)?;
        self.call_now(call)?;
        self.list_devices()
    }

    /// Whether one more device may be in their room.
    fn has_place(&self, room: RoomId) -> Result<(), Refusal> {
        let most = usize::from(MOST_DEVICES);
        match self.rooms.size_of(room) < most {
            true => Ok(()),
            false => Err(Refusal::TooManyDevices { most }),
        }
    }

    /// Where the devices meet, founded if this is the first.
    fn room_of_devices(&mut self, call: &mut Call<'_, '_>, name: &str) -> Result<RoomId, Stop> {
        self.forget_ruin(call)?;
        match (self.devices.record.room, self.device_standing()) {
            (Some(room), Some(RoomStanding::Member)) => Ok(room),
            (None, _) => {
                let room = self.found_devices(call, name)?;
                self.devices.record.room = Some(room);
                self.save_devices(call)?;
                Ok(room)
            }
            (_, Some(RoomStanding::Broken)) => Err(Refusal::Broken.into()),
            _ => Err(Refusal::NotLinked.into()),
        }
    }

    /// Calls as soon as it can be said where to answer.
    pub(super) fn call_now(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let called = self.devices.record.called.as_ref();
        let waits = called.filter(|called| called.call.is_none());
        let to = waits.map(|called| called.address.expose().to_vec());
        let (Some(to), Some(room)) = (to, self.devices.record.room) else {
            return Ok(());
        };
        let entry = self.my_entry(room)?;
        if entry.addresses.is_empty() {
            return Ok(());
        }
        let (conversation, account) = self.who_in(room)?;
        let step = RoomStep::Call(DeviceCall {
            account,
            entry,
            profile: self.profile_name(),
        });
        let word = RoomWord {
            room: conversation,
            step,
        };
        let bytes = word.encode();
        let letter = self.post_to_device(call, &[to], LetterBody::device(&bytes, &[]))?;
        if let Some(called) = &mut self.devices.record.called {
            called.call = Some(Secret::new(bytes));
            called.letter = letter;
        }
        self.save_devices(call)
    }

    /// The new device comes in, or never will: nothing is on its way to it by its link any
    /// more. Whoever read that may have read the call, and where I am written to.
    pub(super) fn end_called(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let Some(called) = self.devices.record.called.take() else {
            return Ok(());
        };
        self.save_devices(call)?;
        if let Some(letter) = called.letter {
            self.recall(call, letter)?;
        }
        let member = self.device_standing() == Some(RoomStanding::Member);
        match self.devices.record.room.filter(|_| member) {
            Some(room) if called.call.is_some() => self.leave_told_mailbox(call, room),
            _ => Ok(()),
        }
    }

    /// Posts to a device that is not in the room yet.
    pub(super) fn post_to_device(
        &mut self,
        call: &mut Call<'_, '_>,
        addresses: &[Vec<u8>],
        bytes: Vec<u8>,
    ) -> Result<Option<u64>, StorageError> {
        let to = addresses.iter().filter_map(|to| Address::decode(to).ok());
        let to = to.filter(|to| matches!(to.seal, SealKey::Shared(_)));
        let letter = Letter {
            to: to.take(MOST_ADDRESSES).collect(),
            last_resort: Vec::new(),
            bytes,
            urgency: Urgency::Normal,
            keep: Keep::UntilAccepted,
        };
        match self.office.post(call.cx, &mut *call.storage, &letter) {
            Err(PostError::Storage(error)) => Err(error),
            // What they gave as addresses takes nothing: nobody comes in.
            Err(_) => Ok(None),
            Ok(letter) => Ok(Some(letter.0)),
        }
    }

    /// A new device answered. It is the one whose link was read, and heard what I said: the
    /// key in the link signed its key package, and the answer together with my call.
    pub(super) fn answered(
        &mut self,
        call: &mut Call<'_, '_>,
        (word, signature): (&[u8], &[u8]),
        of: ConversationId,
        said: &DeviceAnswer,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let Some(room) = self.devices.record.room else {
            return self.drop_letter(None, DropReason::Letter);
        };
        let (conversation, account) = self.who_in(room)?;
        let called = self.devices.record.called.as_mut();
        let entry = &said.entry;
        let waits = called.filter(|called| {
            let said = called.call.as_ref().filter(|_| called.answer.is_none());
            let tied =
                said.is_some_and(|said| is_tied(&called.key, said.expose(), word, signature));
            tied && now < called.until && called.key == entry.key && of == conversation
        });
        // Last, since it costs most.
        let is_signed = || {
            let package = MemberPackage::check(&self.crypto, &said.package);
            package.is_some_and(|package| {
                *package.account() == account && package.signature_key() == entry.key
            })
        };
        let Some(called) = waits.filter(|_| is_signed()) else {
            return self.drop_letter(None, DropReason::Letter);
        };
        called.answer = Some(Secret::new(word.to_vec()));
        self.save_devices(call)?;
        self.tell_devices();
        Ok(())
    }

    /// A person compared the code on a device that was put back from a backup.
    fn confirm_here(&mut self, call: &mut Call<'_, '_>, typed: &str) -> Result<Reply, Stop> {
        let shown = self.devices.record.shown.as_ref();
        let talk = shown.and_then(|shown| shown.talked.as_ref());
        let waits = talk.filter(|_| self.devices.waits_for_word());
        let (Some(talk), Some(room)) = (waits, self.devices.record.room) else {
            return Err(Refusal::NoNewDevice.into());
        };
        if !is_code(typed, &code(talk.call.expose(), talk.answer.expose())) {
            return Err(Refusal::WrongCode.into());
        }
        self.agree_here(call, room)?;
        self.list_devices()
    }

    /// Whether a new device is called as one that is there and stays.
    fn is_named_as_another(&self, room: RoomId, word: &RoomWord) -> bool {
        let RoomStep::Called(said) = &word.step else {
            return false;
        };
        let goes = |key: &[u8]| said.before.is_some_and(|before| before == key);
        let mut there = self.rooms.present_in(room);
        there.any(|one| one.name == said.entry.name && !goes(&one.key))
    }

    /// A person compared the code: the new device comes in.
    pub(in crate::messenger) fn confirm_device(
        &mut self,
        call: &mut Call<'_, '_>,
        typed: &str,
        days: Option<u32>,
    ) -> Result<Reply, Stop> {
        match self.device_standing() {
            Some(RoomStanding::Member) => {}
            Some(RoomStanding::Joining) if days.is_some() => {
                return Err(Refusal::HistoryThere.into());
            }
            Some(RoomStanding::Joining) => return self.confirm_here(call, typed),
            Some(RoomStanding::Broken) => return Err(Refusal::Broken.into()),
            _ => return Err(Refusal::NoNewDevice.into()),
        }
        let now = call.cx.wall();
        let called = self.devices.record.called.as_ref();
        let called = called.filter(|called| now < called.until);
        let said = called.and_then(|one| Some((one.call.as_ref()?, one.answer.as_ref()?)));
        let (Some((said, answer)), Some(room)) = (said, self.devices.record.room) else {
            return Err(Refusal::NoNewDevice.into());
        };
        if !is_code(typed, &code(said.expose(), answer.expose())) {
            return Err(Refusal::WrongCode.into());
        }
        self.has_place(room)?;
        let Ok(word) = RoomWord::decode(answer.expose()) else {
            return Err(StorageError::corrupt("reading the answer of a device").into());
        };
        if self.is_named_as_another(room, &word) {
            return Err(Refusal::DeviceNamed.into());
        }
        self.end_called(call)?;
        // Those of a backup stay behind in their room.
        self.give_devices_up(call)?;
        if let RoomStep::Called(said) = word.step {
            self.replace_device(call, room, &said)?;
            self.let_device_in(call, room, &said.package, &said.entry)?;
            let since = days.map(|days| DAY * days);
            let since = since.map_or(Timestamp::default(), |much| now - much);
            self.hand_history_to(call, said.entry.key, since)?;
        }
        self.list_devices()
    }
}
