//! A backup that is put back while the device it is of still exists.

use hushwing_delivery::MailboxId;
use hushwing_sansio::StorageError;

use super::loopback::Loopback;
use super::{Home, Person, Village};
use crate::{MemoryStorage, Storage as _};

impl Village {
    /// Somebody puts a backup back at another place, and the home it is of stays, for whoever
    /// finds it. Mailboxes that the backup knows are listened to at the new place from now on,
    /// as servers hand them to who asked last; but for those that stay the lost home's.
    ///
    /// # Errors
    ///
    /// When storage holds what the machine cannot read, which is a bug.
    pub fn restore_elsewhere(
        &mut self,
        lost: Home,
        backup: MemoryStorage,
    ) -> Result<Home, StorageError> {
        let mut storage = backup;
        let left = crate::left_behind(&storage)?;
        crate::restored(&mut storage, 0)?;
        let records = storage.mailbox_records()?.into_iter();
        let known: Vec<_> = records.map(|record| MailboxId(record.id)).collect();
        let config = self
            .people
            .get(lost.0)
            .map(|person| person.config.clone())
            .unwrap_or_default();
        let new = Home(self.people.len());
        self.people.push(Person::new(config, storage)?);
        let taken = known.into_iter().filter(|id| !left.contains(id));
        self.network
            .take_over(lost, new, &taken.collect::<Vec<_>>());
        self.drain(new);
        Ok(new)
    }
}

impl Loopback {
    /// Some mailboxes of one home are listened to at another.
    fn take_over(&mut self, lost: Home, new: Home, taken: &[MailboxId]) {
        for mailbox in self.mailboxes.values_mut() {
            if mailbox.owner == lost && taken.contains(&mailbox.id) {
                mailbox.owner = new;
            }
        }
        for (home, mailbox, ..) in &mut self.arrivals {
            if *home == lost && taken.contains(mailbox) {
                *home = new;
            }
        }
    }
}
