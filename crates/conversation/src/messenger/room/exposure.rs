//! Whose going makes me move to other mailboxes.
//!
//! Whoever is out knows where I am written to. In a wide group each who moves makes heralds
//! write to everybody, so there only those make all move whom others threw out. Who left by
//! themselves and who parted with one of their devices do not: mailboxes give way to others
//! every week all the same ([`super::rotation`]).

use core::time::Duration;

use hushwing_sansio::{Moment, StorageError};

use super::Room;
use crate::messenger::{Call, Messenger};
use crate::{MemberId, RoomId};

/// For how long somebody who said so is taken to leave by themselves: they say it daily until
/// they are removed. It is not written down: after a restart I move once too often.
const LEAVING: Duration = Duration::from_secs(48 * 60 * 60);

impl Room {
    /// Somebody said that they leave.
    pub(super) fn note_leaver(&mut self, account: &[u8], now: Moment) {
        self.leavers.retain(|_, until| now < *until);
        self.leavers.insert(account.to_vec(), now + LEAVING);
    }

    /// Whether somebody who is gone neither left by themselves nor is there by another device.
    fn was_thrown_out(&self, member: MemberId, now: Moment) -> bool {
        let Some(gone) = self.members.get(&member) else {
            return true;
        };
        let leaves = self.leavers.get(&gone.account);
        let leaves = leaves.is_some_and(|until| now < *until);
        !leaves && self.present_of(&gone.account).is_none()
    }
}

impl Messenger {
    /// These are out of a room, and know where I am written to, also should I be brought back.
    pub(super) fn expose_to(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        gone: &[MemberId],
    ) -> Result<(), StorageError> {
        let (now, rotates) = (call.cx.now(), self.config.rotates);
        let known = self.rooms.find(room)?;
        // Where nothing is replaced in time nothing else would come.
        let all_count = !known.is_wide() || !rotates;
        match gone
            .iter()
            .any(|one| all_count || known.was_thrown_out(*one, now))
        {
            true => self.expose_mailboxes(call, room),
            false => Ok(()),
        }
    }
}
