//! Naming people in a text: `@` and the name by which I know them.

use super::Messenger;
use super::people::Person;
use super::room::Room;
use super::speak::something;
use crate::content::shown::MAX_TEXT;
use crate::content::{Content, Origin, Text};
use crate::view::{Mentioned, Speaker};
use crate::{ContactId, Refusal};

impl Person {
    /// The URIs by which this conversation names me and them.
    fn uris(&self) -> [(Speaker, String); 2] {
        let mine = self.record.side.leaf();
        let uri = |leaf: u32| Origin::sender_uri(&leaf.to_be_bytes());
        [
            (Speaker::Me, uri(mine)),
            (Speaker::Contact(self.record.id), uri(1 - mine)),
        ]
    }

    /// Who is named in what is shown of `content`.
    pub(super) fn mentioned_in(&self, content: &Content) -> Vec<Mentioned> {
        let uris = self.uris();
        mentioned(content, |named| {
            let (who, _) = uris.iter().find(|(_, uri)| uri == named)?;
            Some(*who)
        })
    }
}

impl Room {
    /// Who is named in what is shown of `content`.
    pub(super) fn mentioned_in(&self, content: &Content) -> Vec<Mentioned> {
        mentioned(content, |named| self.named_by(named))
    }
}

/// Who is named, as `who` knows them by their URIs. Attachments are shown after
/// the text, so what is named in it stays where it is.
fn mentioned(content: &Content, who: impl Fn(&str) -> Option<Speaker>) -> Vec<Mentioned> {
    let (Content::Post(post) | Content::Edit { post, .. }) = content else {
        return Vec::new();
    };
    let mentions = post.text.mentions().iter().filter_map(|mention| {
        Some(Mentioned {
            at: (mention.start, mention.end),
            who: who(&mention.sender)?,
        })
    });
    mentions.collect()
}

impl Messenger {
    /// What those are called who can be named in a conversation, and their URIs.
    fn names_in(&self, contact: ContactId) -> Vec<(&str, String)> {
        if let Some(room) = self.rooms.get(contact) {
            return room.names();
        }
        let Some(person) = self.people.get(&contact) else {
            return Vec::new();
        };
        let names = [self.config.name.as_str(), person.record.name.as_str()];
        let uris = person.uris().into_iter().map(|(_, uri)| uri);
        names.into_iter().zip(uris).collect()
    }

    /// What I say, with those who are named in it.
    pub(super) fn words(&self, contact: ContactId, text: &str) -> Result<Text, Refusal> {
        let mut people = self.names_in(contact);
        if !text.contains('@') || people.is_empty() {
            return plain_words(text);
        }
        let long = |_| Refusal::TextTooLong { most: MAX_TEXT };
        // Of names that begin alike the longer one is meant.
        people.sort_by_key(|(name, _)| core::cmp::Reverse(name.len()));
        let mut words = Text::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('@') {
            words.push(before).map_err(long)?;
            let named = people
                .iter()
                .find_map(|(name, uri)| Some((name, uri, is_named(name, before, after)?)));
            rest = match named {
                Some((name, uri, left)) => {
                    let shown = format!("@{name}");
                    words.push_mention(&shown, uri).map_err(long)?;
                    left
                }
                None => {
                    words.push("@").map_err(long)?;
                    after
                }
            };
        }
        words.push(rest).map_err(long)?;
        something(words)
    }
}

/// What I say, with nobody named in it.
pub(super) fn plain_words(text: &str) -> Result<Text, Refusal> {
    let text = Text::new(text).map_err(|_| Refusal::TextTooLong { most: MAX_TEXT })?;
    something(text)
}

/// What follows a name, if it stands there and not in the midst of a word.
fn is_named<'t>(name: &str, before: &str, after: &'t str) -> Option<&'t str> {
    let left = after.strip_prefix(name).filter(|_| !name.is_empty())?;
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    (!inside(before.chars().next_back()) && !inside(left.chars().next())).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_whole_or_none() {
        assert_eq!(is_named("Bob", "hi ", "Bob!"), Some("!"));
        assert_eq!(is_named("Bob", "", "Bobby"), None);
        assert_eq!(is_named("Bob", "me", "Bob"), None);
        assert_eq!(is_named("", "", "x"), None);
    }
}
