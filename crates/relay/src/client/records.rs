//! The records the client stores, and their encoding.

use hushwing_sansio::{StorageError, StorageErrorKind};
use zeroize::Zeroizing;

use crate::address::Server;
use crate::wire::{Malformed, QueueMode, Reader, TooLong, Writer};

/// Version byte of both kinds of record.
const VERSION: u8 = 1;

/// A mailbox: a queue of ours, wanted or made.
pub(super) struct MailboxRecord {
    /// Where it lies.
    pub(super) server: Server,
    /// Who may write.
    pub(super) mode: QueueMode,
    /// Seed of the key that authorises our commands.
    pub(super) seed: Zeroizing<[u8; 32]>,
    /// How far it has come.
    pub(super) queue: Queue,
    /// The link to it, for invitations.
    pub(super) link: Option<Link>,
    /// It was closed and is to be deleted at the server.
    pub(super) closing: bool,
}

/// How far the making of a queue has come.
pub(super) enum Queue {
    /// The server may or may not have been asked.
    Wanted {
        /// X25519 private key for the box around messages.
        dh: Zeroizing<[u8; 32]>,
    },
    /// The server made it.
    Made(Made),
    /// The server does not have it any more. Kept until the room above closes
    /// the mailbox: whoever crashes between our commit and theirs must be told
    /// again.
    Lost,
}

/// What the server answered.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) recipient_id: Vec<u8>,
    pub(super) sender_id: Vec<u8>,
    /// Whether the first sender locks it with a key.
    pub(super) lockable: bool,
    /// Derived key of the box around messages.
    pub(super) box_key: Zeroizing<[u8; 32]>,
}

/// The link of an invitation.
pub(super) struct Link {
    pub(super) id: Vec<u8>,
    /// The sealed fixed data. Sealing it anew would change its nonce, and the
    /// server demands the same bytes with every change.
    pub(super) fixed: Vec<u8>,
    pub(super) work: LinkWork,
}

/// What is still to be told to the server about a link.
pub(super) enum LinkWork {
    /// Nothing.
    Done,
    /// Its data, sealed; the mailbox is opened by that.
    Publish { user: Vec<u8> },
    /// New user data, sealed.
    Replace { user: Vec<u8> },
    /// That it is taken down.
    Withdraw,
}

impl MailboxRecord {
    pub(super) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        let mut out = Zeroizing::new(vec![VERSION]);
        let mut w = Writer::new(&mut out);
        self.server.write(&mut w);
        self.mode.write(&mut w);
        w.raw(self.seed.as_slice()).bool(self.closing);
        match &self.queue {
            Queue::Wanted { dh } => {
                w.u8(0).raw(dh.as_slice());
            }
            Queue::Made(made) => {
                w.u8(1)
                    .str(&made.recipient_id)
                    .str(&made.sender_id)
                    .bool(made.lockable);
                w.raw(made.box_key.as_slice());
            }
            Queue::Lost => {
                w.u8(2);
            }
        }
        w.opt(self.link.as_ref(), |w, link| {
            w.str(&link.id).big(&link.fixed);
            match &link.work {
                LinkWork::Done => w.u8(0),
                LinkWork::Publish { user } => w.u8(1).big(user),
                LinkWork::Replace { user } => w.u8(2).big(user),
                LinkWork::Withdraw => w.u8(3),
            };
        });
        w.check().map_err(unstorable)?;
        Ok(out)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StorageError> {
        Self::read(bytes).map_err(|_| StorageError::corrupt("reading a mailbox"))
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        r.expect(VERSION)?;
        let server = Server::read(&mut r)?;
        let mode = QueueMode::read(&mut r)?;
        let seed = Zeroizing::new(*r.array()?);
        let closing = r.bool()?;
        let queue = match r.u8()? {
            0 => Queue::Wanted {
                dh: Zeroizing::new(*r.array()?),
            },
            1 => Queue::Made(Made {
                recipient_id: r.str()?.to_vec(),
                sender_id: r.str()?.to_vec(),
                lockable: r.bool()?,
                box_key: Zeroizing::new(*r.array()?),
            }),
            2 => Queue::Lost,
            _ => return Err(Malformed),
        };
        let link = r.opt(read_link)?;
        r.finish()?;
        Ok(Self {
            server,
            mode,
            seed,
            queue,
            link,
            closing,
        })
    }
}

fn read_link(r: &mut Reader<'_>) -> Result<Link, Malformed> {
    let id = r.str()?.to_vec();
    let fixed = r.big()?.to_vec();
    let work = match r.u8()? {
        0 => LinkWork::Done,
        1 => LinkWork::Publish {
            user: r.big()?.to_vec(),
        },
        2 => LinkWork::Replace {
            user: r.big()?.to_vec(),
        },
        3 => LinkWork::Withdraw,
        _ => return Err(Malformed),
    };
    Ok(Link { id, fixed, work })
}

/// Our key at a queue of somebody else, or at a one-time link.
pub(super) struct SenderKey {
    /// Seed of the key that authorises what we send.
    pub(super) seed: Zeroizing<[u8; 32]>,
    /// Whether the server is known to have it.
    pub(super) confirmed: bool,
    /// What the link led to. The server forgets it with the first message, but
    /// who opened a link may look again.
    pub(super) card: Option<FetchedCard>,
}

/// What was found behind a one-time link.
#[derive(Clone)]
pub(super) struct FetchedCard {
    pub(super) sender_id: Vec<u8>,
    pub(super) fixed: Vec<u8>,
    pub(super) bundle: Vec<u8>,
}

impl SenderKey {
    pub(super) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        let mut out = Zeroizing::new(vec![VERSION]);
        let mut w = Writer::new(&mut out);
        w.raw(self.seed.as_slice()).bool(self.confirmed);
        w.opt(self.card.as_ref(), |w, card| {
            w.str(&card.sender_id).big(&card.fixed).big(&card.bundle);
        });
        w.check().map_err(unstorable)?;
        Ok(out)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StorageError> {
        Self::read(bytes).map_err(|Malformed| StorageError::corrupt("reading a sender key"))
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        r.expect(VERSION)?;
        let seed = Zeroizing::new(*r.array()?);
        let confirmed = r.bool()?;
        let card = r.opt(|r| {
            Ok(FetchedCard {
                sender_id: r.str()?.to_vec(),
                fixed: r.big()?.to_vec(),
                bundle: r.big()?.to_vec(),
            })
        })?;
        r.finish()?;
        Ok(Self {
            seed,
            confirmed,
            card,
        })
    }
}

/// What a sender key is stored under: a mark, the server, the id.
pub(super) fn key_name(mark: KeyName, server: &Server, id: &[u8]) -> Vec<u8> {
    let mark = match mark {
        KeyName::Queue => b'q',
        KeyName::Link => b'l',
    };
    [&[mark], server.fingerprint.as_slice(), id].concat()
}

/// Whether a sender key belongs to a queue or to a link not resolved yet.
#[derive(Clone, Copy)]
pub(super) enum KeyName {
    Queue,
    Link,
}

fn unstorable(cause: TooLong) -> StorageError {
    StorageError::new(StorageErrorKind::Failed, "encoding a record").because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(queue: Queue, link: Option<Link>) -> MailboxRecord {
        MailboxRecord {
            server: Server {
                fingerprint: [1; 32],
                hosts: vec!["relay.test".into()],
                port: 5223,
            },
            mode: QueueMode::Messaging,
            seed: Zeroizing::new([2; 32]),
            queue,
            link,
            closing: true,
        }
    }

    fn made() -> Queue {
        Queue::Made(Made {
            recipient_id: vec![3; 24],
            sender_id: vec![4; 24],
            lockable: true,
            box_key: Zeroizing::new([5; 32]),
        })
    }

    #[test]
    fn every_stage_of_a_mailbox_survives_storage() {
        let publish = LinkWork::Publish {
            user: vec![7; 13_824],
        };
        let replace = LinkWork::Replace {
            user: vec![7; 13_824],
        };
        for work in [LinkWork::Done, publish, replace, LinkWork::Withdraw] {
            let link = Some(Link {
                id: vec![8; 24],
                fixed: vec![6; 2_048],
                work,
            });
            let bytes = record(made(), link).encode().unwrap();
            let again = MailboxRecord::decode(&bytes).unwrap();
            assert_eq!(*again.encode().unwrap(), *bytes);
        }
        let wanted = Queue::Wanted {
            dh: Zeroizing::new([9; 32]),
        };
        for queue in [wanted, Queue::Lost] {
            let bytes = record(queue, None).encode().unwrap();
            let again = MailboxRecord::decode(&bytes).unwrap();
            assert_eq!(*again.encode().unwrap(), *bytes);
        }
    }

    #[test]
    fn damaged_records_are_told_as_damage() {
        let bytes = record(made(), None).encode().unwrap();
        for end in 0..bytes.len() {
            let error = MailboxRecord::decode(&bytes[..end]).err().unwrap();
            assert_eq!(error.kind, StorageErrorKind::Corrupt);
        }
        assert!(SenderKey::decode(&[1; 5]).is_err());
    }

    #[test]
    fn sender_keys_survive_storage() {
        let card = FetchedCard {
            sender_id: vec![1; 24],
            fixed: vec![2; 33],
            bundle: vec![3; 13_782],
        };
        for card in [None, Some(card)] {
            let key = SenderKey {
                seed: Zeroizing::new([1; 32]),
                confirmed: true,
                card,
            };
            let bytes = key.encode().unwrap();
            let again = SenderKey::decode(&bytes).unwrap();
            assert_eq!(*again.encode().unwrap(), *bytes);
        }
    }
}
