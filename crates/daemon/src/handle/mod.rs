//! What faces call. A handle is cheap to clone and knows no HTTP, no XMPP and
//! no terminal; every answer is a [`view`](crate::view) document.

mod backup;
mod contact;
mod conversation;
mod device;
mod group;
mod hidden;
mod identity;
mod installation;
mod introduction;
mod list;
mod meant;
mod meeting;
mod message;
mod pages;
mod profile;
mod proof;
mod refused;
mod rotation;
mod server;
mod show;
mod watch;

use std::sync::Arc;

use hushwing_store::keys::Passphrase;

use crate::deletion::no_such_profile;
use crate::error::{Error, ErrorKind};
use crate::installation::Installation;
use crate::profile::Profile;

pub use hushwing_api::request::Stage;
pub use proof::check_proof;
pub(crate) use refused::{refusal, refusal_by};
pub use watch::Events;

/// A caller of the running daemon.
#[derive(Clone)]
pub struct Handle {
    installation: Arc<Installation>,
    /// What shows that the caller opened a hidden profile.
    token: Option<Passphrase>,
}

/// A message to send.
#[derive(Clone)]
pub struct Outgoing {
    /// Name or id of the contact.
    pub to: String,
    /// What to say.
    pub text: String,
    /// Id of the message it answers.
    pub reply_to: Option<String>,
}

impl Handle {
    pub(crate) fn new(installation: Arc<Installation>) -> Self {
        Self {
            installation,
            token: None,
        }
    }

    /// The same for a caller with a token.
    pub(crate) fn with_token(&self, token: Option<Passphrase>) -> Self {
        Self {
            installation: Arc::clone(&self.installation),
            token,
        }
    }

    /// Profiles that this caller may know of, the default one first.
    fn visible(&self) -> Vec<Arc<Profile>> {
        let mut all = self.installation.profiles();
        all.extend(self.opened());
        all
    }

    /// The hidden profile that this caller opened.
    fn opened(&self) -> Option<Arc<Profile>> {
        self.installation.hidden.seen_by(self.token.as_ref()?)
    }

    /// Asks the daemon to stop; returns at once.
    pub fn stop(&self) {
        self.installation.stop();
    }

    /// The profile of that name, or the default one.
    fn profile(&self, name: Option<&str>) -> Result<Arc<Profile>, Error> {
        let profiles = self.installation.profiles();
        match name {
            None => profiles
                .into_iter()
                .next()
                .ok_or_else(|| Error::new(ErrorKind::NoProfile, "there is no profile yet")),
            Some(name) => self
                .opened()
                .into_iter()
                .chain(profiles)
                .find(|profile| profile.name() == name)
                .ok_or_else(|| no_such_profile(name)),
        }
    }
}
