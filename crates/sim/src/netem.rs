//! How bad the network is.

use core::time::Duration;

/// What befalls what is sent. Chances are per mille.
///
/// Byte streams keep their bytes in order, so loss shows as a connection that
/// breaks and takes what was on its way with it; duplication and reordering
/// befall whole messages at servers that permit it (see [`toy`](crate::toy)).
#[derive(Clone, Debug)]
pub struct Netem {
    /// Shortest and longest time from one end to the other.
    pub latency: (Duration, Duration),
    /// Chance that a connection breaks with each chunk sent.
    pub breaks: u16,
    /// Whether chunks are cut at random places.
    pub cuts: bool,
    /// Chance that a server loses a request without a word.
    pub loss: u16,
    /// Chance that a server hands a message out twice.
    pub duplication: u16,
    /// Chance that a message is held up so that later ones overtake it.
    pub reordering: u16,
}

impl Netem {
    /// A network that only takes its time.
    #[must_use]
    pub fn calm() -> Self {
        Self {
            latency: (Duration::from_millis(10), Duration::from_millis(30)),
            breaks: 0,
            cuts: false,
            loss: 0,
            duplication: 0,
            reordering: 0,
        }
    }

    /// A network on which everything happens that may.
    #[must_use]
    pub fn storm() -> Self {
        Self {
            latency: (Duration::from_millis(5), Duration::from_millis(900)),
            breaks: 60,
            cuts: true,
            loss: 100,
            duplication: 300,
            reordering: 300,
        }
    }
}
