//! How a conversation that goes on as pairs is shown: as the one it is.

use crate::content::Mode;
use crate::link::SafetyNumber;
use crate::messenger::Messenger;
use crate::messenger::stop::Stop;
use crate::storage::{MessageRecord, RoomStanding, Standing};
use crate::view::{ContactView, FaceView, IdentityView, ModeView, Speaker};
use crate::{ContactId, ConversationId, Event, Reply, RoomId};

use crate::messenger::room::Room;

/// A pair as faces see it.
#[derive(Clone, Copy)]
pub(in crate::messenger) struct Shown<'a> {
    pub(in crate::messenger) room: &'a Room,
    /// Whose conversation it is for them.
    pub(in crate::messenger) head: ContactId,
    pub(in crate::messenger) conversation: ConversationId,
}

impl Shown<'_> {
    /// Who said something there. Nobody can let a leaf of another account in, so the account
    /// says who it is.
    pub(in crate::messenger) fn speaker(&self, record: &MessageRecord) -> Speaker {
        let member = record
            .author
            .and_then(|author| self.room.members.get(&author));
        let mine = member.is_some_and(|member| member.account == self.room.record.account);
        match record.mine || mine {
            true => Speaker::Me,
            false => Speaker::Contact(self.head),
        }
    }

    /// The same of somebody named.
    pub(in crate::messenger) fn named(&self, who: Speaker) -> Speaker {
        let Speaker::Member(member) = who else {
            return who;
        };
        let member = self.room.members.get(&member);
        match member.is_some_and(|one| one.account == self.room.record.account) {
            true => Speaker::Me,
            false => Speaker::Contact(self.head),
        }
    }
}

impl Messenger {
    /// A room as a pair is shown, if it is one.
    pub(in crate::messenger) fn shown_pair(&self, room: RoomId) -> Option<Shown<'_>> {
        let pair = self.pair_in(room)?;
        Some(Shown {
            room: self.rooms.get(room.place())?,
            head: self.head_of(room.place()),
            conversation: pair.conversation,
        })
    }

    /// Contacts whom another device knows, and with whom I am in a pair.
    pub(in crate::messenger) fn contacts_elsewhere(&self) -> Vec<ContactView> {
        let heads = self.heads_elsewhere();
        heads
            .filter_map(|room| self.contact_elsewhere(room))
            .collect()
    }

    /// A contact whom another device knows, as shown; `None` before I am in a pair with them.
    fn contact_elsewhere(&self, head: RoomId) -> Option<ContactView> {
        let contact = head.place();
        let pair = self
            .pair_in(head)
            .filter(|_| !self.people.contains_key(&contact))?;
        let known = self.known_with(head)?;
        let standing = self.rooms.standing(head)?;
        // Who was thrown out hears no more of the pair either, and not that it is out of it.
        let inside = self.pair_of(contact).is_some() && !self.is_out();
        Some(ContactView {
            contact,
            conversation: pair.conversation,
            name: known.name.clone(),
            standing: match standing {
                _ if inside => Standing::Established,
                RoomStanding::Joining => return None,
                _ => Standing::Broken,
            },
            verified: known.verified,
            identity: IdentityView::default(),
            // That is told to the device that has the contact.
            face: Box::new(FaceView {
                name: None,
                status: None,
                avatar: None,
                names: Vec::new(),
            }),
            introduced: None,
            group: None,
            no_forward_secrecy: false,
            mailbox_lost: false,
            dropped: 0,
            devices: self.devices_of(contact),
            blocked: self.is_blocked_pair(head),
            networks: Vec::new(),
            mode: ModeView {
                contact,
                in_force: Mode::Normal,
                mine: Mode::Normal,
                theirs: Mode::Normal,
                my_key: None,
                their_key: None,
                their_key_changed: false,
            },
            since: self.rooms.get(contact)?.record.since,
        })
    }

    /// Tells faces how the contact is that a pair is with.
    pub(in crate::messenger) fn tell_pair(&mut self, room: RoomId) {
        let head = self.head_of(room.place());
        if self.people.contains_key(&head) {
            return;
        }
        let Some(view) = self.contact_elsewhere(RoomId::at(head)) else {
            return;
        };
        let event = Event::Contact(view);
        let mut events = self.events.iter().rev();
        let told =
            events.find(|event| matches!(event, Event::Contact(view) if view.contact == head));
        if told != Some(&event) {
            self.tell(event);
        }
    }

    /// A device of either side came or went: how many a contact has is shown.
    pub(in crate::messenger) fn tell_devices_of_pair(&mut self, room: RoomId) {
        if self.is_pair(room) {
            self.tell_contact(self.head_of(room.place()));
            self.tell_pair(room);
        }
    }

    /// What a face is told of a pair, as of the conversation it belongs to; `None` where that
    /// is nothing to it.
    pub(in crate::messenger) fn as_of_thread(&self, event: Event) -> Option<Event> {
        Some(match event {
            Event::RoomUnchanged { room, .. } | Event::RoomForgotten { room }
                if self.is_pair(room) =>
            {
                return None;
            }
            Event::Room(ref view) | Event::RoomOffered(ref view) if self.is_pair(view.room) => {
                return None;
            }
            Event::Typing { contact, .. } if self.is_pair(RoomId::at(contact)) => Event::Typing {
                contact: self.head_of(contact),
                member: None,
            },
            Event::Broken { contact, reason } if self.is_pair(RoomId::at(contact)) => {
                let head = self.head_of(contact);
                // Where the conversation itself is, another pair follows.
                if self.people.contains_key(&head) {
                    return None;
                }
                Event::Broken {
                    contact: head,
                    reason,
                }
            }
            Event::Disappeared { contact, message } => Event::Disappeared {
                contact: self.head_of(contact),
                message,
            },
            other => other,
        })
    }

    /// The safety number of a contact whom another device knows.
    pub(in crate::messenger) fn number_elsewhere(&self, contact: ContactId) -> Option<Reply> {
        let room = RoomId::at(contact);
        let known = self.known_with(room)?;
        let [mine, theirs] = &known.keys;
        let number = SafetyNumber::new(&known.conversation.0, mine, theirs);
        Some(Reply::SafetyNumber {
            number: number.to_string(),
            code: number.to_code(),
            verified: known.verified,
        })
    }

    /// Forgets a contact whom another device knows, on this one. What that device tells of
    /// them is not taken any more.
    pub(in crate::messenger) fn forget_elsewhere(
        &mut self,
        call: &mut crate::messenger::Call<'_, '_>,
        head: ContactId,
    ) -> Result<Reply, Stop> {
        self.forget_pairs(call, head)?;
        self.tell(Event::Forgotten { contact: head });
        Ok(Reply::Done)
    }
}
