//! Trying a relay as a client would: make a mailbox, write to it, read it,
//! delete it. What works here works for a contact, because it is the same code.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hushwing_delivery::{
    Envelope, Locator, MailboxFailure, MailboxId, NetworkCommand, NetworkEvent, Purpose,
    SendFailure, SendId,
};
use hushwing_relay::Client;
use hushwing_relay::address::ServerAddress;
use hushwing_relay::client::{ConnectionState, Ended, MemoryStorage, Storage};
use hushwing_sansio::{Entropy, StorageError};
use hushwing_transport::{DriveConfig, Driving, OsEntropy, Transactional, drive_observed};
use tokio::sync::mpsc;

use crate::api::view::{ServerTest, TestStep};
use crate::error::{Error, ErrorKind};
use crate::relays::without_password;
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
    /// Whether another server answered, when last seen.
    wrong: Arc<AtomicBool>,
    steps: Vec<TestStep>,
}

/// What went wrong with a step.
#[derive(Clone, Copy)]
struct Problem(ErrorKind, &'static str);

const NO_ANSWER: Problem = Problem(ErrorKind::Unreachable, "no answer");
const WRONG_SERVER: Problem = Problem(
    ErrorKind::WrongServer,
    "it is not the relay the address names",
);

/// Tries one relay; the steps end with the first that fails.
pub(crate) async fn run(address: &ServerAddress, runtime: &Runtime) -> Result<ServerTest, Error> {
    let (commands, asked) = mpsc::channel(8);
    let (told, events) = mpsc::channel(8);
    let servers = vec![address.clone()];
    let wrong = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&wrong);
    let client = drive_observed(
        DriveConfig::new("relay test", runtime.connector.clone(), runtime.clock),
        Scratch(MemoryStorage::default()),
        move |storage| Client::open(servers.clone(), storage),
        move |client: &Client| seen.store(answers_wrong(client), Ordering::Relaxed),
        asked,
        told,
    )?;
    let mut probe = Probe {
        commands,
        events,
        client,
        wrong,
        steps: Vec::new(),
    };
    probe.play().await;
    probe.client.stop().await;
    Ok(ServerTest {
        address: without_password(&address.server),
        steps: probe.steps,
    })
}

impl Probe {
    /// `None` where a step failed; its report is the last of `steps`.
    async fn play(&mut self) -> Option<()> {
        let open = NetworkCommand::OpenMailbox {
            mailbox: MAILBOX,
            purpose: Purpose::Conversation,
            apart: Vec::new(),
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
        let (receipt, returned) = self.report(
            "receive",
            begun,
            received.ok_or(Problem(ErrorKind::Protocol, "nothing came back")),
        )?;
        let same = (returned == envelope)
            .then_some(())
            .ok_or(Problem(ErrorKind::Protocol, "something else came back"));
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
            NetworkEvent::Accepted { send: AFTERWARDS } => Some(Err(Problem(
                ErrorKind::Protocol,
                "it keeps deleted mailboxes",
            ))),
            _ => None,
        })
        .await
    }

    async fn step<T>(
        &mut self,
        name: &str,
        command: NetworkCommand,
        wanted: impl FnMut(NetworkEvent) -> Option<Result<T, Problem>>,
    ) -> Option<T> {
        let begun = Instant::now();
        self.commands.send(command).await.ok()?;
        let result = self.wait(wanted).await.unwrap_or(Err(NO_ANSWER));
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

    fn report<T>(&mut self, step: &str, begun: Instant, result: Result<T, Problem>) -> Option<T> {
        let result = result.map_err(|problem| match problem {
            Problem(ErrorKind::Unreachable, _) if self.wrong.load(Ordering::Relaxed) => {
                WRONG_SERVER
            }
            problem => problem,
        });
        let problem = result.as_ref().err();
        self.steps.push(TestStep {
            step: step.to_owned(),
            millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            ok: problem.is_none(),
            problem: problem.map(|problem| problem.1.to_owned()),
            kind: problem.map(|problem| problem.0.name().to_owned()),
        });
        result.ok()
    }
}

/// Whether another server answered than the one the address names.
fn answers_wrong(client: &Client) -> bool {
    let wrong = |state| {
        matches!(
            state,
            ConnectionState::Down {
                why: Ended::WrongServer,
                ..
            }
        )
    };
    client.connections().any(|relay| wrong(relay.state))
}

/// An envelope as any other: random bytes.
fn noise() -> Option<Envelope> {
    let mut bytes = vec![0; Envelope::REGULAR];
    OsEntropy.fill(&mut bytes);
    Envelope::regular(bytes).ok()
}

fn mailbox_problem(reason: MailboxFailure) -> Problem {
    match reason {
        MailboxFailure::Unreachable => Problem(ErrorKind::Unreachable, "it cannot be reached"),
        MailboxFailure::Refused => Problem(
            ErrorKind::Refused,
            "it refuses new mailboxes, or wants a password",
        ),
        MailboxFailure::Gone => Problem(ErrorKind::Protocol, "it lost the mailbox at once"),
        MailboxFailure::NoServer => Problem(ErrorKind::Internal, "no relay was given"),
    }
}

fn send_problem(reason: SendFailure) -> Problem {
    match reason {
        SendFailure::Unreachable => Problem(ErrorKind::Unreachable, "it went away"),
        SendFailure::Full => Problem(ErrorKind::Protocol, "a new mailbox is full already"),
        SendFailure::Gone => Problem(ErrorKind::Protocol, "it does not know its own mailbox"),
        SendFailure::WrongServer => WRONG_SERVER,
        SendFailure::Unreadable => Problem(ErrorKind::Internal, "its address cannot be read"),
    }
}
