//! When something of a room is due, as it is written down for the next start.

use hushwing_sansio::{StorageError, Timestamp};

use crate::messenger::Call;

/// Version of what is written down.
const VERSION: u8 = 1;

/// What stands in this setting; `None` where nothing does, or what another version wrote.
pub(super) fn planned(call: &Call<'_, '_>, name: &str) -> Result<Option<Timestamp>, StorageError> {
    let bytes = call.storage.setting(name)?;
    Ok(bytes.and_then(|bytes| read(&bytes)))
}

/// Writes it down.
pub(super) fn plan(call: &mut Call<'_, '_>, name: &str, at: Timestamp) -> Result<(), StorageError> {
    let bytes = [&[VERSION][..], &at.as_millis().to_be_bytes()].concat();
    call.storage.put_setting(name, &bytes)
}

fn read(bytes: &[u8]) -> Option<Timestamp> {
    let (version, at) = bytes.split_first()?;
    let at = at.try_into().ok().filter(|_| *version == VERSION)?;
    Some(Timestamp::from_millis(u64::from_be_bytes(at)))
}
