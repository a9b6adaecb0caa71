//! Bytes that must not be printed and are wiped when dropped.

use core::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Secret bytes: a private key, a link, a seal secret.
///
/// `Debug` hides them, `==` takes the same time whatever differs, and memory
/// is overwritten on drop.
#[derive(Clone, Default, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes over `bytes`.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Becomes a copy of `bytes`, in the same memory if they fit. What was
    /// there is overwritten.
    pub(crate) fn set(&mut self, bytes: &[u8]) {
        if bytes.len() > self.0.capacity() {
            self.0.zeroize();
        } else if let Some(rest) = self.0.get_mut(bytes.len()..) {
            rest.zeroize();
        }
        self.0.clear();
        self.0.extend_from_slice(bytes);
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as an array, if there are exactly `N`.
    #[must_use]
    pub fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.0.as_slice().try_into().ok()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_becomes_longer_and_shorter() {
        let mut secret = Secret::new(*b"hunter2");
        for bytes in [&b"hunter"[..], b"", b"a much longer password"] {
            secret.set(bytes);
            assert_eq!(secret.expose(), bytes);
        }
    }

    #[test]
    fn debug_shows_no_bytes() {
        assert_eq!(format!("{:?}", Secret::new(*b"hunter2")), "Secret(..)");
    }
}
