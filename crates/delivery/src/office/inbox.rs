//! The inbox: opens envelopes, joins parts, drops repeats.
//!
//! Whatever comes is acknowledged in the end, also what does not open: a
//! network would tell it again for ever. Acknowledgements are commands like
//! others and leave after the commit only.

use std::collections::BTreeMap;

use hushwing_sansio::{Context, StorageError};
use zeroize::Zeroizing;

use super::letter::Incoming;
use super::parts::{Joined, Parts};
use super::row::{self, MailboxRow};
use super::storage::{Part, Storage};
use super::timing;
use crate::frame::{self, FrameHead, RepeatId};
use crate::seal::{self, FirstContactSecret};
use crate::{Envelope, MailboxId, NetworkTag};

/// The keys that open what comes to a mailbox.
#[derive(Clone, Default)]
pub struct MailboxKeys {
    /// Secrets of [`SealKey::Shared`](crate::SealKey), the newest first; older
    /// ones stay until nobody can still be using them.
    pub shared: Vec<Zeroizing<[u8; 32]>>,
    /// Secrets of [`SealKey::FirstContact`](crate::SealKey), for invitations.
    pub first_contact: Vec<FirstContactSecret>,
}

impl MailboxKeys {
    /// Keys of a mailbox for one contact.
    #[must_use]
    pub fn shared(secret: [u8; 32]) -> Self {
        Self {
            shared: vec![Zeroizing::new(secret)],
            first_contact: Vec::new(),
        }
    }

    /// Keys of a mailbox for an invitation.
    #[must_use]
    pub fn first_contact(secret: FirstContactSecret) -> Self {
        Self {
            shared: Vec::new(),
            first_contact: vec![secret],
        }
    }
}

impl core::fmt::Debug for MailboxKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MailboxKeys(..)")
    }
}

/// What an envelope was.
pub(super) enum Opened {
    /// The last of a letter.
    Letter(Incoming),
    /// One of a letter that is known.
    Again(RepeatId),
    /// A part, or nothing that can be opened.
    Nothing,
}

struct Mailbox {
    network: NetworkTag,
    keys: MailboxKeys,
}

pub(super) struct Inbox {
    mailboxes: BTreeMap<MailboxId, Mailbox>,
    parts: Parts,
    garbage: u64,
    /// Letters since the repeat ids were last seen to.
    remembered: usize,
}

impl Inbox {
    pub(super) fn open(storage: &mut dyn Storage) -> Result<Self, StorageError> {
        let mut mailboxes = BTreeMap::new();
        for (mailbox, row) in storage.mailboxes()? {
            let row: MailboxRow = row::decode(&Zeroizing::new(row))?;
            let keys = MailboxKeys {
                shared: row.shared.iter().copied().map(Zeroizing::new).collect(),
                first_contact: row
                    .first_contact
                    .iter()
                    .copied()
                    .map(FirstContactSecret::from_seed)
                    .collect(),
            };
            mailboxes.insert(
                mailbox,
                Mailbox {
                    network: NetworkTag(row.network),
                    keys,
                },
            );
        }
        Ok(Self {
            mailboxes,
            parts: Parts::open(storage)?,
            garbage: 0,
            remembered: 0,
        })
    }

    pub(super) fn put(
        &mut self,
        storage: &mut dyn Storage,
        mailbox: MailboxId,
        network: NetworkTag,
        keys: MailboxKeys,
    ) -> Result<(), StorageError> {
        let row = MailboxRow {
            network: network.0,
            shared: keys.shared.iter().map(|secret| **secret).collect(),
            first_contact: keys
                .first_contact
                .iter()
                .map(|secret| *secret.seed())
                .collect(),
        };
        storage.put_mailbox(mailbox, &Zeroizing::new(row::encode(&row)?))?;
        self.mailboxes.insert(mailbox, Mailbox { network, keys });
        Ok(())
    }

    pub(super) fn remove(
        &mut self,
        storage: &mut dyn Storage,
        mailbox: MailboxId,
    ) -> Result<Option<NetworkTag>, StorageError> {
        storage.delete_mailbox(mailbox)?;
        self.parts.remove_mailbox(mailbox);
        Ok(self
            .mailboxes
            .remove(&mailbox)
            .map(|mailbox| mailbox.network))
    }

    pub(super) fn network_of(&self, mailbox: MailboxId) -> Option<NetworkTag> {
        self.mailboxes.get(&mailbox).map(|mailbox| mailbox.network)
    }

    /// Envelopes of this run that opened under no key or held no frame.
    pub(super) fn garbage(&self) -> u64 {
        self.garbage
    }

    /// Takes in an envelope: the letter, if it is whole with it.
    pub(super) fn receive(
        &mut self,
        cx: &Context<'_>,
        storage: &mut dyn Storage,
        mailbox: MailboxId,
        envelope: &Envelope,
    ) -> Result<Opened, StorageError> {
        let Some(opened) = self.unseal(mailbox, envelope) else {
            self.garbage = self.garbage.saturating_add(1);
            return Ok(Opened::Nothing);
        };
        let opened = Zeroizing::new(opened);
        let Some((head, chunk)) = frame::read(&opened) else {
            self.garbage = self.garbage.saturating_add(1);
            return Ok(Opened::Nothing);
        };
        let first_contact = envelope.is_first_contact();
        let bytes = if head.count == 1 {
            if !storage.insert_repeat(head.repeat, cx.wall())? {
                return Ok(Opened::Again(head.repeat));
            }
            Some(chunk.to_vec())
        } else if storage.is_repeat(head.repeat)? {
            // Once a letter, not once a part.
            return Ok(match head.index {
                0 => Opened::Again(head.repeat),
                _ => Opened::Nothing,
            });
        } else {
            self.join(cx, storage, mailbox, first_contact, head, chunk)?
        };
        if bytes.is_some() {
            self.remembered = self.remembered.saturating_add(1);
            if self.remembered >= timing::REPEATS_BETWEEN {
                self.remembered = 0;
                storage.keep_repeats(timing::MOST_REPEATS)?;
            }
        }
        Ok(bytes.map_or(Opened::Nothing, |bytes| {
            Opened::Letter(Incoming {
                mailbox,
                repeat: head.repeat,
                first_contact,
                bytes,
            })
        }))
    }

    fn unseal(&self, mailbox: MailboxId, envelope: &Envelope) -> Option<Vec<u8>> {
        let keys = &self.mailboxes.get(&mailbox)?.keys;
        if envelope.is_first_contact() {
            let mut secrets = keys.first_contact.iter();
            secrets.find_map(|secret| seal::open_first_contact(secret, envelope))
        } else {
            let mut secrets = keys.shared.iter();
            secrets.find_map(|secret| seal::open_regular(secret, envelope))
        }
    }

    fn join(
        &mut self,
        cx: &Context<'_>,
        storage: &mut dyn Storage,
        mailbox: MailboxId,
        first_contact: bool,
        head: FrameHead,
        chunk: &[u8],
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let part = Part {
            mailbox,
            repeat: head.repeat,
            index: head.index,
            count: head.count,
            length: head.length,
            at: cx.wall(),
            first_contact,
        };
        match self.parts.add(storage, &part, chunk)? {
            Joined::Whole(bytes) => {
                storage.insert_repeat(head.repeat, cx.wall())?;
                Ok(Some(bytes))
            }
            Joined::Incomplete => Ok(None),
            Joined::Mismatch => {
                self.garbage = self.garbage.saturating_add(1);
                Ok(None)
            }
        }
    }

    /// Forgets what has had its time.
    pub(super) fn tidy(
        &mut self,
        cx: &Context<'_>,
        storage: &mut dyn Storage,
    ) -> Result<(), StorageError> {
        storage.delete_repeats_before(cx.wall() - timing::REPEAT_MEMORY)?;
        storage.keep_repeats(timing::MOST_REPEATS)?;
        self.parts.tidy(storage, cx.wall())
    }
}
