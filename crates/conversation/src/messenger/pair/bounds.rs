//! How many pairs there may be, so that no contact fills a profile with them.
//!
//! A contact alone can have one pair after the other founded, and nobody is asked. So of one
//! conversation few go on at the same time, and what was replaced is left in the end: late,
//! since it is the pair before that tells when a device was stolen which had the next one
//! founded.

use core::time::Duration;

use hushwing_sansio::StorageError;

use crate::messenger::room::MOST_ROOMS;
use crate::messenger::{Call, Messenger};
use crate::storage::RoomStanding;
use crate::{ConversationId, RoomId};

/// Pairs of one conversation that I am in.
const MOST_OF_ONE: usize = 4;
/// How long I stay in those that another took the place of.
const STAY: Duration = Duration::from_secs(28 * 24 * 60 * 60);

impl Messenger {
    /// Whether one group more may be known. Pairs count for themselves.
    pub(in crate::messenger) fn has_place_for_group(&self) -> bool {
        let rooms = self.rooms.places().map(RoomId::at);
        rooms.filter(|room| !self.is_pair(*room)).count() < MOST_ROOMS
    }

    /// Whether a conversation may go on as one pair more.
    pub(in crate::messenger) fn has_place_for_pair(&self, conversation: ConversationId) -> bool {
        let pairs = self.rooms.entered().map(RoomId::at);
        let pairs =
            pairs.filter_map(|room| Some((self.pair_in(room)?, self.rooms.standing(room)?)));
        let (mut all, mut of_one) = (0, 0);
        for (pair, standing) in pairs {
            let inside = standing == RoomStanding::Member;
            all += usize::from(inside || standing == RoomStanding::Joining);
            of_one += usize::from(inside && pair.conversation == conversation);
        }
        all < MOST_ROOMS && of_one < MOST_OF_ONE
    }

    /// The same, where a device of mine is in a group that may be a pair.
    pub(in crate::messenger) fn has_place_for_shared(&self, group: ConversationId) -> bool {
        match self.pairs.of_group(group) {
            Some(pair) => self.has_place_for_pair(pair.conversation),
            None => self.has_place_for_group(),
        }
    }

    /// Leaves pairs that another took the place of long ago. What was said in them stays.
    pub(super) fn leave_replaced_pairs(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let mut replaced = Vec::new();
        for room in self.rooms.entered().map(RoomId::at) {
            let head = self.head_of(room.place());
            let inside = self.rooms.standing(room) == Some(RoomStanding::Member);
            let other = self.pair_of(head).is_some_and(|present| present != room);
            if !inside || !other || !self.is_pair(room) {
                continue;
            }
            let pairs = self.pairs_of(head).into_iter();
            let since =
                pairs.filter_map(|(room, _)| Some(self.rooms.get(room.place())?.record.since));
            if since.max().is_some_and(|since| since + STAY <= now) {
                replaced.push(room);
            }
        }
        replaced.into_iter().try_for_each(|room| {
            self.within(call, room.place(), |this, call| this.leave_pair(call, room))
        })
    }
}
