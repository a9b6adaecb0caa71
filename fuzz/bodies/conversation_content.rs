//! Content that decodes is encoded to the same bytes; its meaning is read
//! without panic.

use hushwing_conversation::content::{
    AddressUpdate, Content, Message, MessageId, Profile, decode_receipts,
};

pub(crate) fn run(data: &[u8]) {
    if let Ok(message) = Message::decode(data) {
        assert_eq!(message.encode().unwrap(), data);
        let _ = Content::read(&message);
    }
    let _ = MessageId::from_bytes(data);
    let _ = decode_receipts(data);
    let _ = Profile::decode(data);
    let _ = AddressUpdate::decode(data);
}
