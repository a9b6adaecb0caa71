//! The session key in the server's hello, signed by its certificate's key
//! (SMP 3): DER `SEQUENCE { SubjectPublicKeyInfo, AlgorithmIdentifier,
//! BIT STRING }` with Ed25519 or Ed448.

use super::Malformed;
use super::key::{AuthKey, DhPublic, KeyKind, SPKI_LEN, SigningKey};

/// The DER around a signature of one algorithm; lengths are fixed, so there is
/// one valid encoding each.
struct Shape {
    kind: KeyKind,
    outer: &'static [u8],
    inner: &'static [u8],
    signature_len: usize,
}

const ED25519: Shape = Shape {
    kind: KeyKind::Ed25519,
    outer: &[0x30, 0x76],
    inner: &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x41, 0x00],
    signature_len: 64,
};

const ED448: Shape = Shape {
    kind: KeyKind::Ed448,
    outer: &[0x30, 0x81, 0xa8],
    inner: &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71, 0x03, 0x73, 0x00],
    signature_len: 114,
};

/// A parsed signed key. The signature is not checked yet.
pub struct SignedKey<'a> {
    key: DhPublic,
    kind: KeyKind,
    signed: &'a [u8],
    signature: &'a [u8],
}

impl<'a> SignedKey<'a> {
    /// Parses the DER.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for any other structure, algorithm or length.
    pub fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        [ED25519, ED448]
            .iter()
            .find_map(|shape| Self::parse_as(shape, der))
            .ok_or(Malformed)
    }

    fn parse_as(shape: &Shape, der: &'a [u8]) -> Option<Self> {
        let (signed, rest) = der.strip_prefix(shape.outer)?.split_at_checked(SPKI_LEN)?;
        let signature = rest.strip_prefix(shape.inner)?;
        let key = DhPublic::from_spki(signed).ok()?;
        (signature.len() == shape.signature_len).then_some(Self {
            key,
            kind: shape.kind,
            signed,
            signature,
        })
    }

    /// The session key, if `signer`, the key of the TLS leaf certificate,
    /// signed it.
    #[must_use]
    pub fn verify(&self, signer: &AuthKey) -> Option<DhPublic> {
        (signer.kind() == self.kind && signer.verify(self.signed, self.signature))
            .then_some(self.key)
    }

    /// Signs `key` with the private key of the leaf certificate and encodes
    /// the result: 120 bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if signing fails.
    pub fn sign(key: &DhPublic, signer: &SigningKey) -> Result<Vec<u8>, Malformed> {
        let spki = key.to_spki();
        let signature = signer.sign(&spki)?;
        Ok([ED25519.outer, &spki, ED25519.inner, &signature].concat())
    }
}
