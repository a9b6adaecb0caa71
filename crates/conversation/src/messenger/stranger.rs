//! How much is said before the other side decided to listen.
//!
//! Who opens a reusable link may say a little before they are accepted. Both
//! sides know the bound: the joiner's refuses to say more, so that an honest
//! joiner loses nothing; the inviter's keeps no more of a joiner who does.

use hushwing_sansio::StorageError;

use super::stop::Stop;
use super::{Call, Messenger};
use crate::storage::{Side, Standing};
use crate::{ContactId, Refusal};

/// Messages of any kind, the two of the join request included.
pub(super) const MOST_MESSAGES: usize = 32;
/// Bytes of content after which a joiner says no more.
const MOST_SAID: u64 = 64 * 1024;
/// Bytes of content after which an inviter keeps no more. Messages come in any
/// order, so it has room for the longest that [`MOST_SAID`] lets through last.
const MOST_KEPT: u64 = 128 * 1024;

impl Messenger {
    /// Whether a joiner who was not accepted yet has said all that is kept.
    pub(super) fn said_enough(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
    ) -> Result<bool, StorageError> {
        if self.standing(contact) != Some(Standing::Requested) {
            return Ok(false);
        }
        reached(call, contact, MOST_KEPT)
    }

    /// Whether I may say more to somebody who has not answered yet.
    pub(super) fn may_say_more(&self, call: &Call<'_, '_>, contact: ContactId) -> Result<(), Stop> {
        let undecided = self.people.get(&contact).is_some_and(|person| {
            person.record.standing == Standing::Asked
                && person.record.side == Side::Joiner
                && person.record.unsecured_start
        });
        if undecided && reached(call, contact, MOST_SAID)? {
            return Err(Refusal::NotAnswered.into());
        }
        Ok(())
    }
}

fn reached(call: &Call<'_, '_>, contact: ContactId, bytes: u64) -> Result<bool, StorageError> {
    let extent = call.storage.extent(contact)?;
    Ok(extent.messages >= MOST_MESSAGES as u64 || extent.bytes >= bytes)
}
