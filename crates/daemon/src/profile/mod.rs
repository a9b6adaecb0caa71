//! One running profile, as its callers see it.

mod copy;
mod machines;
mod missing;
mod shared;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hushwing_conversation::view::{ContactView, RoomView};
use hushwing_conversation::{Command, ContactId, Event, Incoming, Reply};
use hushwing_relay::address::ServerAddress;
use hushwing_sansio::StorageErrorKind;
use hushwing_store::keys::{MasterKey, Role};
use hushwing_store::slots::Slot;
use tokio::sync::{Mutex, broadcast, mpsc};

use self::machines::{Files, Keys, Machines};
use self::shared::Shared;
use crate::checkup;
use crate::error::{Error, ErrorKind, of_storage};
use crate::handle::refusal_by;
use crate::home::create_private;
use crate::inspection::{Fault, Verdict};
use crate::relays::Relays;
use crate::runtime::Runtime;
use crate::settings::Switches;

/// A profile: files, machines over them, and callers.
pub(crate) struct Profile {
    name: String,
    place: Place,
    runtime: Runtime,
    shared: Arc<Shared>,
    relays: Relays,
    state: Mutex<State>,
}

/// Where a profile's databases lie.
pub(crate) enum Place {
    /// Files in a folder.
    Folder { dir: PathBuf, keys: Keys },
    /// A slot, with the relays that were chosen when it was filled.
    Slot {
        slot: Arc<Slot>,
        servers: Vec<ServerAddress>,
    },
}

/// What a person chose for a profile.
#[derive(Clone)]
pub(crate) struct Choices {
    /// Where new mailboxes are made.
    pub(crate) servers: Vec<ServerAddress>,
    /// How it behaves towards contacts.
    pub(crate) switches: Switches,
}

/// What changes when machines are started anew.
struct State {
    choices: Choices,
    stage: Stage,
    /// Stops so far: whoever waited through one has no say any more.
    stops: u64,
    /// Why storage failed last.
    failed: Option<ErrorKind>,
}

enum Stage {
    Running {
        machines: Machines,
        commands: mpsc::Sender<Incoming>,
        since: Instant,
    },
    /// Storage failed; the machines are started again after a rest.
    Resting,
    Stopped,
}

/// First rest after storage failed; doubles with each failure in a row.
const FIRST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(30);
/// Machines that ran this long did not fail in a row.
const STEADY: Duration = Duration::from_secs(60);

impl Profile {
    /// Opens the profile's files in `dir` and starts its machines.
    pub(crate) async fn start(
        name: String,
        dir: PathBuf,
        key: &MasterKey,
        choices: Choices,
        runtime: Runtime,
    ) -> Result<Arc<Self>, Error> {
        create_private(&dir)
            .map_err(|error| Error::system("make the profile's folder", &dir, &error))?;
        let keys = Keys {
            profile: key.derive(Role::Profile, &name),
            relay: key.derive(Role::RelayClient, &name),
        };
        Self::begin(name, Place::Folder { dir, keys }, choices, runtime).await
    }

    /// Starts the machines of a profile that lies in a slot.
    pub(crate) async fn start_hidden(
        slot: Arc<Slot>,
        choices: Choices,
        runtime: Runtime,
    ) -> Result<Arc<Self>, Error> {
        let name = slot.name().to_string();
        let servers = choices.servers.clone();
        Self::begin(name, Place::Slot { slot, servers }, choices, runtime).await
    }

    async fn begin(
        name: String,
        place: Place,
        choices: Choices,
        runtime: Runtime,
    ) -> Result<Arc<Self>, Error> {
        let state = Mutex::new(State {
            choices,
            stage: Stage::Stopped,
            stops: 0,
            failed: None,
        });
        let profile = Arc::new(Self {
            name,
            place,
            relays: Relays::new(runtime.relays.clone()),
            runtime,
            shared: Arc::new(Shared::new()),
            state,
        });
        profile
            .start_machines(&mut *profile.state.lock().await, FIRST_REST)
            .await?;
        // Who is known is remembered from the answers.
        profile.ask(Command::Contacts).await?;
        profile.ask(Command::Requests).await?;
        profile.ask(Command::Rooms).await?;
        profile.ask(Command::Devices).await?;
        Ok(profile)
    }

    /// Starts the machines, and starts both anew whenever storage failed under
    /// one: each may have told the other things that the other then forgot, and
    /// a common restart is the one case both are made for.
    async fn start_machines(
        self: &Arc<Self>,
        state: &mut State,
        rest: Duration,
    ) -> Result<(), Error> {
        let choices = state.choices.clone();
        let switches = choices.switches;
        let files = Files {
            name: &self.name,
            place: &self.place,
        };
        let relays = self.relays.clone();
        let (machines, commands) =
            Machines::start(files, choices, &self.runtime, &self.shared, relays)?;
        for command in [
            Command::SetReadReceipts {
                on: switches.read_receipts,
            },
            Command::SetTyping {
                on: switches.typing,
            },
        ] {
            let ticket = self.shared.expect().0;
            let setting = Incoming::Ask { ticket, command };
            commands.send(setting).await.map_err(|_| stopping())?;
        }
        let (failed, profile) = (machines.failed(), Arc::downgrade(self));
        let stops = state.stops;
        state.stage = Stage::Running {
            machines,
            commands,
            since: Instant::now(),
        };
        tokio::spawn(async move {
            if let Some(kind) = failed.await {
                restart(profile, stops, kind, rest).await;
            }
        });
        Ok(())
    }

    /// Stops the machines, if any run, and leaves `next` in their place.
    async fn stop_machines(&self, state: &mut State, next: Stage) {
        state.stops += 1;
        let stage = std::mem::replace(&mut state.stage, next);
        if let Stage::Running {
            machines, commands, ..
        } = stage
        {
            drop(commands);
            machines.stop().await;
        }
        self.shared.abandon();
    }

    /// Goes by other choices from now on. If the machines cannot start with
    /// them, they are tried again as after a failure of storage.
    pub(crate) async fn choose(self: &Arc<Self>, choices: Choices) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        self.stop_machines(&mut state, Stage::Resting).await;
        state.choices = choices;
        let started = self.start_machines(&mut state, FIRST_REST).await;
        if let Err(error) = &started {
            state.failed = Some(error.kind());
            tokio::spawn(retry(Arc::downgrade(self), state.stops, FIRST_REST));
        }
        started
    }

    /// The profile's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// As [`storage_failed`], told of this profile.
    fn storage_failed(&self, kind: Option<ErrorKind>) -> Error {
        match kind {
            Some(ErrorKind::DiskFull) if self.is_hidden() => {
                Error::new(ErrorKind::DiskFull, "this profile has no room for more").with_advice(
                    "let old messages disappear, or remove a contact; nothing accepted was lost",
                )
            }
            kind => storage_failed(kind),
        }
    }

    /// Whether its being there is a secret.
    pub(crate) fn is_hidden(&self) -> bool {
        matches!(self.place, Place::Slot { .. })
    }

    /// The relays of a hidden profile; none where others are chosen for it.
    pub(crate) fn own_servers(&self) -> &[ServerAddress] {
        match &self.place {
            Place::Folder { .. } => &[],
            Place::Slot { servers, .. } => servers,
        }
    }

    /// Asks the conversation machine and waits for its answer.
    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, Error> {
        let commands = {
            let state = self.state.lock().await;
            match &state.stage {
                Stage::Running { commands, .. } => commands.clone(),
                Stage::Resting => return Err(self.storage_failed(state.failed)),
                Stage::Stopped => return Err(stopping()),
            }
        };
        let (ticket, answered) = self.shared.expect();
        commands
            .send(Incoming::Ask { ticket, command })
            .await
            .map_err(|_| stopping())?;
        match answered.await {
            Ok(answer) => answer.map_err(|why| refusal_by(why, &self.relays)),
            Err(_) => Err(self.storage_failed(self.state.lock().await.failed)),
        }
    }

    /// How it stands with relays.
    pub(crate) fn relays(&self) -> &Relays {
        &self.relays
    }

    /// Everybody known, also those who only asked.
    pub(crate) fn contacts(&self) -> Vec<ContactView> {
        self.shared.contacts()
    }

    /// Somebody was turned away.
    pub(crate) fn forget(&self, contact: ContactId) {
        self.shared.forget(contact);
    }

    /// Whether another device of its account threw this one out.
    pub(crate) fn is_revoked(&self) -> bool {
        self.shared.is_revoked()
    }

    /// All groups, those offered included.
    pub(crate) fn rooms(&self) -> Vec<RoomView> {
        self.shared.rooms()
    }

    /// Id and name of a conversation that is, or was until lately.
    pub(crate) fn known_as(&self, place: ContactId) -> Option<(String, String)> {
        self.shared.known_as(place)
    }

    /// Shown names of contacts, groups and their members: one sequence numbers
    /// all of them.
    pub(crate) fn names(&self) -> BTreeMap<ContactId, String> {
        let mut names = BTreeMap::new();
        for room in self.rooms() {
            let members = room.members.into_iter();
            names.extend(members.map(|member| (ContactId(member.member.0), member.name)));
            // Behind them: in a channel one has no other number oneself.
            names.insert(room.room.place(), room.name);
        }
        let contacts = self.contacts().into_iter();
        names.extend(contacts.map(|contact| (contact.contact, contact.name)));
        names
    }

    /// Whether `profile.db` and `relay.db` are sound. Slow.
    pub(crate) async fn inspect(self: &Arc<Self>) -> [Verdict; 2] {
        // Machines may end under the question, and rest then.
        for _ in 0..10 {
            if let Some(verdicts) = self.try_to_inspect().await {
                return verdicts;
            }
            tokio::time::sleep(FIRST_REST).await;
        }
        [Err(Fault::Storage(StorageErrorKind::Failed)); 2]
    }

    async fn try_to_inspect(self: &Arc<Self>) -> Option<[Verdict; 2]> {
        let inspection = {
            let state = self.state.lock().await;
            match &state.stage {
                Stage::Running { machines, .. } => machines.inspection(),
                // Nobody opens the files as long as the state is held.
                Stage::Resting | Stage::Stopped => {
                    let profile = Arc::clone(self);
                    let look = move || match &profile.place {
                        Place::Folder { dir, keys } => {
                            checkup::closed_profile(dir, [&keys.profile, &keys.relay])
                        }
                        Place::Slot { .. } => {
                            [Some(Err(Fault::Storage(StorageErrorKind::Failed))); 2]
                        }
                    };
                    let found = tokio::task::spawn_blocking(look).await.ok()?;
                    return Some(found.map(|verdict| verdict.unwrap_or(Ok(()))));
                }
            }
        };
        let [conversations, mailboxes] = inspection.ask().await;
        // Something that needs a transaction; what it answers is of no matter.
        let _ = self.ask(Command::Contacts).await;
        Some([conversations.await.ok()?, mailboxes.await.ok()?])
    }

    /// Everything that happens from now on.
    pub(crate) fn events(&self) -> Events {
        Events(self.shared.subscribe())
    }

    /// Stops for good, and ends the streams of those who listen.
    pub(crate) async fn end(&self) {
        self.stop().await;
        self.shared.end();
    }

    /// Stops the machines after the transactions at hand.
    pub(crate) async fn stop(&self) {
        let mut state = self.state.lock().await;
        self.stop_machines(&mut state, Stage::Stopped).await;
    }
}

/// Stops a profile's machines after their storage failed, unless they were
/// stopped before, and starts them anew. Boxed, because starting watches for the
/// next time this is needed.
fn restart(
    profile: Weak<Profile>,
    stops: u64,
    kind: StorageErrorKind,
    mut rest: Duration,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let stops = {
            let Some(profile) = profile.upgrade() else {
                return;
            };
            let mut state = profile.state.lock().await;
            let Stage::Running { since, .. } = state.stage else {
                return;
            };
            if state.stops != stops {
                return;
            }
            if since.elapsed() > STEADY {
                rest = FIRST_REST;
            }
            state.failed = Some(of_storage(kind));
            profile.stop_machines(&mut state, Stage::Resting).await;
            state.stops
        };
        retry(profile, stops, rest).await;
    })
}

/// Starts a profile's machines, with growing rests, until that works or somebody
/// else stops or starts them.
async fn retry(profile: Weak<Profile>, stops: u64, mut rest: Duration) {
    loop {
        tokio::time::sleep(rest).await;
        rest = (rest * 2).min(LONGEST_REST);
        let Some(profile) = profile.upgrade() else {
            return;
        };
        let mut state = profile.state.lock().await;
        if state.stops != stops || !matches!(state.stage, Stage::Resting) {
            return;
        }
        match profile.start_machines(&mut state, rest).await {
            Ok(()) => return,
            Err(error) => {
                if !profile.is_hidden() {
                    tracing::error!(%error, "cannot start the profile again");
                }
                state.failed = Some(error.kind());
            }
        }
    }
}

/// A subscription to a profile's events.
pub(crate) struct Events(broadcast::Receiver<Arc<Event>>);

/// What a subscriber sees next.
pub(crate) enum Seen {
    /// An event.
    Event(Arc<Event>),
    /// So many events went by unseen: the subscriber was too slow.
    Missed(u64),
}

impl Events {
    /// What comes next; `None` once the profile is gone.
    pub(crate) async fn next(&mut self) -> Option<Seen> {
        match self.0.recv().await {
            Ok(event) => Some(Seen::Event(event)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Seen::Missed(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// Waits until `wanted` makes something of what is seen.
    pub(crate) async fn until<T>(
        &mut self,
        mut wanted: impl FnMut(&Seen) -> Option<T>,
    ) -> Result<T, Error> {
        loop {
            let seen = self.next().await.ok_or_else(stopping)?;
            if let Some(found) = wanted(&seen) {
                return Ok(found);
            }
        }
    }
}

/// A reply of another kind than the command's.
pub(crate) fn unexpected() -> Error {
    Error::new(
        ErrorKind::Internal,
        "the conversation gave an answer of another kind",
    )
}

fn stopping() -> Error {
    Error::new(ErrorKind::DaemonNotRunning, "the daemon is stopping")
}

/// Nobody knows whether what was asked became durable.
fn storage_failed(kind: Option<ErrorKind>) -> Error {
    match kind {
        Some(ErrorKind::DiskFull) => Error::new(
            ErrorKind::DiskFull,
            "the disk is full: nothing can be stored",
        ),
        kind => Error::new(
            kind.unwrap_or(ErrorKind::Internal),
            "the answer was lost: storage failed or stopped",
        )
        .with_advice("look whether it was done before trying again; `hushwing log` may tell why"),
    }
}
