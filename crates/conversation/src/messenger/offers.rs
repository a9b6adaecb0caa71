//! Whom contacts offer to introduce to me: what waits for a decision, and how
//! it ends.
//!
//! Offers cost whoever makes them: one contact has few that wait for a decision,
//! and few altogether in twelve weeks. Those that are over stay that long, so
//! that a repeated one is known.

use core::time::Duration;

use hushwing_delivery::FetchId;
use hushwing_sansio::StorageError;

use super::introduce::{MOST_WAITING, REMEMBERED};
use super::met::promised;
use super::people::Person;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::{IntroductionId, IntroductionStep, Offer};
use crate::storage::{OfferRecord, OfferState, Standing};
use crate::view::OfferView;
use crate::{ContactId, DropReason, Event, Refusal, Reply, Secret};

/// Offers of one contact in [`REMEMBERED`], decided or not.
const MOST_OF_ONE: usize = 32;
/// How long an offer waits for a decision.
const OFFER_LIFE: Duration = Duration::from_secs(42 * 24 * 60 * 60);

impl Person {
    /// The offer of theirs of that name.
    pub(super) fn offer(&mut self, id: IntroductionId) -> Option<&mut OfferRecord> {
        let mut offers = self.offers.offers.iter_mut();
        offers.find(|offer| offer.id == id.0)
    }
}

impl Messenger {
    /// A contact offers to introduce somebody; `false` if there is no room for it
    /// now.
    pub(super) fn offered(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        id: IntroductionId,
        offer: &Offer,
    ) -> Result<bool, StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(false);
        };
        if person.offer(id).is_some() {
            return Ok(true);
        }
        let offers = &mut person.offers.offers;
        let waiting = offers.iter().filter(|o| o.state == OfferState::Waiting);
        if waiting.count() >= MOST_WAITING || offers.len() >= MOST_OF_ONE {
            self.drop_letter(Some(contact), DropReason::TooManyIntroductions)?;
            return Ok(false);
        }
        let record = OfferRecord {
            number: call.storage.next_number()?,
            id: id.0,
            invites: offer.invites,
            name: offer.name.clone(),
            word: offer.word.clone(),
            since: call.cx.wall(),
            state: OfferState::Waiting,
            secret: Secret::default(),
            their_promise: None,
            link: None,
        };
        let number = record.number;
        offers.push(record);
        person.offers.put(call.storage, contact)?;
        self.tell_offer(contact, number);
        Ok(true)
    }

    /// Offers that wait for me or for the other, oldest first.
    pub(super) fn list_offers(&self) -> Reply {
        let mut open: Vec<OfferView> = Vec::new();
        for (contact, person) in &self.people {
            let offers = person.offers.offers.iter().filter(|o| o.state.is_open());
            open.extend(offers.filter_map(|offer| self.offer_view(*contact, offer.number)));
        }
        open.sort_by_key(|offer| offer.request);
        Reply::Offers(open)
    }

    pub(super) fn offer_view(&self, contact: ContactId, number: u64) -> Option<OfferView> {
        let person = self.people.get(&contact)?;
        let mut offers = person.offers.offers.iter();
        let offer = offers.find(|offer| offer.number == number)?;
        let mut others = self.people.values().map(|other| &other.record);
        Some(OfferView {
            request: number,
            by: contact,
            by_name: person.record.name.clone(),
            name: offer.name.clone(),
            word: offer.word.clone(),
            since: offer.since,
            state: offer.state,
            // Later it is who came of it.
            name_known: matches!(offer.state, OfferState::Waiting | OfferState::Agreed)
                && others
                    .any(|other| other.standing != Standing::Requested && other.name == offer.name),
        })
    }

    pub(super) fn tell_offer(&mut self, contact: ContactId, number: u64) {
        if let Some(view) = self.offer_view(contact, number) {
            self.tell(Event::Introduction(view));
        }
    }

    /// Who made an offer that waits for my decision.
    fn offered_by(&self, number: u64) -> Result<ContactId, Refusal> {
        let of = |person: &Person| {
            let mut offers = person.offers.offers.iter();
            offers
                .find(|offer| offer.number == number)
                .map(|o| o.state == OfferState::Waiting)
        };
        for (contact, person) in &self.people {
            match of(person) {
                Some(true) => return Ok(*contact),
                Some(false) => return Err(Refusal::NotARequest),
                None => {}
            }
        }
        Err(Refusal::NoRequest)
    }

    /// I want to know whom a contact offers to introduce.
    pub(super) fn accept_introduction(
        &mut self,
        call: &mut Call<'_, '_>,
        number: u64,
    ) -> Result<Reply, Stop> {
        let contact = self.offered_by(number)?;
        match self.standing(contact) {
            Some(Standing::Established) => {}
            Some(Standing::Broken) => return Err(Refusal::Broken.into()),
            Some(Standing::Restoring) => return Err(Refusal::Restoring.into()),
            _ => return Err(Refusal::NotEstablished.into()),
        }
        if self.is_blocked(contact) {
            return Err(Refusal::Blocked.into());
        }
        let secret = call.cx.random::<32>();
        let person = self.person(contact)?;
        let mut offers = person.offers.offers.iter_mut();
        let offer = offers.find(|offer| offer.number == number);
        let offer = offer.ok_or(Refusal::NoRequest)?;
        offer.secret = Secret::new(secret);
        offer.state = OfferState::Agreed;
        let id = offer.id();
        let promise = promised(offer).ok_or(Refusal::NoRequest)?;
        person.offers.put(call.storage, contact)?;
        self.say_about(call, contact, id, IntroductionStep::Agree(promise))?;
        let view = self.offer_view(contact, number);
        Ok(Reply::Offers(view.into_iter().collect()))
    }

    /// I do not; nobody is told.
    pub(super) fn refuse_introduction(
        &mut self,
        call: &mut Call<'_, '_>,
        number: u64,
    ) -> Result<Reply, Stop> {
        let contact = self.offered_by(number)?;
        self.end_offers(call, OfferState::Refused, |of, offer| {
            of == contact && offer.number == number
        })?;
        Ok(Reply::Done)
    }

    /// I want nothing more by a contact's introductions: what is under way ends,
    /// and nobody is told but who waits for the same link.
    pub(super) fn give_up_offers(
        &mut self,
        call: &mut Call<'_, '_>,
        by: ContactId,
        refusal: Refusal,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&by) else {
            return Ok(());
        };
        let mut open = Vec::new();
        for offer in &mut person.offers.offers {
            if offer.state.is_open() {
                open.push((offer.number, offer.state));
                offer.state = OfferState::Refused;
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        for (number, _) in &open {
            // While its name is there.
            self.tell_offer(by, *number);
        }
        if let Some(person) = self.people.get_mut(&by) {
            let over = |offer: &&mut OfferRecord| offer.state == OfferState::Refused;
            for offer in person.offers.offers.iter_mut().filter(over) {
                offer.end(OfferState::Refused);
            }
            person.offers.put(call.storage, by)?;
        }
        for (_, state) in open {
            match state {
                OfferState::Inviting(invitation) => self.forget_invitation(call, invitation)?,
                OfferState::Opening(fetch) => self.give_up_join(call, FetchId(fetch), refusal)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// An introduction cannot be, and why.
    pub(super) fn fail_introduction(
        &mut self,
        call: &mut Call<'_, '_>,
        by: ContactId,
        id: IntroductionId,
        refusal: Refusal,
    ) -> Result<(), StorageError> {
        let person = self.people.get_mut(&by);
        let Some(number) = person.and_then(|person| person.offer(id)).map(|o| o.number) else {
            return Ok(());
        };
        if let Some(offer) = self.offer_view(by, number) {
            self.tell(Event::IntroductionFailed { offer, refusal });
        }
        self.end_offers(call, OfferState::Failed, |of, offer| {
            of == by && offer.number == number
        })
    }

    fn end_offers(
        &mut self,
        call: &mut Call<'_, '_>,
        state: OfferState,
        which: impl Fn(ContactId, &OfferRecord) -> bool,
    ) -> Result<(), StorageError> {
        for (contact, person) in &mut self.people {
            let mut ended = false;
            for offer in &mut person.offers.offers {
                if offer.state.is_open() && which(*contact, offer) {
                    offer.end(state);
                    ended = true;
                }
            }
            if ended {
                person.offers.put(call.storage, *contact)?;
            }
        }
        Ok(())
    }

    /// Lets go of offers nobody decided, and forgets those that are long over.
    pub(super) fn sweep_offers(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let is_over = |offer: &OfferRecord| match offer.state {
            OfferState::Waiting => offer.since + OFFER_LIFE <= now,
            _ => offer.since + REMEMBERED <= now,
        };
        let all = self
            .people
            .values()
            .flat_map(|person| &person.offers.offers);
        let over: Vec<u64> = all.filter(|o| is_over(o)).map(|o| o.number).collect();
        // By both clocks, as requests.
        for number in self.offers_patience.end(&over, call.cx.now()) {
            self.offer_lapsed(call, number)?;
        }
        Ok(())
    }

    fn offer_lapsed(&mut self, call: &mut Call<'_, '_>, number: u64) -> Result<(), StorageError> {
        let mut people = self.people.iter_mut();
        let found = people.find_map(|(contact, person)| {
            let mut offers = person.offers.offers.iter();
            let at = offers.position(|offer| offer.number == number)?;
            Some((*contact, person, at))
        });
        let Some((contact, person, at)) = found else {
            return Ok(());
        };
        let Some(offer) = person.offers.offers.get_mut(at) else {
            return Ok(());
        };
        let before = offer.state;
        let waited = before == OfferState::Waiting;
        offer.state = OfferState::Lapsed;
        if before.is_open() {
            self.tell_offer(contact, number);
        }
        if let OfferState::Inviting(invitation) = before {
            self.forget_invitation(call, invitation)?;
        }
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        if waited {
            if let Some(offer) = person.offers.offers.get_mut(at) {
                offer.end(OfferState::Lapsed);
            }
        } else {
            person.offers.offers.remove(at);
        }
        person.offers.put(call.storage, contact)
    }
}
