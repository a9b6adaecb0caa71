//! `pad(m, n)`: a length, the bytes, then `#` up to a fixed size (SMP 1).

use super::{Malformed, Reader, TooLong, Writer};

/// The byte padding is filled with. Receivers do not look at it.
pub const FILL: u8 = b'#';

/// Appends `pad(message, len)` to `out`.
///
/// # Errors
///
/// [`TooLong`] if `message` is longer than `len - 2` or 65,533 bytes.
pub fn pad(out: &mut Vec<u8>, message: &[u8], len: usize) -> Result<(), TooLong> {
    let fill = len.checked_sub(message.len() + 2).ok_or(TooLong)?;
    let size = u16::try_from(message.len())
        .ok()
        .filter(|n| *n <= 65_533)
        .ok_or(TooLong)?;
    Writer::new(out).u16(size).raw(message).fill(FILL, fill);
    Ok(())
}

/// The message inside `pad(m, n)`.
///
/// # Errors
///
/// [`Malformed`] if the length points past the end.
pub fn unpad(padded: &[u8]) -> Result<&[u8], Malformed> {
    Reader::new(padded).big()
}
