//! Mailboxes that one of `profile.db` and `relay.db` knows and the other does not
//! (RFC 0009).
//!
//! A mailbox is noted in `relay.db` before `profile.db` calls it open, and closed
//! the other way round. So one that is missing was lost with the file: that was
//! deleted, emptied, or is an older one put back.
//!
//! One that only `relay.db` has was closed, and the network was not told before a
//! crash: it would be listened to for ever. It is closed now, unless `profile.db`
//! never drew its number: then it is an older file put back, and knows too little to
//! decide.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use hushwing_conversation::Incoming;
use hushwing_conversation::storage::{MailboxState, Storage as _};
use hushwing_delivery::{MailboxFailure, MailboxId, NetworkCommand, NetworkEvent, NetworkTag};
use hushwing_relay::client::Storage as _;
use hushwing_sansio::StorageError;
use hushwing_store::keys::FileKey;
use hushwing_store::slots::Slot;
use hushwing_store::{ProfileStore, RelayClientStore};
use tokio::sync::mpsc;

use crate::error::{Error, ErrorKind, of_storage};

/// The file of mailboxes and sender keys.
const FILE: &str = "relay.db";
/// Beside it: its loss is known, and to be lived with.
const GIVEN_UP: &str = "relay.db.given-up";

/// What [`open`] found.
pub(super) struct Found {
    pub(super) store: RelayClientStore,
    /// Mailboxes that `relay.db` lost.
    pub(super) missing: Vec<MailboxId>,
    /// Mailboxes that `profile.db` closed.
    pub(super) left: Vec<MailboxId>,
}

/// Opens `relay.db` in `dir`, and names the mailboxes that are missing in it, and
/// those that nobody knows any more.
///
/// # Errors
///
/// When it cannot be opened, or none of the mailboxes is in it and nobody gave
/// it up. Nothing was changed then.
pub(super) fn open(dir: &Path, key: &FileKey, profile: &ProfileStore) -> Result<Found, Error> {
    let file = dir.join(FILE);
    let known = known(profile)?;
    let given_up = dir.join(GIVEN_UP);
    let is_given_up = given_up.exists();
    let is_there = file.metadata().is_ok_and(|file| file.len() > 0);
    if !is_there && !known.is_empty() && !is_given_up {
        return Err(lost(&file));
    }
    let mut store = RelayClientStore::open(&file, key)?;
    let present = store.mailboxes().map_err(unreadable)?;
    let present: BTreeSet<MailboxId> = present.into_iter().map(|(id, _)| id).collect();
    let missing: Vec<MailboxId> = known.difference(&present).copied().collect();
    if missing.is_empty() {
        // All of them were told and replaced; a further loss is another one.
        if is_given_up && let Err(error) = std::fs::remove_file(given_up) {
            tracing::warn!(
                "`{GIVEN_UP}` cannot be removed, so a further loss of `{FILE}` would not \
                 be told; remove it by hand: {error}"
            );
        }
    } else if missing.len() == known.len() && !is_given_up {
        return Err(lost(&file));
    }
    let left = left(profile, &present)?;
    Ok(Found {
        store,
        missing,
        left,
    })
}

/// As [`open`], of the databases in a slot: they cannot be lost one by one.
pub(super) fn open_in(slot: &Arc<Slot>, profile: &ProfileStore) -> Result<Found, Error> {
    let mut store = RelayClientStore::open_in(slot)?;
    let present = store.mailboxes().map_err(unreadable)?;
    let present: BTreeSet<MailboxId> = present.into_iter().map(|(id, _)| id).collect();
    Ok(Found {
        store,
        missing: known(profile)?.difference(&present).copied().collect(),
        left: left(profile, &present)?,
    })
}

/// Of the mailboxes in `relay.db`, those that `profile.db` knew and closed.
fn left(profile: &ProfileStore, present: &BTreeSet<MailboxId>) -> Result<Vec<MailboxId>, Error> {
    let last = profile.last_number().map_err(unreadable)?;
    let records = profile.mailbox_records().map_err(unreadable)?;
    let known: BTreeSet<_> = records.iter().map(|record| MailboxId(record.id)).collect();
    let unknown = present.difference(&known).copied();
    Ok(unknown.filter(|mailbox| mailbox.0 <= last).collect())
}

/// The open mailboxes on relays.
fn known(profile: &ProfileStore) -> Result<BTreeSet<MailboxId>, Error> {
    let records = profile.mailbox_records().map_err(unreadable)?;
    let open = records.into_iter().filter(|record| {
        record.network == NetworkTag::RELAY.0 && record.state == MailboxState::Open
    });
    Ok(open.map(|record| MailboxId(record.id)).collect())
}

fn unreadable(error: StorageError) -> Error {
    Error::new(of_storage(error.kind), error.to_string())
}

fn lost(file: &Path) -> Error {
    let message = format!("{} has none of this profile's mailboxes", file.display());
    Error::new(ErrorKind::Damaged, message).with_advice(format!(
        "put the file back from a backup; nothing was changed. Without it the keys of your \
         mailboxes are gone: to go on, and meet your contacts anew by new links, make an empty \
         file named `{GIVEN_UP}` beside it"
    ))
}

/// Tells the relay client to close mailboxes that nobody knows.
pub(super) async fn close(left: Vec<MailboxId>, relay: mpsc::Sender<NetworkCommand>) {
    for mailbox in left {
        let closed = relay.send(NetworkCommand::CloseMailbox { mailbox });
        if closed.await.is_err() {
            return;
        }
    }
}

/// Tells the conversation machine of missing mailboxes, as a network would: at
/// every start until they are replaced.
pub(super) async fn tell(missing: Vec<MailboxId>, commands: mpsc::Sender<Incoming>) {
    for mailbox in missing {
        let event = NetworkEvent::MailboxFailed {
            mailbox,
            reason: MailboxFailure::Gone,
        };
        let network = NetworkTag::RELAY;
        let told = commands.send(Incoming::Network { network, event });
        if told.await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use hushwing_conversation::storage::{MailboxRecord, MailboxUse};
    use hushwing_conversation::{ContactId, Secret};
    use hushwing_sansio::Entropy;
    use hushwing_store::keys::{MasterKey, Role};

    use super::*;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(7);
        }
    }

    #[test]
    fn what_was_closed_is_left_and_what_a_newer_profile_made_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let key = |role| MasterKey::generate(&mut Sevens).derive(role, "Ada");
        let path = dir.path().join("profile.db");
        let mut profile = ProfileStore::open(&path, &key(Role::Profile)).unwrap();
        profile.begin().unwrap();
        for _ in 0..5 {
            profile.next_number().unwrap();
        }
        for (id, state) in [(2, MailboxState::Open), (4, MailboxState::Opening)] {
            let record = MailboxRecord {
                id,
                network: NetworkTag::RELAY.0,
                state,
                owner: MailboxUse::Conversation(ContactId(1)),
                first_contact: Secret::default(),
                shared: Secret::new(vec![1; 32]),
                locator: None,
            };
            profile.put_mailbox_record(&record).unwrap();
        }
        profile.commit().unwrap();
        let relay = dir.path().join(FILE);
        let mut store = RelayClientStore::open(&relay, &key(Role::RelayClient)).unwrap();
        store.begin().unwrap();
        for id in [2, 3, 4, 5, 6] {
            store.put_mailbox(MailboxId(id), b"a mailbox").unwrap();
        }
        store.commit().unwrap();
        drop(store);
        let found = open(dir.path(), &key(Role::RelayClient), &profile).unwrap();
        assert_eq!(found.left, [MailboxId(3), MailboxId(5)]);
        assert!(found.missing.is_empty());
    }
}
