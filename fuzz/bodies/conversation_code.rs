//! What else a person types or scans: safety codes and ids.

use hushwing_conversation::link::SafetyNumber;
use hushwing_conversation::{ConversationId, MessageId};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let number = SafetyNumber::new(&[9; 16], &[2; 32], &[3; 32]);
    let _ = number.matches(text);
    if let Ok(id) = text.parse::<MessageId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(id) = text.parse::<ConversationId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}
