//! What a profile's tasks and its callers share: who waits for which answer,
//! who is known, who listens.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hushwing_conversation::view::{ContactView, DevicesView, RoomView};
use hushwing_conversation::{ContactId, Event, Refusal, Reply, RoomId, RoomStanding, Ticket};
use tokio::sync::{broadcast, oneshot};

/// Events a slow face may lag behind before it misses some.
const BACKLOG: usize = 4_096;

/// Of so many that were forgotten last faces can still tell what they were called.
const REMEMBERED: usize = 64;

pub(super) type Answer = Result<Reply, Refusal>;

/// See the module.
pub(super) struct Shared {
    tickets: AtomicU64,
    waiting: Mutex<HashMap<Ticket, oneshot::Sender<Answer>>>,
    contacts: Mutex<BTreeMap<ContactId, ContactView>>,
    rooms: Mutex<BTreeMap<RoomId, RoomView>>,
    /// Conversations that were forgotten, by place: id and name.
    gone: Mutex<VecDeque<(ContactId, String, String)>>,
    /// Whether another device threw this one out.
    revoked: AtomicBool,
    /// None once the profile is deleted.
    events: Mutex<Option<broadcast::Sender<Arc<Event>>>>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            tickets: AtomicU64::new(0),
            waiting: Mutex::default(),
            contacts: Mutex::default(),
            rooms: Mutex::default(),
            gone: Mutex::default(),
            revoked: AtomicBool::new(false),
            events: Mutex::new(Some(broadcast::channel(BACKLOG).0)),
        }
    }

    /// A new ticket and where its answer will come.
    pub(super) fn expect(&self) -> (Ticket, oneshot::Receiver<Answer>) {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).insert(ticket, answer);
        (ticket, answered)
    }

    /// No answers will come any more: whoever waits is told so.
    pub(super) fn abandon(&self) {
        lock(&self.waiting).clear();
    }

    /// Takes in what the conversation machine told the faces.
    pub(super) fn tell(&self, event: Event) {
        match event {
            Event::Answer { ticket, answer } => {
                match &answer {
                    Ok(Reply::Contact(contact) | Reply::Joined(contact)) => self.keep(contact),
                    Ok(Reply::Contacts(contacts)) => contacts.iter().for_each(|one| self.keep(one)),
                    Ok(Reply::Room(room)) => self.keep_room(room),
                    Ok(Reply::Devices(devices)) => self.keep_devices(devices),
                    Ok(Reply::Rooms(rooms)) => rooms.iter().for_each(|one| self.keep_room(one)),
                    _ => {}
                }
                if let Some(asker) = lock(&self.waiting).remove(&ticket) {
                    // It fails where the caller's connection is gone.
                    let _ = asker.send(answer);
                }
                return;
            }
            Event::Contact(ref contact) | Event::Requested(ref contact) => self.keep(contact),
            Event::RequestLapsed { contact } => self.forget(contact),
            Event::Room(ref room) | Event::RoomOffered(ref room) => self.keep_room(room),
            Event::Devices(ref devices) => self.keep_devices(devices),
            Event::RoomForgotten { room } => {
                if let Some(room) = lock(&self.rooms).remove(&room) {
                    let id = room.conversation.to_string();
                    self.remember(room.room.place(), id, room.name);
                }
            }
            _ => {}
        }
        if let Some(events) = &*lock(&self.events) {
            // It fails where no face listens.
            let _ = events.send(Arc::new(event));
        }
    }

    fn keep(&self, contact: &ContactView) {
        lock(&self.contacts).insert(contact.contact, contact.clone());
    }

    fn keep_room(&self, room: &RoomView) {
        lock(&self.rooms).insert(room.room, room.clone());
    }

    fn keep_devices(&self, devices: &DevicesView) {
        let revoked = devices.standing == Some(RoomStanding::Left);
        self.revoked.store(revoked, Ordering::Relaxed);
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }

    /// All groups, those offered included.
    pub(super) fn rooms(&self) -> Vec<RoomView> {
        lock(&self.rooms).values().cloned().collect()
    }

    /// Somebody is not known any more.
    pub(super) fn forget(&self, contact: ContactId) {
        if let Some(gone) = lock(&self.contacts).remove(&contact) {
            self.remember(contact, gone.conversation.to_string(), gone.name);
        }
    }

    fn remember(&self, place: ContactId, id: String, name: String) {
        let mut gone = lock(&self.gone);
        gone.truncate(REMEMBERED - 1);
        gone.push_front((place, id, name));
    }

    /// Id and name of a conversation that is, or was until lately.
    pub(super) fn known_as(&self, place: ContactId) -> Option<(String, String)> {
        if let Some(contact) = lock(&self.contacts).get(&place) {
            return Some((contact.conversation.to_string(), contact.name.clone()));
        }
        let gone = lock(&self.gone);
        let found = gone.iter().find(|(one, ..)| *one == place);
        found.map(|(_, id, name)| (id.clone(), name.clone()))
    }

    /// Everybody known.
    pub(super) fn contacts(&self) -> Vec<ContactView> {
        lock(&self.contacts).values().cloned().collect()
    }

    /// Everything that happens from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        match &*lock(&self.events) {
            Some(events) => events.subscribe(),
            // One whose sender is gone already.
            None => broadcast::channel(1).1,
        }
    }

    /// Nothing will happen any more: whoever listens is told so.
    pub(super) fn end(&self) {
        lock(&self.events).take();
    }
}

/// A poisoned lock only means that another caller panicked; what these guard
/// is changed by single calls, so it is never half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
