//! An address that decodes is encoded to the same bytes.

use hushwing_delivery::Address;

pub(crate) fn run(data: &[u8]) {
    if let Ok(address) = Address::decode(data) {
        assert_eq!(address.encode(), data);
    }
}
