//! The link by which a new device of a person meets one they have.
//!
//! It is no invitation: nothing lies anywhere for it. It holds the key that the leaf
//! of the new device will have and an address of the new device, and is shown by
//! one screen to one camera. Whoever reads it can write to the new device, once, and is
//! told nothing.

use core::fmt;

use hushwing_delivery::{Address, Locator, Place, SealKey};
use hushwing_sansio::Timestamp;

use super::secret::Secret;
use super::uri::{Kind, Link, LinkError};

/// Bytes of the key of a leaf, with which the place in the link begins.
const KEY: usize = 32;

/// A link that a new device shows.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceLink {
    key: [u8; KEY],
    address: Address,
    expires: Timestamp,
}

impl DeviceLink {
    /// The link of the device whose leaf will have this public signature key, and that
    /// is written to at `address`, whose seal is a shared secret.
    #[must_use]
    pub fn new(key: [u8; KEY], address: Address, expires: Timestamp) -> Self {
        Self {
            key,
            address,
            expires,
        }
    }

    /// Reads one.
    ///
    /// # Errors
    ///
    /// [`LinkError`] as for invitations; an invitation is none of these links.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let link = Link::parse(text)?;
        if link.kind() != Kind::Device {
            return Err(LinkError::NotALink);
        }
        let (key, locator) = link
            .place()
            .0
            .split_first_chunk::<KEY>()
            .ok_or(LinkError::Mistyped)?;
        let address = Address {
            network: link.network(),
            locator: Locator(locator.to_vec()),
            seal: SealKey::Shared(*link.secret().as_bytes()),
        };
        let usable = Address::decode(&address.encode()).is_ok();
        match (usable, link.expires()) {
            (true, Some(expires)) => Ok(Self::new(*key, address, expires)),
            _ => Err(LinkError::Mistyped),
        }
    }

    /// As text; `None` if the address is too long for a link, or sealed in another way.
    #[must_use]
    pub fn to_uri(&self) -> Option<String> {
        let SealKey::Shared(secret) = &self.address.seal else {
            return None;
        };
        let place = Place([&self.key, self.address.locator.0.as_slice()].concat());
        let secret = Secret::from_bytes(*secret);
        let network = self.address.network;
        let link = Link::new(Kind::Device, network, place, secret, Some(self.expires));
        Some(link.ok()?.to_uri())
    }

    /// The public signature key that the new device's leaf will have.
    #[must_use]
    pub fn key(&self) -> &[u8; KEY] {
        &self.key
    }

    /// Where the new device is written to.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Until when it can be used.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl fmt::Debug for DeviceLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceLink(..)")
    }
}

#[cfg(test)]
mod tests {
    use hushwing_delivery::NetworkTag;

    use super::*;

    fn link(locator: usize) -> DeviceLink {
        let address = Address {
            network: NetworkTag(1),
            locator: Locator(vec![7; locator]),
            seal: SealKey::Shared([9; 32]),
        };
        DeviceLink::new([5; KEY], address, Timestamp::from_secs(1_790_000_000))
    }

    #[test]
    fn a_link_survives_and_fits_a_code() {
        let uri = link(120).to_uri().unwrap();
        assert!(uri.starts_with("hushwing:d#") && uri.len() < 300, "{uri}");
        assert_eq!(DeviceLink::parse(&uri), Ok(link(120)));
        assert_eq!(link(150).to_uri(), None);
        assert_eq!(format!("{:?}", link(9)), "DeviceLink(..)");
    }

    #[test]
    fn what_is_no_such_link_is_refused() {
        let network = NetworkTag(1);
        let make = |kind, place: usize, expires| {
            let secret = Secret::from_bytes([9; 32]);
            let link = Link::new(kind, network, Place(vec![5; place]), secret, expires);
            DeviceLink::parse(&link.unwrap().to_uri())
        };
        let until = Some(Timestamp::from_secs(1_790_000_000));
        assert!(make(Kind::Device, 90, until).is_ok());
        assert_eq!(make(Kind::OneTime, 90, until), Err(LinkError::NotALink));
        // Without an end, without an address, without a whole key.
        for (place, expires) in [(90, None), (KEY, until), (KEY - 1, until)] {
            assert_eq!(make(Kind::Device, place, expires), Err(LinkError::Mistyped));
        }
    }
}
