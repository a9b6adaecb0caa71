//! The first bytes of a stranger's that anything looks at.

use hushwing_transport::{HEADS, hello_length};

pub(crate) fn run(data: &[u8]) {
    let Some(heads) = data.first_chunk::<HEADS>() else {
        return;
    };
    if let Some(length) = hello_length(heads) {
        // What is waited for holds what was looked at, and is one record.
        assert!((HEADS..=5 + 16_384).contains(&length));
    }
}
