//! What a peer sends, step by step.

use hushwing_sansio::{Context, StorageError};
use openmls::framing::ContentType;
use openmls::prelude::{
    MlsMessageBodyIn, MlsMessageIn, ProcessedMessage, ProcessedMessageContent, ProtocolMessage,
    Sender, StagedCommit,
};
use tls_codec::DeserializeBytes as _;

use super::crypto::Crypto;
use super::group::Group;
use super::provider::Provider;
use super::suite;
use super::trial::bearable;
use crate::{ConversationId, MlsRows};

/// Version byte of the authenticated data of messages said again.
const FIRST_SAID: u8 = 1;

/// The authenticated data of a message first said in `epoch` and now again.
pub(super) fn first_said(epoch: u64) -> Vec<u8> {
    [&[FIRST_SAID], epoch.to_be_bytes().as_slice()].concat()
}

/// The epoch a message belongs to: that of its authenticated data if it was
/// said again, else `sealed`. `None` if the data is malformed or in the future.
fn belongs_to(authenticated_data: &[u8], sealed: u64) -> Option<u64> {
    match authenticated_data.split_first() {
        None => Some(sealed),
        Some((&FIRST_SAID, epoch)) => {
            let epoch = u64::from_be_bytes(epoch.try_into().ok()?);
            (epoch <= sealed).then_some(epoch)
        }
        Some(_) => None,
    }
}

/// First step: an encrypted MLS message, nothing of it believed.
pub(crate) struct Received {
    message: ProtocolMessage,
    conversation: ConversationId,
}

impl Received {
    /// Parses an MLS message; `None` for anything but a PrivateMessage to a
    /// group with an id like ours.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).ok()?;
        let MlsMessageBodyIn::PrivateMessage(message) = message.extract() else {
            return None;
        };
        let message = ProtocolMessage::from(message);
        let conversation = ConversationId(message.group_id().as_slice().try_into().ok()?);
        Some(Self {
            message,
            conversation,
        })
    }

    /// The group it claims to belong to; a conversation's first is called as the
    /// conversation is.
    pub(crate) fn conversation(&self) -> ConversationId {
        self.conversation
    }

    /// How many epochs of `group` it claims to be ahead.
    pub(crate) fn ahead_of(&self, group: &Group) -> u64 {
        let (theirs, ours) = (self.message.epoch(), group.mls.epoch());
        theirs.as_u64().saturating_sub(ours.as_u64())
    }

    /// Second step: decrypts, verifies, and holds it against the rules of two.
    /// If this fails, `group` must be loaded anew; the rows did not change.
    pub(crate) fn open(
        self,
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        group: &mut Group,
        may_change_key: bool,
    ) -> Result<Result<Opened, OpenFault>, StorageError> {
        // openmls refuses a repeated commit only after it spent a key on it.
        let epoch = self.message.epoch();
        if self.message.content_type() == ContentType::Commit && epoch != group.mls.epoch() {
            return Ok(Err(OpenFault::Unreadable));
        }
        let provider = Provider::new(crypto, cx, rows);
        let processed = group.mls.process_message(&provider, self.message);
        let outcome = match processed {
            Ok(processed) => sort(group, processed, may_change_key),
            Err(_) => Err(OpenFault::Unreadable),
        };
        provider.end(outcome)
    }
}

/// Why a message was not opened. All of these are the sender's doing, except
/// that age makes messages unreadable too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenFault {
    /// Does not decrypt or verify.
    #[error("message cannot be read")]
    Unreadable,
    /// A commit out of turn, or one that does more than renew keys.
    #[error("commit against the rules")]
    Rules,
    /// A proposal or external sender.
    #[error("message of a kind not used here")]
    Kind,
}

/// An opened message.
pub(crate) enum Opened {
    /// Something the other side said.
    Said {
        /// What.
        plaintext: Vec<u8>,
        /// The epoch in which it was first said.
        epoch: u64,
        /// The epoch under whose keys it came.
        sealed_epoch: u64,
    },
    /// The other side renewed its keys.
    Renewed(Staged),
}

fn sort(
    group: &Group,
    processed: ProcessedMessage,
    may_change_key: bool,
) -> Result<Opened, OpenFault> {
    let Sender::Member(sender) = processed.sender() else {
        return Err(OpenFault::Kind);
    };
    if sender.u32() != group.their_index() {
        return Err(OpenFault::Kind);
    }
    let sealed_epoch = group.counted(processed.epoch().as_u64());
    let epoch = belongs_to(processed.aad(), sealed_epoch).ok_or(OpenFault::Kind)?;
    match processed.into_content() {
        ProcessedMessageContent::ApplicationMessage(message) => Ok(Opened::Said {
            plaintext: message.into_bytes(),
            epoch,
            sealed_epoch,
        }),
        ProcessedMessageContent::StagedCommitMessage(commit) => {
            check_commit(group, &commit, may_change_key)?;
            Ok(Opened::Renewed(Staged(commit)))
        }
        _ => Err(OpenFault::Kind),
    }
}

/// In turn, with new keys, and nothing else.
fn check_commit(
    group: &Group,
    commit: &StagedCommit,
    may_change_key: bool,
) -> Result<(), OpenFault> {
    let leaf = commit.update_path_leaf_node().ok_or(OpenFault::Rules)?;
    let new_key = leaf.signature_key().as_slice();
    let same_key = group.their_key().is_some_and(|key| key == new_key);
    let allowed = group.they_hold_turn()
        && commit.queued_proposals().next().is_none()
        && (same_key || may_change_key)
        && suite::leaf_follows_the_rules(leaf);
    if allowed {
        Ok(())
    } else {
        Err(OpenFault::Rules)
    }
}

/// Third step: a commit that follows the rules.
pub(crate) struct Staged(Box<StagedCommit>);

impl Staged {
    /// Last step: begins the next epoch, if that can be lived with. If this
    /// fails, `group` must be loaded anew; the rows did not change.
    pub(crate) fn merge(
        self,
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        group: &mut Group,
    ) -> Result<Result<(), OpenFault>, StorageError> {
        let provider = Provider::new(crypto, cx, rows);
        let merged = group.mls.merge_staged_commit(&provider, *self.0);
        let outcome = match merged {
            Ok(()) => bearable(&provider, &group.mls, &group.key).map_err(|_| OpenFault::Rules),
            Err(_) => Err(OpenFault::Unreadable),
        };
        provider.end(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_claim_a_future_epoch() {
        assert_eq!(belongs_to(&[], 7), Some(7));
        assert_eq!(belongs_to(&first_said(3), 7), Some(3));
        assert_eq!(belongs_to(&first_said(8), 7), None);
        assert_eq!(belongs_to(&[FIRST_SAID, 0], 7), None);
        assert_eq!(belongs_to(&[2, 0, 0, 0, 0, 0, 0, 0, 0], 7), None);
    }
}
