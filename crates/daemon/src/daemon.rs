//! Starting and stopping the whole.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use hushwing_store::keys::Passphrase;
use hushwing_store::{FileLock, LockError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::api::{ApiSocket, serve};
use crate::error::{Error, ErrorKind};
use crate::files::FileId;
use crate::handle::Handle;
use crate::home::Home;
use crate::installation::Installation;
use crate::key::Keyed;
use crate::settings::Settings;
use crate::{backup, deletion, hidden, restore};

/// How long a daemon that answers no more may take to let go of its home.
const HANDOVER: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

/// How often a daemon looks whether its home is still where it was.
const LOOK: Duration = Duration::from_secs(2);

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
            .map_err(|error| Error::system("make the home folder", home.path(), &error))?;
        let lock = lock(&home).await?;
        let mut settings = Settings::load(&home.config())?;
        deletion::resume(&home, &mut settings)?;
        restore::resume(&home, &mut settings)?;
        backup::clear(&home)?;
        let key = Keyed::home(&home)?.unlock(passphrase.as_ref())?;
        let socket = ApiSocket::bind(&home.socket()).map_err(|error| no_socket(&home, &error))?;
        let installation = Arc::new(Installation::new(home, key, settings, lan));
        if let Err(error) = installation.start().await {
            installation.close().await;
            return Err(error);
        }
        hidden::keep(installation.hidden.slots().clone(), installation.stopping());
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
    /// When the system's signals cannot be listened to, or the home went away
    /// under the daemon, which stops for that.
    pub async fn until_stopped(self) -> Result<(), Error> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Error::new(ErrorKind::Internal, format!("signals: {error}")))
        };
        let (mut interrupt, mut terminate) = (
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
        );
        let mut stopping = self.installation.stopping();
        let home = self.installation.home.clone();
        let outcome = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => Ok(()),
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
            gone = gone(&home) => Err(gone),
        };
        self.stop().await;
        outcome
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
            Err(LockError::Io(error)) => {
                return Err(Error::system("lock", &home.lock(), &error));
            }
            Err(LockError::Held { .. })
                if begun.elapsed() < HANDOVER && UnixStream::connect(home.socket()).is_err() =>
            {
                tokio::time::sleep(POLL).await;
            }
            Err(LockError::Held { .. }) => return Err(already_served()),
            Ok(lock) => return Ok(lock),
        }
    }
}

/// Returns once the home is not the one it was: nothing that is said from then
/// on would be there at the next start.
async fn gone(home: &Home) -> Error {
    let (lock, mut rounds) = (home.lock(), tokio::time::interval(LOOK));
    let mut own = None;
    loop {
        rounds.tick().await;
        if !is_there(&mut own, FileId::of(&lock)) {
            tracing::error!("the home folder was removed or moved away: stopping");
            let shown = home.path().display();
            let message = format!("the home folder {shown} was removed or moved away");
            return Error::new(ErrorKind::Damaged, message).with_advice(
                "the daemon stopped; put the folder back, then start it with `hushwing up`",
            );
        }
    }
}

/// Whether what a look found is our own file, which is the one found first.
fn is_there(own: &mut Option<FileId>, found: io::Result<FileId>) -> bool {
    match found {
        Ok(found) => *own.get_or_insert(found) == found,
        // Whatever else keeps us from looking may pass.
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Two daemons on one home would both write its files.
pub(crate) fn already_served() -> Error {
    Error::new(
        ErrorKind::AlreadyRunning,
        "a daemon already serves this home",
    )
}

/// The system takes only short paths for sockets.
fn no_socket(home: &Home, error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::InvalidInput {
        let message = "the home folder's path is too long for the daemon's socket";
        return Error::new(ErrorKind::Usage, message)
            .with_advice("give a shorter one with `--home DIR`, at most 90 bytes");
    }
    Error::system("open the api socket", &home.socket(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_gone_with_its_file_and_not_because_a_look_failed() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, []).unwrap();
            FileId::of(&path)
        };
        let failed = || Err(io::ErrorKind::PermissionDenied.into());
        let mut own = None;
        assert!(is_there(&mut own, failed()), "the first look may fail");
        assert!(is_there(&mut own, file("lock")));
        assert!(is_there(&mut own, failed()));
        assert!(is_there(&mut own, file("lock")));
        assert!(!is_there(&mut own, file("another")));
        let removed = FileId::of(&dir.path().join("removed"));
        assert!(!is_there(&mut own, removed));
    }

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
