//! Making a profile from a backup, so that a crash at any instant leaves a whole one
//! or none.
//!
//! It is built in a folder aside. The file `ready.json`, written there last, makes
//! it count: what a crash leaves undone from then on, the next start does; what it
//! left before, the next start removes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hushwing_conversation::left_behind;
use hushwing_relay::client::Storage as _;
use hushwing_sansio::StorageError;
use hushwing_store::backup::{self, Opened, Place, RestoreError};
use hushwing_store::keys::{MasterKey, Role};
use hushwing_store::{ProfileStore, RelayClientStore};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::backup::{NOTE_VERSION, Note};
use crate::error::{Error, ErrorKind, of_storage};
use crate::files;
use crate::home::{Home, create_private};
use crate::installation::{Installation, check_name};
use crate::profile::Profile;
use crate::settings::{ServerSetting, Settings};

/// Below the folder aside: the profile's own, and what makes it count.
const FILES: &str = "files";
const READY: &str = "ready.json";
/// Version of that file.
const VERSION: u32 = 1;

/// What a person asked for.
pub(crate) struct Order {
    /// An absolute path.
    pub(crate) file: PathBuf,
    /// The passphrase or recovery code, as typed.
    pub(crate) secret: Zeroizing<String>,
    /// What the profile shall be called; without it, as it was.
    pub(crate) name: Option<String>,
}

/// A profile that is whole and waits for its place.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ready {
    version: u32,
    profile: String,
    /// Addresses of the relays that serve it and nobody else here.
    servers: Vec<String>,
}

impl Installation {
    /// Makes a profile from a backup and starts it.
    pub(crate) async fn restore(self: &Arc<Self>, order: Order) -> Result<Arc<Profile>, Error> {
        let _changing = self.changing.lock().await;
        let aside = Aside::make(&self.home)?;
        let (key, mut settings) = (self.key().clone(), self.settings());
        let (home, before) = (self.home.clone(), settings.clone());
        let build = move || {
            let ready = build(&home, &key, &order, &before);
            // Until it is ready, only this folder knows of it.
            ready.map(|ready| (ready, aside.keep()))
        };
        let built = tokio::task::spawn_blocking(build).await;
        let (ready, ()) = built.map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                format!("restoring ended early: {error}"),
            )
        })??;
        enter(&ready, &mut settings);
        if let Err(error) = self.save(settings) {
            // Or the next start would finish what was told to have failed.
            clear(&self.home)?;
            return Err(error);
        }
        move_in(&self.home, &ready.profile)?;
        let profile = match self.open_profile(ready.profile.clone()).await {
            Ok(profile) => profile,
            Err(error) => {
                // One that cannot start would keep the daemon from starting.
                self.discard(&ready.profile)?;
                return Err(error);
            }
        };
        self.take_in(Arc::clone(&profile));
        Ok(profile)
    }
}

/// Finishes, or removes, what a crash interrupted. Called before any profile is
/// opened.
pub(crate) fn resume(home: &Home, settings: &mut Settings) -> Result<(), Error> {
    let folder = home.restoring();
    let file = folder.join(READY);
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return clear(home),
        Err(error) => return Err(Error::system("read", &file, &error)),
    };
    let ready: Option<Ready> = serde_json::from_slice(&bytes).ok();
    let ready = ready.filter(|ready| ready.version == VERSION);
    let ready = ready.ok_or_else(|| {
        let message = format!("{} cannot be read", file.display());
        Error::new(ErrorKind::Damaged, message).with_advice(format!(
            "remove the folder {}: the profile in it can be restored again",
            folder.display()
        ))
    })?;
    enter(&ready, settings);
    settings.save(&home.config())?;
    move_in(home, &ready.profile)
}

/// Builds the profile aside; once this returns it is on disk as a whole.
fn build(home: &Home, key: &MasterKey, order: &Order, settings: &Settings) -> Result<Ready, Error> {
    let failed = |error| failed(error, &order.file);
    let opened = backup::open(&order.file, &order.secret).map_err(failed)?;
    let note = read_note(&opened)?;
    let name = order.name.clone().unwrap_or(note.profile);
    check_name(&name)?;
    if settings.profiles.contains(&name) || home.profiles().join(&name).exists() {
        let message = format!("a profile called {name} exists");
        return Err(Error::new(ErrorKind::Exists, message)
            .with_advice("restore it under another name with `--as NAME`; nothing was changed"));
    }
    let files = home.restoring().join(FILES);
    create_private(&files).map_err(|error| Error::system("make", &files, &error))?;
    let [profile, relay] = ["profile.db", "relay.db"].map(|name| files.join(name));
    let keys = [Role::Profile, Role::RelayClient].map(|role| key.derive(role, &name));
    let [profile_key, relay_key] = keys.each_ref();
    let place = |path, key| Place { path, key };
    let unpacked = opened.unpack(place(&profile, profile_key), place(&relay, relay_key));
    unpacked.map_err(failed)?;
    begin_anew(
        ProfileStore::open(&profile, profile_key)?,
        RelayClientStore::open(&relay, relay_key)?,
    )?;
    let servers = note.servers.into_iter();
    let is_new = |address: &String| {
        let mut known = settings.servers.iter();
        !known.any(|server| server.profile.is_none() && server.address == *address)
    };
    let ready = Ready {
        version: VERSION,
        profile: name,
        servers: servers.filter(is_new).collect(),
    };
    let bytes = serde_json::to_vec(&ready)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("restoring: {error}")))?;
    let file = home.restoring().join(READY);
    files::replace(&file, &bytes).map_err(|error| Error::system("write", &file, &error))?;
    Ok(ready)
}

fn read_note(opened: &Opened) -> Result<Note, Error> {
    let damaged = |problem: &str| {
        let message = format!("the backup cannot be read: {problem}");
        Error::new(ErrorKind::Damaged, message).with_advice(NEWER)
    };
    let value: serde_json::Value =
        serde_json::from_slice(opened.note()).map_err(|_| damaged("its note is no JSON"))?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(NOTE_VERSION) => {}
        _ => return Err(damaged("its note is of another version")),
    }
    serde_json::from_value(value).map_err(|_| damaged("its note is of another form"))
}

/// Nothing may be sent under keys that were used since: what the conversations of these
/// files were is over. Mailboxes that stay the lost device's are forgotten first, so that a
/// crash in between finds them again. `relay.db` was copied after the other, so it may have
/// mailboxes whose numbers the profile would draw again: up to the highest they are not.
pub(crate) fn begin_anew(
    mut profile: ProfileStore,
    mut relay: RelayClientStore,
) -> Result<(), Error> {
    let known = relay.mailboxes().map_err(unreadable)?;
    let used = known.iter().map(|(id, _)| id.0).max().unwrap_or(0);
    let left = left_behind(&profile).map_err(unreadable)?;
    let forgotten = relay
        .begin()
        .and_then(|()| left.into_iter().try_for_each(|id| relay.remove_mailbox(id)))
        .and_then(|()| relay.commit());
    forgotten.map_err(unreadable)?;
    let marked = profile
        .begin()
        .and_then(|()| hushwing_conversation::restored(&mut profile, used))
        .and_then(|()| profile.commit());
    marked.map_err(unreadable)
}

pub(crate) fn unreadable(error: StorageError) -> Error {
    Error::new(of_storage(error.kind), error.to_string())
}

fn enter(ready: &Ready, settings: &mut Settings) {
    let name = &ready.profile;
    if settings.profiles.contains(name) {
        return;
    }
    settings.profiles.push(name.clone());
    let servers = ready.servers.iter().map(|address| ServerSetting {
        address: address.clone(),
        profile: Some(name.clone()),
    });
    settings.servers.extend(servers);
}

/// The last step; it may have been taken already.
fn move_in(home: &Home, name: &str) -> Result<(), Error> {
    let (from, to) = (home.restoring().join(FILES), home.profiles().join(name));
    let moved = || {
        if fs::exists(&from)? {
            create_private(&home.profiles())?;
            fs::rename(&from, &to)?;
            fs::File::open(home.profiles())?.sync_all()?;
        }
        fs::remove_dir_all(home.restoring())
    };
    moved().map_err(|error: io::Error| Error::system("put the profile in", &to, &error))
}

fn clear(home: &Home) -> Result<(), Error> {
    let folder = home.restoring();
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::system("remove", &folder, &error))
        }
        _ => Ok(()),
    }
}

/// The folder aside, removed when dropped unless it counts.
struct Aside(Option<PathBuf>);

impl Aside {
    fn make(home: &Home) -> Result<Self, Error> {
        clear(home)?;
        let folder = home.restoring();
        create_private(&folder).map_err(|error| Error::system("make", &folder, &error))?;
        Ok(Self(Some(folder)))
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            // The next start removes what stays.
            drop(fs::remove_dir_all(folder));
        }
    }
}

const NEWER: &str = "nothing was changed; a newer hushwing may be able to read it";

fn failed(error: RestoreError, file: &Path) -> Error {
    let (kind, advice) = match error {
        RestoreError::NotABackup => (
            ErrorKind::BadFile,
            "give the file that `hushwing backup` wrote",
        ),
        RestoreError::Newer(_) => (ErrorKind::Damaged, NEWER),
        RestoreError::Damaged => (
            ErrorKind::Damaged,
            "nothing was changed; use another copy of this file, or an older backup",
        ),
        RestoreError::Wrong(_) | RestoreError::Mistyped => (
            ErrorKind::WrongPassphrase,
            "try again; nothing was changed, and without it the backup cannot be read",
        ),
        RestoreError::Memory => (ErrorKind::Internal, "close other programs and try again"),
        RestoreError::Open(error) => return error.into(),
        RestoreError::Storage(error) => return unreadable(error),
        RestoreError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("there is no file {}", file.display());
            return Error::new(ErrorKind::NotFound, message)
                .with_advice("give the path of a backup");
        }
        RestoreError::Io(error) => return Error::system("read the backup", file, &error),
    };
    Error::new(kind, error.to_string()).with_advice(advice)
}

#[cfg(test)]
mod tests {
    use hushwing_conversation::Storage as _;
    use hushwing_delivery::MailboxId;
    use hushwing_sansio::Entropy;

    use super::*;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(7);
        }
    }

    #[test]
    fn numbers_of_mailboxes_that_only_the_later_copy_has_are_not_drawn_again() {
        let dir = tempfile::tempdir().unwrap();
        let key = |role| MasterKey::generate(&mut Sevens).derive(role, "Ada");
        let [profile, relay] = ["profile.db", "relay.db"].map(|name| dir.path().join(name));
        let (of_profile, of_relay) = (key(Role::Profile), key(Role::RelayClient));
        let mut store = ProfileStore::open(&profile, &of_profile).unwrap();
        store.begin().unwrap();
        assert_eq!(store.next_number().unwrap(), 1);
        store.commit().unwrap();
        drop(store);
        let mut store = RelayClientStore::open(&relay, &of_relay).unwrap();
        store.begin().unwrap();
        for id in [1, 9, 4] {
            store.put_mailbox(MailboxId(id), b"a mailbox").unwrap();
        }
        store.commit().unwrap();
        drop(store);
        let relay = RelayClientStore::open(&relay, &of_relay).unwrap();
        begin_anew(ProfileStore::open(&profile, &of_profile).unwrap(), relay).unwrap();
        let mut store = ProfileStore::open(&profile, &of_profile).unwrap();
        store.begin().unwrap();
        assert_eq!(store.next_number().unwrap(), 10);
    }
}
