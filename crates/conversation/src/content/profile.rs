//! How somebody wants to be shown.

use sha2::{Digest as _, Sha256};

use super::cbor::{Reader, SyntaxError, Writer, whole};
use super::shown::{MAX_NAME, clean_name};

/// Media type of a profile.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.profile+cbor";
/// Version of the encoding without a status, and with one.
const VERSION: u64 = 1;
const WITH_STATUS: u64 = 2;
/// Bytes of an avatar.
pub const MAX_AVATAR: usize = 6_144;
/// Pixels on a side of an avatar that is shown.
const MAX_SIDE: usize = 512;
/// Bytes of an encoded profile.
const MAX_PROFILE: usize = MAX_NAME * 8 + MAX_AVATAR + 16;

/// A name, perhaps a picture, and perhaps a word on how things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    name: String,
    avatar: Option<Avatar>,
    status: Option<String>,
}

/// A small picture: PNG, JPEG or WebP, at most [`MAX_AVATAR`] bytes. Nothing
/// inside is decoded here; whoever shows it does so with limits.
#[derive(Clone, PartialEq, Eq)]
pub struct Avatar(Vec<u8>);

/// Why something is no profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not the canonical CBOR of a profile.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("profile of newer version {0}")]
    Newer(u64),
    /// Nothing in the name can be seen.
    #[error("empty name")]
    EmptyName,
    /// Over [`MAX_AVATAR`] bytes.
    #[error("avatar over 6 KiB")]
    AvatarTooLarge,
    /// Neither PNG nor JPEG nor WebP.
    #[error("avatar is not a PNG, JPEG or WebP picture")]
    AvatarFormat,
}

impl Avatar {
    /// The picture in these bytes.
    ///
    /// # Errors
    ///
    /// [`ProfileError::AvatarTooLarge`], [`ProfileError::AvatarFormat`].
    pub fn new(picture: Vec<u8>) -> Result<Self, ProfileError> {
        if picture.len() > MAX_AVATAR {
            return Err(ProfileError::AvatarTooLarge);
        }
        let webp = picture.starts_with(b"RIFF") && picture.get(8..12) == Some(b"WEBP");
        if webp || picture.starts_with(b"\x89PNG\r\n\x1a\n") || picture.starts_with(b"\xff\xd8\xff")
        {
            return Ok(Self(picture));
        }
        Err(ProfileError::AvatarFormat)
    }

    /// Whether its head names a size that a face can show: it takes few bytes to
    /// claim many pixels.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        imagesize::blob_size(&self.0).is_ok_and(|size| {
            (1..=MAX_SIDE).contains(&size.width) && (1..=MAX_SIDE).contains(&size.height)
        })
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        match self.0.first() {
            Some(0x89) => "image/png",
            Some(b'R') => "image/webp",
            _ => "image/jpeg",
        }
    }

    /// What tells it from other pictures (SHA-256).
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// The picture's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for Avatar {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Avatar({} bytes)", self.0.len())
    }
}

impl Profile {
    /// A profile under `name`, cleaned by
    /// [`clean_name`](super::shown::clean_name).
    ///
    /// # Errors
    ///
    /// [`ProfileError::EmptyName`] if nothing of it can be seen.
    pub fn new(name: &str, avatar: Option<Avatar>) -> Result<Self, ProfileError> {
        let name = clean_name(name).ok_or(ProfileError::EmptyName)?;
        Ok(Self {
            name,
            avatar,
            status: None,
        })
    }

    /// With `status`, cleaned as a name is; without one if nothing of it can be seen.
    #[must_use]
    pub fn with_status(self, status: Option<&str>) -> Self {
        let status = status.and_then(clean_name);
        Self { status, ..self }
    }

    /// The name: one line of at most 128 bytes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The picture.
    #[must_use]
    pub fn avatar(&self) -> Option<&Avatar> {
        self.avatar.as_ref()
    }

    /// How things stand with them, in their words: one line of at most 128 bytes.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }

    /// Encodes as `[1, name, avatar or null]`, or `[2, name, avatar or null, status]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let raw = Raw {
            name: &self.name,
            avatar: self.avatar().map(Avatar::as_bytes),
            status: self.status(),
        };
        let mut writer = Writer::new();
        write_raw(&raw, &mut writer);
        writer.finish()
    }

    /// Decodes a profile and cleans its name and status.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] for anything but the canonical encoding of a profile.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProfileError> {
        let raw = whole(bytes, MAX_PROFILE, read_raw, write_raw)?;
        let avatar = raw.avatar.map(<[u8]>::to_vec);
        let profile = Self::new(raw.name, avatar.map(Avatar::new).transpose()?)?;
        Ok(profile.with_status(raw.status))
    }
}

/// A profile as it came. Its words may be longer than ones that are clean:
/// cleaning, not refusing, keeps a contact with an odd name reachable.
struct Raw<'a> {
    name: &'a str,
    avatar: Option<&'a [u8]>,
    status: Option<&'a str>,
}

fn read_raw<'a>(reader: &mut Reader<'a>) -> Result<Raw<'a>, ProfileError> {
    let version = reader.versioned(VERSION, 3)?;
    if version > WITH_STATUS {
        return Err(ProfileError::Newer(version));
    }
    Ok(Raw {
        name: reader.text(MAX_NAME * 4)?,
        avatar: reader.nullable(|r| r.bytes(MAX_AVATAR))?,
        status: match version {
            WITH_STATUS => Some(reader.text(MAX_NAME * 4)?),
            _ => None,
        },
    })
}

fn write_raw(raw: &Raw<'_>, writer: &mut Writer) {
    match raw.status {
        None => writer.array(3).unsigned(VERSION),
        Some(_) => writer.array(4).unsigned(WITH_STATUS),
    };
    writer.text(raw.name);
    writer.nullable(raw.avatar.as_ref(), |w, bytes| {
        w.bytes(bytes);
    });
    if let Some(status) = raw.status {
        writer.text(status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_survives() {
        let avatar = Avatar::new(b"\x89PNG\r\n\x1a\nrest".to_vec()).unwrap();
        for avatar in [None, Some(avatar)] {
            let profile = Profile::new("Alice", avatar).unwrap();
            assert_eq!(Profile::decode(&profile.encode()), Ok(profile.clone()));
            let away = profile.with_status(Some("away\nuntil \u{202e}May"));
            assert_eq!(away.status(), Some("away until May"));
            assert_eq!(Profile::decode(&away.encode()), Ok(away));
        }
    }

    #[test]
    fn hostile_names_are_cleaned_or_refused() {
        let decode = |name| {
            let mut writer = Writer::new();
            let (avatar, status) = (None, None);
            write_raw(
                &Raw {
                    name,
                    avatar,
                    status,
                },
                &mut writer,
            );
            Profile::decode(&writer.finish()).map(|profile| profile.name)
        };
        assert_eq!(decode("Bo\u{202e}b\u{7}"), Ok("Bob".into()));
        assert_eq!(decode("\u{200b}"), Err(ProfileError::EmptyName));
        assert!(matches!(
            decode(&"x".repeat(600)),
            Err(ProfileError::Syntax(_))
        ));
    }

    #[test]
    fn there_is_one_encoding_of_each_profile() {
        // As the second version, but the count or the status of the first.
        for bytes in [
            &[0x83, 2, 0x61, b'x', 0xf6, 0x61, b'y'][..],
            &[0x84, 1, 0x61, b'x', 0xf6, 0x61, b'y'],
            &[0x84, 2, 0x61, b'x', 0xf6, 0xf6],
        ] {
            assert!(matches!(
                Profile::decode(bytes),
                Err(ProfileError::Syntax(_))
            ));
        }
        let whole = &[0x84, 2, 0x61, b'x', 0xf6, 0x61, b'y'];
        assert_eq!(Profile::decode(whole).unwrap().status(), Some("y"));
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_or_nothing_is_not_fit() {
        let png = |width: u32, height: u32| {
            let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
            file.extend(width.to_be_bytes());
            file.extend(height.to_be_bytes());
            file.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
            Avatar::new(file).unwrap().is_fit()
        };
        assert!(png(128, 128) && png(512, 512));
        assert!(!png(513, 1) && !png(1, 60_000) && !png(0, 9));
        for head in [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff\xe0"] {
            assert!(!Avatar::new(head.to_vec()).unwrap().is_fit());
        }
    }

    #[test]
    fn pictures_of_other_kinds_and_sizes_are_refused() {
        assert_eq!(
            Avatar::new(b"<svg/>".to_vec()),
            Err(ProfileError::AvatarFormat)
        );
        assert_eq!(
            Avatar::new(vec![0; MAX_AVATAR + 1]),
            Err(ProfileError::AvatarTooLarge)
        );
    }

    #[test]
    fn newer_versions_are_told_apart() {
        assert_eq!(
            Profile::decode(&[0x83, 3, 0x61, b'x', 0xf6]),
            Err(ProfileError::Newer(3))
        );
    }
}
