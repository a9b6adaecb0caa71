//! Relays as a person runs them: one of their own for others, or the embedded
//! one inside a daemon. Both keep a folder, and an address that never changes.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hushwing_relay::address::{Server, ServerAddress, ServerAddressError};
use hushwing_relay::server::{CreationPolicy, ServerConfig};
use hushwing_sansio::Entropy;
use hushwing_store::OpenError;
use hushwing_store::keys::{MasterKey, Role};
use hushwing_transport::OsEntropy;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::files;
use crate::home::create_private;
use crate::inspection::Verdict;
use crate::key::Keyed;
use crate::relay_server::{IdentityFileError, RelayServer, RelayServerOptions, StartError};
use crate::relays;

/// File in a relay's folder that holds its address as text.
const ADDRESS: &str = "address";

/// Who may make mailboxes on a relay. Writing to one that exists needs no
/// password, so links carry none.
#[derive(Clone)]
pub enum Admission {
    /// Everybody who can reach it.
    Open,
    /// Those who know this password: printable ASCII without space, `@`, `:`
    /// and `/`.
    Password(Zeroizing<String>),
    /// Those who know the password of the relay's last run. If it had none: a
    /// random one, or everybody where only this machine reaches it.
    Kept,
}

impl Admission {
    /// The password, for a relay in `dir` that is `private` to this machine.
    fn password(self, dir: &Path, private: bool) -> Result<Option<Zeroizing<String>>, Error> {
        match self {
            Self::Open => Ok(None),
            Self::Password(password) if fits_address(&password) => Ok(Some(password)),
            Self::Password(_) => Err(Error::new(
                ErrorKind::Usage,
                ServerAddressError::Password.to_string(),
            )),
            Self::Kept => {
                let kept = match fs::exists(dir.join(ADDRESS)) {
                    Ok(false) => None,
                    _ => Relay::stored_address(dir)?.password,
                };
                Ok(kept.or_else(|| (!private).then(random_password)))
            }
        }
    }
}

/// Whether it can stand in an address (smp.md 5).
fn fits_address(password: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"@:/".contains(&byte);
    (1..=255).contains(&password.len()) && password.bytes().all(fits)
}

fn random_password() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 24]);
    OsEntropy.fill(bytes.as_mut_slice());
    Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
}

/// How to run a relay for others.
#[derive(Clone)]
pub struct RelayConfig {
    /// Folder of its identity, its queues and its key.
    pub dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Host to print in the address, where it is not the one listened on.
    pub host: Option<String>,
    /// Who may make mailboxes.
    pub admission: Admission,
}

impl RelayConfig {
    /// A relay open to everybody who can reach it.
    #[must_use]
    pub fn new(dir: PathBuf, listen: SocketAddr) -> Self {
        Self {
            dir,
            listen,
            host: None,
            admission: Admission::Kept,
        }
    }
}

/// A running relay.
pub struct Relay {
    server: RelayServer,
    address: ServerAddress,
}

impl Relay {
    /// Starts a relay; the first start makes its identity.
    ///
    /// # Errors
    ///
    /// When the port is taken, files are damaged or the disk is full.
    pub async fn start(config: RelayConfig) -> Result<Self, Error> {
        create(&config.dir)?;
        let key = Keyed::relay(&config.dir).unlock(None)?;
        Self::run(config, &key).await
    }

    /// Starts the relay inside a daemon, on loopback or, if `lan`, where the
    /// local network reaches it. It listens on the port of its first start.
    pub(crate) async fn embedded(dir: &Path, lan: bool, key: &MasterKey) -> Result<Self, Error> {
        create(dir)?;
        let port = match fs::exists(dir.join(ADDRESS)) {
            Ok(true) => Self::stored_address(dir)?.server.port,
            _ => 0,
        };
        let ip = if lan {
            Ipv4Addr::UNSPECIFIED
        } else {
            Ipv4Addr::LOCALHOST
        };
        let mut config = RelayConfig::new(dir.to_owned(), SocketAddr::from((ip, port)));
        if lan {
            config.host = Some(own_address()?.to_string());
        }
        Self::run(config, key).await
    }

    async fn run(config: RelayConfig, key: &MasterKey) -> Result<Self, Error> {
        let RelayConfig {
            dir,
            listen,
            host,
            admission,
        } = config;
        // A relay that shows another host is reached through a forwarder.
        let private = listen.ip().is_loopback() && host.is_none();
        let password = admission.password(&dir, private)?;
        let host = host.unwrap_or_else(|| shown(listen.ip()).to_string());
        let creation = match &password {
            None => CreationPolicy::Open,
            Some(password) => {
                CreationPolicy::Password(Zeroizing::new(password.as_bytes().to_vec()))
            }
        };
        let options = RelayServerOptions {
            config: ServerConfig {
                creation,
                ..ServerConfig::default()
            },
            key: key.derive(Role::RelayServer, "relay"),
            host: host.clone(),
        };
        let mut named = Server {
            hosts: vec![host],
            port: listen.port(),
            fingerprint: [0; 32],
        };
        relays::check_fits_link(&named)?;
        let server = RelayServer::start(&dir, listen, options).await?;
        named.port = server.listening().port();
        named.fingerprint = server.fingerprint();
        let address = ServerAddress {
            server: named,
            password,
        };
        let text = address.to_string();
        let known = fs::read_to_string(dir.join(ADDRESS)).is_ok_and(|known| known == text);
        let kept = if known {
            Ok(())
        } else {
            files::replace(&dir.join(ADDRESS), text.as_bytes())
        };
        if let Err(error) = kept {
            server.shutdown().await;
            return Err(Error::system("write", &dir.join(ADDRESS), &error));
        }
        Ok(Self { server, address })
    }

    /// The address a relay in `dir` had when it ran last.
    ///
    /// # Errors
    ///
    /// When none ran there, or the file is damaged.
    pub fn stored_address(dir: &Path) -> Result<ServerAddress, Error> {
        let text = fs::read_to_string(dir.join(ADDRESS)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Error::new(ErrorKind::NotFound, "no relay ran in this folder")
                    .with_advice("`hushwing relay run --dir DIR` makes one")
            }
            _ => Error::system("read", &dir.join(ADDRESS), &error),
        })?;
        text.parse().map_err(|_| {
            Error::new(
                ErrorKind::Damaged,
                "the file `address` in the relay's folder is damaged",
            )
            .with_advice("remove it; the next start writes it anew")
        })
    }

    /// Its address, with the password if it has one.
    #[must_use]
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub fn listening(&self) -> SocketAddr {
        self.server.listening()
    }

    /// Asks whether its database is sound.
    pub(crate) fn inspect(&self) -> oneshot::Receiver<Verdict> {
        self.server.inspect()
    }

    /// Ends all connections and waits until what was accepted is on disk.
    pub async fn stop(self) {
        self.server.shutdown().await;
    }
}

/// What to print for an address that means "all of mine".
fn shown(ip: IpAddr) -> IpAddr {
    if ip.is_unspecified() {
        own_address().unwrap_or(ip)
    } else {
        ip
    }
}

/// The address of this machine that others reach. Connecting a datagram socket
/// asks the routing table and sends nothing.
fn own_address() -> Result<IpAddr, Error> {
    let route = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // An address reserved for documentation (RFC 5737): routed like any
        // other, and nobody's.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        Ok(socket.local_addr()?.ip())
    };
    route().map_err(|_: io::Error| {
        Error::new(
            ErrorKind::Unreachable,
            "this machine has no address on a network",
        )
        .with_advice("connect it to a network, or start without --lan")
    })
}

fn create(dir: &Path) -> Result<(), Error> {
    create_private(dir).map_err(|error| Error::system("make the relay's folder", dir, &error))
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        match error {
            StartError::AddressInUse(_) => Self::new(ErrorKind::PortInUse, error.to_string()),
            StartError::Listen { ref source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Self::new(ErrorKind::Usage, error.to_string())
                    .with_advice("ports below 1024 need privileges; choose a higher one")
            }
            StartError::Listen { .. } => Self::new(ErrorKind::Usage, error.to_string())
                .with_advice("give an address of this machine"),
            StartError::Identity(IdentityFileError::File { path, source })
                if source.kind() != io::ErrorKind::NotFound =>
            {
                Self::system("use", &path, &source)
            }
            StartError::Identity(error) => Self::new(ErrorKind::Damaged, error.to_string()),
            StartError::Store(OpenError::Busy { holder }) => {
                let holder = holder.map(|pid| format!(" ({pid})")).unwrap_or_default();
                let message = format!("another process{holder} runs the relay in this folder");
                Self::new(ErrorKind::AlreadyRunning, message)
                    .with_advice("stop that process first, or give another folder with --dir")
            }
            StartError::Store(error) => error.into(),
            StartError::Tls(_) | StartError::Thread(_) => {
                Self::new(ErrorKind::Internal, error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The password of a relay that others reach through a forwarder.
    async fn password(dir: &Path, admission: Admission) -> Option<String> {
        password_of(dir, admission, Some("relay.example".to_owned())).await
    }

    async fn password_of(dir: &Path, admission: Admission, host: Option<String>) -> Option<String> {
        let mut config = RelayConfig::new(dir.to_owned(), SocketAddr::from(([127, 0, 0, 1], 0)));
        config.host = host;
        config.admission = admission;
        let relay = Relay::start(config).await.unwrap();
        let stored = Relay::stored_address(dir).unwrap();
        assert!(relay.address() == &stored);
        relay.stop().await;
        stored.password.map(|password| password.to_string())
    }

    #[tokio::test]
    async fn a_random_password_is_made_once_and_kept_for_the_owner_only() {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let first = password(dirs[0].path(), Admission::Kept).await.unwrap();
        assert_eq!(first.len(), 32);
        assert_eq!(
            password(dirs[0].path(), Admission::Kept).await,
            Some(first.clone())
        );
        assert_ne!(password(dirs[1].path(), Admission::Kept).await, Some(first));
        let file = fs::metadata(dirs[0].path().join(ADDRESS)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_given_password_is_kept_and_an_open_relay_has_none() {
        let dir = tempfile::tempdir().unwrap();
        let given = || Zeroizing::new("sesame".to_owned());
        let first = password(dir.path(), Admission::Password(given())).await;
        assert_eq!(first.as_deref(), Some("sesame"));
        let second = password(dir.path(), Admission::Kept).await;
        assert_eq!(second.as_deref(), Some("sesame"));
        assert_eq!(password(dir.path(), Admission::Open).await, None);
    }

    #[tokio::test]
    async fn a_relay_with_a_host_too_long_for_a_link_does_not_start() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = RelayConfig::new(dir.path().into(), SocketAddr::from(([127, 0, 0, 1], 0)));
        config.host = Some("h".repeat(200));
        let refused = Relay::start(config).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Usage);
    }

    #[test]
    fn a_password_that_no_address_can_hold_is_refused() {
        for wrong in ["", "a b", "a@b", "a:b", "a/b", "ä"] {
            let admission = Admission::Password(Zeroizing::new(wrong.to_owned()));
            assert!(admission.password(Path::new(""), false).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_relay_that_only_this_machine_reaches_needs_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(password_of(dir.path(), Admission::Kept, None).await, None);
        let made = password(dir.path(), Admission::Kept).await;
        assert!(made.is_some());
        let kept = password_of(dir.path(), Admission::Kept, None).await;
        assert_eq!(kept, made, "whoever has its address goes on using it");
    }
}
