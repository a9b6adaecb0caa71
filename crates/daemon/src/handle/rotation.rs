//! New mailboxes and keys for a conversation, on demand.

use hushwing_conversation::{Command, NewKeys, NewMailboxes, Reply};

use super::Handle;
use super::meant::Meant;
use crate::api::view;
use crate::error::Error;
use crate::profile::unexpected;

impl Handle {
    /// Replaces the mailboxes of a conversation, and my keys in it as soon as that can be.
    pub async fn rotate(&self, profile: Option<&str>, name: &str) -> Result<view::Rotation, Error> {
        let profile = self.profile(profile)?;
        let meant = Meant::find(&profile, name)?;
        let contact = meant.place();
        match profile.ask(Command::Rotate { contact }).await? {
            Reply::Rotating { mailboxes, keys } => Ok(view::Rotation {
                name: meant.name().to_owned(),
                mailboxes: mailboxes.count(),
                mailboxes_are: become_of(mailboxes).to_owned(),
                keys: when(keys).to_owned(),
            }),
            _ => Err(unexpected()),
        }
    }
}

fn become_of(mailboxes: NewMailboxes) -> &'static str {
    match mailboxes {
        NewMailboxes::Begun(_) => "replaced",
        NewMailboxes::Awaited(_) => "awaited",
        NewMailboxes::UnderWay => "under_way",
        NewMailboxes::Fresh => "fresh",
        NewMailboxes::Staying => "staying",
        NewMailboxes::Missing => "missing",
    }
}

fn when(keys: NewKeys) -> &'static str {
    match keys {
        NewKeys::Renewed => "renewed",
        NewKeys::InTurn => "waiting",
        NewKeys::Soon => "soon",
        NewKeys::AfterOthers => "after_others",
        NewKeys::Alone => "alone",
    }
}
