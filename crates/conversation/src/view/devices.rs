//! The devices of an account, as shown.

use core::fmt;

use hushwing_sansio::Timestamp;

use crate::{MemberId, RoomStanding, Secret};

/// All devices of the account, and a link that is under way. `Debug` hides names, the
/// link and the code.
#[derive(Clone, PartialEq, Eq)]
pub struct DevicesView {
    /// Whether this device is among them; `None` where there is one device only, or those of
    /// a backup alone.
    pub standing: Option<RoomStanding>,
    /// The devices, this one included, in the order in which they came to be known.
    pub devices: Vec<DeviceView>,
    /// The link this device shows to be linked by.
    pub link: Option<LinkView>,
    /// Six digits that the old and the new device both show.
    pub code: Option<String>,
    /// What the new device calls itself that waits here for the code to be confirmed.
    pub newcomer: Option<String>,
    /// What another device is called in whose place it wants to be, as one
    /// that was put back from a backup.
    pub replaces: Option<String>,
    /// Whether the code is to be confirmed on this device as well, which was put back from a
    /// backup and has groups to tell of.
    pub asks_here: bool,
    /// What the profile on the other side of the link calls itself: nothing proves it but
    /// the code.
    pub profile: Option<String>,
    /// How far this device is with what was said before it came.
    pub history: Option<HistoryView>,
    /// How many changes of mine wait, or may still be undone: a device let in or thrown
    /// out.
    pub changing: usize,
}

/// What a device takes of what was said in groups and conversations of two before it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryView {
    /// Messages that came, and what changed them, as far as they were not here.
    pub taken: u64,
    /// Groups and conversations of two of which not all came.
    pub open: usize,
    /// Whether no device is left that could hand over the rest.
    pub cut: bool,
}

/// One device. `Debug` hides the name.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceView {
    /// Its name in commands.
    pub device: MemberId,
    /// What it calls itself; empty before it told.
    pub name: String,
    /// Whether it is this one.
    pub me: bool,
    /// Whether it is known where to write to it.
    pub reachable: bool,
    /// Whether a backup knew it that was put back here, and this one is not linked with it
    /// again.
    pub parted: bool,
}

/// A link that a new device shows. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkView {
    /// The link as text.
    pub link: Secret,
    /// Until when it can be used.
    pub until: Timestamp,
}

impl fmt::Debug for DevicesView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevicesView")
            .field("standing", &self.standing)
            .field("devices", &self.devices)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DeviceView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceView")
            .field("device", &self.device)
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LinkView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkView(..)")
    }
}
