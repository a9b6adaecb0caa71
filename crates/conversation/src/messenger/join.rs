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
use crate::storage::{CardRecord, ContactRecord, JoinRecord, RoomConsentRecord, Side, Standing};
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
        enters: bool,
    ) -> Result<(), Stop> {
        let parsed = parse(link)?;
        if self.is_mine(parsed.secret()) {
            return Err(Refusal::LinkMine.into());
        }
        if self.joined_before(call, ticket, &parsed)? {
            return Ok(());
        }
        if parsed
            .expires()
            .is_some_and(|expires| expires < call.cx.wall())
        {
            return Err(Refusal::LinkExpired.into());
        }
        let fetch = self.start_join(call, link, &parsed)?;
        if enters {
            RoomConsentRecord.put(call.storage, fetch)?;
        }
        self.waiting_joins.insert(fetch, vec![ticket]);
        Ok(())
    }

    /// Opens a link that nobody typed: one that a contact passed on.
    ///
    /// Whether it is known here must change nothing that can be seen outside:
    /// whoever introduces two names would learn that they are one person, or
    /// that one had a link of the other. So it is opened like any other; where
    /// it leads to myself, my own program drops the join request as one for a
    /// conversation it has.
    pub(super) fn begin_join(
        &mut self,
        call: &mut Call<'_, '_>,
        link: &Secret,
    ) -> Result<FetchId, Stop> {
        let parsed = parse(link)?;
        let expires = parsed.expires();
        if expires.is_some_and(|expires| expires < call.cx.wall()) {
            return Err(Refusal::LinkExpired.into());
        }
        Ok(self.start_join(call, link, &parsed)?)
    }

    fn start_join(
        &mut self,
        call: &mut Call<'_, '_>,
        link: &Secret,
        parsed: &Link,
    ) -> Result<FetchId, StorageError> {
        let fetch = FetchId(call.storage.next_number()?);
        let record = JoinRecord {
            fetch: fetch.0,
            link: link.clone(),
            contact: None,
            card: None,
        };
        call.storage.put_join(&record)?;
        self.joins.insert(fetch, record);
        self.fetch(fetch, parsed);
        Ok(fetch)
    }

    /// Opening a link again leads to the same contact, however it is spelled:
    /// whoever is unsure whether it worked may simply repeat it. Only a
    /// one-time link that has served its purpose says so, and one whose
    /// conversation broke, or whose people lost each other, is tried anew.
    fn joined_before(
        &mut self,
        call: &mut Call<'_, '_>,
        ticket: Ticket,
        link: &Link,
    ) -> Result<bool, Stop> {
        let same = |join: &JoinRecord| parse(&join.link).is_ok_and(|l| l.secret() == link.secret());
        let known = self.joins.iter().find(|(_, join)| same(join));
        let Some((fetch, contact)) = known.map(|(fetch, join)| (*fetch, join.contact)) else {
            return Ok(false);
        };
        let Some(contact) = contact else {
            self.waiting_joins.entry(fetch).or_default().push(ticket);
            return Ok(true);
        };
        let reusable = link.kind() == Kind::Reusable;
        let mut out_of_reach = false;
        self.within(call, contact, |this, call| {
            out_of_reach = reusable && this.out_of_reach(call, contact)?;
            Ok(())
        })?;
        match self.people.get(&contact).map(Person::view) {
            Some(view) if view.standing == Standing::Broken => {}
            Some(_) if out_of_reach => {}
            Some(view)
                if view.standing == Standing::Established && link.kind() == Kind::OneTime =>
            {
                return Err(Refusal::LinkUsed.into());
            }
            Some(view) => {
                let answer = Ok(Reply::Joined(view));
                self.tell(Event::Answer { ticket, answer });
                return Ok(true);
            }
            None => {}
        }
        self.forget_join(call, contact)?;
        Ok(false)
    }

    fn join_of(&self, contact: ContactId) -> Option<FetchId> {
        let mut joins = self.joins.iter();
        let (fetch, _) = joins.find(|(_, join)| join.contact == Some(contact))?;
        Some(*fetch)
    }

    /// A contact answered: what is left of the join is which link it was.
    pub(super) fn end_of_join(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        self.bear_witness(call, contact)?;
        let fetch = self.join_of(contact);
        let Some(join) = fetch.and_then(|fetch| self.joins.get_mut(&fetch)) else {
            return Ok(());
        };
        join.card = None;
        call.storage.put_join(join)
    }

    /// A contact never will answer: their link is opened anew next time.
    pub(super) fn forget_join(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if let Some(fetch) = self.join_of(contact) {
            self.joins.remove(&fetch);
            call.storage.remove_join(fetch.0)?;
        }
        Ok(())
    }

    /// What to tell a person of a link that was known here before.
    fn known_before(&self, fetch: FetchId, link: &Link) -> Option<Refusal> {
        let others = self.joins.iter().filter(|(other, _)| **other != fetch);
        let mut links = others.filter_map(|(_, join)| parse(&join.link).ok());
        match self.is_mine(link.secret()) {
            true => Some(Refusal::LinkMine),
            false if links.any(|other| other.secret() == link.secret()) => Some(Refusal::LinkUsed),
            false => None,
        }
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
        let unread = self.joins.iter().filter(|(_, join)| join.contact.is_none());
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
        RoomConsentRecord::clear(call.storage, fetch)?;
        let introduced = self.introduction_unopened(call, fetch, refusal)?;
        // Somebody may have typed the link that was passed on, too.
        let asked = self.answer_joins(fetch, refusal);
        if !introduced && !asked {
            let contact = None;
            self.tell(Event::JoinFailed { contact, refusal });
        }
        Ok(())
    }

    /// Tells who waits for a join that it failed; whether anybody did.
    fn answer_joins(&mut self, fetch: FetchId, refusal: Refusal) -> bool {
        let waiting = self.waiting_joins.remove(&fetch).unwrap_or_default();
        let asked = !waiting.is_empty();
        for ticket in waiting {
            let answer = Err(refusal);
            self.tell(Event::Answer { ticket, answer });
        }
        asked
    }

    /// A link is not to be opened any more; its card may still come.
    pub(super) fn give_up_join(
        &mut self,
        call: &mut Call<'_, '_>,
        fetch: FetchId,
        refusal: Refusal,
    ) -> Result<(), StorageError> {
        if self.joins.remove(&fetch).is_some() {
            call.storage.remove_join(fetch.0)?;
            RoomConsentRecord::clear(call.storage, fetch)?;
            self.answer_joins(fetch, refusal);
        }
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
        let Some(join) = self.joins.get(&fetch).filter(|join| join.contact.is_none()) else {
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
        let key = match self.is_introduced(fetch) {
            false => Some(LeafKey::generate(call.cx)),
            true => self.promised_key(fetch),
        };
        let Some(key) = key else {
            // They would turn any other one away.
            return self.end_join(call, fetch, Refusal::LinkForged);
        };
        let known = self.known_before(fetch, &link);
        let contact = self.begin_contact(call, &link, &bundle, &key)?;
        self.meet_by_card(call, fetch, contact, bundle.group)?;
        self.tell_known_link(fetch, known);
        self.opened_introduction(call, fetch, contact)?;
        let card = CardRecord {
            key_package: bundle.key_package,
            address: Secret::new(address),
            reusable: link.kind() == Kind::Reusable,
        };
        self.note_card(call, fetch, card, contact)?;
        let view = self.people.get(&contact).map(Person::view);
        for ticket in self.waiting_joins.remove(&fetch).unwrap_or_default() {
            let answer = view.clone().map(Reply::Joined).ok_or(Refusal::NoContact);
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
        key: &LeafKey,
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
            signing_key: key.secret(),
            addresses: Vec::new(),
            address_revision: 0,
            commit_letter: None,
            invitation: None,
            since: now,
            epoch_since: now,
        };
        self.add_person(call, record, None)?;
        if let (Some(preview), Some(person)) = (&bundle.preview, self.people.get_mut(&id)) {
            person.face.rename(preview.name(), now);
            person.face.put(call.storage, id)?;
        }
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
    let link = Link::parse(text).map_err(refusal_of_link)?;
    match link.kind() {
        Kind::Device => Err(Refusal::DeviceLink),
        Kind::OneTime | Kind::Reusable => Ok(link),
    }
}

/// Why text is no link that can be used.
pub(super) fn refusal_of_link(error: LinkError) -> Refusal {
    match error {
        LinkError::NotALink => Refusal::NotALink,
        LinkError::Truncated => Refusal::LinkCutOff,
        LinkError::Mistyped => Refusal::LinkMistyped,
        LinkError::Newer(_) => Refusal::LinkNewer,
    }
}

fn refusal_of(error: BundleError) -> Refusal {
    match error {
        BundleError::Expired => Refusal::LinkExpired,
        BundleError::Newer(_) | BundleError::Fixed(FixedError::Newer(_)) => Refusal::LinkNewer,
        _ => Refusal::LinkForged,
    }
}
