//! A picture that somebody sent with a code in it, or that claims to.

use hushwing_qr::{Code, read};

pub(crate) fn run(data: &[u8]) {
    if let Ok(texts) = read(data) {
        assert!(!texts.is_empty());
    }
    // Whatever can be drawn is read again.
    if let Ok(text) = std::str::from_utf8(data)
        && !text.is_empty()
        && let Ok(code) = Code::new(text)
        && let Ok(picture) = code.to_png()
    {
        assert!(read(&picture).is_ok_and(|texts| texts == [text]));
    }
}
