//! Content that decodes is encoded to the same bytes; its meaning is read
//! without panic.

use hushwing_conversation::content::{Content, Message, MessageId, Origin, open};
use hushwing_sansio::Timestamp;

pub(crate) fn run(data: &[u8]) {
    if let Ok(message) = Message::decode(data) {
        assert_eq!(message.encode().unwrap(), data);
        let _ = Content::read(&message);
    }
    let _ = MessageId::from_bytes(data);
    let origin = Origin::new(&[7; 32], &[9; 16]).unwrap();
    let _ = open(data, &origin, Timestamp::from_secs(1_790_000_000));
}
