//! Hiding a profile that is there, so that a crash at any instant leaves one of it
//! that goes on (RFC 0014).
//!
//! It is stopped, sealed in a slot, and then deleted. Until it is, the copy in the slot
//! says that it is on its way: opened after all, by whoever deleted the profile
//! themselves since, it does not go on with keys that were used, but begins its
//! conversations anew as after a backup.

use std::path::Path;
use std::sync::Arc;

use hushwing_store::keys::{Cost, FileKey, MasterKey, Role};
use hushwing_store::slots::{Databases, Hidden, Slot, SlotError};
use hushwing_store::{ProfileStore, RelayClientStore};
use hushwing_transport::OsEntropy;
use zeroize::Zeroizing;

use crate::deletion::no_such_profile;
use crate::error::Error;
use crate::hidden::{Note, Order, Shown, aside};
use crate::installation::Installation;
use crate::restore::{begin_anew, unreadable};

impl Installation {
    /// Puts a profile into a slot and deletes its files; it is open then.
    pub(crate) async fn hide_what_is_there(self: &Arc<Self>, order: Order) -> Result<Shown, Error> {
        // Not under the lock, which a stop waits for.
        self.slots_made().await?;
        let _changing = self.changing.lock().await;
        let (name, passphrase) = (order.name.clone(), order.passphrase.clone());
        let note = self.hidden_note(Some(&name))?.encode()?;
        let profile = self.take_profile(&name);
        let profile = profile.ok_or_else(|| no_such_profile(&name))?;
        profile.end().await;
        drop(profile);
        let sealed = self.sealed(order, note).await;
        let moved = sealed.and_then(|slot| self.discard(&name).map(|()| slot));
        let slot = match moved {
            Ok(slot) => slot,
            Err(error) => {
                // It goes on as it was, unless its files are gone: an empty one in their
                // place would keep the one in the slot from being opened.
                if self.home.profiles().join(&name).exists() {
                    let profile = self.open_profile(name).await?;
                    self.take_in(profile);
                }
                return Err(error);
            }
        };
        self.arrived(&slot)?;
        self.after_one_left().await?;
        self.start_hidden(slot, passphrase).await
    }

    /// The slot that holds the profile whose files these are.
    async fn sealed(&self, order: Order, note: Zeroizing<Vec<u8>>) -> Result<Arc<Slot>, Error> {
        let (slots, open) = (self.hidden.slots().clone(), self.hidden.numbers());
        let dir = self.home.profiles().join(&order.name);
        let (key, name) = (self.key().clone(), order.name.clone());
        let sealing = move || {
            let (profile, relay) = databases(&dir, &key, &order.name)?;
            let hidden = Hidden {
                name: &order.name,
                settings: &note,
                slot: order.slot,
                databases: Databases {
                    profile: &profile,
                    relay: &relay,
                },
                again: true,
            };
            let sealed = slots.hide(&hidden, &open, &order.passphrase, Cost::STANDARD, OsEntropy);
            Ok::<_, Error>(sealed)
        };
        let sealed: Result<Arc<Slot>, SlotError> = aside(sealing).await??;
        sealed.map_err(|error| self.told(&name, error))
    }

    /// Nothing of it lies elsewhere any more.
    pub(crate) fn arrived(&self, slot: &Slot) -> Result<(), Error> {
        let mut note = Note::of(slot)?;
        note.moving = false;
        let set = slot.set_settings(&note.encode()?);
        set.map_err(|error| self.told("", error.into()))
    }

    /// What was sealed may have gone on elsewhere.
    pub(crate) async fn begin_anew_in(&self, slot: Arc<Slot>) -> Result<(), Error> {
        let begin = move || {
            let relay = RelayClientStore::open_in(&slot)?;
            begin_anew(ProfileStore::open_in(&slot)?, relay)
        };
        aside(begin).await?
    }
}

type Plain = Zeroizing<Vec<u8>>;

/// `profile.db` and `relay.db` without their keys.
fn databases(dir: &Path, key: &MasterKey, name: &str) -> Result<(Plain, Plain), Error> {
    let of = |role| -> FileKey { key.derive(role, name) };
    let mut profile = ProfileStore::open(&dir.join("profile.db"), &of(Role::Profile))?;
    let mut relay = RelayClientStore::open(&dir.join("relay.db"), &of(Role::RelayClient))?;
    let plain = profile.plain().map_err(unreadable)?;
    Ok((plain, relay.plain().map_err(unreadable)?))
}
