//! One running profile, as its callers see it.

mod machines;
mod shared;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Weak};

use hushwing_conversation::view::ContactView;
use hushwing_conversation::{Command, ContactId, Event, Incoming, Reply};
use hushwing_relay::address::ServerAddress;
use hushwing_store::keys::{MasterKey, Role};
use tokio::sync::{Mutex, broadcast, mpsc};

use self::machines::{Files, Keys, Machines};
use self::shared::Shared;
use crate::error::{Error, ErrorKind};
use crate::handle::refusal;
use crate::home::create_private;
use crate::runtime::Runtime;
use crate::settings::Switches;

/// A profile: files, machines over them, and callers.
pub(crate) struct Profile {
    name: String,
    dir: PathBuf,
    keys: Keys,
    runtime: Runtime,
    shared: Arc<Shared>,
    state: Mutex<State>,
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
    running: Option<(Machines, mpsc::Sender<Incoming>)>,
}

impl Profile {
    /// Opens the profile's files in `dir` and starts its machines.
    pub(crate) async fn start(
        name: String,
        dir: PathBuf,
        key: &MasterKey,
        choices: Choices,
        runtime: Runtime,
    ) -> Result<Arc<Self>, Error> {
        create_private(&dir).map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                format!("cannot make the profile's folder: {error}"),
            )
        })?;
        let keys = Keys {
            profile: key.derive(Role::Profile, &name),
            relay: key.derive(Role::RelayClient, &name),
        };
        let state = Mutex::new(State {
            choices,
            running: None,
        });
        let profile = Arc::new(Self {
            name,
            dir,
            keys,
            runtime,
            shared: Arc::new(Shared::new()),
            state,
        });
        profile.start_machines().await?;
        // Who is known is remembered from the answers.
        profile.ask(Command::Contacts).await?;
        profile.ask(Command::Requests).await?;
        Ok(profile)
    }

    /// Starts the machines, and starts both anew whenever one had to be opened
    /// again: each may have told the other things that the other then forgot,
    /// and a common restart is the one case both are made for.
    async fn start_machines(self: &Arc<Self>) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        let choices = state.choices.clone();
        let read_receipts = choices.switches.read_receipts;
        let files = Files {
            name: &self.name,
            dir: &self.dir,
            keys: &self.keys,
        };
        let running = Machines::start(files, choices, &self.runtime, &self.shared)?;
        let setting = Incoming::Ask {
            ticket: self.shared.expect().0,
            command: Command::SetReadReceipts { on: read_receipts },
        };
        running.1.send(setting).await.map_err(|_| stopping())?;
        let (reopened, profile) = (running.0.reopened(), Arc::downgrade(self));
        state.running = Some(running);
        tokio::spawn(async move {
            reopened.await;
            restart(profile).await;
        });
        Ok(())
    }

    async fn stop_machines(&self) {
        let running = self.state.lock().await.running.take();
        if let Some((machines, commands)) = running {
            drop(commands);
            machines.stop().await;
        }
        self.shared.abandon();
    }

    /// Goes by other choices from now on.
    pub(crate) async fn choose(self: &Arc<Self>, choices: Choices) -> Result<(), Error> {
        self.stop_machines().await;
        self.state.lock().await.choices = choices;
        self.start_machines().await
    }

    /// The profile's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Asks the conversation machine and waits for its answer.
    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, Error> {
        let commands = self
            .state
            .lock()
            .await
            .running
            .as_ref()
            .map(|(_, commands)| commands.clone());
        let commands = commands.ok_or_else(stopping)?;
        let (ticket, answered) = self.shared.expect();
        commands
            .send(Incoming::Ask { ticket, command })
            .await
            .map_err(|_| stopping())?;
        match answered.await {
            Ok(answer) => answer.map_err(refusal),
            Err(_) => Err(Error::new(
                ErrorKind::Internal,
                "the answer was lost: storage failed or stopped",
            )
            .with_advice(
                "look whether it was done before trying again; `hushwing log` may tell why",
            )),
        }
    }

    /// Everybody known, also those who only asked.
    pub(crate) fn contacts(&self) -> Vec<ContactView> {
        self.shared.contacts()
    }

    /// Somebody was turned away.
    pub(crate) fn forget(&self, contact: ContactId) {
        self.shared.forget(contact);
    }

    /// Shown names by contact.
    pub(crate) fn names(&self) -> BTreeMap<ContactId, String> {
        self.contacts()
            .into_iter()
            .map(|contact| (contact.contact, contact.name))
            .collect()
    }

    /// Everything that happens from now on.
    pub(crate) fn events(&self) -> Events {
        Events(self.shared.subscribe())
    }

    /// Stops the machines after the transactions at hand.
    pub(crate) async fn stop(&self) {
        self.stop_machines().await;
    }
}

/// Starts a profile's machines anew, unless it is gone or was stopped. Boxed,
/// because starting watches for the next time this is needed.
fn restart(profile: Weak<Profile>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let Some(profile) = profile.upgrade() else {
            return;
        };
        if profile.state.lock().await.running.is_none() {
            return;
        }
        profile.stop_machines().await;
        if let Err(error) = profile.start_machines().await {
            tracing::error!(%error, "cannot start the profile again");
        }
    })
}

/// A subscription to a profile's events.
pub(crate) struct Events(broadcast::Receiver<Arc<Event>>);

impl Events {
    /// The next event; `None` once the profile is gone. A face that lags far
    /// behind misses the oldest.
    pub(crate) async fn next(&mut self) -> Option<Arc<Event>> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "a face was too slow and missed events");
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// Waits until `wanted` makes something of an event.
    pub(crate) async fn until<T>(
        &mut self,
        mut wanted: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, Error> {
        loop {
            let event = self.next().await.ok_or_else(stopping)?;
            if let Some(found) = wanted(&event) {
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
