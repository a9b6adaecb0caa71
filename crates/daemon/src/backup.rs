//! Writing a profile into a file that another home can restore.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use hushwing_store::backup::{Backup, BackupError, Contents, RecoveryCode, Secret};
use hushwing_store::keys::{Cost, Passphrase, Role};
use hushwing_transport::OsEntropy;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::copying::Copy;
use crate::error::{Error, ErrorKind};
use crate::home::{Home, create_private};
use crate::installation::Installation;
use crate::profile::Profile;

/// What a person asked for.
pub(crate) struct Order {
    /// An absolute path.
    pub(crate) file: PathBuf,
    /// Whether a file there may be replaced.
    pub(crate) force: bool,
    /// What shall open it; without one a recovery code is drawn.
    pub(crate) passphrase: Option<Passphrase>,
}

/// What was made of it.
pub(crate) struct Made {
    pub(crate) bytes: u64,
    /// The one time that it is shown.
    pub(crate) code: Option<Zeroizing<String>>,
}

/// What of a profile is not in its databases (`protocol/backup.md`, 4).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    pub(crate) version: u32,
    pub(crate) profile: String,
    /// Seconds since the Unix epoch.
    pub(crate) made_at: u64,
    /// Addresses of the relays chosen for it, with their passwords.
    pub(crate) servers: Vec<String>,
}

/// Version of the note.
pub(crate) const NOTE_VERSION: u32 = 1;

impl Installation {
    /// Writes a backup of a running profile.
    pub(crate) async fn back_up(
        &self,
        profile: &Arc<Profile>,
        order: Order,
    ) -> Result<Made, Error> {
        check_place(&order)?;
        let _copying = self.copying.lock().await;
        let copies = Copies::make(&self.home)?;
        let backup = Backup::draw(&mut OsEntropy);
        let copy = |path: PathBuf, role| Copy {
            path,
            key: backup.key(role),
        };
        profile
            .copy(
                copy(copies.profile(), Role::Profile),
                copy(copies.relay(), Role::RelayClient),
            )
            .await?;
        let note = self.note(profile.name())?;
        let write = move || write(&backup, &order, &copies, &note);
        let written = tokio::task::spawn_blocking(write).await;
        written.map_err(|error| Error::new(ErrorKind::Internal, format!("backup: {error}")))?
    }

    fn note(&self, profile: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut servers: Vec<String> = Vec::new();
        for server in self.settings().servers {
            let is_used = server.profile.as_deref().is_none_or(|one| one == profile);
            if is_used && !servers.contains(&server.address) {
                servers.push(server.address);
            }
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let note = Note {
            version: NOTE_VERSION,
            profile: profile.to_owned(),
            made_at: since.map_or(0, |since| since.as_secs()),
            servers,
        };
        serde_json::to_vec(&note)
            .map(Zeroizing::new)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("note: {error}")))
    }
}

/// Refuses what cannot become a backup before anything is copied.
fn check_place(order: &Order) -> Result<(), Error> {
    let shown = order.file.display();
    if !order.file.is_absolute() || order.file.file_name().is_none() {
        return Err(Error::new(
            ErrorKind::Usage,
            "the file is to be named by an absolute path",
        ));
    }
    if !order.file.parent().is_some_and(Path::is_dir) {
        let message = format!("there is no folder for {shown}");
        return Err(Error::new(ErrorKind::Usage, message).with_advice("make it first"));
    }
    if order.file.is_dir() {
        let message = format!("{shown} is a folder");
        return Err(Error::new(ErrorKind::Usage, message).with_advice("name a file in it"));
    }
    match !order.force && fs::symlink_metadata(&order.file).is_ok() {
        true => Err(exists(&order.file)),
        false => Ok(()),
    }
}

fn exists(file: &Path) -> Error {
    let message = format!("there is a file {} already", file.display());
    Error::new(ErrorKind::Exists, message)
        .with_advice("choose another name, or replace it with `--force`")
}

fn write(backup: &Backup, order: &Order, copies: &Copies, note: &[u8]) -> Result<Made, Error> {
    let (secret, code) = match &order.passphrase {
        Some(passphrase) => (Secret::Passphrase(passphrase.clone()), None),
        None => {
            let code = RecoveryCode::draw(&mut OsEntropy);
            let written = code.written();
            (Secret::Code(code), Some(written))
        }
    };
    let contents = Contents {
        note,
        profile: &copies.profile(),
        relay: &copies.relay(),
    };
    let (file, cost) = (&order.file, Cost::STANDARD);
    let written = backup.write(file, order.force, &secret, cost, &contents, &mut OsEntropy);
    let bytes = written.map_err(|error| failed(error, file))?;
    Ok(Made { bytes, code })
}

fn failed(error: BackupError, file: &Path) -> Error {
    match error {
        BackupError::Exists => exists(file),
        BackupError::Secret(error) => error.into(),
        BackupError::Note => Error::new(ErrorKind::Internal, error.to_string()),
        BackupError::Io(error) => Error::system("write the backup", file, &error),
    }
}

/// The folder of copies, removed when dropped.
struct Copies(PathBuf);

impl Copies {
    fn make(home: &Home) -> Result<Self, Error> {
        clear(home)?;
        let folder = home.copies();
        create_private(&folder)
            .map_err(|error| Error::system("make the folder", &folder, &error))?;
        Ok(Self(folder))
    }

    fn profile(&self) -> PathBuf {
        self.0.join("profile.db")
    }

    fn relay(&self) -> PathBuf {
        self.0.join("relay.db")
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        // The next start removes what stays; its key is gone.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Removes copies that a crash left.
pub(crate) fn clear(home: &Home) -> Result<(), Error> {
    let folder = home.copies();
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::system("remove", &folder, &error))
        }
        _ => Ok(()),
    }
}
