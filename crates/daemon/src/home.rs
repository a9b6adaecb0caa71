//! Where one installation keeps everything.
//!
//! ```text
//! HOME/
//!   config.json        servers and settings, versioned
//!   key                master key, raw or wrapped by a passphrase
//!   lock               held by the running daemon
//!   api.sock           the local API, mode 0600
//!   log                the daemon's log, no secret in it
//!   profiles/NAME/     profile.db, relay.db
//!   deleted/NAME/      a profile that is being deleted
//!   restoring/         a profile that is being restored
//!   copies/            of a profile that is being backed up, sealed
//!   slots/0 to 7       of one size; any may hold a hidden profile, or nothing
//!   relay/             the embedded relay: identity and relay-server.db
//! ```

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The folder of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The folder given, else `HUSHWING_HOME`, else `hushwing` in the user's
    /// data folder (`XDG_DATA_HOME` or `~/.local/share`).
    ///
    /// Returns `None` when none of these is set.
    #[must_use]
    pub fn find(given: Option<PathBuf>) -> Option<Self> {
        let set = |name: &str| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        given
            .or_else(|| set("HUSHWING_HOME"))
            .or_else(|| set("XDG_DATA_HOME").map(|dir| dir.join("hushwing")))
            .or_else(|| set("HOME").map(|dir| dir.join(".local/share/hushwing")))
            .map(Self)
    }

    /// The installation at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes the folder, readable by its owner only.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or its mode not be set.
    pub fn create(&self) -> io::Result<()> {
        create_private(&self.0)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The versioned settings file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("config.json")
    }

    /// The master key, raw or wrapped by a passphrase.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.0.join("key")
    }

    /// The file the running daemon holds locked.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The socket of the local API.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("api.sock")
    }

    /// The daemon's log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// The folder of all profiles.
    #[must_use]
    pub fn profiles(&self) -> PathBuf {
        self.0.join("profiles")
    }

    /// The folder of profiles that are being deleted.
    #[must_use]
    pub fn deleted(&self) -> PathBuf {
        self.0.join("deleted")
    }

    /// The folder of copies while a backup is written.
    #[must_use]
    pub fn copies(&self) -> PathBuf {
        self.0.join("copies")
    }

    /// The folder of a profile that is being restored.
    #[must_use]
    pub fn restoring(&self) -> PathBuf {
        self.0.join("restoring")
    }

    /// The folder of slots, any of which may hold a hidden profile.
    #[must_use]
    pub fn slots(&self) -> PathBuf {
        self.0.join("slots")
    }

    /// The folder of the embedded relay.
    #[must_use]
    pub fn relay(&self) -> PathBuf {
        self.0.join("relay")
    }
}

/// Makes `dir` and its parents; `dir` itself is readable by its owner only.
pub(crate) fn create_private(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_folder_wins() {
        let home = Home::find(Some("/given".into())).unwrap();
        assert_eq!(home.socket(), Path::new("/given/api.sock"));
    }

    #[test]
    fn the_folder_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("a/b"));
        home.create().unwrap();
        let mode = fs::metadata(home.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
