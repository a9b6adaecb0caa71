//! Trying a relay as a client would: make a mailbox, write to it, read it,
//! delete it. What works here works for a contact, because it is the same code.

use std::time::{Duration, Instant};

use hushwing_delivery::{
    Envelope, Locator, MailboxFailure, MailboxId, NetworkCommand, NetworkEvent, Purpose,
    SendFailure, SendId,
};
use hushwing_relay::Client;
use hushwing_relay::address::ServerAddress;
use hushwing_relay::client::{MemoryStorage, Storage};
use hushwing_sansio::{Entropy, StorageError};
use hushwing_transport::{DriveConfig, Driving, OsEntropy, Transactional, drive};
use tokio::sync::mpsc;

use crate::api::view::{ServerTest, TestStep};
use crate::error::Error;
use crate::runtime::Runtime;

const MAILBOX: MailboxId = MailboxId(1);
const SEND: SendId = SendId(1);
const AFTERWARDS: SendId = SendId(2);
/// A relay that takes longer is of no use to anybody.
const PATIENCE: Duration = Duration::from_secs(20);

/// Storage that lives as long as the test.
struct Scratch(MemoryStorage);

impl Transactional for Scratch {
    type Storage = dyn Storage;

    fn begin(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    fn storage(&mut self) -> &mut Self::Storage {
        &mut self.0
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    // Memory never fails, so nothing is ever rolled back.
    fn rollback(&mut self) {}
}

/// A relay client of its own, and what it tells.
struct Probe {
    commands: mpsc::Sender<NetworkCommand>,
    events: mpsc::Receiver<NetworkEvent>,
    client: Driving,
    steps: Vec<TestStep>,
}

/// Tries one relay; the steps end with the first that fails.
pub(crate) async fn run(address: &ServerAddress, runtime: &Runtime) -> Result<ServerTest, Error> {
    let (commands, asked) = mpsc::channel(8);
    let (told, events) = mpsc::channel(8);
    let servers = vec![address.clone()];
    let client = drive(
        DriveConfig::new("relay test", runtime.connector.clone(), runtime.clock),
        Scratch(MemoryStorage::default()),
        move |storage| Client::open(servers.clone(), storage),
        asked,
        told,
    )?;
    let mut probe = Probe {
        commands,
        events,
        client,
        steps: Vec::new(),
    };
    probe.play().await;
    probe.client.stop().await;
    Ok(ServerTest {
        address: address.to_string(),
        steps: probe.steps,
    })
}

impl Probe {
    /// `None` where a step failed; its report is the last of `steps`.
    async fn play(&mut self) -> Option<()> {
        let open = NetworkCommand::OpenMailbox {
            mailbox: MAILBOX,
            purpose: Purpose::Conversation,
        };
        let locator = self
            .step("create", open, |event| match event {
                NetworkEvent::MailboxOpened { locator, .. } => Some(Ok(locator)),
                NetworkEvent::MailboxFailed { reason, .. } => Some(Err(mailbox_problem(reason))),
                _ => None,
            })
            .await?;
        let envelope = noise()?;
        let send = NetworkCommand::Send {
            send: SEND,
            locator: locator.clone(),
            envelope: envelope.clone(),
        };
        // What comes back may overtake the answer, so keep it.
        let mut came = None;
        self.step("send", send, |event| match event {
            NetworkEvent::Accepted { .. } => Some(Ok(())),
            NetworkEvent::Failed { reason, .. } => Some(Err(send_problem(reason))),
            NetworkEvent::Received {
                receipt, envelope, ..
            } => {
                came = Some((receipt, envelope));
                None
            }
            _ => None,
        })
        .await?;
        let begun = Instant::now();
        let received = match came {
            Some(came) => Some(came),
            None => {
                self.wait(|event| match event {
                    NetworkEvent::Received {
                        receipt, envelope, ..
                    } => Some((receipt, envelope)),
                    _ => None,
                })
                .await
            }
        };
        let (receipt, returned) =
            self.report("receive", begun, received.ok_or("nothing came back"))?;
        let same = (returned == envelope)
            .then_some(())
            .ok_or("something else came back");
        self.report("compare", Instant::now(), same)?;
        self.commands
            .send(NetworkCommand::Acknowledge { receipt })
            .await
            .ok()?;
        self.commands
            .send(NetworkCommand::CloseMailbox { mailbox: MAILBOX })
            .await
            .ok()?;
        self.gone(locator).await
    }

    /// A mailbox is deleted once nobody can write to it any more.
    async fn gone(&mut self, locator: Locator) -> Option<()> {
        let send = NetworkCommand::Send {
            send: AFTERWARDS,
            locator,
            envelope: noise()?,
        };
        self.step("delete", send, |event| match event {
            NetworkEvent::Failed {
                send: AFTERWARDS,
                reason: SendFailure::Gone,
            } => Some(Ok(())),
            NetworkEvent::Failed {
                send: AFTERWARDS,
                reason,
            } => Some(Err(send_problem(reason))),
            NetworkEvent::Accepted { send: AFTERWARDS } => Some(Err("it keeps deleted mailboxes")),
            _ => None,
        })
        .await
    }

    async fn step<T>(
        &mut self,
        name: &str,
        command: NetworkCommand,
        wanted: impl FnMut(NetworkEvent) -> Option<Result<T, &'static str>>,
    ) -> Option<T> {
        let begun = Instant::now();
        self.commands.send(command).await.ok()?;
        let result = self.wait(wanted).await.unwrap_or(Err("no answer"));
        self.report(name, begun, result)
    }

    async fn wait<T>(&mut self, mut wanted: impl FnMut(NetworkEvent) -> Option<T>) -> Option<T> {
        let events = &mut self.events;
        let search = async {
            loop {
                if let Some(found) = wanted(events.recv().await?) {
                    return Some(found);
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.ok().flatten()
    }

    fn report<T>(
        &mut self,
        step: &str,
        begun: Instant,
        result: Result<T, &'static str>,
    ) -> Option<T> {
        self.steps.push(TestStep {
            step: step.to_owned(),
            millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            ok: result.is_ok(),
            problem: result.as_ref().err().map(|&problem| problem.to_owned()),
        });
        result.ok()
    }
}

/// An envelope as any other: random bytes.
fn noise() -> Option<Envelope> {
    let mut bytes = vec![0; Envelope::REGULAR];
    OsEntropy.fill(&mut bytes);
    Envelope::regular(bytes).ok()
}

fn mailbox_problem(reason: MailboxFailure) -> &'static str {
    match reason {
        MailboxFailure::Unreachable => {
            "it cannot be reached, or is not the relay the address names"
        }
        MailboxFailure::Refused => "it refuses new mailboxes, or wants a password",
        MailboxFailure::Gone => "it lost the mailbox at once",
        MailboxFailure::NoServer => "no relay was given",
    }
}

fn send_problem(reason: SendFailure) -> &'static str {
    match reason {
        SendFailure::Unreachable => "it went away",
        SendFailure::Full => "a new mailbox is full already",
        SendFailure::Gone => "it does not know its own mailbox",
        SendFailure::WrongServer => "it is not the relay the address names",
        SendFailure::Unreadable => "its address cannot be read",
    }
}
