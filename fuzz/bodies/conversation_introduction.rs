//! What is said about introductions has one encoding, besides names and words,
//! which are cleaned where they are read; nothing unclean comes through.

use hushwing_conversation::content::{Introduction, IntroductionStep, MAX_WORD, clean_word};

pub(crate) fn run(data: &[u8]) {
    let Ok(introduction) = Introduction::decode(data) else {
        return;
    };
    let encoded = introduction.encode();
    if let IntroductionStep::Offer(offer) = &introduction.step {
        let word = offer.word.as_deref();
        assert_eq!(word.and_then(clean_word).as_deref(), word);
        assert!(word.is_none_or(|word| word.len() <= MAX_WORD && !word.contains('\n')));
    } else {
        assert_eq!(encoded, data);
    }
    assert_eq!(Introduction::decode(&encoded), Ok(introduction));
}
