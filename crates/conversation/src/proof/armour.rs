//! Proofs as text, which mail and chat programs leave whole.
//!
//! ```text
//! -----BEGIN HUSHWING PROOF-----
//! base64 (RFC 4648 section 4), 64 characters a line
//! -----END HUSHWING PROOF-----
//! ```
//!
//! Line ends may be LF or CR LF, the last may be missing; nothing else is
//! forgiven: what was read is written once more and compared, so that no two
//! texts are one proof.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN HUSHWING PROOF-----\n";
const END: &str = "-----END HUSHWING PROOF-----\n";
/// Characters of base64 in a line.
const LINE: usize = 64;

/// Bytes that are no armoured proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the whole text of a proof")]
pub struct ArmourError;

/// The one text of `bytes`.
pub(super) fn write(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut text = String::with_capacity(encoded.len() + encoded.len() / LINE + 64);
    text.push_str(BEGIN);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII, so every place is between two characters.
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(END);
    text
}

/// The bytes whose text this is.
pub(super) fn read(text: &[u8]) -> Result<Vec<u8>, ArmourError> {
    let text = core::str::from_utf8(text).map_err(|_| ArmourError)?;
    let mut text = text.replace("\r\n", "\n");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let lines = text.strip_prefix(BEGIN).ok_or(ArmourError)?;
    let lines = lines.strip_suffix(END).ok_or(ArmourError)?;
    let encoded = lines.replace('\n', "");
    let bytes = STANDARD.decode(encoded).map_err(|_| ArmourError)?;
    if write(&bytes) == text {
        Ok(bytes)
    } else {
        Err(ArmourError)
    }
}

/// Bytes of the text of `length` bytes with the longest line ends.
pub(super) const fn longest(length: usize) -> usize {
    let encoded = length.div_ceil(3) * 4;
    encoded + encoded.div_ceil(LINE) * 2 + BEGIN.len() + END.len() + 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mail_may_change_line_ends_and_lose_the_last() {
        let text = write(&[7; 100]);
        let crlf = text.replace('\n', "\r\n");
        for text in [text.as_str(), text.trim_end(), &crlf, crlf.trim_end()] {
            assert_eq!(read(text.as_bytes()), Ok(vec![7; 100]));
            assert!(text.len() <= longest(100));
        }
    }

    #[test]
    fn every_changed_byte_of_the_text_is_noticed() {
        for text in [write(&[7; 100]), write(&[7; 100]).replace('\n', "\r\n")] {
            let good = text.into_bytes();
            for at in 0..good.len() {
                for byte in 0..=u8::MAX {
                    let mut changed = good.clone();
                    changed[at] = byte;
                    assert_eq!(read(&changed) == Ok(vec![7; 100]), byte == good[at]);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_bytes_survive(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(read(write(&bytes).as_bytes()), Ok(bytes));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "-----BEGIN HUSHWING PROOF-----\n[A-Za-z0-9+/=\r\n-]{0,80}-----END HUSHWING PROOF-----\n") {
            let _ = read(text.as_bytes());
        }
    }
}
