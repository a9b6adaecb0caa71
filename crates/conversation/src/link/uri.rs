//! A link as text.

use core::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hushwing_delivery::{NetworkTag, Place};
use hushwing_sansio::Timestamp;
use sha2::{Digest as _, Sha256};

use super::secret::Secret;

/// Version of the encoding.
const VERSION: u8 = 1;
/// A link as text has fewer characters.
pub const MAX_LINK: usize = 300;
/// Bytes of a place that still fit a link.
pub const MAX_PLACE: usize = MAX_BYTES - HEAD - CHECK - 4 - 1 - 32;
/// Version and length.
const HEAD: usize = 2;
/// Bytes of the checksum.
const CHECK: usize = 4;
/// Characters before the body in the `hushwing:` form.
const PREFIX: usize = "hushwing:i#".len();
/// Bytes of a body that fits.
const MAX_BYTES: usize = (MAX_LINK - 1 - PREFIX) / 4 * 3;
/// What the checksum covers first.
const CONTEXT: &[u8] = b"hushwing link\0";

/// base64url without padding. Stray bits are let through here, since they are
/// how a cut-off link ends, and refused later.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// How often an invitation may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// By the first who opens it.
    OneTime,
    /// By anybody who has it.
    Reusable,
    /// Once, by another device of the same person:
    /// [`DeviceLink`](super::DeviceLink).
    Device,
}

impl Kind {
    fn letter(self) -> u8 {
        match self {
            Self::OneTime => b'i',
            Self::Reusable => b'c',
            Self::Device => b'd',
        }
    }
}

/// An invitation, as it is handed over.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    kind: Kind,
    network: NetworkTag,
    place: Place,
    secret: Secret,
    expires: Option<Timestamp>,
}

/// A place too long for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a place of {0} bytes does not fit a link")]
pub struct TooLong(pub usize);

/// Why text is no link. The face tells each apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Something else altogether.
    #[error("not a Hushwing link")]
    NotALink,
    /// Its end is missing.
    #[error("link is cut off")]
    Truncated,
    /// A character is wrong.
    #[error("link is mistyped")]
    Mistyped,
    /// Made by a newer program.
    #[error("link of newer version {0}")]
    Newer(u8),
}

impl Link {
    /// The link to what lies at `place` of `network`, encrypted under
    /// `secret`. `expires` is rounded down to seconds; an expiry before 1970
    /// or after 2106 cannot be said and is left out.
    ///
    /// # Errors
    ///
    /// [`TooLong`] for a place over [`MAX_PLACE`] bytes.
    pub fn new(
        kind: Kind,
        network: NetworkTag,
        place: Place,
        secret: Secret,
        expires: Option<Timestamp>,
    ) -> Result<Self, TooLong> {
        if place.0.len() > MAX_PLACE {
            return Err(TooLong(place.0.len()));
        }
        let expires = expires
            .and_then(|at| u32::try_from(at.as_secs()).ok())
            .filter(|seconds| *seconds != 0)
            .map(|seconds| Timestamp::from_secs(seconds.into()));
        Ok(Self {
            kind,
            network,
            place,
            secret,
            expires,
        })
    }

    /// How often it may be used.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The network that reads [`Link::place`].
    #[must_use]
    pub fn network(&self) -> NetworkTag {
        self.network
    }

    /// Where the bundle lies.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What opens it.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Until when it can be used, as the link says. The bundle decides.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// The link as `hushwing:i#…` or `hushwing:c#…`, under [`MAX_LINK`]
    /// characters.
    #[must_use]
    pub fn to_uri(&self) -> String {
        format!(
            "hushwing:{}#{}",
            char::from(self.kind.letter()),
            self.body()
        )
    }

    /// The link as `https://HOST/i#…` for a page at `host` (name, perhaps port
    /// and path) that explains what to do with it. The part after `#` is not
    /// sent to the host. `None` if that is not under [`MAX_LINK`] characters
    /// or `host` has characters that do not belong into a link.
    #[must_use]
    pub fn to_web(&self, host: &str) -> Option<String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:/[]_~".contains(c);
        let host = host.strip_suffix('/').unwrap_or(host);
        let letter = char::from(self.kind.letter());
        let link = format!("https://{host}/{letter}#{}", self.body());
        (!host.is_empty() && host.chars().all(allowed) && link.len() < MAX_LINK).then_some(link)
    }

    fn body(&self) -> String {
        // 0 says "no expiry"; `new` lets nothing else through that overflows.
        let expires = self
            .expires
            .map_or(0, |at| u32::try_from(at.as_secs()).unwrap_or(0));
        let mut payload = Vec::with_capacity(MAX_BYTES);
        payload.extend_from_slice(&expires.to_be_bytes());
        payload.push(self.network.0);
        payload.extend_from_slice(self.secret.as_bytes());
        payload.extend_from_slice(&self.place.0);
        let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
        let check = checksum(self.kind, [VERSION, length], &payload);
        BASE64.encode([&[VERSION, length], payload.as_slice(), &check].concat())
    }

    /// Reads a link of either form, with white space and punctuation around
    /// it and white space inside it, as mail programs leave behind.
    ///
    /// # Errors
    ///
    /// [`LinkError`], which tells a foreign text, a cut-off, a mistyped and a
    /// newer link apart.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        if text.len() > 4 * MAX_LINK {
            return Err(LinkError::NotALink);
        }
        let text: String = text.split_whitespace().collect();
        let (kind, body) = split_prefix(text.trim_start_matches(['<', '"', '\'', '(']))?;
        let body = body.trim_end_matches(|c: char| !is_base64(c));
        // One character more than whole bytes says nothing and is no base64.
        let cut = body.len() - usize::from(body.len() % 4 == 1);
        let bytes = BASE64
            .decode(body.get(..cut).ok_or(LinkError::Mistyped)?)
            .map_err(|_| LinkError::Mistyped)?;
        let (head, payload) = checked(kind, &bytes)?;
        if BASE64.encode(&bytes) != body {
            return Err(LinkError::Mistyped);
        }
        match head {
            [VERSION, _] => Self::read(kind, payload).ok_or(LinkError::Mistyped),
            [newer, _] => Err(LinkError::Newer(newer)),
        }
    }

    fn read(kind: Kind, payload: &[u8]) -> Option<Self> {
        let (expires, rest) = payload.split_first_chunk::<4>()?;
        let (network, rest) = rest.split_first()?;
        let (secret, place) = rest.split_first_chunk::<32>()?;
        let expires = match u32::from_be_bytes(*expires) {
            0 => None,
            seconds => Some(Timestamp::from_secs(seconds.into())),
        };
        let (network, place) = (NetworkTag(*network), Place(place.to_vec()));
        Self::new(kind, network, place, Secret::from_bytes(*secret), expires).ok()
    }
}

fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-' || character == '_'
}

/// Tells the kind by the letter before `#`, and the body after it.
fn split_prefix(text: &str) -> Result<(Kind, &str), LinkError> {
    let lower = text.to_ascii_lowercase();
    let ours = lower.starts_with("hushwing:");
    if !ours && !lower.starts_with("https://") {
        return Err(LinkError::NotALink);
    }
    let missing = if ours {
        LinkError::Truncated
    } else {
        LinkError::NotALink
    };
    let (before, body) = text.split_once('#').ok_or(missing)?;
    let before = before.to_ascii_lowercase();
    let kind = |path: &str| match path {
        "i" => Some(Kind::OneTime),
        "c" => Some(Kind::Reusable),
        "d" => Some(Kind::Device),
        _ => None,
    };
    let found = match before.strip_prefix("hushwing:") {
        Some(path) => kind(path).ok_or(LinkError::Mistyped),
        None => before
            .rsplit_once('/')
            .and_then(|(_, path)| kind(path))
            .ok_or(LinkError::NotALink),
    };
    Ok((found?, body))
}

/// Splits head and payload and compares length and checksum. This form is the
/// same in all versions, so that an old program can tell a newer link from a
/// mistyped one.
fn checked(kind: Kind, bytes: &[u8]) -> Result<([u8; HEAD], &[u8]), LinkError> {
    let (head, rest) = bytes
        .split_first_chunk::<HEAD>()
        .ok_or(LinkError::Truncated)?;
    let [_, length] = *head;
    let (payload, check) = rest
        .split_at_checked(length.into())
        .ok_or(LinkError::Truncated)?;
    if check.len() < CHECK {
        return Err(LinkError::Truncated);
    }
    if *check != checksum(kind, *head, payload) {
        return Err(LinkError::Mistyped);
    }
    Ok((*head, payload))
}

/// The first 4 bytes of SHA-256 over context, kind letter, head and payload.
fn checksum(kind: Kind, head: [u8; HEAD], payload: &[u8]) -> [u8; CHECK] {
    let hash = Sha256::new()
        .chain_update(CONTEXT)
        .chain_update([kind.letter()])
        .chain_update(head)
        .chain_update(payload)
        .finalize();
    let mut check = [0; CHECK];
    check.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    check
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("kind", &self.kind)
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}
