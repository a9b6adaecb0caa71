//! When a message was said: by count for order, by clock for show.

use hushwing_sansio::Timestamp;

use super::extension::{Extensions, Key, Value};

/// Version of the extension's value.
const VERSION: u64 = 1;
/// 2025-01-01: no message of this format is older.
const FORMAT_BIRTH: u64 = 1_735_689_600_000;
/// How far a sender's clock may run ahead before it is not believed.
const MAX_AHEAD: u64 = 5 * 60 * 1_000;

/// How far above all that was seen a message may count. No honest conversation
/// comes near it, and it takes two million messages to the end.
const MAX_STEP: u64 = 1 << 32;

/// A Lamport counter: above that of everything its sender had seen. It orders
/// messages within an epoch the same way on all devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lamport(u64);

impl Lamport {
    /// The last value, 2^53 - 1; counting stays there.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The counter with this value, if it is at most [`Lamport::MAX`].
    #[must_use]
    pub const fn new(value: u64) -> Option<Self> {
        if value <= Self::MAX.0 {
            Some(Self(value))
        } else {
            None
        }
    }

    /// The value.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether others may count like this after `self` was the highest seen.
    ///
    /// Whoever jumped to the end would have all later messages stand in no order,
    /// and a wish that ends something could stand before the one it ends. What
    /// lies within one step of the end is left to who was pushed there.
    #[must_use]
    pub const fn may_be_followed_by(self, said: Self) -> bool {
        let near = said.0 <= self.0.saturating_add(MAX_STEP);
        said.0 <= self.0 || (near && said.0 <= Self::MAX.0 - MAX_STEP)
    }

    /// The counter for my next message, after I saw `self`.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 < Self::MAX.0 {
            Self(self.0 + 1)
        } else {
            self
        }
    }
}

/// What a sender says about when: extension `-1`, the array
/// `[1, lamport, milliseconds since the Unix epoch]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Place in the order.
    pub lamport: Lamport,
    /// What the sender's clock showed. Not to be believed: see
    /// [`Stamp::shown_at`].
    pub sent: Timestamp,
}

/// Why a message says nothing about when it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// No stamp at all.
    #[error("message without stamp")]
    Missing,
    /// A stamp of a newer version.
    #[error("stamp of newer version {0}")]
    Newer(u64),
    /// Not a stamp, or a counter above [`Lamport::MAX`].
    #[error("malformed stamp")]
    Malformed,
}

impl Stamp {
    /// Key of the extension, out of the range for private use.
    pub const KEY: Key = Key::Negative(0);

    /// The stamp of a message with `extensions`.
    ///
    /// # Errors
    ///
    /// [`StampError`] if there is none that can be read.
    pub fn read(extensions: &Extensions) -> Result<Self, StampError> {
        let value = extensions.0.get(&Self::KEY).ok_or(StampError::Missing)?;
        let Value::Array(items) = value else {
            return Err(StampError::Malformed);
        };
        match items.as_slice() {
            [
                Value::Unsigned(VERSION),
                Value::Unsigned(lamport),
                Value::Unsigned(sent),
            ] => {
                let lamport = Lamport::new(*lamport).ok_or(StampError::Malformed)?;
                Ok(Self {
                    lamport,
                    sent: Timestamp::from_millis(*sent),
                })
            }
            [Value::Unsigned(version), ..] if *version > VERSION => {
                Err(StampError::Newer(*version))
            }
            _ => Err(StampError::Malformed),
        }
    }

    pub(crate) fn write(self, extensions: &mut Extensions) {
        let items = [VERSION, self.lamport.get(), self.sent.as_millis()];
        let value = Value::Array(items.map(Value::Unsigned).to_vec());
        extensions.0.insert(Self::KEY, value);
    }

    /// The time to show for a message that arrived at `received`: the
    /// sender's, unless it lies before this format existed or more than five
    /// minutes ahead of `received`; then `received`.
    #[must_use]
    pub fn shown_at(self, received: Timestamp) -> Timestamp {
        let latest = received.as_millis().saturating_add(MAX_AHEAD);
        if (FORMAT_BIRTH..=latest).contains(&self.sent.as_millis()) {
            self.sent
        } else {
            received
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_stops_at_the_end() {
        assert_eq!(Lamport::MAX.next(), Lamport::MAX);
        assert_eq!(Lamport::default().next().get(), 1);
        assert_eq!(Lamport::new(1 << 53), None);
    }

    #[test]
    fn nobody_is_pushed_to_the_end() {
        let at = |value| Lamport::new(value).unwrap();
        assert!(at(7).may_be_followed_by(at(0)));
        assert!(at(7).may_be_followed_by(at(7 + MAX_STEP)));
        assert!(!at(7).may_be_followed_by(at(8 + MAX_STEP)));
        let last = at(Lamport::MAX.get() - MAX_STEP);
        assert!(at(last.get() - 1).may_be_followed_by(last));
        assert!(!last.may_be_followed_by(last.next()));
        // From there one's own count goes on, and others may keep up with it.
        let own = last.next().next();
        assert!(own > last && own.may_be_followed_by(own));
        assert!(!own.may_be_followed_by(own.next()));
    }

    #[test]
    fn implausible_clocks_are_not_believed() {
        let received = Timestamp::from_secs(1_790_000_000);
        let shown = |millis| {
            Stamp {
                lamport: Lamport::default(),
                sent: Timestamp::from_millis(millis),
            }
            .shown_at(received)
        };
        let near = received.as_millis() - 60_000;
        assert_eq!(shown(near).as_millis(), near);
        assert_eq!(shown(0), received);
        assert_eq!(shown(u64::MAX), received);
        assert_eq!(shown(received.as_millis() + MAX_AHEAD + 1), received);
    }

    #[test]
    fn missing_newer_and_malformed_stamps_are_told_apart() {
        let read = |value: Option<Value>| {
            let mut extensions = Extensions::default();
            value.map(|value| extensions.0.insert(Stamp::KEY, value));
            Stamp::read(&extensions)
        };
        assert_eq!(read(None), Err(StampError::Missing));
        let numbers = |items: &[u64]| {
            Some(Value::Array(
                items.iter().map(|n| Value::Unsigned(*n)).collect(),
            ))
        };
        assert_eq!(read(numbers(&[2, 0, 0, 0])), Err(StampError::Newer(2)));
        assert_eq!(read(numbers(&[1, 1 << 53, 0])), Err(StampError::Malformed));
        assert_eq!(read(numbers(&[1, 1])), Err(StampError::Malformed));
        assert_eq!(read(Some(Value::Null)), Err(StampError::Malformed));
    }
}
