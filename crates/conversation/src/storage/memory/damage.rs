//! What tests do to storage in memory, and ask of it.

use hushwing_sansio::StorageError;

use super::MemoryStorage;
use crate::storage::MessageRecord;
use crate::{ConversationId, MessageId, RoomId};

impl MemoryStorage {
    /// Damages the record of a message: from now on it cannot be read.
    pub fn spoil_message(&mut self, id: &MessageId) {
        self.spoilt.insert(*id);
    }

    /// Damages the members of a room: from now on they cannot be read.
    pub fn spoil_members(&mut self, room: RoomId) {
        self.spoilt_rooms.insert(room);
    }

    /// Damages whom a message reached: from now on it cannot be read.
    pub fn spoil_recipients(&mut self, message: &MessageId) {
        self.spoilt_recipients.insert(*message);
    }

    /// Damages the record of a room, until another is written.
    pub fn spoil_room(&mut self, room: RoomId) {
        self.spoilt_records.insert(room);
    }

    /// Damages what MLS keeps of a conversation.
    pub fn spoil_group(&mut self, conversation: ConversationId) {
        let scope = crate::mls::Group::scope(conversation);
        for value in self.mls.entry(scope).or_default().values_mut() {
            value.set(&[0xFF]);
        }
    }

    /// How often the index of texts was to be tidied.
    #[must_use]
    pub fn tidied(&self) -> u64 {
        self.tidied
    }

    /// All scopes in which MLS keeps something.
    #[cfg(test)]
    pub(crate) fn mls_scopes(&self) -> Vec<Vec<u8>> {
        let scopes = self.mls.iter().filter(|(_, rows)| !rows.is_empty());
        scopes.map(|(scope, _)| scope.clone()).collect()
    }

    /// Whether `words` stand anywhere in what was said, in what texts are found
    /// by, or in what was begun.
    #[must_use]
    pub fn holds(&self, words: &str) -> bool {
        let holds = |bytes: &[u8]| bytes.windows(words.len()).any(|w| w == words.as_bytes());
        let said = self.messages.values().map(|message| &message.content[..]);
        let found = self.texts.values().map(String::as_bytes);
        let kept = self.conversations.values().map(|record| record.encode());
        said.chain(found).any(holds) || kept.into_iter().any(|body| holds(&body))
    }

    /// About how many bytes lie here of messages, held letters, settings, MLS
    /// and the post office, keys included.
    #[must_use]
    pub fn weight(&self) -> usize {
        let messages = self
            .messages
            .values()
            .map(|message| message.content.len() + 128);
        let held = self.held.values().map(|letter| letter.bytes.len() + 64);
        let settings = self
            .settings
            .iter()
            .map(|(name, value)| name.len() + value.len());
        let mls = self.mls.values().flatten();
        let mls = mls.map(|((_, key), value)| key.len() + value.expose().len());
        let all = messages.chain(held).chain(settings).chain(mls);
        all.sum::<usize>() + self.office.weight()
    }

    /// A message, unless it is damaged.
    pub(super) fn sound(&self, id: &MessageId) -> Result<Option<&MessageRecord>, StorageError> {
        if self.spoilt.contains(id) {
            return Err(StorageError::corrupt("reading a message"));
        }
        Ok(self.messages.get(id))
    }

    /// Copies of messages, unless one is damaged.
    pub(super) fn copies<'m>(
        &self,
        messages: impl Iterator<Item = &'m MessageRecord>,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let sound = |message: &MessageRecord| {
            self.sound(message.id())?;
            Ok(message.clone())
        };
        messages.map(sound).collect()
    }
}
