//! New keys because a person asks for them.

use hushwing_sansio::StorageError;

use super::{Renewal, is_of};
use crate::messenger::{Call, Messenger};
use crate::storage::RoomRenewalRecord;
use crate::{NewKeys, RoomId};

impl Messenger {
    /// Renews my keys in a room as soon as that can be. It is written down until a commit of
    /// mine did so: by whatever there is else to change, too.
    pub(in crate::messenger) fn renew_on_demand(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<NewKeys, StorageError> {
        let Some(leaf) = self.leaf_among_others(call, room)? else {
            return Ok(NewKeys::Alone);
        };
        let known = RoomRenewalRecord::of(call.storage, room)?;
        let asked = known.is_some_and(|known| known.asked && is_of(&known, &leaf));
        // Whoever asks again and again would call back each letter before it can come.
        if !asked || !self.rooms.find(room)?.renewal.is_awaited(call.cx.now()) {
            let record = RoomRenewalRecord {
                leaf: leaf.key,
                renewed_at: leaf.renewed_at,
                due: call.cx.wall(),
                asked: true,
            };
            record.put(call.storage, room)?;
            // What was tried before is no reason to wait.
            self.end_renewal(call, room, Renewal::Far)?;
            self.renew_in_time(call, room)?;
        }
        Ok(match leaf.may_renew {
            true => NewKeys::Soon,
            // There others are one, and each commit of theirs gives the turn to me.
            false if self.is_pair(room) => NewKeys::InTurn,
            false => NewKeys::AfterOthers,
        })
    }
}
