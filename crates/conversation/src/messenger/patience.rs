//! How long a joiner waits for an answer, and a request for a decision.
//!
//! A joiner is not told of a refusal, nor that nobody reads any more; so both
//! sides know a time, and after it neither waits. Together the times leave room
//! for the request and for the answer to lie at a server as long as one keeps
//! letters.
//!
//! The times are months by the wall clock, which may be wrong for an hour. So
//! what is over goes only if it is still over after a day by the other clock.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_sansio::{Moment, StorageError};

use super::invite::TRANSIT;
use super::{Call, Messenger};
use crate::event::BreakReason;
use crate::storage::Standing;
use crate::{ContactId, Event, Refusal};

/// How long a request waits for my decision.
const REQUEST_LIFE: Duration = Duration::from_secs(42 * 24 * 60 * 60);
/// How long I wait for an answer to my join request.
const ASKED_LIFE: Duration = Duration::from_secs(84 * 24 * 60 * 60);
/// How long the wall clock has to say so, in one run.
const DOUBT: Duration = Duration::from_secs(24 * 60 * 60);
const _: () = assert!(ASKED_LIFE.as_secs() >= REQUEST_LIFE.as_secs() + 2 * TRANSIT.as_secs());

/// What waited too long by the wall clock, by its number, and since when it says
/// so.
#[derive(Default)]
pub(super) struct Patience {
    over: BTreeMap<u64, Moment>,
}

impl Patience {
    /// Of those that waited too long, the ones of which that is beyond doubt.
    pub(super) fn end(&mut self, over: &[u64], now: Moment) -> Vec<u64> {
        self.over.retain(|number, _| over.contains(number));
        let mut ended = Vec::new();
        for number in over {
            let since = *self.over.entry(*number).or_insert(now);
            if since + DOUBT <= now {
                ended.push(*number);
            }
        }
        ended
    }
}

impl Messenger {
    /// Lets go of requests nobody decided, and of joins nobody answered.
    pub(super) fn sweep_waiting(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let over = self.people.values().filter(|person| {
            let life = match person.record.standing {
                Standing::Requested => REQUEST_LIFE,
                Standing::Joining | Standing::Asked => ASKED_LIFE,
                Standing::Established | Standing::Broken | Standing::Restoring => return false,
            };
            person.record.since + life <= now
        });
        let over: Vec<_> = over.map(|person| person.record.id.0).collect();
        for number in self.patience.end(&over, call.cx.now()) {
            let contact = ContactId(number);
            if self.standing(contact) == Some(Standing::Requested) {
                self.remove_person(call, contact)?;
                self.tell(Event::RequestLapsed { contact });
            } else {
                let (reason, refusal) = (BreakReason::Unanswered, Refusal::LinkUnanswered);
                self.fail_join(call, contact, reason, refusal)?;
            }
        }
        Ok(())
    }
}
