//! The log tells operators what happens and nobody who it happens to: a whole
//! session runs under a subscriber that keeps everything at the finest level,
//! and nothing that names a person, a place or a text may be in it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hushwing_daemon::{
    Admission, Config, Daemon, Home, LevelFilter, Outgoing, Relay, RelayConfig, Stage, log_to,
};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
const TEXT: &str = "xyzzy-the-text-itself";

async fn person(dir: &Path, name: &str, server: &str) -> Daemon {
    let home = Home::at(dir.join(name));
    let daemon = Daemon::start(Config { home, lan: false }, None)
        .await
        .unwrap();
    let handle = daemon.handle();
    handle.add_server(None, server).await.unwrap();
    handle.set_switch("prompt_receipts", "on").await.unwrap();
    handle.create_profile(name).await.unwrap();
    daemon
}

async fn say(from: &Daemon, to: &str, stage: Option<Stage>) -> String {
    let outgoing = Outgoing {
        to: to.into(),
        text: TEXT.into(),
        reply_to: None,
    };
    let wait = stage.map(|stage| (stage, PATIENCE));
    from.handle()
        .send(None, outgoing, wait)
        .await
        .unwrap()
        .message
}

/// Whoever gets a link may write, not make mailboxes at our relay.
fn assert_gives_no_password(link: &str, password: &str) {
    let encoded = link.trim_start_matches("hushwing:i#").trim_end_matches('=');
    let decoded = URL_SAFE_NO_PAD.decode(encoded).unwrap();
    let holds = |part: &[u8]| decoded.windows(part.len()).any(|window| window == part);
    assert!(holds(b"127.0.0.1"), "the relay is not where we look");
    assert!(!holds(password.as_bytes()) && !link.contains(password));
}

/// Runs a session with an outage and a bad link; gives what must stay secret.
async fn session(dir: &Path) -> Vec<String> {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config = RelayConfig::new(dir.join("relay"), listen);
    config.admission = Admission::Password("sesame-of-the-relay".to_owned().into());
    let relay = Relay::start(config.clone()).await.unwrap();
    config.listen = relay.listening();
    let server = relay.address().to_string();
    let alice = person(dir, "Alice-the-name", &server).await;
    let bob = person(dir, "Bob-the-name", &server).await;

    let link = alice.handle().invite(None, false).await.unwrap().link;
    let password = relay.address().password.clone().unwrap().to_string();
    assert_gives_no_password(&link, &password);
    assert!(
        bob.handle()
            .join(None, &link[..link.len() - 4], false, PATIENCE)
            .await
            .is_err()
    );
    let joined = bob
        .handle()
        .join(None, &link, true, PATIENCE)
        .await
        .unwrap();
    let first = say(&bob, "Alice-the-name", Some(Stage::Delivered)).await;
    relay.stop().await;
    say(&alice, "Bob-the-name", None).await;
    let relay = Relay::start(config.clone()).await.unwrap();
    say(&alice, "Bob-the-name", Some(Stage::Delivered)).await;
    let safety = alice
        .handle()
        .safety(None, "Bob-the-name")
        .await
        .unwrap()
        .safety_number;
    alice.stop().await;
    bob.stop().await;
    relay.stop().await;

    let fingerprint = server.split(['/', ':']).nth(3).unwrap().to_owned();
    vec![
        TEXT.into(),
        "Alice-the-name".into(),
        "Bob-the-name".into(),
        link["hushwing:i#".len()..][..24].to_owned(),
        fingerprint,
        password,
        "127.0.0.1".into(),
        config.listen.port().to_string(),
        joined.conversation,
        first,
        safety.split(' ').next().unwrap().to_owned(),
    ]
}

#[test]
fn a_session_leaves_no_name_place_or_text_in_the_log() {
    let log = Log::default();
    let writer = log.clone();
    log_to(move || writer.clone(), LevelFilter::TRACE);
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let secrets = runtime.block_on(session(dir.path()));
    tracing::trace!(target: "hushwing_daemon", "the log is listened to");

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("the log is listened to"));
    for secret in secrets {
        let line = logged.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
