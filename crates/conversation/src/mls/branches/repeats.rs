//! What was said and heard lately. In a wide group most comes twice: a repeat is known
//! without a look at the group, which would have to be read anew after it failed.
//!
//! It is forgotten when the program ends: then a repeat is unreadable, as an older one is.

use std::collections::{BTreeSet, VecDeque};

use sha2::{Digest as _, Sha256};

/// Messages that are remembered of one group.
const MOST: usize = 512;

type Name = [u8; 16];

#[derive(Default)]
pub(super) struct Repeats {
    order: VecDeque<Name>,
    known: BTreeSet<Name>,
}

impl Repeats {
    pub(super) fn note(&mut self, message: &[u8]) {
        let name = name_of(message);
        if !self.known.insert(name) {
            return;
        }
        self.order.push_back(name);
        if self.order.len() > MOST
            && let Some(first) = self.order.pop_front()
        {
            self.known.remove(&first);
        }
    }

    pub(super) fn knows(&self, message: &[u8]) -> bool {
        !self.known.is_empty() && self.known.contains(&name_of(message))
    }
}

fn name_of(message: &[u8]) -> Name {
    let hash = Sha256::digest(message);
    hash.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_known_and_no_more_are_kept() {
        let mut repeats = Repeats::default();
        assert!(!repeats.knows(b"0"));
        for number in 0..=MOST {
            for _ in 0..2 {
                repeats.note(number.to_string().as_bytes());
            }
        }
        assert!(!repeats.knows(b"0"));
        assert!(repeats.knows(b"1") && repeats.knows(MOST.to_string().as_bytes()));
        assert_eq!((repeats.order.len(), repeats.known.len()), (MOST, MOST));
    }
}
