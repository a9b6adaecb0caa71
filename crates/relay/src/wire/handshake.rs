//! The two hellos (SMP 3). Each is one block that is padded and not sealed;
//! bytes after the last known field are ignored.

use super::key::DhPublic;
use super::{Malformed, Reader, TooLong, Version, VersionRange, Writer};

/// Most certificates a chain may have.
pub const MAX_CHAIN: usize = 4;

/// What the server says first.
pub struct ServerHello<'a> {
    /// The versions it offers.
    pub versions: VersionRange,
    /// `verify_data` of the client's TLS Finished as the server saw it.
    pub session_id: &'a [u8],
    /// The certificate chain of the TLS session in DER, leaf first.
    pub chain: Vec<&'a [u8]>,
    /// The session key, see [`super::SignedKey`].
    pub signed_key: &'a [u8],
}

impl<'a> ServerHello<'a> {
    /// Parses the content of the first block.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if a field is missing or cut short.
    pub fn parse(hello: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(hello);
        Ok(Self {
            versions: VersionRange::read(&mut r)?,
            session_id: r.str()?,
            chain: r.list1(Reader::big)?,
            signed_key: r.big()?,
        })
    }

    /// Encodes the content of the first block.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if a certificate exceeds 65,535 bytes or the chain is
    /// empty.
    pub fn encode(&self) -> Result<Vec<u8>, TooLong> {
        let mut hello = Vec::new();
        let mut w = Writer::new(&mut hello);
        self.versions.write(&mut w);
        w.str(self.session_id)
            .list1(&self.chain, |w, der| {
                w.big(der);
            })
            .big(self.signed_key);
        w.check()?;
        Ok(hello)
    }
}

/// A service that identifies itself. Parsed so that it can be refused by name.
pub struct ServiceHello<'a> {
    /// `M`, `N` or `P`.
    pub role: u8,
    /// The service's certificate chain in DER, leaf first.
    pub chain: Vec<&'a [u8]>,
    /// Its session key, signed.
    pub signed_key: &'a [u8],
}

/// What the client answers.
pub struct ClientHello<'a> {
    /// The version of the session.
    pub version: Version,
    /// The fingerprint the client expects of the server's identity.
    pub key_hash: &'a [u8],
    /// The client's session key. Without it there are no sealed blocks and no
    /// authenticators.
    pub key: Option<DhPublic>,
    /// Whether the client is a server that forwards for others.
    pub forwards: bool,
    /// Service identity.
    pub service: Option<ServiceHello<'a>>,
}

impl<'a> ClientHello<'a> {
    /// Parses the content of the second block.
    ///
    /// The key has no mark of presence: it is there if the next bytes are one.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if a field is missing or cut short.
    pub fn parse(hello: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(hello);
        let version = Version::read(&mut r)?;
        let key_hash = r.str()?;
        let mut ahead = r.clone();
        let key = DhPublic::read(&mut ahead).ok();
        if key.is_some() {
            r = ahead;
        }
        let forwards = version.has_proxy_flag() && r.bool()?;
        let service = if version.has_services() {
            r.opt(read_service)?
        } else {
            None
        };
        Ok(Self {
            version,
            key_hash,
            key,
            forwards,
            service,
        })
    }

    /// Encodes the content of the second block.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if a field exceeds its length.
    pub fn encode(&self) -> Result<Vec<u8>, TooLong> {
        let mut hello = Vec::new();
        let mut w = Writer::new(&mut hello);
        self.version.write(&mut w);
        w.str(self.key_hash);
        if let Some(key) = &self.key {
            key.write(&mut w);
        }
        if self.version.has_proxy_flag() {
            w.bool(self.forwards);
        }
        if self.version.has_services() {
            w.opt(self.service.as_ref(), |w, service| {
                w.u8(service.role)
                    .list1(&service.chain, |w, der| {
                        w.big(der);
                    })
                    .big(service.signed_key);
            });
        }
        w.check()?;
        Ok(hello)
    }
}

fn read_service<'a>(r: &mut Reader<'a>) -> Result<ServiceHello<'a>, Malformed> {
    let role = r.u8()?;
    if !matches!(role, b'M' | b'N' | b'P') {
        return Err(Malformed);
    }
    Ok(ServiceHello {
        role,
        chain: r.list1(Reader::big)?,
        signed_key: r.big()?,
    })
}
