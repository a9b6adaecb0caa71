//! Relays as a person runs them: one of their own for others, or the embedded
//! one inside a daemon. Both keep a folder, and an address that never changes.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use hushwing_relay::address::{Server, ServerAddress};
use hushwing_relay::server::{CreationPolicy, ServerConfig};
use hushwing_store::keys::{KeyFile, MasterKey, Role};
use hushwing_transport::OsEntropy;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::home::create_private;
use crate::relay_server::{RelayServer, RelayServerOptions, StartError};

/// File in a relay's folder that holds its address as text.
const ADDRESS: &str = "address";

/// How to run a relay for others.
#[derive(Clone)]
pub struct RelayConfig {
    /// Folder of its identity, its queues and its key.
    pub dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Host to print in the address, where it is not the one listened on.
    pub host: Option<String>,
    /// Password that new mailboxes must give.
    pub password: Option<String>,
}

impl RelayConfig {
    /// A relay open to everybody who can reach it.
    #[must_use]
    pub fn new(dir: PathBuf, listen: SocketAddr) -> Self {
        Self {
            dir,
            listen,
            host: None,
            password: None,
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
        create_private(&config.dir).map_err(|error| cannot("make the relay's folder", &error))?;
        let file = KeyFile::at(config.dir.join("key"));
        let key = if file.exists() {
            file.unlock(None)?
        } else {
            file.create(&mut OsEntropy)?
        };
        Self::run(config, &key).await
    }

    /// Starts the relay inside a daemon, on loopback or, if `lan`, where the
    /// local network reaches it. It listens on the port of its first start.
    pub(crate) async fn embedded(dir: &Path, lan: bool, key: &MasterKey) -> Result<Self, Error> {
        create_private(dir).map_err(|error| cannot("make the relay's folder", &error))?;
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
            password,
        } = config;
        let host = host.unwrap_or_else(|| shown(listen.ip()).to_string());
        let creation = match &password {
            None => CreationPolicy::Open,
            Some(password) => {
                CreationPolicy::Password(Zeroizing::new(password.clone().into_bytes()))
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
        let server = RelayServer::start(&dir, listen, options).await?;
        let address = ServerAddress {
            server: Server {
                hosts: vec![host],
                port: server.listening().port(),
                fingerprint: server.fingerprint(),
            },
            password: password.map(Zeroizing::new),
        };
        if let Err(error) = write_private(&dir.join(ADDRESS), &address.to_string()) {
            server.shutdown().await;
            return Err(cannot("write the relay's address", &error));
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
            _ => cannot("read the relay's address", &error),
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

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn cannot(what: &str, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull => ErrorKind::DiskFull,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format!("cannot {what}: {error}"))
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
            StartError::Identity(error) => Self::new(ErrorKind::Damaged, error.to_string()),
            StartError::Store(error) => error.into(),
            StartError::Tls(_) | StartError::Thread(_) => {
                Self::new(ErrorKind::Internal, error.to_string())
            }
        }
    }
}
