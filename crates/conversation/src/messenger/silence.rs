//! Messages that every address took and nobody confirmed.
//!
//! Then either they did not arrive, or what confirmed them did not, or the
//! contact is away. Asking tells, and costs a small letter: so it is asked after
//! a while, by each of the addresses, and less and less often. Whoever is asked
//! after what they confirmed knows that it did not arrive, and answers by another
//! address than before. Only for contacts who have several; with one there is
//! no other way to try.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::{LetterId, RouteState};
use hushwing_sansio::{Moment, StorageError};

use super::inquiry::message_with;
use super::{Call, Messenger};
use crate::content::{Inquiry, MAX_ASKED};
use crate::storage::{MessageState, Owed, Standing};
use crate::{ContactId, MessageId};

/// How long after the last address took a message it is asked after.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long ago a message must have come for its receipt to have had its time.
const CONFIRMED: Duration = Duration::from_secs(60);
/// Messages of an inquiry that are looked at for that.
const MOST_LOOKED_AT: usize = 4;
/// Between the first inquiries; both ways may have to be found by trying.
const SHORTEST: Duration = Duration::from_secs(10 * 60);
/// Inquiries at that pace, before the wait doubles.
const EAGER: u32 = 4;
/// The longest wait between two.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What was asked after in this run.
#[derive(Default)]
pub(super) struct Silences {
    by_contact: BTreeMap<ContactId, Silence>,
}

#[derive(Clone, Copy)]
struct Silence {
    asked: u32,
    next: Moment,
}

impl Silences {
    /// Forgets a contact.
    pub(super) fn forget(&mut self, contact: ContactId) {
        self.by_contact.remove(&contact);
    }
}

fn wait(asked: u32) -> Duration {
    let doublings = asked.saturating_sub(EAGER).min(16);
    SHORTEST
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(LONGEST)
}

impl Messenger {
    /// Asks after what was taken a while ago and not confirmed.
    pub(super) fn sweep_silence(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let people = self.people.values().filter(|person| {
            let established = person.record.standing == Standing::Established;
            let several = person.addresses.len() > 1;
            established && several && self.is_written_to(person.record.id)
        });
        for contact in people.map(|person| person.record.id).collect::<Vec<_>>() {
            self.within(call, contact, |this, call| {
                this.break_silence(call, contact)
            })?;
        }
        Ok(())
    }

    fn break_silence(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let before = self.silences.by_contact.get(&contact).copied();
        if before.is_some_and(|silence| now < silence.next) {
            return Ok(());
        }
        let silent = self.met_with_silence(call, contact)?;
        if silent.is_empty() {
            self.silences.by_contact.remove(&contact);
            return Ok(());
        }
        let asked = before.map_or(1, |silence| silence.asked.saturating_add(1));
        let next = now + wait(asked);
        self.silences
            .by_contact
            .insert(contact, Silence { asked, next });
        // Which way works is not known, so all are tried.
        let ways = self.people.get(&contact).map_or(0, |p| p.addresses.len());
        for way in 0..ways {
            if self.is_written_to(contact) {
                self.reach.begin_with(contact, Some(way));
                self.inquire(call, contact, silent.clone())?;
            }
        }
        self.reach.begin_with(contact, None);
        Ok(())
    }

    /// A contact asks after messages of theirs. If one was confirmed a while ago,
    /// that was lost where it was sent, and the answer goes another way.
    pub(super) fn doubt_receipts(
        &mut self,
        call: &Call<'_, '_>,
        contact: ContactId,
        inquiry: &Inquiry,
    ) -> Result<(), StorageError> {
        let before = call.cx.wall() - CONFIRMED;
        for message in inquiry.messages.iter().take(MOST_LOOKED_AT) {
            let known = message_with(call.storage, contact, message)?;
            let known = known.filter(|known| !known.mine && known.owed == Owed::Nothing);
            let came = known.and_then(|known| known.times.delivered);
            if came.is_some_and(|at| at < before) {
                self.reach.turn_aside(contact, call.cx.now());
                break;
            }
        }
        Ok(())
    }

    /// What every address took a while ago and nobody confirmed.
    fn met_with_silence(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Vec<MessageId>, StorageError> {
        let latest = call.cx.wall() - PATIENCE;
        let on_the_way = call.storage.on_the_way(contact)?;
        let accepted = on_the_way.into_iter().filter_map(|(id, state, letter)| {
            let letter = letter.map(LetterId);
            letter
                .filter(|_| state == MessageState::Accepted)
                .map(|letter| (id, letter))
        });
        let silent = accepted.filter(|(_, letter)| {
            let routes = self.office.routes(*letter);
            let done = |state| match state {
                RouteState::Accepted { at } => at <= latest,
                RouteState::Failed(_) | RouteState::Reserved => true,
                RouteState::Waiting | RouteState::Sending => false,
            };
            !routes.is_empty() && routes.iter().all(|(_, route)| done(route.state))
        });
        Ok(silent.map(|(id, _)| id).take(MAX_ASKED).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_four_times_soon_and_then_ever_less_often() {
        let minutes = [1, 2, 3, 4, 5, 6].map(|asked| wait(asked).as_secs() / 60);
        assert_eq!(minutes, [10, 10, 10, 10, 20, 40]);
        assert_eq!(wait(u32::MAX), LONGEST);
    }
}
