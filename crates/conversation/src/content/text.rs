//! Words, and who is mentioned in them.

use super::shown::{MAX_TEXT, clean_text, essence};

/// Media type of text without mentions.
pub(crate) const PLAIN: &str = "text/plain;charset=utf-8";
/// Media type of text with mentions.
pub(crate) const MARKDOWN: &str = "text/markdown;variant=GFM-MIMI";
/// Mentions that are told apart in one text; further ones stay plain text.
const MAX_MENTIONS: usize = 64;

/// Bytes that may stand for a person; longer ones stay plain text.
const MAX_SHOWN: usize = 256;
/// Bytes of the URI of a person.
const MAX_SENDER: usize = 300;

/// A text with the mentions in it, clean to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    body: String,
    mentions: Vec<Mention>,
}

/// A stretch of a text that stands for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// First byte of the stretch in the text.
    pub start: usize,
    /// Byte after the stretch.
    pub end: usize,
    /// Who is meant: a URI made by
    /// [`Origin::sender_uri`](super::Origin::sender_uri).
    pub sender: String,
}

/// Why something is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// More than 65,536 bytes.
    #[error("text is too long")]
    TooLong,
}

impl Text {
    /// `body` without mentions, cleaned by
    /// [`clean_text`](super::shown::clean_text).
    ///
    /// # Errors
    ///
    /// [`TextError::TooLong`] over 65,536 bytes.
    pub fn new(body: &str) -> Result<Self, TextError> {
        let mut text = Self::default();
        text.push(body)?;
        Ok(text)
    }

    /// Adds `body` at the end.
    ///
    /// # Errors
    ///
    /// [`TextError::TooLong`] over 65,536 bytes in all.
    pub fn push(&mut self, body: &str) -> Result<(), TextError> {
        if self.body.len().saturating_add(body.len()) > MAX_TEXT {
            return Err(TextError::TooLong);
        }
        self.body.push_str(&clean_text(body));
        Ok(())
    }

    /// Adds `shown` at the end, as a mention of `sender`.
    ///
    /// # Errors
    ///
    /// [`TextError::TooLong`] over 65,536 bytes in all.
    pub fn push_mention(&mut self, shown: &str, sender: &str) -> Result<(), TextError> {
        let start = self.body.len();
        self.push(&clean_text(shown).replace('\n', " "))?;
        let end = self.body.len();
        let known = is_mentionable(sender) && self.mentions.len() < MAX_MENTIONS;
        if known && (1..=MAX_SHOWN).contains(&(end - start)) {
            self.mentions.push(Mention {
                start,
                end,
                sender: sender.to_owned(),
            });
        }
        Ok(())
    }

    /// Adds `separator` and `other` with its mentions; `false` and no change
    /// if that is over 65,536 bytes in all.
    pub(crate) fn append(&mut self, separator: &str, other: &Self) -> bool {
        let shift = self.body.len() + separator.len();
        if shift.saturating_add(other.body.len()) > MAX_TEXT {
            return false;
        }
        self.body.push_str(separator);
        self.body.push_str(&other.body);
        let room = MAX_MENTIONS - self.mentions.len().min(MAX_MENTIONS);
        self.mentions
            .extend(other.mentions.iter().take(room).map(|mention| Mention {
                start: mention.start + shift,
                end: mention.end + shift,
                sender: mention.sender.clone(),
            }));
        true
    }

    /// The text as shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.body
    }

    /// The mentions, in order and without overlap.
    #[must_use]
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }

    /// Whether `content_type` is a text this program shows.
    pub(crate) fn is_text(content_type: &str) -> bool {
        matches!(
            essence(content_type).as_str(),
            "text/plain" | "text/markdown"
        )
    }

    /// Reads a part for which [`Text::is_text`] said yes.
    pub(crate) fn read(content_type: &str, content: &[u8]) -> Result<Self, TextError> {
        if content.len() > MAX_TEXT * 2 {
            return Err(TextError::TooLong);
        }
        let body = core::str::from_utf8(content).map_err(|_| TextError::NotUtf8)?;
        if essence(content_type) == "text/markdown" {
            Self::from_markdown(body)
        } else {
            Self::new(body)
        }
    }

    /// The media type and bytes that carry this text.
    pub(crate) fn write(&self) -> (&'static str, Vec<u8>) {
        if self.mentions.is_empty() {
            return (PLAIN, self.body.clone().into_bytes());
        }
        (MARKDOWN, self.to_markdown().into_bytes())
    }

    fn to_markdown(&self) -> String {
        let mut out = String::with_capacity(self.body.len() * 2);
        let mut done = 0;
        for mention in &self.mentions {
            escape(self.slice(done, mention.start), &mut out);
            out.push('[');
            escape(self.slice(mention.start, mention.end), &mut out);
            out.push_str("](");
            out.push_str(&mention.sender);
            out.push(')');
            done = mention.end;
        }
        escape(self.slice(done, self.body.len()), &mut out);
        out
    }

    fn slice(&self, start: usize, end: usize) -> &str {
        self.body.get(start..end).unwrap_or_default()
    }

    /// Shows Markdown as plain text, which the draft allows: only links to
    /// persons are understood and backslash escapes are resolved.
    fn from_markdown(mut rest: &str) -> Result<Self, TextError> {
        let mut text = Self::default();
        let mut plain = String::new();
        while let Some(first) = rest.chars().next() {
            if let Some((shown, sender, after)) = leading_mention(rest) {
                text.push(&plain)?;
                plain.clear();
                text.push_mention(&shown, sender)?;
                rest = after;
                continue;
            }
            let (character, after) = leading_character(rest, first);
            plain.push(character);
            rest = after;
        }
        text.push(&plain)?;
        Ok(text)
    }
}

/// Splits off one character, or one escaped by a backslash.
fn leading_character(rest: &str, first: char) -> (char, &str) {
    let mut characters = rest.chars();
    characters.next();
    let after = characters.as_str();
    match characters.next() {
        Some(escaped) if first == '\\' && escaped.is_ascii_punctuation() => {
            (escaped, characters.as_str())
        }
        _ => (first, after),
    }
}

/// Splits off `[shown](sender)` where `sender` names a person; gives what is
/// shown, whom it names, and the rest.
fn leading_mention(rest: &str) -> Option<(String, &str, &str)> {
    let mut rest = rest.strip_prefix('[')?;
    let mut shown = String::new();
    loop {
        let first = rest.chars().next()?;
        if first == '[' || first == '\n' || shown.len() > MAX_SHOWN {
            return None;
        }
        if let Some(link) = rest.strip_prefix("](") {
            let end = link
                .bytes()
                .take(MAX_SENDER)
                .position(|byte| byte == b')')?;
            let (sender, after) = (link.get(..end)?, link.get(end + 1..)?);
            return is_mentionable(sender).then_some((shown, sender, after));
        }
        let (character, after) = leading_character(rest, first);
        shown.push(character);
        rest = after;
    }
}

/// Whether `uri` can name a person: `hushwing:s/` and base64url.
fn is_mentionable(uri: &str) -> bool {
    uri.strip_prefix("hushwing:s/").is_some_and(|key| {
        (1..=256).contains(&key.len())
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_stays_plain() {
        let text = Text::new("2 * 3 <b> \\o/").unwrap();
        assert_eq!(text.write(), (PLAIN, b"2 * 3 <b> \\o/".to_vec()));
    }

    #[test]
    fn a_mention_travels_as_a_link() {
        let mut text = Text::new("Kudos to ").unwrap();
        text.push_mention("@Al]ice", "hushwing:s/AAEC").unwrap();
        text.push("!").unwrap();
        let (kind, content) = text.write();
        assert_eq!(kind, MARKDOWN);
        assert_eq!(content, b"Kudos to [\\@Al\\]ice](hushwing:s/AAEC)\\!");
        assert_eq!(Text::read(kind, &content), Ok(text));
    }

    #[test]
    fn foreign_links_stay_text() {
        for body in [
            "[x](https://e.example)",
            "[x](hushwing:s/)",
            "[",
            "[a](hushwing:s/A",
            "[[a](hushwing:s/A)",
        ] {
            let text = Text::read(MARKDOWN, body.as_bytes()).unwrap();
            assert!(body.len() < 16 || text.as_str() == body || !text.mentions().is_empty());
        }
        let text = Text::read(MARKDOWN, b"[x](https://e.example)").unwrap();
        assert_eq!(
            (text.as_str(), text.mentions().len()),
            ("[x](https://e.example)", 0)
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(Text::read(PLAIN, &[0xff]), Err(TextError::NotUtf8));
        assert_eq!(
            Text::new(&"x".repeat(MAX_TEXT + 1)),
            Err(TextError::TooLong)
        );
        assert!(Text::new(&"x".repeat(MAX_TEXT)).is_ok());
    }

    #[test]
    fn unclosed_brackets_cost_no_quadratic_time() {
        let hostile = "[a".repeat(MAX_TEXT / 2);
        assert_eq!(
            Text::read(MARKDOWN, hostile.as_bytes()).unwrap().as_str(),
            hostile
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn text_with_mentions_survives(before in "\\PC{0,20}", name in "[^\\p{C}\n]{1,20}", after in "\\PC{0,20}") {
            let mut text = Text::new(&before).unwrap();
            text.push_mention(&name, "hushwing:s/AA_-").unwrap();
            text.push(&after).unwrap();
            let (kind, content) = text.write();
            prop_assert_eq!(Text::read(kind, &content), Ok(text));
        }

        #[test]
        fn any_markdown_becomes_text(body in "[\\[\\]()a\\\\:\n]{0,60}") {
            prop_assert!(Text::read(MARKDOWN, body.as_bytes()).is_ok());
        }
    }
}
