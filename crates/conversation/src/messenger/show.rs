//! Contacts and messages as faces show them.

use hushwing_sansio::StorageError;

use super::Messenger;
use super::broken::is_damage;
use super::channel::Channel;
use super::inquiry::message_with;
use super::pair::Shown;
use super::people::Person;
use super::room::{Room, counted};
use crate::content::{Content, IdPrefix, Message, ShortId};
use crate::storage::{MessageKind, MessageRecord, Position};
use crate::view::{ContactView, Counted, Mentioned, MessageView, Notice, Quote, Speaker};
use crate::{ContactId, ConversationId, Event, MessageId, MessageState, RoomId, Storage};

/// The fewest digits of an id that are shown: its first two are always the same.
const FEWEST_DIGITS: usize = 10;
/// Characters shown of a message that is answered.
const QUOTED: usize = 48;

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
            identity: self.identity.view(),
            face: Box::new(self.face.view()),
            introduced: self.introduced_view().map(Box::new),
            group: self.meeting.as_ref().map(|met| met.name.as_str().into()),
            no_forward_secrecy: self.record.unsecured_start,
            mailbox_lost: self.mailbox_lost,
            dropped: self.dropped,
            devices: 1,
            blocked: self.kept.blocked.is_some(),
            networks,
            mode: self.mode_view(),
            since: self.record.since,
        }
    }
}

/// Where a message was said.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// Between two.
    Pair(&'a Person),
    /// In a room.
    Room(&'a Room),
    /// In a pair.
    Paired(Shown<'a>),
    /// In a channel.
    Channel(&'a Channel),
}

impl Place<'_> {
    fn id(self) -> ContactId {
        match self {
            Self::Pair(person) => person.record.id,
            Self::Room(room) => room.record.id.place(),
            Self::Paired(pair) => pair.room.record.id.place(),
            Self::Channel(channel) => channel.record.id.place(),
        }
    }

    fn conversation(self) -> ConversationId {
        match self {
            Self::Pair(person) => person.record.conversation,
            Self::Room(room) => room.record.conversation,
            Self::Paired(pair) => pair.conversation,
            Self::Channel(channel) => channel.name(),
        }
    }

    fn mentioned_in(self, content: &Content) -> Vec<Mentioned> {
        match self {
            Self::Pair(person) => person.mentioned_in(content),
            Self::Room(room) => room.mentioned_in(content),
            Self::Paired(pair) => {
                let mut mentioned = pair.room.mentioned_in(content);
                mentioned
                    .iter_mut()
                    .for_each(|one| one.who = pair.named(one.who));
                mentioned
            }
            // Readers do not know each other.
            Self::Channel(_) => Vec::new(),
        }
    }

    /// Nothing that is said in a room, and in a channel, is a file for others yet.
    fn provable(self, record: &MessageRecord) -> Option<bool> {
        match self {
            Self::Pair(person) => person.provable(record),
            Self::Room(_) | Self::Paired(_) | Self::Channel(_) => None,
        }
    }

    /// With whom faces know something to have been said that lies at `place`.
    fn shown_at(self, place: ContactId) -> ContactId {
        match self {
            Self::Paired(pair) => pair.head,
            _ => place,
        }
    }

    fn speaker(self, record: &MessageRecord) -> Speaker {
        match self {
            Self::Paired(pair) => pair.speaker(record),
            _ => speaker(record),
        }
    }

    /// Whether another device of mine said something: what became of it is known there. What
    /// is said from here is for somebody, or has arrived because nobody is there.
    pub(super) fn said_elsewhere(
        self,
        storage: &dyn Storage,
        record: &MessageRecord,
    ) -> Result<bool, StorageError> {
        let several = matches!(self, Self::Room(_) | Self::Paired(_));
        if !several || self.speaker(record) != Speaker::Me {
            return Ok(false);
        }
        // Nobody proved the leaf of my account that said it.
        let doubtful = !record.mine;
        let heard = || {
            let taken = record.state == MessageState::Accepted;
            Ok(taken && storage.recipients(record.id())?.is_empty())
        };
        if doubtful { Ok(true) } else { heard() }
    }

    fn counted(
        self,
        storage: &dyn Storage,
        record: &MessageRecord,
    ) -> Result<Option<Box<Counted>>, StorageError> {
        match self {
            Self::Room(room) if record.mine => {
                let counted = counted(room, storage, record.id())?;
                // What another device of mine said that one counts.
                let here = !self.said_elsewhere(storage, record)?;
                Ok(here.then(|| Box::new(counted)))
            }
            _ => Ok(None),
        }
    }
}

impl Messenger {
    /// Where messages of that number are said.
    pub(super) fn place(&self, of: ContactId) -> Option<Place<'_>> {
        let pair = self.people.get(&of).map(Place::Pair);
        let shown = || self.shown_pair(RoomId::at(of)).map(Place::Paired);
        let room = || shown().or_else(|| self.rooms.get(of).map(Place::Room));
        let channel = || self.channels.get(of).map(Place::Channel);
        pair.or_else(room).or_else(channel)
    }
}

/// The event for a message that is new here: it arrived, or it changes another.
pub(super) fn arrived(
    storage: &dyn Storage,
    place: Place<'_>,
    record: &MessageRecord,
    content: &Content,
    before: Option<Position>,
    quiet: bool,
) -> Result<Option<Event>, StorageError> {
    if record.kind != MessageKind::Text {
        let target = changed(storage, record)?;
        let view = target
            .map(|target| show(storage, place, &target))
            .transpose()?;
        return Ok(view.map(Event::Changed));
    }
    let last = before.is_none_or(|before| before < record.position);
    let previous = storage.text_positions(record.contact, Some(&record.position), 1)?;
    let message = build(storage, place, record, content)?;
    let after = previous.first().map(|position| position.id);
    Ok(Some(Event::Arrived {
        message,
        after,
        last,
        quiet,
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
    let Some(target) = message_with(storage, record.contact, &target)? else {
        return Ok(None);
    };
    match target.kind {
        MessageKind::Text => Ok(Some(target)),
        MessageKind::Reaction => changed(storage, &target),
        _ => Ok(None),
    }
}

/// A stored message as shown.
pub(super) fn show(
    storage: &dyn Storage,
    place: Place<'_>,
    record: &MessageRecord,
) -> Result<MessageView, StorageError> {
    if record.is_erased() {
        return erased(storage, place, record);
    }
    build(storage, place, record, &content_of(record)?)
}

pub(super) fn content_of(record: &MessageRecord) -> Result<Content, StorageError> {
    let damaged = || StorageError::corrupt("reading a message");
    let message = Message::decode(&record.content).map_err(|_| damaged())?;
    Content::read(&message).map_err(|_| damaged())
}

/// A message of which nothing is left: it was taken back.
fn erased(
    storage: &dyn Storage,
    place: Place<'_>,
    record: &MessageRecord,
) -> Result<MessageView, StorageError> {
    Ok(MessageView {
        short: shortened(storage, record.id())?,
        text: String::new(),
        deleted: true,
        elsewhere: place.said_elsewhere(storage, record)?,
        ..unreadable(place, record)
    })
}

fn build(
    storage: &dyn Storage,
    place: Place<'_>,
    record: &MessageRecord,
    content: &Content,
) -> Result<MessageView, StorageError> {
    let mut view = alone(storage, place, record, content)?;
    if let Some(target) = &view.reply_to {
        view.answered = quote(storage, place, target)?.map(Box::new);
    }
    Ok(view)
}

/// What stands in a conversation, cut short for those who answer it.
fn quote(
    storage: &dyn Storage,
    place: Place<'_>,
    target: &MessageId,
) -> Result<Option<Quote>, StorageError> {
    // A contact may name any id, also one of another conversation.
    let target = message_with(storage, place.id(), target)?;
    let Some(record) = target.filter(|record| record.kind == MessageKind::Text) else {
        return Ok(None);
    };
    let shown = match record.is_erased() {
        true => erased(storage, place, &record),
        false => content_of(&record).and_then(|content| alone(storage, place, &record, &content)),
    };
    let shown = match shown {
        // The damage is found where that message is shown; this one is sound.
        Err(error) if is_damage(&error) => unreadable(place, &record),
        shown => shown?,
    };
    Ok(Some(Quote {
        short: shown.short,
        from: shown.from,
        text: beginning(&shown.text),
        deleted: shown.deleted,
    }))
}

fn beginning(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let mut cut: String = line.chars().take(QUOTED).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

/// Ids that begin with `prefix`, in their order.
pub(super) fn found(
    storage: &dyn Storage,
    prefix: &IdPrefix,
    most: usize,
) -> Result<Vec<MessageId>, StorageError> {
    let mut ids = storage.message_ids(prefix.first(), most)?;
    ids.retain(|id| prefix.begins(id));
    Ok(ids)
}

/// An id, as short as tells it apart from all others here.
pub(super) fn shortened(storage: &dyn Storage, id: &MessageId) -> Result<ShortId, StorageError> {
    let mut short = ShortId::new(*id, FEWEST_DIGITS);
    for digits in FEWEST_DIGITS.. {
        short = ShortId::new(*id, digits);
        if short.is_whole() || found(storage, &short.prefix(), 2)?.len() < 2 {
            break;
        }
    }
    Ok(short)
}

/// A message with its changes, but without what it answers.
fn alone(
    storage: &dyn Storage,
    place: Place<'_>,
    record: &MessageRecord,
    content: &Content,
) -> Result<MessageView, StorageError> {
    let counted = place.counted(storage, record)?;
    let mut view = MessageView {
        short: shortened(storage, record.id())?,
        text: content.to_plain(),
        reply_to: reply_of(content),
        notice: notice_of(content),
        mentions: place.mentioned_in(content),
        elsewhere: place.said_elsewhere(storage, record)?,
        counted,
        ..unreadable(place, record)
    };
    let mut last = None;
    for change in storage.changes(record.contact, record.id())? {
        apply(storage, place, &mut view, record, &change)?;
        if change.kind == MessageKind::Edit && change.is_by_author_of(record) {
            last = Some(change);
        }
    }
    if view.deleted {
        view.text.clear();
        view.reactions.clear();
        view.mentions.clear();
    } else {
        view.provable = place.provable(last.as_ref().unwrap_or(record));
    }
    Ok(view)
}

/// A message whose content is damaged, as shown.
pub(super) fn unreadable(place: Place<'_>, record: &MessageRecord) -> MessageView {
    MessageView {
        id: *record.id(),
        short: ShortId::whole(*record.id()),
        contact: place.shown_at(record.contact),
        conversation: place.conversation(),
        from: place.speaker(record),
        sent_at: record.sent_at,
        text: "[damaged]".to_owned(),
        state: record.state,
        counted: None,
        elsewhere: false,
        reply_to: None,
        answered: None,
        edited: false,
        deleted: false,
        provable: None,
        off_record: record.is_off_record(),
        handed_on: record.is_handed_on(),
        reactions: Vec::new(),
        notice: None,
        mentions: Vec::new(),
        disappears: record.times.vanishes,
    }
}

/// Applies one change, the last of its kind and author in the order all agree
/// on: the last edit and the last reaction of each person stand. Only who said a
/// message may change it.
fn apply(
    storage: &dyn Storage,
    place: Place<'_>,
    view: &mut MessageView,
    record: &MessageRecord,
    change: &MessageRecord,
) -> Result<(), StorageError> {
    match change.kind {
        MessageKind::Edit if change.is_by_author_of(record) => {
            let content = content_of(change)?;
            view.text = content.to_plain();
            view.mentions = place.mentioned_in(&content);
            view.edited = true;
        }
        MessageKind::Delete if change.is_by_author_of(record) => view.deleted = true,
        MessageKind::Reaction => {
            let by = place.speaker(change);
            if !change.is_erased() && !taken_back(storage, change)? {
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

/// Whether who said something, a text or a reaction, took it back.
pub(super) fn taken_back(
    storage: &dyn Storage,
    record: &MessageRecord,
) -> Result<bool, StorageError> {
    let changes = storage.changes(record.contact, record.id())?;
    Ok(changes
        .iter()
        .any(|change| change.kind == MessageKind::Delete && change.is_by_author_of(record)))
}

pub(super) fn speaker(record: &MessageRecord) -> Speaker {
    match record.author {
        _ if record.mine => Speaker::Me,
        Some(member) => Speaker::Member(member),
        None => Speaker::Contact(record.contact),
    }
}

fn notice_of(content: &Content) -> Option<Notice> {
    match content {
        Content::Timer(timer) => Some(Notice::Disappear {
            seconds: timer.seconds,
        }),
        _ => None,
    }
}

fn reply_of(content: &Content) -> Option<MessageId> {
    match content {
        Content::Post(post) => post.reply_to,
        _ => None,
    }
}
