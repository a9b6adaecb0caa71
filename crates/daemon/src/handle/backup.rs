//! Backups, as faces ask for them.

use std::path::PathBuf;
use std::sync::Arc;

use hushwing_api::backup::{BackedUp, BackupBody, RestoreBody, Restored, Secret};
use hushwing_store::keys::Passphrase;
use tokio::task::JoinError;
use zeroize::Zeroizing;

use super::Handle;
use crate::backup;
use crate::error::{Error, ErrorKind};
use crate::restore;

impl Handle {
    /// Writes a backup of a profile into a file.
    pub async fn back_up(
        &self,
        profile: Option<&str>,
        asked: &BackupBody,
    ) -> Result<BackedUp, Error> {
        let profile = self.profile(profile)?;
        if profile.is_hidden() {
            let message = "a hidden profile cannot be backed up: the file would name it";
            return Err(Error::new(ErrorKind::Usage, message)
                .with_advice("let its contacts know another address of yours"));
        }
        let passphrase = asked.passphrase.as_ref();
        let order = backup::Order {
            file: PathBuf::from(&asked.file),
            force: asked.force,
            passphrase: passphrase.map(|words| Passphrase::new(words.reveal().to_owned())),
        };
        // By itself: a caller who goes away leaves no half of it.
        let (installation, of) = (Arc::clone(&self.installation), Arc::clone(&profile));
        let working = tokio::spawn(async move { installation.back_up(&of, order).await });
        let made = working.await.map_err(ended)??;
        Ok(BackedUp {
            file: asked.file.clone(),
            profile: profile.name().to_owned(),
            bytes: made.bytes,
            recovery_code: made.code.map(|code| Secret::new(code.as_str())),
        })
    }

    /// Makes a profile from a backup.
    pub async fn restore(&self, asked: &RestoreBody) -> Result<Restored, Error> {
        let order = restore::Order {
            file: PathBuf::from(&asked.file),
            secret: Zeroizing::new(asked.secret.reveal().to_owned()),
            name: asked.name.clone(),
        };
        let installation = Arc::clone(&self.installation);
        let working = tokio::spawn(async move { installation.restore(order).await });
        let profile = working.await.map_err(ended)??;
        let name = profile.name();
        let contacts = self.contacts(Some(name)).await?;
        let groups = self.groups(Some(name)).await?.into_iter();
        let restoring = groups.filter(|group| group.state == "restoring");
        let devices = self.devices(Some(name)).await?.devices.into_iter();
        let parted = devices.filter(|device| device.parted);
        Ok(Restored {
            profile: name.to_owned(),
            default: self
                .profiles()
                .first()
                .is_some_and(|one| one.profile == name),
            contacts: contacts.len(),
            groups: restoring.map(|group| group.name).collect(),
            devices: parted.map(|device| device.name).collect(),
        })
    }
}

fn ended(error: JoinError) -> Error {
    Error::new(ErrorKind::Internal, format!("it ended early: {error}"))
}
