//! Introductions: those I make and those offered to me.

use hushwing_conversation::storage::OfferState;
use hushwing_conversation::view::{ContactView, IntroducedView, IntroductionView, OfferView};
use hushwing_conversation::{Command, ContactId, Reply};

use super::contact::find;
use super::{Handle, show};
use crate::api::view;
use crate::error::Error;
use crate::profile::{Profile, unexpected};

impl Handle {
    /// Asks two contacts whether they want to know each other.
    pub async fn introduce(
        &self,
        profile: Option<&str>,
        one: &str,
        other: &str,
        word: Option<String>,
    ) -> Result<view::Introduction, Error> {
        let profile = self.profile(profile)?;
        let (one, other) = (find(&profile, one)?.contact, find(&profile, other)?.contact);
        match profile.ask(Command::Introduce { one, other, word }).await? {
            Reply::Introduction(made) => Ok(introduction(&made, &profile)),
            _ => Err(unexpected()),
        }
    }

    /// Introductions of mine, oldest first.
    pub async fn introductions(
        &self,
        profile: Option<&str>,
    ) -> Result<Vec<view::Introduction>, Error> {
        let profile = self.profile(profile)?;
        match profile.ask(Command::Introductions).await? {
            Reply::Introductions(all) => {
                Ok(all.iter().map(|one| introduction(one, &profile)).collect())
            }
            _ => Err(unexpected()),
        }
    }

    /// Agrees to meet somebody whom a contact introduces.
    pub async fn accept_introduction(
        &self,
        profile: Option<&str>,
        request: u64,
    ) -> Result<view::Request, Error> {
        let profile = self.profile(profile)?;
        match profile.ask(Command::AcceptIntroduction { request }).await? {
            Reply::Offers(offers) => offers.first().map(offer).ok_or_else(unexpected),
            _ => Err(unexpected()),
        }
    }

    /// Does not; nobody is told.
    pub async fn refuse_introduction(
        &self,
        profile: Option<&str>,
        request: u64,
    ) -> Result<(), Error> {
        let profile = self.profile(profile)?;
        match profile.ask(Command::RefuseIntroduction { request }).await? {
            Reply::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Whom contacts offer to introduce, beside strangers in `requests`.
    pub(super) async fn offers(&self, profile: &Profile) -> Result<Vec<view::Request>, Error> {
        match profile.ask(Command::Offers).await? {
            Reply::Offers(offers) => Ok(offers.iter().map(offer).collect()),
            _ => Err(unexpected()),
        }
    }
}

/// An offer as a request.
pub(super) fn offer(shown: &OfferView) -> view::Request {
    view::Request {
        request: shown.request,
        name: shown.name.clone(),
        received_at: show::time(shown.since),
        kind: "introduction".to_owned(),
        introduced_by: Some(shown.by_name.clone()),
        group: None,
        word: shown.word.clone(),
        name_known: shown.name_known,
        state: match shown.state {
            OfferState::Waiting => "waiting",
            OfferState::Agreed => "agreed",
            OfferState::Inviting(_) | OfferState::Opening(_) => "meeting",
            OfferState::Met(_) => "met",
            OfferState::Refused => "refused",
            OfferState::Lapsed => "lapsed",
            OfferState::Failed => "failed",
        }
        .to_owned(),
    }
}

/// An introduction of mine.
pub(super) fn introduction(shown: &IntroductionView, profile: &Profile) -> view::Introduction {
    let known = profile.contacts();
    view::Introduction {
        introduction: shown.introduction,
        one: name(&known, shown.inviter),
        other: name(&known, shown.joiner),
        since: show::time(shown.since),
        state: match (shown.passed, shown.agreed) {
            (true, _) => "introduced",
            (false, true) => "agreed",
            (false, false) => "asked",
        }
        .to_owned(),
    }
}

fn name(known: &[ContactView], id: ContactId) -> String {
    let contact = known.iter().find(|contact| contact.contact == id);
    contact.map_or_else(|| "somebody".to_owned(), |contact| contact.name.clone())
}

/// Whether both were told the same by whoever introduced them.
pub(super) fn outcome(shown: &IntroducedView) -> String {
    match shown.agrees {
        Some(true) => "confirmed",
        Some(false) => "disputed",
        None => "unconfirmed",
    }
    .to_owned()
}
