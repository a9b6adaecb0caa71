//! Addresses of servers, queues and links, as text and as bytes
//! (`protocol/smp.md` 8 and 9).
//!
//! They name a user's servers and queues, so `Debug` hides them all.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hushwing_delivery::{Locator, Place};
use hushwing_sansio::Endpoint;
use zeroize::Zeroizing;

use crate::wire::{Malformed, QueueMode, Reader, Writer};

/// The port of servers whose address names none.
pub const DEFAULT_PORT: u16 = 5223;

/// ALPN protocol name of SMP.
pub const ALPN: &[u8] = b"smp/1";

/// Most hosts one address may name.
const MAX_HOSTS: usize = 8;

/// A server: where it is and how it proves who it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Server {
    /// SHA-256 over the DER of its identity certificate (32 bytes).
    pub fingerprint: [u8; 32],
    /// Host names or IP addresses, in order of preference; at least one.
    pub hosts: Vec<String>,
    /// TCP port.
    pub port: u16,
}

impl Server {
    /// What a driver needs to connect.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            hosts: self.hosts.clone(),
            port: self.port,
            fingerprint: self.fingerprint,
            alpn: ALPN,
        }
    }

    /// Reads: `list1 str` hosts, `u16` port, 32 bytes of fingerprint.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is cut short or a host cannot be one.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let hosts = r.list1(|r| {
            let host = core::str::from_utf8(r.str()?).map_err(|_| Malformed)?;
            if is_host(host) {
                Ok(host.to_owned())
            } else {
                Err(Malformed)
            }
        })?;
        if hosts.len() > MAX_HOSTS {
            return Err(Malformed);
        }
        Ok(Self {
            hosts,
            port: r.u16()?,
            fingerprint: *r.array()?,
        })
    }

    /// Writes what [`Server::read`] reads.
    pub fn write(&self, w: &mut Writer<'_>) {
        w.list1(&self.hosts, |w, host| {
            w.str(host.as_bytes());
        });
        w.u16(self.port).raw(&self.fingerprint);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server(..)")
    }
}

/// A server with the password for creating queues on it: what a person enters
/// as `smp://fingerprint[:password]@host[,host][:port]`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// The server.
    pub server: Server,
    /// The password, if new queues need one.
    pub password: Option<Zeroizing<String>>,
}

/// Why text is no server address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerAddressError {
    /// It does not begin with `smp://`.
    #[error("a relay address begins with smp://")]
    Scheme,
    /// There is no `@` after the fingerprint.
    #[error("a relay address names a fingerprint, then @, then a host")]
    Shape,
    /// The fingerprint is not 32 bytes of base64url.
    #[error("the fingerprint before @ must be 32 bytes in base64url")]
    Fingerprint,
    /// The password is empty or has characters it may not have.
    #[error("the password may hold printable ASCII without space, @, : and /")]
    Password,
    /// A host is neither a name nor an IP address.
    #[error("a host must be a name or an IP address")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
}

impl FromStr for ServerAddress {
    type Err = ServerAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text
            .trim()
            .strip_prefix("smp://")
            .ok_or(ServerAddressError::Scheme)?;
        let (identity, place) = rest.split_once('@').ok_or(ServerAddressError::Shape)?;
        let (fingerprint, password) = match identity.split_once(':') {
            Some((fingerprint, password)) => (fingerprint, Some(parse_password(password)?)),
            None => (identity, None),
        };
        let fingerprint = URL_SAFE
            .decode(fingerprint)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(ServerAddressError::Fingerprint)?;
        let (hosts, port) = parse_hosts(place)?;
        Ok(Self {
            server: Server {
                fingerprint,
                hosts,
                port,
            },
            password,
        })
    }
}

fn parse_password(text: &str) -> Result<Zeroizing<String>, ServerAddressError> {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b':' | b'/');
    if !text.is_empty() && text.len() <= 255 && text.bytes().all(allowed) {
        Ok(Zeroizing::new(text.to_owned()))
    } else {
        Err(ServerAddressError::Password)
    }
}

fn parse_hosts(place: &str) -> Result<(Vec<String>, u16), ServerAddressError> {
    let (others, last) = match place.rsplit_once(',') {
        Some((others, last)) => (Some(others), last),
        None => (None, place),
    };
    let (last, port) = split_port(last)?;
    let hosts = others
        .into_iter()
        .flat_map(|hosts| hosts.split(','))
        .chain([last]);
    let hosts = hosts.map(parse_host).collect::<Result<Vec<_>, _>>()?;
    if hosts.len() > MAX_HOSTS {
        return Err(ServerAddressError::Host);
    }
    Ok((hosts, port))
}

/// Splits `host[:port]`. A bare IPv6 address has colons of its own and so
/// cannot carry a port; in brackets it can.
fn split_port(text: &str) -> Result<(&str, u16), ServerAddressError> {
    let (host, port) = match text.split_once(']') {
        Some((host, rest)) => {
            let port = rest.strip_prefix(':');
            if port.is_none() && !rest.is_empty() {
                return Err(ServerAddressError::Host);
            }
            (host, port)
        }
        None if text.matches(':').count() == 1 => text
            .split_once(':')
            .map_or((text, None), |(host, port)| (host, Some(port))),
        None => (text, None),
    };
    let Some(port) = port else {
        return Ok((host, DEFAULT_PORT));
    };
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if digits && port > 0 => Ok((host, port)),
        _ => Err(ServerAddressError::Port),
    }
}

fn parse_host(text: &str) -> Result<String, ServerAddressError> {
    let bare = text.strip_prefix('[').unwrap_or(text);
    let bare = bare.strip_suffix(']').unwrap_or(bare);
    let host = bare.to_ascii_lowercase();
    if is_host(&host) {
        Ok(host)
    } else {
        Err(ServerAddressError::Host)
    }
}

fn is_host(text: &str) -> bool {
    let is_name = || {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        text.bytes().all(allowed) && !text.starts_with(['.', '-']) && !text.contains("..")
    };
    (1..=253).contains(&text.len())
        && (text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok() || is_name())
}

impl fmt::Display for ServerAddress {
    /// The text a person enters, password included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "smp://{}", URL_SAFE.encode(self.server.fingerprint))?;
        if let Some(password) = &self.password {
            write!(f, ":{}", password.as_str())?;
        }
        for (n, host) in self.server.hosts.iter().enumerate() {
            f.write_str(if n == 0 { "@" } else { "," })?;
            if host.contains(':') {
                write!(f, "[{host}]")?
            } else {
                f.write_str(host)?
            }
        }
        if self.server.port == DEFAULT_PORT {
            Ok(())
        } else {
            write!(f, ":{}", self.server.port)
        }
    }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerAddress(..)")
    }
}

/// Version byte of queue and link addresses.
const VERSION: u8 = 1;

/// A queue as its senders know it; travels as a [`Locator`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueAddress {
    /// The server it lies on.
    pub server: Server,
    /// The sender's name for it.
    pub sender_id: Vec<u8>,
    /// Whether the first sender locks it with a key before writing.
    pub lockable: bool,
}

impl QueueAddress {
    /// Encodes: version `1`, server, `str` sender id, `bool` lockable.
    #[must_use]
    pub fn to_locator(&self) -> Locator {
        let mut out = vec![VERSION];
        let mut w = Writer::new(&mut out);
        self.server.write(&mut w);
        w.str(&self.sender_id).bool(self.lockable);
        Locator(out)
    }

    /// Decodes what [`QueueAddress::to_locator`] made.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for another version or any deviation.
    pub fn from_locator(locator: &Locator) -> Result<Self, Malformed> {
        let mut r = Reader::new(&locator.0);
        r.expect(VERSION)?;
        let server = Server::read(&mut r)?;
        let sender_id = read_id(&mut r)?;
        let lockable = r.bool()?;
        r.finish()?;
        Ok(Self {
            server,
            sender_id,
            lockable,
        })
    }
}

impl fmt::Debug for QueueAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueueAddress(..)")
    }
}

/// Length of the id of a one-time link (bytes).
pub const LINK_ID_LEN: usize = 24;

/// Where link data lies; travels as a [`Place`] inside a link.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkPlace {
    /// The server it lies on.
    pub server: Server,
    /// The link id of a one-time link. That of a reusable link follows from
    /// the link secret.
    pub link_id: Option<Vec<u8>>,
}

impl LinkPlace {
    /// Bytes of the longest place on `server`: that of a one-time link.
    #[must_use]
    pub fn longest(server: &Server) -> usize {
        let longest = Self {
            server: server.clone(),
            link_id: Some(vec![0; LINK_ID_LEN]),
        };
        longest.to_place().0.len()
    }

    /// Encodes: version `1`, server, mode `M` and `str` link id, or mode `C`.
    #[must_use]
    pub fn to_place(&self) -> Place {
        let mut out = vec![VERSION];
        let mut w = Writer::new(&mut out);
        self.server.write(&mut w);
        match &self.link_id {
            Some(id) => {
                QueueMode::Messaging.write(&mut w);
                w.str(id);
            }
            None => QueueMode::Contact.write(&mut w),
        }
        Place(out)
    }

    /// Decodes what [`LinkPlace::to_place`] made.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for another version or any deviation.
    pub fn from_place(place: &Place) -> Result<Self, Malformed> {
        let mut r = Reader::new(&place.0);
        r.expect(VERSION)?;
        let server = Server::read(&mut r)?;
        let link_id = match QueueMode::read(&mut r)? {
            QueueMode::Messaging => Some(read_id(&mut r)?),
            QueueMode::Contact => None,
        };
        r.finish()?;
        Ok(Self { server, link_id })
    }
}

impl fmt::Debug for LinkPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkPlace(..)")
    }
}

/// Ids of at most 64 bytes: more names nothing on any server.
fn read_id(r: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    let id = r.str()?;
    if (1..=64).contains(&id.len()) {
        Ok(id.to_vec())
    } else {
        Err(Malformed)
    }
}
