//! The commands of this slice: parsing, writing, and what each demands of its
//! transmission (SMP 5).

use super::key::{AuthKey, DhPublic};
use super::{CommandError, Malformed, Reader, SmpError, Transmission, Version, Writer};

/// What a queue is for. It decides who may secure it and how its link is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueMode {
    /// One sender, who may secure the queue (`SKEY`, `LKEY`).
    Messaging,
    /// Many senders, open link (`LGET`).
    Contact,
}

impl QueueMode {
    /// Reads `M` or `C`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for anything else.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        match r.u8()? {
            b'M' => Ok(Self::Messaging),
            b'C' => Ok(Self::Contact),
            _ => Err(Malformed),
        }
    }

    /// Writes `M` or `C`.
    pub fn write(self, w: &mut Writer<'_>) {
        w.u8(match self {
            Self::Messaging => b'M',
            Self::Contact => b'C',
        });
    }
}

/// The two blobs behind a link. Servers store them as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LinkData<'a> {
    /// Never changes; clients send 2,048 bytes.
    pub fixed: &'a [u8],
    /// The owner may change it; clients send 13,824 bytes.
    pub user: &'a [u8],
}

impl<'a> LinkData<'a> {
    pub(crate) fn read(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            fixed: r.big()?,
            user: r.big()?,
        })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) {
        w.big(self.fixed).big(self.user);
    }
}

/// What `NEW` says of mode and link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum QueueRequest<'a> {
    /// No mode: a client below version 9, or one that leaves it out.
    Unspecified,
    /// A messaging queue; with a link, the sender id is the client's choice
    /// and the link id the server's.
    Messaging(Option<(&'a [u8], LinkData<'a>)>),
    /// A contact queue; with a link, link id and sender id are the client's
    /// choice, in this order.
    Contact(Option<(&'a [u8], &'a [u8], LinkData<'a>)>),
}

impl<'a> QueueRequest<'a> {
    /// The mode asked for.
    #[must_use]
    pub const fn mode(&self) -> Option<QueueMode> {
        match self {
            Self::Unspecified => None,
            Self::Messaging(_) => Some(QueueMode::Messaging),
            Self::Contact(_) => Some(QueueMode::Contact),
        }
    }

    fn read(r: &mut Reader<'a>, version: Version) -> Result<Self, Malformed> {
        if version.has_links() {
            return Ok(r.opt(Self::read_linked)?.unwrap_or(Self::Unspecified));
        }
        if !version.has_sender_key() {
            return Ok(Self::Unspecified);
        }
        Ok(if r.bool()? {
            Self::Messaging(None)
        } else {
            Self::Contact(None)
        })
    }

    fn read_linked(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        match QueueMode::read(r)? {
            QueueMode::Messaging => r
                .opt(|r| Ok((r.str()?, LinkData::read(r)?)))
                .map(Self::Messaging),
            QueueMode::Contact => r
                .opt(|r| Ok((r.str()?, r.str()?, LinkData::read(r)?)))
                .map(Self::Contact),
        }
    }

    fn write(&self, w: &mut Writer<'_>, version: Version) {
        if version.has_links() {
            w.opt(self.mode(), |w, mode| {
                mode.write(w);
                self.write_link(w);
            });
        } else if version.has_sender_key() {
            w.bool(self.mode() == Some(QueueMode::Messaging));
        }
    }

    fn write_link(&self, w: &mut Writer<'_>) {
        match *self {
            Self::Unspecified => {}
            Self::Messaging(link) => {
                w.opt(link, |w, (sender, data)| data.write(w.str(sender)));
            }
            Self::Contact(link) => {
                w.opt(link, |w, (id, sender, data)| {
                    data.write(w.str(id).str(sender))
                });
            }
        }
    }
}

/// Keys of a notifier, given with `NEW`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotifierKeys {
    /// Authorises the notifier's commands.
    pub auth: AuthKey,
    /// Agrees the key that boxes notification metadata.
    pub dh: DhPublic,
}

/// Parameters of `NEW`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NewQueue<'a> {
    /// Authorises the recipient's commands, this one too.
    pub auth: AuthKey,
    /// Agrees the key that boxes delivered messages.
    pub dh: DhPublic,
    /// The server's password for creating queues.
    pub password: Option<&'a [u8]>,
    /// Whether the connection is subscribed at once.
    pub subscribe: bool,
    /// Mode and link.
    pub request: QueueRequest<'a>,
    /// Notifier keys (from version 17).
    pub notifier: Option<NotifierKeys>,
}

impl<'a> NewQueue<'a> {
    fn read(r: &mut Reader<'a>, version: Version) -> Result<Self, Malformed> {
        let auth = AuthKey::read(r)?;
        let dh = DhPublic::read(r)?;
        let password = if version.has_sender_key() {
            r.opt(Reader::str)?
        } else if r.rest().first() == Some(&b'A') {
            r.expect(b'A')?;
            Some(r.str()?)
        } else {
            None
        };
        let subscribe = match r.u8()? {
            b'S' => true,
            b'C' => false,
            _ => return Err(Malformed),
        };
        let request = QueueRequest::read(r, version)?;
        let notifier = if version.has_notifier_keys() {
            r.opt(|r| {
                Ok(NotifierKeys {
                    auth: AuthKey::read(r)?,
                    dh: DhPublic::read(r)?,
                })
            })?
        } else {
            None
        };
        Ok(Self {
            auth,
            dh,
            password,
            subscribe,
            request,
            notifier,
        })
    }

    fn write(&self, w: &mut Writer<'_>, version: Version) {
        self.auth.write(w);
        self.dh.write(w);
        if version.has_sender_key() {
            w.opt(self.password, |w, password| {
                w.str(password);
            });
        } else if let Some(password) = self.password {
            w.u8(b'A').str(password);
        }
        w.u8(if self.subscribe { b'S' } else { b'C' });
        self.request.write(w, version);
        if version.has_notifier_keys() {
            w.opt(self.notifier, |w, keys| {
                keys.auth.write(w);
                keys.dh.write(w);
            });
        }
    }
}

/// One or more keys, encoded as `list1 key` and checked to be that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyList<'a>(&'a [u8]);

impl<'a> KeyList<'a> {
    /// The keys.
    #[must_use]
    pub fn keys(&self) -> Vec<AuthKey> {
        Reader::new(self.0).list1(AuthKey::read).unwrap_or_default()
    }

    /// Checks an encoded list.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is empty, is no list of keys, or is followed by
    /// anything.
    pub fn parse(list: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(list);
        r.list1(AuthKey::read)?;
        r.finish()?;
        Ok(Self(list))
    }
}

/// A command. It borrows from the block it was read from.
#[expect(
    clippy::large_enum_variant,
    reason = "one lives on the stack while its command runs"
)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// Create a queue.
    New(NewQueue<'a>),
    /// Subscribe to a queue.
    Sub,
    /// Set the sender's key, by the recipient.
    Key(AuthKey),
    /// Set the recipient's keys, in place of those before.
    RKey(KeyList<'a>),
    /// Set the sender's key, by the sender.
    SKey(AuthKey),
    /// Set link data.
    LSet {
        /// The link.
        link_id: &'a [u8],
        /// Its data.
        data: LinkData<'a>,
    },
    /// Remove link data.
    LDel,
    /// Set the sender's key and read link data.
    LKey(AuthKey),
    /// Read link data.
    LGet,
    /// Store a message.
    Send {
        /// Whether a notifier may be told.
        notify: bool,
        /// The body.
        body: &'a [u8],
    },
    /// Read the first message without subscribing.
    Get,
    /// Delete the delivered message and ask for the next.
    Ack(&'a [u8]),
    /// Refuse further messages.
    Off,
    /// Delete the queue.
    Del,
    /// Tell about the queue.
    Que,
    /// Is the server there?
    Ping,
}

impl<'a> Command<'a> {
    /// Parses the text of a transmission.
    ///
    /// # Errors
    ///
    /// [`CommandError::Unknown`] for a tag that is not served,
    /// [`CommandError::Syntax`] for wrong parameters.
    pub fn parse(text: &'a [u8], version: Version) -> Result<Self, CommandError> {
        let end = text
            .iter()
            .position(|byte| *byte == b' ')
            .unwrap_or(text.len());
        let (tag, rest) = text.split_at(end);
        let mut r = Reader::new(rest);
        let command = match tag {
            b"SUB" => Self::Sub,
            b"LDEL" => Self::LDel,
            b"LGET" => Self::LGet,
            b"GET" => Self::Get,
            b"OFF" => Self::Off,
            b"DEL" => Self::Del,
            b"QUE" => Self::Que,
            b"PING" => Self::Ping,
            b"NEW" | b"KEY" | b"RKEY" | b"SKEY" | b"LSET" | b"LKEY" | b"SEND" | b"ACK" => {
                r.expect(b' ')?;
                Self::parameters(tag, &mut r, version)?
            }
            _ => return Err(CommandError::Unknown),
        };
        r.finish()?;
        Ok(command)
    }

    fn parameters(tag: &[u8], r: &mut Reader<'a>, version: Version) -> Result<Self, Malformed> {
        Ok(match tag {
            b"NEW" => Self::New(NewQueue::read(r, version)?),
            b"KEY" => Self::Key(AuthKey::read(r)?),
            b"RKEY" => Self::RKey(KeyList::parse(r.tail())?),
            b"SKEY" => Self::SKey(AuthKey::read(r)?),
            b"LSET" => Self::LSet {
                link_id: r.str()?,
                data: LinkData::read(r)?,
            },
            b"LKEY" => Self::LKey(AuthKey::read(r)?),
            b"ACK" => Self::Ack(r.str()?),
            b"SEND" => {
                let notify = read_flags(r)?;
                Self::Send {
                    notify,
                    body: r.tail(),
                }
            }
            _ => return Err(Malformed),
        })
    }

    /// Writes tag and parameters.
    pub fn write(&self, w: &mut Writer<'_>, version: Version) {
        match self {
            Self::New(queue) => queue.write(w.raw(b"NEW "), version),
            Self::Sub => {
                w.raw(b"SUB");
            }
            Self::Key(key) => key.write(w.raw(b"KEY ")),
            Self::RKey(keys) => {
                w.raw(b"RKEY ").raw(keys.0);
            }
            Self::SKey(key) => key.write(w.raw(b"SKEY ")),
            Self::LSet { link_id, data } => data.write(w.raw(b"LSET ").str(link_id)),
            Self::LDel => {
                w.raw(b"LDEL");
            }
            Self::LKey(key) => key.write(w.raw(b"LKEY ")),
            Self::LGet => {
                w.raw(b"LGET");
            }
            Self::Send { notify, body } => {
                w.raw(b"SEND ").bool(*notify).u8(b' ').raw(body);
            }
            Self::Get => {
                w.raw(b"GET");
            }
            Self::Ack(id) => {
                w.raw(b"ACK ").str(id);
            }
            Self::Off => {
                w.raw(b"OFF");
            }
            Self::Del => {
                w.raw(b"DEL");
            }
            Self::Que => {
                w.raw(b"QUE");
            }
            Self::Ping => {
                w.raw(b"PING");
            }
        }
    }

    /// Checks that the transmission has authorisation and entity where this
    /// command demands them and nowhere else; to be done before any look-up.
    ///
    /// # Errors
    ///
    /// The `CMD` error to answer, or `SERVICE` for a service signature, which
    /// no session of this server can have.
    pub fn check_credentials(&self, transmission: &Transmission<'_>) -> Result<(), SmpError> {
        let auth = !transmission.authorisation.is_empty();
        let entity = !transmission.entity_id.is_empty();
        let wrong = match self {
            Self::New(_) if !auth => Some(CommandError::NoAuth),
            Self::New(_) if entity => Some(CommandError::HasAuth),
            Self::New(_) => None,
            Self::Send { .. } if !entity => Some(CommandError::NoEntity),
            Self::Send { .. } => None,
            Self::Ping if auth || entity => Some(CommandError::HasAuth),
            Self::Ping => None,
            Self::LGet if !entity => Some(CommandError::NoEntity),
            Self::LGet if auth => Some(CommandError::HasAuth),
            Self::LGet => None,
            _ if !(auth && entity) => Some(CommandError::NoAuth),
            _ => None,
        };
        match wrong {
            Some(error) => Err(error.into()),
            None if transmission.service_signature.is_some() => Err(SmpError::Service),
            None => Ok(()),
        }
    }
}

/// Flags of a message: `T` or `F` for the notifier, then bytes later versions
/// may add, then a space.
pub(crate) fn read_flags(r: &mut Reader<'_>) -> Result<bool, Malformed> {
    let mut flags = Reader::new(r.until(b' ')?);
    flags.bool()
}
