//! A link that is read is written in a form that is read as the same link.

use hushwing_conversation::link::Link;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(link) = Link::parse(text) {
        let written = link.to_uri();
        let again = Link::parse(&written).unwrap();
        assert_eq!(again.to_uri(), written);
    }
}
