//! A transcript has one form, whatever it is worth, and so has an announcement.

use hushwing_conversation::otr::{Announced, Forger, Transcript, check};

pub(crate) fn run(data: &[u8]) {
    let _ = check(data);
    if let Ok(transcript) = Transcript::decode(data) {
        assert_eq!(transcript.encode(), data);
        if let Some(mut forger) = Forger::of(&transcript) {
            forger.say(1, 0, Vec::new());
            assert_eq!(forger.finish().said.len(), 1);
        }
    }
    if let Some(announced) = Announced::read(data) {
        assert_eq!(announced.head(), data);
    }
}
