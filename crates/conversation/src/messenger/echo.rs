//! Letters that come a second time because what answered them was lost.
//!
//! Receipts are confirmed by nobody. If the server that took them drops them,
//! the other side hears nothing, and says what it said again by another address;
//! there it is known and dropped. That copy is the one sign of the loss: what it
//! holds is confirmed once more, and by another of their addresses. Which
//! letters held what is remembered for this run and the last letters only.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hushwing_delivery::{MailboxId, RepeatId};
use hushwing_sansio::{Moment, StorageError};

use super::{Call, Messenger};
use crate::storage::{MessageState, Owed};
use crate::{ContactId, MessageId, RoomId};

/// Letters remembered, of all contacts together.
const MOST_LETTERS: usize = 2_048;
/// Messages remembered of one letter.
const MOST_MESSAGES: usize = 4;
/// A letter that comes again sooner was told again by its network.
const SOON: Duration = Duration::from_secs(60);

/// The last letters and what they held.
#[derive(Default)]
pub(super) struct Echoes {
    /// The letter that is being heard.
    heard: Option<RepeatId>,
    letters: BTreeMap<[u8; 16], Heard>,
    order: VecDeque<[u8; 16]>,
}

struct Heard {
    contact: ContactId,
    at: Moment,
    messages: Vec<MessageId>,
}

impl Echoes {
    /// A letter is heard from now on, or none.
    pub(super) fn hear(&mut self, letter: Option<RepeatId>) {
        self.heard = letter;
    }

    /// The letter that is being heard holds a message that is to be confirmed.
    pub(super) fn note(&mut self, contact: ContactId, message: MessageId, now: Moment) {
        let Some(letter) = self.heard else { return };
        if !self.letters.contains_key(&letter.0) {
            self.order.push_back(letter.0);
        }
        let heard = self.letters.entry(letter.0).or_insert(Heard {
            contact,
            at: now,
            messages: Vec::new(),
        });
        if heard.messages.len() < MOST_MESSAGES {
            heard.messages.push(message);
        }
        while self.order.len() > MOST_LETTERS {
            if let Some(oldest) = self.order.pop_front() {
                self.letters.remove(&oldest);
            }
        }
    }

    /// What a letter held that comes again now, if that is no mere repetition.
    fn again(
        &mut self,
        letter: RepeatId,
        contact: ContactId,
        now: Moment,
    ) -> Option<Vec<MessageId>> {
        let heard = self.letters.get_mut(&letter.0)?;
        if heard.contact != contact || now < heard.at + SOON {
            return None;
        }
        heard.at = now;
        Some(heard.messages.clone())
    }
}

impl Messenger {
    /// A letter came again: confirms what it held once more, another way.
    pub(super) fn came_again(
        &mut self,
        call: &mut Call<'_, '_>,
        mailbox: MailboxId,
        letter: RepeatId,
    ) -> Result<(), StorageError> {
        // In a room receipts leave by all addresses at once.
        let room = self.room_of(mailbox).map(RoomId::place);
        let Some(place) = self.conversation_of(mailbox).or(room) else {
            return Ok(());
        };
        let now = call.cx.now();
        let Some(messages) = self.echoes.again(letter, place, now) else {
            return Ok(());
        };
        match self.room_of(mailbox) {
            // Who is blocked does not learn by what they say again that I am there.
            Some(room) if self.is_blocked_pair(room) || self.is_usurped_pair(room) => {
                return Ok(());
            }
            Some(_) => {}
            None => self.reach.turn_aside(place, now),
        }
        self.within(call, place, |this, call| {
            for message in messages {
                let outline = call.storage.outline(&message)?;
                let Some((whose, false, state)) = outline else {
                    continue;
                };
                let read = state == MessageState::Read && this.read_receipts;
                let owed = if read { Owed::Read } else { Owed::Delivered };
                if whose == place {
                    this.owe(call, place, message, owed)?;
                }
            }
            Ok(())
        })
    }
}
