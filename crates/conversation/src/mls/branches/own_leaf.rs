//! How old the keys of my leaf are, and whether I may renew them.

use hushwing_sansio::StorageError;

use super::facts;
use super::keeper::{Keeper, Lent};
use super::make::Order;
use super::told::Told;

/// My leaf in the followed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnLeaf {
    /// Its public signature key.
    pub key: [u8; 32],
    /// The epoch it last committed in; none since it was added.
    pub renewed_at: Option<u64>,
    /// How many leaves there are in all.
    pub leaves: usize,
    /// Whether any is another account's.
    pub others: bool,
    /// Whether there are more than may be without a herald.
    pub wide: bool,
    /// Whether the rule allows my account a commit that only renews keys
    /// (`protocol/commits.md` section 3, *Distance*).
    pub may_renew: bool,
}

impl Keeper {
    /// My leaf in the followed state; `None` if I was removed.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn own_leaf(&mut self, lent: &mut Lent<'_, '_>) -> Result<Option<OwnLeaf>, StorageError> {
        if !self.is_member() {
            return Ok(None);
        }
        let account = self.account.clone();
        let key = self.key.public();
        let leaf = self.within(lent, self.followed, |_, group, _| {
            let parent = facts::parent(group).ok_or(())?;
            let index = group.own_leaf_index().u32();
            let mine = parent.leaves.get(&index).ok_or(())?;
            let free = parent.stewards().contains(&account)
                || parent.turn() == Some(&account)
                || parent.free_to_renew(&account) <= parent.epoch;
            Ok::<_, ()>(OwnLeaf {
                key,
                renewed_at: mine.renewed_at,
                leaves: parent.leaves.len(),
                others: parent.leaves.values().any(|leaf| leaf.account != account),
                wide: parent.leaves.len() > parent.narrow,
                may_renew: free,
            })
        })?;
        let leaf = leaf.map_err(|()| StorageError::corrupt("reading a state of a group"))?;
        Ok(Some(leaf))
    }

    /// Makes a commit that renews the keys of my leaf and does nothing else, once: if it
    /// loses against another it is not made again. `None` if it cannot be had now, or
    /// anything else is wanted or under way, which would wait for it.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn renew(&mut self, lent: &mut Lent<'_, '_>) -> Result<Option<Vec<Told>>, StorageError> {
        let wanted = self.pending().next().is_some();
        let busy = self.is_busy() || self.is_changing();
        let paced = self.my_turn(lent.cx.wall().as_millis()) > lent.cx.wall().as_millis();
        if wanted || busy || paced || !self.is_member() {
            return Ok(None);
        }
        let mut told = Vec::new();
        let made = self.make(lent, &Order::renewal(), &mut told)?;
        told.extend(made.as_ref().ok().and_then(|made| made.publish.clone()));
        self.save_head(lent.rows)?;
        Ok((made.is_ok() || !told.is_empty()).then_some(told))
    }
}
