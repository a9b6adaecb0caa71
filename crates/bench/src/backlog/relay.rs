//! From the connection on: a relay as a process on loopback, and a daemon that
//! was away while another wrote. Counted is the time from when the daemon runs
//! until its faces were told of everything, each message committed before.
//! Wall-clock time; the relay works on the same processors.

use std::path::Path;
use std::time::{Duration, Instant};

use hushwing_daemon::{Config, Daemon, Error, Events, Handle, Home, Outgoing, Stage};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::text;
use crate::BenchError;
use crate::conversation::world::person;
use crate::relay::server::Server;

/// What nobody waits for.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long no event comes before the daemon is asked what there is.
const SILENCE: Duration = Duration::from_secs(1);

/// Messages per second.
pub(super) fn measure(program: &Path, contacts: usize, each: usize) -> Result<f64, BenchError> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(BenchError::system("start threads"))?;
    let server = Server::start(program)?;
    let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
    let elapsed = runtime.block_on(async {
        fill(folder.path(), server.address(), contacts, each)
            .await
            .map_err(failed)?;
        read(folder.path(), contacts * each).await
    })?;
    Ok((contacts * each) as f64 / elapsed.as_secs_f64())
}

fn failed(error: Error) -> BenchError {
    BenchError::Conversation(error.message().to_owned())
}

/// Bob writes to Alice as `contacts` different people, after she went away.
async fn fill(folder: &Path, server: &str, contacts: usize, each: usize) -> Result<(), Error> {
    let alice = person("Alice", &folder.join("alice"), server).await?;
    let bob = person("Bob", &folder.join("bob"), server).await?;
    for _ in 0..contacts {
        let link = alice.handle().invite(None, false).await?.link;
        bob.handle().join(None, &link, true, PATIENCE).await?;
    }
    until_known(&alice.handle(), contacts).await?;
    alice.stop().await;
    let mut writing = JoinSet::new();
    for contact in bob.handle().contacts(None).await? {
        let bob = bob.handle();
        writing.spawn(async move { write(&bob, &contact.short, each).await });
    }
    while let Some(written) = writing.join_next().await {
        // A task that panicked is seen as messages that never come.
        written.unwrap_or(Ok(()))?;
    }
    bob.stop().await;
    Ok(())
}

/// The inviter knows a contact a little later than the joiner.
async fn until_known(handle: &Handle, contacts: usize) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let known = handle.contacts(None).await?;
        let connected = known.iter().filter(|one| one.state == "connected");
        if connected.count() == contacts {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Each message waits until the relay has the one before.
async fn write(bob: &Handle, to: &str, each: usize) -> Result<(), Error> {
    for _ in 0..each {
        let outgoing = Outgoing {
            to: to.into(),
            text: text(),
            reply_to: None,
        };
        let wait = Some((Stage::Accepted, PATIENCE));
        bob.send(None, outgoing, wait).await?;
    }
    Ok(())
}

/// Alice comes back; how long until she has been shown so many messages.
async fn read(folder: &Path, messages: usize) -> Result<Duration, BenchError> {
    let config = Config {
        home: Home::at(folder.join("alice")),
        lan: false,
    };
    let started = Instant::now();
    let alice = Daemon::start(config, None).await.map_err(failed)?;
    let handle = alice.handle();
    let events = handle.events(None).map_err(failed)?;
    let shown = tokio::time::timeout(PATIENCE, all_shown(&handle, events, messages)).await;
    let last = shown.map_err(|_| BenchError::Slow("reading what waited"))??;
    alice.stop().await;
    Ok(last.saturating_duration_since(started))
}

/// When the last of so many was shown. On a busy machine the first ones may be
/// told before anybody listens, and are missing in the count; so where nothing is
/// told any more, what lies there unread is counted instead.
async fn all_shown(
    handle: &Handle,
    mut events: Events,
    messages: usize,
) -> Result<Instant, BenchError> {
    let (mut shown, mut last) = (0, Instant::now());
    while shown < messages {
        let Ok(event) = tokio::time::timeout(SILENCE, events.next()).await else {
            let conversations = handle.conversations(None).await.map_err(failed)?;
            let unread: u64 = conversations.iter().map(|one| one.unread).sum();
            match usize::try_from(unread) == Ok(messages) {
                true => break,
                false => continue,
            }
        };
        let event = event.ok_or(BenchError::Bug("no events"))?;
        // As a face on the socket reads it.
        let event = serde_json::to_value(event).map_err(BenchError::bug("no document"))?;
        match event.get("event").and_then(|kind| kind.as_str()) {
            Some("message") => (shown, last) = (shown + 1, Instant::now()),
            Some("missed") => return Err(BenchError::Bug("a face missed some events")),
            _ => {}
        }
    }
    Ok(last)
}
