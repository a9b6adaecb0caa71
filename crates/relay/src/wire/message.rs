//! The body of `MSG`: what the server stored, boxed for the recipient
//! (SMP 7). Its length does not depend on what is inside.

use hushwing_sansio::Timestamp;

use super::command::read_flags;
use super::cryptobox::{BoxKey, NotOpened, TAG_LEN, nonce_from};
use super::pad::FILL;
use super::{Malformed, Reader, Writer, unpad};

/// Length of the padded content inside the box, in bytes.
pub const CONTENT_LEN: usize = 16_106;

/// Length of the box, in bytes.
pub const SEALED_LEN: usize = CONTENT_LEN + TAG_LEN;

/// What the server has to say about one place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageContent<'a> {
    /// A message.
    Message {
        /// When the server took it; whole seconds.
        at: Timestamp,
        /// Whether a notifier may be told.
        notify: bool,
        /// The body of `SEND`.
        body: &'a [u8],
    },
    /// The queue was full at this place; messages were refused.
    Quota {
        /// When the first was refused; whole seconds.
        at: Timestamp,
    },
}

impl<'a> MessageContent<'a> {
    fn write(&self, w: &mut Writer<'_>) {
        match *self {
            Self::Message { at, notify, body } => {
                w.i64(wire_time(at)).bool(notify).u8(b' ').raw(body);
            }
            Self::Quota { at } => {
                w.raw(b"QUOTA ").i64(wire_time(at));
            }
        }
    }

    fn parse(content: &'a [u8]) -> Result<Self, Malformed> {
        if let Some(rest) = content.strip_prefix(b"QUOTA ") {
            let mut r = Reader::new(rest);
            let at = read_time(&mut r)?;
            r.finish()?;
            return Ok(Self::Quota { at });
        }
        let mut r = Reader::new(content);
        let at = read_time(&mut r)?;
        let notify = read_flags(&mut r)?;
        Ok(Self::Message {
            at,
            notify,
            body: r.tail(),
        })
    }
}

/// Writes `MSG` and its parameters, sealing the content where it lies. `id`
/// is the nonce, so it may never repeat with the same key.
pub fn write_message(w: &mut Writer<'_>, key: &BoxKey, id: &[u8], content: &MessageContent<'_>) {
    w.raw(b"MSG ").str(id);
    let start = w.position();
    w.fill(0, TAG_LEN);
    w.big_of(|w| content.write(w));
    match (start + SEALED_LEN).checked_sub(w.position()) {
        Some(fill) => {
            w.fill(FILL, fill);
        }
        None => w.fail(),
    }
    if key.seal(&nonce_from(id), w.written_from(start)).is_err() {
        w.fail();
    }
}

/// Why the body of `MSG` yields nothing. It can only be the server's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The box does not open.
    #[error("message box does not open")]
    Sealed,
    /// What is inside does not follow the grammar.
    #[error("malformed message content")]
    Malformed,
}

impl From<NotOpened> for MessageError {
    fn from(_: NotOpened) -> Self {
        Self::Sealed
    }
}

impl From<Malformed> for MessageError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Opens the body of `MSG` in place.
///
/// # Errors
///
/// [`MessageError`].
pub fn open_message<'b>(
    key: &BoxKey,
    id: &[u8],
    sealed: &'b mut [u8],
) -> Result<MessageContent<'b>, MessageError> {
    let padded = key.open(&nonce_from(id), sealed)?;
    Ok(MessageContent::parse(unpad(padded)?)?)
}

fn wire_time(at: Timestamp) -> i64 {
    i64::try_from(at.as_secs()).unwrap_or(i64::MAX)
}

fn read_time(r: &mut Reader<'_>) -> Result<Timestamp, Malformed> {
    u64::try_from(r.i64()?)
        .map(Timestamp::from_secs)
        .map_err(|_| Malformed)
}
