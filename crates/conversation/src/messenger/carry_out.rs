//! Which part of the messenger carries out which command.

use super::stop::Stop;
use super::{Call, Messenger};
use crate::storage::RoomLinkRecord;
use crate::{Command, Refusal, Reply, Ticket};

impl Messenger {
    /// Carries a command out; no reply means that one follows later.
    pub(super) fn carry_out(
        &mut self,
        call: &mut Call<'_, '_>,
        ticket: Ticket,
        command: Command,
    ) -> Result<Option<Reply>, Stop> {
        if !self.may(&command) {
            return Err(Refusal::ThrownOut.into());
        }
        Ok(Some(match command {
            Command::Invite { reusable, network } => {
                self.invite(call, ticket, reusable, network)?;
                return Ok(None);
            }
            Command::InviteToRoom {
                room,
                reusable,
                open,
            } => {
                let leads = RoomLinkRecord { room, open };
                self.invite_to_room(call, ticket, reusable, leads)?;
                return Ok(None);
            }
            Command::Join { link } => {
                self.join(call, ticket, &link, false)?;
                return Ok(None);
            }
            Command::JoinRoom { link } => {
                self.join(call, ticket, &link, true)?;
                return Ok(None);
            }
            Command::Withdraw { invitation } => self.withdraw(call, invitation)?,
            Command::Invitations => self.list_invitations(call)?,
            Command::Contacts => self.list_contacts(),
            Command::Requests => self.list_requests(),
            Command::Introduce { one, other, word } => {
                self.introduce(call, one, other, word.as_deref())?
            }
            Command::Introductions => Self::list_introductions(call)?,
            Command::Offers => self.list_offers(),
            Command::AcceptIntroduction { request } => self.accept_introduction(call, request)?,
            Command::RefuseIntroduction { request } => self.refuse_introduction(call, request)?,
            Command::Accept { contact } => self.accept(call, contact)?,
            Command::Refuse { contact } => self.refuse(call, contact)?,
            Command::Rename { contact, name } => self.rename(call, contact, &name)?,
            Command::SafetyNumber { contact } => self.safety_number(call, contact)?,
            Command::Verify { contact, number } => self.verify(call, contact, &number)?,
            Command::Mode { contact } => self.mode(contact)?,
            Command::SetMode { contact, mode } => self.set_mode(call, contact, mode)?,
            Command::Prove { message } => self.prove(call, &message)?,
            Command::Rotate { contact } => self.rotate_on_demand(call, contact)?,
            Command::Send {
                contact,
                text,
                reply_to,
            } => self.send(call, contact, &text, reply_to)?,
            Command::List(command) => self.lists(call, command)?,
            Command::Edit { message, text } if self.lists.names(&message) => {
                self.edit_post(call, &message, text)?
            }
            Command::Delete { message } if self.lists.names(&message) => {
                self.delete_post(call, &message)?
            }
            Command::Where { message } if self.lists.names(&message) => {
                self.whereabouts_of_post(call, &message)?
            }
            Command::Edit { message, text } => self.edit(call, &message, &text)?,
            Command::Delete { message } => self.delete(call, &message)?,
            Command::React { message, mark } => self.react(call, &message, &mark)?,
            Command::Find { prefix } => self.find(call, &prefix)?,
            Command::Where { message } => self.whereabouts(call, &message)?,
            Command::Read {
                contact,
                before,
                most,
            } => self.read(call, contact, before, most, true)?,
            Command::Look {
                conversation,
                before,
                most,
            } => {
                let contact = self.contact_in(conversation)?;
                self.read(call, contact, before, most, false)?
            }
            Command::SetProfile(change) => self.set_profile(call, change)?,
            Command::MyProfile => self.my_profile(),
            Command::Avatar { contact } => self.avatar_of(call, contact)?,
            Command::SetReadReceipts { on } => self.set_read_receipts(call, on)?,
            Command::SetTyping { on } => self.set_typing(call, on)?,
            Command::Conversations => self.list_conversations(call)?,
            Command::Keep {
                conversation,
                change,
            } => self.keep_otherwise(call, conversation, change)?,
            Command::WhichConversation { message } => self.which_conversation(call, &message)?,
            Command::Disappear {
                conversation,
                seconds,
            } => self.disappear(call, conversation, seconds)?,
            Command::Search { text, within, most } => self.search(call, &text, within, most)?,
            Command::History { message } => self.history(call, &message)?,
            Command::Typing { conversation } => self.tell_typing(call, conversation)?,
            Command::Forget { contact } => self.forget(call, contact)?,
            Command::ShowDevice { name } => self.show_device(call, &name)?,
            Command::CallDevice { link, name } => self.call_device(call, &link, &name)?,
            Command::ConfirmDevice { code, days } => self.confirm_device(call, &code, days)?,
            Command::Devices => {
                self.note_history(call)?;
                self.list_devices()?
            }
            Command::RevokeDevice { device } => {
                return self.revoke_once_read(call, ticket, device);
            }
            Command::FoundChannel { name } => self.found_channel(call, &name)?,
            Command::Room { room } if self.is_channel(room) => self.show_channel(room)?,
            Command::OfferRoom { room, contact } if self.is_channel(room) => {
                self.offer_channel(call, room, contact)?
            }
            Command::TakeOfferBack { room, contact } if self.is_channel(room) => {
                self.take_channel_back(call, room, contact)?
            }
            Command::AcceptRoom { room } if self.is_channel(room) => {
                self.accept_channel(call, room)?
            }
            Command::RefuseRoom { room } if self.is_channel(room) => {
                self.refuse_channel(call, room)?
            }
            Command::RemoveMember { room, member } if self.is_channel(room) => {
                self.remove_reader(call, room, member)?
            }
            Command::LeaveRoom { room } if self.is_channel(room) => {
                self.leave_channel(call, room)?
            }
            Command::ForgetRoom { room } if self.is_channel(room) => {
                self.forget_channel(call, room)?
            }
            Command::FoundRoom { name } => self.found_room(call, &name)?,
            Command::Rooms => self.list_rooms(),
            Command::Room { room } => self.show_room(room)?,
            Command::OfferRoom { room, contact } => self.offer_room(call, room, contact)?,
            Command::TakeOfferBack { room, contact } => {
                self.take_offer_back(call, room, contact)?
            }
            Command::AcceptRoom { room } => self.accept_room(call, room)?,
            Command::RefuseRoom { room } => self.refuse_room(call, room)?,
            Command::RemoveMember { room, member } => self.remove_from_room(call, room, member)?,
            Command::SetRoomHistory { room, on } => self.set_room_history(call, room, on)?,
            Command::RenameRoom { room, name } => self.rename_room(call, room, &name)?,
            Command::SetRoomAvatar { room, avatar } => {
                self.set_room_avatar(call, room, avatar.as_ref())?
            }
            Command::RoomAvatar { room } => self.room_avatar(room)?,
            Command::SetSteward { room, member, on } => self.set_steward(call, room, member, on)?,
            Command::SetHerald { room, member, on } => self.set_herald(call, room, member, on)?,
            Command::BeHerald { room, willing } => self.be_herald(call, room, willing)?,
            Command::LeaveRoom { room } => self.leave_room(call, room)?,
            Command::ForgetRoom { room } => self.forget_room(call, room)?,
        }))
    }
}
