//! Pictures as grey pixels, however large a small file claims to be.

use std::io::Cursor;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// Bytes of a picture file; a larger one is refused.
pub const MAX_FILE: usize = 24 << 20;
/// Pixels of a picture: 24 megapixels, more than phones make by default. It
/// bounds memory, since a file of some kilobytes can claim any size.
const MAX_PIXELS: usize = 24_000_000;
/// Pixels on one side.
const MAX_SIDE: usize = 16_384;

/// A picture in grey, row by row, 0 black.
pub(crate) struct Picture {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// `width * height` pixels.
    pub(crate) grey: Vec<u8>,
}

/// Why a file is no picture to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Neither PNG nor JPEG.
    #[error("not a PNG or JPEG picture")]
    Format,
    /// Over a limit on bytes or pixels.
    #[error("picture is too large, crop it to the code")]
    TooLarge,
    /// Cut off or damaged.
    #[error("picture is damaged")]
    Damaged,
}

impl Picture {
    /// Decodes a PNG or JPEG file.
    pub(crate) fn decode(file: &[u8]) -> Result<Self, PictureError> {
        if file.len() > MAX_FILE {
            return Err(PictureError::TooLarge);
        }
        if file.starts_with(b"\x89PNG\r\n\x1a\n") {
            return decode_png(file);
        }
        if file.starts_with(b"\xff\xd8\xff") {
            return decode_jpeg(file);
        }
        Err(PictureError::Format)
    }

    fn new(width: usize, height: usize, grey: Vec<u8>) -> Result<Self, PictureError> {
        if width == 0 || height == 0 || grey.len() != width * height {
            return Err(PictureError::Damaged);
        }
        Ok(Self {
            width,
            height,
            grey,
        })
    }

    /// The picture with each square of `by` times `by` pixels made one.
    pub(crate) fn shrunk(&self, by: usize) -> Self {
        let by = by.max(1);
        let (width, height) = ((self.width / by).max(1), (self.height / by).max(1));
        let square = |x: usize, y: usize| {
            let rows = (y * by..(y + 1) * by).filter_map(|row| {
                let start = row * self.width + x * by;
                self.grey.get(start..start + by)
            });
            let (sum, count) = rows
                .flatten()
                .fold((0_usize, 0_usize), |(sum, count), pixel| {
                    (sum + usize::from(*pixel), count + 1)
                });
            u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX)
        };
        let grey = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self {
            width,
            height,
            grey: grey.map(|(x, y)| square(x, y)).collect(),
        }
    }
}

fn check(width: usize, height: usize) -> Result<(), PictureError> {
    let fits = width <= MAX_SIDE && height <= MAX_SIDE && width * height <= MAX_PIXELS;
    if fits {
        Ok(())
    } else {
        Err(PictureError::TooLarge)
    }
}

fn decode_png(file: &[u8]) -> Result<Picture, PictureError> {
    // Four bytes a pixel, and as much again for the decoder's own use.
    let limits = png::Limits {
        bytes: MAX_PIXELS * 8,
    };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let header = decoder
        .read_header_info()
        .map_err(|_| PictureError::Damaged)?;
    let (width, height) = (header.width as usize, header.height as usize);
    check(width, height)?;
    let mut reader = decoder.read_info().map_err(|_| PictureError::Damaged)?;
    let size = reader.output_buffer_size().ok_or(PictureError::TooLarge)?;
    let mut pixels = vec![0; size];
    let shape = reader
        .next_frame(&mut pixels)
        .map_err(|_| PictureError::Damaged)?;
    pixels.truncate(shape.buffer_size());
    let grey = match shape.color_type {
        png::ColorType::Grayscale => pixels,
        png::ColorType::GrayscaleAlpha => {
            each::<2>(&pixels, |[grey, alpha]| over_white(grey, alpha))
        }
        png::ColorType::Rgb => each::<3>(&pixels, luma),
        png::ColorType::Rgba => each::<4>(&pixels, |[r, g, b, alpha]| {
            over_white(luma([r, g, b]), alpha)
        }),
        png::ColorType::Indexed => return Err(PictureError::Damaged),
    };
    Picture::new(width, height, grey)
}

fn decode_jpeg(file: &[u8]) -> Result<Picture, PictureError> {
    let options = DecoderOptions::default()
        .set_max_width(u16::MAX.into())
        .set_max_height(u16::MAX.into())
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder
        .decode_headers()
        .map_err(|_| PictureError::Damaged)?;
    let info = decoder.info().ok_or(PictureError::Damaged)?;
    let (width, height) = (info.width.into(), info.height.into());
    check(width, height)?;
    let grey = decoder.decode().map_err(|_| PictureError::Damaged)?;
    Picture::new(width, height, grey)
}

fn each<const N: usize>(pixels: &[u8], to_grey: impl Fn([u8; N]) -> u8) -> Vec<u8> {
    let (pixels, _) = pixels.as_chunks::<N>();
    pixels.iter().map(|pixel| to_grey(*pixel)).collect()
}

fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum = u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29;
    u8::try_from(sum >> 8).unwrap_or(u8::MAX)
}

fn over_white(grey: u8, alpha: u8) -> u8 {
    let (grey, alpha) = (u32::from(grey), u32::from(alpha));
    u8::try_from((grey * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
}
