//! Messages: say, change, find, read.

use std::time::Duration;

use hushwing_conversation::view::{Speaker, Whereabouts};
use hushwing_conversation::{Command, Event, IdPrefix, MessageId, MessageState, Reply};

use super::contact::ambiguous;
use super::meant::Meant;
use super::{Handle, Outgoing, Stage, pages, show};
use crate::api::view;
use crate::error::{Error, ErrorKind};
use crate::profile::{Events, Profile, Seen, unexpected};

/// Candidates an ambiguous id is told with.
const MOST_NAMED: usize = 8;
/// Digits of a message's id in an error.
const SHORT: usize = 10;

impl Handle {
    /// Says something, and if asked to waits until it has come that far.
    pub async fn send(
        &self,
        profile: Option<&str>,
        outgoing: Outgoing,
        wait: Option<(Stage, Duration)>,
    ) -> Result<view::Sent, Error> {
        let profile = self.profile(profile)?;
        let to = Meant::find(&profile, &outgoing.to)?;
        let (contact, alone) = (to.place(), to.is_nobody_else_there());
        let reply_to = match &outgoing.reply_to {
            Some(id) => Some(meant(&profile, id).await?),
            None => None,
        };
        let events = profile.events();
        let sent = profile
            .ask(Command::Send {
                contact,
                text: outgoing.text,
                reply_to,
            })
            .await?;
        let Reply::Sent { message, state } = sent else {
            return Err(unexpected());
        };
        let state = match wait {
            None => state,
            Some((stage, limit)) => {
                let reached =
                    tokio::time::timeout(limit, reach(&profile, events, message, stage)).await;
                match reached {
                    Ok(state) => state?,
                    Err(_) => return Err(late(&profile, message, stage).await?),
                }
            }
        };
        Ok(view::Sent {
            message: message.to_string(),
            state: show::state(state).to_owned(),
            alone,
        })
    }

    /// Replaces the text of a message of mine.
    pub async fn edit(
        &self,
        profile: Option<&str>,
        id: &str,
        text: String,
    ) -> Result<view::Sent, Error> {
        let profile = self.profile(profile)?;
        let message = meant(&profile, id).await?;
        change(&profile, Command::Edit { message, text }).await
    }

    /// Takes a message of mine back.
    pub async fn delete(&self, profile: Option<&str>, id: &str) -> Result<view::Sent, Error> {
        let profile = self.profile(profile)?;
        let message = meant(&profile, id).await?;
        change(&profile, Command::Delete { message }).await
    }

    /// Sets my reaction to a message, or with an empty one takes it back.
    pub async fn react(
        &self,
        profile: Option<&str>,
        id: &str,
        mark: String,
    ) -> Result<view::Sent, Error> {
        let profile = self.profile(profile)?;
        let message = meant(&profile, id).await?;
        change(&profile, Command::React { message, mark }).await
    }

    /// How far a message got, and how.
    pub async fn locate(&self, profile: Option<&str>, id: &str) -> Result<view::Where, Error> {
        let profile = self.profile(profile)?;
        let message = meant(&profile, id).await?;
        let place = whereabouts(&profile, message).await?;
        let mut shown = show::whereabouts(&place, &profile.names());
        if place.from == Speaker::Me && shown.members.is_empty() && !shown.elsewhere {
            let asked = profile.ask(Command::WhichConversation { message }).await?;
            shown.alone = matches!(
                asked, Reply::Conversation(one) if one.room.is_some() || one.channel.is_some()
            );
        }
        Ok(shown)
    }

    /// The newest messages of a conversation, oldest first.
    pub async fn read(
        &self,
        profile: Option<&str>,
        name: &str,
        count: u32,
    ) -> Result<Vec<view::Message>, Error> {
        let profile = self.profile(profile)?;
        let contact = Meant::find(&profile, name)?.place();
        let names = profile.names();
        let read = pages::newest(&profile, count, |before, most| Command::Read {
            contact,
            before,
            most,
        });
        let read = read.await?.into_iter();
        Ok(read
            .map(|message| show::message(&message, &names))
            .collect())
    }
}

async fn change(profile: &Profile, command: Command) -> Result<view::Sent, Error> {
    match profile.ask(command).await? {
        Reply::Sent { message, state } => Ok(view::Sent {
            message: message.to_string(),
            state: show::state(state).to_owned(),
            alone: false,
        }),
        _ => Err(unexpected()),
    }
}

/// The message a person means: by its id, or by the beginning of it.
pub(super) async fn meant(profile: &Profile, typed: &str) -> Result<MessageId, Error> {
    if let Ok(id) = typed.to_ascii_lowercase().parse() {
        return Ok(id);
    }
    let none = || {
        let message = format!("no message has the id {typed}");
        Error::new(ErrorKind::NotFound, message).with_advice(show::NO_SUCH_MESSAGE)
    };
    let prefix = typed.parse::<IdPrefix>().map_err(|_| none())?;
    let Reply::Found(found) = profile.ask(Command::Find { prefix }).await? else {
        return Err(unexpected());
    };
    match found.as_slice() {
        [] => Err(none()),
        [one] => Ok(*one.id()),
        several => {
            let mut candidates: Vec<String> = several.iter().map(ToString::to_string).collect();
            if candidates.len() > MOST_NAMED {
                candidates.truncate(MOST_NAMED);
                candidates.push("and more".to_owned());
            }
            Err(ambiguous(typed, "messages", &candidates))
        }
    }
}

async fn whereabouts(profile: &Profile, message: MessageId) -> Result<Whereabouts, Error> {
    match profile.ask(Command::Where { message }).await? {
        Reply::Where(place) => Ok(place),
        _ => Err(unexpected()),
    }
}

/// Waits until a message has come as far as `stage`, or failed. The events were
/// subscribed to before the message was sent, so none is missed.
async fn reach(
    profile: &Profile,
    mut events: Events,
    message: MessageId,
    stage: Stage,
) -> Result<MessageState, Error> {
    let mut state = whereabouts(profile, message).await?.state;
    loop {
        if state == MessageState::Failed {
            return Err(
                Error::new(ErrorKind::Protocol, "no network can deliver the message")
                    .with_advice("their mailbox is gone: ask them for a new invitation"),
            );
        }
        if has_reached(state, stage) {
            return Ok(state);
        }
        let told = events
            .until(|seen| match seen {
                Seen::Event(event) => match **event {
                    Event::State {
                        message: id, state, ..
                    } if id == message => Some(Some(state)),
                    _ => None,
                },
                Seen::Missed(_) => Some(None),
            })
            .await?;
        state = match told {
            Some(state) => state,
            None => whereabouts(profile, message).await?.state,
        };
    }
}

fn has_reached(state: MessageState, stage: Stage) -> bool {
    let reached = match state {
        MessageState::Queued | MessageState::Failed => return false,
        MessageState::Accepted => Stage::Accepted,
        MessageState::Delivered => Stage::Delivered,
        MessageState::Read => Stage::Read,
    };
    reached >= stage
}

/// What to say where a message has not come that far in time.
async fn late(profile: &Profile, message: MessageId, wanted: Stage) -> Result<Error, Error> {
    let place = whereabouts(profile, message).await?;
    let state = show::state(place.state);
    let wanted_name = match wanted {
        Stage::Accepted => "accepted",
        Stage::Delivered => "delivered",
        Stage::Read => "read",
    };
    let short: String = message.to_string().chars().take(SHORT).collect();
    let error = Error::new(
        ErrorKind::Timeout,
        format!("message {short} is {state}, not {wanted_name} yet"),
    )
    .about(message.to_string(), state);
    let may_be_off =
        wanted == Stage::Read && place.state == MessageState::Delivered && !place.read_receipts;
    Ok(match may_be_off {
        true => error.with_advice(
            "they have it; no read receipt of theirs came lately: these are off unless somebody switches them on",
        ),
        false => error,
    })
}
