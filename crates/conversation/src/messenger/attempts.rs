//! Which addresses a message went to, and what became of it there.

use hushwing_delivery::{Address, LetterId, RouteRecord, RouteState};
use hushwing_sansio::StorageError;

use super::{Call, Messenger};
use crate::ContactId;
use crate::storage::{DetourRecord, MessageRecord};
use crate::view::{Attempt, AttemptStage};

impl Messenger {
    /// The attempts to deliver a message of mine, in the order of its addresses.
    pub(super) fn attempts(
        &self,
        call: &Call<'_, '_>,
        record: &MessageRecord,
    ) -> Result<Vec<Attempt>, StorageError> {
        let letter = record.letter.map(LetterId);
        let routes = letter.map(|letter| self.office.routes(letter));
        let routes = routes.filter(|routes| !routes.is_empty());
        match routes {
            Some(routes) if record.mine => Ok(self.shown(record.contact, &routes)),
            _ if record.mine => Ok(DetourRecord::of(call.storage, record.contact)?
                .find(record.id())
                .unwrap_or_default()),
            _ => Ok(Vec::new()),
        }
    }

    /// A message was confirmed and its letter is about to be forgotten: how it
    /// went is kept where it did not go straight.
    pub(super) fn keep_attempts(
        &self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
    ) -> Result<(), StorageError> {
        let Some(letter) = record.letter.map(LetterId) else {
            return Ok(());
        };
        let routes = self.office.routes(letter);
        let tried = |(_, route): &&(Address, RouteRecord)| {
            !matches!(route.state, RouteState::Waiting | RouteState::Reserved)
        };
        if routes.iter().filter(tried).count() < 2 {
            return Ok(());
        }
        let attempts = self.shown(record.contact, &routes);
        let mut kept = DetourRecord::of(call.storage, record.contact)?;
        kept.add(record.id(), &attempts);
        kept.put(call.storage, record.contact)
    }

    fn shown(&self, contact: ContactId, routes: &[(Address, RouteRecord)]) -> Vec<Attempt> {
        let person = self.people.get(&contact);
        let known = person.map(|person| person.addresses.as_slice());
        let known = known.unwrap_or_default();
        let recovery = self.mails.get(contact).map(|mail| mail.recovery.as_slice());
        let recovery = recovery.unwrap_or_default();
        let attempt = |(address, route): &(Address, RouteRecord)| Attempt {
            network: route.network,
            address: known
                .iter()
                .position(|known| known == address)
                .and_then(|at| u8::try_from(at + 1).ok()),
            recovery: recovery
                .iter()
                .any(|known| known.expose() == address.encode()),
            stage: match route.state {
                RouteState::Waiting | RouteState::Reserved => AttemptStage::Waiting,
                RouteState::Sending if route.last_failure.is_some() => AttemptStage::Trying,
                RouteState::Sending => AttemptStage::Sending,
                RouteState::Accepted { .. } => AttemptStage::Accepted,
                RouteState::Failed(_) => AttemptStage::Failed,
            },
            problem: match route.state {
                RouteState::Failed(reason) => Some(reason),
                RouteState::Accepted { .. } => None,
                _ => route.last_failure,
            },
            begun: route.begun,
            accepted: match route.state {
                RouteState::Accepted { at } => Some(at),
                _ => None,
            },
        };
        routes.iter().map(attempt).collect()
    }
}
