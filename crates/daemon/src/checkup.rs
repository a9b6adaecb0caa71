//! Whether the files of a home are sound, and what to do if not.

use std::path::Path;

use hushwing_sansio::{StorageError, StorageErrorKind};
use hushwing_store::keys::{FileKey, Passphrase, Role};
use hushwing_store::{
    FileLock, LockError, OpenError, ProfileStore, RelayClientStore, RelayServerStore,
};

use crate::api::view::Check;
use crate::daemon::already_served;
use crate::error::{Error, of_storage};
use crate::home::Home;
use crate::inspection::{Fault, Verdict, verdict};
use crate::key::Keyed;
use crate::relay_server::DATABASE;
use crate::settings::Settings;

/// What to do about a damaged file of a profile.
const PROFILE_DAMAGED: &str = "the file is damaged, perhaps by a failing disk: \
    run `hushwing down` and keep a copy of the whole home folder; what can still be \
    read works until then. A folder put back from an older copy would reuse keys: \
    meet your contacts anew by links instead";

/// What to do about damaged queues. Contacts are told of new mailboxes.
const RELAY_DAMAGED: &str = "the file is damaged, perhaps by a failing disk: \
    run `hushwing down`, move the files `relay-server.*` out of the folder `relay`, \
    and run `hushwing up`: mailboxes are made anew, what lay in the old ones is lost";

const NEWER: &str = "a newer hushwing wrote this file, which is left as it is: \
    install that version or a later one";

const WRONG_KEY: &str = "the key does not fit this file: either this file or the file \
    `key` is not the one of this home; put the right one in its place";

/// What is said of a profile's `profile.db`.
pub(crate) fn conversations(profile: &str, verdict: Verdict) -> Check {
    let name = format!("file profiles/{profile}/profile.db");
    check(&name, verdict, PROFILE_DAMAGED)
}

/// What is said of a profile's `relay.db`.
pub(crate) fn mailboxes(profile: &str, verdict: Verdict) -> Check {
    let name = format!("file profiles/{profile}/relay.db");
    check(&name, verdict, PROFILE_DAMAGED)
}

/// What is said of the embedded relay's database.
pub(crate) fn queues(verdict: Verdict) -> Check {
    check("file relay/relay-server.db", verdict, RELAY_DAMAGED)
}

fn check(name: &str, verdict: Verdict, damaged: &str) -> Check {
    match verdict {
        Ok(()) => Check::good(name),
        Err(Fault::Newer) => Check::bad(name, NEWER),
        Err(Fault::WrongKey) => Check::bad(name, WRONG_KEY),
        Err(Fault::Storage(StorageErrorKind::Corrupt | StorageErrorKind::Damaged)) => {
            Check::bad(name, damaged)
        }
        Err(Fault::Storage(other)) => Check::bad(name, of_storage(other).advice()),
    }
}

/// Looks through the files of a home that no daemon serves, for instance
/// because one of them keeps it from starting. Slow.
///
/// # Errors
///
/// When a daemon does serve it, the passphrase is missing or wrong, or the
/// settings cannot be read.
pub fn examine(home: &Home, passphrase: Option<&Passphrase>) -> Result<Vec<Check>, Error> {
    let keyed = Keyed::home(home)?;
    let Some(key) = keyed.existing()? else {
        return Ok(Vec::new());
    };
    let _lock = FileLock::acquire(&home.lock()).map_err(|error| match error {
        LockError::Held { .. } => already_served(),
        LockError::Io(error) => Error::system("lock", &home.lock(), &error),
    })?;
    let key = key.unlock(passphrase)?;
    let mut checks = Vec::new();
    for name in Settings::load(&home.config())?.profiles {
        let keys = [Role::Profile, Role::RelayClient].map(|role| key.derive(role, &name));
        let dir = home.profiles().join(&name);
        let [first, second] = closed_profile(&dir, keys.each_ref());
        checks.extend(first.map(|verdict| conversations(&name, verdict)));
        checks.extend(second.map(|verdict| mailboxes(&name, verdict)));
    }
    let found = inspect(&home.relay().join(DATABASE), |path| {
        let key = key.derive(Role::RelayServer, "relay");
        Ok(RelayServerStore::open(path, &key)?.check())
    });
    checks.extend(found.map(queues));
    Ok(checks)
}

/// Whether a profile's `profile.db` and `relay.db` are sound while nobody has
/// them open; `keys` are theirs.
pub(crate) fn closed_profile(dir: &Path, keys: [&FileKey; 2]) -> [Option<Verdict>; 2] {
    let [profile, relay] = keys;
    [
        inspect(&dir.join("profile.db"), |path| {
            Ok(ProfileStore::open(path, profile)?.check())
        }),
        inspect(&dir.join("relay.db"), |path| {
            Ok(RelayClientStore::open(path, relay)?.check())
        }),
    ]
}

/// `None` where there is no file: opening would make one.
fn inspect(
    path: &Path,
    open: impl FnOnce(&Path) -> Result<Result<(), StorageError>, OpenError>,
) -> Option<Verdict> {
    path.exists().then(|| match open(path) {
        Ok(checked) => verdict(checked),
        Err(error) => {
            tracing::warn!(%error, "a file cannot be opened");
            Err(match error {
                OpenError::Newer { .. } => Fault::Newer,
                OpenError::WrongKey => Fault::WrongKey,
                error => Fault::Storage(error.kind()),
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use hushwing_store::keys::{KeyFile, MasterKey};
    use hushwing_transport::OsEntropy;

    use super::*;

    #[test]
    fn a_file_of_another_home_is_not_called_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let keys = |home: &str| {
            let key: MasterKey = KeyFile::at(dir.path().join(home))
                .create(&mut OsEntropy)
                .unwrap();
            [Role::Profile, Role::RelayClient].map(|role| key.derive(role, "Ada"))
        };
        let (own, other) = (keys("own"), keys("other"));
        drop(ProfileStore::open(&dir.path().join("profile.db"), &own[0]).unwrap());
        let found = closed_profile(dir.path(), own.each_ref());
        assert_eq!(found, [Some(Ok(())), None]);
        let found = closed_profile(dir.path(), other.each_ref());
        assert_eq!(found, [Some(Err(Fault::WrongKey)), None]);
        let shown = conversations("Ada", Err(Fault::WrongKey));
        assert!(!shown.ok && shown.advice.is_some_and(|advice| advice.contains("`key`")));
    }
}
