//! Whether a group can be lived with.

use openmls::prelude::{LeafNodeParameters, MlsGroup};
use openmls_traits::OpenMlsProvider as _;

use super::LeafKey;
use super::group::GroupFault;
use super::provider::Provider;

/// Tries what each group has to bear, as it would be written: reading it back,
/// saying something, and renewing my keys, which encrypts to the other leaf's.
/// openmls takes a leaf whose encryption key is none and fails only when it has
/// to use it; this is where that comes to light. Leaves no trace.
pub(super) fn bearable(
    provider: &Provider<'_>,
    group: &MlsGroup,
    key: &LeafKey,
) -> Result<(), GroupFault> {
    let ledger = provider.storage();
    ledger.trial(|| {
        let read = MlsGroup::load(ledger, group.group_id()).ok().flatten();
        let mut again = read.ok_or(GroupFault("reading a group back"))?;
        again
            .create_message(provider, key, &[])
            .map_err(|_| GroupFault("trying to encrypt"))?;
        again
            .self_update(provider, key, LeafNodeParameters::default())
            .map_err(|_| GroupFault("trying a commit"))?;
        again
            .merge_pending_commit(provider)
            .map_err(|_| GroupFault("trying to merge"))
    })
}
