//! A client that shares no code with the server: `interop/smp_peer`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::client::start;

fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .expect("Python 3 with venv is needed, see README.md");
    let (said, complained) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{complained}");
    String::from_utf8_lossy(said).into_owned()
}

/// A Python with the peer's libraries, made once and kept among build files.
fn python(peer: &Path) -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let made = || {
        let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smp_peer");
        let python = venv.join("bin/python");
        let ready = venv.join("ready");
        if !ready.exists() {
            succeed(
                Command::new("python3")
                    .args(["-m", "venv", "--clear"])
                    .arg(&venv),
            );
            let install = ["-m", "pip", "install", "--quiet", "-r"];
            let requirements = peer.join("requirements.txt");
            succeed(Command::new(&python).args(install).arg(requirements));
            std::fs::write(ready, "").unwrap();
        }
        python
    };
    MADE.get_or_init(made).clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_written_from_the_specification_alone_holds_a_conversation() {
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop/smp_peer");
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), None).await.unwrap();
    let (port, fingerprint) = (server.listening().port().to_string(), server.fingerprint());
    let fingerprint: String = fingerprint
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let said = tokio::task::spawn_blocking(move || {
        let python = python(&peer);
        ["8", "9", "11", "14", "16", "18"].map(|version| {
            let mut command = Command::new(&python);
            command.arg(peer.join("peer.py"));
            succeed(command.args(["127.0.0.1", &port, &fingerprint, version]))
        })
    });
    assert!(said.await.unwrap().iter().all(|said| said.trim() == "ok"));
    server.shutdown().await;
}
