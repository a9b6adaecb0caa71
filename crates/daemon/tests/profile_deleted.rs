//! A deleted profile is gone, with its files, and a crash leaves it whole or
//! gone.
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

use hushwing_daemon::{Config, Daemon, ErrorKind, Home};

async fn start(dir: &Path) -> Daemon {
    let home = Home::at(dir.join("home"));
    Daemon::start(Config { home, lan: false }, None)
        .await
        .unwrap()
}

fn names(daemon: &Daemon) -> Vec<String> {
    let profiles = daemon.handle().profiles();
    profiles.into_iter().map(|one| one.profile).collect()
}

#[tokio::test]
async fn a_deleted_profile_leaves_no_file_and_the_next_is_the_default() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = start(dir.path()).await;
    let handle = daemon.handle();
    for name in ["Ada", "Bea"] {
        handle.create_profile(name).await.unwrap();
    }
    let relay = handle.status().await.unwrap().networks.relay.embedded;
    handle
        .add_server_unchecked(Some("Ada"), &relay.unwrap())
        .await
        .unwrap();
    let mut events = handle.events(Some("Ada")).unwrap();

    let left = handle.delete_profile("Ada").await.unwrap();
    assert_eq!((left.len(), left[0].default), (1, true));
    assert!(!dir.path().join("home/profiles/Ada").exists());
    assert!(!dir.path().join("home/deleted").exists());
    assert!(handle.servers(None, false).unwrap().is_empty());
    // Who listened is told that nothing comes any more.
    while events.next().await.is_some() {}
    let again = handle.delete_profile("Ada").await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::NotFound);
    handle.contacts(None).await.unwrap();

    // Its name is free, and whoever takes it starts empty.
    handle.create_profile("Ada").await.unwrap();
    assert!(handle.invitations(Some("Ada")).await.unwrap().is_empty());
    daemon.stop().await;
    let daemon = start(dir.path()).await;
    assert_eq!(names(&daemon), ["Bea", "Ada"]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_deletion_cut_short_is_finished_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let daemon = start(dir.path()).await;
    for name in ["Ada", "Bea"] {
        daemon.handle().create_profile(name).await.unwrap();
    }
    daemon.stop().await;
    // As far as it was when the power went.
    fs::create_dir(home.join("deleted")).unwrap();
    fs::rename(home.join("profiles/Ada"), home.join("deleted/Ada")).unwrap();

    let daemon = start(dir.path()).await;
    assert_eq!(names(&daemon), ["Bea"]);
    assert!(!home.join("deleted").exists() && !home.join("profiles/Ada").exists());
    daemon.stop().await;
}
