//! What happens, as it happens, as documents.

use std::sync::Arc;

use hushwing_conversation::{ContactId, Event};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Handle, show};
use crate::error::Error;
use crate::profile::{self, Profile, Seen};

/// A stream of documents; each names its kind in `event`.
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
    pub async fn next(&mut self) -> Option<Value> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(json!({ "event": "watching" }));
        }
        loop {
            let document = match self.events.next().await? {
                Seen::Event(event) => document(&event, &self.profile),
                Seen::Missed(count) => Some(json!({ "event": "missed", "count": count })),
            };
            if document.is_some() {
                return document;
            }
        }
    }
}

/// The document for an event; answers belong to whoever asked.
fn document(event: &Event, profile: &Profile) -> Option<Value> {
    Some(match event {
        Event::Answer { .. } => return None,
        Event::Contact(contact) => tagged("contact", &show::contact(contact, &profile.contacts())),
        Event::Requested(stranger) => json!({
            "event": "request",
            "request": stranger.contact.0,
            "name": stranger.name,
        }),
        Event::RequestLapsed { contact } => json!({
            "event": "request_lapsed",
            "request": contact.0,
        }),
        Event::JoinFailed { contact, refusal } => {
            let error = show::refusal(*refusal);
            json!({
                "event": "join_failed",
                "contact": contact.and_then(|id| contact_id(profile, id)),
                "kind": error.kind().name(),
                "message": error.message(),
                "advice": error.advice(),
            })
        }
        Event::Arrived {
            message,
            after,
            last,
        } => {
            let mut document = tagged("message", &show::message(message, &profile.names()));
            if let Value::Object(fields) = &mut document {
                fields.insert("after".into(), json!(after.map(|id| id.to_string())));
                fields.insert("last".into(), json!(last));
            }
            document
        }
        Event::Changed(message) => tagged("changed", &show::message(message, &profile.names())),
        Event::State {
            message,
            state,
            reason,
        } => {
            let mut document = json!({
                "event": "state",
                "message": message.to_string(),
                "state": show::state(*state),
            });
            if let (Value::Object(fields), Some(reason)) = (&mut document, reason) {
                fields.insert("reason".into(), json!(reason.to_string()));
            }
            document
        }
        Event::Broken { contact, reason } => json!({
            "event": "broken",
            "contact": contact.0.to_string(),
            "reason": reason.to_string(),
            "advice": "meet again by a new link",
        }),
        Event::Progress {
            message,
            network,
            stage,
        } => json!({
            "event": "progress",
            "message": message.to_string(),
            "network": show::network(*network),
            "stage": format!("{stage:?}").to_lowercase(),
        }),
        Event::MailboxTrouble {
            network,
            invitation,
            reason,
        } => json!({
            "event": "mailbox_trouble",
            "network": show::network(*network),
            "invitation": invitation.map(|id| id.0.to_string()),
            "reason": format!("{reason:?}").to_lowercase(),
        }),
        Event::Dropped { contact, reason } => json!({
            "event": "dropped",
            "contact": contact.and_then(|id| contact_id(profile, id)),
            "reason": reason.to_string(),
        }),
    })
}

fn contact_id(profile: &Profile, id: ContactId) -> Option<String> {
    let known = profile.contacts();
    let contact = known.iter().find(|contact| contact.contact == id)?;
    Some(show::contact_id(contact))
}

fn tagged(name: &str, body: &impl Serialize) -> Value {
    let mut document = serde_json::to_value(body).unwrap_or_default();
    if let Value::Object(fields) = &mut document {
        fields.insert("event".into(), json!(name));
    }
    document
}
