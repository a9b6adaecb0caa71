//! A profile that lost the file of its mailboxes says so, and goes on once the
//! file is back or was given up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use hushwing_daemon::{Config, Daemon, ErrorKind, Home};

async fn start(dir: &Path) -> Result<Daemon, hushwing_daemon::Error> {
    let config = Config {
        home: Home::at(dir.join("home")),
        lan: false,
    };
    Daemon::start(config, None).await
}

async fn refused(dir: &Path) {
    let Err(error) = start(dir).await else {
        panic!("it started without its mailboxes")
    };
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.message().contains("relay.db"), "{}", error.message());
    assert!(error.advice().contains("relay.db.given-up"));
}

#[tokio::test]
async fn a_deleted_or_emptied_file_of_mailboxes_is_named_and_can_be_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let daemon = start(dir).await.unwrap();
    let handle = daemon.handle();
    handle.create_profile("Ada").await.unwrap();
    handle.invite(None, true).await.unwrap();
    handle.invite(None, false).await.unwrap();
    daemon.stop().await;

    let file = dir.join("home/profiles/Ada/relay.db");
    let aside = dir.join("aside");
    fs::rename(&file, &aside).unwrap();
    refused(dir).await;
    assert!(!file.exists(), "nothing was made in its place");
    fs::write(&file, []).unwrap();
    refused(dir).await;

    // The backup brings all back.
    fs::copy(&aside, &file).unwrap();
    let daemon = start(dir).await.unwrap();
    daemon.stop().await;

    // Given up, the mailboxes count as lost and are replaced.
    fs::remove_file(&file).unwrap();
    let given_up = file.with_file_name("relay.db.given-up");
    fs::write(&given_up, []).unwrap();
    let mut starts = 0;
    while given_up.exists() {
        starts += 1;
        assert!(starts < 50, "the loss is not over");
        let daemon = start(dir).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        daemon.stop().await;
    }
    // A further loss is another one.
    let daemon = start(dir).await.unwrap();
    daemon.handle().invite(None, false).await.unwrap();
    daemon.stop().await;
    fs::remove_file(&file).unwrap();
    refused(dir).await;
}
