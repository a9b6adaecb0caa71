//! Which conversation a person means by what they typed.

use hushwing_conversation::view::{ContactView, PendingView, RoomView};
use hushwing_conversation::{ContactId, ConversationId, RoomStanding};

use super::contact::{ambiguous, find, nobody_named};
use super::show;
use crate::error::{Error, ErrorKind};
use crate::profile::Profile;

/// A conversation that a person means.
pub(super) enum Meant {
    /// That with a contact.
    Contact(ContactView),
    /// A group.
    Group(RoomView),
}

impl Meant {
    /// Finds it: a contact or a group, by name, or by id or its beginning.
    pub(super) fn find(profile: &Profile, name: &str) -> Result<Self, Error> {
        let rooms = groups(profile, name);
        match (rooms.as_slice(), find(profile, name)) {
            ([], found) => found.map(Self::Contact),
            ([one], Err(error)) if error.kind() == ErrorKind::NotFound => {
                Ok(Self::Group(one.clone()))
            }
            (rooms, found) => {
                let groups = rooms.iter().map(candidate);
                let known = profile.contacts();
                let contact = found.ok().map(|contact| {
                    let short = show::short_contact_id(&contact, &known);
                    format!("{short} ({})", contact.name)
                });
                let candidates: Vec<String> = groups.chain(contact).collect();
                Err(ambiguous(name, "conversations", &candidates))
            }
        }
    }

    /// Where it is read and spoken in.
    pub(super) fn place(&self) -> ContactId {
        match self {
            Self::Contact(contact) => contact.contact,
            Self::Group(room) => room.room.place(),
        }
    }

    /// Whether it is a group, or a channel, that nobody else is in.
    pub(super) fn is_nobody_else_there(&self) -> bool {
        match self {
            Self::Contact(_) => false,
            Self::Group(room) => room.size <= 1,
        }
    }

    pub(super) fn conversation(&self) -> ConversationId {
        match self {
            Self::Contact(contact) => contact.conversation,
            Self::Group(room) => room.conversation,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Contact(contact) => &contact.name,
            Self::Group(room) => &room.name,
        }
    }
}

/// The group a person means: by name, or by id or its beginning.
pub(super) fn room(profile: &Profile, name: &str) -> Result<RoomView, Error> {
    let found = groups(profile, name);
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(nobody_named("group", name)),
        several => {
            let candidates: Vec<String> = several.iter().map(candidate).collect();
            Err(ambiguous(name, "groups", &candidates))
        }
    }
}

fn groups(profile: &Profile, name: &str) -> Vec<RoomView> {
    let is_id = |room: &RoomView| {
        name.len() >= show::FEWEST_DIGITS
            && room
                .conversation
                .to_string()
                .starts_with(&name.to_ascii_lowercase())
    };
    let mut rooms = profile.rooms();
    // Whoever renamed it may call it so at once.
    let to_be = |room: &RoomView| {
        let mut pending = room.pending.iter();
        pending.any(|one| matches!(one, PendingView::Name(new) if new == name))
    };
    rooms.retain(|room| {
        let called = room.name == name || to_be(room) || is_id(room);
        room.standing != RoomStanding::Offered && called
    });
    rooms
}

fn candidate(room: &RoomView) -> String {
    format!("{} ({})", short_group_id(room.conversation), room.name)
}

/// As much of a group's id as names it in commands.
pub(super) fn short_group_id(id: ConversationId) -> String {
    let mut id = id.to_string();
    id.truncate(show::FEWEST_DIGITS);
    id
}
