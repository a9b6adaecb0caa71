//! Finding texts by their words: what is a word, and what a person asks for.
//!
//! Storage keeps an index of words, folded (case and diacritics do not matter).
//! In some scripts there is nothing between words; there, every character is
//! made a word of its own, in the index and in what is asked for, and what is
//! asked for together has to stand together. So two characters of Chinese are
//! found like a word of English, and one index serves all.

use crate::content::shown::clean_text;

/// Bytes of a query.
pub const MAX_QUERY: usize = 1_024;
/// Words of a query; further ones are left out.
const MAX_WORDS: usize = 16;

/// What somebody looks for: all of its words, in any order. Nothing that is
/// typed has a special meaning. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Query {
    words: Vec<Word>,
}

/// A word of a query: tokens that stand together.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// The tokens, as [`spaced`] makes them, without `"`.
    pub phrase: String,
    /// Whether more may follow in the text where the word ends.
    pub open: bool,
}

/// Why something cannot be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// No letter and no digit in it.
    #[error("nothing to look for")]
    Empty,
    /// Over [`MAX_QUERY`] bytes.
    #[error("too much to look for")]
    TooLong,
}

impl Query {
    /// What `text` asks for.
    ///
    /// # Errors
    ///
    /// [`QueryError`].
    pub fn new(text: &str) -> Result<Self, QueryError> {
        if text.len() > MAX_QUERY {
            return Err(QueryError::TooLong);
        }
        let text = clean_text(text);
        let words = text.split_whitespace().filter_map(Word::new);
        let words: Vec<_> = words.take(MAX_WORDS).collect();
        match words.is_empty() {
            true => Err(QueryError::Empty),
            false => Ok(Self { words }),
        }
    }

    /// Its words, at least one.
    #[must_use]
    pub fn words(&self) -> &[Word] {
        &self.words
    }
}

impl core::fmt::Debug for Query {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Query(..)")
    }
}

impl Word {
    fn new(typed: &str) -> Option<Self> {
        let phrase = spaced(&typed.replace('"', " "));
        let letters = |token: &str| token.chars().filter(|c| is_letter(*c)).count();
        let mut tokens = phrase.rsplit(|c| !is_letter(c) && !is_diacritic(c));
        let last = tokens.find(|token| letters(token) > 0)?;
        // One letter begins too many words to be looked up in time.
        let open = letters(last) > 1 && !phrase.ends_with(' ');
        Some(Self { phrase, open })
    }
}

/// Whether the index takes a character for part of a word: letters, numbers and
/// those of private use. The marks that many scripts write around a letter end a
/// word there, though Rust calls them alphabetic.
fn is_letter(character: char) -> bool {
    use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};
    let word = matches!(
        character.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    );
    word || character.general_category() == GeneralCategory::PrivateUse
}

/// Whether the index leaves a character out, within a word.
fn is_diacritic(character: char) -> bool {
    matches!(u32::from(character), 0x300..=0x331)
}

/// `text` with every character of a script without spaces standing alone.
#[must_use]
pub fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unspaced(character) {
            spaced.extend([' ', character, ' ']);
        } else {
            spaced.push(character);
        }
    }
    spaced
}

/// Whether words of this character's script stand without spaces between them.
fn is_unspaced(character: char) -> bool {
    matches!(u32::from(character),
        0x0E00..=0x0EFF // Thai, Lao
        | 0x1000..=0x109F // Burmese
        | 0x1780..=0x17FF // Khmer
        | 0x3005..=0x3007 // ideographic marks and zero
        | 0x3040..=0x312F // Hiragana, Katakana, Bopomofo
        | 0x31A0..=0x31BF | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF // ideographs
        | 0xF900..=0xFAFF
        | 0xFF66..=0xFF9F // narrow Katakana
        | 0x1B000..=0x1B16F | 0x20000..=0x3FFFF)
}

/// Whether `text`, as [`spaced`] made it, has what is looked for; for storage in
/// memory, which folds case and no diacritics.
pub(crate) fn has(text: &str, query: &Query) -> bool {
    let tokens = tokens(text);
    query.words.iter().all(|word| {
        let wanted = self::tokens(&word.phrase);
        let Some((last, before)) = wanted.split_last() else {
            return false;
        };
        tokens.windows(wanted.len()).any(|window| {
            window.split_last().is_some_and(|(end, begin)| {
                begin == before && (end == last || word.open && end.starts_with(last.as_str()))
            })
        })
    })
}

fn tokens(text: &str) -> Vec<String> {
    let tokens = text.split(|c: char| !is_letter(c) && !is_diacritic(c));
    let tokens = tokens.map(|token| token.chars().filter(|c| is_letter(*c)).collect::<String>());
    let tokens = tokens.filter(|token| !token.is_empty());
    tokens.map(|token| token.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finds(text: &str, query: &str) -> bool {
        has(&spaced(text), &Query::new(query).unwrap())
    }

    #[test]
    fn all_words_are_found_in_any_order_and_begun() {
        assert!(finds("The quick brown fox", "FOX qui"));
        assert!(!finds("The quick brown fox", "fox hound"));
        // One letter is a word, and the beginning of none.
        assert!(finds("plan b", "b") && !finds("brown", "b"));
    }

    #[test]
    fn scripts_without_spaces_are_found_by_any_run_of_characters() {
        assert!(finds("我们明天去喝茶吧", "喝茶"));
        assert!(finds("我们明天去喝茶吧", "茶"));
        assert!(!finds("我们明天去喝茶吧", "茶喝"));
        assert!(finds("東京タワーで会う", "タワー"));
        assert!(finds("ราคาเท่าไหร่", "เท่า"));
    }

    #[test]
    fn a_mark_beside_a_letter_makes_no_word_of_two() {
        for word in ["कि", "हिन्दी", "நீ", "বা", "é"] {
            let query = Query::new(word).unwrap();
            let open: Vec<_> = query.words().iter().map(|word| word.open).collect();
            assert_eq!(
                open,
                [false],
                "{word} would pass every word with that letter"
            );
            assert!(finds(&format!("x {word} y"), word), "{word}");
        }
        assert!(Query::new("कमल").unwrap().words()[0].open);
        assert_eq!(Query::new("ि"), Err(QueryError::Empty));
    }

    #[test]
    fn nothing_typed_has_a_meaning_of_its_own() {
        assert!(finds("she said NOT now", "NOT"));
        assert!(finds("a-b", "\"a-b\""));
        assert_eq!(Query::new(" \" * ( ^ "), Err(QueryError::Empty));
        assert_eq!(
            Query::new(&"x".repeat(MAX_QUERY + 1)),
            Err(QueryError::TooLong)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn a_word_is_found_in_a_text_that_has_it(
            before in "[a-z ]{0,20}", word in "[a-z一-龥]{2,8}", after in "( [a-z ]{0,20})?",
        ) {
            let text = format!("{before} {word}{after}");
            prop_assert!(finds(&text, &word));
        }

        #[test]
        fn words_have_no_quotes_and_something_to_find(text in "\\PC{0,40}") {
            for word in Query::new(&text).iter().flat_map(Query::words) {
                prop_assert!(!word.phrase.contains('"'));
                prop_assert!(word.phrase.chars().any(is_letter));
            }
        }
    }
}
