//! Copies of a running profile's files.

use hushwing_conversation::Command;
use tokio::sync::oneshot;

use super::machines::nudge;
use super::{Profile, Stage, stopping, storage_failed};
use crate::copying::{Copy, Outcome};
use crate::error::{Error, of_storage};

impl Profile {
    /// Copies `profile.db`, then `relay.db`, each between two transactions of its
    /// owner. In this order: a mailbox is noted in `relay.db` before the other names
    /// it, so the copies are complete together.
    ///
    /// # Errors
    ///
    /// When the machines do not run, or a file cannot be read or written.
    pub(crate) async fn copy(&self, profile: Copy, relay: Copy) -> Result<(), Error> {
        let ([copier, relay_copier], relay_commands) = {
            let state = self.state.lock().await;
            match &state.stage {
                Stage::Running { machines, .. } => machines.copying(),
                Stage::Resting => return Err(storage_failed(state.failed)),
                Stage::Stopped => return Err(stopping()),
            }
        };
        let copied = copier.ask(profile);
        // Something that needs a transaction; what it answers is of no matter.
        let _ = self.ask(Command::Contacts).await;
        settled(copied).await?;
        let copied = relay_copier.ask(relay);
        nudge(&relay_commands).await;
        settled(copied).await
    }
}

async fn settled(copied: oneshot::Receiver<Outcome>) -> Result<(), Error> {
    let outcome = copied.await.map_err(|_| storage_failed(None))?;
    outcome.map_err(|error| {
        tracing::warn!(%error, "a file cannot be copied");
        Error::new(of_storage(error.kind), error.to_string())
    })
}
