//! Who somebody is, and what became of that, as documents.

use hushwing_conversation::view::{ContactView, IdentityView};
use hushwing_conversation::{ChangeKind, Compared, IdentityChange};

use super::show;
use crate::api::view;
use crate::error::Error;

/// How a safety number was compared.
pub(super) const fn how(compared: Compared) -> &'static str {
    match compared {
        Compared::Number => "number",
        Compared::Code => "code",
    }
}

/// A change of who somebody is.
pub(super) fn change(change: &IdentityChange) -> view::KeyChange {
    view::KeyChange {
        at: show::time(change.at),
        change: match change.kind {
            ChangeKind::Planned => "planned_key",
            ChangeKind::Key => "key",
            ChangeKind::Conversation => "conversation",
            ChangeKind::Number => "own_key",
            ChangeKind::Restored => "restored",
        }
        .to_owned(),
        withdrew_verification: change.withdrew,
    }
}

/// All that are remembered, oldest first.
pub(super) fn changes(identity: &IdentityView) -> Vec<view::KeyChange> {
    identity.changes.iter().map(change).collect()
}

/// A number that is not theirs. Whoever compared it before has to hear that it
/// was right then.
pub(super) fn mismatch(error: Error, contact: &ContactView) -> Error {
    let identity = &contact.identity;
    let name = &contact.name;
    let (message, advice) = if let Some((at, _)) = identity.verified {
        (
            format!(
                "WARNING: this is not the safety number of {name}, whom you verified at {}",
                show::time(at)
            ),
            "the number here has not changed since: compare once more, digit by digit; if it \
             stays wrong, what they read is not from this conversation, and somebody may pose \
             as you or as them. Meet in person before you write anything that matters",
        )
    } else if let Some(at) = identity.withdrawn {
        (
            format!(
                "WARNING: the safety number of {name} does not match; they were verified until \
                 {}, when it changed",
                show::time(at)
            ),
            "treat this conversation as read by somebody else: write nothing that matters, and \
             meet in person or by another way to exchange a new link",
        )
    } else {
        return error;
    };
    Error::new(error.kind(), message).with_advice(advice)
}
