//! Making rooms, showing and forgetting them.

use hushwing_sansio::StorageError;

use super::{GroupSize, MOST_OF_ONE, MOST_ROOMS, Room};
use crate::branches::{GroupPolicy, Keeper, Lent, OwnPackage};
use crate::content::shown::clean_name;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    KinRecord, MailboxUse, OrphanRecord, RoomFollowersRecord, RoomRecord, RoomRenewalRecord,
    RoomReturnRecord, RoomReturnersRecord, RoomRollRecord, RoomStanding, SeenRecord,
};
use crate::{ConversationId, Event, Refusal, Reply, RoomId};

impl Messenger {
    pub(in crate::messenger) fn list_rooms(&self) -> Reply {
        let rooms = self.rooms.by_id.iter();
        let hidden = |room: RoomId| self.devices.meet_in(room) || self.is_pair(room);
        let shown = rooms.filter(|(room, _)| !hidden(**room));
        let rooms = shown.map(|(_, room)| self.as_seen_here(room.view()));
        Reply::Rooms(rooms.chain(self.channel_views()).collect())
    }

    pub(in crate::messenger) fn show_room(&mut self, room: RoomId) -> Result<Reply, Stop> {
        let view = self.room(room)?.view();
        Ok(Reply::Room(self.as_seen_here(view)))
    }

    /// Founds a room with me alone in it.
    pub(in crate::messenger) fn found_room(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<Reply, Stop> {
        let name = usable(name)?;
        if !self.has_place_for_group() {
            return Err(Refusal::TooManyRooms { most: MOST_ROOMS }.into());
        }
        let my_name = self.config.name.clone();
        let room =
            self.found_bounded(call, &name, my_name, (self.config.group_size, MOST_OF_ONE))?;
        self.open_room_mailbox(call, room)?;
        self.share_rooms(call)?;
        self.tell_room(room);
        self.show_room(room)
    }

    /// Founds a room of at most so many leaves, and so many of one account.
    pub(super) fn found_bounded(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
        my_name: String,
        (size, each): (GroupSize, u16),
    ) -> Result<RoomId, StorageError> {
        let conversation = ConversationId(call.cx.random());
        let record = self.new_room(call, conversation, name)?;
        let room = record.id;
        let me = super::account(&record.account)?;
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        let policy = GroupPolicy::of_group(vec![me.clone()], name)
            .bounded(size.most)
            .heralded(size.narrow, &[])
            .bounded_each(each);
        let keeper = Keeper::found(&mut lent, record.conversation, &me, &policy)?;
        let keeper = keeper.map_err(|_| StorageError::corrupt("founding a room"))?;
        self.add_room(
            call,
            RoomRecord {
                standing: RoomStanding::Member,
                my_name,
                ..record
            },
        )?;
        self.rooms.keepers.insert(room, keeper);
        self.refresh(call, room)?;
        Ok(room)
    }

    /// A room nobody has entered yet.
    pub(in crate::messenger) fn new_room(
        &self,
        call: &mut Call<'_, '_>,
        conversation: ConversationId,
        name: &str,
    ) -> Result<RoomRecord, StorageError> {
        Ok(RoomRecord {
            id: RoomId(call.storage.next_number()?),
            conversation,
            standing: RoomStanding::Offered,
            name: name.to_owned(),
            told_size: 0,
            account: call.cx.random::<16>().to_vec(),
            my_name: String::new(),
            offered_by: None,
            offer: None,
            package: None,
            mailbox: None,
            leaving: Vec::new(),
            exposed: false,
            may_return: false,
            revision: 0,
            asked: Vec::new(),
            publishing: Vec::new(),
            ended: None,
            leave_said: 0,
            since: call.cx.wall(),
            shared: None,
        })
    }

    /// Knows a room from now on.
    pub(in crate::messenger) fn add_room(
        &mut self,
        call: &mut Call<'_, '_>,
        record: RoomRecord,
    ) -> Result<(), StorageError> {
        call.storage.put_room(&record)?;
        if record.standing != RoomStanding::Offered {
            self.conversations
                .insert(record.conversation, record.id.place());
        }
        self.rooms.by_id.insert(record.id, Room::new(record));
        Ok(())
    }

    /// Forgets a room I am not in any more.
    pub(in crate::messenger) fn forget_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Reply, Stop> {
        let known = self.room(room)?;
        match known.record.standing {
            RoomStanding::Offered => return Err(Refusal::NoRoom.into()),
            RoomStanding::Member => return Err(Refusal::StillInRoom.into()),
            RoomStanding::Leaving if known.holds_office() => {
                return Err(Refusal::StillSteward.into());
            }
            _ => {}
        }
        self.remove_room(call, room)?;
        self.tell(Event::RoomForgotten { room });
        Ok(Reply::Done)
    }

    /// Forgets a room with all that was said in it.
    pub(in crate::messenger) fn remove_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let place = room.place();
        self.give_up_said(call, room)?;
        if self.rooms.find(room)?.record.standing != RoomStanding::Leaving {
            // Whoever still leaves has asked for it by letters that go on.
            self.cancel_letters_in(call, room)?;
        }
        self.rooms.keepers.remove(&room);
        self.rooms.missing.forget(room);
        self.forget_wide(room);
        self.rooms.held.forget(room);
        self.shelf.forget(place);
        self.end_links_into(call, room)?;
        self.forget_greeting(call, room)?;
        self.forget_rotation_of(call, room)?;
        self.forget_turn(call, room)?;
        self.forget_old_mailboxes(call, room)?;
        self.close_mailboxes(call, MailboxUse::Room(room))?;
        let Some(known) = self.rooms.by_id.remove(&room) else {
            return Ok(());
        };
        for (member, record) in &known.members {
            self.rooms.of_member.remove(member);
            self.rooms.again.forget(*member);
            self.debts.forget(member.place());
            self.notices.forget(member.place());
            if let Some(letter) = record.welcome.as_ref().and_then(|one| one.letter) {
                self.recall(call, letter)?;
            }
        }
        for letter in known.record.publishing.iter().flat_map(|one| &one.letters) {
            self.rooms.publishing.remove(letter);
            self.recall(call, *letter)?;
        }
        if let Some(package) = &known.record.package {
            OwnPackage::forget(&mut *call.storage, &package.reference)?;
        }
        let conversation = known.record.conversation;
        self.pair_removed(call, (conversation, place), known.record.standing)?;
        if self.conversations.get(&conversation) == Some(&place) {
            Keeper::forget(&mut *call.storage, conversation)?;
            self.conversations.remove(&conversation);
            call.storage.remove_conversation(conversation)?;
        }
        call.storage.remove_room(room)?;
        KinRecord::default().put(call.storage, room)?;
        SeenRecord::clear(call.storage, room)?;
        call.storage.remove_all_held(place)?;
        OrphanRecord::clear(call.storage, place)?;
        RoomReturnRecord::clear(call.storage, room)?;
        RoomFollowersRecord::clear(call.storage, room)?;
        RoomRenewalRecord::clear(call.storage, room)?;
        RoomRollRecord::clear(call.storage, room)?;
        RoomReturnersRecord::clear(call.storage, room)?;
        self.losses.forget(call.storage, MailboxUse::Room(room))?;
        self.let_messages_go(call, place)
    }

    /// Forgets an offer, and nothing of a room that it may be of.
    pub(super) fn remove_offer(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.rooms.by_id.remove(&room);
        call.storage.remove_room(room)?;
        self.tell(Event::RoomForgotten { room });
        Ok(())
    }
}

/// A name on one line.
pub(in crate::messenger) fn usable(name: &str) -> Result<String, Refusal> {
    clean_name(name)
        .filter(|clean| clean == name.trim())
        .ok_or(Refusal::BadName)
}
