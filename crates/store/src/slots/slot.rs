//! A slot whose passphrase was given, while it is open.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hushwing_sansio::Entropy;
use zeroize::Zeroizing;

use super::Slots;
use super::image::Image;
use super::seal::{HALF, Half, SLOT, SlotKey};

/// Where nonces and fillings come from for as long as a slot is open.
pub(crate) type Chance = Box<dyn Entropy + Send>;

/// One of the two databases in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Profile,
    Relay,
}

/// An open slot: what was sealed last, and the key to seal what comes next.
pub struct Slot {
    slots: Slots,
    number: u8,
    state: Mutex<State>,
}

struct State {
    key: SlotKey,
    /// What is on the disk.
    durable: Image,
    /// The half it lies in.
    newer: Half,
    /// A half, to be sealed in.
    buffer: Vec<u8>,
    entropy: Chance,
    /// Which databases are in use.
    taken: [bool; 2],
}

impl Slot {
    pub(crate) fn new(
        slots: Slots,
        number: u8,
        key: SlotKey,
        (newer, durable): (Half, Image),
        entropy: Chance,
    ) -> Arc<Self> {
        let state = Mutex::new(State {
            key,
            durable,
            newer,
            buffer: vec![0; HALF],
            entropy,
            taken: [false; 2],
        });
        Arc::new(Self {
            slots,
            number,
            state,
        })
    }

    /// Which of the eight it is. Never to be shown, logged or stored.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.number
    }

    /// The name of the profile in it.
    #[must_use]
    pub fn name(&self) -> Zeroizing<String> {
        self.state().durable.name.clone()
    }

    /// What was put there when it was filled, or since.
    #[must_use]
    pub fn settings(&self) -> Zeroizing<Vec<u8>> {
        self.state().durable.settings.clone()
    }

    /// Makes other settings durable. They are of the length that an image may hold.
    ///
    /// # Errors
    ///
    /// When the slot cannot be written; it is as it was then.
    pub fn set_settings(&self, settings: &[u8]) -> io::Result<()> {
        let settings = Zeroizing::new(settings.to_vec());
        self.change(|image| image.settings = settings)
    }

    /// Lends one of its databases, to one user at a time.
    pub(crate) fn take(self: &Arc<Self>, part: Part) -> Option<Lease> {
        let mut state = self.state();
        let [profile, relay] = &mut state.taken;
        let taken = match part {
            Part::Profile => profile,
            Part::Relay => relay,
        };
        if std::mem::replace(taken, true) {
            return None;
        }
        let slot = Arc::clone(self);
        Some(Lease { slot, part })
    }

    /// Seals what `change` makes of the image into the older half. It counts
    /// once it is synced; whatever fails, the newer half is as it was.
    fn change(&self, change: impl FnOnce(&mut Image)) -> io::Result<()> {
        let mut state = self.state();
        let state = &mut *state;
        let mut next = state.durable.clone();
        change(&mut next);
        next.sequence = next.sequence.checked_add(1).ok_or_else(full)?;
        let half = state.newer.other();
        let entropy = &mut *state.entropy;
        (state.key)
            .seal(half, &next, &mut state.buffer, entropy)
            .ok_or_else(full)?;
        let file = writable(&self.slots, self.number)?;
        let written = file.write_all_at(&state.buffer, half.offset() as u64);
        // At once, and whatever became of it: this slot must not stand out. Where
        // it fails, the next change and the next moment try again.
        drop(self.slots.level());
        written?;
        file.sync_data()?;
        state.durable = next;
        state.newer = half;
        Ok(())
    }

    /// A poisoned lock only means that another caller panicked; what it guards
    /// changes once all that can fail is over.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot(..)")
    }
}

/// One database of an open slot, for its one user.
pub(crate) struct Lease {
    slot: Arc<Slot>,
    part: Part,
}

impl Lease {
    /// Which one it is.
    pub(crate) fn part(&self) -> Part {
        self.part
    }

    /// What is durable of it.
    pub(crate) fn durable(&self) -> Zeroizing<Vec<u8>> {
        let state = self.slot.state();
        match self.part {
            Part::Profile => state.durable.profile.clone(),
            Part::Relay => state.durable.relay.clone(),
        }
    }

    /// Makes `database` durable in its place.
    pub(crate) fn put(&self, database: &[u8]) -> io::Result<()> {
        let database = Zeroizing::new(database.to_vec());
        self.slot.change(|image| match self.part {
            Part::Profile => image.profile = database,
            Part::Relay => image.relay = database,
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.slot.state();
        let [profile, relay] = &mut state.taken;
        match self.part {
            Part::Profile => *profile = false,
            Part::Relay => *relay = false,
        }
    }
}

/// The file of a slot, which exists and has the one size.
pub(crate) fn writable(slots: &Slots, number: u8) -> io::Result<File> {
    let file = OpenOptions::new().write(true).open(slots.path(number))?;
    // What would make it longer, or fill a hole, would tell.
    match file.metadata()?.len() == SLOT as u64 {
        true => Ok(file),
        false => Err(io::Error::other("a slot has another size")),
    }
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}
