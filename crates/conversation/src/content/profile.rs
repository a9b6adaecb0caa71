//! How somebody wants to be shown.

use super::cbor::{Reader, SyntaxError, Writer, whole};
use super::shown::{MAX_NAME, clean_name};

/// Media type of a profile.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.profile+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Bytes of an avatar.
pub const MAX_AVATAR: usize = 6_144;
/// Bytes of an encoded profile.
const MAX_PROFILE: usize = MAX_NAME * 4 + MAX_AVATAR + 16;

/// A name and perhaps a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    name: String,
    avatar: Option<Avatar>,
}

/// A small picture: PNG, JPEG or WebP, at most [`MAX_AVATAR`] bytes. Nothing
/// inside is checked; whoever shows it decodes it with limits.
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
        Ok(Self { name, avatar })
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

    /// Encodes as `[1, name, avatar or null]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        write_raw(&self.name, self.avatar().map(Avatar::as_bytes), &mut writer);
        writer.finish()
    }

    /// Decodes a profile and cleans its name.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] for anything but the canonical encoding of a profile.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProfileError> {
        let (name, avatar) = whole(bytes, MAX_PROFILE, read_raw, |(name, avatar), writer| {
            write_raw(name, avatar.as_deref(), writer);
        })?;
        Self::new(&name, avatar.map(Avatar::new).transpose()?)
    }
}

/// Name and avatar as they came. The name may be longer than one that is
/// clean: cleaning, not refusing, keeps a contact with an odd name reachable.
fn read_raw(reader: &mut Reader<'_>) -> Result<(String, Option<Vec<u8>>), ProfileError> {
    match reader.versioned(VERSION, 3)? {
        VERSION => {}
        newer => return Err(ProfileError::Newer(newer)),
    }
    let name = reader.text(MAX_NAME * 4)?.to_owned();
    let avatar = reader.nullable(|r| r.bytes(MAX_AVATAR).map(<[u8]>::to_vec))?;
    Ok((name, avatar))
}

fn write_raw(name: &str, avatar: Option<&[u8]>, writer: &mut Writer) {
    writer.array(3).unsigned(VERSION).text(name);
    writer.nullable(avatar.as_ref(), |w, bytes| {
        w.bytes(bytes);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_survives() {
        let avatar = Avatar::new(b"\x89PNG\r\n\x1a\nrest".to_vec()).unwrap();
        for avatar in [None, Some(avatar)] {
            let profile = Profile::new("Alice", avatar).unwrap();
            assert_eq!(Profile::decode(&profile.encode()), Ok(profile));
        }
    }

    #[test]
    fn hostile_names_are_cleaned_or_refused() {
        let decode = |name| {
            let mut writer = Writer::new();
            write_raw(name, None, &mut writer);
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
            Profile::decode(&[0x83, 2, 0x61, b'x', 0xf6]),
            Err(ProfileError::Newer(2))
        );
    }
}
