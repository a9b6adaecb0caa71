//! The passphrase of a home. It wraps the key file only, so it can be changed
//! while a daemon runs.

use std::path::Path;

use hushwing_store::keys::{Cost, KeyError, KeyFile, Passphrase, Protection};
use hushwing_transport::OsEntropy;

use crate::error::{Error, ErrorKind};
use crate::home::Home;
use crate::key::{Keyed, MISSING};

/// Whether a passphrase is needed to start a daemon on `home`.
///
/// # Errors
///
/// When the key file is damaged or cannot be read.
pub fn is_set(home: &Home) -> Result<bool, Error> {
    match KeyFile::at(home.key()).protection() {
        Ok(protection) => Ok(protection == Protection::Passphrase),
        Err(KeyError::Missing) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Sets a passphrase, or changes it; `old` is needed where one is set.
///
/// # Errors
///
/// When `old` is missing or wrong, or the file cannot be written; the old
/// passphrase is good then.
pub fn set(home: &Home, old: Option<&Passphrase>, new: &Passphrase) -> Result<(), Error> {
    let keyed = Keyed::home(home)?;
    if keyed.existing()?.is_none() {
        home.create()
            .map_err(|error| Error::system("make the home folder", home.path(), &error))?;
        keyed.unlock(None)?;
    }
    let file = KeyFile::at(home.key());
    Ok(file.set_passphrase(old, new, Cost::STANDARD, &mut OsEntropy)?)
}

/// Does without a passphrase from now on.
///
/// # Errors
///
/// When `old` is wrong or the file cannot be written.
pub fn clear(home: &Home, old: &Passphrase) -> Result<(), Error> {
    Ok(KeyFile::at(home.key()).clear_passphrase(old)?)
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        let kind = match &error {
            KeyError::Locked | KeyError::WrongPassphrase => ErrorKind::WrongPassphrase,
            KeyError::EmptyPassphrase => ErrorKind::Usage,
            KeyError::Missing | KeyError::OtherKey | KeyError::Damaged | KeyError::Newer(_) => {
                ErrorKind::Damaged
            }
            KeyError::Io(error) => return Self::system("use", Path::new("the file `key`"), error),
            KeyError::Exists | KeyError::Cost => ErrorKind::Internal,
        };
        let advice = match &error {
            KeyError::Missing => Some(MISSING),
            KeyError::Locked => Some("give the passphrase on the terminal or on standard input"),
            KeyError::EmptyPassphrase => {
                Some("choose several words; `hushwing passphrase clear` does without one")
            }
            _ => None,
        };
        let shown = Self::new(kind, error.to_string());
        match advice {
            Some(advice) => shown.with_advice(advice),
            None => shown,
        }
    }
}
