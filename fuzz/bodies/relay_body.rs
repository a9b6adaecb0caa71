//! The body of SEND, as it is and filled up to the lengths it may have.

use hushwing_relay::client::body::{FIRST_CONTACT_LEN, REGULAR_LEN, decode};

pub(crate) fn run(data: &[u8]) {
    let _ = decode(data);
    for length in [REGULAR_LEN, FIRST_CONTACT_LEN] {
        let mut filled = data.to_vec();
        filled.resize(length, 0);
        let _ = decode(&filled);
    }
}
