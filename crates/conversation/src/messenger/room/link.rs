//! Links into a room.
//!
//! Whoever opens one meets the steward who made it, as by any other link, and the two
//! remember by which room's. What follows goes the way of every offer: the steward's
//! program offers the room once they are a contact, and theirs takes that one offer for
//! what they asked for.
//!
//! ```text
//! steward                      somebody
//!    │ link ──────────────────▶ │   names the room
//!    │ ◀────────── join request │
//!    │   is asked, unless the link works once or is open
//!    │ offer ─────────────────▶ │   in their conversation of two
//!    │ ◀──────────────── answer │   nobody is asked again
//! ```

use core::time::Duration;

use hushwing_sansio::StorageError;

use crate::event::RoomFault;
use crate::link::GroupPreview;
use crate::messenger::invite::NewInvitation;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{RoomLinkRecord, RoomMeetingRecord, RoomStanding, Side, Standing};
use crate::{ContactId, Event, InvitationId, RoomId, Secret, Ticket};

/// Who gets in by open links of one room within a day; whoever comes later is asked
/// about.
const MOST_A_DAY: usize = 64;
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
        let group = known.record.conversation;
        let room_left = known.size() + known.record.asked.len() < most;
        let wall = call.cx.wall();
        let lately = self.people.values().filter(|person| {
            let met = person
                .meeting
                .as_ref()
                .is_some_and(|met| met.group == group);
            met && person.record.since + DAY > wall
        });
        // Whoever comes now is among them.
        Ok(room_left && lately.count() <= MOST_A_DAY)
    }

    /// Remembers by which room's link a contact and I meet.
    pub(in crate::messenger) fn meet_for_room(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        group: Option<GroupPreview>,
    ) -> Result<(), StorageError> {
        let Some((person, group)) = self.people.get_mut(&contact).zip(group) else {
            return Ok(());
        };
        let met = RoomMeetingRecord {
            group: group.group,
            name: group.name,
            done: false,
        };
        met.put(call.storage, contact)?;
        person.meeting = Some(met);
        Ok(())
    }

    /// Whether it was a link of mine by which a contact and I met.
    fn made_link(&self, contact: ContactId) -> bool {
        let person = self.people.get(&contact);
        person.is_some_and(|person| person.record.side == Side::Inviter)
    }

    /// The room by whose link a contact and I met, once: then it led where it leads.
    fn end_meeting(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Option<RoomId>, StorageError> {
        let person = self.people.get_mut(&contact);
        let met = person.and_then(|person| person.meeting.as_mut());
        let Some(met) = met.filter(|met| !met.done) else {
            return Ok(None);
        };
        met.done = true;
        met.put(call.storage, contact)?;
        let place = self.conversations.get(&met.group);
        Ok(place.map(|place| RoomId::at(*place)))
    }

    /// Somebody who came by a room's link is a contact now, and knows it: they are
    /// offered it.
    pub(in crate::messenger) fn let_into_room(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if self.standing(contact) != Some(Standing::Established) || !self.made_link(contact) {
            return Ok(());
        }
        let Some(room) = self.end_meeting(call, contact)? else {
            return Ok(());
        };
        match self.offer_room(call, room, contact) {
            Ok(_) => Ok(()),
            Err(Stop::Storage(error)) => Err(error),
            // Whether I am no steward any more, or it is full: they are a contact, and
            // can be added later.
            Err(Stop::Refused(_)) => {
                let reason = RoomFault::NotAllowed;
                self.tell(Event::RoomUnchanged { room, reason });
                Ok(())
            }
        }
    }

    /// A contact offered a room, or became one after it: if it is the one whose link
    /// I opened, I said already that I want to be in it.
    pub(in crate::messenger) fn enter_by_link(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if self.standing(contact) != Some(Standing::Established) || self.made_link(contact) {
            return Ok(());
        }
        let met = self.people.get(&contact);
        let met = met.and_then(|person| person.meeting.as_ref());
        let group = met.filter(|met| !met.done).map(|met| met.group);
        let mut records = self.rooms.records();
        let offer = records.find(|record| {
            record.standing == RoomStanding::Offered
                && record.offered_by == Some(contact)
                && Some(record.conversation) == group
        });
        let offer = offer.map(|record| record.id);
        drop(records);
        let Some(offer) = offer else {
            return Ok(());
        };
        self.end_meeting(call, contact)?;
        match self.accept_room(call, offer) {
            Err(Stop::Storage(error)) => Err(error),
            // It waits among the requests.
            Ok(_) | Err(Stop::Refused(_)) => Ok(()),
        }
    }

    /// Takes down what leads into a room I am not in any more.
    pub(super) fn end_links_into(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let all: Vec<InvitationId> = self.invitations.keys().copied().collect();
        for invitation in all {
            let leads = RoomLinkRecord::of(call.storage, invitation)?;
            if leads.is_some_and(|leads| leads.room == room) {
                self.forget_invitation(call, invitation)?;
            }
        }
        Ok(())
    }
}
