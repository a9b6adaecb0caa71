//! The directory of a running server: queues that were asked for lately.
//!
//! Only the writer puts entries in, after the commit they belong to and in
//! that order, so an entry is never older than what storage holds.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use hushwing_relay::server::{Directory, Lookup, Name, QueueChange, QueueRecord};

type Entry = Option<Arc<QueueRecord>>;

/// Locks are held for the time of a look-up only; several of them keep cores
/// out of each other's way.
const SHARDS: usize = 16;

/// Two generations: what was not used while the younger one filled up goes.
#[derive(Default)]
struct Shard {
    young: HashMap<Name, Entry>,
    old: HashMap<Name, Entry>,
}

impl Shard {
    fn put(&mut self, name: Name, entry: Entry, limit: usize) {
        if self.young.len() >= limit {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, entry);
    }

    fn find(&mut self, name: &Name, limit: usize) -> Option<Entry> {
        if let Some(entry) = self.young.get(name) {
            return Some(entry.clone());
        }
        let (name, entry) = self.old.remove_entry(name)?;
        self.put(name, entry.clone(), limit);
        Some(entry)
    }
}

/// Queues, and names known to be of none, by name.
pub(super) struct Recent {
    shards: Vec<Mutex<Shard>>,
    limit: usize,
    hasher: RandomState,
}

impl Recent {
    /// Holds at most about `queues` queues under two names each.
    pub(super) fn new(queues: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            // A generation of a shard: half of its share, two names a queue.
            limit: (queues / SHARDS).max(1),
            hasher: RandomState::new(),
        }
    }

    /// Notes what storage said of `name`.
    pub(super) fn learn(&self, name: Name, queue: Entry) {
        let limit = self.limit;
        self.with(&name.clone(), |shard| {
            shard.old.remove(&name);
            shard.put(name, queue, limit);
        });
    }

    /// Notes what a transaction changed.
    pub(super) fn change(&self, change: QueueChange) {
        if let Some(before) = &change.before {
            names(before, |name| self.learn(name, None));
        }
        if let Some(after) = &change.after {
            names(after, |name| self.learn(name, Some(Arc::clone(after))));
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }

    fn with<T>(&self, name: &Name, run: impl FnOnce(&mut Shard) -> T) -> Option<T> {
        let at = usize::try_from(self.hasher.hash_one(name) % SHARDS as u64).ok()?;
        let shard = self.shards.get(at)?;
        Some(run(&mut shard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)))
    }
}

fn names(queue: &QueueRecord, mut each: impl FnMut(Name)) {
    each(Name::Recipient(queue.recipient_id));
    each(Name::Sender(queue.sender_id));
    if let Some(link) = &queue.link_id {
        each(Name::Link(link.clone()));
    }
}

impl Directory for Recent {
    fn find(&self, name: &Name) -> Lookup {
        match self
            .with(name, |shard| shard.find(name, self.limit))
            .flatten()
        {
            Some(entry) => Lookup::Known(entry),
            None => Lookup::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use hushwing_relay::server::Id;

    use super::*;

    fn name(number: u16) -> Name {
        let mut id = [0; 24];
        id[..2].copy_from_slice(&number.to_be_bytes());
        Name::Recipient(Id(id))
    }

    #[test]
    fn absence_is_known_once_learnt() {
        let recent = Recent::new(100);
        assert!(matches!(recent.find(&name(1)), Lookup::Unknown));
        recent.learn(name(1), None);
        assert!(matches!(recent.find(&name(1)), Lookup::Known(None)));
        recent.clear();
        assert!(matches!(recent.find(&name(1)), Lookup::Unknown));
    }

    #[test]
    fn memory_is_bounded_and_the_used_stays() {
        let recent = Recent::new(64);
        for number in 0..5_000 {
            recent.learn(name(number), None);
            recent.find(&name(0));
        }
        assert!(matches!(recent.find(&name(0)), Lookup::Known(None)));
        let held: usize = (recent.shards.iter())
            .map(|shard| shard.lock().unwrap())
            .map(|shard| shard.young.len() + shard.old.len())
            .sum();
        assert!(held <= 2 * 64, "{held}");
    }
}
