//! A private world in one process: a relay, Alice and Bob. Nothing of it
//! touches the home of whoever runs it, and it is gone afterwards.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use hushwing_daemon::{
    Config, Daemon, Error, ErrorKind, Handle, Home, Outgoing, Relay, RelayConfig, Stage, view,
};
use serde_json::json;

use crate::output::Output;

/// Longer than any step takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

const TALK: [(&str, &str); 6] = [
    ("Alice", "Hello Bob. Who can read this?"),
    (
        "Bob",
        "You and I. The relay holds sealed envelopes of one size.",
    ),
    ("Alice", "Does it know that it is us?"),
    (
        "Bob",
        "It knows two queues. It does not know that they belong together.",
    ),
    (
        "Alice",
        "And if somebody records all of it, for a later quantum computer?",
    ),
    (
        "Bob",
        "Then they keep noise: every key was agreed with ML-KEM-768 as well.",
    ),
];

const OUTAGE: [&str; 3] = [
    "The relay is down while I write this.",
    "I do not have to notice.",
    "You will get all three once it is back.",
];

/// `demo`
pub(super) async fn run(output: Output) -> Result<ExitCode, Error> {
    let dir = tempfile::tempdir().map_err(|error| {
        Error::new(ErrorKind::Internal, format!("no temporary folder: {error}"))
    })?;
    let world = World::start(dir.path()).await?;
    let told = world.play(output).await;
    world.stop().await;
    let (sent, received) = told?;
    let result = json!({
        "sent": sent,
        "received": received,
        "networks": { "relay": { "sent": sent, "received": received } },
    });
    output.result(&result, |_| {
        format!("\n{received} of {sent} messages arrived, each shown once, in one order.")
    });
    Ok(if sent == received {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Two people and the relay between them.
struct World {
    relay: tokio::sync::Mutex<Option<Relay>>,
    config: RelayConfig,
    alice: Person,
    bob: Person,
}

struct Person {
    name: &'static str,
    daemon: Daemon,
    handle: Handle,
}

impl World {
    async fn start(dir: &Path) -> Result<Self, Error> {
        let mut config = RelayConfig::new(dir.join("relay"), SocketAddr::from(([127, 0, 0, 1], 0)));
        let relay = Relay::start(config.clone()).await?;
        // After its outage the relay must come back where it was.
        config.listen = relay.listening();
        let address = relay.address().to_string();
        Ok(Self {
            alice: Person::start("Alice", &dir.join("alice"), &address).await?,
            bob: Person::start("Bob", &dir.join("bob"), &address).await?,
            relay: tokio::sync::Mutex::new(Some(relay)),
            config,
        })
    }

    async fn stop(self) {
        self.alice.daemon.stop().await;
        self.bob.daemon.stop().await;
        if let Some(relay) = self.relay.into_inner() {
            relay.stop().await;
        }
    }

    async fn play(&self, output: Output) -> Result<(usize, usize), Error> {
        let (alice, bob) = (&self.alice, &self.bob);
        output.note("A relay runs on this machine. Alice and Bob each run Hushwing and use it.");

        let begun = Instant::now();
        let link = alice.handle.invite(None, false).await?.link;
        output.note(&format!(
            "\nAlice makes a link that works once and shows it to Bob:\n  {link}"
        ));
        bob.handle.join(None, &link, true, PATIENCE).await?;
        alice.knows("Bob").await?;
        output.note(&format!(
            "Bob opens it. Connected after {} ms.\n",
            begun.elapsed().as_millis()
        ));

        for (author, text) in TALK {
            let (from, to) = if author == "Alice" {
                (alice, bob)
            } else {
                (bob, alice)
            };
            let begun = Instant::now();
            from.say(to.name, text, Some(Stage::Delivered)).await?;
            let spent = begun.elapsed().as_millis();
            output.note(&format!(
                "  {:<6} {text}  [delivered, {spent} ms]",
                format!("{author}:")
            ));
        }

        let (hers, his) = (
            alice.handle.safety(None, "Bob").await?,
            bob.handle.safety(None, "Alice").await?,
        );
        if hers.safety_number != his.safety_number {
            return Err(Error::new(ErrorKind::Internal, "the safety numbers differ"));
        }
        output.note(&format!(
            "\nBoth see the same safety number, so nobody sits between them:\n  {}",
            hers.safety_number
        ));

        self.outage(output).await?;
        self.compare().await
    }

    /// The relay dies while Alice writes, and comes back.
    async fn outage(&self, output: Output) -> Result<(), Error> {
        output.note("\nThe relay is switched off. Alice goes on writing:");
        if let Some(relay) = self.relay.lock().await.take() {
            relay.stop().await;
        }
        let mut written = Vec::new();
        for text in OUTAGE {
            let sent = self.alice.say("Bob", text, None).await?;
            output.note(&format!("  Alice: {text}  [{}]", sent.state));
            written.push(sent.message);
        }
        *self.relay.lock().await = Some(Relay::start(self.config.clone()).await?);
        output.note("The relay is switched on again.");
        for message in written {
            self.alice.until_delivered(&message).await?;
        }
        output.note("All three are with Bob.");
        Ok(())
    }

    /// How many messages were sent, and how many of them both sides show at
    /// the same place.
    async fn compare(&self) -> Result<(usize, usize), Error> {
        let sent = TALK.len() + OUTAGE.len();
        let (hers, his) = (
            self.alice.shown("Bob").await?,
            self.bob.shown("Alice").await?,
        );
        let same = hers
            .iter()
            .zip(&his)
            .filter(|(hers, his)| hers.id == his.id && hers.text == his.text);
        let received = same.count();
        let received = if hers.len() == sent && his.len() == sent {
            received
        } else {
            0
        };
        Ok((sent, received))
    }
}

impl Person {
    async fn start(name: &'static str, home: &Path, server: &str) -> Result<Self, Error> {
        let daemon = Daemon::start(
            Config {
                home: Home::at(home),
                lan: false,
            },
            None,
        )
        .await?;
        let handle = daemon.handle();
        handle.add_server(None, server).await?;
        // In a world of two, the timing of receipts gives nothing away.
        handle.set_switch("prompt_receipts", "on").await?;
        handle.create_profile(name).await?;
        Ok(Self {
            name,
            daemon,
            handle,
        })
    }

    /// Waits until a contact of that name is connected.
    async fn knows(&self, name: &str) -> Result<(), Error> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let contacts = self.handle.contacts(None).await?;
            if contacts
                .iter()
                .any(|contact| contact.name == name && contact.state == "connected")
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Error::new(
            ErrorKind::Timeout,
            format!("{} never met {name}", self.name),
        ))
    }

    async fn say(&self, to: &str, text: &str, wait: Option<Stage>) -> Result<view::Sent, Error> {
        let outgoing = Outgoing {
            to: to.to_owned(),
            text: text.to_owned(),
            reply_to: None,
        };
        self.handle
            .send(None, outgoing, wait.map(|stage| (stage, PATIENCE)))
            .await
    }

    async fn until_delivered(&self, message: &str) -> Result<(), Error> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let state = self.handle.locate(None, message).await?.state;
            if matches!(state.as_str(), "delivered" | "read") {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Error::new(ErrorKind::Timeout, "a message did not arrive"))
    }

    async fn shown(&self, of: &str) -> Result<Vec<view::Message>, Error> {
        self.handle.read(None, of, 1_000).await
    }
}
