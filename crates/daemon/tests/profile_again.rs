//! A profile that cannot start with new choices is tried again until it can.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs
)]

use std::fs;
use std::time::Duration;

use hushwing_daemon::{Config, Daemon, Home};

#[tokio::test]
async fn a_profile_that_cannot_start_heals_and_keeps_no_other_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        home: Home::at(dir.path().join("home")),
        lan: false,
    };
    let daemon = Daemon::start(config, None).await.unwrap();
    let handle = daemon.handle();
    for name in ["Ada", "Bea"] {
        handle.create_profile(name).await.unwrap();
    }

    // Something else stands where the first profile's file should be.
    let file = dir.path().join("home/profiles/Ada/relay.db");
    let aside = dir.path().join("aside");
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(handle.set_switch("read_receipts", "true").await.is_err());
    assert!(handle.contacts(Some("Ada")).await.is_err());
    assert!(handle.contacts(Some("Bea")).await.is_ok());

    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    let healed = async {
        while handle.contacts(Some("Ada")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let healed = tokio::time::timeout(Duration::from_secs(60), healed);
    assert!(healed.await.is_ok(), "the profile was not tried again");
    daemon.stop().await;
}
