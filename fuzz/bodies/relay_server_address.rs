//! A server as a person types it is shown in a form that is read the same.

use hushwing_relay::address::ServerAddress;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(address) = text.parse::<ServerAddress>() {
        assert!(address.to_string().parse() == Ok(address), "{text}");
    }
}
