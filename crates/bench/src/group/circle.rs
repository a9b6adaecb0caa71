//! A group with a filled tree: each leaf was added by its founder and committed
//! once. Two of all leaves are kept, the founder's and the last one's.

use std::time::Duration;

use hushwing_conversation::branches::Wish;

use super::seat::{Committed, Seat};
use crate::BenchError;
use crate::clock::{cost, millis};
use crate::conversation::line::Line;

/// Between two commits of the founder, so that none of them waits.
const REST: Duration = Duration::from_secs(130);

/// A group as two of its leaves keep it.
pub(super) struct Circle {
    founder: Seat,
    last: Seat,
    now: Duration,
    size: u16,
}

/// What adding one more took.
pub(super) struct Added {
    /// Bytes to each who is in it already.
    pub(super) commit: usize,
    /// Bytes to who is added.
    pub(super) welcome: usize,
    /// Milliseconds of processor time until who is added could speak.
    pub(super) join: f64,
}

impl Circle {
    /// A group of this many leaves, at least two.
    pub(super) fn of(leaves: u16) -> Result<Self, BenchError> {
        let mut founder = Seat::new(1)?;
        founder.found()?;
        let mut circle = Self {
            last: Seat::new(2)?,
            founder,
            now: Duration::ZERO,
            size: 1,
        };
        while circle.size < leaves {
            circle.grow()?;
        }
        match circle.founder.size(circle.now)? == usize::from(leaves) {
            true => Ok(circle),
            false => Err(BenchError::Bug("a group has another size")),
        }
    }

    /// Adds one more, who commits once, as all before them.
    pub(super) fn grow(&mut self) -> Result<Added, BenchError> {
        self.now += REST;
        self.last = Seat::new(self.size + 1)?;
        let package = self.last.package(self.now)?;
        let Committed { commit, welcome } = self.founder.commit(self.now, Wish::Add(package))?;
        let join = cost(1, || self.last.join(self.now, &welcome))?;
        let refresh = self.last.commit(self.now, Wish::Refresh)?;
        self.founder.follow(self.now, &refresh.commit)?;
        self.size += 1;
        Ok(Added {
            commit: commit.len(),
            welcome: welcome.len(),
            join: millis(Duration::from_secs_f64(join / 1e6)),
        })
    }
}

impl Line for Circle {
    fn bring(&mut self, from: usize, text: &str) -> Result<(), BenchError> {
        let (speaker, listener) = match from {
            0 => (&mut self.founder, &mut self.last),
            _ => (&mut self.last, &mut self.founder),
        };
        let said = speaker.say(self.now, text)?;
        match listener.hear(self.now, &said)? == text.as_bytes() {
            true => Ok(()),
            false => Err(BenchError::Bug("another text arrived")),
        }
    }
}
