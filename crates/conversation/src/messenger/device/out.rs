//! A device that was thrown out obeys.
//!
//! That it was follows from the state of the device room that it follows, as who is in any
//! room does: nobody but a device of that room can say it, and of two that throw each other
//! out the commit rule decides who is heard (RFC 0013, *g*). So a branch that brings it back
//! ends all of this.
//!
//! From then on nothing leaves, and nothing but the device room is listened to: what comes
//! elsewhere lies where it is, for a device that has this one's backup may fetch it. What
//! there is stays to be read.

use hushwing_delivery::{MailboxId, NetworkCommand, NetworkEvent, NetworkTag};
use hushwing_sansio::{Moment, StorageError};

use crate::messenger::find::Indexing;
use crate::messenger::{Call, Messenger, SWEEP};
use crate::storage::{MailboxUse, RoomStanding};
use crate::{Change, Command, Event, Refusal};

/// What networks tell that waits until this device is back in, should it be. It comes again
/// with another connection.
const MOST_UNHEARD: usize = 256;

/// What a device knows that was thrown out, in this run.
#[derive(Default)]
pub(in crate::messenger) struct Out {
    /// Whether it was when that was looked at last.
    now: bool,
    /// Whether what still has to be seen to was taken up.
    awake: bool,
    /// What came and was not listened to.
    unheard: Vec<(NetworkTag, NetworkEvent)>,
}

/// Whether a command looks at what is here, or changes nothing but that.
fn stays_here(command: &Command) -> bool {
    match command {
        Command::Keep { change, .. } => !matches!(change, Change::Blocked(_)),
        Command::Invitations
        | Command::Contacts
        | Command::Requests
        | Command::Introductions
        | Command::Offers
        | Command::Rename { .. }
        | Command::SafetyNumber { .. }
        | Command::Mode { .. }
        | Command::Prove { .. }
        | Command::Find { .. }
        | Command::Where { .. }
        | Command::Read { .. }
        | Command::MyProfile
        | Command::Avatar { .. }
        | Command::Conversations
        | Command::WhichConversation { .. }
        | Command::Search { .. }
        | Command::History { .. }
        | Command::Look { .. }
        | Command::Devices
        | Command::Rooms
        | Command::Room { .. } => true,
        _ => false,
    }
}

impl Messenger {
    /// Whether this device was thrown out, by the state of the device room that it follows.
    pub(in crate::messenger) fn is_out(&self) -> bool {
        self.device_standing() == Some(RoomStanding::Left)
    }

    /// Whether a command may be carried out here.
    pub(in crate::messenger) fn may(&self, command: &Command) -> bool {
        !self.is_out() || stays_here(command)
    }

    /// Whether a network may be told that: who is out takes what came, and closes what it
    /// listened to.
    pub(in crate::messenger) fn may_leave(&self, command: &NetworkCommand) -> bool {
        let quiet = matches!(
            command,
            NetworkCommand::Acknowledge { .. }
                | NetworkCommand::Cancel { .. }
                | NetworkCommand::CloseMailbox { .. }
                | NetworkCommand::WithdrawCard { .. }
        );
        quiet || !self.is_out()
    }

    /// Whether what a network tells is listened to. Of the letters to other mailboxes than
    /// that of the device room none is taken.
    pub(in crate::messenger) fn listens_to(
        &mut self,
        network: NetworkTag,
        event: &NetworkEvent,
    ) -> bool {
        if !self.is_out() {
            return true;
        }
        match event {
            NetworkEvent::Received { mailbox, .. } if self.is_of_devices(*mailbox) => true,
            NetworkEvent::Accepted { .. }
            | NetworkEvent::Failed { .. }
            | NetworkEvent::Progress { .. }
            | NetworkEvent::Reachable { .. } => true,
            _ => {
                let unheard = &mut self.devices.out.unheard;
                if unheard.len() < MOST_UNHEARD {
                    unheard.push((network, event.clone()));
                }
                false
            }
        }
    }

    /// Whether a mailbox is one of the device room.
    fn is_of_devices(&self, mailbox: MailboxId) -> bool {
        let room = self.devices.room().map(MailboxUse::Room);
        let record = self.mailboxes.get(&mailbox);
        room.is_some() && record.map(|record| record.owner) == room
    }

    /// Sees to it that nothing leaves as long as this device is out, and that what waited
    /// goes on once it is not; whether there is something to hear then.
    pub(in crate::messenger) fn obey(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<bool, StorageError> {
        let out = self.is_out();
        if core::mem::replace(&mut self.devices.out.now, out) == out {
            return Ok(false);
        }
        self.office.hold(call.cx, &mut *call.storage, out)?;
        self.tell_all_rooms();
        if out {
            self.give_mail_up(call)?;
            self.refuse_all_that_wait();
            return Ok(false);
        }
        self.resume_mailboxes(None);
        self.resume_fetches(None);
        for (network, event) in core::mem::take(&mut self.devices.out.unheard) {
            self.network(call, network, event)?;
        }
        Ok(true)
    }

    /// What was asked and waits for a network gets its answer now: that would not be heard.
    fn refuse_all_that_wait(&mut self) {
        let invites = core::mem::take(&mut self.waiting_invites).into_values();
        let joins = core::mem::take(&mut self.waiting_joins).into_values();
        for ticket in invites.chain(joins.flatten()).collect::<Vec<_>>() {
            let answer = Err(Refusal::ThrownOut);
            self.tell(Event::Answer { ticket, answer });
        }
    }

    /// A network begins anew: what was not listened to comes again.
    pub(in crate::messenger) fn forget_unheard(&mut self, network: NetworkTag) {
        let unheard = &mut self.devices.out.unheard;
        unheard.retain(|(by, _)| *by != network);
    }

    /// What is seen to while this device is out.
    pub(in crate::messenger) fn wake_out(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        if core::mem::replace(&mut self.devices.out.awake, true) {
            return Ok(());
        }
        for contact in core::mem::take(&mut self.damaged) {
            let error = StorageError::corrupt("reading a conversation");
            self.damaged(call, contact, error)?;
        }
        self.plan_vanishing(call)?;
        self.resume_indexing(call)?;
        self.resume_tidying(call)?;
        self.resume_going(call)?;
        self.wake_device_room(call)
    }

    /// What is due while this device is out.
    pub(in crate::messenger) fn timeout_out(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        self.office.handle_timeout(call.cx, &mut *call.storage)?;
        self.device_room_due(call)?;
        self.vanish_due(call)?;
        self.index_due(call)?;
        self.tidy_due(call)?;
        self.go_due(call)?;
        if self.next_sweep <= call.cx.now() {
            self.next_sweep = call.cx.now() + SWEEP;
            self.sweep_device_room(call)?;
        }
        Ok(())
    }

    /// When something is due while this device is out.
    pub(in crate::messenger) fn due_out(&self) -> Option<Moment> {
        let timers = [
            Some(self.next_sweep),
            self.device_room_due_at(),
            self.next_vanishing,
            self.indexing.as_ref().map(Indexing::due),
            self.tidying.due(),
            self.going.due(),
            self.office.poll_timeout(),
        ];
        timers.into_iter().flatten().min()
    }
}
