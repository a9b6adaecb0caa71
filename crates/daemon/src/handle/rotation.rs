//! New mailboxes and keys for a conversation, on demand.

use hushwing_conversation::{Command, Reply};

use super::Handle;
use super::contact::find;
use crate::api::view;
use crate::error::Error;
use crate::profile::unexpected;

impl Handle {
    /// Replaces the mailboxes of a conversation, and its keys as soon as the
    /// turn is mine.
    pub async fn rotate(&self, profile: Option<&str>, name: &str) -> Result<view::Rotation, Error> {
        let profile = self.profile(profile)?;
        let found = find(&profile, name)?;
        let contact = found.contact;
        match profile.ask(Command::Rotate { contact }).await? {
            Reply::Rotating { mailboxes, keys } => Ok(view::Rotation {
                name: found.name,
                mailboxes,
                keys: if keys { "renewed" } else { "waiting" }.to_owned(),
            }),
            _ => Err(unexpected()),
        }
    }
}
