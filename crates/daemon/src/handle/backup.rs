//! Backups, as faces ask for them.

use std::path::PathBuf;
use std::sync::Arc;

use hushwing_api::backup::{BackedUp, BackupBody, Secret};
use hushwing_store::keys::Passphrase;
use tokio::task::JoinError;

use super::Handle;
use crate::backup;
use crate::error::{Error, ErrorKind};

impl Handle {
    /// Writes a backup of a profile into a file.
    pub async fn back_up(
        &self,
        profile: Option<&str>,
        asked: &BackupBody,
    ) -> Result<BackedUp, Error> {
        let profile = self.profile(profile)?;
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
}

fn ended(error: JoinError) -> Error {
    Error::new(ErrorKind::Internal, format!("it ended early: {error}"))
}
