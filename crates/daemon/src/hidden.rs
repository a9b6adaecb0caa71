//! Hidden profiles that are open, and the slots of a home (RFC 0014).
//!
//! Nothing here is logged, and no error names more than the folder of all slots.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hushwing_sansio::Entropy;
use hushwing_store::keys::{Cost, Passphrase};
use hushwing_store::slots::{COUNT, Databases, Hidden, Slot, SlotError, Slots};
use hushwing_transport::OsEntropy;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::deletion::no_such_profile;
use crate::error::{Error, ErrorKind};
use crate::home::Home;
use crate::installation::{Installation, check_name, parse_server};
use crate::profile::{Choices, Profile};
use crate::relay::Relay;
use crate::runtime::Runtime;

/// When slots are made after a start. They are made behind its back, so that a
/// start is quick, and hiding waits for them, so that their being there tells
/// nothing but that a daemon ran for so long.
const FIRST: Duration = Duration::from_secs(5);
/// How long it is between two settings of their times, on average, and when they
/// are tried again where there was no room for them.
const MINUTE: Duration = Duration::from_secs(60);
/// Bytes that must be free before any is made: as much again stays for messages.
const ROOM: u64 = 2 * 64 * 1024 * 1024;
/// How long hiding waits for them at most, and between two looks.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(100);

/// Version of the settings in a slot.
const VERSION: u32 = 1;

/// What stands in a slot beside the databases (`protocol/slots.md`, 4).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    version: u32,
    /// Addresses of the relays chosen for it, with their passwords.
    servers: Vec<String>,
    /// Whether it lay in files before, which may be there still.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) moving: bool,
}

/// A hidden profile somebody wants.
pub(crate) struct Order {
    pub(crate) name: String,
    pub(crate) passphrase: Passphrase,
    pub(crate) slot: Option<u8>,
}

/// One that is open, and what its caller shows from now on.
pub(crate) struct Shown {
    pub(crate) profile: Arc<Profile>,
    pub(crate) token: Zeroizing<String>,
}

/// Hidden profiles that are open.
pub(crate) struct HiddenProfiles {
    slots: Slots,
    open: Mutex<Vec<Opened>>,
}

struct Opened {
    profile: Arc<Profile>,
    slot: Arc<Slot>,
    passphrase: Passphrase,
    token: Zeroizing<String>,
}

impl Opened {
    fn shown(&self) -> Shown {
        Shown {
            profile: Arc::clone(&self.profile),
            token: self.token.clone(),
        }
    }
}

impl HiddenProfiles {
    pub(crate) fn of(home: &Home) -> Self {
        Self {
            slots: Slots::at(home.slots()),
            open: Mutex::default(),
        }
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// All that are open.
    pub(crate) fn all(&self) -> Vec<Arc<Profile>> {
        let open = self.open();
        open.iter().map(|one| Arc::clone(&one.profile)).collect()
    }

    /// The one that this token was given out for.
    pub(crate) fn seen_by(&self, token: &Passphrase) -> Option<Arc<Profile>> {
        let open = self.open();
        let mut seen = open
            .iter()
            .filter(|one| Passphrase::new(one.token.to_string()).is(token));
        seen.next().map(|one| Arc::clone(&one.profile))
    }

    /// One that is open already. Only who knows its passphrase learns this.
    fn known(&self, name: &str, passphrase: &Passphrase) -> Option<Shown> {
        let open = self.open();
        let mut known = open
            .iter()
            .filter(|one| one.passphrase.is(passphrase) && one.profile.name() == name);
        known.next().map(Opened::shown)
    }

    fn take(&self, profile: &Arc<Profile>) -> Option<Arc<Slot>> {
        let mut open = self.open();
        let at = open
            .iter()
            .position(|one| Arc::ptr_eq(&one.profile, profile))?;
        Some(open.remove(at).slot)
    }

    pub(crate) fn numbers(&self) -> Vec<u8> {
        self.open().iter().map(|one| one.slot.number()).collect()
    }

    /// Stops all, and forgets their keys.
    pub(crate) async fn close(&self) {
        let open = std::mem::take(&mut *self.open());
        for one in open {
            one.profile.end().await;
        }
        drop(self.slots.level());
    }

    /// A poisoned lock only means that another caller panicked; what it guards
    /// is changed by single calls.
    fn open(&self) -> MutexGuard<'_, Vec<Opened>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Installation {
    /// Opens the hidden profile of this name, unless it is open.
    pub(crate) async fn open_hidden(
        &self,
        name: &str,
        passphrase: Passphrase,
    ) -> Result<Shown, Error> {
        let _changing = self.changing.lock().await;
        if let Some(known) = self.hidden.known(name, &passphrase) {
            return Ok(known);
        }
        let slots = self.hidden.slots.clone();
        let (of, words) = (name.to_owned(), passphrase.clone());
        let opened = aside(move || slots.open(&of, &words, Cost::STANDARD, OsEntropy)).await?;
        let slot = opened.map_err(|error| self.told(name, error))?;
        if self.settings().profiles.iter().any(|one| one == name) {
            // Hiding it was cut short. Two copies must not both go on.
            let message = format!("a profile called {name} is there that is not hidden");
            let advice = format!("hide it again with `hushwing profile hide {name}`");
            return Err(Error::new(ErrorKind::Exists, message).with_advice(advice));
        }
        self.start_hidden(slot, passphrase).await
    }

    /// Makes a hidden profile, which is open then.
    pub(crate) async fn hide_profile(&self, order: Order) -> Result<Shown, Error> {
        check_name(&order.name)?;
        // Not under the lock, which a stop waits for.
        self.slots_made().await?;
        let _changing = self.changing.lock().await;
        if self.settings().profiles.contains(&order.name) {
            return Err(self.told(&order.name, SlotError::Exists));
        }
        let note = self.hidden_note(None)?.encode()?;
        let (slots, open) = (self.hidden.slots.clone(), self.hidden.numbers());
        let (name, passphrase) = (order.name.clone(), order.passphrase.clone());
        let hide = move || {
            let hidden = Hidden {
                name: &order.name,
                settings: &note,
                slot: order.slot,
                databases: Databases::default(),
                again: false,
            };
            slots.hide(&hidden, &open, &order.passphrase, Cost::STANDARD, OsEntropy)
        };
        let hidden = aside(hide).await?;
        let slot = hidden.map_err(|error| self.told(&name, error))?;
        self.start_hidden(slot, passphrase).await
    }

    /// Deletes a hidden profile that is open.
    pub(crate) async fn delete_hidden(&self, profile: &Arc<Profile>) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let slot = self.hidden.take(profile);
        let slot = slot.ok_or_else(|| no_such_profile(profile.name()))?;
        profile.end().await;
        let (slots, number) = (self.hidden.slots.clone(), slot.number());
        let erased = aside(move || slots.erase(number, &mut OsEntropy)).await?;
        erased.map_err(|error| self.told(profile.name(), error.into()))
    }

    pub(crate) async fn start_hidden(
        &self,
        slot: Arc<Slot>,
        passphrase: Passphrase,
    ) -> Result<Shown, Error> {
        let note = Note::of(&slot)?;
        if note.moving {
            self.begin_anew_in(Arc::clone(&slot)).await?;
            self.arrived(&slot)?;
        }
        let servers = note.servers.iter().map(|text| parse_server(text));
        let choices = Choices {
            servers: servers.collect::<Result<_, _>>()?,
            switches: self.settings().switches,
        };
        let runtime = Runtime {
            // A number of its own would be missing in the log.
            relays: Default::default(),
            ..self.runtime().clone()
        };
        let profile = Profile::start_hidden(Arc::clone(&slot), choices, runtime).await?;
        let opened = Opened {
            profile,
            slot,
            passphrase,
            token: token(),
        };
        let shown = opened.shown();
        self.hidden.open().push(opened);
        Ok(shown)
    }

    /// What a hidden profile keeps beside its databases: the relays chosen for all
    /// profiles, and for that one if it is there already. Never the embedded one: its
    /// files, which the home's key opens, would hold mailboxes that are nobody's.
    pub(crate) fn hidden_note(&self, of: Option<&str>) -> Result<Note, Error> {
        let embedded = Relay::stored_address(&self.home.relay()).ok();
        let mut servers = Vec::new();
        for setting in self.settings().servers {
            let address = parse_server(&setting.address)?;
            // By its key: it may be known under any host.
            let own = (embedded.as_ref())
                .is_some_and(|own| own.server.fingerprint == address.server.fingerprint);
            let chosen = setting.profile.is_none() || setting.profile.as_deref() == of;
            if chosen && !own && !servers.contains(&setting.address) {
                servers.push(setting.address);
            }
        }
        if servers.is_empty() {
            let message = "a hidden profile needs a relay that does not lie in this home";
            return Err(Error::new(ErrorKind::Usage, message)
                .with_advice("choose one for all profiles with `hushwing server add ADDRESS`"));
        }
        Ok(Note {
            version: VERSION,
            servers,
            moving: of.is_some(),
        })
    }

    /// Waits until every slot is there.
    pub(crate) async fn slots_made(&self) -> Result<(), Error> {
        let made = tokio::time::timeout(PATIENCE, async {
            while !self.hidden.slots.are_made()? {
                check_room(&self.hidden.slots)?;
                tokio::time::sleep(LOOK).await;
            }
            io::Result::Ok(())
        });
        match made.await {
            Ok(made) => made.map_err(|error| self.told("", error.into())),
            Err(_) => Err(Error::new(
                ErrorKind::Timeout,
                "the slots of this home are not made yet",
            )
            .with_advice("try again in a minute; `hushwing log` may tell why they are not")),
        }
    }

    pub(crate) fn told(&self, name: &str, error: SlotError) -> Error {
        let kind = match &error {
            SlotError::NotFound => return no_such_profile(name),
            SlotError::Exists => {
                let message = format!("a profile called {name} exists");
                return Error::new(ErrorKind::Exists, message);
            }
            SlotError::Io(error) => return Error::system("use", &self.home.slots(), error),
            SlotError::NoneFree => {
                return Error::new(ErrorKind::Usage, error.to_string())
                    .with_advice("name another slot, 0 to 7, or delete a profile first");
            }
            SlotError::TooLarge => {
                return Error::new(ErrorKind::Usage, error.to_string()).with_advice(
                    "delete conversations, or let messages disappear, and try again; \
                     nothing was changed",
                );
            }
            SlotError::EmptyPassphrase | SlotError::TooLong => ErrorKind::Usage,
            SlotError::Image(_) => ErrorKind::Damaged,
            SlotError::Cost => ErrorKind::Internal,
        };
        Error::new(kind, error.to_string())
    }
}

impl Note {
    pub(crate) fn of(slot: &Slot) -> Result<Self, Error> {
        let unreadable = |_| {
            let message = "the settings of the hidden profile cannot be understood";
            Error::new(ErrorKind::Damaged, message)
        };
        let note: Self = serde_json::from_slice(&slot.settings()).map_err(unreadable)?;
        if note.version != VERSION {
            let message = "the hidden profile is newer than this program";
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        Ok(note)
    }

    pub(crate) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        serde_json::to_vec(self)
            .map(Zeroizing::new)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("note: {error}")))
    }
}

fn token() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    OsEntropy.fill(bytes.as_mut());
    Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Works where a wait for the disk, or a second of thinking, hinders nobody.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::new(ErrorKind::Internal, "it ended early"))
}

/// Makes the slots of a home, and sets their times, until the daemon stops.
pub(crate) fn keep(slots: Slots, mut stop: watch::Receiver<bool>) {
    drop(slots.level());
    tokio::spawn(async move {
        let (mut rest, mut told) = (FIRST, false);
        while !stopped_within(rest, &mut stop).await {
            rest = by_chance(&mut OsEntropy);
            if let Err(error) = make(&slots, &stop).await {
                rest = MINUTE;
                if !std::mem::replace(&mut told, true) {
                    // Every home makes them, so this tells nothing.
                    tracing::warn!(kind = ?error.kind(), "the slots cannot be made yet");
                }
            }
        }
    });
}

async fn make(slots: &Slots, stop: &watch::Receiver<bool>) -> io::Result<()> {
    if !slots.are_made()? {
        check_room(slots)?;
    }
    for number in 0..COUNT {
        if *stop.borrow() {
            return Ok(());
        }
        let slots = slots.clone();
        let made = tokio::task::spawn_blocking(move || slots.make(number, &mut OsEntropy));
        made.await.map_err(io::Error::other)??;
    }
    slots.level()
}

/// Refuses to take the last room on a small disk.
fn check_room(slots: &Slots) -> io::Result<()> {
    let folder = slots.as_ref().parent().unwrap_or(slots.as_ref());
    let disk = rustix::fs::statvfs(folder)?;
    match disk.f_bavail.saturating_mul(disk.f_frsize) >= ROOM {
        true => Ok(()),
        false => Err(io::ErrorKind::StorageFull.into()),
    }
}

/// A time from one random moment to the next, such that none is likelier than
/// another.
fn by_chance(entropy: &mut dyn Entropy) -> Duration {
    let mut bytes = [0; 4];
    entropy.fill(&mut bytes);
    // Above 0, up to 1.
    let drawn = (f64::from(u32::from_be_bytes(bytes)) + 1.0) / (f64::from(u32::MAX) + 1.0);
    MINUTE.mul_f64(-drawn.ln())
}

/// Whether the daemon stopped, or is gone, before `rest` was over.
async fn stopped_within(rest: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    let stopped = stop.wait_for(|stop| *stop);
    tokio::time::timeout(rest, stopped).await.is_ok()
}
