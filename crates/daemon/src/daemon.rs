//! Starting and stopping the whole.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use hushwing_store::keys::{KeyFile, MasterKey, Passphrase};
use hushwing_store::{FileLock, LockError};
use hushwing_transport::OsEntropy;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::api::{ApiSocket, serve};
use crate::error::{Error, ErrorKind};
use crate::handle::Handle;
use crate::home::Home;
use crate::installation::Installation;
use crate::settings::Settings;

/// How long a daemon that answers no more may take to let go of its home.
const HANDOVER: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

/// How to start a daemon.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder it serves.
    pub home: Home,
    /// Whether the embedded relay serves the local network, not loopback only.
    pub lan: bool,
}

/// A running daemon. Dropping it without [`Daemon::stop`] is like a crash.
pub struct Daemon {
    installation: Arc<Installation>,
    api: JoinHandle<()>,
    /// Held for as long as the daemon lives, so that no second one starts.
    _lock: FileLock,
}

impl Daemon {
    /// Opens a home and starts everything in it. Returns once the local API
    /// answers. Makes no profile.
    ///
    /// # Errors
    ///
    /// When another daemon serves the home, the passphrase is missing or wrong,
    /// a file is damaged, the disk is full or a port is taken.
    pub async fn start(config: Config, passphrase: Option<Passphrase>) -> Result<Self, Error> {
        let Config { home, lan } = config;
        home.create()
            .map_err(|error| cannot("make the home folder", &error))?;
        let lock = lock(&home).await?;
        let settings = Settings::load(&home.config())?;
        let key = unlock(&home, passphrase)?;
        let socket = ApiSocket::bind(&home.socket()).map_err(|error| no_socket(&error))?;
        let installation = Arc::new(Installation::new(home, key, settings, lan));
        if let Err(error) = installation.start().await {
            installation.close().await;
            return Err(error);
        }
        let handle = Handle::new(Arc::clone(&installation));
        let api = tokio::spawn(serve(socket, handle, installation.stopping()));
        Ok(Self {
            installation,
            api,
            _lock: lock,
        })
    }

    /// A caller of this daemon.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.installation))
    }

    /// Waits until a face asks to stop or the system does, then stops.
    ///
    /// # Errors
    ///
    /// When the system's signals cannot be listened to.
    pub async fn until_stopped(self) -> Result<(), Error> {
        let listen = |kind| signal(kind).map_err(|error| cannot("listen to signals", &error));
        let (mut interrupt, mut terminate) = (
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
        );
        let mut stopping = self.installation.stopping();
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        self.stop().await;
        Ok(())
    }

    /// Stops everything after the transactions at hand.
    pub async fn stop(self) {
        self.installation.stop();
        self.installation.close().await;
        // It only fails if the task panicked, which the runtime reported.
        let _ = self.api.await;
    }
}

/// The lock of a home. Where it is held and nobody answers, its holder is on
/// its way out or in, so wait a little.
async fn lock(home: &Home) -> Result<FileLock, Error> {
    let begun = Instant::now();
    loop {
        match FileLock::acquire(&home.lock()) {
            Err(LockError::Held { .. })
                if begun.elapsed() < HANDOVER && UnixStream::connect(home.socket()).is_err() =>
            {
                tokio::time::sleep(POLL).await;
            }
            lock => return Ok(lock?),
        }
    }
}

/// The master key of a home; a new home gets one.
fn unlock(home: &Home, passphrase: Option<Passphrase>) -> Result<MasterKey, Error> {
    let file = KeyFile::at(home.key());
    if file.exists() {
        Ok(file.unlock(passphrase.as_ref())?)
    } else {
        Ok(file.create(&mut OsEntropy)?)
    }
}

/// The system takes only short paths for sockets.
fn no_socket(error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::InvalidInput {
        let message = "the home folder's path is too long for the daemon's socket";
        return Error::new(ErrorKind::Usage, message)
            .with_advice("give a shorter one with `--home DIR`, at most 90 bytes");
    }
    cannot("open the api socket", error)
}

fn cannot(what: &str, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull => ErrorKind::DiskFull,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format!("cannot {what}: {error}"))
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => Self::new(
                ErrorKind::AlreadyRunning,
                "a daemon already serves this home",
            ),
            error => Self::new(ErrorKind::Internal, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_home_is_taken_over_from_a_daemon_that_is_ending() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().to_owned());
        home.create().unwrap();
        let ending = FileLock::acquire(&home.lock()).unwrap();
        let end = async {
            tokio::time::sleep(10 * POLL).await;
            drop(ending);
        };
        let (taken, ()) = tokio::join!(lock(&home), end);
        assert!(taken.is_ok());
    }

    #[tokio::test]
    async fn a_home_whose_daemon_answers_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().to_owned());
        home.create().unwrap();
        let _held = FileLock::acquire(&home.lock()).unwrap();
        let _answers = ApiSocket::bind(&home.socket()).unwrap();
        let refused = lock(&home).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::AlreadyRunning);
    }
}
