//! The error texts of SMP (SMP 6).

use core::fmt;

use super::{Malformed, Reader, Version, Writer};

/// What is wrong with a command as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such command, or one this server does not serve.
    #[error("unknown command")]
    Unknown,
    /// Parameters missing, malformed or left over.
    #[error("command syntax")]
    Syntax,
    /// Not allowed here and now.
    #[error("command is prohibited")]
    Prohibited,
    /// Authorisation or entity missing.
    #[error("authorisation is missing")]
    NoAuth,
    /// Authorisation or entity where none may be.
    #[error("authorisation is not allowed")]
    HasAuth,
    /// Entity missing.
    #[error("entity is missing")]
    NoEntity,
}

impl CommandError {
    const TEXTS: [(Self, &'static [u8]); 6] = [
        (Self::Unknown, b"UNKNOWN"),
        (Self::Syntax, b"SYNTAX"),
        (Self::Prohibited, b"PROHIBITED"),
        (Self::NoAuth, b"NO_AUTH"),
        (Self::HasAuth, b"HAS_AUTH"),
        (Self::NoEntity, b"NO_ENTITY"),
    ];

    fn text(self) -> &'static [u8] {
        Self::TEXTS
            .iter()
            .find(|(error, _)| *error == self)
            .map_or(b"SYNTAX", |(_, text)| text)
    }

    fn parse(text: &[u8]) -> Result<Self, Malformed> {
        // The name NO_QUEUE was in use before NO_ENTITY.
        let text = if text == b"NO_QUEUE" {
            b"NO_ENTITY"
        } else {
            text
        };
        Self::TEXTS
            .iter()
            .find(|(_, known)| *known == text)
            .map(|(error, _)| *error)
            .ok_or(Malformed)
    }
}

impl From<Malformed> for CommandError {
    fn from(_: Malformed) -> Self {
        Self::Syntax
    }
}

/// Why an operator blocked a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockingReason {
    /// Unwanted mail.
    Spam,
    /// Forbidden content.
    Content,
}

/// An error a server answers.
///
/// Variants with text keep what the peer sent; `Debug` and `Display` leave it
/// out, since it may name hosts.
#[derive(Clone, PartialEq, Eq)]
pub enum SmpError {
    /// A block or transmission that does not parse.
    Block,
    /// The session id is wrong.
    Session,
    /// The command is wrong.
    Cmd(CommandError),
    /// Forwarding failed; the text after `PROXY `.
    Proxy(Vec<u8>),
    /// Not authorised, or no such queue: never told apart.
    Auth,
    /// An operator blocked the queue; the notice is JSON.
    Blocked(BlockingReason, Option<Vec<u8>>),
    /// The service signature is wrong.
    Service,
    /// A layer of a forwarded command does not open.
    Crypto,
    /// The queue is full.
    Quota,
    /// The server's storage failed; its text.
    Store(Vec<u8>),
    /// Nothing to acknowledge.
    NoMsg,
    /// The body is longer than the version allows.
    LargeMsg,
    /// The message is too old.
    Expired,
    /// A fault of the server.
    Internal,
    /// A text we do not know.
    Other(Vec<u8>),
}

impl SmpError {
    /// Writes what follows `ERR `.
    pub fn write(&self, w: &mut Writer<'_>, version: Version) {
        match self {
            Self::Cmd(error) => w.raw(b"CMD ").raw(error.text()),
            Self::Proxy(text) => w.raw(b"PROXY ").raw(text),
            Self::Blocked(..) if !version.has_blocked() => w.raw(b"AUTH"),
            Self::Blocked(reason, notice) => {
                w.raw(match reason {
                    BlockingReason::Spam => b"BLOCKED reason=spam".as_slice(),
                    BlockingReason::Content => b"BLOCKED reason=content",
                });
                match notice.as_ref().filter(|_| version.has_blocked_notice()) {
                    Some(notice) => w.raw(b",notice=").raw(notice),
                    None => w,
                }
            }
            Self::Store(text) => w.raw(b"STORE ").raw(text),
            Self::Other(text) => w.raw(text),
            plain => w.raw(plain.name().as_bytes()),
        };
    }

    /// Parses what follows `ERR `. A text we do not know is kept, so that a
    /// newer server does not break the session.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        Self::known(text).unwrap_or_else(|_| Self::Other(text.to_vec()))
    }

    fn known(text: &[u8]) -> Result<Self, Malformed> {
        const PLAIN: [SmpError; 10] = [
            SmpError::Block,
            SmpError::Session,
            SmpError::Auth,
            SmpError::Service,
            SmpError::Crypto,
            SmpError::Quota,
            SmpError::NoMsg,
            SmpError::LargeMsg,
            SmpError::Expired,
            SmpError::Internal,
        ];
        if let Some(rest) = text.strip_prefix(b"CMD ") {
            return CommandError::parse(rest).map(Self::Cmd);
        }
        if let Some(rest) = text.strip_prefix(b"PROXY ") {
            return Ok(Self::Proxy(rest.to_vec()));
        }
        if let Some(rest) = text.strip_prefix(b"STORE ") {
            return Ok(Self::Store(rest.to_vec()));
        }
        if let Some(rest) = text.strip_prefix(b"BLOCKED reason=") {
            return Self::parse_blocked(rest);
        }
        PLAIN
            .into_iter()
            .find(|error| error.name().as_bytes() == text)
            .ok_or(Malformed)
    }

    fn parse_blocked(rest: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(rest);
        let (reason, notice) = match r.until(b',') {
            Ok(reason) => {
                let notice = r.tail().strip_prefix(b"notice=").ok_or(Malformed)?;
                (reason, Some(notice.to_vec()))
            }
            Err(Malformed) => (rest, None),
        };
        match reason {
            b"spam" => Ok(Self::Blocked(BlockingReason::Spam, notice)),
            b"content" => Ok(Self::Blocked(BlockingReason::Content, notice)),
            _ => Err(Malformed),
        }
    }

    /// The first word on the wire, without anything a peer added.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Block => "BLOCK",
            Self::Session => "SESSION",
            Self::Cmd(_) => "CMD",
            Self::Proxy(_) => "PROXY",
            Self::Auth => "AUTH",
            Self::Blocked(..) => "BLOCKED",
            Self::Service => "SERVICE",
            Self::Crypto => "CRYPTO",
            Self::Quota => "QUOTA",
            Self::Store(_) => "STORE",
            Self::NoMsg => "NO_MSG",
            Self::LargeMsg => "LARGE_MSG",
            Self::Expired => "EXPIRED",
            Self::Internal => "INTERNAL",
            Self::Other(_) => "unknown error",
        }
    }
}

impl From<CommandError> for SmpError {
    fn from(error: CommandError) -> Self {
        Self::Cmd(error)
    }
}

impl fmt::Display for SmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cmd(error) => write!(f, "relay answered CMD: {error}"),
            other => write!(f, "relay answered {}", other.name()),
        }
    }
}

impl fmt::Debug for SmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cmd(error) => write!(f, "Cmd({error:?})"),
            other => f.write_str(other.name()),
        }
    }
}

impl core::error::Error for SmpError {}
