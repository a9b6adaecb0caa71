use image::{Rgba, RgbaImage};

use super::*;

const MOST: usize = 6_144;

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn read(file: &[u8]) -> DynamicImage {
    image::load_from_memory(file).unwrap()
}

/// As hard to make small as a picture can be.
fn noise(width: u32, height: u32) -> DynamicImage {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    RgbImage::from_fn(width, height, |_, _| image::Rgb([next(), next(), next()])).into()
}

/// Left half red, right half blue, as seen before it is turned.
fn halves(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, _| match x < width / 2 {
        true => image::Rgb([255, 0, 0]),
        false => image::Rgb([0, 0, 255]),
    })
    .into()
}

/// A JPEG with what a camera writes: how it was held, and a word to look for.
fn by_a_camera(picture: &DynamicImage, orientation: u8) -> Vec<u8> {
    let plain = file(picture, ImageFormat::Jpeg);
    // TIFF, little endian: one entry, tag 0x0112, SHORT, one value.
    let mut tiff = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend(b"52.5200 N, 13.4050 E");
    let length = u16::try_from(tiff.len() + 2).unwrap();
    let mut made = plain[..2].to_vec();
    made.extend([0xff, 0xe1]);
    made.extend(length.to_be_bytes());
    made.extend(tiff);
    made.extend(&plain[2..]);
    made
}

fn holds(file: &[u8], word: &[u8]) -> bool {
    file.windows(word.len()).any(|at| at == word)
}

#[test]
fn every_picture_becomes_a_small_square() {
    for (picture, format) in [
        (noise(1_600, 900), ImageFormat::Jpeg),
        (noise(3, 700), ImageFormat::Png),
        (noise(64, 64), ImageFormat::WebP),
    ] {
        let portrait = Portrait::of(&file(&picture, format)).unwrap();
        let small = portrait.jpeg(MOST).unwrap();
        assert!(small.len() <= MOST, "{} bytes", small.len());
        assert_eq!((read(&small).width(), read(&small).height()), (128, 128));
        assert_eq!(
            Portrait::of(&portrait.png().unwrap()).unwrap().0,
            portrait.0
        );
    }
}

#[test]
fn what_a_camera_wrote_is_gone_and_the_picture_stands_upright() {
    let taken = by_a_camera(&halves(400, 400), 6);
    assert!(holds(&taken, b"52.5200 N"));
    let portrait = Portrait::of(&taken).unwrap();
    for made in [portrait.jpeg(MOST).unwrap(), portrait.png().unwrap()] {
        assert!(!holds(&made, b"52.5200 N") && !holds(&made, b"Exif"));
        // Turned to the right, what was left is above.
        let seen = read(&made).to_rgb8();
        let (above, below) = (seen.get_pixel(64, 10).0, seen.get_pixel(64, 118).0);
        assert!(above[0] > 200 && above[2] < 60, "above: {above:?}");
        assert!(below[2] > 200 && below[0] < 60, "below: {below:?}");
    }
}

#[test]
fn what_can_be_seen_through_is_white() {
    let clear = RgbaImage::from_pixel(9, 9, Rgba([0, 0, 0, 0]));
    let portrait = Portrait::of(&file(&clear.into(), ImageFormat::Png)).unwrap();
    assert_eq!(portrait.0.get_pixel(0, 0).0, [255; 3]);
}

#[test]
fn what_is_no_picture_is_told_apart() {
    let of = |file: &[u8]| Portrait::of(file).err();
    assert!(matches!(of(b"<svg/>"), Some(PortraitError::Format)));
    assert!(matches!(
        of(b"GIF89a\x01\0\x01\0"),
        Some(PortraitError::Format)
    ));
    let whole = file(&halves(40, 40), ImageFormat::Png);
    assert!(matches!(of(&whole[..60]), Some(PortraitError::Damaged)));
    assert!(matches!(
        of(&vec![0; MAX_FILE + 1]),
        Some(PortraitError::TooLarge)
    ));
}

#[test]
fn a_picture_with_too_long_a_side_is_not_read() {
    let long = |width, height| file(&halves(width, height), ImageFormat::Png);
    for sides in [(LONGEST_SIDE + 1, 1), (1, LONGEST_SIDE + 1)] {
        let found = Portrait::of(&long(sides.0, sides.1)).err();
        assert!(matches!(found, Some(PortraitError::TooLarge)), "{found:?}");
    }
    assert!(Portrait::of(&long(LONGEST_SIDE, 1)).is_ok());
}

#[test]
fn what_is_too_much_at_any_quality_is_made_smaller() {
    let portrait = Portrait::of(&file(&noise(128, 128), ImageFormat::Png)).unwrap();
    let small = portrait.jpeg(2_048).unwrap();
    assert!(small.len() <= 2_048, "{} bytes", small.len());
    assert_eq!((read(&small).width(), read(&small).height()), (64, 64));
}

#[test]
fn a_bound_that_nothing_fits_is_told() {
    let portrait = Portrait::of(&file(&noise(128, 128), ImageFormat::Png)).unwrap();
    assert!(matches!(portrait.jpeg(100), Err(PortraitError::NotSmall)));
}
