//! What is sealed in a half of a slot (`protocol/slots.md`, 3).

use std::fmt;

use zeroize::Zeroizing;

/// Version of the image's layout.
pub(crate) const VERSION: u8 = 1;

/// Bytes of a profile's name at most.
const NAME_MOST: usize = 64;
/// Bytes of settings at most.
pub(crate) const SETTINGS_MOST: usize = 16 * 1024;

/// A hidden profile as it lies in its slot.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// Grows by one with each that is sealed.
    pub sequence: u64,
    /// The profile's name, 1 to 64 bytes.
    pub name: Zeroizing<String>,
    /// What is not in its databases, at most 16 KiB; opaque here.
    pub settings: Zeroizing<Vec<u8>>,
    /// `profile.db` as SQLite serialises it; empty before its first commit.
    pub profile: Zeroizing<Vec<u8>>,
    /// `relay.db`, in the same way.
    pub relay: Zeroizing<Vec<u8>>,
}

/// Why bytes are no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It is of a version that is not known here.
    #[error("a hidden profile of version {0} is newer than this program")]
    Newer(u8),
    /// It ends before its parts do, or a part is longer than it may be.
    #[error("a hidden profile is cut short")]
    Short,
    /// The name is none.
    #[error("a hidden profile has no name")]
    Name,
    /// There is something behind its parts.
    #[error("a hidden profile is not padded with zeros")]
    Padding,
}

impl Image {
    /// Whether a name and settings have lengths that an image may hold.
    pub(crate) fn may_hold(name: &str, settings: &[u8]) -> bool {
        (1..=NAME_MOST).contains(&name.len()) && settings.len() <= SETTINGS_MOST
    }

    /// Writes it over all of `to`, zeros behind it; `None` where it does not fit.
    pub fn encode(&self, to: &mut [u8]) -> Option<()> {
        let name = u8::try_from(self.name.len()).ok()?;
        if !Self::may_hold(&self.name, &self.settings) {
            return None;
        }
        let length = |part: &[u8]| u32::try_from(part.len()).ok().map(u32::to_be_bytes);
        let parts: [&[u8]; 10] = [
            &[VERSION],
            &self.sequence.to_be_bytes(),
            &[name],
            &length(&self.settings)?,
            &length(&self.profile)?,
            &length(&self.relay)?,
            self.name.as_bytes(),
            &self.settings,
            &self.profile,
            &self.relay,
        ];
        let mut rest = to;
        for part in parts {
            let (head, tail) = rest.split_at_mut_checked(part.len())?;
            head.copy_from_slice(part);
            rest = tail;
        }
        rest.fill(0);
        Some(())
    }

    /// Reads one with its padding.
    ///
    /// # Errors
    ///
    /// See [`ImageError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ImageError> {
        let mut rest = bytes;
        let [version] = take(&mut rest)?;
        if version != VERSION {
            return Err(ImageError::Newer(version));
        }
        let sequence = u64::from_be_bytes(take(&mut rest)?);
        let [name] = take(&mut rest)?;
        let [settings, profile, relay] = [
            u32::from_be_bytes(take(&mut rest)?),
            u32::from_be_bytes(take(&mut rest)?),
            u32::from_be_bytes(take(&mut rest)?),
        ];
        let name = part(&mut rest, name.into())?;
        let settings = part(&mut rest, settings)?;
        let profile = part(&mut rest, profile)?;
        let relay = part(&mut rest, relay)?;
        if settings.len() > SETTINGS_MOST {
            return Err(ImageError::Short);
        }
        let zeros = [0; 4096];
        let is_padding = |part: &[u8]| zeros.get(..part.len()) == Some(part);
        if !rest.chunks(zeros.len()).all(is_padding) {
            return Err(ImageError::Padding);
        }
        let name = std::str::from_utf8(name).map_err(|_| ImageError::Name)?;
        if !(1..=NAME_MOST).contains(&name.len()) {
            return Err(ImageError::Name);
        }
        Ok(Self {
            sequence,
            name: Zeroizing::new(name.to_owned()),
            settings: Zeroizing::new(settings.to_vec()),
            profile: Zeroizing::new(profile.to_vec()),
            relay: Zeroizing::new(relay.to_vec()),
        })
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Image(..)")
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], ImageError> {
    let (part, tail) = rest.split_first_chunk::<N>().ok_or(ImageError::Short)?;
    *rest = tail;
    Ok(*part)
}

fn part<'a>(rest: &mut &'a [u8], length: u32) -> Result<&'a [u8], ImageError> {
    let length = usize::try_from(length).map_err(|_| ImageError::Short)?;
    let (part, tail) = rest.split_at_checked(length).ok_or(ImageError::Short)?;
    *rest = tail;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn image(name: &str, parts: [&[u8]; 3]) -> Image {
        let [settings, profile, relay] = parts.map(|part| Zeroizing::new(part.to_vec()));
        Image {
            sequence: 7,
            name: Zeroizing::new(name.to_owned()),
            settings,
            profile,
            relay,
        }
    }

    fn encoded(image: &Image, room: usize) -> Vec<u8> {
        let mut bytes = vec![0xFF; room];
        image.encode(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn an_image_stands_as_the_protocol_says() {
        let bytes = encoded(&image("Ada", [b"{}", b"PP", b"R"]), 40);
        let mut expected = vec![1, 0, 0, 0, 0, 0, 0, 0, 7, 3];
        expected.extend([0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1]);
        expected.extend(b"Ada{}PPR");
        expected.resize(40, 0);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_cannot_be_an_image_is_told_apart() {
        let good = encoded(&image("Ada", [b"{}", b"PP", b"R"]), 40);
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            Image::decode(&bytes).unwrap_err()
        };
        assert_eq!(with(0, 2), ImageError::Newer(2));
        assert_eq!(with(9, 0), ImageError::Padding, "what follows is shifted");
        assert_eq!(with(10, 1), ImageError::Short);
        assert_eq!(with(22, 0xFF), ImageError::Name);
        assert_eq!(with(39, 1), ImageError::Padding);
        assert_eq!(Image::decode(&good[..29]), Err(ImageError::Short));
        assert!(Image::decode(&good[..30]).is_ok());
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let fits = image("Ada", [b"{}", b"PP", b"R"]);
        assert_eq!(fits.encode(&mut [0; 29]), None);
        assert_eq!(image("", [b""; 3]).encode(&mut [0; 99]), None);
        assert_eq!(image(&"x".repeat(65), [b""; 3]).encode(&mut [0; 99]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn images_survive(
            name in "[a-zäöü]{1,20}",
            parts in prop::array::uniform3(prop::collection::vec(any::<u8>(), 0..50)),
            padding in 0_usize..50,
        ) {
            let [settings, profile, relay] = &parts;
            let image = image(&name, [settings, profile, relay]);
            let length = 22 + image.name.len() + parts.iter().map(Vec::len).sum::<usize>();
            let bytes = encoded(&image, length + padding);
            prop_assert_eq!(Image::decode(&bytes).unwrap(), image);
        }

        #[test]
        fn no_input_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..99), set: bool) {
            if let (true, Some(version)) = (set, bytes.first_mut()) {
                *version = VERSION;
            }
            if let Ok(image) = Image::decode(&bytes) {
                prop_assert_eq!(encoded(&image, bytes.len()), bytes);
            }
        }
    }
}
