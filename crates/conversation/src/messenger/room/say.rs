//! What I say in a room: one MLS message, and one letter to each.

use hushwing_delivery::{Address, Keep, Letter, LetterId, MOST_ADDRESSES, PostError, Urgency};
use hushwing_sansio::StorageError;

use crate::branches::MakeFault;
use crate::content::{Content, Frame, MessageId, Salt, Stamp};
use crate::event::FailReason;
use crate::letter::LetterBody;
use crate::messenger::broken::is_damage;
use crate::messenger::stop::Stop;
use crate::messenger::vanish::expiry_of;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    MemberRecord, MessageKind, MessageRecord, MessageState, MessageTimes, Owed, Position,
    RecipientRecord,
};
use crate::{MemberId, Refusal, Reply, RoomId};

/// Messages said again at a time, the last ones.
const MOST_AGAIN: usize = 64;
/// Of a wide group, those who are told apart what is said again; more of them are told
/// it by heralds, together with all.
const MOST_APART: usize = 32;

impl Messenger {
    /// Encrypts, posts, stores and shows my next message in a room.
    pub(in crate::messenger) fn say_in_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        content: &Content,
        kind: MessageKind,
        target: Option<MessageId>,
    ) -> Result<Reply, Stop> {
        let salt = Salt(call.cx.random());
        let wall = call.cx.wall();
        let after = self.disappear_after_in(room)?;
        let known = self.rooms.find(room)?;
        let before = known.tail.last;
        let stamp = Stamp {
            lamport: known.tail.lamport.next(),
            sent: wall,
        };
        let frame = Frame {
            salt,
            stamp,
            expires: expiry_of(content, after),
        };
        let bytes = content
            .compose(frame)
            .map_err(crate::messenger::speak::unfit)?;
        let id = MessageId::derive(&known.origin(&known.key)?, &bytes, &salt);
        let (leaf, base) = (known.leaf, known.base);
        let to: Vec<MemberId> = known.others().map(|member| member.member).collect();
        let sealed = self.seal_for_all(call, room, &bytes, None)?;
        let (epoch, message) = sealed.ok_or(Refusal::NotInRoom)?;
        let record = MessageRecord {
            contact: room.place(),
            position: Position {
                epoch: epoch.saturating_add(base),
                lamport: stamp.lamport.get(),
                leaf,
                id,
            },
            mine: true,
            author: None,
            kind,
            target,
            sent_at: stamp.sent,
            state: match to.is_empty() {
                true => MessageState::Delivered,
                false => MessageState::Queued,
            },
            times: MessageTimes::default(),
            owed: Owed::Nothing,
            letter: None,
            sealed_epoch: epoch,
            content: bytes,
        };
        call.storage.add_message(&record)?;
        self.rooms.find(room)?.note(record.position);
        self.send_to_all(call, room, id, &to, &message)?;
        if to.is_empty() {
            self.count_anew(call, &id, None)?;
        }
        self.show_new(call, &record, content, before)?;
        self.renew_pair_if_due(call, room)?;
        Ok(Reply::Sent {
            message: id,
            state: record.state,
        })
    }

    /// Encrypts for all in the state that is followed: the epoch, and the body
    /// of a letter. `None` if I am not in it.
    pub(super) fn seal_for_all(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        bytes: &[u8],
        first_said: Option<u64>,
    ) -> Result<Option<(u64, Vec<u8>)>, StorageError> {
        let (epoch, said) = self.keeper(call, room, |keeper, lent| {
            Ok((keeper.epoch(), keeper.say(lent, bytes, first_said)?))
        })?;
        let key = &self.rooms.find(room)?.key;
        match said {
            Ok((message, _)) => Ok(Some((epoch, LetterBody::room(key, &message)))),
            Err(MakeFault::Group(what)) => Err(StorageError::corrupt(what)),
            Err(_) => Ok(None),
        }
    }

    /// Posts a message to one member, and notes that it is on its way; `false` if it
    /// waits until it is known where to write.
    pub(super) fn send_to(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        message: MessageId,
        body: Vec<u8>,
    ) -> Result<bool, StorageError> {
        let letter = self.post_to_member(call, room, member, body, Keep::UntilSettled)?;
        call.storage.put_recipient(&RecipientRecord {
            message,
            member,
            letter: letter.map(|letter| letter.0),
            state: MessageState::Queued,
        })?;
        Ok(letter.is_some())
    }

    /// Puts a letter to a member into the outbox; `None` if it is not known where
    /// to write.
    pub(super) fn post_to_member(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        bytes: Vec<u8>,
        keep: Keep,
    ) -> Result<Option<LetterId>, StorageError> {
        self.post_to_member_by(call, room, (member, 0), bytes, keep)
    }

    /// The same, first by one of the addresses after the first, if there are so many.
    pub(super) fn post_to_member_by(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (member, further): (MemberId, usize),
        bytes: Vec<u8>,
        keep: Keep,
    ) -> Result<Option<LetterId>, StorageError> {
        let member = self.rooms.find(room)?.members.get(&member);
        let mut to = member.map(addresses).unwrap_or_default();
        if to.is_empty() {
            return Ok(None);
        }
        let first = further % to.len();
        to.rotate_left(first);
        let at_once = match keep {
            Keep::UntilSettled => self.config.in_parallel,
            // Nobody tells that it did not arrive: by each address they have.
            Keep::UntilAccepted => true,
            Keep::ForOthers => false,
        };
        let letter = Letter {
            to,
            last_resort: Vec::new(),
            bytes,
            urgency: match at_once {
                true => Urgency::Urgent,
                false => Urgency::Normal,
            },
            keep,
        };
        let posted = match self.office.post(call.cx, &mut *call.storage, &letter) {
            Ok(letter) => letter,
            Err(PostError::Storage(error)) => return Err(error),
            // What they gave as addresses cannot take it; they may give others.
            Err(_) => return Ok(None),
        };
        if keep == Keep::ForOthers {
            let most = self.config.most_for_others;
            self.office
                .keep_for_others(call.cx, &mut *call.storage, most)?;
        }
        Ok(Some(posted))
    }

    /// Says something to all that no face shows and nobody confirms.
    pub(super) fn say_in_passing_to_all(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        content: &Content,
    ) -> Result<(), StorageError> {
        let Some(bytes) = self.compose_in(call, room, content)? else {
            return Ok(());
        };
        match self.seal_for_all(call, room, &bytes, None)? {
            Some((_, body)) => self.post_to_all(call, room, &body).map(drop),
            None => Ok(()),
        }
    }

    /// Says something to one member aside that nobody confirms; `None` if it cannot
    /// be said now.
    pub(in crate::messenger) fn say_aside(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        content: &Content,
    ) -> Result<Option<LetterId>, StorageError> {
        self.post_aside(call, room, member, content, Keep::UntilAccepted)
    }

    /// The same about what others said: of that only the last is kept for who is away.
    pub(super) fn tell_for_others(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        content: &Content,
    ) -> Result<Option<LetterId>, StorageError> {
        self.post_aside(call, room, member, content, Keep::ForOthers)
    }

    fn post_aside(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        content: &Content,
        keep: Keep,
    ) -> Result<Option<LetterId>, StorageError> {
        let Some(side) = self.seal_aside(call, room, member, content)? else {
            return Ok(None);
        };
        let body = LetterBody::side(&side);
        self.post_to_member(call, room, member, body, keep)
    }

    /// Encodes what no face shows; `None` if it is too long, which nothing that is
    /// said so ever needs to be: the room is not to end of it.
    pub(super) fn compose_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        content: &Content,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let known = self.rooms.find(room)?;
        let frame = Frame {
            salt: Salt(call.cx.random()),
            stamp: Stamp {
                lamport: known.tail.lamport.next(),
                sent: call.cx.wall(),
            },
            expires: None,
        };
        Ok(content.compose(frame).ok())
    }

    /// Encrypts again, under its old name, what was sealed in the epochs `lost` and
    /// has not reached everybody: only to those it has not reached. What more there
    /// is than a commit may cost waits for the next one.
    pub(super) fn say_again_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        lost: core::ops::Range<u64>,
    ) -> Result<(), StorageError> {
        if !self.rooms.find(room)?.is_mine() {
            return Ok(());
        }
        let place = room.place();
        let records = call.storage.unconfirmed_in(place, lost, MOST_AGAIN)?;
        records
            .iter()
            .try_for_each(|record| self.say_once_more_in(call, room, record))
    }

    /// Encrypts a message again for those it has not reached: at once if these are
    /// all, else for each alone, so that nobody misses a key of my ratchet.
    fn say_once_more_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        record: &MessageRecord,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let wide = known.is_wide();
        let present: Vec<_> = known.others().map(|member| member.member).collect();
        let mut open = call.storage.recipients(record.id())?;
        open.retain(|one| one.state < MessageState::Delivered && present.contains(&one.member));
        let (epoch, oldest) = self.keeper(call, room, |keeper, _| {
            Ok((keeper.epoch(), keeper.oldest_epoch()))
        })?;
        if open.is_empty() || record.is_erased() {
            // There is nobody to say it to: it is not looked at for this again.
            return call.storage.set_sealed(record.id(), epoch);
        }
        let many = wide && open.len() > MOST_APART;
        if many && record.sealed_epoch < oldest {
            // Most of those who were away read it in its state when they come; who could
            // not is told when they are few.
            return Ok(());
        }
        let apart = match wide {
            true => !many,
            false => open.len() < present.len(),
        };
        if apart {
            for one in &open {
                self.repeat_to(call, room, one, record)?;
            }
            return call.storage.set_sealed(record.id(), epoch);
        }
        let first = Some(self.rooms.find(room)?.epoch_of(&record.position));
        let sealed = self.seal_for_all(call, room, &record.content, first)?;
        let Some((epoch, body)) = sealed else {
            return Ok(());
        };
        for one in &open {
            if let Some(letter) = one.letter {
                self.recall(call, letter)?;
            }
        }
        let open: Vec<_> = open.iter().map(|one| one.member).collect();
        self.send_to_all(call, room, *record.id(), &open, &body)?;
        call.storage.set_sealed(record.id(), epoch)
    }

    /// Takes back what is on its way in a room: I do not speak there any more.
    pub(super) fn give_up_said(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        for (message, _, _) in call.storage.on_the_way(room.place())? {
            let Some(recipients) = sound(call.storage.recipients(&message))? else {
                continue;
            };
            for letter in recipients.iter().filter_map(|one| one.letter) {
                self.recall(call, letter)?;
            }
        }
        Ok(())
    }

    /// What is on its way in a room arrives nowhere any more: I am out for good,
    /// and should I come back it is as somebody else.
    pub(in crate::messenger) fn fail_said(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        for (message, _, _) in call.storage.on_the_way(room.place())? {
            let Some(recipients) = sound(call.storage.recipients(&message))? else {
                continue;
            };
            if recipients.is_empty() {
                // Another device of mine said it, which knows what became of it.
                continue;
            }
            for one in recipients {
                if one.state < MessageState::Failed {
                    self.fail_to(call, one)?;
                }
            }
            self.count_anew(call, &message, None)?;
            let record = call.storage.message(&message)?;
            if let Some(record) = record.filter(|one| one.state == MessageState::Failed) {
                self.tell_state(&record, MessageState::Failed, Some(FailReason::Broken));
            }
        }
        self.fail_to_devices(call, room)
    }

    /// What reached somebody may be on its way to further devices of theirs. Said again by who
    /// I am then, it would be another message.
    fn fail_to_devices(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let members: Vec<_> = self.rooms.find(room)?.members.keys().copied().collect();
        for member in members {
            loop {
                let open = sound(call.storage.unreached(member, u64::MAX, MOST_AGAIN))?;
                let Some(open) = open.filter(|open| !open.is_empty()) else {
                    break;
                };
                for one in open {
                    self.fail_to(call, one)?;
                }
            }
        }
        Ok(())
    }

    /// A message is no longer on its way to somebody.
    fn fail_to(
        &mut self,
        call: &mut Call<'_, '_>,
        one: RecipientRecord,
    ) -> Result<(), StorageError> {
        if let Some(letter) = one.letter {
            self.recall(call, letter)?;
        }
        call.storage.put_recipient(&RecipientRecord {
            letter: None,
            state: MessageState::Failed,
            ..one
        })
    }
}

/// What was read, if it is no damage: that ends one room, and must not keep it from
/// being ended.
fn sound<T>(read: Result<T, StorageError>) -> Result<Option<T>, StorageError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if is_damage(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where to write to a member.
fn addresses(member: &MemberRecord) -> Vec<Address> {
    let addresses = member.addresses.iter();
    addresses
        .filter_map(|bytes| Address::decode(bytes.expose()).ok())
        .take(MOST_ADDRESSES)
        .collect()
}
