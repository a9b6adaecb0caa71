//! Texts as a face takes them in: one too long is refused before it is handed
//! on, with the words the conversation would use.

use std::io::Read;

use hushwing_conversation::Refusal;
use hushwing_conversation::content::shown::{MAX_TEXT, clean_text};

use crate::error::{Error, ErrorKind};
use crate::handle::refusal;

/// So much is read of a text. Not all of it counts: line ends become shorter,
/// and what steers a screen goes.
const MOST_READ: usize = 2 * MAX_TEXT;

/// Refuses a text that no message can hold.
///
/// # Errors
///
/// As the conversation's: of kind `usage`, naming the limit.
pub fn check_text(text: &str) -> Result<(), Error> {
    match text.len() <= MAX_TEXT || clean_text(text).len() <= MAX_TEXT {
        true => Ok(()),
        false => Err(too_long()),
    }
}

/// Reads a text to its end, which may be an empty line; of one that is too long
/// no more than shows that.
///
/// # Errors
///
/// When it cannot be read, is not UTF-8, or as [`check_text`].
pub fn read_text(source: impl Read) -> Result<String, Error> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Usage, format!("standard input: {error}"))
            .with_advice("a message is UTF-8 text")
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_READ + 1).unwrap_or(u64::MAX);
    source
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    if bytes.len() > MOST_READ {
        return Err(too_long());
    }
    let text = String::from_utf8(bytes).map_err(|error| unreadable(&error))?;
    let text = text.trim_end_matches('\n');
    check_text(text)?;
    Ok(text.to_owned())
}

fn too_long() -> Error {
    refusal(Refusal::TextTooLong { most: MAX_TEXT })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_up_to_the_limit_and_no_further() {
        let longest = "x".repeat(MAX_TEXT);
        let typed = format!("{longest}\n\n");
        assert_eq!(read_text(typed.as_bytes()).unwrap(), longest);
        for endless in [&b"x"[..], b"\n", "ü".as_bytes()] {
            let mut source = endless.repeat(MOST_READ);
            source.resize(8 * MOST_READ, b'x');
            let mut left = source.as_slice();
            let error = read_text(&mut left).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.message().contains("65536 bytes"), "{error}");
            assert!(left.len() > 5 * MOST_READ, "it was read on");
        }
    }

    #[test]
    fn what_does_not_count_makes_no_text_too_long() {
        let lines = "\r\n".repeat(MAX_TEXT);
        assert!(check_text(&lines).is_ok());
        assert!(check_text(&"\r\n".repeat(MAX_TEXT + 1)).is_err());
    }
}
