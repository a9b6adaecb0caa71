//! What is said about rooms has one encoding, besides names, which are cleaned
//! where they are read.

use hushwing_conversation::content::{RoomStep, RoomWord};

pub(crate) fn run(data: &[u8]) {
    let Ok(word) = RoomWord::decode(data) else {
        return;
    };
    let encoded = word.encode();
    if matches!(word.step, RoomStep::Leave | RoomStep::Ask(_)) {
        assert_eq!(encoded, data);
    }
    assert_eq!(RoomWord::decode(&encoded), Ok(word));
}
