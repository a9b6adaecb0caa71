//! Rooms, their members, and whom messages reached.

use hushwing_sansio::StorageError;

use super::MemoryStorage;
use crate::storage::{MemberRecord, MessageState, RecipientRecord, RoomRecord, RoomRows};
use crate::{MemberId, MessageId, RoomId};

impl MemoryStorage {
    /// What is removed with a message.
    pub(super) fn forget_recipients(&mut self, message: &MessageId) {
        self.recipients.retain(|(of, _), _| of != message);
    }
}

impl RoomRows for MemoryStorage {
    fn put_room(&mut self, record: &RoomRecord) -> Result<(), StorageError> {
        self.rooms.insert(record.id, record.clone());
        Ok(())
    }

    fn rooms(&self) -> Result<Vec<RoomRecord>, StorageError> {
        Ok(self.rooms.values().cloned().collect())
    }

    fn remove_room(&mut self, id: RoomId) -> Result<(), StorageError> {
        self.rooms.remove(&id);
        self.members.retain(|(room, _), _| *room != id);
        Ok(())
    }

    fn put_member(&mut self, record: &MemberRecord) -> Result<(), StorageError> {
        self.members
            .insert((record.room, record.member), record.clone());
        Ok(())
    }

    fn members(&self, of: RoomId) -> Result<Vec<MemberRecord>, StorageError> {
        if self.spoilt_rooms.contains(&of) {
            return Err(StorageError::corrupt("reading a member of a room"));
        }
        let all = self.members.iter().filter(|((room, _), _)| *room == of);
        Ok(all.map(|(_, record)| record.clone()).collect())
    }

    fn remove_member(&mut self, of: RoomId, member: MemberId) -> Result<(), StorageError> {
        self.members.remove(&(of, member));
        Ok(())
    }

    fn put_recipient(&mut self, record: &RecipientRecord) -> Result<(), StorageError> {
        self.recipients
            .insert((record.message, record.member), *record);
        Ok(())
    }

    fn remove_recipient(
        &mut self,
        message: &MessageId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        self.recipients.remove(&(*message, member));
        Ok(())
    }

    fn recipients(&self, message: &MessageId) -> Result<Vec<RecipientRecord>, StorageError> {
        let all = self
            .recipients
            .range((*message, MemberId(0))..=(*message, MemberId(u64::MAX)));
        Ok(all.map(|(_, record)| *record).collect())
    }

    fn recipient_of(&self, letter: u64) -> Result<Option<RecipientRecord>, StorageError> {
        let mut all = self.recipients.values();
        Ok(all.find(|record| record.letter == Some(letter)).copied())
    }

    fn waiting_for(&self, member: MemberId, most: usize) -> Result<Vec<MessageId>, StorageError> {
        let waiting = self.recipients.values().filter(|record| {
            record.member == member
                && record.letter.is_none()
                && record.state == MessageState::Queued
        });
        Ok(waiting.take(most).map(|record| record.message).collect())
    }

    fn set_sealed(&mut self, id: &MessageId, epoch: u64) -> Result<(), StorageError> {
        self.edit(id)?.sealed_epoch = epoch;
        Ok(())
    }
}
