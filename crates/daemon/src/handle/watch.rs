//! What happens, as it happens, as documents.

use std::sync::Arc;

use hushwing_api::device::DevicesUnchanged;
use hushwing_api::group::GroupUnchanged;
use hushwing_api::profile::NameChanged;
use hushwing_api::{Event as Told, KeyChangedEvent, MessageEvent};
use hushwing_conversation::{ContactId, Event, MemberId};

use super::{Handle, conversation, device, group, identity, introduction, proof, show};
use crate::error::Error;
use crate::profile::{self, Profile, Seen};

/// A stream of documents.
pub struct Events {
    profile: Arc<Profile>,
    events: profile::Events,
    begun: bool,
}

impl Handle {
    /// Everything that happens in a profile from now on.
    ///
    /// # Errors
    ///
    /// When there is no such profile.
    pub fn events(&self, profile: Option<&str>) -> Result<Events, Error> {
        let profile = self.profile(profile)?;
        Ok(Events {
            events: profile.events(),
            profile,
            begun: false,
        })
    }
}

impl Events {
    /// The next document, or `None` once the profile is closed. The first says
    /// that nothing is missed from here on.
    pub async fn next(&mut self) -> Option<Told> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(Told::Watching);
        }
        loop {
            let document = match self.events.next().await? {
                Seen::Event(event) => document(&event, &self.profile),
                Seen::Missed(count) => Some(Told::Missed { count }),
            };
            if document.is_some() {
                return document;
            }
        }
    }
}

/// The document for an event; answers belong to whoever asked.
fn document(event: &Event, profile: &Profile) -> Option<Told> {
    Some(match event {
        Event::Answer { .. } => return None,
        Event::Devices(view) => Told::Devices(device::devices(view)),
        Event::DevicesUnchanged { reason } => Told::DevicesUnchanged(DevicesUnchanged {
            reason: reason.to_string(),
        }),
        Event::Room(room) => Told::Group(group::group(room, profile)),
        Event::RoomOffered(room) => Told::GroupOffered(group::request(room, profile)),
        Event::RoomUnchanged { room, reason } => Told::GroupUnchanged(GroupUnchanged {
            name: name_of(profile, room.place()),
            reason: reason.to_string(),
        }),
        Event::RoomForgotten { room } => removed(profile, room.place()),
        Event::Contact(contact) => Told::Contact(show::contact(contact, &profile.contacts())),
        Event::Mode(mode) => {
            let name = profile.names().get(&mode.contact).cloned();
            Told::Mode(proof::mode(mode, name.unwrap_or_default()))
        }
        Event::IdentityChanged { contact, change } => Told::KeyChanged(KeyChangedEvent {
            contact: contact_id(profile, *contact),
            name: name_of(profile, *contact),
            change: identity::change(change),
        }),
        Event::CalledOtherwise {
            contact,
            before,
            now,
        } => Told::NameChanged(NameChanged {
            contact: contact_id(profile, *contact),
            name: name_of(profile, *contact),
            before: before.clone(),
            now: now.clone(),
        }),
        Event::Requested(stranger) => Told::Request {
            request: stranger.contact.0,
            name: stranger.name.clone(),
        },
        Event::Introduction(offer) => Told::Introduction(introduction::offer(offer)),
        Event::IntroductionFailed { offer, refusal } => {
            let error = super::refusal(*refusal);
            Told::IntroductionFailed {
                request: offer.request,
                name: offer.name.clone(),
                introduced_by: offer.by_name.clone(),
                kind: error.kind().name().to_owned(),
                message: error.message().to_owned(),
                advice: error.advice().to_owned(),
            }
        }
        Event::Introducing(mine) => Told::Introducing(introduction::introduction(mine, profile)),
        Event::IntroductionDisputed { contact } => Told::IntroductionDisputed {
            contact: contact_id(profile, *contact),
            name: name_of(profile, *contact),
            advice: "whoever introduced you, or somebody between you, told you two different \
                     things: compare the safety number before you write anything that matters"
                .to_owned(),
        },
        Event::RequestLapsed { contact } => Told::RequestLapsed { request: contact.0 },
        Event::JoinFailed { contact, refusal } => {
            let error = super::refusal(*refusal);
            Told::JoinFailed {
                contact: contact.and_then(|id| contact_id(profile, id)),
                kind: error.kind().name().to_owned(),
                message: error.message().to_owned(),
                advice: error.advice().to_owned(),
            }
        }
        Event::Arrived {
            message,
            after,
            last,
            quiet,
        } => Told::Message(MessageEvent {
            message: show::message(message, &profile.names()),
            after: after.map(|id| id.to_string()),
            last: *last,
            quiet: *quiet,
        }),
        Event::Changed(message) => Told::Changed(show::message(message, &profile.names())),
        Event::State {
            message,
            state,
            reason,
        } => Told::State {
            message: message.to_string(),
            state: show::state(*state).to_owned(),
            reason: reason.as_ref().map(ToString::to_string),
        },
        Event::Broken { contact, reason } => Told::Broken {
            contact: contact.0.to_string(),
            reason: reason.to_string(),
            advice: "meet again by a new link".to_owned(),
        },
        Event::Progress {
            message,
            network,
            stage,
        } => Told::Progress {
            message: message.to_string(),
            network: show::network(*network),
            stage: format!("{stage:?}").to_lowercase(),
        },
        Event::InvitationEnded { invitation, reason } => Told::InvitationEnded {
            invitation: invitation.0,
            reason: reason.to_string(),
            advice: "give another link to whoever has it".to_owned(),
        },
        Event::MailboxTrouble {
            network,
            invitation,
            reason,
        } => Told::MailboxTrouble {
            network: show::network(*network),
            invitation: invitation.map(|id| id.0.to_string()),
            reason: format!("{reason:?}").to_lowercase(),
        },
        Event::Disappeared { message, .. } => Told::Disappeared {
            message: message.to_string(),
        },
        Event::Conversation(view) => {
            Told::Conversation(conversation::shown(view, &profile.contacts()))
        }
        Event::Typing { contact, member } => Told::Typing {
            contact: conversation_id(profile, *contact),
            from: name_of(profile, member.map_or(*contact, MemberId::place)),
        },
        Event::Forgotten { contact } => removed(profile, *contact),
        Event::Dropped { contact, reason } => Told::Dropped {
            contact: contact.and_then(|id| contact_id(profile, id)),
            reason: reason.to_string(),
        },
    })
}

fn removed(profile: &Profile, place: ContactId) -> Told {
    let (contact, name) = profile.known_as(place).unzip();
    Told::Removed { contact, name }
}

fn name_of(profile: &Profile, id: ContactId) -> String {
    let mut names = profile.names();
    names.remove(&id).unwrap_or_else(|| "somebody".to_owned())
}

/// The id of the conversation at a place.
fn conversation_id(profile: &Profile, at: ContactId) -> Option<String> {
    let rooms = profile.rooms();
    let room = rooms.iter().find(|room| room.room.place() == at);
    let room = room.map(|room| room.conversation.to_string());
    room.or_else(|| contact_id(profile, at))
}

fn contact_id(profile: &Profile, id: ContactId) -> Option<String> {
    let known = profile.contacts();
    let contact = known.iter().find(|contact| contact.contact == id)?;
    Some(show::contact_id(contact))
}
