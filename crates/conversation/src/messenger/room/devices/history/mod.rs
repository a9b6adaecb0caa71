//! What was said in groups, and in conversations of two, before a device came into them, handed
//! to it in pieces.
//!
//! Whoever comes into a group by a device of its own [`take`]s it from the others: it asks for
//! one piece after the other, newest first, and keeps how far it is in the same transaction as
//! what came. Whatever is lost, or ends in between, it goes on there. Who is asked [`give`]s,
//! and keeps nothing but to whom, and since when: a person said that where the device was let
//! in. One piece at a time is on its way, so that nothing else waits for it. A place is called
//! the same on all devices: if one is thrown out midway the next one goes on where it was.
//!
//! ```text
//! who came               another device of mine
//!    │ further ───────────────▶ │   before this place, in this group
//!    │ ◀───────────────── piece │   and the next begins before that one
//! ```

mod give;
mod look;
mod take;

use core::time::Duration;

use hushwing_sansio::{Moment, Timestamp};

use crate::content::Place;
use crate::messenger::room::commits::Budgets;
use crate::storage::Position;
use crate::{MemberId, MessageId};

/// How long a piece has before it is asked for again, doubled each time up to a day.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Pieces a device is handed at once, and the time in which it is one more.
const GIVEN: (u32, Duration) = (64, Duration::from_millis(250));
/// Pieces that are asked for at once, and the time in which one more is: fewer than are given.
const ASKED: (u32, Duration) = (48, Duration::from_millis(300));

/// What goes on between devices about history.
pub(in crate::messenger::room) struct Pages {
    given: Budgets,
    asked: Budgets,
    /// When the next piece is asked for, or the last one again.
    again: Option<Moment>,
    /// Who was asked and did not answer yet.
    waits_for: Option<MemberId>,
    patience: Duration,
    /// Which device is asked, and for which group, counted on whenever nothing comes of it.
    turn: usize,
    /// When it is looked again for what reached the others late.
    look: Option<Timestamp>,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            given: Budgets::new(GIVEN.0, GIVEN.1),
            asked: Budgets::new(ASKED.0, ASKED.1),
            again: None,
            waits_for: None,
            patience: PATIENCE,
            turn: 0,
            look: None,
        }
    }
}

impl Pages {
    pub(in crate::messenger::room) fn due(&self) -> Option<Moment> {
        self.again
    }
}

/// What a place in the order is called.
fn place_of(position: &Position) -> Place {
    let mut place = [0; 52];
    place[..8].copy_from_slice(&position.epoch.to_be_bytes());
    place[8..16].copy_from_slice(&position.lamport.to_be_bytes());
    place[16..20].copy_from_slice(&position.leaf.to_be_bytes());
    place[20..].copy_from_slice(position.id.as_bytes());
    place
}

/// The place of that name, if there can be one.
fn place_at(name: &[u8]) -> Option<Position> {
    let (epoch, rest) = name.split_first_chunk()?;
    let (lamport, rest) = rest.split_first_chunk()?;
    let (leaf, id) = rest.split_first_chunk()?;
    let (epoch, lamport) = (u64::from_be_bytes(*epoch), u64::from_be_bytes(*lamport));
    // No store holds more.
    let holds = |one: u64| i64::try_from(one).is_ok();
    (holds(epoch) && holds(lamport)).then_some(Position {
        epoch,
        lamport,
        leaf: u32::from_be_bytes(*leaf),
        id: MessageId::from_bytes(id).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_name_and_nothing_else_is_one() {
        let place = Position {
            epoch: 3,
            lamport: 900,
            leaf: 2,
            id: MessageId::from_bytes(&[1; 32]).unwrap(),
        };
        let name = place_of(&place);
        assert_eq!(place_at(&name), Some(place));
        assert!((0..name.len()).all(|end| place_at(&name[..end]).is_none()));
        assert_eq!(place_at(&[name.as_slice(), &[0]].concat()), None);
        assert_eq!(place_at(&[0xff; 52]), None);
        let mut other = name;
        other[20] = 2;
        assert_eq!(place_at(&other), None, "no id of a message");
    }

    #[test]
    fn who_asks_as_often_as_it_may_is_always_given() {
        let (mut asked, mut given) = (Pages::default().asked, Pages::default().given);
        let one = MemberId(1);
        let mut now = Moment::default();
        for _ in 0..1_000 {
            while asked.take(one, 1, now) {
                assert!(given.take(one, 1, now));
            }
            now = now + Duration::from_millis(70);
        }
    }
}
