//! Asking which of my messages are there, after receipts may have been lost.

use super::cbor::{Reader, SyntaxError, Writer, whole};
use super::id::MessageId;
use super::message::{DecodeError, read_id};

/// Media type of an inquiry.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.inquiry+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Messages in one inquiry; what is said of them fills less than one envelope.
pub const MAX_ASKED: usize = 256;
/// Bytes of an encoded inquiry.
const MAX_INQUIRY: usize = MAX_ASKED * 34 + 8;

/// Messages of mine of which I was told nothing. The answer is receipts: for
/// each that is there *delivered* or *read*, for each other *error*.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inquiry {
    /// Which messages, at most [`MAX_ASKED`].
    pub messages: Vec<MessageId>,
}

/// Why something is no inquiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InquiryError {
    /// Not the canonical CBOR of an inquiry.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Made by a newer program.
    #[error("inquiry of newer version {0}")]
    Newer(u64),
}

impl From<SyntaxError> for InquiryError {
    fn from(error: SyntaxError) -> Self {
        Self::Decode(error.into())
    }
}

impl Inquiry {
    /// Encodes as `[1, [message id, …]]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes an inquiry.
    ///
    /// # Errors
    ///
    /// [`InquiryError`] for anything but the canonical encoding of at most
    /// [`MAX_ASKED`] ids.
    pub fn decode(bytes: &[u8]) -> Result<Self, InquiryError> {
        whole(bytes, MAX_INQUIRY, Self::read, Self::write)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, InquiryError> {
        match reader.versioned(VERSION, 2)? {
            VERSION => {}
            newer => return Err(InquiryError::Newer(newer)),
        }
        let count = reader.array(MAX_ASKED as u64)?;
        let messages = (0..count).map(|_| read_id(reader));
        Ok(Self {
            messages: messages.collect::<Result<_, _>>()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(2).unsigned(VERSION).array(self.messages.len());
        for message in &self.messages {
            writer.bytes(message.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize) -> Inquiry {
        let id = |n: usize| {
            let mut id = [1; 32];
            id[1..9].copy_from_slice(&(n as u64).to_be_bytes());
            MessageId::from_bytes(&id).unwrap()
        };
        Inquiry {
            messages: (0..count).map(id).collect(),
        }
    }

    #[test]
    fn an_inquiry_survives() {
        for inquiry in [of(0), of(1), of(MAX_ASKED)] {
            assert_eq!(Inquiry::decode(&inquiry.encode()), Ok(inquiry));
        }
    }

    #[test]
    fn one_that_asks_for_too_much_or_is_newer_is_refused() {
        assert!(Inquiry::decode(&of(MAX_ASKED + 1).encode()).is_err());
        let mut newer = of(1).encode();
        newer[1] = 2;
        assert_eq!(Inquiry::decode(&newer), Err(InquiryError::Newer(2)));
    }
}
