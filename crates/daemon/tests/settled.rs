//! What passed through the write-ahead logs of a profile is soon overwritten.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use hushwing_daemon::{Config, Daemon, Home};

async fn blank(log: &Path) {
    loop {
        let bytes = fs::read(log).unwrap_or_default();
        if !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_logs_of_a_profile_are_blank_soon_after_a_change() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("home"));
    let daemon = Daemon::start(Config { home, lan: false }, None)
        .await
        .unwrap();
    let handle = daemon.handle();
    handle.create_profile("Ada").await.unwrap();
    handle.invite(Some("Ada"), true).await.unwrap();
    let profile = dir.path().join("home/profiles/Ada");
    for name in ["profile.db-wal", "relay.db-wal"] {
        let log = profile.join(name);
        let settled = tokio::time::timeout(Duration::from_secs(60), blank(&log));
        assert!(settled.await.is_ok(), "{name} still tells of what was");
    }
    daemon.stop().await;
}
