//! What becomes of a profile that was read from a backup, before anything goes on.

use hushwing_delivery::{FetchId, MailboxId};
use hushwing_sansio::{StorageError, Timestamp};

use super::broken::is_damage;
use super::list::drop_unsaid;
use super::lost::commit_of;
use super::stretch::wipe_restored;
use super::{Call, Messenger};
use crate::event::BreakReason;
use crate::mls::forget_key_package;
use crate::storage::{
    ChannelPart, ChannelRecord, ContactRecord, DevicesRecord, EraRecord, LackRecord, LeavesRecord,
    MailRecord, MailboxState, MailboxUse, MyProfileRecord, PairingRecord, PairsRecord,
    ReaderRecord, RepeatRecord, ReunionRecord, Role, RoomConsentRecord, RoomFollowersRecord,
    RoomLinkRecord, RoomMeetingRecord, RoomRecord, RoomReturnRecord, RoomReturnersRecord,
    RoomStanding, Standing,
};
use crate::{ContactId, ConversationId, Event, Storage};

/// Where it stands that a backup was put back, until the first run took note.
const RESTORED: &str = "restored";

/// Makes what was read from a backup fit to be opened: no letter of that time
/// leaves, and no conversation goes on before its contact began it anew. Numbers
/// up to `used` are not given again: the networks know mailboxes by them that
/// the profile did not have yet when it was copied.
///
/// To be called once, before [`Messenger::open`], in a transaction of its own.
///
/// The networks have to forget [`left_behind`] before.
///
/// # Errors
///
/// When storage fails or holds what this program cannot read.
pub fn restored(storage: &mut dyn Storage, used: u64) -> Result<(), StorageError> {
    storage.skip_numbers_to(used)?;
    storage.put_setting(RESTORED, &[1])?;
    for (letter, _) in storage.letters()? {
        storage.delete_letter(letter)?;
    }
    // What contacts were told since is not what I show now.
    let mut profile = MyProfileRecord::read(storage)?;
    profile.revision += 1;
    profile.put(storage)?;
    drop_unsaid(storage)?;
    forget_key_packages(storage)?;
    // Confirming it would go on with what MLS knew at that time.
    DevicesRecord::stop_linking(storage)?;
    for contact in storage.contacts()? {
        let standing = match contact.standing {
            Standing::Established | Standing::Restoring => match suspend(storage, contact.id) {
                Ok(()) => Standing::Restoring,
                // What is damaged ends one conversation, and never a restoration.
                Err(error) if is_damage(&error) => Standing::Broken,
                Err(error) => return Err(error),
            },
            // The first run ends them, and tells so.
            standing @ (Standing::Asked | Standing::Requested) => standing,
            Standing::Joining | Standing::Broken => continue,
        };
        storage.remove_setting(&commit_of(contact.id))?;
        storage.put_contact(&ContactRecord {
            standing,
            commit_letter: None,
            ..contact
        })?;
    }
    end_consents(storage)?;
    restart_channels(storage)?;
    let devices = DevicesRecord::read(storage)?.room;
    for mailbox in left_behind(storage)? {
        storage.remove_mailbox_record(mailbox)?;
        storage.delete_mailbox(mailbox)?;
    }
    LeavesRecord::clear(storage)?;
    let pairs = end_pairs(storage)?;
    for room in storage.rooms()? {
        let sound = room.is_ok();
        let room = room.unwrap_or_else(|damaged| damaged.stand_in());
        let standing = match room.standing {
            // Who was thrown out stays so, whoever puts what they had back.
            RoomStanding::Left if sound && devices == Some(room.id) => RoomStanding::Left,
            // The first run forgets it.
            _ if devices == Some(room.id) => RoomStanding::Broken,
            // The conversation that it went on with is begun anew.
            _ if pairs.contains(&room.conversation) => RoomStanding::Broken,
            RoomStanding::Offered => continue,
            RoomStanding::Joining | RoomStanding::Member | RoomStanding::Restoring => {
                RoomStanding::Restoring
            }
            RoomStanding::Leaving | RoomStanding::Left | RoomStanding::Broken => {
                RoomStanding::Broken
            }
        };
        end_room(storage, room, standing)?;
    }
    Ok(())
}

/// What was agreed about pairs may be over since; which they are.
fn end_pairs(storage: &mut dyn Storage) -> Result<Vec<ConversationId>, StorageError> {
    let mut record = PairsRecord::read(storage)?;
    if record == PairsRecord::default() {
        return Ok(Vec::new());
    }
    for contact in record.contacts.values_mut() {
        *contact = PairingRecord {
            least: contact.least,
            cut: contact.cut,
            ..PairingRecord::default()
        };
    }
    record.put(storage)?;
    Ok(record.pairs.iter().map(|pair| pair.group).collect())
}

/// A lost device may have said more: what I say from now on has other keys and far
/// higher numbers. No letter of that time leaves. What is damaged is found when the
/// profile is opened.
fn restart_channels(storage: &mut dyn Storage) -> Result<(), StorageError> {
    for mut channel in ChannelRecord::all(storage)?.into_iter().flatten() {
        match &mut channel.part {
            ChannelPart::Publisher(mine) => mine.restored = true,
            ChannelPart::Reader(mine) => mine.asking = None,
            ChannelPart::Lost => {}
        }
        channel.put(storage)?;
        for (reader, record) in ReaderRecord::all(storage, channel.id)? {
            let Ok(mut record) = record else {
                continue;
            };
            record.letter = None;
            record.telling.clear();
            record.put(storage, channel.id, reader)?;
        }
    }
    Ok(())
}

/// What was agreed by a link may be over since: nobody enters or is let in by it
/// without a word any more.
fn end_consents(storage: &mut dyn Storage) -> Result<(), StorageError> {
    for contact in storage.contacts()? {
        if let Some(mut met) = RoomMeetingRecord::of(storage, contact.id)? {
            met.done = true;
            met.put(storage, contact.id)?;
        }
    }
    for join in storage.joins()? {
        RoomConsentRecord::clear(storage, FetchId(join.fetch))?;
    }
    for invitation in storage.invitations()? {
        if let Some(mut leads) = RoomLinkRecord::of(storage, invitation.id)? {
            leads.open = false;
            leads.put(storage, invitation.id)?;
        }
    }
    Ok(())
}

/// A room does not go on as it is: what its keeper knew must not be used again, and a
/// steward has to let me in anew.
fn end_room(
    storage: &mut dyn Storage,
    room: RoomRecord,
    standing: RoomStanding,
) -> Result<(), StorageError> {
    storage.remove_all_held(room.id.place())?;
    RoomReturnRecord::clear(storage, room.id)?;
    RoomFollowersRecord::clear(storage, room.id)?;
    RoomReturnersRecord::clear(storage, room.id)?;
    if let Some(package) = &room.package {
        // The lost device may have been welcomed by it.
        forget_key_package(storage, &package.reference)?;
    }
    let out = standing == RoomStanding::Left;
    storage.put_room(&RoomRecord {
        package: None,
        standing,
        publishing: Vec::new(),
        asked: Vec::new(),
        mailbox: room.mailbox.filter(|_| !out),
        may_return: room.may_return && !out,
        ..room
    })
}

/// Who opened a link since was welcomed by the lost device; to be welcomed again,
/// by a copy of that letter, would turn the same ratchet twice. Links that may be
/// used often get other packages at the first sweep; nobody can join by the rest.
fn forget_key_packages(storage: &mut dyn Storage) -> Result<(), StorageError> {
    for mut invitation in storage.invitations()? {
        for package in storage.key_packages(invitation.id)? {
            forget_key_package(storage, &package.reference)?;
            storage.remove_key_package(&package.reference)?;
        }
        invitation.package_since = Timestamp::default();
        storage.put_invitation(&invitation)?;
    }
    Ok(())
}

fn suspend(storage: &mut dyn Storage, id: ContactId) -> Result<(), StorageError> {
    storage.remove_all_held(id)?;
    RepeatRecord::clear(storage, id)?;
    LackRecord::clear(storage, id)?;
    let mut era = EraRecord::of(storage, id)?;
    era.answer.clear();
    if let Some(request) = era.request.take() {
        // It may have been answered since.
        forget_key_package(storage, &request.reference)?;
    }
    era.put(storage, id)?;
    let mut reunion = ReunionRecord::of(storage, id)?;
    if let Some(scope) = reunion.take_former() {
        storage.remove_mls_scope(&scope)?;
    }
    reunion.put(storage, id)?;
    wipe_restored(storage, id)?;
    leave_mailboxes(storage, id)
}

/// The mailboxes of that time may be gone, or read by who has the lost device:
/// they are told to nobody, and closed when the contact knows others.
fn leave_mailboxes(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
    let mut mail = MailRecord::of(storage, contact)?;
    for record in storage.mailbox_records()? {
        if record.owner != MailboxUse::Conversation(contact) {
            continue;
        }
        if mail.role(record.id) == Role::Recovery && record.state == MailboxState::Open {
            // For a contact whose other addresses are old too.
            continue;
        }
        if record.state == MailboxState::Open {
            let role = Role::Leaving { since: None };
            mail.set_role(record.id, role, Timestamp::default());
        } else {
            let id = MailboxId(record.id);
            storage.remove_mailbox_record(id)?;
            storage.delete_mailbox(id)?;
            mail.drop_note(record.id);
        }
    }
    for note in &mut mail.mailboxes {
        note.replaces = None;
    }
    mail.telling.clear();
    mail.confirmed = false;
    mail.new_keys = false;
    mail.rotate_at = Timestamp::default();
    mail.doubts.clear();
    mail.put(storage, contact)
}

/// The mailboxes that stay the lost device's when a backup is put back: where the devices meet.
/// There it is told that it was thrown out, and has to find that, should anybody switch it on.
/// Networks are to forget them here, and neither close them nor listen to them.
///
/// # Errors
///
/// When storage fails or holds what this program cannot read.
pub fn left_behind(storage: &dyn Storage) -> Result<Vec<MailboxId>, StorageError> {
    let Some(room) = DevicesRecord::read(storage)?.room else {
        return Ok(Vec::new());
    };
    let records = storage.mailbox_records()?.into_iter();
    let of_room = records.filter(|record| record.owner == MailboxUse::Room(room));
    Ok(of_room.map(|record| MailboxId(record.id)).collect())
}

impl Messenger {
    /// Ends what a backup held that cannot go on. Whom I asked, or who asked me,
    /// may have gone on with the lost device; there is no conversation yet that
    /// could be saved. Done by the first run, so that faces are told.
    pub(super) fn end_what_was_restored(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        if call.storage.setting(RESTORED)?.is_none() {
            return Ok(());
        }
        call.storage.remove_setting(RESTORED)?;
        for contact in self.people.keys().copied().collect::<Vec<_>>() {
            self.within(call, contact, |this, call| {
                match this.standing(contact) {
                    Some(Standing::Asked) => {
                        this.forget_join(call, contact)?;
                        this.break_off(call, contact, BreakReason::Restored)?;
                    }
                    Some(Standing::Requested) => {
                        this.remove_person(call, contact)?;
                        this.tell(Event::RequestLapsed { contact });
                    }
                    _ => {}
                }
                Ok(())
            })?;
        }
        self.part_from_devices(call)?;
        self.found_restored_anew(call)?;
        self.tell_restoring_rooms();
        let links = self.invitations.values().filter(|link| !link.reusable);
        for link in links.map(|link| link.id).collect::<Vec<_>>() {
            self.end_restored_link(call, link)?;
        }
        Ok(())
    }
}
