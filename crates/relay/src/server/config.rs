//! What an operator decides.

use core::fmt;
use core::time::Duration;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Who may create queues.
#[derive(Clone)]
pub enum CreationPolicy {
    /// Everyone.
    Open,
    /// Those who know the password (printable ASCII, up to 255 bytes).
    Password(Zeroizing<Vec<u8>>),
    /// Nobody; existing queues go on.
    Closed,
}

impl CreationPolicy {
    /// Whether a `NEW` with this password may run. Takes the same time for
    /// every wrong password of the right length.
    #[must_use]
    pub fn allows(&self, password: Option<&[u8]>) -> bool {
        match self {
            Self::Open => true,
            Self::Closed => false,
            Self::Password(expected) => expected
                .as_slice()
                .ct_eq(password.unwrap_or_default())
                .into(),
        }
    }
}

impl fmt::Debug for CreationPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Password(_) => "Password(..)",
            Self::Closed => "Closed",
        })
    }
}

/// Limits and policies of one server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Who may create queues.
    pub creation: CreationPolicy,
    /// Messages a queue holds before senders get `QUOTA`.
    pub quota: u32,
    /// How long an undelivered message is kept.
    pub expiry: Duration,
    /// Queues the engine remembers; the others it reads from storage when a
    /// command comes. Bounds memory, not the number of queues.
    pub remembered_queues: usize,
    /// Requests of one connection the server has taken and not answered, after
    /// which it reads no further block from it.
    pub requests_in_flight: usize,
    /// Bytes said to a connection that its client has not read, above which
    /// it is closed.
    pub unread: usize,
    /// The same of all connections together. Above it those go whose bytes are
    /// unread for longest, none that had read everything just before.
    pub unread_in_all: usize,
    /// How long a connection may have more unread than eight messages of full
    /// size.
    pub unread_patience: Duration,
    /// How long a connection without subscriptions may say nothing.
    pub inactivity: Duration,
    /// How long after a change storage may still tell in which order changes
    /// came.
    pub forgetting: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            creation: CreationPolicy::Open,
            quota: 128,
            expiry: Duration::from_secs(21 * 24 * 3600),
            remembered_queues: 10_000,
            requests_in_flight: 64,
            // The answers to a full block of `SUB` are half of it.
            unread: 4 * 1024 * 1024,
            unread_in_all: 256 * 1024 * 1024,
            // All of `unread` at 7 KB a second.
            unread_patience: Duration::from_secs(10 * 60),
            inactivity: Duration::from_secs(6 * 3600),
            // Most receipts wait longer.
            forgetting: Duration::from_secs(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_opens_only_when_equal() {
        let policy = CreationPolicy::Password(Zeroizing::new(b"sesame".to_vec()));
        assert!(policy.allows(Some(b"sesame")));
        assert!(!policy.allows(Some(b"sesamE")));
        assert!(!policy.allows(Some(b"")));
        assert!(!policy.allows(None));
    }

    #[test]
    fn a_closed_server_refuses_every_password() {
        assert!(!CreationPolicy::Closed.allows(None));
        assert!(!CreationPolicy::Closed.allows(Some(b"")));
    }
}
