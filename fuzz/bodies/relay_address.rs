//! Locators and places that decode are encoded to the same bytes.

use hushwing_delivery::{Locator, Place};
use hushwing_relay::address::{LinkPlace, QueueAddress};

pub(crate) fn run(data: &[u8]) {
    let locator = Locator(data.to_vec());
    if let Ok(queue) = QueueAddress::from_locator(&locator) {
        assert!(queue.to_locator() == locator);
    }
    let place = Place(data.to_vec());
    if let Ok(link) = LinkPlace::from_place(&place) {
        assert!(link.to_place() == place);
    }
}
