//! How large groups may be here.

use crate::branches::GroupPolicy;
use crate::messenger::device::MOST_DEVICES;

/// How many leaves groups have that are founded or entered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupSize {
    /// Up to how many each author writes to all; beyond, heralds pass on what is said.
    pub narrow: u16,
    /// How many at most.
    pub most: u16,
}

impl Default for GroupSize {
    fn default() -> Self {
        Self {
            narrow: 32,
            // What larger ones wait for says RFC 0025.
            most: 32,
        }
    }
}

impl GroupSize {
    /// That of the group of an account's devices.
    pub(in crate::messenger) const fn of_devices() -> Self {
        Self {
            narrow: MOST_DEVICES,
            most: MOST_DEVICES,
        }
    }

    pub(in crate::messenger) fn most(self) -> usize {
        usize::from(self.most)
    }

    /// Whether a group has bounds, and none that are wider.
    pub(super) fn admits(self, policy: &GroupPolicy) -> bool {
        let within =
            |bound: Option<usize>, most: u16| bound.is_some_and(|bound| bound <= usize::from(most));
        // Groups founded before heralds were thought of have no bound of their own for that.
        let narrow = policy.narrow().or(policy.most_leaves());
        within(policy.most_leaves(), self.most) && within(narrow, self.narrow)
    }
}
