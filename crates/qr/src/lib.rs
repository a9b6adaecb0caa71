#![doc = include_str!("../README.md")]

mod draw;
mod picture;
mod read;

pub use draw::{Code, DrawError, Style};
pub use picture::{MAX_FILE, PictureError};
pub use read::{ReadError, read};
