//! A relay and two daemons on loopback, receipts without delay: how long two
//! people wait who have just exchanged a link. Wall-clock time.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use hushwing_daemon::{Config, Daemon, Error, Handle, Home, Outgoing, Relay, RelayConfig, Stage};
use tokio::runtime::Builder;

use crate::clock::{Samples, millis};
use crate::{BenchError, Figure};

/// Meetings of two fresh people.
const MEETINGS: usize = 3;
/// Messages after each meeting, for the reference.
const MESSAGES: usize = 5;
/// What nobody waits for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether a contact is connected.
const LOOK: Duration = Duration::from_millis(2);

/// The figure of a meeting, beside one message between people who know each
/// other.
pub(super) fn measure() -> Result<Figure, BenchError> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(BenchError::system("start threads"))?;
    let (mut meeting, mut message) = (Samples::default(), Samples::default());
    for _ in 0..MEETINGS {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        let (first, later) = runtime
            .block_on(meet(folder.path()))
            .map_err(|error| BenchError::Conversation(error.message().to_owned()))?;
        meeting.push(millis(first));
        message.extend(later.into_iter().map(millis));
    }
    Ok(Figure::new(
        "link_to_first_delivered_ms",
        "ms",
        meeting.median(),
        message.median(),
    ))
}

/// From the moment Bob has the link to the moment he knows that his first
/// message was delivered; then the same of later messages.
async fn meet(folder: &Path) -> Result<(Duration, Vec<Duration>), Error> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let relay = Relay::start(RelayConfig::new(folder.join("relay"), listen)).await?;
    let server = relay.address().to_string();
    let alice = person("Alice", &folder.join("alice"), &server).await?;
    let bob = person("Bob", &folder.join("bob"), &server).await?;
    let link = alice.handle().invite(None, false).await?.link;

    let started = Instant::now();
    bob.handle().join(None, &link, true, PATIENCE).await?;
    say(&bob.handle(), "Alice").await?;
    let first = started.elapsed();

    let mut later = Vec::with_capacity(MESSAGES);
    until_connected(&alice.handle(), "Bob").await?;
    for _ in 0..MESSAGES {
        let started = Instant::now();
        say(&alice.handle(), "Bob").await?;
        later.push(started.elapsed());
    }
    bob.stop().await;
    alice.stop().await;
    relay.stop().await;
    Ok((first, later))
}

pub(crate) async fn person(name: &str, home: &Path, server: &str) -> Result<Daemon, Error> {
    let config = Config {
        home: Home::at(home),
        lan: false,
    };
    let daemon = Daemon::start(config, None).await?;
    let handle = daemon.handle();
    handle.add_server(None, server).await?;
    handle.set_switch("prompt_receipts", "on").await?;
    handle.create_profile(name).await?;
    Ok(daemon)
}

async fn say(handle: &Handle, to: &str) -> Result<(), Error> {
    let outgoing = Outgoing {
        to: to.into(),
        text: "hello".into(),
        reply_to: None,
    };
    let wait = Some((Stage::Delivered, PATIENCE));
    handle.send(None, outgoing, wait).await.map(drop)
}

async fn until_connected(handle: &Handle, name: &str) -> Result<(), Error> {
    let connected = async {
        loop {
            let contacts = handle.contacts(None).await?;
            let known = |contact: &hushwing_daemon::view::Contact| {
                contact.name == name && contact.state == "connected"
            };
            if contacts.iter().any(known) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    // Whoever is not there in time gets no message, and that is reported.
    tokio::time::timeout(PATIENCE, connected)
        .await
        .unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn two_people_meet_over_a_relay() {
        let folder = tempfile::tempdir().unwrap();
        let (_, later) = meet(folder.path()).await.unwrap();
        assert_eq!(later.len(), MESSAGES);
    }
}
