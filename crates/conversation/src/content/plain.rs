//! Content as plain text.

use super::id::MessageId;
use super::meaning::Content;
use super::post::Post;

impl Content {
    /// What is shown of this content as text; what cannot be shown is named by
    /// its media type. Nothing for what only changes something else.
    #[must_use]
    pub fn to_plain(&self) -> String {
        match self {
            Self::Post(post) | Self::Edit { post, .. } => plain_post(post),
            Self::Unsupported { media_type } => format!("[{media_type}]"),
            _ => String::new(),
        }
    }

    /// Whether it is of a kind that its author signs in a provable conversation:
    /// what persons say and change, and no control content.
    #[must_use]
    pub fn is_signable(&self) -> bool {
        match self {
            Self::Post(_)
            | Self::Edit { .. }
            | Self::Delete { .. }
            | Self::Reaction { .. }
            | Self::Unreact { .. }
            | Self::Unsupported { .. } => true,
            Self::Profile(_)
            | Self::Receipts(_)
            | Self::SignedReceipts(_)
            | Self::Addresses(_)
            | Self::Inquiry(_)
            | Self::Mode(_)
            | Self::Timer(_)
            | Self::Typing(_)
            | Self::Introduction(_)
            | Self::Room(_)
            | Self::Channel(_)
            | Self::Stretch(_)
            | Self::Newer => false,
        }
    }

    /// The messages that this changes, answers or takes the place of.
    pub fn named(&self) -> impl Iterator<Item = &MessageId> {
        let (one, other) = match self {
            Self::Post(post) => (None, post.reply_to.as_ref()),
            Self::Edit { target, post } => (Some(target), post.reply_to.as_ref()),
            Self::Delete { target } | Self::Unreact { reaction: target } => (Some(target), None),
            Self::Reaction {
                target, replaces, ..
            } => (Some(target), replaces.as_ref()),
            _ => (None, None),
        };
        one.into_iter().chain(other)
    }

    /// Whether it is of any use off the record. What concerns the conversation as
    /// a whole is not: where I am, who I am, what I wish it to be.
    #[must_use]
    pub fn may_be_off_record(&self) -> bool {
        match self {
            Self::Post(_)
            | Self::Edit { .. }
            | Self::Delete { .. }
            | Self::Reaction { .. }
            | Self::Unreact { .. }
            | Self::Receipts(_)
            | Self::Inquiry(_)
            | Self::Timer(_)
            | Self::Typing(_)
            | Self::Stretch(_)
            | Self::Newer
            | Self::Unsupported { .. } => true,
            Self::Profile(_)
            | Self::SignedReceipts(_)
            | Self::Addresses(_)
            | Self::Mode(_)
            | Self::Introduction(_)
            | Self::Room(_)
            | Self::Channel(_) => false,
        }
    }
}

fn plain_post(post: &Post) -> String {
    let mut text = post.text.as_str().to_owned();
    let attached = post
        .attachments
        .iter()
        .map(|attachment| &attachment.media_type);
    for media_type in attached.chain(&post.unsupported) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("[{media_type}]"));
    }
    text
}
