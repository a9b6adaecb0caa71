//! What foreign text may do to a screen: nothing.
//!
//! Text comes from contacts and strangers and ends in terminals, chat windows
//! and file names. Control characters steer terminals; bidirectional controls
//! make a name read as another; invisible characters make two names look the
//! same. Everything below is idempotent, so text is cleaned when it is written
//! and again when it is read, and both sides show the same.

/// Bytes of a name, after cleaning.
pub const MAX_NAME: usize = 128;
/// Bytes of a text, after cleaning.
pub const MAX_TEXT: usize = 65_536;

/// `text` without characters that steer a terminal or spill over its end:
/// line ends become `\n`; of the control characters only `\n` and `\t` stay;
/// embeddings, overrides and isolates of text direction go (single marks and
/// joiners, which scripts need, stay).
#[must_use]
pub fn clean_text(text: &str) -> String {
    // Most text is plain; looking is cheaper than copying by characters.
    if text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
    {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len());
    let mut last = ' ';
    for character in text.chars() {
        match character {
            '\n' if last == '\r' => {}
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
            '\n' | '\t' => clean.push(character),
            _ if steers(character) => {}
            _ => clean.push(character),
        }
        last = character;
    }
    clean
}

/// `text` as one line that can stand for a person or a file: as
/// [`clean_text`], and without invisible characters except joiners, runs of
/// white space made one space, none at the ends, cut to 64 characters and
/// [`MAX_NAME`] bytes. `None` if nothing is left to see.
#[must_use]
pub fn clean_name(text: &str) -> Option<String> {
    let words = text
        .split(char::is_whitespace)
        .map(clean_word)
        .filter(|word| !word.is_empty());
    let mut line = words.collect::<Vec<_>>().join(" ");
    line = line.chars().take(64).collect();
    while line.len() > MAX_NAME {
        line.pop();
    }
    let line = line.trim_end();
    line.chars()
        .any(|c| !is_joiner(c) && c != ' ')
        .then(|| line.to_owned())
}

fn clean_word(word: &str) -> String {
    word.chars()
        .filter(|&c| !steers(c) && !is_invisible(c))
        .collect()
}

/// `text` as a file name: as [`clean_name`], without path separators and
/// characters that file systems refuse, not starting with a dot.
#[must_use]
pub fn clean_file_name(text: &str) -> Option<String> {
    let kept: String = text
        .chars()
        .filter(|c| !matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'))
        .collect();
    // Only now can invisible characters no longer hide a leading dot.
    clean_name(clean_name(&kept)?.trim_start_matches(['.', ' ']))
}

/// `media_type` as far as it is shown: type and subtype in lower case, or
/// `application/octet-stream` if they are not made of the characters RFC 6838
/// section 4.2 allows.
#[must_use]
pub fn clean_media_type(media_type: &str) -> String {
    let essence = essence(media_type);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
    let named = essence.split_once('/').is_some_and(|(kind, name)| {
        !kind.is_empty() && !name.is_empty() && kind.chars().chain(name.chars()).all(allowed)
    });
    if named && essence.len() <= 127 {
        essence
    } else {
        "application/octet-stream".into()
    }
}

/// Type and subtype of a media type, in lower case, without parameters.
pub(crate) fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Characters that act on what stands around them.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Embeddings, overrides, isolates.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Deprecated format controls, interlinear annotation, tags.
            | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}')
}

/// Characters that leave no trace on a screen. Joiners are not among them:
/// Persian, Indic scripts and emoji are written with them. Nor are the tags
/// that spell flags.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
        | '\u{2060}'..='\u{2065}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e001f}' | '\u{e0080}'..='\u{e0fff}')
}

/// Joiners and selectors: harmless, but nothing by themselves.
fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

/// Whether `mark` can stand alone as a reaction: something visible without
/// white space.
pub(crate) fn is_mark(mark: &str) -> bool {
    !mark
        .chars()
        .any(|c| steers(c) || is_invisible(c) || c.is_whitespace())
        && mark.chars().any(|c| !is_joiner(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terminal_and_direction_controls_go() {
        assert_eq!(clean_text("a\u{1b}[31mb\u{7}\u{9b}c"), "a[31mbc");
        assert_eq!(clean_text("pay \u{202e}evil\u{2066}"), "pay evil");
        assert_eq!(clean_text("1\r\n2\r3\n4\u{2028}5\tx"), "1\n2\n3\n4\n5\tx");
    }

    #[test]
    fn scripts_and_emoji_stay() {
        for text in [
            "می\u{200c}خواهم",
            "👩🏽\u{200d}⚕\u{fe0f}",
            "שלום\u{200f}",
            "naïve",
        ] {
            assert_eq!(clean_text(text), text);
        }
        assert_eq!(
            clean_name("👩🏽\u{200d}⚕\u{fe0f}"),
            Some("👩🏽\u{200d}⚕\u{fe0f}".into())
        );
    }

    #[test]
    fn names_are_one_visible_line() {
        assert_eq!(
            clean_name("  Al\u{200b}ice \n\u{202e} Smith\t"),
            Some("Alice Smith".into())
        );
        assert_eq!(clean_name("\u{200e}\u{feff} \u{2800}\u{200d}"), None);
        assert_eq!(clean_name(""), None);
        assert_eq!(
            clean_name(&"ä".repeat(1_000)).map(|n| n.len()),
            Some(MAX_NAME)
        );
    }

    #[test]
    fn file_names_stay_in_their_folder() {
        assert_eq!(
            clean_file_name("../../etc/passwd"),
            Some("etcpasswd".into())
        );
        assert_eq!(clean_file_name("gpj.\u{202e}exe"), Some("gpj.exe".into()));
        assert_eq!(clean_file_name("/.."), None);
    }

    #[test]
    fn media_types_are_reduced_to_their_essence() {
        assert_eq!(clean_media_type("Text/HTML; charset=utf-8"), "text/html");
        for hostile in ["", "a/b/c", "a\u{1b}/b", "no slash", "/x"] {
            assert_eq!(
                clean_media_type(hostile),
                "application/octet-stream",
                "{hostile:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn cleaning_twice_is_cleaning_once(text in "\\PC{0,40}|[\\x00-\\x20\u{200b}-\u{200f}\u{2028}-\u{2069}a.]{0,40}") {
            let once = clean_text(&text);
            prop_assert_eq!(clean_text(&once), once);
            if let Some(name) = clean_name(&text) {
                prop_assert!(name.len() <= MAX_NAME);
                prop_assert_eq!(clean_name(&name), Some(name));
            }
            if let Some(name) = clean_file_name(&text) {
                prop_assert_eq!(clean_file_name(&name), Some(name));
            }
        }
    }
}
