//! Bringing a hidden profile back among those that are listed, so that a crash at any
//! instant leaves one of it (RFC 0014).
//!
//! Its files are made aside, as a restored profile's are, and counted as soon as the
//! slot says that its copy is not the one to go on (`moving`). Opened all the same, by
//! whoever deleted the files since, that copy begins its conversations anew as after a
//! backup. At last the slot is overwritten.

use std::sync::Arc;

use hushwing_store::keys::Role;
use hushwing_store::slots::Slot;
use hushwing_store::{ProfileStore, RelayClientStore};
use hushwing_transport::OsEntropy;

use crate::error::{Error, ErrorKind};
use crate::hidden::{Note, aside};
use crate::installation::Installation;
use crate::profile::Profile;
use crate::restore::{Aside, Ready, profile_files, unreadable};

impl Installation {
    /// Moves a hidden profile that is open out of its slot; it is listed then.
    pub(crate) async fn unhide(
        self: &Arc<Self>,
        hidden: &Arc<Profile>,
    ) -> Result<Arc<Profile>, Error> {
        let _changing = self.changing.lock().await;
        let name = hidden.name().to_owned();
        if self.home.profiles().join(&name).exists() {
            // Made since, or left by hiding that was cut short.
            let message = format!("a profile called {name} is there that is not hidden");
            return Err(Error::new(ErrorKind::Exists, message)
                .with_advice("delete that one first, or hide it again"));
        }
        let aside = Aside::make(&self.home)?;
        let (slot, passphrase) = self.let_go_of(hidden)?;
        hidden.end().await;
        let made = match self.made_ready(&slot, name).await {
            Ok(ready) => self.count_in(&ready).map(|()| ready),
            Err(error) => Err(error),
        };
        let ready = match made {
            Ok(ready) => ready,
            Err(error) => {
                // It stays where it is, and goes on there: nothing counts elsewhere.
                drop(aside);
                self.arrived(&slot)?;
                self.start_hidden(slot, passphrase).await?;
                return Err(error);
            }
        };
        aside.keep();
        // Where this fails the slot's copy begins anew: these keys may have been used.
        let profile = self.move_into_place(ready).await?;
        let (slots, number) = (self.hidden.slots().clone(), slot.number());
        // Where this fails a copy stays that nobody can see, and that begins anew.
        let erased = crate::hidden::aside(move || slots.erase(number, &mut OsEntropy)).await?;
        erased.map_err(|error| self.told(profile.name(), error.into()))?;
        Ok(profile)
    }

    /// Its files, whole, and the slot's copy marked. What counts is written last.
    async fn made_ready(&self, slot: &Arc<Slot>, name: String) -> Result<Ready, Error> {
        let note = Note::of(slot)?;
        let ready = Ready::of(name, note.servers.clone(), &self.settings());
        let [profile, relay] = profile_files(&self.home)?;
        let keys = [Role::Profile, Role::RelayClient];
        let [profile_key, relay_key] = keys.map(|role| self.key().derive(role, ready.name()));
        let from = Arc::clone(slot);
        let unpack = move || {
            let plain = ProfileStore::open_in(&from)?.plain().map_err(unreadable)?;
            ProfileStore::unpack(&plain, &profile, &profile_key).map_err(unreadable)?;
            let plain = RelayClientStore::open_in(&from)?.plain();
            let plain = plain.map_err(unreadable)?;
            RelayClientStore::unpack(&plain, &relay, &relay_key).map_err(unreadable)
        };
        aside(unpack).await??;
        self.departs(slot)?;
        ready.write(&self.home)?;
        Ok(ready)
    }

    /// What is in the slot is not the one to go on from here.
    fn departs(&self, slot: &Slot) -> Result<(), Error> {
        let mut note = Note::of(slot)?;
        note.moving = true;
        let set = slot.set_settings(&note.encode()?);
        set.map_err(|error| self.told("", error.into()))
    }
}
