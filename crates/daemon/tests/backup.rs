//! A profile that is backed up while it is in use.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use std::fs;
use std::path::{Path, PathBuf};

use hushwing_api::backup::{BackedUp, BackupBody, Secret};
use hushwing_daemon::{Config, Daemon, Error, ErrorKind, Home};
use tempfile::TempDir;

const WORDS: &str = "four words by dice";

async fn start(home: &Path) -> Daemon {
    let home = Home::at(home);
    Daemon::start(Config { home, lan: false }, None)
        .await
        .unwrap()
}

async fn back_up(daemon: &Daemon, file: &Path, force: bool) -> Result<BackedUp, Error> {
    let asked = BackupBody {
        file: file.to_str().unwrap().to_owned(),
        force,
        passphrase: Some(Secret::new(WORDS)),
    };
    daemon.handle().back_up(None, &asked).await
}

/// A folder with a backup of Ada, who has a relay and a link of her own.
async fn backed_up() -> (TempDir, PathBuf, String) {
    let dir = tempfile::tempdir().unwrap();
    let daemon = start(&dir.path().join("old")).await;
    let handle = daemon.handle();
    handle.create_profile("Ada").await.unwrap();
    let relay = handle.status().await.unwrap().networks.relay.embedded;
    let relay = relay.unwrap();
    handle
        .add_server_unchecked(Some("Ada"), &relay)
        .await
        .unwrap();
    handle.invite(None, true).await.unwrap();
    let file = dir.path().join("ada.backup");
    let made = back_up(&daemon, &file, false).await.unwrap();
    assert_eq!(made.bytes, fs::metadata(&file).unwrap().len());
    assert_eq!((made.profile, made.recovery_code), ("Ada".into(), None));
    assert!(!dir.path().join("old/copies").exists());
    let again = back_up(&daemon, &file, false).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Exists);
    assert!(again.advice().contains("--force"));
    daemon.stop().await;
    (dir, file, relay)
}

#[tokio::test]
async fn copies_that_a_crash_left_are_removed_and_a_file_is_replaced_when_told() {
    let (dir, file, _) = backed_up().await;
    let home = dir.path().join("old");
    fs::create_dir(home.join("copies")).unwrap();
    fs::write(home.join("copies/profile.db"), "half of one").unwrap();
    let daemon = start(&home).await;
    assert!(!home.join("copies").exists());
    let before = fs::read(&file).unwrap();
    back_up(&daemon, &file, true).await.unwrap();
    assert_ne!(fs::read(&file).unwrap(), before);
    for wrong in [
        "ada.backup",
        "/nowhere/at/all",
        dir.path().to_str().unwrap(),
    ] {
        let error = back_up(&daemon, Path::new(wrong), true).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{wrong}");
    }
    daemon.stop().await;
}
