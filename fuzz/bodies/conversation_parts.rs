//! What stands inside messages of our own kinds has one encoding.

use hushwing_conversation::content::{AddressUpdate, Profile, decode_receipts};

pub(crate) fn run(data: &[u8]) {
    if let Ok(profile) = Profile::decode(data) {
        assert_eq!(profile.encode(), data);
    }
    if let Ok(update) = AddressUpdate::decode(data) {
        assert_eq!(update.encode(), data);
    }
    let _ = decode_receipts(data);
}
