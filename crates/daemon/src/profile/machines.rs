//! The machines of one profile and the tasks that carry between them.
//!
//! When storage failed under one machine, [`Machines::failed`] makes the profile
//! stop and open both: each may have told the other what the other then forgot.
//! So no network starts anew alone, which is what [`Incoming::NetworkLost`]
//! would be for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hushwing_conversation::{Config, Incoming, Messenger, Outgoing};
use hushwing_delivery::{FetchFailure, NetworkCommand, NetworkEvent, NetworkTag, SendId};
use hushwing_relay::Client;
use hushwing_sansio::StorageErrorKind;
use hushwing_store::ProfileStore;
use hushwing_store::keys::FileKey;
use hushwing_transport::{DriveConfig, DriveStatus, Driving, drive, drive_observed};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::missing::{self, Found};
use super::shared::Shared;
use super::{Choices, Place};
use crate::copying::{Copier, copies};
use crate::error::Error;
use crate::inspection::{Inspector, Verdict, inspections};
use crate::lent::{LentProfile, LentRelayClient};
use crate::relays::Relays;
use crate::runtime::Runtime;
use crate::settings::Switches;

/// On how many relays a conversation has a mailbox: with each one more server sees
/// it, and two do not fail together.
const MAILBOXES: usize = 2;
/// Commands and events under way between machines before the sender waits.
const QUEUE: usize = 256;

/// The keys of a profile's files.
pub(crate) struct Keys {
    pub(super) profile: FileKey,
    pub(super) relay: FileKey,
}

/// A profile's files.
pub(super) struct Files<'a> {
    pub(super) name: &'a str,
    pub(super) place: &'a Place,
}

/// Running machines.
pub(super) struct Machines {
    messenger: Driving,
    relay: Driving,
    tasks: Vec<JoinHandle<()>>,
    /// Of `profile.db` and `relay.db`.
    inspectors: [Inspector; 2],
    /// Of the same.
    copiers: [Copier; 2],
    relay_commands: mpsc::Sender<NetworkCommand>,
}

/// Asks the owners of a profile's files whether they are sound.
pub(super) struct Inspection {
    inspectors: [Inspector; 2],
    relay_commands: mpsc::Sender<NetworkCommand>,
}

impl Inspection {
    /// Asks; the first answer comes with the next transaction of the
    /// conversation machine.
    pub(super) async fn ask(&self) -> [oneshot::Receiver<Verdict>; 2] {
        let answers = self.inspectors.each_ref().map(Inspector::ask);
        nudge(&self.relay_commands).await;
        answers
    }
}

/// Has the relay client make a transaction, which an idle one makes none of.
pub(super) async fn nudge(relay_commands: &mpsc::Sender<NetworkCommand>) {
    let nothing = NetworkCommand::Cancel {
        send: SendId(u64::MAX),
    };
    // It fails where the client has ended, which the answer tells.
    let _ = relay_commands.send(nothing).await;
}

impl Machines {
    /// Opens the files in `dir` and drives a machine over each. What is sent
    /// into the returned channel reaches the conversation machine.
    pub(super) fn start(
        files: Files<'_>,
        choices: Choices,
        runtime: &Runtime,
        shared: &Arc<Shared>,
        relays: Relays,
    ) -> Result<(Self, mpsc::Sender<Incoming>), Error> {
        let (store, found) = open(files.place)?;
        let quiet = matches!(files.place, Place::Slot { .. });
        let config_of = |name| DriveConfig {
            quiet,
            ..DriveConfig::new(name, runtime.connector.clone(), runtime.clock)
        };
        let servers = choices.servers;
        let places: BTreeSet<_> = servers.iter().map(|known| &known.server).collect();
        let config = conversation_config(files.name, choices.switches, places.len());
        let (inspector, asked_of_profile) = inspections();
        let (relay_inspector, asked_of_relay) = inspections();
        let (copier, profile_copies) = copies();
        let (relay_copier, relay_copies) = copies();
        let (commands, asked) = mpsc::channel(QUEUE);
        let (relay_commands, relay_asked) = mpsc::channel(QUEUE);
        let (told, outgoing) = mpsc::channel(QUEUE);
        let (relay_told, relay_events) = mpsc::channel(QUEUE);
        let messenger = drive(
            config_of("messenger"),
            LentProfile(store, asked_of_profile, profile_copies),
            move |storage| Messenger::open(storage, config.clone()),
            asked,
            told,
        )?;
        let relay = drive_observed(
            config_of("relay client"),
            LentRelayClient(found.store, asked_of_relay, relay_copies),
            move |storage| Client::open(servers.clone(), storage),
            move |client: &Client| relays.observe(client),
            relay_asked,
            relay_told,
        )?;
        let tasks = vec![
            spawn(
                quiet,
                carry_out(
                    outgoing,
                    relay_commands.clone(),
                    commands.clone(),
                    Arc::clone(shared),
                ),
            ),
            spawn(
                quiet,
                carry_in(NetworkTag::RELAY, relay_events, commands.clone()),
            ),
            spawn(quiet, missing::tell(found.missing, commands.clone())),
            spawn(quiet, missing::close(found.left, relay_commands.clone())),
        ];
        Ok((
            Self {
                messenger,
                relay,
                tasks,
                inspectors: [inspector, relay_inspector],
                copiers: [copier, relay_copier],
                relay_commands,
            },
            commands,
        ))
    }

    /// Resolves once storage failed under either machine, with the kind, or
    /// without one when both were stopped.
    pub(super) fn failed(&self) -> impl Future<Output = Option<StorageErrorKind>> + Send + 'static {
        let (messenger, relay) = (self.messenger.status(), self.relay.status());
        async move {
            tokio::select! {
                Some(kind) = failing(messenger) => Some(kind),
                Some(kind) = failing(relay) => Some(kind),
                else => None,
            }
        }
    }

    /// The way to ask whether `profile.db` and `relay.db` are sound.
    pub(super) fn inspection(&self) -> Inspection {
        Inspection {
            inspectors: self.inspectors.clone(),
            relay_commands: self.relay_commands.clone(),
        }
    }

    /// The way to ask for copies of `profile.db` and `relay.db`.
    pub(super) fn copying(&self) -> ([Copier; 2], mpsc::Sender<NetworkCommand>) {
        (self.copiers.clone(), self.relay_commands.clone())
    }

    /// Stops both after the transactions at hand and waits for their files.
    pub(super) async fn stop(self) {
        self.messenger.stop().await;
        self.relay.stop().await;
        for task in self.tasks {
            task.abort();
        }
    }
}

/// The databases of a profile, and what one of them lost.
fn open(place: &Place) -> Result<(ProfileStore, Found), Error> {
    match place {
        Place::Folder { dir, keys } => {
            let store = ProfileStore::open(&dir.join("profile.db"), &keys.profile)?;
            let found = missing::open(dir, &keys.relay, &store)?;
            Ok((store, found))
        }
        Place::Slot { slot, .. } => {
            let store = ProfileStore::open_in(slot)?;
            let found = missing::open_in(slot, &store)?;
            Ok((store, found))
        }
    }
}

/// How the conversations of a profile with so many relays are held.
fn conversation_config(name: &str, switches: Switches, relays: usize) -> Config {
    let several = switches.several_mailboxes;
    let mailboxes = if several {
        relays.clamp(1, MAILBOXES)
    } else {
        1
    };
    let mut config = Config {
        name: name.to_owned(),
        mailboxes,
        // Apart from the others where there is one more relay. Where there is none it is
        // still what who put an old backup back finds its contacts by.
        recovery: true,
        in_parallel: switches.send_in_parallel,
        ..Config::default()
    };
    if switches.prompt_receipts {
        config.receipt_delay = (Duration::ZERO, Duration::ZERO);
    }
    config
}

/// Why storage failed; `None` if the driver ended first.
async fn failing(mut status: watch::Receiver<DriveStatus>) -> Option<StorageErrorKind> {
    let failed = |status: &DriveStatus| status.failing.is_some() || status.opened > 1;
    let status = status.wait_for(failed).await.ok()?;
    Some(status.failing.unwrap_or(StorageErrorKind::Failed))
}

/// Carries what the conversation machine says: to a network, to who asked, and
/// to every face.
async fn carry_out(
    mut outgoing: mpsc::Receiver<Outgoing>,
    relay: mpsc::Sender<NetworkCommand>,
    commands: mpsc::Sender<Incoming>,
    shared: Arc<Shared>,
) {
    while let Some(said) = outgoing.recv().await {
        match said {
            Outgoing::Network {
                network: NetworkTag::RELAY,
                command,
            } => {
                if relay.send(command).await.is_err() {
                    return;
                }
            }
            // A link to a network this daemon does not run yet is newer than it.
            Outgoing::Network {
                network,
                command: NetworkCommand::Fetch { fetch, .. },
            } => {
                let reason = FetchFailure::Unreadable;
                let event = NetworkEvent::FetchFailed { fetch, reason };
                let commands = commands.clone();
                // Not waited for: the machine may be waiting for this task.
                tokio::spawn(
                    async move { commands.send(Incoming::Network { network, event }).await },
                );
            }
            // An address there: the outbox goes on by the contact's others.
            Outgoing::Network { network, .. } => {
                tracing::debug!(network = network.0, "no such network runs");
            }
            Outgoing::Face(event) => shared.tell(event),
        }
    }
}

/// Runs a task, one that logs nothing if it is to be `quiet`.
fn spawn(quiet: bool, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    match quiet {
        true => tokio::spawn(task.with_subscriber(NoSubscriber::new())),
        false => tokio::spawn(task),
    }
}

/// Carries what a network tells to the conversation machine.
async fn carry_in(
    network: NetworkTag,
    mut events: mpsc::Receiver<NetworkEvent>,
    commands: mpsc::Sender<Incoming>,
) {
    while let Some(event) = events.recv().await {
        if commands
            .send(Incoming::Network { network, event })
            .await
            .is_err()
        {
            return;
        }
    }
}
