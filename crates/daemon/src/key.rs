//! The key of a folder, and the one rule about it: a key is drawn only where
//! nothing was ever encrypted. A folder that lost its key file gets no other
//! one, since that would hide that the old one is missing and, once something
//! is written under it, make a restored one useless.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hushwing_store::keys::{KeyFile, MasterKey, Passphrase};
use hushwing_transport::OsEntropy;

use crate::error::{Error, ErrorKind};
use crate::home::Home;
use crate::relay_server::DATABASE;

/// What to do about a key file that is not there.
pub(crate) const MISSING: &str = "put the file `key` back from a backup of this folder; nothing \
    was changed. Without it nobody can read what is stored here: to begin anew, move the folder \
    away";

/// A folder with a key file and databases under that key.
pub(crate) struct Keyed {
    file: KeyFile,
    path: PathBuf,
    databases: Vec<PathBuf>,
}

impl Keyed {
    /// A home.
    pub(crate) fn home(home: &Home) -> Result<Self, Error> {
        let mut databases = vec![home.relay().join(DATABASE)];
        for profile in folders(&home.profiles())? {
            databases.extend(["profile.db", "relay.db"].map(|name| profile.join(name)));
        }
        Ok(Self::new(home.key(), databases))
    }

    /// The folder of a relay that runs by itself.
    pub(crate) fn relay(dir: &Path) -> Self {
        Self::new(dir.join("key"), vec![dir.join(DATABASE)])
    }

    fn new(path: PathBuf, databases: Vec<PathBuf>) -> Self {
        Self {
            file: KeyFile::at(&path),
            path,
            databases,
        }
    }

    /// The key, where there is one.
    pub(crate) fn existing(&self) -> Result<Option<&KeyFile>, Error> {
        if self.is_there(&self.path)? {
            return Ok(Some(&self.file));
        }
        for database in &self.databases {
            if self.is_there(database)? {
                let message = format!("the key file {} is missing", self.path.display());
                return Err(Error::new(ErrorKind::Damaged, message).with_advice(MISSING));
            }
        }
        Ok(None)
    }

    /// The master key; a new folder gets one.
    pub(crate) fn unlock(&self, passphrase: Option<&Passphrase>) -> Result<MasterKey, Error> {
        Ok(match self.existing()? {
            Some(file) => file.unlock(passphrase)?,
            None => self.file.create(&mut OsEntropy)?,
        })
    }

    fn is_there(&self, path: &Path) -> Result<bool, Error> {
        fs::exists(path).map_err(|error| Error::system("look for", path, &error))
    }
}

/// The folders in `dir`; none where it does not exist.
fn folders(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let cannot = |error| Error::system("look into", dir, &error);
    match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(cannot(error)),
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()).map_err(cannot))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_drawn_only_where_nothing_was_encrypted() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        let keyed = || Keyed::home(&home).unwrap();
        keyed().unlock(None).unwrap();
        fs::remove_file(home.key()).unwrap();
        keyed().unlock(None).unwrap();

        for database in ["profiles/Ada/relay.db", "relay/relay-server.db"] {
            fs::remove_file(home.key()).unwrap();
            let database = home.path().join(database);
            fs::create_dir_all(database.parent().unwrap()).unwrap();
            fs::write(&database, b"sealed").unwrap();
            let refused = keyed().unlock(None).err().unwrap();
            assert_eq!(refused.kind(), ErrorKind::Damaged);
            assert!(!home.key().exists(), "nothing was written");
            fs::remove_file(database).unwrap();
            keyed().unlock(None).unwrap();
        }
    }

    #[test]
    fn a_relay_without_its_key_gets_no_other() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(DATABASE), b"sealed").unwrap();
        let refused = Keyed::relay(dir.path()).unlock(None).err().unwrap();
        assert_eq!(refused.advice(), MISSING);
    }
}
