//! The ratchet of one generation: from the key of one post follow those of all later
//! ones, and of none before.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::HashType;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{ConversationId, Secret};

/// Posts ahead of a chain that are opened. Each costs a hash or two, and who sends
/// them is not known yet.
pub const MOST_AHEAD: u64 = 1_024;

const POST: &[u8] = b"hushwing channel post";
const NEXT: &[u8] = b"hushwing channel next";

/// The ratchet of a generation, at the number of one post. `Debug` hides the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The generation.
    pub generation: u32,
    /// The first post that can be read with it.
    pub next: u64,
    /// 32 bytes.
    pub key: Secret,
}

/// Where a post stands: channel, generation, number.
pub(super) fn place(channel: ConversationId, generation: u32, number: u64) -> [u8; 28] {
    let mut place = [0; 28];
    let fields: [&[u8]; 3] = [&channel.0, &generation.to_be_bytes(), &number.to_be_bytes()];
    let all = fields.into_iter().flatten();
    place.iter_mut().zip(all).for_each(|(at, byte)| *at = *byte);
    place
}

impl Chain {
    /// The key of post `number`; `None` if that is before the chain, or too far ahead.
    pub(super) fn key_of(
        &self,
        crypto: &impl OpenMlsCrypto,
        channel: ConversationId,
        number: u64,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let there = self.forward(crypto, channel, number)?;
        there.derive(crypto, POST, channel)
    }

    /// The chain at `number`, which reads nothing before; `None` if that is before
    /// this one, or too far ahead.
    pub(crate) fn forward(
        &self,
        crypto: &impl OpenMlsCrypto,
        channel: ConversationId,
        number: u64,
    ) -> Option<Self> {
        let steps = number.checked_sub(self.next)?;
        if steps > MOST_AHEAD {
            return None;
        }
        let mut chain = self.clone();
        for _ in 0..steps {
            let next = chain.derive(crypto, NEXT, channel)?;
            chain.key.set(&next);
            chain.next = chain.next.checked_add(1)?;
        }
        Some(chain)
    }

    fn derive(
        &self,
        crypto: &impl OpenMlsCrypto,
        label: &[u8],
        channel: ConversationId,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let place = place(channel, self.generation, self.next);
        let info = [label, &place].concat();
        let derived = crypto.hkdf_expand(HashType::Sha2_256, self.key.expose(), &info, 32);
        derived
            .ok()
            .map(|bytes| Zeroizing::new(bytes.as_slice().to_vec()))
    }
}
