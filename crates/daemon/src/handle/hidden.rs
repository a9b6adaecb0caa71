//! Hidden profiles, as faces ask for them.

use std::sync::Arc;

use hushwing_api::backup::Secret;
use hushwing_api::hidden::{HideBody, OpenBody, Opened, SlotBody};
use hushwing_store::keys::Passphrase;

use super::Handle;
use crate::api::view;
use crate::deletion::no_such_profile;
use crate::error::{Error, ErrorKind};
use crate::hidden::{Order, Shown};

impl Handle {
    /// Creates a hidden profile.
    pub async fn hide_profile(&self, asked: &HideBody) -> Result<Opened, Error> {
        let order = Order {
            name: asked.name.clone(),
            passphrase: words(&asked.passphrase),
            slot: asked.slot,
        };
        let installation = Arc::clone(&self.installation);
        // By itself: a caller who goes away leaves no half of it.
        let working = tokio::spawn(async move { installation.hide_profile(order).await });
        opened(working.await.map_err(|_| ended())??)
    }

    /// Hides a profile that is there.
    pub async fn hide_existing(&self, name: &str, asked: &SlotBody) -> Result<Opened, Error> {
        let order = Order {
            name: name.to_owned(),
            passphrase: words(&asked.passphrase),
            slot: asked.slot,
        };
        let installation = Arc::clone(&self.installation);
        let working = tokio::spawn(async move { installation.hide_what_is_there(order).await });
        opened(working.await.map_err(|_| ended())??)
    }

    /// Brings a hidden profile back among those that are listed.
    ///
    /// # Errors
    ///
    /// When it is not open to this caller, or one of its name is listed.
    pub async fn unhide(&self, name: &str) -> Result<view::Profile, Error> {
        let opened = self.opened().filter(|opened| opened.name() == name);
        let opened = opened.ok_or_else(|| no_such_profile(name))?;
        let installation = Arc::clone(&self.installation);
        let working = tokio::spawn(async move { installation.unhide(&opened).await });
        let listed = working.await.map_err(|_| ended())??;
        let mut listed = self
            .profiles()
            .into_iter()
            .filter(|one| one.profile == listed.name());
        listed.next().ok_or_else(ended)
    }

    /// Opens a hidden profile.
    pub async fn open_profile(&self, asked: &OpenBody) -> Result<Opened, Error> {
        let (name, passphrase) = (asked.name.clone(), words(&asked.passphrase));
        let installation = Arc::clone(&self.installation);
        let working =
            tokio::spawn(async move { installation.open_hidden(&name, passphrase).await });
        opened(working.await.map_err(|_| ended())??)
    }
}

fn words(secret: &Secret) -> Passphrase {
    Passphrase::new(secret.reveal().to_owned())
}

fn opened(shown: Shown) -> Result<Opened, Error> {
    Ok(Opened {
        profile: shown.profile.name().to_owned(),
        token: Secret::new(&shown.token),
    })
}

fn ended() -> Error {
    Error::new(ErrorKind::Internal, "it ended early")
}
