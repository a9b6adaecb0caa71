//! Finding codes in a picture.

use std::panic::catch_unwind;

use crate::picture::{Picture, PictureError};

/// The longest side searched; larger pictures are shrunk, which also takes
/// out the grain that hides a code.
const MAX_SIDE: usize = 1_600;

/// Why nothing was read from a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The file is no picture to us.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// There is no code in it, or it is too blurred.
    #[error("no readable QR code in the picture")]
    NoCode,
}

/// The texts of the codes in a PNG or JPEG file; at least one.
pub fn read(file: &[u8]) -> Result<Vec<String>, ReadError> {
    let picture = Picture::decode(file)?;
    let first = picture.width.max(picture.height).div_ceil(MAX_SIDE);
    // A blurred photograph is often read at half the size.
    let texts = [first, first * 2]
        .into_iter()
        .map(|by| search(&picture.shrunk(by)));
    texts
        .into_iter()
        .find(|texts| !texts.is_empty())
        .ok_or(ReadError::NoCode)
}

/// The finder was not written for hostile pictures; should it panic, the
/// picture has no code.
fn search(picture: &Picture) -> Vec<String> {
    let find = || {
        let pixel = |x, y| {
            picture
                .grey
                .get(y * picture.width + x)
                .copied()
                .unwrap_or(u8::MAX)
        };
        let (width, height) = (picture.width, picture.height);
        let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
        let grids = prepared.detect_grids();
        grids
            .iter()
            .filter_map(|grid| grid.decode().ok())
            .map(|(_, text)| text)
            .collect()
    };
    catch_unwind(find).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Code;
    use proptest::prelude::*;

    const LINK: &str =
        "hushwing:i#AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPpQqRrSsTtUuVvWwXxYyZz0123456789-_";

    fn drawn(text: &str) -> Vec<u8> {
        Code::new(text).unwrap().to_png().unwrap()
    }

    #[test]
    fn what_was_drawn_is_read() {
        let longest = "hushwing:c#".to_owned() + &"aZ9_".repeat(72);
        assert_eq!(longest.len(), 299);
        for text in [LINK, &longest] {
            assert_eq!(read(&drawn(text)), Ok(vec![text.to_owned()]));
        }
    }

    #[test]
    fn a_code_in_a_colour_screenshot_is_read() {
        let code = Picture::decode(&drawn(LINK)).unwrap();
        let (width, height) = (1_280, 900);
        let mut pixels = vec![0x30; width * height * 4];
        for y in 0..code.height {
            for x in 0..code.width {
                let at = ((y + 60) * width + x + 300) * 4;
                let grey = code.grey[y * code.width + x];
                pixels[at..at + 4].copy_from_slice(&[grey, grey, grey.max(20), 255]);
            }
        }
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 1_280, 900);
        encoder.set_color(png::ColorType::Rgba);
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&pixels)
            .unwrap();
        assert_eq!(read(&file), Ok(vec![LINK.to_owned()]));
    }

    #[test]
    fn a_jpeg_photograph_is_read() {
        let photograph = include_bytes!("../../../fuzz/corpus/qr_picture/photograph.jpg");
        assert_eq!(read(photograph), Ok(vec![LINK.to_owned()]));
    }

    #[test]
    fn other_files_and_empty_pictures_are_told_apart() {
        assert_eq!(
            read(b"GIF89a"),
            Err(ReadError::Picture(PictureError::Format))
        );
        assert_eq!(
            read(b"\x89PNG\r\n\x1a\n"),
            Err(ReadError::Picture(PictureError::Damaged))
        );
        let mut blank = Vec::new();
        let mut encoder = png::Encoder::new(&mut blank, 64, 64);
        encoder.set_color(png::ColorType::Grayscale);
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&[200; 64 * 64])
            .unwrap();
        assert_eq!(read(&blank), Err(ReadError::NoCode));
    }

    #[test]
    fn a_bomb_is_refused_before_memory_is_taken() {
        // 60,000 × 60,000 pixels claimed by a few bytes of file.
        let mut bomb = Vec::new();
        png::Encoder::new(&mut bomb, 60_000, 60_000)
            .write_header()
            .unwrap();
        assert_eq!(read(&bomb), Err(ReadError::Picture(PictureError::TooLarge)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn damaged_pictures_never_panic(at in any::<prop::sample::Index>(), flip in 1_u8.., cut in any::<prop::sample::Index>()) {
            for mut file in [drawn("x"), include_bytes!("../../../fuzz/corpus/qr_picture/photograph.jpg").to_vec()] {
                let at = at.index(file.len());
                file[at] ^= flip;
                let _ = Picture::decode(&file);
                let _ = Picture::decode(&file[..cut.index(file.len())]);
            }
        }
    }
}
