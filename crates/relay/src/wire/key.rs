//! Public and private keys as SMP carries them: DER SubjectPublicKeyInfo of a
//! fixed length per algorithm (SMP 1).

use core::fmt;

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair as _};
use openssl::pkey::{Id, PKey};
use openssl::sign::Verifier as OpensslVerifier;
use zeroize::Zeroizing;

#[cfg(test)]
use super::effort::Effort;
use super::{Malformed, Reader, Writer};

const SPKI_ED25519: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0,
];
const SPKI_ED448: &[u8] = &[
    0x30, 0x43, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71, 0x03, 0x3a, 0,
];
const SPKI_X25519: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0,
];

/// Length of the DER SubjectPublicKeyInfo of an X25519 or Ed25519 key.
pub const SPKI_LEN: usize = 44;

/// Which algorithm an [`AuthKey`] belongs to; it decides the form of
/// authorisation that is valid for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Signature of 64 bytes.
    Ed25519,
    /// Signature of 114 bytes.
    Ed448,
    /// Authenticator of 80 bytes.
    X25519,
}

/// A public key that authorises commands: a recipient's or a sender's.
///
/// `Debug` shows the algorithm only: the bytes name a queue's owner.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AuthKey {
    /// 32 bytes.
    Ed25519([u8; 32]),
    /// 57 bytes.
    Ed448([u8; 57]),
    /// 32 bytes.
    X25519(DhPublic),
}

impl AuthKey {
    /// The algorithm.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::Ed25519(_) => KeyKind::Ed25519,
            Self::Ed448(_) => KeyKind::Ed448,
            Self::X25519(_) => KeyKind::X25519,
        }
    }

    /// Decodes a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for any other algorithm or shape.
    pub fn from_spki(der: &[u8]) -> Result<Self, Malformed> {
        let raw = |prefix| der.strip_prefix(prefix);
        if let Some(raw) = raw(SPKI_ED25519) {
            raw.try_into().map(Self::Ed25519).map_err(|_| Malformed)
        } else if let Some(raw) = raw(SPKI_ED448) {
            raw.try_into().map(Self::Ed448).map_err(|_| Malformed)
        } else {
            DhPublic::from_spki(der).map(Self::X25519)
        }
    }

    /// Encodes as DER SubjectPublicKeyInfo: 44 bytes, 69 for Ed448.
    #[must_use]
    pub fn to_spki(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(raw) => [SPKI_ED25519, raw].concat(),
            Self::Ed448(raw) => [SPKI_ED448, raw].concat(),
            Self::X25519(key) => key.to_spki().to_vec(),
        }
    }

    /// Reads `key`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is cut short or not a key.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::from_spki(r.str()?)
    }

    /// Writes `key`.
    pub fn write(&self, w: &mut Writer<'_>) {
        w.str(&self.to_spki());
    }

    /// Whether `signature` by this key over `message` is right. Always false
    /// for X25519, which does not sign.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        #[cfg(test)]
        super::effort::note(Effort::Signature(self.kind(), message.len()));
        match self {
            Self::Ed25519(raw) => signature::UnparsedPublicKey::new(&signature::ED25519, raw)
                .verify(message, signature)
                .is_ok(),
            Self::Ed448(raw) => verify_ed448(raw, message, signature),
            Self::X25519(_) => false,
        }
    }
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthKey({:?}, ..)", self.kind())
    }
}

/// OpenSSL, because neither aws-lc nor the usual Rust crates have Ed448 yet.
fn verify_ed448(raw: &[u8; 57], message: &[u8], signature: &[u8]) -> bool {
    let verify = || {
        let key = PKey::public_key_from_raw_bytes(raw, Id::ED448)?;
        OpensslVerifier::new_without_digest(&key)?.verify_oneshot(signature, message)
    };
    verify().unwrap_or(false)
}

/// An X25519 public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DhPublic(pub [u8; 32]);

impl DhPublic {
    /// Decodes a DER SubjectPublicKeyInfo of 44 bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for any other algorithm or shape.
    pub fn from_spki(der: &[u8]) -> Result<Self, Malformed> {
        let raw = der.strip_prefix(SPKI_X25519).ok_or(Malformed)?;
        raw.try_into().map(Self).map_err(|_| Malformed)
    }

    /// Encodes as DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn to_spki(&self) -> [u8; SPKI_LEN] {
        let mut der = [0; SPKI_LEN];
        for (to, from) in der.iter_mut().zip(SPKI_X25519.iter().chain(&self.0)) {
            *to = *from;
        }
        der
    }

    /// Reads `key`, which must be X25519.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is cut short or another key.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::from_spki(r.str()?)
    }

    /// Writes `key`.
    pub fn write(&self, w: &mut Writer<'_>) {
        w.str(&self.to_spki());
    }
}

impl fmt::Debug for DhPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DhPublic(..)")
    }
}

/// The public X25519 key was one of the few that make every secret zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("public key has low order")]
pub struct LowOrder;

/// An X25519 private key, ready for agreements.
pub struct DhSecret {
    bytes: Zeroizing<[u8; 32]>,
    key: PrivateKey,
    public: DhPublic,
}

impl DhSecret {
    /// The private key made of 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the crypto library refuses, which it does for no
    /// value of 32 bytes known to us.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, Malformed> {
        let bytes = Zeroizing::new(bytes);
        let key = PrivateKey::from_private_key(&X25519, bytes.as_slice()).map_err(|_| Malformed)?;
        let public = key.compute_public_key().map_err(|_| Malformed)?;
        let public = public
            .as_ref()
            .try_into()
            .map(DhPublic)
            .map_err(|_| Malformed)?;
        Ok(Self { bytes, key, public })
    }

    /// The 32 bytes it was made of, for storage.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.bytes.clone()
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> DhPublic {
        self.public
    }

    /// The raw X25519 output for `peer`.
    ///
    /// # Errors
    ///
    /// [`LowOrder`] if it would be all zero.
    pub fn agree(&self, peer: &DhPublic) -> Result<Zeroizing<[u8; 32]>, LowOrder> {
        #[cfg(test)]
        super::effort::note(Effort::Agreement);
        let peer = UnparsedPublicKey::new(&X25519, peer.0);
        agreement::agree(&self.key, peer, LowOrder, |secret| {
            secret.try_into().map(Zeroizing::new).map_err(|_| LowOrder)
        })
    }
}

impl fmt::Debug for DhSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DhSecret(..)")
    }
}

/// An Ed25519 private key.
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl SigningKey {
    /// The private key with this seed of 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the crypto library refuses, which it does for no
    /// seed known to us.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, Malformed> {
        let seed = Zeroizing::new(seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| Malformed)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| Malformed)?;
        Ok(Self { seed, pair, public })
    }

    /// The private key in PKCS #8 DER, with or without its public half.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is no Ed25519 key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Malformed> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| Malformed)?;
        let seed = pair.seed().and_then(|seed| seed.as_be_bytes());
        let seed = seed.map_err(|_| Malformed)?;
        Self::from_seed(seed.as_ref().try_into().map_err(|_| Malformed)?)
    }

    /// The seed, for storage.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        self.seed.clone()
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> AuthKey {
        AuthKey::Ed25519(self.public)
    }

    /// Signs `message`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the crypto library fails, for instance for want of
    /// memory.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], Malformed> {
        let signature = self.pair.try_sign(message).map_err(|_| Malformed)?;
        signature.as_ref().try_into().map_err(|_| Malformed)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}
