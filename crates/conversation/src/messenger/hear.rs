//! What others say.

use hushwing_delivery::{Address, Incoming, LetterId, MailboxId, NetworkTag, RepeatId, SealKey};
use hushwing_sansio::StorageError;

use super::vanish::fixed_end;
use super::{Call, Messenger};
use crate::content::{self, Content, MessageId, Opened as Said};
use crate::letter::LetterBody;
use crate::mls::{OpenFault, Opened, Received};
use crate::storage::{
    MailboxUse, MessageKind, MessageRecord, MessageState, MessageTimes, OFF_RECORD, Owed, Position,
    Side, Standing,
};
use crate::{ContactId, DropReason, Event, Secret};

/// Where something came in, and in which letter; letters that waited since an
/// older version do not know.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) mailbox: MailboxId,
    pub(super) repeat: Option<RepeatId>,
}

impl Messenger {
    /// Tells faces that something was dropped, and counts it; nothing else
    /// changes.
    pub(super) fn drop_letter(
        &mut self,
        contact: Option<ContactId>,
        reason: DropReason,
    ) -> Result<(), StorageError> {
        if let Some(person) = contact.and_then(|contact| self.people.get_mut(&contact)) {
            person.dropped = person.dropped.saturating_add(1);
        }
        // Of who is blocked nothing is heard, not even this.
        if !contact.is_some_and(|contact| self.is_blocked(contact)) {
            self.tell(Event::Dropped { contact, reason });
        }
        Ok(())
    }

    /// A letter came.
    pub(super) fn hear_letter(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: &Incoming,
    ) -> Result<(), StorageError> {
        let arrival = Arrival {
            mailbox: letter.mailbox,
            repeat: Some(letter.repeat),
        };
        let owner = self
            .mailboxes
            .get(&letter.mailbox)
            .map(|record| record.owner);
        if let Some(MailboxUse::Room(room)) = owner {
            return self.hear_room_letter(call, room, arrival, &letter.bytes);
        }
        let invitation = self.invitation_of(letter.mailbox);
        match (LetterBody::read(&letter.bytes), invitation) {
            (Some(LetterBody::Messages(messages)), _) => messages
                .into_iter()
                .try_for_each(|message| self.hear(call, arrival, message)),
            (Some(LetterBody::JoinRequest { welcome, messages }), Some(invitation)) => {
                self.join_request(call, arrival, invitation, welcome, &messages)
            }
            (Some(LetterBody::AskAnew(items)), None) => self.asked_anew(call, arrival, &items),
            (Some(LetterBody::Anew(items)), None) => self.begun_anew(call, arrival, &items),
            (Some(LetterBody::Posts(items)), None) => {
                let Some(contact) = self.conversation_of(arrival.mailbox) else {
                    return self.drop_letter(None, DropReason::Letter);
                };
                let mailbox = self.mailboxes.get(&arrival.mailbox);
                let network = mailbox.map(|record| NetworkTag(record.network));
                self.hear_posts(call, contact, &items, network)
            }
            (Some(LetterBody::Announcement(_)), None) => {
                let Some(contact) = self.conversation_of(arrival.mailbox) else {
                    return self.drop_letter(None, DropReason::Letter);
                };
                self.within(call, contact, |this, call| {
                    this.hear_announcement(call, contact, &letter.bytes, arrival.repeat)
                })
            }
            _ => self.drop_letter(None, DropReason::Letter),
        }
    }

    /// An MLS message came.
    pub(super) fn hear(
        &mut self,
        call: &mut Call<'_, '_>,
        Arrival { mailbox, repeat }: Arrival,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        let Some(received) = Received::parse(bytes) else {
            return self.drop_letter(None, DropReason::Kind);
        };
        let record = self.mailboxes.get(&mailbox);
        let network = record.map(|record| NetworkTag(record.network));
        if let Some(contact) = self.whose_stretch(received.conversation()) {
            return match self.is_heard(mailbox, contact) {
                true => self.within(call, contact, |this, call| {
                    this.hear_in_stretch(call, contact, received, network)
                }),
                false => self.drop_letter(None, DropReason::WrongMailbox),
            };
        }
        let Some(contact) = self.whose_group(received.conversation()) else {
            let former = self.whose_former(received.conversation(), mailbox);
            if let Some(contact) = former.filter(|contact| self.is_heard(mailbox, *contact)) {
                return self.within(call, contact, |this, call| {
                    this.hear_former(call, contact, received, network)
                });
            }
            if let Some(contact) = self.awaits_stretch(mailbox) {
                return self.hold(call, contact, bytes, repeat);
            }
            return match self.invitation_of(mailbox) {
                Some(_) => self.keep_stray(call, bytes, repeat),
                None => self.drop_letter(None, DropReason::Unreadable),
            };
        };
        if !self.is_heard(mailbox, contact) {
            return self.drop_letter(None, DropReason::WrongMailbox);
        }
        self.within(call, contact, |this, call| {
            this.hear_from(call, contact, received, bytes, repeat, network)
        })
    }

    /// Whether what comes in there may be of a contact, and the device that the conversation was
    /// begun with was not thrown out: whoever has that has its keys.
    fn is_heard(&self, mailbox: MailboxId, contact: ContactId) -> bool {
        self.may_write_to(mailbox, contact) && !self.pairs.is_cut(contact)
    }

    pub(super) fn hear_from(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        received: Received,
        bytes: &[u8],
        repeat: Option<RepeatId>,
        network: Option<NetworkTag>,
    ) -> Result<(), StorageError> {
        if let Some(Standing::Joining | Standing::Broken | Standing::Restoring) =
            self.standing(contact)
        {
            return self.drop_letter(Some(contact), DropReason::Broken);
        }
        if self.said_enough(call, contact)? {
            // Before it is decrypted, so that a further copy can be.
            return self.pass_over(call, Some(contact), DropReason::Unaccepted, repeat);
        }
        let (person, group, crypto) = self.at_hand(call, contact)?;
        if let ahead @ 1.. = received.ahead_of(group) {
            // Only who holds the turn ends an epoch, so nobody can be further
            // ahead than by one, and nobody at all while the turn is mine.
            return if ahead == 1 && !group.holds_turn() {
                self.hold(call, contact, bytes, repeat)
            } else {
                self.drop_letter(Some(contact), DropReason::FarAhead)
            };
        }
        let record = &person.record;
        let may_change_key = record.side == Side::Joiner && record.unsecured_start;
        let rows = &mut *call.storage;
        match received.open(crypto, call.cx, rows, group, may_change_key)? {
            Ok(Opened::Said {
                plaintext,
                epoch,
                sealed_epoch,
            }) => self.said(call, contact, plaintext, epoch, sealed_epoch, network),
            Ok(Opened::Renewed(staged)) => self.renewed(call, contact, staged),
            Err(fault) => {
                // What openmls holds in memory may have moved; storage has not.
                self.groups.remove(&contact);
                self.drop_letter(Some(contact), reason(fault))
            }
        }
    }

    /// Takes note of what a contact said; `epoch` is when they said it first,
    /// `sealed_epoch` under whose keys it came.
    pub(super) fn said(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        plaintext: Vec<u8>,
        epoch: u64,
        sealed_epoch: u64,
        network: Option<NetworkTag>,
    ) -> Result<(), StorageError> {
        let (person, group, _) = self.at_hand(call, contact)?;
        let highest = person.tail.lamport;
        let leaf = group.their_leaf();
        let current = group.epoch();
        let origin = person.origin(leaf)?;
        if sealed_epoch == current {
            self.commit_came_through(call, contact)?;
        }
        let wall = call.cx.wall();
        let Ok(said) = content::open(&plaintext, &origin, wall) else {
            return self.drop_letter(Some(contact), DropReason::Content);
        };
        if !highest.may_be_followed_by(said.stamp.lamport) {
            return self.drop_letter(Some(contact), DropReason::Content);
        }
        // What is said of a stretch is said in it, and nothing else is.
        let off = sealed_epoch >= OFF_RECORD;
        let fits = match &said.content {
            Content::Stretch(_) => off,
            content => !off || content.may_be_off_record(),
        };
        if !fits {
            return self.drop_letter(Some(contact), DropReason::Content);
        }
        match &said.content {
            Content::Receipts(receipts) => {
                return self.apply_receipts(call, contact, receipts, off);
            }
            Content::SignedReceipts(receipts) => {
                return self.apply_signed_receipts(call, contact, receipts);
            }
            // Also of who is blocked: both must go by the same wishes afterwards,
            // however long it lasted.
            Content::Mode(wish) => {
                if let Some(reason) = self.may_not_wish(call, contact, wish)? {
                    return self.drop_letter(Some(contact), reason);
                }
            }
            Content::Inquiry(inquiry) => {
                return self.answer_inquiry(call, contact, inquiry, off);
            }
            // Where they moved is needed to write to them again one day.
            Content::Addresses(_) => {}
            _ if self.is_blocked(contact) => return Ok(()),
            Content::Stretch(word) => return self.heard_of_stretch(call, contact, word),
            Content::Typing(_) => {
                self.hear_typing(call, contact, &said.stamp);
                return Ok(());
            }
            Content::Introduction(said_of) => {
                // It does the same once and often, so it need not be kept. What
                // found no room is not confirmed: it is said again.
                if self.heard_introduction(call, contact, said_of)? {
                    let (delay, id) = (self.config.receipt_delay, said.id);
                    self.debts
                        .add(call.cx, delay, contact, id, Owed::Delivered, off);
                }
                return Ok(());
            }
            Content::Room(word) => {
                // As above.
                let delay = self.config.receipt_delay;
                let id = said.id;
                self.debts
                    .add(call.cx, delay, contact, id, Owed::Delivered, off);
                return self.heard_of_room(call, contact, word);
            }
            Content::Channel(word) => {
                if self.heard_of_channel(call, contact, word)? {
                    let (delay, id) = (self.config.receipt_delay, said.id);
                    self.debts
                        .add(call.cx, delay, contact, id, Owed::Delivered, off);
                }
                return Ok(());
            }
            _ => {}
        }
        self.echoes.note(contact, said.id, call.cx.now());
        if call.storage.has_message(&said.id)? {
            return self.owe(call, contact, said.id, Owed::Delivered);
        }
        let (kind, target) = classify(&said.content);
        let end = fixed_end(&said, kind);
        if end.is_some_and(|end| end <= wall) {
            // A receipt would say that it can be read here.
            return self.drop_letter(Some(contact), DropReason::Content);
        }
        let record = MessageRecord {
            contact,
            position: Position {
                epoch,
                lamport: said.stamp.lamport.get(),
                leaf,
                id: said.id,
            },
            mine: false,
            author: None,
            kind,
            target,
            sent_at: said.stamp.shown_at(wall),
            state: MessageState::Delivered,
            times: MessageTimes {
                accepted: network.map(|network| (network, wall)),
                delivered: Some(wall),
                vanishes: end,
                ..MessageTimes::default()
            },
            owed: Owed::Delivered,
            letter: None,
            sealed_epoch,
            content: plaintext,
        };
        self.take_note(call, &record, current, said)
    }

    fn take_note(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
        epoch: u64,
        said: Said,
    ) -> Result<(), StorageError> {
        let contact = record.contact;
        let stands = self.find_place(call, record, &said.content)?;
        if stands {
            call.storage.add_message(record)?;
        }
        self.debts.add(
            call.cx,
            self.config.receipt_delay,
            contact,
            said.id,
            Owed::Delivered,
            record.is_off_record(),
        );
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let before = person.tail.last;
        person.note(record.position, record.sealed_epoch, epoch);
        match &said.content {
            // One that comes late says how it was in between.
            Content::Mode(wish) => self.note_wish(call, record, wish)?,
            _ if !stands => {}
            Content::Profile(profile) => self.show_as(call, contact, profile)?,
            Content::Addresses(update) => self.moved(call, contact, update)?,
            content => {
                if let Content::Timer(timer) = content {
                    self.agree(call, record, *timer)?;
                }
                self.show_new(call, record, content, before)?;
                if record.times.vanishes.is_some() {
                    self.plan_vanishing(call)?;
                }
            }
        }
        self.renew_if_due(call, contact)
    }

    /// A contact told where to write from now on.
    fn moved(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        update: &content::AddressUpdate,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        // Those of newer programs are kept. Among people who know each other
        // there are shared secrets only: letters to others must be short.
        let mut usable = false;
        let mut told = update.addresses.clone();
        told.retain(|bytes| match Address::decode(bytes).map(|to| to.seal) {
            Ok(SealKey::FirstContact(_)) => false,
            Ok(SealKey::Shared(_)) => {
                usable = true;
                true
            }
            Err(_) => true,
        });
        if update.revision <= person.record.address_revision || !usable {
            return Ok(());
        }
        // Before the first there is nothing that could have been lost, nor is there where
        // no more than a last resort came to them.
        let before = person.record.addresses.iter().map(Secret::expose);
        let first = person.record.addresses.is_empty();
        let mail = self.mails.get(contact);
        let beside = mail.is_none_or(|mail| mail.recovery.is_empty())
            && !update.recovery.is_empty()
            && before.eq(told.iter().map(Vec::as_slice));
        let elsewhere = !first && !beside;
        person.record.address_revision = update.revision;
        person.record.addresses = told.into_iter().map(Secret::new).collect();
        let answered = person.record.standing == Standing::Asked;
        if answered {
            person.record.standing = Standing::Established;
        }
        person.save(call.storage)?;
        self.keep_recovery(call, contact, update)?;
        if answered {
            self.end_of_join(call, contact)?;
            self.mails.to_tend.insert(contact);
            self.plan_profile(call, contact);
            self.enter_by_link(call, contact)?;
        }
        if elsewhere && self.is_written_to(contact) {
            self.readdress_posts(call, contact)?;
            self.call_receipts_back(call, contact)?;
            self.say_stranded(call, contact, answered)?;
        }
        // Where they are reached later is nothing a person sees.
        if answered || first {
            self.tell_unless_requested(contact);
        }
        Ok(())
    }

    /// A request is told once, when all of it was read.
    pub(super) fn tell_unless_requested(&mut self, contact: ContactId) {
        let standing = self
            .people
            .get(&contact)
            .map(|person| person.record.standing);
        if standing != Some(Standing::Requested) {
            self.tell_contact(contact);
        }
    }

    /// Something sealed under the keys of my last commit came back.
    pub(super) fn commit_came_through(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let Some(letter) = person.record.commit_letter.take() else {
            return Ok(());
        };
        call.storage.put_contact(&person.record)?;
        self.keep_commit(call, contact, &[])?;
        self.office
            .settle(call.cx, &mut *call.storage, LetterId(letter))?;
        self.anew_came_through(call, contact)
    }
}

/// What a message does, and to which one.
pub(super) fn classify(content: &Content) -> (MessageKind, Option<MessageId>) {
    match content {
        Content::Post(_) | Content::Timer(_) | Content::Unsupported { .. } => {
            (MessageKind::Text, None)
        }
        Content::Edit { target, .. } => (MessageKind::Edit, Some(*target)),
        Content::Delete { target } => (MessageKind::Delete, Some(*target)),
        Content::Reaction { target, .. } => (MessageKind::Reaction, Some(*target)),
        Content::Unreact { reaction } => (MessageKind::Delete, Some(*reaction)),
        Content::Profile(_)
        | Content::Addresses(_)
        | Content::Receipts(_)
        | Content::SignedReceipts(_)
        | Content::Inquiry(_)
        | Content::Typing(_)
        | Content::Mode(_)
        | Content::Introduction(_)
        | Content::Room(_)
        | Content::Channel(_)
        | Content::Stretch(_)
        | Content::Newer => (MessageKind::Control, None),
    }
}

pub(super) fn reason(fault: OpenFault) -> DropReason {
    match fault {
        OpenFault::Unreadable => DropReason::Unreadable,
        OpenFault::Rules => DropReason::Commit,
        OpenFault::Kind => DropReason::Kind,
    }
}
