//! Opening somebody's link.
//!
//! ```text
//! Join ─ Fetch ─▶ Fetched: card checked, contact made, mailbox asked for
//!      ─ MailboxOpened ─▶ group created, join request posted ─▶ Asked
//! ```
//!
//! Each step is in storage before the next, so a join goes on after a restart.
//! The second line is in [`petition`](super::petition).

use hushwing_delivery::{
    Address, FetchFailure, FetchId, Locator, NetworkCommand, NetworkTag, SealKey,
};
use hushwing_sansio::StorageError;

use super::people::Person;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::Profile;
use crate::link::{Bundle, BundleError, FixedError, Kind, Link, LinkError, VerifiedBundle};
use crate::mls::LeafKey;
use crate::storage::{CardRecord, ContactRecord, JoinRecord, Side, Standing};
use crate::{ContactId, ConversationId, Event, Refusal, Reply, Secret, Ticket};

/// What a contact without a name is called until they tell one.
pub(super) const NAMELESS: &str = "somebody";

impl Messenger {
    /// Asks for the card of a link; it is answered when the card was checked.
    pub(super) fn join(
        &mut self,
        call: &mut Call<'_, '_>,
        ticket: Ticket,
        link: &Secret,
    ) -> Result<(), Stop> {
        let parsed = parse(link)?;
        if self.is_mine(parsed.secret()) {
            return Err(Refusal::LinkMine.into());
        }
        if parsed
            .expires()
            .is_some_and(|expires| expires < call.cx.wall())
        {
            return Err(Refusal::LinkExpired.into());
        }
        if self.joined_before(ticket, link) {
            return Ok(());
        }
        let fetch = FetchId(call.storage.next_number()?);
        let record = JoinRecord {
            fetch: fetch.0,
            link: link.clone(),
            contact: None,
            card: None,
        };
        call.storage.put_join(&record)?;
        self.joins.insert(fetch, record);
        self.waiting_joins.insert(fetch, ticket);
        self.fetch(fetch, &parsed);
        Ok(())
    }

    /// Opening a link again before its inviter answered leads to the same
    /// contact: whoever is unsure whether it worked may simply repeat it.
    fn joined_before(&mut self, ticket: Ticket, link: &Secret) -> bool {
        let known = self.joins.iter().find(|(_, join)| join.link == *link);
        let Some((fetch, contact)) = known.map(|(fetch, join)| (*fetch, join.contact)) else {
            return false;
        };
        match contact
            .and_then(|contact| self.people.get(&contact))
            .map(Person::view)
        {
            Some(view) => self.tell(Event::Answer {
                ticket,
                answer: Ok(Reply::Joined(view)),
            }),
            None => {
                self.waiting_joins.insert(fetch, ticket);
            }
        }
        true
    }

    /// A contact answered, or never will: their link is opened anew next time.
    pub(super) fn forget_join(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let of_contact = self
            .joins
            .iter()
            .find(|(_, join)| join.contact == Some(contact));
        if let Some(fetch) = of_contact.map(|(fetch, _)| *fetch) {
            self.joins.remove(&fetch);
            call.storage.remove_join(fetch.0)?;
        }
        Ok(())
    }

    fn fetch(&mut self, fetch: FetchId, link: &Link) {
        let command = NetworkCommand::Fetch {
            fetch,
            place: link.place().clone(),
            secret: *link.secret().as_bytes(),
            one_time: link.kind() == Kind::OneTime,
        };
        self.instruct(link.network(), command);
    }

    /// Fetches again what was being fetched in an earlier run, from one network
    /// or from all.
    pub(super) fn resume_fetches(&mut self, only: Option<NetworkTag>) {
        let unread = self.joins.iter().filter(|(_, join)| join.card.is_none());
        let links = unread.filter_map(|(fetch, join)| Some((*fetch, parse(&join.link).ok()?)));
        let wanted = |link: &Link| only.is_none_or(|network| network == link.network());
        for (fetch, link) in links.filter(|(_, link)| wanted(link)).collect::<Vec<_>>() {
            self.fetch(fetch, &link);
        }
    }

    /// A card could not be read: the join is over.
    pub(super) fn fetch_failed(
        &mut self,
        call: &mut Call<'_, '_>,
        fetch: FetchId,
        reason: FetchFailure,
    ) -> Result<(), StorageError> {
        let refusal = match reason {
            FetchFailure::UsedOrGone => Refusal::LinkUsed,
            FetchFailure::Unreachable => Refusal::LinkUnreachable,
            FetchFailure::WrongServer => Refusal::LinkWrongServer,
            FetchFailure::Forged => Refusal::LinkForged,
            FetchFailure::Unreadable => Refusal::LinkNewer,
        };
        self.end_join(call, fetch, refusal)
    }

    fn end_join(
        &mut self,
        call: &mut Call<'_, '_>,
        fetch: FetchId,
        refusal: Refusal,
    ) -> Result<(), StorageError> {
        if self.joins.remove(&fetch).is_none() {
            return Ok(());
        }
        call.storage.remove_join(fetch.0)?;
        let event = match self.waiting_joins.remove(&fetch) {
            Some(ticket) => Event::Answer {
                ticket,
                answer: Err(refusal),
            },
            None => Event::JoinFailed { refusal },
        };
        self.tell(event);
        Ok(())
    }

    /// A card came: checks it and makes a contact of it.
    pub(super) fn fetched(
        &mut self,
        call: &mut Call<'_, '_>,
        fetch: FetchId,
        fixed: &[u8],
        bundle: &[u8],
        locator: Locator,
    ) -> Result<(), StorageError> {
        let Some(join) = self.joins.get(&fetch).filter(|join| join.card.is_none()) else {
            return Ok(());
        };
        let Ok(link) = parse(&join.link) else {
            return Err(StorageError::corrupt("reading the link of a join"));
        };
        let now = call.cx.wall();
        let opened = VerifiedBundle::open(link.secret(), link.kind(), fixed, bundle, now);
        let bundle = match opened {
            Ok(bundle) => bundle.into_inner(),
            Err(error) => return self.end_join(call, fetch, refusal_of(error)),
        };
        let address = Address {
            network: link.network(),
            locator,
            seal: SealKey::FirstContact(bundle.sealing_key.0.clone()),
        }
        .encode();
        if Address::decode(&address).is_err() || !self.could_ask(call, &bundle.key_package)? {
            return self.end_join(call, fetch, Refusal::LinkForged);
        }
        let contact = self.begin_contact(call, &link, &bundle)?;
        let card = CardRecord {
            key_package: bundle.key_package,
            address: Secret::new(address),
            reusable: link.kind() == Kind::Reusable,
        };
        self.note_card(call, fetch, card, contact)?;
        let ticket = self.waiting_joins.remove(&fetch);
        if let (Some(ticket), Some(person)) = (ticket, self.people.get(&contact)) {
            let answer = Ok(Reply::Joined(person.view()));
            self.tell(Event::Answer { ticket, answer });
        }
        self.tell_contact(contact);
        self.open_conversation_mailbox(call, self.config.network, contact)
    }

    fn begin_contact(
        &mut self,
        call: &mut Call<'_, '_>,
        link: &Link,
        bundle: &Bundle,
    ) -> Result<ContactId, StorageError> {
        let id = ContactId(call.storage.next_number()?);
        let now = call.cx.wall();
        let name = bundle.preview.as_ref().map_or(NAMELESS, Profile::name);
        let record = ContactRecord {
            id,
            conversation: ConversationId(call.cx.random()),
            side: Side::Joiner,
            standing: Standing::Joining,
            name: name.to_owned(),
            renamed: false,
            verified: None,
            unsecured_start: link.kind() == Kind::Reusable,
            signing_key: LeafKey::generate(call.cx).secret(),
            addresses: Vec::new(),
            address_revision: 0,
            commit_letter: None,
            invitation: None,
            since: now,
            epoch_since: now,
        };
        self.add_person(call, record, None)?;
        Ok(id)
    }

    fn note_card(
        &mut self,
        call: &mut Call<'_, '_>,
        fetch: FetchId,
        card: CardRecord,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let Some(join) = self.joins.get_mut(&fetch) else {
            return Ok(());
        };
        join.contact = Some(contact);
        join.card = Some(card);
        call.storage.put_join(join)
    }
}

fn parse(link: &Secret) -> Result<Link, Refusal> {
    let text = core::str::from_utf8(link.expose()).map_err(|_| Refusal::NotALink)?;
    Link::parse(text).map_err(|error| match error {
        LinkError::NotALink => Refusal::NotALink,
        LinkError::Truncated => Refusal::LinkCutOff,
        LinkError::Mistyped => Refusal::LinkMistyped,
        LinkError::Newer(_) => Refusal::LinkNewer,
    })
}

fn refusal_of(error: BundleError) -> Refusal {
    match error {
        BundleError::Expired => Refusal::LinkExpired,
        BundleError::Newer(_) | BundleError::Fixed(FixedError::Newer(_)) => Refusal::LinkNewer,
        _ => Refusal::LinkForged,
    }
}
