//! What client and hub say to each other.

use hushwing_delivery::Envelope;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A queue at the hub. Its owner draws it; it is locator and place as well.
pub(super) type QueueId = [u8; 16];

/// An envelope in transit.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Sealed {
    pub(super) first_contact: bool,
    #[serde(with = "whole")]
    pub(super) bytes: Vec<u8>,
}

/// Bytes as bytes: serde's default for a `Vec` goes through them one by one,
/// which is felt when a suite carries ten thousand envelopes.
mod whole {
    use core::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        from.deserialize_bytes(Whole)
    }
}

impl Sealed {
    pub(super) fn of(envelope: &Envelope) -> Self {
        Self {
            first_contact: envelope.is_first_contact(),
            bytes: envelope.bytes().to_vec(),
        }
    }

    pub(super) fn envelope(self) -> Option<Envelope> {
        if self.first_contact {
            Envelope::first_contact(self.bytes).ok()
        } else {
            Envelope::regular(self.bytes).ok()
        }
    }
}

/// An invitation's card as the hub keeps it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct WireCard {
    pub(super) secret: [u8; 32],
    pub(super) fixed: Vec<u8>,
    pub(super) bundle: Vec<u8>,
    pub(super) one_time: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Request {
    /// Make the queue if it is new, listen to it, set its card.
    Open {
        queue: QueueId,
        card: Option<WireCard>,
    },
    /// Delete the queue.
    Close { queue: QueueId },
    /// Take this envelope. `number` comes back in the answer.
    Put {
        number: u64,
        queue: QueueId,
        sealed: Sealed,
    },
    /// Mail was committed.
    Ack { queue: QueueId, mail: u64 },
    /// Show a card, and reserve a one-time card for `reader`.
    Fetch {
        number: u64,
        queue: QueueId,
        reader: [u8; 16],
    },
}

#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    Opened {
        queue: QueueId,
    },
    Gone {
        queue: QueueId,
    },
    Taken {
        number: u64,
    },
    Refused {
        number: u64,
        full: bool,
    },
    Mail {
        queue: QueueId,
        mail: u64,
        sealed: Sealed,
    },
    Card {
        number: u64,
        card: WireCard,
    },
    NoCard {
        number: u64,
    },
}

/// One message as bytes on a stream.
pub(super) fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let body = postcard::to_extend(message, Vec::new()).unwrap_or_default();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(body);
    bytes
}

/// What came on a stream and is not yet a whole message.
#[derive(Default)]
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole message. What cannot be read is skipped: both ends are
    /// ours and the world does not forge.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Option<T> {
        loop {
            let (length, rest) = self.0.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let message = postcard::from_bytes(rest.get(..length)?).ok();
            self.0.drain(..length.saturating_add(4));
            if message.is_some() {
                return message;
            }
        }
    }
}
