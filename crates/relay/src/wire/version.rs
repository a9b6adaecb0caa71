//! Protocol versions and what each of them switches on (SMP 2).

use super::{Malformed, Reader, Writer};

/// An SMP version that both sides of a session agreed on, or one end of a
/// range one of them offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16);

/// The versions Hushwing speaks.
pub const SUPPORTED: VersionRange = VersionRange {
    min: Version(8),
    max: Version(18),
};

impl Version {
    /// `SKEY`, and the sender's right to secure in `NEW` and `IDS` (9).
    #[must_use]
    pub const fn has_sender_key(self) -> bool {
        self.0 >= 9
    }

    /// The event `DELD` (10); below it is sent as `END`.
    #[must_use]
    pub const fn has_deleted_event(self) -> bool {
        self.0 >= 10
    }

    /// Blocks sealed with key chains, bodies of 16,048 bytes (11).
    #[must_use]
    pub const fn has_block_encryption(self) -> bool {
        self.0 >= 11
    }

    /// The error `BLOCKED` (12); below it is sent as `AUTH`.
    #[must_use]
    pub const fn has_blocked(self) -> bool {
        self.0 >= 12
    }

    /// The flag in the client's hello that it is a forwarding server (14).
    #[must_use]
    pub const fn has_proxy_flag(self) -> bool {
        self.0 >= 14
    }

    /// Queue modes and link data (15).
    #[must_use]
    pub const fn has_links(self) -> bool {
        self.0 >= 15
    }

    /// Service certificates, `SOK`, the service signature field (16).
    #[must_use]
    pub const fn has_services(self) -> bool {
        self.0 >= 16
    }

    /// Notifier keys in `NEW` and `IDS` (17).
    #[must_use]
    pub const fn has_notifier_keys(self) -> bool {
        self.0 >= 17
    }

    /// The notice in `BLOCKED` (18).
    #[must_use]
    pub const fn has_blocked_notice(self) -> bool {
        self.0 >= 18
    }

    /// The longest body `SEND` may carry in a session of this version, in
    /// bytes; more is `LARGE_MSG`.
    #[must_use]
    pub const fn max_body(self) -> usize {
        match self.0 {
            ..8 => 16_088,
            8..11 => 16_064,
            _ => 16_048,
        }
    }

    /// Reads `ver`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is cut short.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        r.u16().map(Self)
    }

    /// Writes `ver`.
    pub fn write(self, w: &mut Writer<'_>) {
        w.u16(self.0);
    }
}

/// A span of versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// The lowest.
    pub min: Version,
    /// The highest.
    pub max: Version,
}

impl VersionRange {
    /// The highest version in both ranges, if they overlap.
    #[must_use]
    pub fn common(self, other: Self) -> Option<Version> {
        let max = self.max.min(other.max);
        (max >= self.min && max >= other.min).then_some(max)
    }

    /// Whether `version` lies within.
    #[must_use]
    pub fn contains(self, version: Version) -> bool {
        self.min <= version && version <= self.max
    }

    /// Reads `vrange`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is cut short or the ends are the wrong way round.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (min, max) = (Version::read(r)?, Version::read(r)?);
        if min <= max {
            Ok(Self { min, max })
        } else {
            Err(Malformed)
        }
    }

    /// Writes `vrange`.
    pub fn write(self, w: &mut Writer<'_>) {
        self.min.write(w);
        self.max.write(w);
    }
}
