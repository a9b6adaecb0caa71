//! Invitations I give away.

use core::time::Duration;

use hushwing_delivery::{
    FirstContactSecret, MailboxFailure, MailboxId, NetworkCommand, NetworkTag, Place,
};
use hushwing_sansio::{StorageError, Timestamp};

use super::mailbox::card;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::Profile;
use crate::link::{self, Bundle, GroupPreview, Kind, Link, RootKey, SealingKey};
use crate::mls::{FreshKeyPackage, LeafKey, forget_key_package};
use crate::storage::{
    ExpectedRecord, InvitationRecord, InvitationState, KeyPackageRecord, MailboxRecord,
    MailboxState, MailboxUse, RoomLinkRecord,
};
use crate::view::InvitationView;
use crate::{EndReason, Event, InvitationId, Refusal, Reply, Secret, Ticket};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a one-time link can be used.
const ONE_TIME_LIFE: Duration = DAY.saturating_mul(30);
/// How long a reusable link can be used.
const REUSABLE_LIFE: Duration = DAY.saturating_mul(365);
/// A card once read may be used so long, by a joiner who is offline.
const CARD_LIFE: Duration = DAY.saturating_mul(7);
/// What was sent may lie at a server so long (SMP: 21 days).
pub(super) const TRANSIT: Duration = DAY.saturating_mul(21);

/// An invitation to be made.
pub(super) struct NewInvitation {
    /// Whether many may use it.
    pub(super) reusable: bool,
    /// Where its mailbox shall be.
    pub(super) network: NetworkTag,
    /// The secret of its root.
    pub(super) root: Secret,
    /// The room it leads into.
    pub(super) room: Option<RoomLinkRecord>,
}

impl Messenger {
    /// Makes an invitation; it is answered when its mailbox is open.
    pub(super) fn invite(
        &mut self,
        call: &mut Call<'_, '_>,
        ticket: Ticket,
        reusable: bool,
        network: Option<NetworkTag>,
    ) -> Result<(), Stop> {
        let network = network.unwrap_or(self.config.network);
        let root = Secret::new(call.cx.random::<32>());
        let made = NewInvitation {
            reusable,
            network,
            root,
            room: None,
        };
        let id = self.begin_invitation(call, made)?;
        self.waiting_invites.insert(id, ticket);
        Ok(())
    }

    /// Makes an invitation and asks for its mailbox.
    pub(super) fn begin_invitation(
        &mut self,
        call: &mut Call<'_, '_>,
        made: NewInvitation,
    ) -> Result<InvitationId, StorageError> {
        let reusable = made.reusable;
        let id = InvitationId(call.storage.next_number()?);
        let mailbox = call.storage.next_number()?;
        let seal = FirstContactSecret::generate(call.cx);
        let now = call.cx.wall();
        let mut record = InvitationRecord {
            id,
            state: InvitationState::Opening,
            reusable,
            mailbox,
            root: made.root,
            link: None,
            bundle: Vec::new(),
            revision: 0,
            since: now,
            package_since: now,
            expires: now
                + if reusable {
                    REUSABLE_LIFE
                } else {
                    ONE_TIME_LIFE
                },
        };
        if let Some(room) = made.room {
            room.put(call.storage, id)?;
        }
        self.renew_bundle(call, &mut record, &seal)?;
        self.invitations.insert(id, record);
        self.open_mailbox(
            call,
            MailboxRecord {
                id: mailbox,
                network: made.network.0,
                state: MailboxState::Opening,
                owner: MailboxUse::Invitation(id),
                first_contact: Secret::new(*seal.seed()),
                shared: Secret::default(),
                locator: None,
            },
        )?;
        Ok(id)
    }

    /// Makes a key package and signs a bundle with it.
    fn renew_bundle(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &mut InvitationRecord,
        seal: &FirstContactSecret,
    ) -> Result<(), StorageError> {
        let key = LeafKey::generate(call.cx);
        let package = FreshKeyPackage::make(&self.crypto, call.cx, &mut *call.storage, &key)?;
        record.revision += 1;
        record.package_since = call.cx.wall();
        let group = self.led_into(call, record.id)?;
        record.bundle = self.sign_bundle(record, seal, package.message, group)?;
        call.storage.put_invitation(record)?;
        call.storage.put_key_package(&KeyPackageRecord {
            reference: package.reference,
            invitation: record.id,
            signing_key: key.secret(),
            wipe_after: record.expires + TRANSIT,
        })
    }

    fn sign_bundle(
        &self,
        record: &InvitationRecord,
        seal: &FirstContactSecret,
        key_package: Vec<u8>,
        group: Option<GroupPreview>,
    ) -> Result<Vec<u8>, StorageError> {
        let fault = |_| StorageError::corrupt("signing a bundle");
        let root = record.root.array().ok_or(()).map_err(fault)?;
        let bundle = Bundle {
            revision: record.revision,
            kind: kind(record),
            expires: Some(record.expires.as_secs()),
            key_package,
            sealing_key: SealingKey(seal.public().map_err(|_| ()).map_err(fault)?),
            addresses: Vec::new(),
            // A link may be read by anybody: no picture.
            preview: Profile::new(&self.config.name, None).ok(),
            group,
        };
        bundle
            .sign(&RootKey::from_seed(&root))
            .map_err(|_| ())
            .map_err(fault)
    }

    /// The mailbox of an invitation is open: there is a link now.
    pub(super) fn invitation_opened(
        &mut self,
        call: &mut Call<'_, '_>,
        id: InvitationId,
        place: Option<Place>,
    ) -> Result<(), StorageError> {
        let Some(record) = self.invitations.get_mut(&id) else {
            return Ok(());
        };
        let network = self
            .mailboxes
            .get(&MailboxId(record.mailbox))
            .map(|m| m.network);
        // Without a place nobody could read the card.
        let unusable = Refusal::Mailbox(MailboxFailure::Refused);
        let link = match network.zip(place) {
            Some((network, place)) => make_link(record, network, place),
            None => Err(unusable),
        };
        let link = match link {
            Ok(link) => link,
            Err(why) => return self.invitation_failed(call, id, why),
        };
        record.link = Some(Secret::new(link));
        record.state = InvitationState::Open;
        call.storage.put_invitation(record)?;
        let leads = RoomLinkRecord::of(call.storage, id)?;
        let answer = show(record, leads)
            .map(Reply::Invitation)
            .ok_or(Refusal::NoInvitation);
        if let Some(ticket) = self.waiting_invites.remove(&id) {
            self.tell(Event::Answer { ticket, answer });
        }
        self.introduction_link(call, id)
    }

    /// No mailbox or link could be made while somebody waits for the link.
    pub(super) fn invitation_failed(
        &mut self,
        call: &mut Call<'_, '_>,
        id: InvitationId,
        why: Refusal,
    ) -> Result<(), StorageError> {
        if let Some(ticket) = self.waiting_invites.remove(&id) {
            let answer = Err(why);
            self.tell(Event::Answer { ticket, answer });
        }
        self.forget_invitation(call, id)
    }

    pub(super) fn withdraw(
        &mut self,
        call: &mut Call<'_, '_>,
        id: InvitationId,
    ) -> Result<Reply, Stop> {
        if !self.invitations.contains_key(&id) {
            return Err(Refusal::NoInvitation.into());
        }
        self.forget_invitation(call, id)?;
        Ok(Reply::Done)
    }

    pub(super) fn list_invitations(&self, call: &Call<'_, '_>) -> Result<Reply, Stop> {
        let mut mine = Vec::new();
        for record in self.invitations.values() {
            if !self.is_for_introduction(call, record.id)? {
                let leads = RoomLinkRecord::of(call.storage, record.id)?;
                mine.extend(show(record, leads));
            }
        }
        Ok(Reply::Invitations(mine))
    }

    /// Forgets an invitation, its keys and its mailbox.
    pub(super) fn forget_invitation(
        &mut self,
        call: &mut Call<'_, '_>,
        id: InvitationId,
    ) -> Result<(), StorageError> {
        self.introduction_withdrawn(call, id)?;
        for package in call.storage.key_packages(id)? {
            forget_key_package(&mut *call.storage, &package.reference)?;
        }
        self.close_mailboxes(call, MailboxUse::Invitation(id))?;
        self.losses
            .forget(call.storage, MailboxUse::Invitation(id))?;
        ExpectedRecord::clear(call.storage, id)?;
        RoomLinkRecord::clear(call.storage, id)?;
        self.invitations.remove(&id);
        call.storage.remove_invitation(id)
    }

    /// A one-time invitation was used: its card comes down, its key package is
    /// wiped. Its mailbox goes on serving the conversation.
    pub(super) fn close_invitation(
        &mut self,
        call: &mut Call<'_, '_>,
        id: InvitationId,
    ) -> Result<(), StorageError> {
        for package in call.storage.key_packages(id)? {
            forget_key_package(&mut *call.storage, &package.reference)?;
            call.storage.remove_key_package(&package.reference)?;
        }
        let Some(record) = self.invitations.get_mut(&id) else {
            return Ok(());
        };
        record.state = InvitationState::Closed;
        call.storage.put_invitation(record)?;
        let mailbox = MailboxId(record.mailbox);
        if let Some(network) = self.mailboxes.get(&mailbox).map(|m| NetworkTag(m.network)) {
            self.instruct(network, NetworkCommand::WithdrawCard { mailbox });
        }
        Ok(())
    }

    /// Nobody can join by a one-time link of a backup any more: its card comes
    /// down, and the person is told.
    pub(super) fn end_restored_link(
        &mut self,
        call: &mut Call<'_, '_>,
        id: InvitationId,
    ) -> Result<(), StorageError> {
        let known = self.invitations.get(&id).map(|record| record.state);
        match known {
            Some(InvitationState::Open) if !self.is_for_introduction(call, id)? => {}
            Some(InvitationState::Open | InvitationState::Opening) => {
                // Nobody was given it, or nobody but who is introduced.
                return self.forget_invitation(call, id);
            }
            _ => return Ok(()),
        }
        self.close_invitation(call, id)?;
        let Some(record) = self.invitations.get_mut(&id) else {
            return Ok(());
        };
        record.state = InvitationState::Restored;
        call.storage.put_invitation(record)?;
        let reason = EndReason::Restored;
        self.tell(Event::InvitationEnded {
            invitation: id,
            reason,
        });
        Ok(())
    }

    /// Puts a fresh key package into the bundle of a reusable invitation. The
    /// old one is kept as long as somebody who read it may still write.
    pub(super) fn replace_package(
        &mut self,
        call: &mut Call<'_, '_>,
        id: InvitationId,
    ) -> Result<(), StorageError> {
        let Some(mut record) = self.invitations.get(&id).cloned() else {
            return Ok(());
        };
        let mailbox = MailboxId(record.mailbox);
        let Some((known, seed)) = self
            .mailboxes
            .get(&mailbox)
            .and_then(|m| Some((m.clone(), m.first_contact.array()?)))
        else {
            return Ok(());
        };
        let wipe_after = call.cx.wall() + CARD_LIFE + TRANSIT;
        for mut package in call.storage.key_packages(id)? {
            if package.wipe_after > wipe_after {
                package.wipe_after = wipe_after;
                call.storage.put_key_package(&package)?;
            }
        }
        self.renew_bundle(call, &mut record, &FirstContactSecret::from_seed(seed))?;
        // One that is to be made will be made with this bundle.
        let made = known.state != MailboxState::Due;
        if let Some(card) = card(&record).filter(|_| made) {
            let network = NetworkTag(known.network);
            self.instruct(network, NetworkCommand::ReplaceBundle { mailbox, card });
        }
        self.invitations.insert(id, record);
        Ok(())
    }

    /// What depends on the date: packages replaced daily, old ones wiped,
    /// expired invitations forgotten.
    pub(super) fn sweep_invitations(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        for id in self.invitations.keys().copied().collect::<Vec<_>>() {
            self.wipe_packages(call, id, now)?;
            let Some(record) = self.invitations.get(&id) else {
                continue;
            };
            if record.expires + TRANSIT < now {
                self.forget_invitation(call, id)?;
            } else if record.reusable
                && record.state == InvitationState::Open
                && record.package_since + DAY <= now
            {
                self.replace_package(call, id)?;
            }
        }
        Ok(())
    }

    fn wipe_packages(
        &mut self,
        call: &mut Call<'_, '_>,
        id: InvitationId,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        for package in call.storage.key_packages(id)? {
            if package.wipe_after < now {
                forget_key_package(&mut *call.storage, &package.reference)?;
                call.storage.remove_key_package(&package.reference)?;
            }
        }
        Ok(())
    }

    /// Whether a join request to this invitation is still taken.
    pub(super) fn takes_joins(&self, id: InvitationId, now: Timestamp) -> bool {
        self.invitations.get(&id).is_some_and(|record| {
            record.state == InvitationState::Open && now <= record.expires + TRANSIT
        })
    }

    /// Whether a link is one of mine.
    pub(super) fn is_mine(&self, secret: &link::Secret) -> bool {
        self.invitations.values().any(|record| {
            let root = record.root.array().map(|seed| RootKey::from_seed(&seed));
            root.is_some_and(|root| root.fixed().secret() == *secret)
        })
    }
}

fn kind(record: &InvitationRecord) -> Kind {
    if record.reusable {
        Kind::Reusable
    } else {
        Kind::OneTime
    }
}

fn make_link(record: &InvitationRecord, network: u8, place: Place) -> Result<String, Refusal> {
    let seed = record.root.array().ok_or(Refusal::NoInvitation)?;
    let secret = RootKey::from_seed(&seed).fixed().secret();
    let expires = Some(record.expires);
    let link = Link::new(kind(record), NetworkTag(network), place, secret, expires);
    link.map(|link| link.to_uri())
        .map_err(|_| Refusal::LinkTooLong)
}

/// An invitation that can be used, or that somebody may believe can be.
fn show(record: &InvitationRecord, leads: Option<RoomLinkRecord>) -> Option<InvitationView> {
    let ended = match record.state {
        InvitationState::Open => None,
        InvitationState::Restored => Some(EndReason::Restored),
        InvitationState::Opening | InvitationState::Closed => return None,
    };
    Some(InvitationView {
        invitation: record.id,
        link: record.link.clone()?,
        reusable: record.reusable,
        room: leads.as_ref().map(|leads| leads.room),
        open: leads.is_some_and(|leads| leads.open),
        expires: record.expires,
        ended,
    })
}
