//! Answers and events (SMP 5 and 6).

use super::command::{LinkData, QueueMode};
use super::key::DhPublic;
use super::{Malformed, Reader, SmpError, Version, Writer};

/// The answer to `NEW`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ids<'a> {
    /// The recipient's name for the queue.
    pub recipient_id: &'a [u8],
    /// The sender's name for it.
    pub sender_id: &'a [u8],
    /// Agrees the key that boxes delivered messages.
    pub server_dh: DhPublic,
    /// The mode; below version 15 only whether the sender may secure.
    pub mode: Option<QueueMode>,
    /// The link's id, if link data was given.
    pub link_id: Option<&'a [u8]>,
    /// The service the queue belongs to.
    pub service_id: Option<&'a [u8]>,
    /// The notifier's name for the queue and the server's key for it.
    pub notifier: Option<(&'a [u8], DhPublic)>,
}

impl<'a> Ids<'a> {
    fn read(r: &mut Reader<'a>, version: Version) -> Result<Self, Malformed> {
        let mut ids = Self {
            recipient_id: r.str()?,
            sender_id: r.str()?,
            server_dh: DhPublic::read(r)?,
            mode: None,
            link_id: None,
            service_id: None,
            notifier: None,
        };
        if version.has_links() {
            ids.mode = r.opt(QueueMode::read)?;
            ids.link_id = r.opt(Reader::str)?;
        } else if version.has_sender_key() {
            ids.mode = Some(if r.bool()? {
                QueueMode::Messaging
            } else {
                QueueMode::Contact
            });
        }
        if version.has_services() {
            ids.service_id = r.opt(Reader::str)?;
        }
        if version.has_notifier_keys() {
            ids.notifier = r.opt(|r| Ok((r.str()?, DhPublic::read(r)?)))?;
        }
        Ok(ids)
    }

    fn write(&self, w: &mut Writer<'_>, version: Version) {
        w.str(self.recipient_id).str(self.sender_id);
        self.server_dh.write(w);
        if version.has_links() {
            w.opt(self.mode, |w, mode| mode.write(w))
                .opt(self.link_id, |w, id| {
                    w.str(id);
                });
        } else if version.has_sender_key() {
            w.bool(self.mode == Some(QueueMode::Messaging));
        }
        if version.has_services() {
            w.opt(self.service_id, |w, id| {
                w.str(id);
            });
        }
        if version.has_notifier_keys() {
            w.opt(self.notifier, |w, (id, key)| key.write(w.str(id)));
        }
    }
}

/// An answer or event. It borrows from the block it was read from.
#[derive(Clone, PartialEq, Eq)]
pub enum Response<'a> {
    /// The queue was created.
    Ids(Ids<'a>),
    /// Subscribed; the service the subscription belongs to. Sent as `OK`
    /// below version 16.
    SOk(Option<&'a [u8]>),
    /// Done.
    Ok,
    /// A message: its id and the box of 16,122 bytes.
    Msg {
        /// The id, which is the nonce of the box.
        id: &'a [u8],
        /// The box, see [`super::message`].
        sealed: &'a [u8],
    },
    /// Link data and the sender's name for the queue behind it.
    Lnk {
        /// The sender's name for the queue.
        sender_id: &'a [u8],
        /// The two blobs.
        data: LinkData<'a>,
    },
    /// What the server says of a queue, JSON.
    Info(&'a [u8]),
    /// The server is there.
    Pong,
    /// Another connection took the subscription over.
    End,
    /// Another connection deleted the queue. Sent as `END` below version 10.
    Deld,
    /// Refused.
    Err(SmpError),
}

impl<'a> Response<'a> {
    /// Parses the text of a transmission.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for an unknown tag, wrong parameters or bytes left over.
    pub fn parse(text: &'a [u8], version: Version) -> Result<Self, Malformed> {
        let end = text
            .iter()
            .position(|byte| *byte == b' ')
            .unwrap_or(text.len());
        let (tag, rest) = text.split_at(end);
        let mut r = Reader::new(rest);
        let response = match tag {
            b"OK" => Self::Ok,
            b"PONG" => Self::Pong,
            b"END" => Self::End,
            b"DELD" => Self::Deld,
            _ => {
                r.expect(b' ')?;
                Self::parameters(tag, &mut r, version)?
            }
        };
        r.finish()?;
        Ok(response)
    }

    fn parameters(tag: &[u8], r: &mut Reader<'a>, version: Version) -> Result<Self, Malformed> {
        Ok(match tag {
            b"IDS" => Self::Ids(Ids::read(r, version)?),
            b"SOK" => Self::SOk(r.opt(Reader::str)?),
            b"MSG" => Self::Msg {
                id: r.str()?,
                sealed: r.tail(),
            },
            b"LNK" => Self::Lnk {
                sender_id: r.str()?,
                data: LinkData::read(r)?,
            },
            b"INFO" => Self::Info(r.tail()),
            b"ERR" => Self::Err(SmpError::parse(r.tail())),
            _ => return Err(Malformed),
        })
    }

    /// Writes tag and parameters as `version` wants them.
    pub fn write(&self, w: &mut Writer<'_>, version: Version) {
        match self {
            Self::Ids(ids) => ids.write(w.raw(b"IDS "), version),
            Self::SOk(service) if version.has_services() => {
                w.raw(b"SOK ").opt(*service, |w, id| {
                    w.str(id);
                });
            }
            Self::Ok | Self::SOk(_) => {
                w.raw(b"OK");
            }
            Self::Msg { id, sealed } => {
                w.raw(b"MSG ").str(id).raw(sealed);
            }
            Self::Lnk { sender_id, data } => data.write(w.raw(b"LNK ").str(sender_id)),
            Self::Info(json) => {
                w.raw(b"INFO ").raw(json);
            }
            Self::Pong => {
                w.raw(b"PONG");
            }
            Self::Deld if version.has_deleted_event() => {
                w.raw(b"DELD");
            }
            Self::End | Self::Deld => {
                w.raw(b"END");
            }
            Self::Err(error) => error.write(w.raw(b"ERR "), version),
        }
    }
}
