//! Getting into a pair: by founding it, and by a Welcome to one.

use hushwing_sansio::StorageError;

use crate::branches::{GroupPolicy, Invited, Keeper, Lent, Told};
use crate::content::Entry;
use crate::messenger::room::account;
use crate::messenger::{Call, Messenger};
use crate::mls::LeafKey;
use crate::storage::{MemberRecord, PackageRecord, PairRecord, RoomRecord};
use crate::{ContactId, RoomId};

impl Messenger {
    /// Makes the group of a pair, with whoever answered by this key package; `None` if it is
    /// of no use for that.
    pub(in crate::messenger) fn make_pair(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &RoomRecord,
        key: LeafKey,
        policy: &GroupPolicy,
        package: &[u8],
    ) -> Result<Option<(Keeper, Vec<Told>)>, StorageError> {
        let me = account(&record.account)?;
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        let packages = [package.to_vec()];
        let group = record.conversation;
        let founded = Keeper::found_pair_as(&mut lent, group, (&me, key), policy, &packages)?;
        Ok(founded.ok())
    }

    /// I am in a pair that I founded: who answered is the contact, and is welcomed.
    pub(in crate::messenger) fn enter_founded_pair(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (keeper, told): (Keeper, Vec<Told>),
        (contact, entry): (ContactId, &Entry),
    ) -> Result<(), StorageError> {
        self.rooms.keepers.insert(room, keeper);
        self.refresh(call, room)?;
        if let Some(record) = self.rooms.find(room)?.present(&entry.key).cloned() {
            let member = record.member;
            let contact = Some(contact);
            self.save_member(call, MemberRecord { contact, ..record })?;
            self.learn(call, room, member, entry)?;
        }
        self.act_on(call, room, told)?;
        self.open_room_mailbox(call, room)
    }
}

/// Whether a Welcome is to the pair that was offered or told of, by the leaf that was named
/// with it, for the account that I answered with.
pub(super) fn is_the_pair(pair: &PairRecord, package: &PackageRecord, invited: &Invited) -> bool {
    invited.group == pair.group
        && account(&package.account).is_ok_and(|mine| mine == invited.account)
        && invited.by.signature_key == package.steward
        && invited.policy.continues() == Some((pair.conversation, pair.turn))
}
