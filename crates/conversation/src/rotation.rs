//! What becomes of the mailboxes and keys of a conversation that a person asked to be
//! replaced.

/// Mailboxes that are to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewMailboxes {
    /// So many are being replaced.
    Begun(usize),
    /// So many are as soon as a server makes new ones again: lately none did.
    Awaited(usize),
    /// They are being replaced since before.
    UnderWay,
    /// They stay: others were replaced within a day, and are still listened to.
    Fresh,
    /// They stay: in a group of very many few write to who passes nothing on.
    Staying,
    /// None is there yet.
    Missing,
}

impl NewMailboxes {
    /// How many are to be replaced by what was asked for.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::Begun(count) | Self::Awaited(count) => count,
            Self::UnderWay | Self::Fresh | Self::Staying | Self::Missing => 0,
        }
    }

    /// Of these, and of so many more that are being replaced in the same conversation.
    pub(crate) fn and(self, more: usize) -> Self {
        match self.count() + more {
            0 => self,
            count if matches!(self, Self::Awaited(_)) => Self::Awaited(count),
            count => Self::Begun(count),
        }
    }
}

/// When keys are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKeys {
    /// They are.
    Renewed,
    /// When the turn is mine: after the next new keys of the other side.
    InTurn,
    /// As soon as what I wrote to myself comes back: what lay in my mailbox is read then.
    Soon,
    /// Once others changed something: who is no steward commits at a distance.
    AfterOthers,
    /// Never: nobody else is there.
    Alone,
}
