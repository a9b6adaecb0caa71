//! A profile backed up in one home and restored in another, whatever happens in
//! between: it is whole, or there is none.
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

use hushwing_api::backup::{BackedUp, BackupBody, RestoreBody, Restored, Secret};
use hushwing_daemon::{Config, Daemon, Error, ErrorKind, Home};
use tempfile::TempDir;

const WORDS: &str = "four words by dice";

async fn start(home: &Path) -> Daemon {
    let home = Home::at(home);
    Daemon::start(Config { home, lan: false }, None)
        .await
        .unwrap()
}

fn names(daemon: &Daemon) -> Vec<String> {
    let profiles = daemon.handle().profiles();
    profiles.into_iter().map(|one| one.profile).collect()
}

async fn back_up(daemon: &Daemon, file: &Path, force: bool) -> Result<BackedUp, Error> {
    let asked = BackupBody {
        file: file.to_str().unwrap().to_owned(),
        force,
        passphrase: Some(Secret::new(WORDS)),
    };
    daemon.handle().back_up(None, &asked).await
}

async fn restore(
    daemon: &Daemon,
    file: &Path,
    secret: &str,
    name: Option<&str>,
) -> Result<Restored, Error> {
    let asked = RestoreBody {
        file: file.to_str().unwrap().to_owned(),
        secret: Secret::new(secret),
        name: name.map(str::to_owned),
    };
    daemon.handle().restore(&asked).await
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
async fn a_restored_profile_has_its_links_and_its_own_relays() {
    let (dir, file, relay) = backed_up().await;
    let home = dir.path().join("new");
    let daemon = start(&home).await;
    let restored = restore(&daemon, &file, WORDS, None).await.unwrap();
    assert_eq!((restored.profile.as_str(), restored.contacts), ("Ada", 0));
    assert!(restored.default);
    let handle = daemon.handle();
    let servers = handle.servers(Some("Ada"), false).unwrap();
    assert_eq!((servers.len(), &servers[0].address), (1, &relay));
    assert_eq!(servers[0].profile.as_deref(), Some("Ada"));
    assert!(!home.join("restoring").exists());

    let taken = restore(&daemon, &file, WORDS, None).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Exists);
    assert!(taken.advice().contains("--as"));
    restore(&daemon, &file, WORDS, Some("Ada II"))
        .await
        .unwrap();
    daemon.stop().await;
    let daemon = start(&home).await;
    assert_eq!(names(&daemon), ["Ada", "Ada II"]);
    daemon.stop().await;
}

/// Everything in a folder, by name and content, without what a daemon's run changes.
fn tree(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else if ["config.json", "key", "ready.json"].contains(&name(&path)) {
            found.push((path.clone(), fs::read(&path).unwrap()));
        } else if ["profile.db", "relay.db"].contains(&name(&path)) {
            found.push((path, Vec::new()));
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[tokio::test]
async fn what_cannot_be_restored_changes_nothing() {
    let (dir, file, _) = backed_up().await;
    let home = dir.path().join("new");
    let daemon = start(&home).await;
    let before = tree(&home);
    let damaged = dir.path().join("damaged");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    for (file, secret, called, kind) in [
        (&file, "four words", None, ErrorKind::WrongPassphrase),
        (&damaged, WORDS, None, ErrorKind::Damaged),
        (&dir.path().join("old/log"), WORDS, None, ErrorKind::BadFile),
        (&dir.path().join("none"), WORDS, None, ErrorKind::NotFound),
        (&file, WORDS, Some("a/b"), ErrorKind::Usage),
    ] {
        fs::write(dir.path().join("old/log"), "no backup").unwrap();
        let error = restore(&daemon, file, secret, called).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(tree(&home), before, "{error}");
        assert!(!home.join("restoring").exists());
    }
    assert_eq!(names(&daemon), [""; 0]);
    daemon.stop().await;
}

/// What a crash leaves, from the first step to the last.
#[tokio::test]
async fn a_crash_while_restoring_leaves_a_whole_profile_or_none() {
    let (dir, file, _) = backed_up().await;
    let home = dir.path().join("new");
    let daemon = start(&home).await;
    let config = home.join("config.json");
    daemon.handle().create_profile("Bea").await.unwrap();
    let before = fs::read(&config).unwrap();
    restore(&daemon, &file, WORDS, None).await.unwrap();
    daemon.stop().await;
    let after = fs::read(&config).unwrap();
    let [place, aside] = [home.join("profiles/Ada"), home.join("restoring/files")];
    let ready = br#"{"version":1,"profile":"Ada","servers":[]}"#;

    // Settings saved and folder in its place: only the folder aside is left.
    fs::create_dir(home.join("restoring")).unwrap();
    fs::write(home.join("restoring/ready.json"), ready).unwrap();
    come_back(&home, &["Bea", "Ada"]).await;
    // Settings saved.
    fs::create_dir(home.join("restoring")).unwrap();
    fs::write(home.join("restoring/ready.json"), ready).unwrap();
    fs::rename(&place, &aside).unwrap();
    come_back(&home, &["Bea", "Ada"]).await;
    // Nothing but ready.
    fs::create_dir(home.join("restoring")).unwrap();
    fs::write(home.join("restoring/ready.json"), ready).unwrap();
    fs::rename(&place, &aside).unwrap();
    fs::write(&config, &before).unwrap();
    come_back(&home, &["Bea", "Ada"]).await;
    assert_ne!(after, before);
    // Not ready.
    fs::create_dir(home.join("restoring")).unwrap();
    fs::rename(&place, &aside).unwrap();
    fs::write(&config, &before).unwrap();
    come_back(&home, &["Bea"]).await;
    assert!(!place.exists());
}

/// Starts the daemon after a crash, and looks whether all it has works.
async fn come_back(home: &Path, expected: &[&str]) {
    let daemon = start(home).await;
    assert_eq!(names(&daemon), expected);
    assert!(!home.join("restoring").exists());
    for name in expected {
        daemon.handle().contacts(Some(name)).await.unwrap();
        let links = daemon.handle().invitations(Some(name)).await.unwrap();
        assert_eq!(links.len(), usize::from(*name == "Ada"));
    }
    daemon.stop().await;
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
