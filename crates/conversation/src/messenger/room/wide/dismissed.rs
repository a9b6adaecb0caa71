//! Who is passed over where programs name heralds, because a person said so.
//!
//! A herald that answers and passes nothing on is not silent: a steward dismisses it by hand. It
//! answers as before, and so more often than others; a program would name it first. So the
//! program of who said so remembers it, and tells those of other stewards.

use hushwing_sansio::{StorageError, Timestamp};

use crate::branches::AccountId;
use crate::content::{Content, RoomStep, RoomWord};
use crate::messenger::{Call, Messenger};
use crate::storage::{Dated, RoomRollRecord};
use crate::{DropReason, MemberId, RoomId};

impl RoomRollRecord {
    /// Somebody is named by itself no more, from then on.
    pub(super) fn pass_over(&mut self, account: &[u8], at: Timestamp) {
        match self.replaced.iter_mut().find(|one| one.account == account) {
            Some(one) => one.at = one.at.max(at),
            None => self.replaced.push(Dated {
                account: account.to_vec(),
                at,
            }),
        }
    }

    /// Somebody may be named by itself again.
    pub(super) fn pass_over_no_more(&mut self, account: &[u8]) {
        self.replaced.retain(|one| one.account != account);
    }

    /// Whether somebody was dismissed here by hand.
    pub(super) fn was_dismissed(&self, account: &[u8]) -> bool {
        let mut replaced = self.replaced.iter();
        replaced.any(|one| one.is_for_good() && one.account == account)
    }

    /// A person said whether somebody may be named by itself.
    pub(super) fn note_dismissed(&mut self, account: &[u8], out: bool) {
        match out {
            true => self.pass_over(account, Dated::FOR_GOOD),
            false => self.pass_over_no_more(account),
        }
    }
}

impl Messenger {
    /// Tells other stewards, by each of their devices and mine, what I said of somebody.
    pub(super) fn tell_dismissed(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        account: AccountId,
        out: bool,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let others = known.others().filter(|one| known.is_steward(&one.account));
        let stewards: Vec<_> = others.map(|one| one.member).collect();
        let word = Content::Room(RoomWord {
            room: known.record.conversation,
            step: RoomStep::Dismissed { account, out },
        });
        for steward in stewards {
            self.say_aside(call, room, steward, &word)?;
        }
        Ok(())
    }

    /// A steward says that a person dismissed somebody, or named them.
    pub(in crate::messenger::room) fn heard_dismissed(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        by: MemberId,
        account: &AccountId,
        out: bool,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let by = known.members.get(&by).filter(|one| one.present);
        let steward = by.is_some_and(|one| known.is_steward(&one.account));
        let there = known.present_of(account.as_bytes()).is_some();
        if !steward || !there || known.turn().is_none() {
            return self.drop_letter(None, DropReason::Room);
        }
        let mut record = known.rolled.clone();
        record.note_dismissed(account.as_bytes(), out);
        self.save_roll(call, room, &record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_dismissed_by_hand_stays_so_whatever_follows_but_a_word_of_a_person() {
        let mut record = RoomRollRecord::default();
        record.note_dismissed(b"Mallory", true);
        record.pass_over(b"Mallory", Timestamp::from_secs(9));
        record.pass_over(b"Bob", Timestamp::from_secs(9));
        assert!(record.was_dismissed(b"Mallory") && !record.was_dismissed(b"Bob"));
        assert_eq!(record.replaced.len(), 2);
        record.note_dismissed(b"Mallory", false);
        assert!(!record.was_dismissed(b"Mallory"));
        record.note_dismissed(b"Bob", true);
        assert!(record.was_dismissed(b"Bob"));
    }
}
