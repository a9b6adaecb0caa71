//! Rooms, their members, and whom messages reached.

use hushwing_sansio::StorageError;

use super::MemoryStorage;
use crate::storage::{
    DamagedRoom, MemberRecord, MessageRecord, MessageState, Owed, RecipientRecord, RoomRecord,
    RoomRows,
};
use crate::{ContactId, MemberId, MessageId, RoomId};

impl MemoryStorage {
    /// What is removed with a message.
    pub(super) fn forget_recipients(&mut self, message: &MessageId) {
        self.recipients.retain(|(of, _), _| of != message);
    }

    fn unreached_by(&self, member: MemberId) -> impl Iterator<Item = &RecipientRecord> {
        self.recipients.values().filter(move |one| {
            use MessageState::{Accepted, Failed, Queued};
            let given_up = one.state == Failed && one.letter.is_none();
            one.member == member && matches!(one.state, Queued | Accepted | Failed) && !given_up
        })
    }
}

impl RoomRows for MemoryStorage {
    fn put_room(&mut self, record: &RoomRecord) -> Result<(), StorageError> {
        self.spoilt_records.remove(&record.id);
        self.rooms.insert(record.id, record.clone());
        Ok(())
    }

    fn rooms(&self) -> Result<Vec<Result<RoomRecord, DamagedRoom>>, StorageError> {
        let read = |record: &RoomRecord| match self.spoilt_records.contains(&record.id) {
            true => Err(DamagedRoom {
                id: record.id,
                conversation: record.conversation,
            }),
            false => Ok(record.clone()),
        };
        Ok(self.rooms.values().map(read).collect())
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
        if self.spoilt_recipients.contains(message) {
            return Err(StorageError::corrupt("reading whom a message reached"));
        }
        let all = self
            .recipients
            .range((*message, MemberId(0))..=(*message, MemberId(u64::MAX)));
        Ok(all.map(|(_, record)| *record).collect())
    }

    fn recipient_of(&self, letter: u64) -> Result<Option<RecipientRecord>, StorageError> {
        let mut all = self.recipients.values();
        Ok(all.find(|record| record.letter == Some(letter)).copied())
    }

    fn unreached(
        &self,
        member: MemberId,
        up_to: u64,
        most: usize,
    ) -> Result<Vec<RecipientRecord>, StorageError> {
        let all = self.unreached_by(member);
        let mut found: Vec<_> = all
            .filter(|one| one.letter.unwrap_or(0) <= up_to)
            .copied()
            .collect();
        found.sort_by_key(|one| (one.letter.unwrap_or(0), one.message));
        found.truncate(most);
        Ok(found)
    }

    fn last_unreached(&self, member: MemberId) -> Result<Option<u64>, StorageError> {
        Ok(self.unreached_by(member).filter_map(|one| one.letter).max())
    }

    fn unconfirmed_in(
        &self,
        of: ContactId,
        sealed: core::ops::Range<u64>,
        most: usize,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let positions = self.unconfirmed.get(&of).into_iter().flatten();
        let messages = positions.filter_map(|position| self.messages.get(&position.id));
        let mut found: Vec<_> = messages
            .filter(|message| sealed.contains(&message.sealed_epoch) && !message.is_erased())
            .collect();
        found.sort_by_key(|message| (message.sealed_epoch, self.rows.get(message.id()).copied()));
        let skipped = found.len().saturating_sub(most);
        self.copies(found.into_iter().skip(skipped))
    }

    fn owing_to(
        &self,
        of: ContactId,
        author: MemberId,
        most: usize,
    ) -> Result<Vec<(MessageId, Owed)>, StorageError> {
        let theirs = self.messages.values().filter(|message| {
            let owed = message.owed != Owed::Nothing;
            message.contact == of && owed && message.author == Some(author)
        });
        let owing = theirs.map(|message| (*message.id(), message.owed));
        Ok(owing.take(most).collect())
    }

    fn set_sealed(&mut self, id: &MessageId, epoch: u64) -> Result<(), StorageError> {
        self.edit(id)?.sealed_epoch = epoch;
        Ok(())
    }
}
