#![doc = include_str!("../README.md")]

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder as _, ImageError, ImageFormat, ImageReader,
    Limits, RgbImage,
};

/// Pixels on each side of a portrait.
pub const SIDE: u32 = 128;
/// Bytes of a file that is read.
pub const MAX_FILE: usize = 32 * 1024 * 1024;
/// Pixels on a side of a picture that is read.
const LONGEST_SIDE: u32 = 16_384;
/// Bytes that decoding may take.
const MEMORY: u64 = 512 * 1024 * 1024;
/// How well a portrait is kept: the best that fits.
const QUALITIES: [u8; 8] = [90, 80, 70, 60, 45, 30, 15, 5];

/// A picture of [`SIDE`] by [`SIDE`] pixels with nothing beside them.
pub struct Portrait(RgbImage);

/// Why no portrait can be made of a file.
#[derive(Debug, thiserror::Error)]
pub enum PortraitError {
    /// Over [`MAX_FILE`] bytes, or over the bounds of what is decoded.
    #[error("the picture is too large: at most 32 MiB, and 16,384 pixels on a side")]
    TooLarge,
    /// Neither JPEG nor PNG nor WebP.
    #[error("the file is not a JPEG, PNG or WebP picture")]
    Format,
    /// Cut short or malformed.
    #[error("the picture is damaged")]
    Damaged,
    /// No quality makes it small enough.
    #[error("the picture cannot be made small enough")]
    NotSmall,
}

impl Portrait {
    /// The middle of a picture, scaled, on white where it can be seen through.
    ///
    /// # Errors
    ///
    /// [`PortraitError`] for what is no picture, or too large a one.
    pub fn of(file: &[u8]) -> Result<Self, PortraitError> {
        if file.len() > MAX_FILE {
            return Err(PortraitError::TooLarge);
        }
        let format = image::guess_format(file).map_err(|_| PortraitError::Format)?;
        if !matches!(
            format,
            ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP
        ) {
            return Err(PortraitError::Format);
        }
        let mut reader = ImageReader::with_format(Cursor::new(file), format);
        reader.limits(limits());
        let mut decoder = reader.into_decoder().map_err(told)?;
        let turned = decoder.orientation().map_err(told)?;
        let mut picture = DynamicImage::from_decoder(decoder).map_err(told)?;
        picture.apply_orientation(turned);
        let small = picture.resize_to_fill(SIDE, SIDE, FilterType::Lanczos3);
        Ok(Self(on_white(&small)))
    }

    /// As a JPEG file of at most `most` bytes; where no quality makes it so small, of half its
    /// side.
    ///
    /// # Errors
    ///
    /// [`PortraitError::NotSmall`] if there is none.
    pub fn jpeg(&self, most: usize) -> Result<Vec<u8>, PortraitError> {
        for side in [SIDE, SIDE / 2] {
            let scaled = resize(&self.0, side, side, FilterType::Lanczos3);
            for quality in QUALITIES {
                let mut file = Vec::new();
                JpegEncoder::new_with_quality(&mut file, quality)
                    .encode(&scaled, side, side, ExtendedColorType::Rgb8)
                    .map_err(told)?;
                if file.len() <= most {
                    return Ok(file);
                }
            }
        }
        Err(PortraitError::NotSmall)
    }

    /// As a PNG file, in which nothing is lost.
    ///
    /// # Errors
    ///
    /// [`PortraitError::Damaged`] if it cannot be written.
    pub fn png(&self) -> Result<Vec<u8>, PortraitError> {
        let mut file = Cursor::new(Vec::new());
        self.0.write_to(&mut file, ImageFormat::Png).map_err(told)?;
        Ok(file.into_inner())
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    limits
}

fn told(error: ImageError) -> PortraitError {
    match error {
        ImageError::Limits(_) => PortraitError::TooLarge,
        ImageError::Unsupported(_) => PortraitError::Format,
        _ => PortraitError::Damaged,
    }
}

/// What lies behind it is white, as on paper.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let mut painted = RgbImage::new(SIDE, SIDE);
    for (pixel, seen) in painted.pixels_mut().zip(picture.to_rgba8().pixels()) {
        let [red, green, blue, cover] = seen.0;
        pixel.0 = [red, green, blue].map(|colour| over_white(colour, cover));
    }
    painted
}

fn over_white(colour: u8, cover: u8) -> u8 {
    let (colour, cover) = (u16::from(colour), u16::from(cover));
    let mixed = (colour * cover + 255 * (255 - cover)) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
