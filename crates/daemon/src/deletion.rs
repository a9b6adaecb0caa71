//! Deleting a profile, so that a crash at any instant leaves it whole or gone.
//!
//! Its folder is moved to `deleted/` first. From then on it is gone: what a crash
//! leaves undone, the next start does before it opens any profile. A folder is
//! never removed only because the settings do not name it: these may have been
//! lost, and a profile of that name made again finds its contacts there.

use std::fs;
use std::io;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::home::{Home, create_private};
use crate::installation::Installation;
use crate::settings::Settings;

impl Installation {
    /// Deletes a profile with its files and its choice of relays. Its mailboxes
    /// stay at their relays, where nobody can read them, until these let them
    /// lapse; contacts are not told.
    pub(crate) async fn delete_profile(self: &Arc<Self>, name: &str) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let profile = self
            .take_profile(name)
            .ok_or_else(|| no_such_profile(name))?;
        profile.end().await;
        self.discard(name)?;
        self.after_one_left().await
    }

    /// The relay in this home may be wanted by those who are left, or by nobody.
    pub(crate) async fn after_one_left(self: &Arc<Self>) -> Result<(), Error> {
        let had_relay = self.embedded.is_there();
        self.embed_if_needed().await?;
        match had_relay {
            true => Ok(()),
            // Those who are left may use it from now on.
            false => self.choose_again().await,
        }
    }

    /// Removes a profile that does not run, with its files and choices.
    pub(crate) fn discard(&self, name: &str) -> Result<(), Error> {
        if let Err(error) = move_away(&self.home, name) {
            // Nothing of it is lost: it runs again from the next start on.
            let folder = self.home.profiles().join(name);
            return Err(Error::system("delete the profile in", &folder, &error));
        }
        let mut settings = self.settings();
        forget(&mut settings, name);
        self.save(settings)?;
        finish(&self.home)
    }
}

/// Finishes what a crash interrupted. Called before any profile is opened.
pub(crate) fn resume(home: &Home, settings: &mut Settings) -> Result<(), Error> {
    let Ok(folders) = fs::read_dir(home.deleted()) else {
        return Ok(());
    };
    let before = settings.clone();
    for folder in folders.flatten() {
        if let Ok(name) = folder.file_name().into_string() {
            forget(settings, &name);
        }
    }
    if *settings != before {
        settings.save(&home.config())?;
    }
    finish(home)
}

/// A profile that nobody made.
pub(crate) fn no_such_profile(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no profile is called {name}")).with_advice(
        "`hushwing profile list` lists them; a hidden one is found by its passphrase only",
    )
}

/// From here on the profile is gone.
fn move_away(home: &Home, name: &str) -> io::Result<()> {
    create_private(&home.deleted())?;
    fs::rename(home.profiles().join(name), home.deleted().join(name))?;
    fs::File::open(home.deleted())?.sync_all()?;
    fs::File::open(home.profiles())?.sync_all()
}

fn forget(settings: &mut Settings, name: &str) {
    settings.profiles.retain(|profile| profile != name);
    settings
        .servers
        .retain(|server| server.profile.as_deref() != Some(name));
}

fn finish(home: &Home) -> Result<(), Error> {
    let folder = home.deleted();
    fs::remove_dir_all(&folder).map_err(|error| Error::system("remove", &folder, &error))
}
