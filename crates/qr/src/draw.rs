//! Drawing a code.

use qrcode::{Color, EcLevel, QrCode, Version};

/// The largest version that cheap cameras read off a screen: 61 modules.
const MAX_VERSION: i16 = 11;
/// Light modules around the code that the standard demands.
const QUIET: usize = 4;
/// Pixels of a module in a picture.
const SCALE: usize = 8;

/// A QR code, ready to be drawn.
pub struct Code {
    modules: Vec<Color>,
    width: usize,
}

/// Why there is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// The text needs a code that cameras may not read.
    #[error("text of {0} bytes is too long for a QR code")]
    TooLong(usize),
    /// The picture could not be encoded.
    #[error("cannot encode the picture")]
    Picture,
}

/// How a terminal shows dark and light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// With colour codes: right on any terminal that knows them.
    Colour,
    /// Without: right where text is light on dark.
    Plain,
}

impl Code {
    /// The code of `text`, with as much redundancy as version 11 leaves room
    /// for.
    pub fn new(text: &str) -> Result<Self, DrawError> {
        let fits = |code: &QrCode| matches!(code.version(), Version::Normal(1..=MAX_VERSION));
        [EcLevel::Q, EcLevel::M, EcLevel::L]
            .into_iter()
            .filter_map(|level| QrCode::with_error_correction_level(text, level).ok())
            .find(fits)
            .map(|code| Self {
                width: code.width(),
                modules: code.to_colors(),
            })
            .ok_or(DrawError::TooLong(text.len()))
    }

    /// Modules on one side with the quiet zone.
    fn side(&self) -> usize {
        self.width + 2 * QUIET
    }

    /// Whether a module is dark; those of the quiet zone and beyond are not.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let (Some(x), Some(y)) = (x.checked_sub(QUIET), y.checked_sub(QUIET)) else {
            return false;
        };
        x < self.width && self.modules.get(y * self.width + x) == Some(&Color::Dark)
    }

    /// Lines of half blocks, two modules high each, ending in a line feed.
    pub fn to_terminal(&self, style: Style) -> String {
        let mut text = String::new();
        for y in (0..self.side()).step_by(2) {
            if style == Style::Colour {
                // Bright white on black, whatever the terminal's own colours.
                text.push_str("\x1b[97;40m");
            }
            // Light modules are drawn: a code must not be inverted.
            text.extend((0..self.side()).map(|x| {
                match (self.is_dark(x, y), self.is_dark(x, y + 1)) {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                }
            }));
            text.push_str(if style == Style::Colour {
                "\x1b[0m\n"
            } else {
                "\n"
            });
        }
        text
    }

    /// A PNG picture in grey, 8 pixels a module.
    pub fn to_png(&self) -> Result<Vec<u8>, DrawError> {
        let pixels = self.side() * SCALE;
        let row = |y: usize| {
            (0..pixels).map(move |x| {
                if self.is_dark(x / SCALE, y / SCALE) {
                    0
                } else {
                    255
                }
            })
        };
        let grey: Vec<u8> = (0..pixels).flat_map(row).collect();
        let side = u32::try_from(pixels).map_err(|_| DrawError::Picture)?;
        encode(side, &grey).map_err(|_| DrawError::Picture)
    }
}

fn encode(side: u32, grey: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(grey)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_link_fits_version_11() {
        let code = Code::new(&"x".repeat(299)).unwrap();
        assert_eq!(code.width, 61);
        assert!(code.side() < 80, "fits a terminal of 80 columns");
        assert_eq!(
            Code::new(&"x".repeat(400)).err(),
            Some(DrawError::TooLong(400))
        );
    }

    #[test]
    fn the_quiet_zone_is_light_on_all_sides() {
        let code = Code::new("hushwing:i#abc").unwrap();
        let lines: Vec<String> = code
            .to_terminal(Style::Plain)
            .lines()
            .map(str::to_owned)
            .collect();
        assert!(lines[..2].iter().all(|line| line.chars().all(|c| c == '█')));
        for line in &lines {
            assert_eq!(line.chars().count(), code.side());
            assert!(line.starts_with("████") && line.ends_with("████"), "{line}");
        }
        assert!(lines.last().unwrap().chars().all(|c| c == '█'));
    }

    #[test]
    fn colours_end_with_each_line() {
        let text = Code::new("x").unwrap().to_terminal(Style::Colour);
        assert!(
            text.lines()
                .all(|line| line.starts_with("\x1b[97;40m") && line.ends_with("\x1b[0m"))
        );
    }
}
