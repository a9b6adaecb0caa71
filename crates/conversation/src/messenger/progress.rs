//! What the post office tells of letters on their way.

use hushwing_delivery::{Address, LetterId, NetworkTag, SendFailure, Stage};
use hushwing_sansio::StorageError;

use super::{Call, Messenger};
use crate::event::{BreakReason, FailReason};
use crate::storage::{MessageKind, MessageRecord, MessageState, Standing};
use crate::{Event, Refusal};

impl Messenger {
    /// A network took responsibility for a letter.
    pub(super) fn accepted(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: LetterId,
        network: NetworkTag,
    ) -> Result<(), StorageError> {
        let Some(record) = message_in(call, letter)? else {
            if self.posts_accepted(call, letter, network)? {
                return Ok(());
            }
            return self.room_letter_accepted(call, letter, network).map(drop);
        };
        if record.kind == MessageKind::Gone {
            // Nobody waits for more of it; older versions let it wait for ever.
            let office = &mut self.office;
            return office.cancel(call.cx, &mut *call.storage, letter).map(drop);
        }
        if record.state != MessageState::Queued {
            return Ok(());
        }
        let mut times = record.times.clone();
        times.accepted = Some((network, call.cx.wall()));
        self.begin_to_vanish(call, &record, &mut times)?;
        call.storage
            .set_state(record.id(), MessageState::Accepted, &times)?;
        self.tell_state(&record, MessageState::Accepted, None);
        Ok(())
    }

    /// A letter moved on its way. No face shows control messages.
    pub(super) fn moved_on(
        &mut self,
        call: &Call<'_, '_>,
        letter: LetterId,
        network: NetworkTag,
        stage: Stage,
    ) -> Result<(), StorageError> {
        let shown = message_in(call, letter)?.filter(|said| said.kind.is_found());
        if let Some(record) = shown {
            self.tell(Event::Progress {
                message: *record.id(),
                network,
                stage,
            });
        }
        Ok(())
    }

    /// A letter was given up: nobody can be reached at any of its addresses.
    pub(super) fn failed(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: LetterId,
        reason: SendFailure,
        tried: &[Address],
    ) -> Result<(), StorageError> {
        let Some(record) = message_in(call, letter)? else {
            if self.posts_failed(call, letter)? {
                return Ok(());
            }
            let why = FailReason::Network(reason);
            return match self.room_letter_failed(call, letter, why)? {
                true => Ok(()),
                false => self.commit_failed(call, letter, tried),
            };
        };
        if record.state >= MessageState::Delivered {
            return Ok(());
        }
        if !record.is_erased() && self.writes_elsewhere(record.contact, tried) {
            return self.say_once_more(call, &record);
        }
        let mut times = record.times.clone();
        times.failed = Some(call.cx.wall());
        self.begin_to_vanish(call, &record, &mut times)?;
        call.storage
            .set_state(record.id(), MessageState::Failed, &times)?;
        let why = FailReason::Network(reason);
        self.tell_state(&record, MessageState::Failed, Some(why));
        let standing = self
            .people
            .get(&record.contact)
            .map(|person| person.record.standing);
        if record.kind == MessageKind::Control && standing == Some(Standing::Asked) {
            let refusal = match reason {
                // The card's sealing key is none.
                SendFailure::Unreadable => Refusal::LinkForged,
                _ => Refusal::LinkUsed,
            };
            // Whoever has the request may still answer, though the invitation is
            // closed by now: a later word to it may fail.
            let introduced = call.storage.control(record.contact, true)?;
            if introduced.iter().all(|said| said.times.accepted.is_none()) {
                return self.fail_join(call, record.contact, BreakReason::Unanswered, refusal);
            }
            self.forget_join(call, record.contact)?;
            let contact = Some(record.contact);
            self.tell(Event::JoinFailed { contact, refusal });
        }
        Ok(())
    }

    pub(super) fn tell_state(
        &mut self,
        record: &MessageRecord,
        state: MessageState,
        reason: Option<FailReason>,
    ) {
        if record.kind != MessageKind::Control {
            self.tell(Event::State {
                message: *record.id(),
                state,
                reason,
            });
        }
    }
}

fn message_in(
    call: &Call<'_, '_>,
    letter: LetterId,
) -> Result<Option<MessageRecord>, StorageError> {
    match call.storage.message_of_letter(letter.0)? {
        Some(id) => call.storage.message(&id),
        None => Ok(None),
    }
}
