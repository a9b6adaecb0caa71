//! The index of texts is put in order after something was taken out of it.
//!
//! A text that goes is taken out at once, and its words are found no more. But
//! where words of the index begin a page of it, their first letters stay until
//! that page is written anew. So when something was taken out, all of the index is
//! written anew, a piece at a time and once a day at most: it is as long as what was
//! said.

use core::time::Duration;

use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::{Call, Messenger};

/// Setting that lies here while something is to be tidied.
const UNTIDY: &str = "texts untidy";
/// Setting under which it lies when that was done last: milliseconds, eight bytes.
const TIDIED: &str = "texts tidied at";
/// How long others have their turn first: much may go together.
const AFTER: Duration = Duration::from_secs(10 * 60);
/// How long after the last time.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// Pages that are written in one call.
const PAGES: usize = 64;
/// How long others have their turn between two calls.
const PAUSE: Duration = Duration::from_millis(20);

/// When the index is tidied next, if anything was taken out.
#[derive(Default)]
pub(super) struct Tidying {
    due: Option<Moment>,
}

impl Tidying {
    pub(super) fn due(&self) -> Option<Moment> {
        self.due
    }
}

impl Messenger {
    /// Takes up what an earlier run left.
    pub(super) fn resume_tidying(&mut self, call: &Call<'_, '_>) -> Result<(), StorageError> {
        if call.storage.setting(UNTIDY)?.is_some() {
            self.plan_tidying(call)?;
        }
        Ok(())
    }

    /// A text was taken out of the index.
    pub(super) fn text_went(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        if self.tidying.due.is_some() {
            return Ok(());
        }
        call.storage.put_setting(UNTIDY, &[1])?;
        self.plan_tidying(call)
    }

    fn plan_tidying(&mut self, call: &Call<'_, '_>) -> Result<(), StorageError> {
        let last = call.storage.setting(TIDIED)?;
        let last = last.and_then(|last| <[u8; 8]>::try_from(last).ok());
        let last = last.map(|last| Timestamp::from_millis(u64::from_be_bytes(last)));
        // A clock that was set back does not make the wait longer.
        let rest = last.map_or(Duration::ZERO, |last| {
            (last + EVERY).since(call.cx.wall()).min(EVERY)
        });
        self.tidying.due = Some(call.cx.now() + rest.max(AFTER));
        Ok(())
    }

    /// Tidies a piece, if it is time.
    pub(super) fn tidy_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        if self.tidying.due.is_none_or(|due| due > call.cx.now()) {
            return Ok(());
        }
        if call.storage.tidy_texts(PAGES)? {
            self.tidying.due = Some(call.cx.now() + PAUSE);
            return Ok(());
        }
        self.tidying.due = None;
        let now = call.cx.wall().as_millis();
        call.storage.put_setting(TIDIED, &now.to_be_bytes())?;
        call.storage.remove_setting(UNTIDY)
    }
}
