//! Two who were introduced meet: who may come by the link, what each keeps of it,
//! and the witness they bear each other.

use hushwing_sansio::StorageError;

use super::broken::is_damage;
use super::people::Person;
use super::{Call, Messenger};
use crate::content::{IntroductionId, IntroductionStep};
use crate::link::{Promise, RootKey};
use crate::mls::LeafKey;
use crate::storage::{ExpectedRecord, IntroducedRecord, OfferRecord, OfferState};
use crate::view::IntroducedView;
use crate::{ContactId, DropReason, Event, InvitationId, Refusal};

impl Person {
    /// Who introduced them, as shown.
    pub(super) fn introduced_view(&self) -> Option<IntroducedView> {
        self.introduced.as_ref().map(|record| IntroducedView {
            by: record.name.clone(),
            at: record.at,
            agrees: record.agrees,
        })
    }
}

impl Messenger {
    /// Whether who uses an invitation is who was introduced; so is everybody
    /// where nobody was. Where it cannot be told who that is, nobody is.
    pub(super) fn is_expected(
        &self,
        call: &Call<'_, '_>,
        invitation: InvitationId,
        key: Option<[u8; 32]>,
    ) -> Result<bool, StorageError> {
        let expected = match ExpectedRecord::of(call.storage, invitation) {
            Err(error) if is_damage(&error) => return Ok(false),
            expected => expected?,
        };
        Ok(match expected {
            Some(ExpectedRecord { id, promise }) => key.is_some_and(|key| {
                Promise::of_joiner(IntroductionId(id), &key) == Promise(promise)
            }),
            None => self.introduction_of(invitation).is_none(),
        })
    }

    /// Who was introduced came by my link.
    pub(super) fn came_by_introduction(
        &mut self,
        call: &mut Call<'_, '_>,
        invitation: InvitationId,
        met: ContactId,
    ) -> Result<(), StorageError> {
        let Some((by, id)) = self.introduction_of(invitation) else {
            return Ok(());
        };
        self.met(call, by, id, met)?;
        self.bear_witness(call, met)
    }

    /// An introduction came to a contact.
    pub(super) fn met(
        &mut self,
        call: &mut Call<'_, '_>,
        by: ContactId,
        id: IntroductionId,
        met: ContactId,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&by) else {
            return Ok(());
        };
        let name = person.record.name.clone();
        let Some(offer) = person.offer(id) else {
            return Ok(());
        };
        let (mine, theirs) = (promised(offer), offer.their_promise.map(Promise));
        let Some((mine, theirs)) = mine.zip(theirs) else {
            // Of the contact nothing is damaged, and nobody else is to suffer.
            return self.fail_introduction(call, by, id, Refusal::LinkForged);
        };
        let (inviter, joiner) = match offer.invites {
            true => (mine, theirs),
            false => (theirs, mine),
        };
        let number = offer.number;
        offer.state = OfferState::Met(met);
        self.tell_offer(by, number);
        let Some(person) = self.people.get_mut(&by) else {
            return Ok(());
        };
        if let Some(offer) = person.offer(id) {
            offer.end(OfferState::Met(met));
        }
        person.offers.put(call.storage, by)?;
        let record = IntroducedRecord {
            by,
            name,
            id: id.0,
            at: call.cx.wall(),
            witness: Promise::witness(id, &inviter, &joiner),
            agrees: None,
        };
        record.put(call.storage, met)?;
        if let Some(person) = self.people.get_mut(&met) {
            person.introduced = Some(record);
        }
        Ok(())
    }

    /// Tells whom I was introduced to what was promised, as I was told it.
    pub(super) fn bear_witness(
        &mut self,
        call: &mut Call<'_, '_>,
        to: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&to);
        let Some(record) = person.and_then(|person| person.introduced.as_ref()) else {
            return Ok(());
        };
        let (id, hash) = (IntroductionId(record.id), record.witness);
        self.say_about(call, to, id, IntroductionStep::Witness(hash))?;
        Ok(())
    }

    /// Somebody told what was promised when we were introduced.
    pub(super) fn witnessed(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        id: IntroductionId,
        hash: &[u8; 32],
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let Some(record) = &mut person.introduced else {
            return self.drop_letter(Some(contact), DropReason::Introduction);
        };
        // One honest witness is enough, and what contradicts it is not unsaid.
        let agrees = record.id == id.0 && record.witness == *hash && record.agrees != Some(false);
        if record.agrees == Some(agrees) {
            return Ok(());
        }
        record.agrees = Some(agrees);
        record.put(call.storage, contact)?;
        self.tell_contact(contact);
        if !agrees {
            self.tell(Event::IntroductionDisputed { contact });
        }
        Ok(())
    }
}

/// What I promise for an offer.
pub(super) fn promised(offer: &OfferRecord) -> Option<Promise> {
    let seed: [u8; 32] = offer.secret.array()?;
    Some(if offer.invites {
        let secret = RootKey::from_seed(&seed).fixed().secret();
        Promise::of_inviter(offer.id(), &secret)
    } else {
        let key = LeafKey::from_secret(&offer.secret)?;
        Promise::of_joiner(offer.id(), &key.public())
    })
}
