//! What is shown as one entry of a conversation.

use super::id::MessageId;
use super::meaning::ComposeError;
use super::part::{Body, Disposition, External, Part, Semantics};
use super::shown::{clean_file_name, clean_media_type, clean_name};
use super::text::{Text, TextError};

/// Text with what hangs on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Post {
    /// The text; may be empty when there are attachments.
    pub text: Text,
    /// What lies elsewhere.
    pub attachments: Vec<Attachment>,
    /// Media types of parts this program cannot show.
    pub unsupported: Vec<String>,
    /// The message this one answers.
    pub reply_to: Option<MessageId>,
}

/// A file that lies elsewhere. This program names it and does not fetch it
/// yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its media type, fit to be shown.
    pub media_type: String,
    /// A file name fit for any folder.
    pub name: Option<String>,
    /// A description of one line.
    pub description: Option<String>,
    /// Its length in bytes, if told.
    pub size: Option<u64>,
}

impl Post {
    /// A post of `text`, answering `reply_to`.
    #[must_use]
    pub fn new(text: Text, reply_to: Option<MessageId>) -> Self {
        Self {
            text,
            reply_to,
            ..Self::default()
        }
    }

    pub(super) fn part(&self) -> Result<Part, ComposeError> {
        if !self.attachments.is_empty() || !self.unsupported.is_empty() {
            return Err(ComposeError::NotSendable);
        }
        if self.text.as_str().is_empty() {
            return Err(ComposeError::Empty);
        }
        let (content_type, content) = self.text.write();
        Ok(Part::single(Disposition::RENDER, content_type, content))
    }
}

impl Attachment {
    fn read(external: &External) -> Self {
        Self {
            media_type: clean_media_type(&external.content_type),
            name: clean_file_name(&external.filename),
            description: clean_name(&external.description),
            size: (external.size != 0).then_some(external.size),
        }
    }
}

/// What was found in a tree of parts, in the order it is shown.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    texts: Vec<Text>,
    attachments: Vec<Attachment>,
    unsupported: Vec<String>,
}

impl Gathered {
    /// Collects what can be shown, by the rules of each [`Semantics`]: the
    /// first alternative of which something can be shown, all of a unit or
    /// nothing, whatever can be shown of a list.
    pub(super) fn from(part: &Part) -> Result<Self, TextError> {
        let mut gathered = Self::default();
        match &part.body {
            Body::Null => {}
            Body::Single {
                content_type,
                content,
            } if Text::is_text(content_type) => {
                gathered.texts.push(Text::read(content_type, content)?);
            }
            Body::Single { content_type, .. } => {
                gathered.unsupported.push(clean_media_type(content_type));
            }
            Body::External(external) => gathered.attachments.push(Attachment::read(external)),
            Body::Multi { semantics, parts } => {
                gathered = Self::from_several(*semantics, parts)?;
            }
        }
        Ok(gathered)
    }

    fn from_several(semantics: Semantics, parts: &[Part]) -> Result<Self, TextError> {
        let mut all = Self::default();
        for part in parts {
            let one = Self::from(part)?;
            if semantics == Semantics::ChooseOne && one.is_showable() {
                return Ok(one);
            }
            all.texts.extend(one.texts);
            all.attachments.extend(one.attachments);
            all.unsupported.extend(one.unsupported);
        }
        if semantics == Semantics::SingleUnit && !all.unsupported.is_empty() {
            all.texts.clear();
            all.attachments.clear();
        }
        Ok(all)
    }

    fn is_showable(&self) -> bool {
        !self.texts.is_empty() || !self.attachments.is_empty()
    }

    /// The post, or else the media type of the first part that cannot be
    /// shown, or nothing if there was no part.
    pub(super) fn into_post(self, reply_to: Option<MessageId>) -> Result<Post, Option<String>> {
        let mut text = Text::default();
        for (index, next) in self.texts.into_iter().enumerate() {
            // A text that no longer fits is left out as the draft allows for
            // any part of a list.
            let _fits = text.append(if index == 0 { "" } else { "\n" }, &next);
        }
        if text.as_str().is_empty() && self.attachments.is_empty() {
            return Err(self.unsupported.into_iter().next());
        }
        let Self {
            attachments,
            unsupported,
            ..
        } = self;
        Ok(Post {
            text,
            attachments,
            unsupported,
            reply_to,
        })
    }
}
