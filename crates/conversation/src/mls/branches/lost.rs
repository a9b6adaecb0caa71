//! How a keeper notices that the group has gone on without it.

use hushwing_sansio::StorageError;

use super::MOST_AGE;
use super::keeper::{Keeper, Lent};
use super::signed::Signer;
use super::told::{ChainFault, HearFault};
use crate::MlsRows;

impl Keeper {
    /// Whether a leaf of the followed state has this public signature key, and it
    /// is not mine.
    pub(super) fn is_known_leaf(
        &mut self,
        lent: &mut Lent<'_, '_>,
        key: &[u8],
    ) -> Result<bool, StorageError> {
        if key == self.key.public() {
            return Ok(false);
        }
        let members = self.members(lent)?;
        Ok(members.iter().any(|member| member.signature_key == key))
    }

    /// A chain begins in a state that is not known here, and leads further than I
    /// am. If a leaf that I know says so, no common state is left: the next Welcome
    /// that fits is followed.
    pub(super) fn strand(
        &mut self,
        lent: &mut Lent<'_, '_>,
        signer: Option<Signer<'_>>,
    ) -> Result<ChainFault, StorageError> {
        let known = match signer {
            Some(signer) => self.is_known_leaf(lent, signer.key)?,
            None => false,
        };
        if !known {
            return Ok(ChainFault::Unproven);
        }
        self.stranded = true;
        self.save_head(lent.rows)?;
        Ok(ChainFault::Beyond)
    }

    /// A chain that a leaf I know signed leads further than I am, and one of its
    /// commits cannot be taken. Either the others leave that branch, or I am
    /// stranded once they can no longer.
    pub(super) fn note_broken(
        &mut self,
        lent: &mut Lent<'_, '_>,
        signer: Option<Signer<'_>>,
        fault: HearFault,
    ) -> Result<(), StorageError> {
        let stays = matches!(fault, HearFault::Unreadable | HearFault::Rules);
        let Some(signer) = signer.filter(|_| stays && self.broken_since.is_none()) else {
            return Ok(());
        };
        if self.is_known_leaf(lent, signer.key)? {
            self.broken_since = Some(lent.cx.wall().as_millis());
            self.save_head(lent.rows)?;
        }
        Ok(())
    }

    /// What was broken for as long as a state is kept stays so.
    pub(super) fn age_broken(
        &mut self,
        rows: &mut dyn MlsRows,
        now: hushwing_sansio::Timestamp,
    ) -> Result<(), StorageError> {
        let since = self
            .broken_since
            .map(hushwing_sansio::Timestamp::from_millis);
        if since.is_some_and(|since| since + MOST_AGE <= now) && !self.stranded {
            self.stranded = true;
            self.save_head(rows)?;
        }
        Ok(())
    }
}
