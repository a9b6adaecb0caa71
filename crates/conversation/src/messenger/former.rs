//! The group that was left when a contact put a backup back, read for a day more.
//!
//! Their lost device may have said something that lies at a server still, and
//! what asks to begin anew can be fetched before it. Nothing is said in that
//! group, and nothing but messages is taken from it: where the lost device was
//! to be reached, and what it confirmed, counts no more.

use core::time::Duration;

use hushwing_delivery::{MailboxId, NetworkTag};
use hushwing_sansio::{StorageError, Timestamp};

use super::broken::is_damage;
use super::hear::classify;
use super::{Call, Messenger};
use crate::content;
use crate::mls::{Group, LeafKey, Opened, Place, Received};
use crate::storage::{FormerGroup, MessageKind, ReunionRecord, Standing};
use crate::{ContactId, ConversationId, DropReason};

/// How long a group that was left is read.
const READ_FOR: Duration = Duration::from_secs(24 * 3600);

impl FormerGroup {
    /// Whether its time is over, or a clock was set so far back that nobody can
    /// tell.
    fn is_over(&self, now: Timestamp) -> bool {
        now + READ_FOR < self.left || self.left + READ_FOR <= now
    }
}

impl Messenger {
    /// A group is left: its rows stay for a day if anything can still come in
    /// it, in place of those of the one that was left before.
    pub(super) fn leave_group(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        old: (ConversationId, u64),
        readable: bool,
    ) -> Result<(), StorageError> {
        let (group, before) = old;
        if !readable {
            return call.storage.remove_mls_scope(&Group::scope(group));
        }
        self.forget_former(call, contact)?;
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        person.reunion.former = Some(FormerGroup {
            group: group.0,
            before,
            left: call.cx.wall(),
        });
        person.reunion.put(call.storage, contact)
    }

    /// Wipes the group that was left last.
    pub(super) fn forget_former(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let Some(former) = person.reunion.former.take() else {
            return Ok(());
        };
        person.reunion.put(call.storage, contact)?;
        let scope = Group::scope(ConversationId(former.group));
        call.storage.remove_mls_scope(&scope)
    }

    /// Wipes the groups whose day is over.
    pub(super) fn sweep_former(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let people = self.people.iter();
        let over = people.filter(|(_, person)| {
            let former = person.reunion.former.as_ref();
            former.is_some_and(|former| former.is_over(now))
        });
        for contact in over.map(|(contact, _)| *contact).collect::<Vec<_>>() {
            self.forget_former(call, contact)?;
        }
        Ok(())
    }

    /// Whose group `group` was until lately, if what comes to `mailbox` may be
    /// theirs.
    pub(super) fn whose_former(
        &self,
        group: ConversationId,
        mailbox: MailboxId,
    ) -> Option<ContactId> {
        let mut people = self.people.values();
        let person = people.find(|person| {
            let former = person.reunion.former.as_ref();
            former.is_some_and(|former| former.group == group.0)
        })?;
        let contact = person.record.id;
        self.may_write_to(mailbox, contact).then_some(contact)
    }

    /// Something came that was said in a group that was left.
    pub(super) fn hear_former(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        received: Received,
        network: Option<NetworkTag>,
    ) -> Result<(), StorageError> {
        let heard = self.read_former(call, contact, received);
        let said = match heard {
            Ok(said) => said,
            // It ends what is left of that group, and not the conversation.
            Err(error) if is_damage(&error) => {
                self.forget_former(call, contact)?;
                None
            }
            Err(error) => return Err(error),
        };
        let Some(said) = said else {
            return self.drop_letter(Some(contact), DropReason::Unreadable);
        };
        let Said {
            plaintext,
            epoch,
            sealed_epoch,
        } = said;
        self.said(call, contact, plaintext, epoch, sealed_epoch, network)
    }

    /// What is said in it, if that is to be shown.
    fn read_former(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        received: Received,
    ) -> Result<Option<Said>, StorageError> {
        let Some(person) = self.people.get(&contact) else {
            return Ok(None);
        };
        let now = call.cx.wall();
        let established = person.record.standing == Standing::Established;
        let former = person.reunion.former.as_ref();
        let Some(former) = former.filter(|former| established && !former.is_over(now)) else {
            return Ok(None);
        };
        let damaged = || StorageError::corrupt("reading a signing key");
        let key = LeafKey::from_secret(&person.record.signing_key).ok_or_else(damaged)?;
        let place = Place {
            before: former.before,
            ..person.place()
        };
        let (name, rows) = (ConversationId(former.group), &mut *call.storage);
        let group = Group::load(&self.crypto, call.cx, rows, name, key)?;
        let mut group = group.placed(place);
        let rows = &mut *call.storage;
        match received.open(&self.crypto, call.cx, rows, &mut group, false)? {
            Ok(Opened::Said {
                plaintext,
                epoch,
                sealed_epoch,
            }) => {
                let origin = person.origin(group.their_leaf())?;
                let said = content::open(&plaintext, &origin, now).ok();
                let shown =
                    said.is_some_and(|said| classify(&said.content).0 != MessageKind::Control);
                Ok(shown.then_some(Said {
                    plaintext,
                    epoch,
                    sealed_epoch,
                }))
            }
            // The keys of the last thing it did; what follows is read with them.
            Ok(Opened::Renewed(staged)) => {
                let rows = &mut *call.storage;
                // If it cannot be followed, no row changed.
                let _: Result<(), _> = staged.merge(&self.crypto, call.cx, rows, &mut group)?;
                Ok(None)
            }
            Err(_) => Ok(None),
        }
    }
}

/// What the lost device said.
struct Said {
    plaintext: Vec<u8>,
    epoch: u64,
    sealed_epoch: u64,
}

impl ReunionRecord {
    /// Takes the group that was left out, for a backup must not go on reading it.
    pub(super) fn take_former(&mut self) -> Option<Vec<u8>> {
        let former = self.former.take()?;
        Some(Group::scope(ConversationId(former.group)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_was_left_is_read_for_a_day_on_a_clock_that_is_put_right() {
        let left = Timestamp::from_millis(1_000_000_000);
        let former = FormerGroup {
            group: [1; 16],
            before: 0,
            left,
        };
        let over = |millis| former.is_over(Timestamp::from_millis(millis));
        let day = 24 * 3_600_000;
        assert!(!over(left.as_millis()));
        assert!(!over(left.as_millis() + day - 1));
        assert!(over(left.as_millis() + day));
        assert!(!over(left.as_millis() - 60_000), "set back by a minute");
        assert!(
            over(left.as_millis() - day - 1),
            "set back by more than a day"
        );
    }
}
