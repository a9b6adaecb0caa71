//! Storage in ordered maps, for tests and benches.

mod damage;
mod lists;
mod mls;
mod office;
mod receipts;
mod room;
mod said;

use std::collections::{BTreeMap, BTreeSet};

use hushwing_delivery::MailboxId;
use hushwing_sansio::{StorageError, Timestamp};

use super::{
    Allowance, ContactRecord, ConversationRecord, Extent, HeldHead, HeldRecord, InvitationRecord,
    JoinRecord, KeyPackageRecord, MailboxRecord, MemberRecord, MessageKind, MessageRecord,
    MessageState, MessageTimes, OnTheWay, Outline, Owed, Position, RecipientRecord, RoomRecord,
    SignedReceiptRecord, Storage,
};
use crate::proof::Confirmation;
use crate::{ContactId, ConversationId, InvitationId, MemberId, MessageId, RoomId, Secret};
use lists::{Slot, slot};

/// The rows of one scope, by label and key.
type Scope = BTreeMap<(u8, Vec<u8>), Secret>;

/// Everything in memory. A clone is a snapshot, as a crash would leave it.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    office: hushwing_delivery::MemoryStorage,
    last_number: u64,
    settings: BTreeMap<String, Vec<u8>>,
    mls: BTreeMap<Vec<u8>, Scope>,
    invitations: BTreeMap<InvitationId, InvitationRecord>,
    key_packages: BTreeMap<Vec<u8>, KeyPackageRecord>,
    mailboxes: BTreeMap<u64, MailboxRecord>,
    joins: BTreeMap<u64, JoinRecord>,
    contacts: BTreeMap<ContactId, ContactRecord>,
    messages: BTreeMap<MessageId, MessageRecord>,
    order: BTreeMap<ContactId, BTreeMap<Position, MessageKind>>,
    /// Changes by what they change, whose conversation, kind, and author.
    about: BTreeMap<Slot, BTreeSet<Position>>,
    letters: BTreeMap<u64, MessageId>,
    unconfirmed: BTreeMap<ContactId, BTreeSet<Position>>,
    held: BTreeMap<(ContactId, u64), HeldRecord>,
    receipts: BTreeMap<(MessageId, Confirmation), SignedReceiptRecord>,
    rooms: BTreeMap<RoomId, RoomRecord>,
    members: BTreeMap<(RoomId, MemberId), MemberRecord>,
    recipients: BTreeMap<(MessageId, MemberId), RecipientRecord>,
    /// Rooms whose records cannot be read.
    spoilt_records: BTreeSet<RoomId>,
    spoilt_recipients: BTreeSet<MessageId>,
    /// Rooms whose members cannot be read.
    spoilt_rooms: BTreeSet<RoomId>,
    /// Messages that cannot be read.
    spoilt: BTreeSet<MessageId>,
    conversations: BTreeMap<ConversationId, ConversationRecord>,
    /// Texts by which messages are found.
    texts: BTreeMap<MessageId, String>,
    /// In which order messages were stored.
    rows: BTreeMap<MessageId, u64>,
    last_row: u64,
    /// How often the index of texts was to be tidied.
    tidied: u64,
}

impl MemoryStorage {
    /// Nothing stored yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn edit(&mut self, id: &MessageId) -> Result<&mut MessageRecord, StorageError> {
        self.messages
            .get_mut(id)
            .ok_or(StorageError::corrupt("changing an unknown message"))
    }

    fn ordered(
        &self,
        of: ContactId,
    ) -> impl DoubleEndedIterator<Item = (&Position, &MessageRecord)> {
        self.order
            .get(&of)
            .into_iter()
            .flatten()
            .filter_map(|(position, _)| Some((position, self.messages.get(&position.id)?)))
    }
}

impl Storage for MemoryStorage {
    fn next_number(&mut self) -> Result<u64, StorageError> {
        self.last_number += 1;
        Ok(self.last_number)
    }

    fn skip_numbers_to(&mut self, number: u64) -> Result<(), StorageError> {
        self.last_number = self.last_number.max(number);
        Ok(())
    }

    fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.settings.get(name).cloned())
    }

    fn settings_of(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let all = self.settings.range(prefix.to_owned()..);
        let of = all.take_while(|(name, _)| name.starts_with(prefix));
        Ok(of
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect())
    }

    fn put_setting(&mut self, name: &str, value: &[u8]) -> Result<(), StorageError> {
        self.settings.insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    fn remove_setting(&mut self, name: &str) -> Result<(), StorageError> {
        self.settings.remove(name);
        Ok(())
    }

    fn put_invitation(&mut self, record: &InvitationRecord) -> Result<(), StorageError> {
        self.invitations.insert(record.id, record.clone());
        Ok(())
    }

    fn invitations(&self) -> Result<Vec<InvitationRecord>, StorageError> {
        Ok(self.invitations.values().cloned().collect())
    }

    fn remove_invitation(&mut self, id: InvitationId) -> Result<(), StorageError> {
        self.invitations.remove(&id);
        self.key_packages
            .retain(|_, package| package.invitation != id);
        Ok(())
    }

    fn put_key_package(&mut self, record: &KeyPackageRecord) -> Result<(), StorageError> {
        self.key_packages
            .insert(record.reference.clone(), record.clone());
        Ok(())
    }

    fn key_packages(&self, of: InvitationId) -> Result<Vec<KeyPackageRecord>, StorageError> {
        let packages = self.key_packages.values();
        Ok(packages
            .filter(|package| package.invitation == of)
            .cloned()
            .collect())
    }

    fn remove_key_package(&mut self, reference: &[u8]) -> Result<(), StorageError> {
        self.key_packages.remove(reference);
        Ok(())
    }

    fn put_mailbox_record(&mut self, record: &MailboxRecord) -> Result<(), StorageError> {
        self.mailboxes.insert(record.id, record.clone());
        Ok(())
    }

    fn mailbox_records(&self) -> Result<Vec<MailboxRecord>, StorageError> {
        Ok(self.mailboxes.values().cloned().collect())
    }

    fn remove_mailbox_record(&mut self, id: MailboxId) -> Result<(), StorageError> {
        self.mailboxes.remove(&id.0);
        Ok(())
    }

    fn put_join(&mut self, record: &JoinRecord) -> Result<(), StorageError> {
        self.joins.insert(record.fetch, record.clone());
        Ok(())
    }

    fn joins(&self) -> Result<Vec<JoinRecord>, StorageError> {
        Ok(self.joins.values().cloned().collect())
    }

    fn remove_join(&mut self, fetch: u64) -> Result<(), StorageError> {
        self.joins.remove(&fetch);
        Ok(())
    }

    fn put_contact(&mut self, record: &ContactRecord) -> Result<(), StorageError> {
        let taken = |other: &ContactRecord| {
            other.id != record.id && other.conversation == record.conversation
        };
        if self.contacts.values().any(taken) {
            let failed = hushwing_sansio::StorageErrorKind::Failed;
            return Err(StorageError::new(
                failed,
                "writing a second contact of a conversation",
            ));
        }
        self.contacts.insert(record.id, record.clone());
        Ok(())
    }

    fn contacts(&self) -> Result<Vec<ContactRecord>, StorageError> {
        Ok(self.contacts.values().cloned().collect())
    }

    fn remove_contact(&mut self, id: ContactId) -> Result<(), StorageError> {
        self.contacts.remove(&id);
        self.held.retain(|(contact, _), _| *contact != id);
        Ok(())
    }

    fn add_message(&mut self, record: &MessageRecord) -> Result<(), StorageError> {
        let order = self.order.entry(record.contact).or_default();
        order.insert(record.position, record.kind);
        if let Some(slot) = slot(record) {
            self.about.entry(slot).or_default().insert(record.position);
        }
        if let Some(letter) = record.letter {
            self.letters.insert(letter, *record.id());
        }
        self.sort_out(record);
        self.last_row += 1;
        self.rows.insert(*record.id(), self.last_row);
        self.messages.insert(*record.id(), record.clone());
        Ok(())
    }

    fn message(&self, id: &MessageId) -> Result<Option<MessageRecord>, StorageError> {
        Ok(self.sound(id)?.cloned())
    }

    fn has_message(&self, id: &MessageId) -> Result<bool, StorageError> {
        Ok(self.messages.contains_key(id))
    }

    fn message_ids(&self, first: &[u8; 32], most: usize) -> Result<Vec<MessageId>, StorageError> {
        let found = match MessageId::from_bytes(first) {
            Ok(first) => self.messages.range(first..),
            // No id has another first byte than these do.
            Err(_) => self.messages.range(..),
        };
        let text = |message: &MessageRecord| message.kind == MessageKind::Text;
        let found = found.filter(|(id, message)| id.as_bytes() >= first && text(message));
        Ok(found.take(most).map(|(id, _)| *id).collect())
    }

    fn message_of_letter(&self, letter: u64) -> Result<Option<MessageId>, StorageError> {
        Ok(self.letters.get(&letter).copied())
    }

    fn set_state(
        &mut self,
        id: &MessageId,
        state: MessageState,
        times: &MessageTimes,
    ) -> Result<(), StorageError> {
        let message = self.edit(id)?;
        message.state = state;
        message.times = times.clone();
        let message = message.clone();
        self.sort_out(&message);
        Ok(())
    }

    fn set_letter(
        &mut self,
        id: &MessageId,
        letter: u64,
        sealed_epoch: u64,
    ) -> Result<(), StorageError> {
        let message = self.edit(id)?;
        message.sealed_epoch = sealed_epoch;
        let old = message.letter.replace(letter);
        if let Some(old) = old {
            self.letters.remove(&old);
        }
        self.letters.insert(letter, *id);
        Ok(())
    }

    fn set_owed(&mut self, id: &MessageId, owed: Owed) -> Result<(), StorageError> {
        self.edit(id)?.owed = owed;
        Ok(())
    }

    fn messages(
        &self,
        of: ContactId,
        before: Option<&Position>,
        most: usize,
        bytes: usize,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let listed = self
            .ordered(of)
            .rev()
            .skip_while(|(position, _)| before.is_some_and(|before| *position >= before))
            .filter(|(_, message)| message.kind == MessageKind::Text)
            .take(most);
        let mut allowance = Allowance::new(bytes);
        let listed = listed.map(|(_, message)| message);
        let mut messages = self.copies(listed.take_while(|message| allowance.takes(message)))?;
        messages.reverse();
        Ok(messages)
    }

    fn changes(
        &self,
        of: ContactId,
        target: &MessageId,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let kinds = MessageKind::Edit.code()..=MessageKind::Reaction.code();
        let slots = self.slots(of, target);
        let last = slots.filter(|((_, _, kind, ..), _)| kinds.contains(kind));
        let last = last.filter_map(|(_, positions)| positions.last());
        let last = last.filter_map(|position| self.messages.get(&position.id));
        let mut changes = self.copies(last)?;
        changes.sort_by_key(|change| change.position);
        Ok(changes)
    }

    fn control(&self, of: ContactId, mine: bool) -> Result<Vec<MessageRecord>, StorageError> {
        let order = self.order.get(&of).into_iter().flatten();
        let control = order.filter(|(_, kind)| **kind == MessageKind::Control);
        let messages = control.filter_map(|(position, _)| self.messages.get(&position.id));
        self.copies(messages.filter(|message| message.mine == mine))
    }

    fn remove_message(&mut self, id: &MessageId) -> Result<(), StorageError> {
        let Some(message) = self.messages.remove(id) else {
            return Ok(());
        };
        if let Some(order) = self.order.get_mut(&message.contact) {
            order.remove(&message.position);
        }
        if let Some(unconfirmed) = self.unconfirmed.get_mut(&message.contact) {
            unconfirmed.remove(&message.position);
        }
        self.unlist(&message);
        Ok(())
    }

    fn unread(&self, of: ContactId, until: &Position) -> Result<Vec<MessageId>, StorageError> {
        let unread = self
            .ordered(of)
            .take_while(|(position, _)| *position <= until);
        let unread = unread.filter(|(_, message)| {
            !message.mine
                && message.kind == MessageKind::Text
                && message.state == MessageState::Delivered
        });
        Ok(unread.map(|(position, _)| position.id).collect())
    }

    fn owing(&self, to: ContactId) -> Result<Vec<(MessageId, Owed)>, StorageError> {
        let owing = self
            .messages
            .values()
            .filter(|message| message.contact == to && message.owed != Owed::Nothing);
        Ok(owing.map(|message| (*message.id(), message.owed)).collect())
    }

    fn on_the_way(&self, to: ContactId) -> Result<Vec<OnTheWay>, StorageError> {
        let positions = self.unconfirmed.get(&to).into_iter().flatten();
        let messages = positions.filter_map(|position| self.messages.get(&position.id));
        Ok(messages
            .filter(|message| !self.spoilt.contains(message.id()))
            .map(|message| (*message.id(), message.state, message.letter))
            .collect())
    }

    fn outline(&self, id: &MessageId) -> Result<Option<Outline>, StorageError> {
        let message = self.sound(id)?;
        Ok(message.map(|message| (message.contact, message.mine, message.state)))
    }

    fn whose_message(&self, id: &MessageId) -> Result<Option<ContactId>, StorageError> {
        Ok(self.messages.get(id).map(|message| message.contact))
    }

    fn whose_letter(&self, letter: u64) -> Result<Option<ContactId>, StorageError> {
        match self.letters.get(&letter) {
            Some(id) => self.whose_message(id),
            None => Ok(None),
        }
    }

    fn unconfirmed_before(
        &self,
        of: ContactId,
        epoch: u64,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let positions = self.unconfirmed.get(&of).into_iter().flatten();
        let messages = positions.filter_map(|position| self.messages.get(&position.id));
        self.copies(messages.filter(|message| message.sealed_epoch < epoch))
    }

    fn unconfirm_since(&mut self, to: ContactId, since: Timestamp) -> Result<(), StorageError> {
        let confirmed = |message: &MessageRecord| {
            message.mine
                && message.kind != MessageKind::Gone
                && (message.times.delivered.max(message.times.read) >= Some(since))
                && matches!(message.state, MessageState::Delivered | MessageState::Read)
        };
        let messages = self.ordered(to).map(|(_, message)| message);
        let found: Vec<_> = messages
            .filter(|message| confirmed(message))
            .map(|message| (*message.id(), message.times.clone()))
            .collect();
        for (id, times) in found {
            self.set_state(&id, MessageState::Accepted, &times)?;
        }
        Ok(())
    }

    fn failed_to(&self, contact: ContactId) -> Result<Vec<MessageRecord>, StorageError> {
        let messages = self.ordered(contact).map(|(_, message)| message);
        self.copies(
            messages.filter(|message| message.mine && message.state == MessageState::Failed),
        )
    }

    fn last_position(&self, of: ContactId) -> Result<Option<Position>, StorageError> {
        let order = self.order.get(&of);
        let last = order.and_then(|order| Some(*order.last_key_value()?.0));
        if let Some(last) = &last {
            self.sound(&last.id)?;
        }
        Ok(last)
    }

    fn highest_lamport(&self, of: ContactId) -> Result<u64, StorageError> {
        Ok(self
            .ordered(of)
            .map(|(position, _)| position.lamport)
            .max()
            .unwrap_or(0))
    }

    fn count_in_epoch(&self, of: ContactId, epoch: u64) -> Result<u64, StorageError> {
        Ok(self
            .ordered(of)
            .filter(|(_, message)| message.sealed_epoch == epoch)
            .count() as u64)
    }

    fn extent(&self, of: ContactId) -> Result<Extent, StorageError> {
        let mut extent = Extent::default();
        for (_, message) in self.ordered(of) {
            extent.messages += 1;
            extent.bytes += message.content.len() as u64;
        }
        Ok(extent)
    }

    fn add_held(&mut self, record: &HeldRecord) -> Result<(), StorageError> {
        self.held
            .insert((record.contact, record.number), record.clone());
        Ok(())
    }

    fn held_heads(&self, of: ContactId) -> Result<Vec<HeldHead>, StorageError> {
        let theirs = self.held.range((of, 0)..=(of, u64::MAX));
        let heads = theirs.map(|(_, record)| record).map(|record| HeldHead {
            contact: record.contact,
            number: record.number,
            since: record.since,
            repeat: record.repeat,
            length: record.bytes.len(),
        });
        Ok(heads.collect())
    }

    fn held(&self, of: ContactId, number: u64) -> Result<Option<HeldRecord>, StorageError> {
        Ok(self.held.get(&(of, number)).cloned())
    }

    fn remove_held(&mut self, of: ContactId, number: u64) -> Result<(), StorageError> {
        self.held.remove(&(of, number));
        Ok(())
    }

    fn remove_all_held(&mut self, of: ContactId) -> Result<(), StorageError> {
        self.held.retain(|(contact, _), _| *contact != of);
        Ok(())
    }
}
