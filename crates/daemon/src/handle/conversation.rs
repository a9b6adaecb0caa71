//! Conversations as a whole: how each is kept, what is found in them, what of
//! them a person hands on.

use std::time::SystemTime;

use hushwing_api::conversation::{
    Conversation, Done, Draft as DraftView, DraftBody, Removed, Report, Reported,
    Version as VersionView,
};
use hushwing_api::view;
use hushwing_conversation::view::{ContactView, ConversationView, Draft, Version};
use hushwing_conversation::{Change, Command, ConversationId, MessageId, Reply};
use hushwing_sansio::Timestamp;

use super::contact::find;
use super::meant::{Meant, short_group_id};
use super::message::meant;
use super::{Handle, pages, show};
use crate::error::Error;
use crate::profile::{Profile, unexpected};

/// Messages that a search gives if nobody says how many.
const FOUND: u32 = 50;
/// Messages that a report has if nobody says how many.
const REPORTED: u32 = 200;

impl Handle {
    /// How every conversation is kept.
    pub async fn conversations(&self, profile: Option<&str>) -> Result<Vec<Conversation>, Error> {
        let profile = self.profile(profile)?;
        let Reply::Conversations(views) = profile.ask(Command::Conversations).await? else {
            return Err(unexpected());
        };
        let known = profile.contacts();
        Ok(views.iter().map(|view| shown(view, &known)).collect())
    }

    /// Keeps a conversation otherwise.
    pub async fn keep(
        &self,
        profile: Option<&str>,
        name: &str,
        change: Change,
    ) -> Result<Conversation, Error> {
        let profile = self.profile(profile)?;
        let conversation = Meant::find(&profile, name)?.conversation();
        keep(&profile, conversation, change).await
    }

    /// Mutes a conversation for so many seconds, or without end.
    pub async fn mute(
        &self,
        profile: Option<&str>,
        name: &str,
        on: bool,
        seconds: Option<u64>,
    ) -> Result<Conversation, Error> {
        let now = now().as_millis();
        let until = seconds.map_or(u64::MAX, |seconds| {
            now.saturating_add(seconds.saturating_mul(1_000))
        });
        let until = on.then(|| Timestamp::from_millis(until));
        self.keep(profile, name, Change::Muted(until)).await
    }

    /// Keeps what was begun to write.
    pub async fn draft(
        &self,
        profile: Option<&str>,
        name: &str,
        body: &DraftBody,
    ) -> Result<Conversation, Error> {
        let running = self.profile(profile)?;
        let reply_to = match &body.reply_to {
            Some(id) => Some(meant(&running, id).await?),
            None => None,
        };
        let draft = Draft {
            text: body.text.clone(),
            reply_to,
        };
        self.keep(profile, name, Change::Draft(Some(draft))).await
    }

    /// Pins a message, or does no longer.
    pub async fn pin_message(
        &self,
        profile: Option<&str>,
        id: &str,
        on: bool,
    ) -> Result<Conversation, Error> {
        let profile = self.profile(profile)?;
        let message = meant(&profile, id).await?;
        let conversation = conversation_of(&profile, message).await?;
        keep(&profile, conversation, Change::MessagePinned(message, on)).await
    }

    /// Agrees when messages disappear.
    pub async fn disappear(
        &self,
        profile: Option<&str>,
        name: &str,
        seconds: u32,
    ) -> Result<Conversation, Error> {
        let profile = self.profile(profile)?;
        let conversation = Meant::find(&profile, name)?.conversation();
        let command = Command::Disappear {
            conversation,
            seconds,
        };
        match profile.ask(command).await? {
            Reply::Conversation(view) => Ok(shown(&view, &profile.contacts())),
            _ => Err(unexpected()),
        }
    }

    /// Tells the other side that I am writing, if that is switched on.
    pub async fn typing(&self, profile: Option<&str>, name: &str) -> Result<Done, Error> {
        let profile = self.profile(profile)?;
        let conversation = Meant::find(&profile, name)?.conversation();
        profile.ask(Command::Typing { conversation }).await?;
        Ok(Done { done: true })
    }

    /// Messages that have all words of a text, oldest first.
    pub async fn search(
        &self,
        profile: Option<&str>,
        text: &str,
        within: Option<&str>,
        count: Option<u32>,
    ) -> Result<Vec<view::Message>, Error> {
        let profile = self.profile(profile)?;
        let within = within.map(|name| Meant::find(&profile, name)).transpose()?;
        let command = Command::Search {
            text: text.to_owned(),
            within: within.map(|one| one.conversation()),
            most: usize::try_from(count.unwrap_or(FOUND)).unwrap_or(usize::MAX),
        };
        let Reply::Messages(found) = profile.ask(command).await? else {
            return Err(unexpected());
        };
        let names = profile.names();
        let found = found.iter().map(|message| show::message(message, &names));
        Ok(found.collect())
    }

    /// The texts a message had, oldest first.
    pub async fn history(
        &self,
        profile: Option<&str>,
        id: &str,
    ) -> Result<Vec<VersionView>, Error> {
        let profile = self.profile(profile)?;
        let message = meant(&profile, id).await?;
        history(&profile, message).await
    }

    /// What a person may hand on who reports somebody. Marks nothing read and
    /// tells nobody.
    pub async fn report(
        &self,
        profile: Option<&str>,
        name: &str,
        count: Option<u32>,
    ) -> Result<Report, Error> {
        let profile = self.profile(profile)?;
        let reported = Meant::find(&profile, name)?;
        let conversation = reported.conversation();
        // Looking marks nothing read.
        let look = |before, most| Command::Look {
            conversation,
            before,
            most,
        };
        let said = pages::newest(&profile, count.unwrap_or(REPORTED), look).await?;
        let names = profile.names();
        let mut messages = Vec::with_capacity(said.len());
        for one in &said {
            let edited = one.edited && !one.deleted;
            let history = match edited {
                true => history(&profile, one.id).await?,
                false => Vec::new(),
            };
            messages.push(Reported {
                message: show::message(one, &names),
                history,
            });
        }
        Ok(Report {
            version: 1,
            made_at: show::time(now()),
            name: reported.name().to_owned(),
            contact: conversation.to_string(),
            safety_number: safety_number(&profile, &reported).await,
            messages,
        })
    }

    /// Forgets a contact with all that was said.
    pub async fn remove_contact(
        &self,
        profile: Option<&str>,
        name: &str,
    ) -> Result<Removed, Error> {
        let profile = self.profile(profile)?;
        let contact = find(&profile, name)?;
        let command = Command::Forget {
            contact: contact.contact,
        };
        profile.ask(command).await?;
        profile.forget(contact.contact);
        Ok(Removed {
            removed: show::contact_id(&contact),
        })
    }
}

/// What fixes both keys of a conversation of two, where they are known.
async fn safety_number(profile: &Profile, of: &Meant) -> Option<String> {
    let Meant::Contact(contact) = of else {
        return None;
    };
    let contact = contact.contact;
    match profile.ask(Command::SafetyNumber { contact }).await {
        Ok(Reply::SafetyNumber { number, .. }) => Some(number),
        // It is not fixed yet, or the conversation is broken.
        _ => None,
    }
}

async fn keep(
    profile: &Profile,
    conversation: ConversationId,
    change: Change,
) -> Result<Conversation, Error> {
    let command = Command::Keep {
        conversation,
        change,
    };
    match profile.ask(command).await? {
        Reply::Conversation(view) => Ok(shown(&view, &profile.contacts())),
        _ => Err(unexpected()),
    }
}

async fn history(profile: &Profile, message: MessageId) -> Result<Vec<VersionView>, Error> {
    match profile.ask(Command::History { message }).await? {
        Reply::History(versions) => Ok(versions.iter().map(version).collect()),
        _ => Err(unexpected()),
    }
}

fn version(version: &Version) -> VersionView {
    VersionView {
        text: version.text.clone(),
        sent_at: show::time(version.sent_at),
    }
}

/// The conversation a message was said in.
async fn conversation_of(profile: &Profile, message: MessageId) -> Result<ConversationId, Error> {
    match profile.ask(Command::WhichConversation { message }).await? {
        Reply::Conversation(view) => Ok(view.conversation),
        _ => Err(unexpected()),
    }
}

/// How a conversation is kept, as documents show it.
pub(super) fn shown(view: &ConversationView, known: &[ContactView]) -> Conversation {
    let contact = known.iter().find(|one| one.contact == view.contact);
    let short = contact.map(|one| show::short_contact_id(one, known));
    Conversation {
        conversation: view.conversation.to_string(),
        contact: view.conversation.to_string(),
        kind: match (view.room, view.channel) {
            (Some(_), _) => "group",
            (None, Some(_)) => "channel",
            (None, None) => "contact",
        }
        .to_owned(),
        short: short.unwrap_or_else(|| short_group_id(view.conversation)),
        name: view.name.clone(),
        unread: view.unread,
        marked_unread: view.marked_unread,
        disappear_after: view.disappear_after,
        blocked_since: view.blocked.map(show::time),
        archived: view.archived,
        pinned: view.pinned,
        muted_until: view.muted.map(show::time),
        pinned_messages: view
            .pinned_messages
            .iter()
            .map(MessageId::to_string)
            .collect(),
        draft: view.draft.as_ref().map(|draft| DraftView {
            text: draft.text.clone(),
            reply_to: draft.reply_to.map(|id| id.to_string()),
        }),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
