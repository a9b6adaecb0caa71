//! Links into a room.
//!
//! Whoever opens one meets the steward who made it, as by any other link, and the two
//! remember by which room's. What follows goes the way of every offer: the steward's
//! program offers the room once they are a contact. Whoever opened the link to be in
//! its room is not asked again; for others the offer waits among the requests.
//!
//! ```text
//! steward                      somebody
//!    │ link ──────────────────▶ │   names the room
//!    │ ◀────────── join request │
//!    │   is asked, unless the link works once or is open
//!    │ offer ─────────────────▶ │   in their conversation of two
//!    │ ◀──────────────── answer │
//! ```

use core::time::Duration;

use hushwing_delivery::FetchId;
use hushwing_sansio::StorageError;

use super::offer::OFFER_LIFE;
use crate::event::RoomFault;
use crate::link::GroupPreview;
use crate::messenger::invite::NewInvitation;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    RoomConsentRecord, RoomLinkRecord, RoomMeetingRecord, RoomStanding, Side, Standing,
};
use crate::{ContactId, ConversationId, Event, InvitationId, Refusal, RoomId, Secret, Ticket};

/// Who gets in by open links of one room within a day; whoever comes later is asked
/// about.
const MOST_A_DAY: usize = 64;
/// Offers to strangers who came by links, of one room, that wait for their answer.
const MOST_WAITING: usize = 256;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Messenger {
    /// Makes an invitation that leads into a room; it is answered when its mailbox
    /// is open.
    pub(in crate::messenger) fn invite_to_room(
        &mut self,
        call: &mut Call<'_, '_>,
        ticket: Ticket,
        reusable: bool,
        leads: RoomLinkRecord,
    ) -> Result<(), Stop> {
        self.my_stewardship(leads.room)?;
        let made = NewInvitation {
            reusable,
            network: self.config.network,
            root: Secret::new(call.cx.random::<32>()),
            room: Some(leads),
        };
        let id = self.begin_invitation(call, made)?;
        self.waiting_invites.insert(id, ticket);
        Ok(())
    }

    /// What a link of mine shows of the room it leads into.
    pub(in crate::messenger) fn led_into(
        &self,
        call: &Call<'_, '_>,
        invitation: InvitationId,
    ) -> Result<Option<GroupPreview>, StorageError> {
        let Some(leads) = RoomLinkRecord::of(call.storage, invitation)? else {
            return Ok(None);
        };
        let known = self.rooms.by_id.get(&leads.room);
        Ok(known.map(|known| GroupPreview {
            group: known.record.conversation,
            name: known.record.name.clone(),
        }))
    }

    /// Whether whoever comes by this link gets into its room without being asked
    /// about: so many a day, and while there is a place. Each is a contact with a
    /// mailbox, so whoever comes over and over must not make more of them.
    pub(in crate::messenger) fn lets_in(
        &mut self,
        call: &Call<'_, '_>,
        invitation: InvitationId,
    ) -> Result<bool, StorageError> {
        let leads = RoomLinkRecord::of(call.storage, invitation)?;
        let Some(room) = leads.filter(|leads| leads.open).map(|leads| leads.room) else {
            return Ok(false);
        };
        let most = self.config.group_size.most();
        let Ok(known) = self.my_stewardship(room) else {
            return Ok(false);
        };
        let most = most.min(known.most);
        let (group, size) = (known.record.conversation, known.size());
        let wall = call.cx.wall();
        let came = self.people.values().filter(|person| {
            let met = person
                .meeting
                .as_ref()
                .is_some_and(|met| met.group == group);
            met && person.record.standing == Standing::Established
        });
        let lately = came
            .clone()
            .filter(|person| person.record.since + DAY > wall);
        // Who is about to be offered it holds a place as well.
        let coming = came.filter(|person| person.meeting.as_ref().is_some_and(|met| !met.done));
        Ok(size + coming.count() < most && lately.count() < MOST_A_DAY)
    }

    /// Remembers by which room's link a contact and I meet.
    pub(in crate::messenger) fn meet_for_room(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        group: Option<GroupPreview>,
        done: bool,
    ) -> Result<(), StorageError> {
        let Some((person, group)) = self.people.get_mut(&contact).zip(group) else {
            return Ok(());
        };
        let met = RoomMeetingRecord {
            group: group.group,
            name: group.name,
            done,
        };
        met.put(call.storage, contact)?;
        person.meeting = Some(met);
        Ok(())
    }

    /// The same for whoever opened the link. Only who said so enters its room without
    /// being asked: a link to a person does not show that it leads further, and who is
    /// introduced agreed to meet one person.
    pub(in crate::messenger) fn meet_by_card(
        &mut self,
        call: &mut Call<'_, '_>,
        fetch: FetchId,
        contact: ContactId,
        group: Option<GroupPreview>,
    ) -> Result<(), StorageError> {
        let wanted = RoomConsentRecord::of(call.storage, fetch)?.is_some();
        RoomConsentRecord::clear(call.storage, fetch)?;
        let enters = wanted && !self.is_introduced(fetch);
        self.meet_for_room(call, contact, group, !enters)
    }

    /// Whether it was a link of mine by which a contact and I met.
    fn made_link(&self, contact: ContactId) -> bool {
        let person = self.people.get(&contact);
        person.is_some_and(|person| person.record.side == Side::Inviter)
    }

    /// The room to which the link leads by which a contact and I met, as long as that
    /// is to be acted on.
    fn led_to(&self, call: &Call<'_, '_>, contact: ContactId) -> Option<ConversationId> {
        let person = self.people.get(&contact)?;
        let lasts = person.record.since + OFFER_LIFE > call.cx.wall();
        let met = person.meeting.as_ref().filter(|met| !met.done && lasts)?;
        (person.record.standing == Standing::Established).then_some(met.group)
    }

    /// What was agreed by a link with a contact is over, whether it was done or not.
    pub(in crate::messenger) fn end_meeting(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get_mut(&contact);
        let met = person.and_then(|person| person.meeting.as_mut());
        let Some(met) = met.filter(|met| !met.done) else {
            return Ok(());
        };
        met.done = true;
        met.put(call.storage, contact)
    }

    /// I entered, left or refused a room: no link that I opened for it leads me in
    /// any more.
    pub(in crate::messenger) fn end_consents(
        &mut self,
        call: &mut Call<'_, '_>,
        group: ConversationId,
    ) -> Result<(), StorageError> {
        let people = self.people.values();
        let mine = people.filter(|person| {
            let met = person
                .meeting
                .as_ref()
                .is_some_and(|met| met.group == group);
            met && person.record.side == Side::Joiner
        });
        let mine: Vec<ContactId> = mine.map(|person| person.record.id).collect();
        mine.into_iter()
            .try_for_each(|contact| self.end_meeting(call, contact))
    }

    /// Somebody who came by a room's link is a contact now, and knows it: they are
    /// offered it. What cannot be done now is tried again for as long as an offer
    /// would last.
    pub(in crate::messenger) fn let_into_room(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        match self.offer_by_link(call, contact)? {
            Some(Err(room)) => {
                let reason = RoomFault::NotAllowed;
                self.tell(Event::RoomUnchanged { room, reason });
                Ok(())
            }
            Some(Ok(())) | None => Ok(()),
        }
    }

    /// Tries again what could not be offered.
    pub(super) fn offer_again_by_links(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        for contact in self.people.keys().copied().collect::<Vec<_>>() {
            if self.in_touch(contact) {
                self.offer_by_link(call, contact)?;
            }
        }
        Ok(())
    }

    /// Offers a contact the room by whose link they came. Gives the room if it cannot
    /// be offered now, and nothing if there is nothing to offer.
    fn offer_by_link(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Option<Result<(), RoomId>>, StorageError> {
        let group = self
            .led_to(call, contact)
            .filter(|_| self.made_link(contact));
        let place = group.and_then(|group| self.conversations.get(&group));
        let Some(room) = place.map(|place| RoomId::at(*place)) else {
            return Ok(None);
        };
        match self.offer_room(call, room, contact) {
            Err(Stop::Storage(error)) => Err(error),
            Err(Stop::Refused(Refusal::InRoomAlready)) | Ok(_) => {
                self.end_meeting(call, contact)?;
                Ok(Some(Ok(())))
            }
            Err(Stop::Refused(_)) => Ok(Some(Err(room))),
        }
    }

    /// Whether a room has a place for somebody who is offered it. Strangers who came
    /// by a link hold none before they answer: else a few who never do would close
    /// the room to all.
    pub(super) fn has_place_for(
        &mut self,
        room: RoomId,
        contact: ContactId,
    ) -> Result<bool, StorageError> {
        let most = self.config.group_size.most();
        let known = self.rooms.find(room)?;
        let most = most.min(known.most);
        let (group, size) = (known.record.conversation, known.size());
        let asked = known.record.asked.iter().map(|one| one.contact);
        // Who is in it already takes the place of their own leaf.
        let asked: Vec<ContactId> = asked
            .filter(|one| known.leaves_of(*one).is_empty())
            .collect();
        let by_link = |contact: ContactId| {
            let met = self
                .people
                .get(&contact)
                .and_then(|one| one.meeting.as_ref());
            self.made_link(contact) && met.is_some_and(|met| met.group == group)
        };
        let (strangers, others): (Vec<_>, Vec<_>) =
            asked.into_iter().partition(|contact| by_link(*contact));
        Ok(match by_link(contact) {
            true => size < most && strangers.len() < MOST_WAITING,
            false => size + others.len() < most,
        })
    }

    /// A contact is gone or blocked: no room waits for their answer.
    pub(in crate::messenger) fn ask_no_more(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let asked = self.rooms.records().filter(|record| {
            let mut asked = record.asked.iter();
            asked.any(|one| one.contact == contact)
        });
        for room in asked.map(|record| record.id).collect::<Vec<_>>() {
            let record = &mut self.rooms.find(room)?.record;
            record.asked.retain(|one| one.contact != contact);
            self.save_room(call, room)?;
            self.tell_room(room);
        }
        Ok(())
    }

    /// A contact offered a room, or became one after it: if it is the one for which I
    /// opened their link, I said already that I want to be in it. What I am in, or was
    /// brought into since, I leave by no link.
    pub(in crate::messenger) fn enter_by_link(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let group = self
            .led_to(call, contact)
            .filter(|_| !self.made_link(contact));
        let Some(group) = group else {
            return Ok(());
        };
        if self.conversations.contains_key(&group) {
            return self.end_meeting(call, contact);
        }
        let mut records = self.rooms.records();
        let offer = records.find(|record| {
            record.standing == RoomStanding::Offered
                && record.offered_by == Some(contact)
                && record.conversation == group
        });
        let offer = offer.map(|record| record.id);
        drop(records);
        let Some(offer) = offer else {
            return Ok(());
        };
        self.end_meeting(call, contact)?;
        self.within(call, offer.place(), |this, call| {
            match this.accept_room(call, offer) {
                Err(Stop::Storage(error)) => Err(error),
                // It waits among the requests.
                Ok(_) | Err(Stop::Refused(_)) => Ok(()),
            }
        })
    }

    /// Takes down what leads into a room I am not in any more.
    pub(in crate::messenger) fn end_links_into(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let all: Vec<InvitationId> = self.invitations.keys().copied().collect();
        for invitation in all {
            let leads = RoomLinkRecord::of(call.storage, invitation)?;
            if leads.is_some_and(|leads| leads.room == room) {
                self.invitation_failed(call, invitation, Refusal::NotInRoom)?;
            }
        }
        Ok(())
    }
}
