//! Being introduced by a contact, once I agreed: the link, until it led somewhere.
//!
//! Each step is in storage before the next and is taken once, whatever is said
//! again; [`introduce`](super::introduce) draws the whole way, and what comes
//! before it is in [`offers`](super::offers), what comes after in [`met`](super::met).

use hushwing_delivery::{FetchId, MailboxFailure};
use hushwing_sansio::StorageError;

use super::broken::is_damage;
use super::introduce::promise_of;
use super::invite::NewInvitation;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::{Introduction, IntroductionId, IntroductionStep};
use crate::link::{IntroducedLink, Promise, RootKey};
use crate::mls::LeafKey;
use crate::storage::{ExpectedRecord, OfferState, Standing};
use crate::{ContactId, DropReason, Event, InvitationId, Refusal, Secret};

impl Messenger {
    /// A contact said something about an introduction; whether it was taken. If
    /// not, it may be said again and mean something then.
    pub(super) fn heard_introduction(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        Introduction { id, step }: &Introduction,
    ) -> Result<bool, StorageError> {
        let established = self.standing(contact) == Some(Standing::Established);
        match step {
            IntroductionStep::Witness(hash) => self.witnessed(call, contact, *id, hash)?,
            _ if !established => {
                self.drop_letter(Some(contact), DropReason::Introduction)?;
                return Ok(false);
            }
            IntroductionStep::Offer(offer) => return self.offered(call, contact, *id, offer),
            IntroductionStep::Agree(promise) => {
                self.agreed_to_mine(call, contact, *id, *promise)?;
            }
            IntroductionStep::Agreed(promise) => self.both_agreed(call, contact, *id, *promise)?,
            IntroductionStep::Link(link) => {
                if !self.link_of_mine(call, contact, *id, link)? {
                    self.link_came(call, contact, *id, link)?;
                }
            }
        }
        Ok(true)
    }

    /// Both agreed: the inviter makes a link, the joiner waits for it.
    fn both_agreed(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        id: IntroductionId,
        promise: Promise,
    ) -> Result<(), StorageError> {
        let person = self.people.get_mut(&contact);
        let Some(offer) = person.and_then(|person| person.offer(id)) else {
            return self.drop_letter(Some(contact), DropReason::Introduction);
        };
        if offer.their_promise.is_some() {
            return Ok(());
        }
        if offer.state != OfferState::Agreed {
            return self.drop_letter(Some(contact), DropReason::Introduction);
        }
        offer.their_promise = Some(promise.0);
        let (number, secret, invites) = (offer.number, offer.secret.clone(), offer.invites);
        let link = offer.link.take();
        if invites {
            let made = NewInvitation {
                reusable: false,
                network: self.config.network,
                root: secret,
                room: None,
            };
            let invitation = self.begin_invitation(call, made)?;
            let expected = ExpectedRecord {
                id: id.0,
                promise: promise.0,
            };
            expected.put(call.storage, invitation)?;
            self.set_offer(call, contact, id, OfferState::Inviting(invitation))?;
            self.tell_offer(contact, number);
            return Ok(());
        }
        self.set_offer(call, contact, id, OfferState::Agreed)?;
        match link.map(|link| Introduction::decode(link.expose())) {
            Some(Ok(Introduction {
                step: IntroductionStep::Link(link),
                ..
            })) => self.open_introduced(call, contact, id, &link),
            Some(_) => self.fail_introduction(call, contact, id, Refusal::LinkForged),
            None => Ok(()),
        }
    }

    fn set_offer(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        id: IntroductionId,
        state: OfferState,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        if let Some(offer) = person.offer(id) {
            offer.state = state;
        }
        person.offers.put(call.storage, contact)
    }

    /// The link for an introduction is there: it goes to who introduces.
    pub(super) fn introduction_link(
        &mut self,
        call: &mut Call<'_, '_>,
        invitation: InvitationId,
    ) -> Result<(), StorageError> {
        let record = self.invitations.get(&invitation);
        let made = record.and_then(|record| {
            let root = RootKey::from_seed(&record.root.array()?);
            Some((record.link.clone()?, root))
        });
        if let Some(((by, id), (link, root))) = self.introduction_of(invitation).zip(made) {
            let signed = IntroducedLink::sign(id, link, &root);
            self.say_about(call, by, id, IntroductionStep::Link(signed))?;
        }
        Ok(())
    }

    /// The introduction an invitation was made for: whose, and which.
    pub(super) fn introduction_of(
        &self,
        invitation: InvitationId,
    ) -> Option<(ContactId, IntroductionId)> {
        self.people.iter().find_map(|(contact, person)| {
            let mut offers = person.offers.offers.iter();
            let offer = offers.find(|offer| offer.state == OfferState::Inviting(invitation))?;
            Some((*contact, offer.id()))
        })
    }

    /// Whether an invitation is for one who is introduced, and not to be given
    /// to anybody else.
    pub(super) fn is_for_introduction(
        &self,
        call: &Call<'_, '_>,
        invitation: InvitationId,
    ) -> Result<bool, StorageError> {
        match ExpectedRecord::of(call.storage, invitation) {
            Err(error) if is_damage(&error) => Ok(true),
            expected => Ok(expected?.is_some() || self.introduction_of(invitation).is_some()),
        }
    }

    /// The link of somebody I agreed to know came.
    fn link_came(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        id: IntroductionId,
        link: &IntroducedLink,
    ) -> Result<(), StorageError> {
        let person = self.people.get_mut(&contact);
        let Some((person, at)) = person.and_then(|person| {
            let at = person.offers.offers.iter().position(|o| o.id == id.0)?;
            Some((person, at))
        }) else {
            return self.drop_letter(Some(contact), DropReason::Introduction);
        };
        let Some(offer) = person.offers.offers.get_mut(at) else {
            return Ok(());
        };
        match offer.state {
            OfferState::Agreed if !offer.invites => {}
            // Said again.
            OfferState::Opening(_) | OfferState::Met(_) | OfferState::Failed => return Ok(()),
            _ => return self.drop_letter(Some(contact), DropReason::Introduction),
        }
        if offer.their_promise.is_none() {
            // It overtook what the other promised. The first one counts.
            let step = IntroductionStep::Link(link.clone());
            let said = || Secret::new(Introduction { id, step }.encode());
            offer.link.get_or_insert_with(said);
            return person.offers.put(call.storage, contact);
        }
        self.open_introduced(call, contact, id, link)
    }

    /// Opens the link, if it is the one that was promised.
    fn open_introduced(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        id: IntroductionId,
        link: &IntroducedLink,
    ) -> Result<(), StorageError> {
        let person = self.people.get_mut(&contact);
        let offer = person.and_then(|person| person.offer(id));
        let promised = offer.and_then(|offer| offer.their_promise).map(Promise);
        if promised.is_none() || promise_of(id, link) != promised {
            return self.fail_introduction(call, contact, id, Refusal::LinkForged);
        }
        match self.begin_join(call, &link.link) {
            Ok(fetch) => self.set_offer(call, contact, id, OfferState::Opening(fetch.0)),
            Err(Stop::Refused(refusal)) => self.fail_introduction(call, contact, id, refusal),
            Err(Stop::Storage(error)) => Err(error),
        }
    }

    /// The introduction a link is opened for: whose, and which.
    fn introduction_at(&self, fetch: FetchId) -> Option<(ContactId, IntroductionId)> {
        self.people.iter().find_map(|(contact, person)| {
            let mut offers = person.offers.offers.iter();
            let offer = offers.find(|offer| offer.state == OfferState::Opening(fetch.0))?;
            Some((*contact, offer.id()))
        })
    }

    /// Whether a link is opened for an introduction.
    pub(super) fn is_introduced(&self, fetch: FetchId) -> bool {
        self.introduction_at(fetch).is_some()
    }

    /// Tells a person that the link they were introduced by was known here. It is
    /// opened all the same: whoever introduces must not learn this.
    pub(super) fn tell_known_link(&mut self, fetch: FetchId, known: Option<Refusal>) {
        let offer = self.introduction_at(fetch).and_then(|(by, id)| {
            let number = self.people.get_mut(&by)?.offer(id)?.number;
            self.offer_view(by, number)
        });
        if let Some((refusal, offer)) = known.zip(offer) {
            self.tell(Event::IntroductionFailed { offer, refusal });
        }
    }

    /// The key by which I promised to come, if a link is opened for an
    /// introduction.
    pub(super) fn promised_key(&mut self, fetch: FetchId) -> Option<LeafKey> {
        let (contact, id) = self.introduction_at(fetch)?;
        let offer = self.people.get_mut(&contact)?.offer(id)?;
        LeafKey::from_secret(&offer.secret)
    }

    /// A link that was opened for an introduction led to a contact.
    pub(super) fn opened_introduction(
        &mut self,
        call: &mut Call<'_, '_>,
        fetch: FetchId,
        met: ContactId,
    ) -> Result<(), StorageError> {
        match self.introduction_at(fetch) {
            Some((by, id)) => self.met(call, by, id, met),
            None => Ok(()),
        }
    }

    /// A link that was opened for an introduction led nowhere; whether it was.
    pub(super) fn introduction_unopened(
        &mut self,
        call: &mut Call<'_, '_>,
        fetch: FetchId,
        refusal: Refusal,
    ) -> Result<bool, StorageError> {
        let Some((by, id)) = self.introduction_at(fetch) else {
            return Ok(false);
        };
        self.fail_introduction(call, by, id, refusal)?;
        Ok(true)
    }

    /// Whether an invitation was made for an introduction that is under way.
    pub(super) fn is_introducing(&self, invitation: InvitationId) -> bool {
        self.introduction_of(invitation).is_some()
    }

    /// No mailbox is to be had for an introduction: there will be no link.
    pub(super) fn introduction_without_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        invitation: InvitationId,
        reason: MailboxFailure,
    ) -> Result<(), StorageError> {
        if let Some((by, id)) = self.introduction_of(invitation) {
            self.fail_introduction(call, by, id, Refusal::Mailbox(reason))?;
        }
        self.forget_invitation(call, invitation)
    }

    /// An invitation is gone that was made for an introduction.
    pub(super) fn introduction_withdrawn(
        &mut self,
        call: &mut Call<'_, '_>,
        invitation: InvitationId,
    ) -> Result<(), StorageError> {
        match self.introduction_of(invitation) {
            Some((by, id)) => self.fail_introduction(call, by, id, Refusal::NoInvitation),
            None => Ok(()),
        }
    }
}
