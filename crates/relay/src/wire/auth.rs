//! Authorising commands and checking that (SMP 4).
//!
//! What is signed is `str session id` and everything after the authorisation
//! fields, so that a recorded command is worth nothing in another session.

use aws_lc_rs::digest::{self, SHA512};
use subtle::ConstantTimeEq;

use super::cryptobox::{BoxKey, TAG_LEN, nonce_from};
#[cfg(test)]
use super::effort::Effort;
use super::key::{AuthKey, DhPublic, DhSecret, SigningKey};
use super::{Malformed, Transmission, Version, Writer};

/// Length of an authenticator: a tag and a boxed SHA-512 hash.
pub const AUTHENTICATOR_LEN: usize = TAG_LEN + 64;

/// The authorisation field by its length, the only thing that tells its kind.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// No authorisation.
    None,
    /// 64 bytes.
    Ed25519(&'a [u8; 64]),
    /// 114 bytes.
    Ed448(&'a [u8; 114]),
    /// 80 bytes.
    Authenticator(&'a [u8; AUTHENTICATOR_LEN]),
}

impl<'a> Credential<'a> {
    /// Tells the kind.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for a length that no kind has; the answer is `ERR BLOCK`
    /// with the correlation id and no entity.
    pub fn parse(field: &'a [u8]) -> Result<Self, Malformed> {
        if field.is_empty() {
            return Ok(Self::None);
        }
        (field.try_into().map(Self::Ed25519))
            .or_else(|_| field.try_into().map(Self::Authenticator))
            .or_else(|_| field.try_into().map(Self::Ed448))
            .map_err(|_| Malformed)
    }

    /// Whether there is one.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// What [`Verifier::verify`] found.
#[derive(Debug)]
pub enum Verdict {
    /// The key authorised the command. For X25519 keys the agreed box key is
    /// returned if it had to be computed, for the caller to cache.
    Accepted(Option<BoxKey>),
    /// It did not.
    Refused,
}

impl Verdict {
    /// Whether the command may run.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }
}

/// Checks authorisations of one session.
///
/// A missing key, a wrong key and a key of the wrong kind cost as much time as
/// a right one: the check then runs against a fixed key of the kind that the
/// credential implies. This holds for X25519 only if callers cache agreed keys
/// after an accepted command and never for a refused one.
pub struct Verifier {
    session: Vec<u8>,
    secret: Option<DhSecret>,
    signed: Vec<u8>,
}

impl Verifier {
    /// For the session with this id; `secret` is the private half of the key
    /// in the server's hello. Without it no authenticator is accepted.
    #[must_use]
    pub fn new(session_id: &[u8], secret: Option<DhSecret>) -> Self {
        Self {
            session: session_prefix(session_id),
            secret,
            signed: Vec::new(),
        }
    }

    /// Whether `key` authorised `transmission` by `credential`.
    ///
    /// `cached` is what an earlier verdict for the same key in this session
    /// gave. An absent credential is always refused.
    pub fn verify(
        &mut self,
        transmission: &Transmission<'_>,
        credential: Credential<'_>,
        key: Option<&AuthKey>,
        cached: Option<&BoxKey>,
    ) -> Verdict {
        match credential {
            Credential::None => Verdict::Refused,
            Credential::Ed25519(signature) => {
                let found = key.filter(|key| matches!(key, AuthKey::Ed25519(_)));
                self.signature(transmission, found, &DUMMY_ED25519, signature)
            }
            Credential::Ed448(signature) => {
                let found = key.filter(|key| matches!(key, AuthKey::Ed448(_)));
                self.signature(transmission, found, &DUMMY_ED448, signature)
            }
            Credential::Authenticator(sealed) => {
                let found = match key {
                    Some(AuthKey::X25519(key)) => Some(key),
                    _ => None,
                };
                self.authenticator(transmission, found, cached, sealed)
            }
        }
    }

    fn signature(
        &mut self,
        transmission: &Transmission<'_>,
        key: Option<&AuthKey>,
        dummy: &AuthKey,
        signature: &[u8],
    ) -> Verdict {
        self.signed.clear();
        self.signed.extend_from_slice(&self.session);
        self.signed.extend_from_slice(transmission.authorised);
        let right = key.unwrap_or(dummy).verify(&self.signed, signature);
        // A block's worth of memory must not stay with an idle connection.
        self.signed = Vec::new();
        if right && key.is_some() {
            Verdict::Accepted(None)
        } else {
            Verdict::Refused
        }
    }

    fn authenticator(
        &self,
        transmission: &Transmission<'_>,
        key: Option<&DhPublic>,
        cached: Option<&BoxKey>,
        sealed: &[u8; AUTHENTICATOR_LEN],
    ) -> Verdict {
        let Some(secret) = &self.secret else {
            return Verdict::Refused;
        };
        let computed = match (key, cached) {
            (Some(_), Some(_)) => None,
            _ => BoxKey::agree(secret, key.unwrap_or(&DUMMY_X25519)).ok(),
        };
        let Some(shared) = cached.filter(|_| key.is_some()).or(computed.as_ref()) else {
            return Verdict::Refused;
        };
        let hash = hash_authorised(&self.session, transmission.authorised);
        let right = opens_to(shared, transmission.correlation_id, sealed, hash.as_ref());
        if right && key.is_some() {
            Verdict::Accepted(computed)
        } else {
            Verdict::Refused
        }
    }
}

/// Writes authorised commands of one session; the client's half.
pub struct Authoriser {
    session: Vec<u8>,
}

impl Authoriser {
    /// For the session with this id.
    #[must_use]
    pub fn new(session_id: &[u8]) -> Self {
        Self {
            session: session_prefix(session_id),
        }
    }

    /// Writes a transmission; `credentials` of `None` leaves it unauthorised.
    pub fn write(
        &self,
        w: &mut Writer<'_>,
        version: Version,
        correlation_id: &[u8],
        entity_id: &[u8],
        signer: Option<Signer<'_>>,
        text: impl FnOnce(&mut Writer<'_>),
    ) {
        let mut signed = self.session.clone();
        let mut inner = Writer::new(&mut signed);
        inner.str(correlation_id).str(entity_id);
        text(&mut inner);
        if inner.check().is_err() {
            w.fail();
            return;
        }
        let Some(authorised) = signed.get(self.session.len()..) else {
            return w.fail();
        };
        let Some(signer) = signer else {
            w.str(&[]).raw(authorised);
            return;
        };
        let written = match signer {
            Signer::Ed25519(key) => key.sign(&signed).map(|signature| {
                w.str(&signature);
            }),
            Signer::Authenticator(shared) => {
                authenticator(shared, correlation_id, &self.session, authorised).map(|sealed| {
                    w.str(&sealed);
                })
            }
        };
        if written.is_err() {
            return w.fail();
        }
        if version.has_services() {
            w.u8(b'0');
        }
        w.raw(authorised);
    }
}

/// What authorises a command.
#[derive(Clone, Copy, Debug)]
pub enum Signer<'k> {
    /// A signature.
    Ed25519(&'k SigningKey),
    /// An authenticator, by the key agreed between the queue's X25519 key and
    /// the server's session key. Deniable. Correlation ids must never repeat
    /// with it.
    Authenticator(&'k BoxKey),
}

/// `box(shared, nonce = correlation id, SHA-512(authorised))`, where the hash
/// covers `session` and then `authorised`.
///
/// # Errors
///
/// [`Malformed`] never in practice; it stands for lengths that cannot occur.
pub fn authenticator(
    shared: &BoxKey,
    correlation_id: &[u8],
    session: &[u8],
    authorised: &[u8],
) -> Result<[u8; AUTHENTICATOR_LEN], Malformed> {
    let mut sealed = [0; AUTHENTICATOR_LEN];
    let (_, body) = sealed.split_at_mut(TAG_LEN);
    body.copy_from_slice(hash_authorised(session, authorised).as_ref());
    shared.seal(&nonce_from(correlation_id), &mut sealed)?;
    Ok(sealed)
}

fn hash_authorised(session: &[u8], authorised: &[u8]) -> digest::Digest {
    #[cfg(test)]
    super::effort::note(Effort::Hash(session.len() + authorised.len()));
    let mut hash = digest::Context::new(&SHA512);
    hash.update(session);
    hash.update(authorised);
    hash.finish()
}

fn opens_to(
    shared: &BoxKey,
    correlation_id: &[u8],
    sealed: &[u8; AUTHENTICATOR_LEN],
    hash: &[u8],
) -> bool {
    let mut opened = *sealed;
    shared
        .open(&nonce_from(correlation_id), &mut opened)
        .is_ok_and(|opened| (*opened).ct_eq(hash).into())
}

/// `str session id`. The id is a TLS Finished value of 12 to 64 bytes, so it
/// always fits.
fn session_prefix(session_id: &[u8]) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(session_id.len() + 1);
    Writer::new(&mut prefix).str(session_id);
    prefix
}

/// Base points: valid keys that nobody holds a queue with.
const DUMMY_ED25519: AuthKey = AuthKey::Ed25519([
    0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
    0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
]);
const DUMMY_ED448: AuthKey = AuthKey::Ed448([
    0x14, 0xfa, 0x30, 0xf2, 0x5b, 0x79, 0x08, 0x98, 0xad, 0xc8, 0xd7, 0x4e, 0x2c, 0x13, 0xbd, 0xfd,
    0xc4, 0x39, 0x7c, 0xe6, 0x1c, 0xff, 0xd3, 0x3a, 0xd7, 0xc2, 0xa0, 0x05, 0x1e, 0x9c, 0x78, 0x87,
    0x40, 0x98, 0xa3, 0x6c, 0x73, 0x73, 0xea, 0x4b, 0x62, 0xc7, 0xc9, 0x56, 0x37, 0x20, 0x76, 0x88,
    0x24, 0xbc, 0xb6, 0x6e, 0x71, 0x46, 0x3f, 0x69, 0x00,
]);
const DUMMY_X25519: DhPublic = {
    let mut base = [0; 32];
    base[0] = 9;
    DhPublic(base)
};
