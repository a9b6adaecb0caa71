//! Wide groups, in which I do not write to everybody: who passes on what I say, and
//! who serves whom.
//!
//! ```text
//! author ─▶ each herald ─▶ the leaves it is in charge of
//!                       ─▶ after a while all others, unless they have it
//! leaf ─▶ the herald that looks after it: receipts ─▶ author: counts
//! ```
//!
//! Who does it a steward says ([`appoint`]). A herald passes on ([`passing`]) what it has in mind
//! ([`duties`]), in turn where one says much ([`backlog`]), gathers receipts ([`counts`]), gives
//! signs of [`life`], and is believed to be there by these ([`signs`]). A steward's program calls
//! the [`roll`], which members answer ([`readiness`]), and puts others in the place of those that
//! are silent ([`relief`]), but nobody whom a person dismissed ([`dismissed`]). Whoever is not heard by them writes to each after all ([`unheard`]).

mod appoint;
mod backlog;
mod counts;
mod dismissed;
mod duties;
mod life;
mod passing;
mod readiness;
mod relief;
mod roll;
mod signs;
mod unheard;

use core::time::Duration;

use hushwing_delivery::Keep;
use hushwing_sansio::StorageError;
use sha2::{Digest as _, Sha256};

pub(super) use counts::Counts;
pub(super) use passing::{Name, Passing};
pub(super) use roll::Roll;
pub(super) use signs::Signs;
pub(super) use unheard::Unheard;

use crate::branches::AccountId;
use crate::messenger::room::Room;
use crate::messenger::{Call, Messenger};
use crate::storage::{MemberRecord, MessageState, RecipientRecord, RoomStanding};
use crate::{MemberId, MessageId, RoomId};

/// See [`Room::spread`].
const OF_EACH: Duration = Duration::from_millis(100);
const CONTEXT: &[u8] = b"hushwing herald";

/// Those who pass on in a wide group, in their order; nobody in a small one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::messenger) struct Heralds(Vec<MemberId>);

impl Heralds {
    pub(in crate::messenger) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::messenger) fn includes(&self, member: MemberId) -> bool {
        self.0.contains(&member)
    }

    pub(in crate::messenger) fn count(&self) -> usize {
        self.0.len()
    }

    pub(in crate::messenger) fn iter(&self) -> impl Iterator<Item = MemberId> {
        self.0.iter().copied()
    }

    /// Who serves the leaf with this public signature key at once.
    pub(super) fn in_charge_of(&self, key: &[u8]) -> Option<MemberId> {
        self.at(key, 0)
    }

    /// Who hears from that leaf what it has: not the same, where there are several,
    /// so that nobody alone can both keep something back and say that it came.
    pub(in crate::messenger) fn looks_after(&self, key: &[u8]) -> Option<MemberId> {
        self.at(key, 1)
    }

    fn at(&self, key: &[u8], further: u64) -> Option<MemberId> {
        let hash = Sha256::new_with_prefix(CONTEXT).chain_update(key);
        let hash = hash.finalize();
        let number = hash
            .first_chunk()
            .map_or(0, |head| u64::from_be_bytes(*head));
        let count = u64::try_from(self.0.len()).ok()?;
        let place = number.checked_rem(count)?.checked_add(further)?;
        let place = usize::try_from(place.checked_rem(count)?).ok()?;
        self.0.get(place).copied()
    }
}

impl Room {
    pub(in crate::messenger) fn heralds(&self) -> Heralds {
        match self.size() <= self.narrow {
            true => Heralds::default(),
            false => self.heralds_if_wide(),
        }
    }

    /// Those who pass on what was said where the group was wide, though I may follow a
    /// state in which it is not any more, or not yet.
    pub(super) fn heralds_if_wide(&self) -> Heralds {
        let named = self.named.iter();
        let present = named.filter_map(|account| self.present_of(account.as_bytes()));
        Heralds(present.map(|member| member.member).collect())
    }

    /// The member of an account in the state that is followed; of several devices the same
    /// one to all, whichever came first to them.
    pub(super) fn present_of(&self, account: &[u8]) -> Option<&MemberRecord> {
        let members = self.members.values();
        let there = members.filter(|member| member.present && member.account == account);
        there.min_by_key(|member| &member.key)
    }

    /// Those named to pass on who are there.
    pub(super) fn named_and_present(&self) -> Vec<AccountId> {
        let there = |account: &&AccountId| self.present_of(account.as_bytes()).is_some();
        self.named.iter().filter(there).cloned().collect()
    }

    /// How far apart by chance those leave that all send to few: a third of the members
    /// send to one herald some three letters a second.
    pub(in crate::messenger) fn spread(&self) -> Duration {
        match self.is_wide() {
            true => OF_EACH.saturating_mul(u32::try_from(self.size()).unwrap_or(u32::MAX)),
            false => Duration::ZERO,
        }
    }

    pub(in crate::messenger) fn is_wide(&self) -> bool {
        !self.heralds().is_empty()
    }

    /// Whether I am in it, or ask to be removed from it.
    pub(super) fn is_inside(&self) -> bool {
        matches!(
            self.record.standing,
            RoomStanding::Member | RoomStanding::Leaving
        )
    }

    /// As whom I am in it.
    pub(in crate::messenger) fn me(&self) -> Option<MemberId> {
        let mut members = self.members.values();
        let me = members.find(|member| member.mine && member.key == self.key);
        me.map(|member| member.member)
    }

    /// Those whom I write to what is for all.
    pub(in crate::messenger) fn audience(&self) -> Vec<MemberId> {
        let heralds = self.heralds();
        let audience = self.others().map(|member| member.member);
        audience
            .filter(|member| heralds.is_empty() || heralds.includes(*member))
            .collect()
    }

    /// Whether everybody is to hear more of somebody than others do: who changes the
    /// group or passes on is written to by many.
    pub(in crate::messenger) fn is_sought(&self, member: &MemberRecord) -> bool {
        self.is_steward(&member.account) || self.heralds().includes(member.member)
    }
}

/// Whether a message was not written to somebody, but left to heralds.
pub(super) fn was_left_to_heralds(one: &RecipientRecord) -> bool {
    one.letter.is_none() && one.state != MessageState::Queued
}

impl Messenger {
    /// Posts what is for all and what nobody confirms, to each or to the heralds.
    pub(in crate::messenger) fn post_to_all(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        body: &[u8],
    ) -> Result<Vec<u64>, StorageError> {
        let mut letters = Vec::new();
        for member in self.rooms.find(room)?.audience() {
            let body = body.to_vec();
            let letter = self.post_to_member(call, room, member, body, Keep::UntilAccepted)?;
            letters.extend(letter.map(|letter| letter.0));
        }
        letters.extend(self.pass_on_mine(call, room, body, None)?);
        self.listen_for(call, room, &letters, body)?;
        Ok(letters)
    }

    /// Posts a message of mine to all it is for, to each or to the heralds.
    pub(in crate::messenger) fn send_to_all(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        message: MessageId,
        to: &[MemberId],
        body: &[u8],
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        known.roll.note_use();
        let audience = known.audience();
        for member in to {
            if audience.contains(member) {
                self.send_to(call, room, *member, message, body.to_vec())?;
            } else {
                call.storage.put_recipient(&RecipientRecord {
                    message,
                    member: *member,
                    letter: None,
                    state: MessageState::Accepted,
                })?;
            }
        }
        self.pass_on_mine(call, room, body, Some(message))?;
        self.await_others(call, room, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_leaf_has_one_in_charge_and_another_who_looks_after_it() {
        let heralds = Heralds([4, 7, 9].map(MemberId).to_vec());
        let mut count = std::collections::BTreeMap::new();
        for number in 0..300_u32 {
            let key = number.to_be_bytes();
            let one = heralds.in_charge_of(&key).unwrap();
            *count.entry(one).or_insert(0) += 1;
            assert_ne!(Some(one), heralds.looks_after(&key));
        }
        assert!(count.values().all(|of| (70..130).contains(of)), "{count:?}");
        let alone = Heralds(vec![MemberId(4)]);
        assert_eq!(alone.in_charge_of(b"x"), alone.looks_after(b"x"));
        assert_eq!(Heralds::default().in_charge_of(b"x"), None);
    }
}
