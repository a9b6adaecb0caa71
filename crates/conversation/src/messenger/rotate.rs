//! How many mailboxes a conversation has, where they lie, and when others take
//! their places: weekly, when asked, and when a server is given up.

use core::time::Duration;

use hushwing_delivery::{MailboxFailure, MailboxId, NetworkTag};
use hushwing_sansio::{Context, StorageError, Timestamp};

use super::stop::Stop;
use super::{Call, Messenger};
use crate::storage::{MailboxNote, MailboxRecord, MailboxState, MailboxUse, Role, Standing};
use crate::{ContactId, NewKeys, NewMailboxes, Refusal, Reply, RoomId, Secret};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two rotations of a conversation: five to nine days, drawn anew each
/// time and apart from all others, so that a server which holds mailboxes of
/// several conversations sees no common beat.
const SHORTEST: Duration = DAY.saturating_mul(5);
const SPREAD: Duration = DAY.saturating_mul(4);
/// The longest time between two.
pub(super) const LONGEST: Duration = SHORTEST.saturating_add(SPREAD);
/// How long no mailbox is asked for where none could be made.
const REST: Duration = Duration::from_secs(60 * 60);
/// Conversations that get what they lack in one sweep.
const MOST_TENDED: usize = 16;

impl Messenger {
    /// Replaces the mailboxes of a conversation now, and my keys in it as soon as that
    /// can be. Where it goes on as a pair these are that one's, and what is left to be said
    /// in the conversation before moves as well.
    pub(super) fn rotate_on_demand(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        if !self.people.contains_key(&contact) && self.rooms.get(contact).is_some() {
            return self.rotate_room_on_demand(call, RoomId::at(contact));
        }
        let standing = self.person(contact)?.record.standing;
        if self.is_blocked(contact) {
            return Err(Refusal::Blocked.into());
        }
        // Where nothing is said any more, nobody would hear of it.
        let begun = match standing {
            Standing::Established if self.is_written_to(contact) => {
                Some(self.rotate_conversation(call, contact)?)
            }
            _ => None,
        };
        let rotated = match self.pair_of(contact) {
            Some(pair) => self.rotate_pair(call, pair)?,
            None => None,
        };
        let more = begun.map_or(0, |(mailboxes, _)| mailboxes.count());
        let rotated = rotated.map(|(mailboxes, keys)| (mailboxes.and(more), keys));
        let (mailboxes, keys) = rotated.or(begun).ok_or(match standing {
            Standing::Established | Standing::Broken => Refusal::Broken,
            Standing::Restoring => Refusal::Restoring,
            _ => Refusal::NotEstablished,
        })?;
        Ok(Reply::Rotating { mailboxes, keys })
    }

    fn rotate_conversation(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(NewMailboxes, NewKeys), StorageError> {
        let under_way = self.is_rotating(contact);
        self.mails.of(contact).new_keys = true;
        let mailboxes = match self.rotate(call, contact)? {
            0 if under_way => NewMailboxes::UnderWay,
            0 => NewMailboxes::Missing,
            count => NewMailboxes::Begun(count),
        };
        self.renew_if_due(call, contact)?;
        let waits = self.mails.get(contact).is_some_and(|mail| mail.new_keys);
        let keys = match waits {
            true => NewKeys::InTurn,
            false => NewKeys::Renewed,
        };
        Ok((mailboxes, keys))
    }

    /// Begins to replace the mailboxes of a conversation: how many. None while
    /// the last replacement is not done.
    fn rotate(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<usize, StorageError> {
        let rotate_at = self.draw_rotation(call.cx);
        self.mails.of(contact).rotate_at = rotate_at;
        let mut begun = 0;
        if !self.is_rotating(contact) {
            for old in self.open_for(contact, |role| role == Role::Service) {
                self.open_replacement(call, contact, old)?;
                begun += 1;
            }
        }
        self.mails.save(call.storage, contact)?;
        Ok(begun)
    }

    fn is_rotating(&self, contact: ContactId) -> bool {
        let mail = self.mails.get(contact);
        mail.is_some_and(|mail| {
            let mut notes = mail.mailboxes.iter();
            notes.any(|note| note.role == Role::Old || note.replaces.is_some())
        })
    }

    pub(super) fn draw_rotation(&self, cx: &mut Context<'_>) -> Timestamp {
        cx.wall() + SHORTEST + Duration::from_secs(cx.random_below(SPREAD.as_secs()))
    }

    /// Asks for a mailbox that shall take the place of `old`.
    fn open_replacement(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        old: MailboxId,
    ) -> Result<(), StorageError> {
        let mail = self.mails.of(contact);
        if mail.is_being_replaced(old.0) {
            return Ok(());
        }
        let now = call.cx.wall();
        mail.set_role(old.0, Role::Service, now);
        let network = self.mailboxes.get(&old).map(|record| record.network);
        let network = NetworkTag(network.unwrap_or(self.config.network.0));
        self.open_as(call, contact, network, Role::Service, Some(old))
    }

    /// Asks for a mailbox of a conversation, behind the one it replaces or
    /// behind all.
    pub(super) fn open_as(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        network: NetworkTag,
        role: Role,
        replaces: Option<MailboxId>,
    ) -> Result<(), StorageError> {
        let id = call.storage.next_number()?;
        let note = MailboxNote {
            id,
            role,
            replaces: replaces.map(|old| old.0),
            since: call.cx.wall(),
        };
        let mail = self.mails.of(contact);
        let mut notes = mail.mailboxes.iter();
        let behind = replaces.and_then(|old| notes.position(|note| note.id == old.0));
        let at = behind.map_or(mail.mailboxes.len(), |at| at + 1);
        mail.mailboxes.insert(at, note);
        self.mails.save(call.storage, contact)?;
        let record = MailboxRecord {
            id,
            network: network.0,
            state: MailboxState::Opening,
            owner: MailboxUse::Conversation(contact),
            first_contact: Secret::default(),
            shared: Secret::new(call.cx.random::<32>()),
            locator: None,
        };
        self.open_mailbox(call, record)
    }

    /// The mailboxes with which one shall share no server: the others of the
    /// same conversation that stay.
    pub(super) fn apart_from(&self, record: &MailboxRecord) -> Vec<MailboxId> {
        let contact = match record.owner {
            MailboxUse::Conversation(contact) => contact,
            MailboxUse::Room(room) => return self.apart_in_room(room),
            MailboxUse::Invitation(_) => return Vec::new(),
        };
        let mail = self.mails.get(contact);
        let mut others = self.mailboxes_of(contact);
        others.retain(|id| {
            let role = self.mails.role(contact, *id);
            let stays = matches!(role, Role::Service | Role::Recovery);
            let goes = mail.is_some_and(|mail| mail.is_being_replaced(id.0));
            id.0 != record.id && stays && !goes
        });
        others
    }

    /// Gives conversations the mailboxes they lack.
    pub(super) fn tend_mail(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        while let Some(contact) = self.mails.to_tend.pop_first() {
            self.within(call, contact, |this, call| this.tend(call, contact))?;
        }
        Ok(())
    }

    fn tend(&mut self, call: &mut Call<'_, '_>, contact: ContactId) -> Result<(), StorageError> {
        if !self.is_tended(call, contact) {
            return Ok(());
        }
        let network = self.config.network;
        match self.lack(contact) {
            Some(Lack::More(role)) => self.open_as(call, contact, network, role, None),
            Some(Lack::Fewer(mailbox)) => {
                let now = call.cx.wall();
                self.mails.of(contact).set_role(mailbox.0, Role::Old, now);
                self.tell_new_addresses(call, contact)
            }
            None => Ok(()),
        }
    }

    /// Whether the mailboxes of a conversation may change now. Those of who is
    /// blocked stay as they are, for they could not be told.
    fn is_tended(&self, call: &Call<'_, '_>, contact: ContactId) -> bool {
        let rests = self.mails.rests.get(&contact);
        let rests = rests.is_some_and(|until| call.cx.now() < *until);
        let established = self.standing(contact) == Some(Standing::Established);
        established && !rests && self.is_written_to(contact)
    }

    /// What a conversation has too few of, or too many.
    fn lack(&self, contact: ContactId) -> Option<Lack> {
        let mail = self.mails.get(contact);
        let all = self.mailboxes_of(contact).into_iter().filter(|id| {
            let goes = mail.is_some_and(|mail| mail.is_being_replaced(id.0));
            !goes
        });
        let all: Vec<_> = all.map(|id| (id, self.mails.role(contact, id))).collect();
        let count = |wanted: Role| all.iter().filter(|(_, role)| *role == wanted).count();
        let opening = |(id, _): &(MailboxId, Role)| {
            let record = self.mailboxes.get(id);
            record.is_none_or(|record| record.state != MailboxState::Open)
        };
        let wanted = self.config.mailboxes.max(1);
        match count(Role::Service) {
            // One after the other: where the next may lie depends on it.
            _ if all.iter().any(opening) => None,
            // Also none: the last one may have been refused where it was to be.
            have if have < wanted => Some(Lack::More(Role::Service)),
            have if have > wanted => {
                let mut service = all.iter().rev();
                let last = service.find(|(_, role)| *role == Role::Service);
                last.map(|(id, _)| Lack::Fewer(*id))
            }
            _ if self.config.recovery && count(Role::Recovery) == 0 => {
                Some(Lack::More(Role::Recovery))
            }
            _ if !self.config.recovery => {
                let mut all = all.iter();
                let recovery = all.find(|(_, role)| *role == Role::Recovery);
                recovery.map(|(id, _)| Lack::Fewer(*id))
            }
            _ => None,
        }
    }

    /// A mailbox of a conversation was refused wherever it could be: it goes on
    /// with those it has, and what it lacks is asked for again later. One that
    /// was never open is waited for: no conversation is there yet.
    pub(super) fn do_without(
        &mut self,
        call: &mut Call<'_, '_>,
        mailbox: MailboxId,
        reason: MailboxFailure,
    ) -> Result<(), StorageError> {
        if let Some(room) = self.room_of(mailbox) {
            return self.room_does_without(call, (room, mailbox), reason);
        }
        let final_answer = matches!(reason, MailboxFailure::Refused | MailboxFailure::NoServer);
        let Some(contact) = self.conversation_of(mailbox) else {
            return Ok(());
        };
        let record = self.mailboxes.get(&mailbox);
        let opening = record.is_some_and(|record| record.state == MailboxState::Opening);
        let established = self.standing(contact) == Some(Standing::Established);
        if !final_answer || !opening || !established {
            return Ok(());
        }
        self.close_mailbox(call, mailbox)?;
        self.mails.of(contact).drop_note(mailbox.0);
        self.mails.rests.insert(contact, call.cx.now() + REST);
        self.mails.save(call.storage, contact)
    }

    /// A lost mailbox gets another number.
    pub(super) fn renumber_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        owner: MailboxUse,
        lost: u64,
        id: u64,
    ) -> Result<(), StorageError> {
        let MailboxUse::Conversation(contact) = owner else {
            return Ok(());
        };
        let Some(mail) = self.mails.by_contact.get_mut(&contact) else {
            return Ok(());
        };
        for note in &mut mail.mailboxes {
            if note.id == lost {
                note.id = id;
            }
            if note.replaces == Some(lost) {
                // What replaces it comes; nothing is left to be replaced.
                note.replaces = Some(id);
            }
        }
        self.mails.save(call.storage, contact)
    }

    /// Mailboxes lie where none is to lie any more. Those of invitations stay:
    /// their links name the place.
    pub(super) fn displaced(
        &mut self,
        call: &mut Call<'_, '_>,
        network: NetworkTag,
        mailboxes: &[MailboxId],
    ) -> Result<(), StorageError> {
        let all = &self.mailboxes;
        self.mails.displaced.retain(|mailbox| {
            let record = all.get(mailbox);
            record.is_some_and(|record| record.network != network.0)
        });
        self.mails.displaced.extend(mailboxes);
        self.move_displaced(call)
    }

    /// Moves what can move now. What cannot (it is still being made, nobody has
    /// answered yet, its contact is blocked, nothing could be made elsewhere)
    /// does when it can.
    fn move_displaced(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for mailbox in self.mails.displaced.clone() {
            if let Some(room) = self.room_of(mailbox) {
                self.within(call, room.place(), |this, call| {
                    this.move_room_away(call, room, mailbox)
                })?;
            }
            let Some(contact) = self.conversation_of(mailbox) else {
                continue;
            };
            let record = self.mailboxes.get(&mailbox);
            let open = record.is_some_and(|record| record.state == MailboxState::Open);
            if open && self.is_tended(call, contact) {
                self.within(call, contact, |this, call| {
                    this.move_away(call, contact, mailbox)
                })?;
            }
        }
        let all = &self.mailboxes;
        self.mails.displaced.retain(|id| all.contains_key(id));
        Ok(())
    }

    fn move_away(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        let displaced = &self.mails.displaced;
        let now = call.cx.wall();
        let role = self.mails.role(contact, mailbox);
        let service = self.open_for(contact, |role| role == Role::Service);
        let staying = service.iter().filter(|id| !displaced.contains(id)).count();
        match role {
            Role::Old | Role::Leaving { .. } => Ok(()),
            Role::Service if staying < self.config.mailboxes.max(1) => {
                self.open_replacement(call, contact, mailbox)
            }
            Role::Service | Role::Recovery => {
                self.mails.of(contact).set_role(mailbox.0, Role::Old, now);
                self.mails.to_tend.insert(contact);
                self.tell_new_addresses(call, contact)
            }
        }
    }

    /// What depends on the date: old mailboxes are closed, and one conversation
    /// at a time gets new ones. Of several that are due, for the program did not
    /// run, each waits for its sweep: nobody shall see them change together.
    pub(super) fn sweep_mail(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        self.close_left(call)?;
        self.move_displaced(call)?;
        // Those that could not be tended would keep the others from it.
        let lacking = self.people.keys().copied();
        let lacking = lacking
            .filter(|contact| self.is_tended(call, *contact) && self.lack(*contact).is_some());
        let lacking: Vec<_> = lacking.take(MOST_TENDED).collect();
        self.mails.to_tend.extend(lacking);
        if !self.config.rotates {
            return Ok(());
        }
        let now = call.cx.wall();
        let mut due = Vec::new();
        let people = self.people.values();
        let established = people.filter(|person| {
            let established = person.record.standing == Standing::Established;
            established && self.is_written_to(person.record.id)
        });
        for contact in established.map(|p| p.record.id).collect::<Vec<_>>() {
            let at = self.mails.of(contact).rotate_at;
            if at == Timestamp::default() || now + SHORTEST + SPREAD < at {
                // Never drawn, or by a clock that was far ahead.
                let at = self.draw_rotation(call.cx);
                self.mails.of(contact).rotate_at = at;
                self.mails.save(call.storage, contact)?;
            } else if at <= now {
                due.push(contact);
            }
        }
        let count = u64::try_from(due.len()).unwrap_or(0);
        if count == 0 {
            return Ok(());
        }
        let at = usize::try_from(call.cx.random_below(count)).unwrap_or(0);
        match due.get(at).copied() {
            Some(contact) => self.within(call, contact, |this, call| {
                this.rotate(call, contact).map(drop)
            }),
            None => Ok(()),
        }
    }
}

/// What is to be done about the mailboxes of a conversation.
enum Lack {
    /// One more, for this.
    More(Role),
    /// This one is not needed.
    Fewer(MailboxId),
}
