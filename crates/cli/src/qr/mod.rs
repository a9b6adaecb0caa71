//! Links as QR codes: drawn on terminals, written as PNG, read from pictures.
//!
//! Bytes in, bytes out; files and screens are the callers'.

pub(crate) mod draw;
mod picture;
pub(crate) mod read;
