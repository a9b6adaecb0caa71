//! Letters that shall not be tried for ever: to where somebody was, and to who is
//! gone.

use hushwing_delivery::{Address, LetterId};
use hushwing_sansio::StorageError;

use super::Room;
use crate::messenger::{Call, Messenger};
use crate::storage::Owed;
use crate::{MemberId, RoomId, Secret};

/// Receipts that are let go at a time.
const MOST_AT_ONCE: usize = 256;

impl Messenger {
    /// Calls back all letters of a room to these addresses, but where somebody else
    /// takes letters who is in a room: whoever tells another's address as their own
    /// does not keep letters from them.
    pub(super) fn cancel_letters_to(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        addresses: &[Secret],
    ) -> Result<(), StorageError> {
        let read = |bytes: &Secret| Address::decode(bytes.expose()).ok();
        let present = self.rooms.by_id.values().flat_map(Room::others);
        let taken: Vec<_> = present.flat_map(|one| &one.addresses).collect();
        let free = addresses.iter().filter(|bytes| !taken.contains(bytes));
        let free: Vec<Address> = free.filter_map(read).collect();
        if free.is_empty() {
            return Ok(());
        }
        self.office.cancel_to(call.cx, &mut *call.storage, &free)?;
        // A commit of mine may have waited for one of them.
        let publishing = &self.rooms.find(room)?.record.publishing;
        let letters = publishing.iter().flat_map(|one| one.letters.clone());
        for letter in letters.map(LetterId).collect::<Vec<_>>() {
            if self.office.whereabouts(letter).is_none() {
                self.commit_left(call, letter, false)?;
            }
        }
        Ok(())
    }

    /// Calls back what is on its way to anybody who is or was in a room that I am
    /// not in any more.
    pub(super) fn cancel_letters_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let mut addresses = Vec::new();
        for member in self.rooms.find(room)?.members.values_mut() {
            member.present = false;
            addresses.extend(member.addresses.iter().cloned());
        }
        self.cancel_letters_to(call, room, &addresses)
    }

    /// Nothing is owed any more to somebody who is gone for good.
    pub(super) fn owe_nothing_to(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        self.debts.forget(member.place());
        loop {
            let owing = call.storage.owing_to(room.place(), member, MOST_AT_ONCE)?;
            for (message, _) in &owing {
                call.storage.set_owed(message, Owed::Nothing)?;
            }
            if owing.len() < MOST_AT_ONCE {
                return Ok(());
            }
        }
    }
}
