//! Contacts and messages as faces show them.

use hushwing_sansio::StorageError;

use super::people::Person;
use crate::content::{Content, Message, Post};
use crate::storage::{MessageKind, MessageRecord, Position};
use crate::view::{ContactView, MessageView, Speaker};
use crate::{Event, Storage};

impl Person {
    /// This contact as shown.
    pub(super) fn view(&self) -> ContactView {
        let mut networks: Vec<_> = self
            .addresses
            .iter()
            .map(|address| address.network)
            .collect();
        networks.dedup();
        ContactView {
            contact: self.record.id,
            conversation: self.record.conversation,
            name: self.record.name.clone(),
            standing: self.record.standing,
            verified: self.record.verified.is_some(),
            no_forward_secrecy: self.record.unsecured_start,
            mailbox_lost: self.mailbox_lost,
            dropped: self.dropped,
            networks,
            since: self.record.since,
        }
    }
}

/// The event for a message that is new here: it arrived, or it changes another.
pub(super) fn arrived(
    storage: &dyn Storage,
    person: &Person,
    record: &MessageRecord,
    content: &Content,
    before: Option<Position>,
) -> Result<Option<Event>, StorageError> {
    if record.kind != MessageKind::Text {
        let target = changed(storage, record)?;
        let view = target
            .map(|target| show(storage, person, &target))
            .transpose()?;
        return Ok(view.map(Event::Changed));
    }
    let last = before.is_none_or(|before| before < record.position);
    let previous = storage.messages(record.contact, Some(&record.position), 1, 0)?;
    let message = build(storage, person, record, content)?;
    let after = previous.first().map(|record| *record.id());
    Ok(Some(Event::Arrived {
        message,
        after,
        last,
    }))
}

/// The shown message that an edit, deletion or reaction changes, if it is here.
fn changed(
    storage: &dyn Storage,
    record: &MessageRecord,
) -> Result<Option<MessageRecord>, StorageError> {
    let Some(target) = record.target else {
        return Ok(None);
    };
    let Some(target) = storage.message(&target)? else {
        return Ok(None);
    };
    if target.contact != record.contact {
        return Ok(None);
    }
    match target.kind {
        MessageKind::Text => Ok(Some(target)),
        MessageKind::Reaction => changed(storage, &target),
        _ => Ok(None),
    }
}

/// A stored message as shown.
pub(super) fn show(
    storage: &dyn Storage,
    person: &Person,
    record: &MessageRecord,
) -> Result<MessageView, StorageError> {
    build(storage, person, record, &content_of(record)?)
}

pub(super) fn content_of(record: &MessageRecord) -> Result<Content, StorageError> {
    let damaged = || StorageError::corrupt("reading a message");
    let message = Message::decode(&record.content).map_err(|_| damaged())?;
    Content::read(&message).map_err(|_| damaged())
}

fn build(
    storage: &dyn Storage,
    person: &Person,
    record: &MessageRecord,
    content: &Content,
) -> Result<MessageView, StorageError> {
    let mut view = MessageView {
        text: text_of(content),
        reply_to: reply_of(content),
        ..unreadable(person, record)
    };
    for change in storage.changes(record.contact, record.id())? {
        apply(storage, &mut view, record, &change)?;
    }
    if view.deleted {
        view.text.clear();
        view.reactions.clear();
    }
    Ok(view)
}

/// A message whose content is damaged, as shown.
pub(super) fn unreadable(person: &Person, record: &MessageRecord) -> MessageView {
    MessageView {
        id: *record.id(),
        contact: record.contact,
        conversation: person.record.conversation,
        from: speaker(record),
        sent_at: record.sent_at,
        text: "[damaged]".to_owned(),
        state: record.state,
        reply_to: None,
        edited: false,
        deleted: false,
        reactions: Vec::new(),
    }
}

/// Applies one change, the last of its kind and author in the order all agree
/// on: the last edit and the last reaction of each person stand. Only who said a
/// message may change it.
fn apply(
    storage: &dyn Storage,
    view: &mut MessageView,
    record: &MessageRecord,
    change: &MessageRecord,
) -> Result<(), StorageError> {
    match change.kind {
        MessageKind::Edit if change.mine == record.mine => {
            view.text = text_of(&content_of(change)?);
            view.edited = true;
        }
        MessageKind::Delete if change.mine == record.mine => view.deleted = true,
        MessageKind::Reaction => {
            let by = speaker(change);
            if !taken_back(storage, change)? {
                let Content::Reaction { mark, .. } = content_of(change)? else {
                    return Ok(());
                };
                view.reactions.push((by, mark.as_str().to_owned()));
            }
        }
        _ => {}
    }
    Ok(())
}

fn taken_back(storage: &dyn Storage, reaction: &MessageRecord) -> Result<bool, StorageError> {
    let changes = storage.changes(reaction.contact, reaction.id())?;
    Ok(changes
        .iter()
        .any(|change| change.kind == MessageKind::Delete && change.mine == reaction.mine))
}

fn speaker(record: &MessageRecord) -> Speaker {
    if record.mine {
        Speaker::Me
    } else {
        Speaker::Contact(record.contact)
    }
}

/// What is shown of content; what cannot be shown is named by its media type.
fn text_of(content: &Content) -> String {
    match content {
        Content::Post(post) | Content::Edit { post, .. } => post_text(post),
        Content::Unsupported { media_type } => format!("[{media_type}]"),
        _ => String::new(),
    }
}

fn post_text(post: &Post) -> String {
    let mut text = post.text.as_str().to_owned();
    let attached = post
        .attachments
        .iter()
        .map(|attachment| &attachment.media_type);
    for media_type in attached.chain(&post.unsupported) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("[{media_type}]"));
    }
    text
}

fn reply_of(content: &Content) -> Option<crate::MessageId> {
    match content {
        Content::Post(post) => post.reply_to,
        _ => None,
    }
}
