//! The driving law on real threads, with a small machine and a storage that
//! fails on demand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod relay;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hushwing_sansio::{
    CloseReason, Context, Endpoint, Input, Machine, Moment, Output, StorageError, StorageErrorKind,
    StreamId,
};
use hushwing_transport::{
    Accepted, AcceptorConfig, BlockEvent, Connector, ConnectorConfig, DriveConfig, Driving,
    ServeLimits, SystemClock, Transactional, drive,
};
use relay::Relay;
use tokio::sync::mpsc;
use tokio::time::timeout;

const BLOCK: usize = 16_384;

/// Rows on "disk", shared with the test.
#[derive(Default)]
struct Disk {
    committed: Vec<u8>,
    commits: usize,
    most_in_one: usize,
    fail_commits: usize,
    settled: Vec<usize>,
}

#[derive(Clone, Default)]
struct Store {
    disk: Arc<Mutex<Disk>>,
    rows: Vec<u8>,
}

impl Transactional for Store {
    type Storage = Vec<u8>;

    fn begin(&mut self) -> Result<(), StorageError> {
        self.rows = self.disk.lock().unwrap().committed.clone();
        Ok(())
    }

    fn storage(&mut self) -> &mut Vec<u8> {
        &mut self.rows
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        let mut disk = self.disk.lock().unwrap();
        if disk.fail_commits > 0 {
            disk.fail_commits -= 1;
            return Err(StorageError::new(StorageErrorKind::Full, "commit"));
        }
        disk.commits += 1;
        disk.most_in_one = disk.most_in_one.max(self.rows.len() - disk.committed.len());
        disk.committed = self.rows.clone();
        Ok(())
    }

    fn rollback(&mut self) {
        self.rows.clear();
    }

    fn settle(&mut self) {
        let mut disk = self.disk.lock().unwrap();
        let commits = disk.commits;
        disk.settled.push(commits);
    }
}

enum Command {
    /// Store the number and tell how many are stored.
    Count(u8),
    /// Fail inside `handle`, after having written.
    Break,
    /// Ask for a timeout after these milliseconds.
    Wake(u64),
    Open(Endpoint),
    Send(Vec<u8>),
    Close,
}

#[derive(Debug, PartialEq)]
enum Event {
    Opened(Vec<u8>),
    Counted(usize),
    Woken,
    Connected(Vec<u8>),
    Received(Vec<u8>),
    Closed(CloseReason),
}

struct Toy {
    outputs: VecDeque<Output<Event>>,
    wake: Option<Moment>,
}

const STREAM: StreamId = StreamId(1);

impl Toy {
    fn open(rows: &[u8]) -> Result<Self, StorageError> {
        let opened = Output::Event(Event::Opened(rows.to_vec()));
        Ok(Self {
            outputs: VecDeque::from([opened]),
            wake: None,
        })
    }
}

impl Machine for Toy {
    type Command = Command;
    type Event = Event;
    type Storage = Vec<u8>;

    fn handle(
        &mut self,
        cx: &mut Context<'_>,
        rows: &mut Vec<u8>,
        input: Input<Command>,
    ) -> Result<(), StorageError> {
        let output = match input {
            Input::Command(Command::Count(number)) => {
                rows.push(number);
                Output::Event(Event::Counted(rows.len()))
            }
            Input::Command(Command::Break) => {
                rows.push(255);
                self.outputs.push_back(Output::Event(Event::Counted(999)));
                return Err(StorageError::corrupt("asked to"));
            }
            Input::Command(Command::Wake(after)) => {
                self.wake = Some(cx.now() + Duration::from_millis(after));
                return Ok(());
            }
            Input::Timeout if self.wake.is_some_and(|at| at <= cx.now()) => {
                self.wake = None;
                Output::Event(Event::Woken)
            }
            Input::Timeout => return Ok(()),
            Input::Command(Command::Open(endpoint)) => Output::OpenStream {
                stream: STREAM,
                endpoint,
            },
            Input::Command(Command::Send(bytes)) => Output::SendStream {
                stream: STREAM,
                bytes,
            },
            Input::Command(Command::Close) => Output::CloseStream { stream: STREAM },
            Input::StreamOpened { channel, .. } => Output::Event(Event::Connected(channel.binding)),
            Input::StreamReceived { bytes, .. } => Output::Event(Event::Received(bytes)),
            Input::StreamClosed { reason, .. } => Output::Event(Event::Closed(reason)),
        };
        self.outputs.push_back(output);
        Ok(())
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        self.wake
    }
}

struct Rig {
    disk: Arc<Mutex<Disk>>,
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    driving: Driving,
}

fn config() -> DriveConfig {
    let connector = Connector::new(ConnectorConfig::default());
    let first_rest = Duration::from_millis(10);
    DriveConfig {
        first_rest,
        ..DriveConfig::new("toy", connector, SystemClock::start())
    }
}

async fn rig(config: DriveConfig, events: usize) -> Rig {
    let store = Store::default();
    let disk = Arc::clone(&store.disk);
    let (commands, inbox) = mpsc::channel(1024);
    let (outbox, events) = mpsc::channel(events);
    let driving = drive(config, store, |rows| Toy::open(rows), inbox, outbox).unwrap();
    let mut rig = Rig {
        disk,
        commands,
        events,
        driving,
    };
    assert_eq!(rig.event().await, Event::Opened(vec![]));
    rig
}

impl Rig {
    async fn tell(&self, command: Command) {
        assert!(self.commands.send(command).await.is_ok());
    }

    async fn event(&mut self) -> Event {
        timeout(Duration::from_secs(10), self.events.recv())
            .await
            .unwrap()
            .unwrap()
    }
}

#[tokio::test]
async fn events_leave_only_after_their_commit() {
    let mut rig = rig(config(), 16).await;
    for number in 1..=5 {
        rig.tell(Command::Count(number)).await;
        assert_eq!(rig.event().await, Event::Counted(number.into()));
        assert_eq!(
            rig.disk.lock().unwrap().committed.len(),
            usize::from(number)
        );
    }
}

#[tokio::test]
async fn ready_inputs_share_transactions_of_at_most_64() {
    let mut rig = rig(config(), 1024).await;
    rig.disk.lock().unwrap().fail_commits = 1;
    // While the driver rests from the failure, the commands pile up.
    rig.tell(Command::Count(0)).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    for _ in 0..200 {
        rig.tell(Command::Count(1)).await;
    }
    assert!(matches!(rig.event().await, Event::Opened(_)));
    while rig.event().await != Event::Counted(200) {}
    let disk = rig.disk.lock().unwrap();
    assert!(disk.most_in_one <= 64);
    assert!(
        disk.commits < 100,
        "{} commits for 200 commands",
        disk.commits
    );
}

#[tokio::test]
async fn a_failed_input_is_rolled_back_and_the_machine_opened_again() {
    let mut rig = rig(config(), 16).await;
    rig.tell(Command::Count(1)).await;
    assert_eq!(rig.event().await, Event::Counted(1));
    rig.tell(Command::Break).await;
    // Neither the row nor the event of the broken input is seen.
    assert_eq!(rig.event().await, Event::Opened(vec![1]));
    assert_eq!(rig.driving.status().borrow().opened, 2);
    rig.tell(Command::Count(2)).await;
    assert_eq!(rig.event().await, Event::Counted(2));
    assert_eq!(rig.disk.lock().unwrap().committed, [1, 2]);
}

#[tokio::test]
async fn a_failed_commit_takes_the_same_road_and_is_told() {
    let mut rig = rig(config(), 16).await;
    let mut status = rig.driving.status();
    rig.disk.lock().unwrap().fail_commits = 3;
    rig.tell(Command::Count(7)).await;
    status
        .wait_for(|now| now.failing == Some(StorageErrorKind::Full))
        .await
        .unwrap();
    assert_eq!(rig.event().await, Event::Opened(vec![]));
    status
        .wait_for(|now| now.failing.is_none() && now.opened == 2)
        .await
        .unwrap();
    rig.tell(Command::Count(8)).await;
    assert_eq!(rig.event().await, Event::Counted(1));
    assert_eq!(rig.disk.lock().unwrap().committed, [8]);
}

#[tokio::test]
async fn a_timeout_comes_when_asked_for() {
    let mut rig = rig(config(), 16).await;
    let asked = std::time::Instant::now();
    rig.tell(Command::Wake(50)).await;
    assert_eq!(rig.event().await, Event::Woken);
    assert!(asked.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn storage_settles_after_commits_and_before_the_end() {
    let mut rig = rig(
        DriveConfig {
            settling: Duration::from_millis(300),
            ..config()
        },
        16,
    )
    .await;
    let settled = |rig: &Rig| rig.disk.lock().unwrap().settled.clone();
    // A machine that is never quiet must not keep storage from it.
    let mut count = 0;
    while settled(&rig).is_empty() {
        count += 1;
        rig.tell(Command::Count(1)).await;
        assert_eq!(rig.event().await, Event::Counted(count));
    }
    while settled(&rig).last() != Some(&(count + 1)) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let quiet = settled(&rig);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(settled(&rig), quiet, "settled for nothing");
    rig.tell(Command::Count(1)).await;
    assert_eq!(rig.event().await, Event::Counted(count + 1));
    rig.driving.stop().await;
    let end = rig.disk.lock().unwrap().settled.clone();
    assert_eq!(end.last(), Some(&(count + 2)));
}

#[tokio::test]
async fn commands_are_taken_while_nobody_takes_events() {
    let mut rig = rig(
        DriveConfig {
            waiting_events: 1,
            ..config()
        },
        1,
    )
    .await;
    for _ in 0..100 {
        rig.tell(Command::Count(1)).await;
    }
    timeout(Duration::from_secs(10), async {
        while rig.disk.lock().unwrap().committed.len() < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    for count in 1..=100 {
        assert_eq!(rig.event().await, Event::Counted(count));
    }
}

#[tokio::test]
async fn stopping_waits_for_the_thread_and_keeps_what_was_committed() {
    let mut rig = rig(config(), 16).await;
    rig.tell(Command::Count(1)).await;
    assert_eq!(rig.event().await, Event::Counted(1));
    rig.driving.stop().await;
    assert!(rig.commands.send(Command::Count(2)).await.is_err());
    assert_eq!(rig.disk.lock().unwrap().committed, [1]);
}

#[tokio::test]
async fn a_driver_without_callers_ends() {
    let Rig {
        commands,
        events,
        mut driving,
        ..
    } = rig(config(), 16).await;
    drop(commands);
    timeout(Duration::from_secs(10), driving.ended())
        .await
        .unwrap();
    drop(events);
}

/// A server that echoes blocks, and where it is.
async fn echo_server() -> (Endpoint, tokio::task::JoinHandle<()>) {
    let session = |mut accepted: Accepted| async move {
        while let Ok(event) = accepted.stream.next().await {
            match event {
                BlockEvent::Received(block) => accepted.stream.queue(&block).unwrap(),
                BlockEvent::Room => {}
                BlockEvent::Closed => return,
            }
        }
    };
    let relay = Relay::listen(AcceptorConfig::default()).await;
    relay.serve(ServeLimits::default(), session, std::future::pending())
}

#[tokio::test]
async fn a_machines_stream_carries_bytes_both_ways_and_tells_of_its_end() {
    let (endpoint, server) = echo_server().await;
    let mut rig = rig(config(), 16).await;
    rig.tell(Command::Open(endpoint)).await;
    let Event::Connected(binding) = rig.event().await else {
        panic!()
    };
    assert_eq!(binding.len(), 32);
    let sent: Vec<u8> = (0..3 * BLOCK).map(|i| (i % 251) as u8).collect();
    for part in sent.chunks(10_000) {
        rig.tell(Command::Send(part.to_vec())).await;
    }
    let mut got = Vec::new();
    while got.len() < sent.len() {
        let Event::Received(bytes) = rig.event().await else {
            panic!()
        };
        got.extend(bytes);
    }
    assert!(got == sent);
    server.abort();
    assert_eq!(rig.event().await, Event::Closed(CloseReason::Closed));
}

#[tokio::test]
async fn a_stream_the_machine_closed_is_not_heard_of_again() {
    let (endpoint, _server) = echo_server().await;
    let mut rig = rig(config(), 16).await;
    rig.tell(Command::Open(endpoint)).await;
    assert!(matches!(rig.event().await, Event::Connected(_)));
    rig.tell(Command::Send(vec![1; BLOCK])).await;
    rig.tell(Command::Close).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    rig.tell(Command::Count(1)).await;
    // The echo may have won the race against the close; nothing else may come.
    let mut event = rig.event().await;
    while matches!(event, Event::Received(_)) {
        event = rig.event().await;
    }
    assert_eq!(event, Event::Counted(1));
}

#[tokio::test]
async fn recovery_closes_the_streams_of_the_old_machine() {
    let (endpoint, _server) = echo_server().await;
    let mut rig = rig(config(), 16).await;
    rig.tell(Command::Open(endpoint.clone())).await;
    assert!(matches!(rig.event().await, Event::Connected(_)));
    rig.tell(Command::Break).await;
    assert_eq!(rig.event().await, Event::Opened(vec![]));
    // The new machine may use the same number; only its own stream is heard.
    rig.tell(Command::Open(endpoint)).await;
    assert!(matches!(rig.event().await, Event::Connected(_)));
    rig.tell(Command::Send(vec![2; BLOCK])).await;
    let mut got = 0;
    while got < BLOCK {
        let Event::Received(bytes) = rig.event().await else {
            panic!()
        };
        got += bytes.len();
    }
}

#[tokio::test]
async fn a_stream_to_nowhere_and_one_to_a_stranger_tell_apart() {
    let (endpoint, _server) = echo_server().await;
    let mut rig = rig(config(), 16).await;
    rig.tell(Command::Open(Endpoint {
        fingerprint: [1; 32],
        ..endpoint.clone()
    }))
    .await;
    assert_eq!(rig.event().await, Event::Closed(CloseReason::WrongIdentity));
    let unused = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    rig.tell(Command::Open(Endpoint {
        port: unused,
        ..endpoint
    }))
    .await;
    assert_eq!(rig.event().await, Event::Closed(CloseReason::Unreachable));
}
