//! Making a transcript of what was never said.

use core::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
use hushwing_sansio::Context;
use zeroize::Zeroizing;

use super::announcement::{Step, TagKey};
use super::check::announced;
use super::transcript::{Said, Told, Transcript};
use crate::{ConversationId, Secret};

/// Writes transcripts that [`check`](fn@super::check) takes, of anything. Whoever
/// has read one in which both keys are revealed can, and so can whoever has read
/// none.
pub struct Forger {
    transcript: Transcript,
    keys: [SigningKey; 2],
}

impl Forger {
    /// Goes on with the keys that a transcript reveals: whatever it says can be
    /// made to say something else. `None` where a key is missing.
    ///
    /// A partner is no better off than any other reader, for both partners know
    /// both keys when the stretch is over.
    #[must_use]
    pub fn of(transcript: &Transcript) -> Option<Self> {
        let [first, second] = &transcript.revealed;
        let keys = [key(first.as_ref()?)?, key(second.as_ref()?)?];
        let transcript = Transcript {
            said: Vec::new(),
            ..transcript.clone()
        };
        Some(Self { transcript, keys })
    }

    /// Begins a stretch that never was, of a conversation and at an epoch of one's
    /// choice: for nothing binds a stretch to the people whose it is said to be.
    #[must_use]
    pub fn from_nothing(cx: &mut Context<'_>, conversation: ConversationId, epoch: u64) -> Self {
        let seeds: [Zeroizing<[u8; 32]>; 2] =
            [Zeroizing::new(cx.random()), Zeroizing::new(cx.random())];
        let keys = [0, 1].map(|leaf: usize| {
            let seed = seeds.get(leaf).map_or([0; 32], |seed| **seed);
            SigningKey::from_bytes(&seed)
        });
        let tag_key = cx.random();
        let (stretch, mut told) = (
            1,
            [0, 0].map(|_| Told {
                epoch,
                key: [0; 32],
                object: cx.random(),
                tag: [0; 32],
            }),
        );
        let [first, second] = &keys;
        let (begun, offered) = (first.verifying_key(), second.verifying_key());
        let [offer, begin] = &mut told;
        offer.key = offered.to_bytes();
        begin.key = begun.to_bytes();
        for (told, step, answered) in [
            (offer, Step::Offer, None),
            (begin, Step::Begin, Some(offered.as_bytes())),
        ] {
            let said = announced(told, step, stretch);
            told.tag = said.tag_hash(&TagKey::new(tag_key), conversation, answered, &told.object);
        }
        let transcript = Transcript {
            conversation,
            stretch,
            tag_key,
            group: TagKey::new(tag_key).group(
                conversation,
                stretch,
                [begun.as_bytes(), offered.as_bytes()],
            ),
            tree: cx.random(),
            begun: cx.random(),
            announced: told,
            said: Vec::new(),
            revealed: seeds.map(|seed| Some(Secret::new(seed.as_slice()))),
        };
        Self { transcript, keys }
    }

    /// Has a leaf say something: an encoded message, in an epoch of the
    /// conversation. Leaves are 0 and 1; nobody else says anything.
    pub fn say(&mut self, leaf: u8, epoch: u64, content: Vec<u8>) {
        if let Some(key) = self.keys.get(usize::from(leaf)) {
            let signed = self.transcript.frame().signed(leaf, epoch, &content);
            self.transcript.said.push(Said {
                leaf,
                epoch,
                content,
                signature: key.sign(&signed).to_bytes(),
            });
        }
    }

    /// The transcript.
    #[must_use]
    pub fn finish(self) -> Transcript {
        self.transcript
    }
}

fn key(seed: &Secret) -> Option<SigningKey> {
    Some(SigningKey::from_bytes(&Zeroizing::new(seed.array()?)))
}

impl fmt::Debug for Forger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forger(..)")
    }
}
