//! What comes in a stretch.

use hushwing_delivery::{MailboxId, NetworkTag};
use hushwing_sansio::StorageError;

use super::super::hear::reason;
use super::super::{Call, Messenger};
use crate::content::StretchWord;
use crate::mls::{LeafKey, Opened, Received};
use crate::storage::Standing;
use crate::{ContactId, ConversationId, DropReason, Secret};

impl Messenger {
    /// Whether something came for a group that I may have to enter first: they can
    /// say something before I read which stretch it is.
    pub(in crate::messenger) fn awaits_stretch(&self, mailbox: MailboxId) -> Option<ContactId> {
        let contact = self.conversation_of(mailbox)?;
        self.still_awaits_stretch(contact).then_some(contact)
    }

    /// Whether I offered a stretch that nobody began yet.
    pub(in crate::messenger) fn still_awaits_stretch(&self, contact: ContactId) -> bool {
        let person = self.people.get(&contact);
        let stretch = person.and_then(|person| person.stretch.now.as_ref());
        stretch.is_some_and(|stretch| stretch.group.is_none())
    }

    /// A message came in a stretch that stands, or in the last one that stood.
    pub(in crate::messenger) fn hear_in_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        received: Received,
        network: Option<NetworkTag>,
    ) -> Result<(), StorageError> {
        if self.standing(contact) != Some(Standing::Established) {
            return self.drop_letter(Some(contact), DropReason::Broken);
        }
        let of = received.conversation();
        if self.is_over(contact, of) {
            return self.hear_too_late(call, contact);
        }
        let (_, conversation, _) = self.at_hand(call, contact)?;
        // As for what is on record: who holds the turn may be one ahead.
        let ahead = u64::from(!conversation.holds_turn());
        let latest = conversation.epoch().saturating_add(ahead);
        let Some((group, crypto)) = self.stretch_at_hand(call, contact)? else {
            return self.drop_letter(Some(contact), DropReason::Unreadable);
        };
        let rows = &mut *call.storage;
        let why = match received.open(crypto, call.cx, rows, group, false)? {
            Ok(Opened::Said {
                plaintext,
                epoch,
                sealed_epoch,
            }) if epoch <= latest => {
                self.announcement_answered(call, contact)?;
                return self.said(call, contact, plaintext, epoch, sealed_epoch, network);
            }
            Ok(Opened::Said { .. }) => DropReason::FarAhead,
            // Nobody commits in a stretch.
            Ok(Opened::Renewed(_)) => DropReason::Commit,
            Err(fault) => reason(fault),
        };
        // What openmls holds in memory may have moved; storage has not.
        self.stretches.groups.remove(&contact);
        self.drop_letter(Some(contact), why)
    }

    /// Whether nothing is believed any more that comes in a group: its stretch is
    /// over, or they gave their key away, so that anybody may have signed it.
    fn is_over(&self, contact: ContactId, group: ConversationId) -> bool {
        let person = self.people.get(&contact);
        let stands = person.and_then(|person| person.stretch.now.as_ref());
        stands.is_none_or(|now| now.group != Some(group.0) || now.their_seed.is_some())
    }

    /// They do not know that I need nothing of it any more.
    fn hear_too_late(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let number = person.map(|person| match &person.stretch.now {
            Some(now) if now.their_seed.is_some() => now.number,
            Some(now) => now.number.saturating_sub(1),
            None => person.stretch.last,
        });
        let number = number.filter(|number| *number > 0);
        if let Some(number) = number
            && self.stretches.may_act(contact, call.cx.now())
        {
            self.say_over(call, contact, number)?;
        }
        self.drop_letter(Some(contact), DropReason::Stretch)
    }

    /// They told something about the stretch that stands, in it.
    pub(in crate::messenger) fn heard_of_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        word: &StretchWord,
    ) -> Result<(), StorageError> {
        self.stretches.tend(contact);
        match word {
            StretchWord::Here => Ok(()),
            StretchWord::Last => {
                self.keep_stretch(call, contact, |stretch| stretch.end.their_last = true)
            }
            StretchWord::Key(seed) => self.learn_key(call, contact, seed),
        }
    }

    /// They gave their private key away, if it is theirs.
    fn learn_key(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        seed: &Secret,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let Some(stretch) = person.and_then(|person| person.stretch.now.as_ref()) else {
            return Ok(());
        };
        let number = stretch.number;
        let public = LeafKey::from_secret(seed).map(|key| key.public());
        // They may, when both say nothing more.
        let may = stretch.end.my_last;
        if !may || public.is_none() || public != stretch.their_key {
            return self.drop_letter(Some(contact), DropReason::Content);
        }
        self.keep_stretch(call, contact, |stretch| {
            stretch.end.their_last = true;
            stretch.their_seed = Some(seed.clone());
        })?;
        self.say_over(call, contact, number)
    }
}
