//! Mailboxes: asked for, opened, given away.

use hushwing_delivery::{
    Address, Card, FirstContactSecret, Locator, MailboxFailure, MailboxId, MailboxKeys,
    NetworkCommand, NetworkEvent, NetworkTag, Place, Purpose, SealKey,
};
use hushwing_sansio::StorageError;
use zeroize::Zeroizing;

use super::{Call, Messenger};
use crate::link::RootKey;
use crate::storage::{InvitationRecord, MailboxRecord, MailboxState, MailboxUse};
use crate::{ContactId, Event, InvitationId, Refusal, RoomId, Secret};

impl Messenger {
    /// Makes a mailbox known and asks the network for it.
    pub(super) fn open_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        record: MailboxRecord,
    ) -> Result<(), StorageError> {
        self.save_mailbox(call, record.clone())?;
        self.ask_for_mailbox(&record);
        Ok(())
    }

    /// Opens a mailbox for one contact on `network`.
    pub(super) fn open_conversation_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        network: NetworkTag,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let record = MailboxRecord {
            id: call.storage.next_number()?,
            network: network.0,
            state: MailboxState::Opening,
            owner: MailboxUse::Conversation(contact),
            first_contact: Secret::default(),
            shared: Secret::new(call.cx.random::<32>()),
            locator: None,
        };
        self.open_mailbox(call, record)
    }

    /// Writes a mailbox, here and at the post office.
    pub(super) fn save_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        record: MailboxRecord,
    ) -> Result<(), StorageError> {
        let id = MailboxId(record.id);
        call.storage.put_mailbox_record(&record)?;
        let network = NetworkTag(record.network);
        self.office
            .put_mailbox(&mut *call.storage, id, network, keys(&record))?;
        self.mailboxes.insert(id, record);
        Ok(())
    }

    fn ask_for_mailbox(&mut self, record: &MailboxRecord) {
        let purpose = match record.owner {
            MailboxUse::Conversation(_) => Some(Purpose::Conversation),
            MailboxUse::Room(_) => Some(Purpose::Shared),
            MailboxUse::Invitation(id) => self.invitations.get(&id).and_then(purpose),
        };
        if let Some(purpose) = purpose {
            let mailbox = MailboxId(record.id);
            let command = NetworkCommand::OpenMailbox {
                mailbox,
                purpose,
                apart: self.apart_from(record),
            };
            self.instruct(NetworkTag(record.network), command);
        }
    }

    /// Asks again for mailboxes that were asked for in an earlier run, of one
    /// network or of all.
    pub(super) fn resume_mailboxes(&mut self, only: Option<NetworkTag>) {
        let opening = self.mailboxes.values().filter(|record| {
            record.state == MailboxState::Opening
                && only.is_none_or(|network| network.0 == record.network)
        });
        for record in opening.cloned().collect::<Vec<_>>() {
            self.ask_for_mailbox(&record);
        }
    }

    /// What a network tells of mailboxes and cards.
    pub(super) fn network_told(
        &mut self,
        call: &mut Call<'_, '_>,
        network: NetworkTag,
        event: NetworkEvent,
    ) -> Result<(), StorageError> {
        match event {
            NetworkEvent::MailboxOpened {
                mailbox,
                locator,
                place,
            } => self.mailbox_opened(call, mailbox, &locator, place),
            NetworkEvent::MailboxFailed { mailbox, reason } => {
                self.mailbox_failed(call, network, mailbox, reason)
            }
            NetworkEvent::Fetched {
                fetch,
                fixed,
                bundle,
                locator,
            } => self.fetched(call, fetch, &fixed, &bundle, locator),
            NetworkEvent::Displaced { mailboxes } => self.displaced(call, network, &mailboxes),
            NetworkEvent::FetchFailed { fetch, reason } => self.fetch_failed(call, fetch, reason),
            // The rest is the office's, or needs no answer.
            _ => Ok(()),
        }
    }

    fn mailbox_opened(
        &mut self,
        call: &mut Call<'_, '_>,
        mailbox: MailboxId,
        locator: &Locator,
        place: Option<Place>,
    ) -> Result<(), StorageError> {
        let Some(record) = self.mailboxes.get_mut(&mailbox) else {
            return Ok(());
        };
        if record.state != MailboxState::Opening {
            return Ok(());
        }
        record.state = MailboxState::Open;
        record.locator = Some(Secret::new(locator.0.clone()));
        let owner = record.owner;
        call.storage.put_mailbox_record(record)?;
        match owner {
            MailboxUse::Invitation(invitation) => self.invitation_opened(call, invitation, place),
            MailboxUse::Room(room) => self.within(call, room.place(), |this, call| {
                this.room_mailbox_opened(call, room, mailbox)
            }),
            MailboxUse::Conversation(contact) => self.within(call, contact, |this, call| {
                this.mailbox_for_contact(call, contact, mailbox)
            }),
        }
    }

    fn mailbox_failed(
        &mut self,
        call: &mut Call<'_, '_>,
        network: NetworkTag,
        mailbox: MailboxId,
        reason: MailboxFailure,
    ) -> Result<(), StorageError> {
        // Looked up first: a one-time invitation is forgotten with its mailbox,
        // and is named all the same.
        let record = self.mailboxes.get(&mailbox);
        let owner = record.map(|record| record.owner);
        let opening = record.is_some_and(|record| record.state == MailboxState::Opening);
        if reason == MailboxFailure::Gone {
            self.mailbox_lost(call, network, mailbox)?;
        }
        self.do_without(call, mailbox, reason)?;
        let invitation = match owner {
            Some(MailboxUse::Invitation(id)) => Some(id),
            _ => None,
        };
        match invitation {
            Some(id) if self.waiting_invites.contains_key(&id) => {
                self.invitation_failed(call, id, Refusal::Mailbox(reason))
            }
            // Nobody waits for its link but who is introduced, and none comes.
            Some(id) if opening && final_answer(reason) && self.is_introducing(id) => {
                self.introduction_without_mailbox(call, id, reason)
            }
            _ => {
                self.tell(Event::MailboxTrouble {
                    network,
                    invitation,
                    reason,
                });
                Ok(())
            }
        }
    }

    /// Closes all mailboxes of `owner`.
    pub(super) fn close_mailboxes(
        &mut self,
        call: &mut Call<'_, '_>,
        owner: MailboxUse,
    ) -> Result<(), StorageError> {
        let of_owner = self
            .mailboxes
            .iter()
            .filter(|(_, record)| record.owner == owner);
        for id in of_owner.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.close_mailbox(call, id)?;
        }
        Ok(())
    }

    /// Closes one mailbox.
    pub(super) fn close_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        id: MailboxId,
    ) -> Result<(), StorageError> {
        self.mailboxes.remove(&id);
        call.storage.remove_mailbox_record(id)?;
        self.office.close_mailbox(&mut *call.storage, id)
    }

    /// Whether what came to `mailbox` may belong to `contact`.
    pub(super) fn may_write_to(&self, mailbox: MailboxId, contact: ContactId) -> bool {
        let invitation = self
            .people
            .get(&contact)
            .and_then(|person| person.record.invitation);
        match self.mailboxes.get(&mailbox).map(|record| record.owner) {
            Some(MailboxUse::Conversation(owner)) => owner == contact,
            Some(MailboxUse::Invitation(owner)) => invitation == Some(owner),
            Some(MailboxUse::Room(_)) | None => false,
        }
    }

    /// The contact whose conversation's mailbox this is.
    pub(super) fn conversation_of(&self, mailbox: MailboxId) -> Option<ContactId> {
        match self.mailboxes.get(&mailbox)?.owner {
            MailboxUse::Conversation(contact) => Some(contact),
            MailboxUse::Invitation(_) | MailboxUse::Room(_) => None,
        }
    }

    /// The room whose mailbox this is.
    pub(super) fn room_of(&self, mailbox: MailboxId) -> Option<RoomId> {
        match self.mailboxes.get(&mailbox)?.owner {
            MailboxUse::Room(room) => Some(room),
            MailboxUse::Conversation(_) | MailboxUse::Invitation(_) => None,
        }
    }

    /// The invitation whose mailbox this is.
    pub(super) fn invitation_of(&self, mailbox: MailboxId) -> Option<InvitationId> {
        match self.mailboxes.get(&mailbox)?.owner {
            MailboxUse::Invitation(id) => Some(id),
            MailboxUse::Conversation(_) | MailboxUse::Room(_) => None,
        }
    }
}

/// Whether no mailbox will come where it was asked for.
fn final_answer(reason: MailboxFailure) -> bool {
    matches!(reason, MailboxFailure::Refused | MailboxFailure::NoServer)
}

/// What to give away of a mailbox, once it is open.
pub(super) fn shared_address(record: &MailboxRecord) -> Option<Address> {
    Some(Address {
        network: NetworkTag(record.network),
        locator: Locator(record.locator.as_ref()?.expose().to_vec()),
        seal: SealKey::Shared(record.shared.array()?),
    })
}

fn keys(record: &MailboxRecord) -> MailboxKeys {
    MailboxKeys {
        shared: record
            .shared
            .array()
            .map(Zeroizing::new)
            .into_iter()
            .collect(),
        first_contact: record
            .first_contact
            .array()
            .map(FirstContactSecret::from_seed)
            .into_iter()
            .collect(),
    }
}

/// What the network shall publish for an invitation.
pub(super) fn card(record: &InvitationRecord) -> Option<Card> {
    let fixed = RootKey::from_seed(&record.root.array()?).fixed();
    Some(Card {
        secret: *fixed.secret().as_bytes(),
        fixed: fixed.encode(),
        bundle: record.bundle.clone(),
    })
}

fn purpose(record: &InvitationRecord) -> Option<Purpose> {
    let card = card(record)?;
    Some(if record.reusable {
        Purpose::ReusableInvitation(card)
    } else {
        Purpose::OneTimeInvitation(card)
    })
}
