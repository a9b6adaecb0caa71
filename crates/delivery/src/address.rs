//! Where letters go: what one side gives away so that the other can write.

use core::fmt;

use zeroize::Zeroize;

/// Which network a locator belongs to. Numbers are registered in
/// `crates/delivery/ADDRESSES.md` and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkTag(pub u8);

impl NetworkTag {
    /// SMP queue servers.
    pub const RELAY: Self = Self(1);
    /// The peer-to-peer mesh.
    pub const MESH: Self = Self(2);
    /// The web of trust.
    pub const TRUST: Self = Self(3);
    /// Networks made up by tests.
    pub const TOY: Self = Self(255);
}

/// The network's own part of an address: opaque, versioned bytes that only the
/// network which made them reads.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Locator(pub Vec<u8>);

/// Where a network keeps the card of an invitation: opaque, versioned bytes
/// that only the network which made them reads.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Place(pub Vec<u8>);

/// How letters to an address are sealed.
#[derive(Clone, PartialEq, Eq)]
pub enum SealKey {
    /// A secret both sides hold (32 bytes), exchanged inside a conversation.
    Shared([u8; 32]),
    /// The X-Wing public key of somebody not yet known (1,216 bytes).
    FirstContact(Box<[u8; 1216]>),
}

impl Drop for SealKey {
    fn drop(&mut self) {
        if let Self::Shared(secret) = self {
            secret.zeroize();
        }
    }
}

/// What one side gives away so that the other can write to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// The network that understands `locator`.
    pub network: NetworkTag,
    /// Where on that network.
    pub locator: Locator,
    /// How to seal.
    pub seal: SealKey,
}

/// Why bytes are no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The version byte is newer than this program.
    #[error("address format {0} is newer than this program")]
    Version(u8),
    /// Too short, too long, or an unknown seal.
    #[error("malformed address")]
    Malformed,
}

/// Version byte of the encoding.
const VERSION: u8 = 1;
const SHARED: u8 = 0;
const FIRST_CONTACT: u8 = 1;
/// Longer locators are refused: no network needs them, and an address travels
/// in many places.
const MAX_LOCATOR: usize = 1_024;

impl Address {
    /// Encodes as: version `1`, network tag, seal kind (0 shared, 1 first
    /// contact), seal key, locator to the end.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.network.0];
        match &self.seal {
            SealKey::Shared(secret) => {
                out.push(SHARED);
                out.extend_from_slice(secret);
            }
            SealKey::FirstContact(public) => {
                out.push(FIRST_CONTACT);
                out.extend_from_slice(public.as_slice());
            }
        }
        out.extend_from_slice(&self.locator.0);
        out
    }

    /// Decodes what [`Address::encode`] made.
    ///
    /// # Errors
    ///
    /// [`AddressError::Version`] for a newer format, else
    /// [`AddressError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, AddressError> {
        let (&version, rest) = bytes.split_first().ok_or(AddressError::Malformed)?;
        if version != VERSION {
            return Err(AddressError::Version(version));
        }
        let (&[network, kind], rest) = rest
            .split_first_chunk::<2>()
            .ok_or(AddressError::Malformed)?;
        let (seal, locator) = match kind {
            SHARED => {
                let (secret, rest) = rest
                    .split_first_chunk::<32>()
                    .ok_or(AddressError::Malformed)?;
                (SealKey::Shared(*secret), rest)
            }
            FIRST_CONTACT => {
                let (public, rest) = rest
                    .split_first_chunk::<1216>()
                    .ok_or(AddressError::Malformed)?;
                (SealKey::FirstContact(Box::new(*public)), rest)
            }
            _ => return Err(AddressError::Malformed),
        };
        if locator.is_empty() || locator.len() > MAX_LOCATOR {
            return Err(AddressError::Malformed);
        }
        Ok(Self {
            network: NetworkTag(network),
            locator: Locator(locator.to_vec()),
            seal,
        })
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Locator(..)")
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(..)")
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(seal: SealKey) -> Address {
        Address {
            network: NetworkTag::RELAY,
            locator: Locator(b"where".to_vec()),
            seal,
        }
    }

    #[test]
    fn both_seals_survive_encoding() {
        for seal in [
            SealKey::Shared([7; 32]),
            SealKey::FirstContact(Box::new([9; 1216])),
        ] {
            let address = address(seal);
            assert_eq!(Address::decode(&address.encode()), Ok(address));
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = address(SealKey::Shared([7; 32])).encode();
        let locator = 5;
        for end in 0..=bytes.len() - locator {
            assert!(Address::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_newer_version_is_told_apart() {
        let mut bytes = address(SealKey::Shared([7; 32])).encode();
        bytes[0] = 2;
        assert_eq!(Address::decode(&bytes), Err(AddressError::Version(2)));
    }

    #[test]
    fn debug_hides_locator_and_key() {
        let shown = format!("{:?}", address(SealKey::Shared([7; 32])));
        assert_eq!(shown, "Address { network: NetworkTag(1), .. }");
    }
}
