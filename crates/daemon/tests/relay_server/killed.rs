//! A server process killed while it works: what it accepted is still there.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::client::{Client, Queue, start};

/// Tells the process that it is to be the server, and in which folder.
const FOLDER: &str = "HUSHWING_TEST_RELAY_FOLDER";

/// Not a test by itself: the server that the test below starts and kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let listening = folder.join("listening");
    let before = std::fs::read_to_string(&listening)
        .ok()
        .and_then(|text| text.parse().ok());
    let server = start(folder, before).await.unwrap();
    let text = format!("{}", server.listening());
    std::fs::write(folder.join("fingerprint"), server.fingerprint()).unwrap();
    std::fs::write(listening, text).unwrap();
    std::fs::write(folder.join("ready"), "").unwrap();
    std::future::pending::<()>().await;
}

/// The server as a process of its own.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(folder: &Path) -> Self {
        let _ = std::fs::remove_file(folder.join("ready"));
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::serve_until_killed"])
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = Self(child);
        for _ in 0..600 {
            if folder.join("ready").exists() {
                return process;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server did not start");
    }

    /// SIGKILL: nothing of it runs on.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where it listens, and its fingerprint.
pub(crate) fn whereabouts(folder: &Path) -> (SocketAddr, [u8; 32]) {
    let address = std::fs::read_to_string(folder.join("listening")).unwrap();
    let fingerprint = std::fs::read(folder.join("fingerprint")).unwrap();
    (address.parse().unwrap(), fingerprint.try_into().unwrap())
}

/// Sends numbers until the connection breaks; how many were accepted.
async fn send_until_killed(mut bob: Client, queue: &Queue, from: u32) -> u32 {
    let mut accepted = from;
    while let Some(answer) = bob.send(queue, &accepted.to_be_bytes()).await {
        if answer == b"OK" {
            accepted += 1;
        } else {
            assert_eq!(answer, b"ERR QUOTA");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    accepted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_lost_nothing_it_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::start(dir.path());
    let (address, fingerprint) = whereabouts(dir.path());
    let mut alice = Client::connect(address, fingerprint).await.unwrap();
    let queue = std::sync::Arc::new(alice.queue().await.unwrap());
    let mut next = 0;
    for round in 0..6_u64 {
        let bob = Client::connect(address, fingerprint).await.unwrap();
        let to = std::sync::Arc::clone(&queue);
        let sending = tokio::spawn(async move { send_until_killed(bob, &to, next).await });
        tokio::time::sleep(Duration::from_millis(20 + 13 * round)).await;
        process.kill();
        let accepted = sending.await.unwrap();

        process = Process::start(dir.path());
        alice = Client::connect(address, fingerprint).await.unwrap();
        assert_eq!(alice.sub(&queue).await.unwrap(), b"SOK 0");
        // A last one may have been stored without its answer getting through:
        // the marker shows where the queue ends.
        let marker = u32::MAX.to_be_bytes();
        let mut sender = Client::connect(address, fingerprint).await.unwrap();
        assert_eq!(sender.send(&queue, &marker).await.unwrap(), b"OK");
        let mut found = Vec::new();
        loop {
            let body = alice.drain(&queue, 1).await.remove(0);
            if body == marker {
                break;
            }
            found.push(u32::from_be_bytes(body.try_into().unwrap()));
            // Asking again brings the next one.
            assert_eq!(alice.sub(&queue).await.unwrap(), b"SOK 0");
        }
        let whole: Vec<u32> = (next..accepted).collect();
        let with_unanswered: Vec<u32> = (next..=accepted).collect();
        assert!(
            found == whole || found == with_unanswered,
            "round {round}: {found:?}"
        );
        next = accepted + 1;
    }
    process.kill();
}
