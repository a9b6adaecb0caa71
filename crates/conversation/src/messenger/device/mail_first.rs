//! Before this device throws another out it fetches what the others said.
//!
//! It may have been off for long, and been thrown out itself meanwhile: a lost one that is
//! switched on again would else throw out those that took its place, and be heard where its
//! leaf is the lower one. So it writes to its own mailboxes in the device room. What comes back
//! shows that all that lay there before it is read. That is done for each, since what was read
//! an hour ago says nothing of today. The others write such things to all mailboxes that they
//! know; so where a relay does not answer, it is enough that one of those was read. What cannot
//! be fetched in time is refused.

use core::time::Duration;

use hushwing_delivery::{Keep, Letter, PostError, Urgency};
use hushwing_sansio::{Moment, StorageError};

use crate::letter::LetterBody;
use crate::messenger::mailbox::shared_address;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{MailboxUse, RoomStanding};
use crate::{Event, MemberId, Refusal, Reply, RoomId, Ticket};

/// How long what I wrote to myself has to come back.
const PATIENCE: Duration = Duration::from_secs(20);
/// Revocations that wait for it; a person asks for few.
const MOST_WAITING: usize = 16;

/// What waits until the mailboxes of the device room were read.
#[derive(Default)]
pub(super) struct MailFirst {
    asked: Option<Asked>,
}

/// What I wrote to myself.
struct Asked {
    /// What has not come back.
    open: Vec<Mark>,
    /// Whether a mailbox was read that the others are told.
    one_read: bool,
    until: Moment,
    waiting: Vec<(Ticket, MemberId)>,
}

/// What I wrote to one mailbox.
struct Mark {
    mark: [u8; 16],
    letter: u64,
    /// Whether the others are told that mailbox.
    serves: bool,
}

impl super::Devices {
    /// When what cannot be fetched is given up.
    pub(in crate::messenger) fn mail_due_at(&self) -> Option<Moment> {
        self.mail.asked.as_ref().map(|asked| asked.until)
    }
}

impl Messenger {
    /// Throws a device out, once what the others said was read.
    pub(in crate::messenger) fn revoke_once_read(
        &mut self,
        call: &mut Call<'_, '_>,
        ticket: Ticket,
        device: MemberId,
    ) -> Result<Option<Reply>, Stop> {
        let room = self.devices.record.room;
        let inside = self.device_standing() == Some(RoomStanding::Member);
        let known = room.is_some_and(|room| {
            let mut there = self.rooms.present_in(room);
            there.any(|one| one.member == device && !one.mine)
        });
        let Some(room) = room.filter(|_| inside && known) else {
            return self.revoke_device(call, device).map(Some);
        };
        if self.devices.mail.asked.is_none() {
            self.ask_for_mail(call, room)?;
        }
        match &mut self.devices.mail.asked {
            Some(asked) if asked.waiting.len() < MOST_WAITING => {
                asked.waiting.push((ticket, device));
                Ok(None)
            }
            _ => Err(Refusal::MailUnread.into()),
        }
    }

    /// Writes to each mailbox that I have in the device room.
    fn ask_for_mail(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        let key = self.rooms.key_in(room).to_vec();
        let service = self.in_service(room);
        let mailboxes = self.mailboxes.iter();
        let mine = mailboxes.filter(|(_, record)| record.owner == MailboxUse::Room(room));
        let told = mine.map(|(id, record)| (shared_address(record), service.contains(id)));
        let addresses: Vec<_> = told
            .filter_map(|(to, serves)| Some((to?, serves)))
            .collect();
        let mut open = Vec::new();
        for (address, serves) in addresses {
            let mark = call.cx.random();
            let letter = Letter {
                to: vec![address],
                last_resort: Vec::new(),
                bytes: LetterBody::room(&key, &mark),
                urgency: Urgency::Normal,
                keep: Keep::UntilAccepted,
            };
            match self.office.post(call.cx, &mut *call.storage, &letter) {
                Ok(letter) => open.push(Mark {
                    mark,
                    letter: letter.0,
                    serves,
                }),
                Err(PostError::Storage(error)) => return Err(error),
                Err(_) => {}
            }
        }
        self.devices.mail.asked = (!open.is_empty()).then(|| Asked {
            open,
            one_read: false,
            until: call.cx.now() + PATIENCE,
            waiting: Vec::new(),
        });
        Ok(())
    }

    /// A letter came to the device room that bears my name; whether I wrote it to see what
    /// lies there.
    pub(in crate::messenger) fn heard_own_mark(
        &mut self,
        call: &mut Call<'_, '_>,
        items: &[&[u8]],
    ) -> Result<bool, StorageError> {
        let Some(asked) = &mut self.devices.mail.asked else {
            return Ok(false);
        };
        let mut open = asked.open.iter();
        let Some(at) = open.position(|one| items == [one.mark.as_slice()]) else {
            return Ok(false);
        };
        asked.one_read |= asked.open.remove(at).serves;
        if asked.open.is_empty() {
            self.go_on_with_revoking(call)?;
        }
        Ok(true)
    }

    /// What lay there is read: what waited for it is done, if it still may be.
    fn go_on_with_revoking(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let Some(asked) = self.devices.mail.asked.take() else {
            return Ok(());
        };
        for one in asked.open {
            self.recall(call, one.letter)?;
        }
        for (ticket, device) in asked.waiting {
            let answer = match self.is_out() {
                true => Err(Refusal::ThrownOut),
                false => match self.revoke_device(call, device) {
                    Ok(reply) => Ok(reply),
                    Err(Stop::Refused(refusal)) => Err(refusal),
                    Err(Stop::Storage(error)) => return Err(error),
                },
            };
            self.tell(Event::Answer { ticket, answer });
        }
        Ok(())
    }

    /// What was not fetched in time is given up, and nobody thrown out.
    pub(in crate::messenger) fn mail_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        match &self.devices.mail.asked {
            Some(asked) if asked.until > call.cx.now() => Ok(()),
            Some(asked) if asked.one_read => self.go_on_with_revoking(call),
            Some(_) => self.give_mail_up(call),
            None => Ok(()),
        }
    }

    /// Nothing is waited for any more.
    pub(in crate::messenger) fn give_mail_up(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let Some(asked) = self.devices.mail.asked.take() else {
            return Ok(());
        };
        for one in asked.open {
            self.recall(call, one.letter)?;
        }
        let reason = match self.is_out() {
            true => Refusal::ThrownOut,
            false => Refusal::MailUnread,
        };
        for (ticket, _) in asked.waiting {
            let answer = Err(reason);
            self.tell(Event::Answer { ticket, answer });
        }
        Ok(())
    }
}
