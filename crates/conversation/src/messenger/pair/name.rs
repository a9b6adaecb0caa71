//! What the group of a pair is called.
//!
//! Its name follows from the conversation and the offer, so a contact cannot offer a pair
//! under the name of a group that others asked me into, or are about to: that would be
//! hidden as a pair.

use sha2::{Digest as _, Sha256};

use crate::ConversationId;

const NAMED: &[u8] = b"hushwing pair v1";

/// The name of the group of a pair that is offered so.
pub(super) fn group_of(
    conversation: ConversationId,
    turn: u32,
    key: &[u8; 32],
    id: &[u8; 8],
) -> ConversationId {
    let hash = Sha256::new_with_prefix(NAMED)
        .chain_update(conversation.0)
        .chain_update(turn.to_be_bytes())
        .chain_update(key)
        .chain_update(id)
        .finalize();
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(hash) {
        *to = from;
    }
    ConversationId(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_an_offer_is_in_the_name() {
        let conversation = ConversationId([1; 16]);
        let name = group_of(conversation, 1, &[2; 32], &[3; 8]);
        let others = [
            group_of(ConversationId([2; 16]), 1, &[2; 32], &[3; 8]),
            group_of(conversation, 2, &[2; 32], &[3; 8]),
            group_of(conversation, 1, &[3; 32], &[3; 8]),
            group_of(conversation, 1, &[2; 32], &[4; 8]),
        ];
        assert!(!others.contains(&name));
        assert_eq!(name, group_of(conversation, 1, &[2; 32], &[3; 8]));
    }
}
