//! Mailboxes that `profile.db` knows and `relay.db` does not (RFC 0009).
//!
//! A mailbox is noted in `relay.db` before `profile.db` calls it open, and closed
//! the other way round. So one that is missing was lost with the file: that was
//! deleted, emptied, or is an older one put back.

use std::collections::BTreeSet;
use std::path::Path;

use hushwing_conversation::Incoming;
use hushwing_conversation::storage::{MailboxState, Storage as _};
use hushwing_delivery::{MailboxFailure, MailboxId, NetworkEvent, NetworkTag};
use hushwing_relay::client::Storage as _;
use hushwing_sansio::StorageError;
use hushwing_store::keys::FileKey;
use hushwing_store::{ProfileStore, RelayClientStore};
use tokio::sync::mpsc;

use crate::error::{Error, ErrorKind, of_storage};

/// The file of mailboxes and sender keys.
const FILE: &str = "relay.db";
/// Beside it: its loss is known, and to be lived with.
const GIVEN_UP: &str = "relay.db.given-up";

/// Opens `relay.db` in `dir`, and names the mailboxes that are missing in it.
///
/// # Errors
///
/// When it cannot be opened, or none of the mailboxes is in it and nobody gave
/// it up. Nothing was changed then.
pub(super) fn open(
    dir: &Path,
    key: &FileKey,
    profile: &ProfileStore,
) -> Result<(RelayClientStore, Vec<MailboxId>), Error> {
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
    Ok((store, missing))
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
