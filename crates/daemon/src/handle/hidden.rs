//! Hidden profiles, as faces ask for them.

use std::sync::Arc;

use hushwing_api::backup::Secret;
use hushwing_api::hidden::{HideBody, OpenBody, Opened, SlotBody};
use hushwing_store::keys::Passphrase;

use super::Handle;
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
