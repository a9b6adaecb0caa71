//! Sealed bytes of constant size: all a network ever sees of a letter.

use core::fmt;

/// Bytes the symmetric seal adds: 24 nonce, 16 tag.
pub const REGULAR_OVERHEAD: usize = 24 + 16;
/// Bytes of payload in a regular envelope.
pub const REGULAR_PAYLOAD: usize = 15_000;
/// Bytes the first-contact seal adds: an X-Wing encapsulation and a tag.
pub const FIRST_CONTACT_OVERHEAD: usize = 1_120 + 16;
/// Bytes of payload in a first-contact envelope.
pub const FIRST_CONTACT_PAYLOAD: usize = 13_600;
/// Bytes of a first-contact payload that a guarded mailbox keeps for the
/// admission proof, whether or not one is needed.
pub const GUARD_RESERVE: usize = 512;

/// The most an envelope may hold on the tightest network: SMP's 16,048-byte
/// body less its client header.
const SMALLEST_UNIT: usize = 15_997;

const _: () = assert!(REGULAR_PAYLOAD + REGULAR_OVERHEAD <= SMALLEST_UNIT);
// A first contact travels in SMP's confirmation form, which spends 45 bytes
// more on a key in its header and pads to 15,904.
const _: () = assert!(FIRST_CONTACT_PAYLOAD + FIRST_CONTACT_OVERHEAD <= 15_901);

/// A sealed, padded letter or part of one. The bytes look random; only their
/// kind, and so their length, can be told from outside.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Regular,
    FirstContact,
}

/// Why bytes are no envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A regular envelope has exactly 15,040 bytes, a first contact 14,736.
    #[error("an envelope of {got} bytes where {wanted} were expected")]
    Length {
        /// Bytes given.
        got: usize,
        /// Bytes an envelope of that kind has.
        wanted: usize,
    },
}

impl Envelope {
    /// Length of a regular envelope in bytes.
    pub const REGULAR: usize = REGULAR_PAYLOAD + REGULAR_OVERHEAD;
    /// Length of a first-contact envelope in bytes.
    pub const FIRST_CONTACT: usize = FIRST_CONTACT_PAYLOAD + FIRST_CONTACT_OVERHEAD;

    /// An envelope under a symmetric seal, [`Envelope::REGULAR`] bytes.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Length`] for any other length.
    pub fn regular(bytes: Vec<u8>) -> Result<Self, EnvelopeError> {
        Self::checked(Kind::Regular, bytes, Self::REGULAR)
    }

    /// An envelope under a first-contact seal, [`Envelope::FIRST_CONTACT`]
    /// bytes; the first 1,120 are the X-Wing encapsulation (ML-KEM-768
    /// ciphertext of 1,088 bytes, then an X25519 public key of 32).
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Length`] for any other length.
    pub fn first_contact(bytes: Vec<u8>) -> Result<Self, EnvelopeError> {
        Self::checked(Kind::FirstContact, bytes, Self::FIRST_CONTACT)
    }

    fn checked(kind: Kind, bytes: Vec<u8>, wanted: usize) -> Result<Self, EnvelopeError> {
        let got = bytes.len();
        if got == wanted {
            Ok(Self { kind, bytes })
        } else {
            Err(EnvelopeError::Length { got, wanted })
        }
    }

    /// Whether this envelope opens a conversation (first-contact seal).
    #[must_use]
    pub fn is_first_contact(&self) -> bool {
        self.kind == Kind::FirstContact
    }

    /// The sealed bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Regular => "Envelope::Regular(..)",
            Kind::FirstContact => "Envelope::FirstContact(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_length_is_an_envelope() {
        assert!(Envelope::regular(vec![0; 15_040]).is_ok());
        assert!(Envelope::first_contact(vec![0; 14_736]).is_ok());
        assert_eq!(
            Envelope::regular(vec![0; 14_736]),
            Err(EnvelopeError::Length {
                got: 14_736,
                wanted: 15_040
            })
        );
        assert!(Envelope::first_contact(Vec::new()).is_err());
    }

    #[test]
    fn debug_shows_no_bytes() {
        let envelope = Envelope::regular(vec![0xAB; 15_040]).unwrap();
        assert_eq!(format!("{envelope:?}"), "Envelope::Regular(..)");
    }
}
