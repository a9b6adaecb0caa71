//! What comes to a room's mailbox.

use hushwing_delivery::{NetworkTag, RepeatId};
use hushwing_sansio::StorageError;

use crate::branches::{Aside, HearFault, Heard, SIDE_VERSION, Said};
use crate::content::{self, Content, Opened, RoomStep, RoomWord};
use crate::letter::LetterBody;
use crate::messenger::hear::{Arrival, classify};
use crate::messenger::{Call, Messenger};
use crate::storage::{
    MessageKind, MessageRecord, MessageState, MessageTimes, Owed, Position, RoomStanding,
};
use crate::{DropReason, MemberId, MessageId, RoomId};

/// By which letter and network something came, and who says they sent it.
#[derive(Clone, Copy, Default)]
pub(super) struct Way<'a> {
    pub(super) repeat: Option<RepeatId>,
    pub(super) network: Option<NetworkTag>,
    pub(super) from: Option<&'a [u8]>,
    /// Whether a Welcome came in the same letter.
    pub(super) with_welcome: bool,
}

/// What a member said to all, however it came.
struct Told {
    member: MemberId,
    leaf: u32,
    /// The epoch in which it was said first.
    first: u64,
    /// That under whose keys it came.
    sealed: u64,
    /// To me alone.
    aside: bool,
    bytes: Vec<u8>,
}

impl Messenger {
    /// A letter came to a room's mailbox. All members know that, and who was one
    /// does, so nothing about it is believed.
    pub(in crate::messenger) fn hear_room_letter(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        arrival: Arrival,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        let record = self.mailboxes.get(&arrival.mailbox);
        let way = Way {
            repeat: arrival.repeat,
            network: record.map(|record| NetworkTag(record.network)),
            from: None,
            with_welcome: false,
        };
        let Some(body) = LetterBody::read(bytes) else {
            return self.drop_letter(None, DropReason::Letter);
        };
        self.within(call, room.place(), |this, call| {
            if let LetterBody::Room { from, messages } = &body
                && this.rooms.find(room)?.key == *from
                && (this.heard_myself(call, room, messages)?
                    || this.devices.meet_in(room) && this.heard_own_mark(call, messages)?)
            {
                return Ok(());
            }
            this.rooms.find(room)?.heard = Some(call.cx.now());
            this.hear_body(call, room, &arrival, way, body)
        })
    }

    fn hear_body(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        arrival: &Arrival,
        way: Way<'_>,
        body: LetterBody<'_>,
    ) -> Result<(), StorageError> {
        match body {
            LetterBody::Welcome { welcome, side } => {
                self.heard_welcome(call, room, welcome)?;
                let with_welcome = true;
                self.hear_each(
                    call,
                    room,
                    side,
                    Way {
                        with_welcome,
                        ..way
                    },
                )
            }
            LetterBody::Side(letters) => self.hear_each(call, room, letters, way),
            LetterBody::Room { from, messages } => {
                // Who was removed knows the mailboxes from before, and could name
                // anybody: what comes there shares the places of nobody.
                let told = self.in_service(room).contains(&arrival.mailbox);
                let from = Some(from).filter(|_| told);
                self.hear_each(call, room, messages, Way { from, ..way })
            }
            LetterBody::Commits(chain) => self.heard_commits(call, room, &chain),
            LetterBody::Device { word, signature } => {
                self.heard_of_device(call, room, (word, signature))
            }
            LetterBody::Messages(_)
            | LetterBody::JoinRequest { .. }
            | LetterBody::AskAnew(_)
            | LetterBody::Anew(_)
            | LetterBody::Announcement(_)
            | LetterBody::Posts(_) => self.drop_letter(None, DropReason::Letter),
        }
    }

    fn hear_each(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        items: Vec<&[u8]>,
        way: Way<'_>,
    ) -> Result<(), StorageError> {
        for item in items {
            self.hear_in(call, room, item, way)?;
        }
        match self.has_keeper(call, room)? {
            true => self.hear_held_in(call, room),
            false => Ok(()),
        }
    }

    /// Hears an MLS message or a side letter.
    pub(super) fn hear_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        bytes: &[u8],
        way: Way<'_>,
    ) -> Result<(), StorageError> {
        let record = &self.rooms.find(room)?.record;
        match record.standing {
            // It overtook the Welcome.
            RoomStanding::Joining => return self.hold_in(call, room, bytes, way.repeat),
            RoomStanding::Member | RoomStanding::Leaving | RoomStanding::Left => {}
            RoomStanding::Offered | RoomStanding::Broken | RoomStanding::Restoring => {
                return self.drop_letter(None, DropReason::Broken);
            }
        }
        let fault = if bytes.first() == Some(&SIDE_VERSION) {
            let aside = self.keeper(call, room, |keeper, lent| keeper.read_aside(lent, bytes))?;
            match aside {
                Ok(aside) => return self.heard_aside(call, room, aside, way),
                Err(fault) => fault,
            }
        } else {
            let before = self.round(room)?;
            let (told, heard) = self.keeper(call, room, |keeper, lent| keeper.hear(lent, bytes))?;
            self.act_on(call, room, told)?;
            if let Ok(heard) = &heard {
                self.pass_on(call, room, before, bytes, heard)?;
            }
            match heard {
                Ok(Heard::Said(said)) => return self.said_in(call, room, said, way),
                // What waited for it is heard when this letter is done with.
                Ok(Heard::Commit(_) | Heard::Known) => return Ok(()),
                Err(fault) => fault,
            }
        };
        match fault {
            HearFault::UnknownState { state, .. } => {
                self.hold_in(call, room, bytes, way.repeat)?;
                self.miss(call, room, state, way.from)
            }
            HearFault::Rules | HearFault::Full => self.drop_letter(None, DropReason::Commit),
            HearFault::Kind => self.drop_letter(None, DropReason::Kind),
            HearFault::TooLate | HearFault::NotMine | HearFault::Unreadable => {
                self.drop_letter(None, DropReason::Unreadable)
            }
        }
    }

    /// Somebody said something to all.
    fn said_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        said: Said,
        way: Way<'_>,
    ) -> Result<(), StorageError> {
        let wall = call.cx.wall();
        let known = self.rooms.find(room)?;
        let (mine, conversation) = (known.is_mine(), known.record.conversation);
        let origin = known.origin(&said.key)?;
        let author = known.member_by(&said.author, &said.key);
        if author.is_some_and(|author| author.mine) || !mine {
            // Who left hears nothing; what has my name is nobody else's.
            return Ok(());
        }
        let Ok(opened) = content::open(&said.plaintext, &origin, wall) else {
            return self.drop_letter(None, DropReason::Content);
        };
        if !known.tail.lamport.may_be_followed_by(opened.stamp.lamport) {
            // At its end, the counter would order nothing any more.
            return self.drop_letter(None, DropReason::Content);
        }
        if author.is_some_and(|author| author.gone.is_some()) {
            // Whoever is out goes on in states from before. Should the removal be
            // undone, what they said meanwhile comes again from them.
            return self.drop_letter(None, DropReason::Room);
        }
        let member = self.member_for(call, room, &said.author, &said.key)?;
        self.heard_of(call, room, member, opened.stamp.sent)?;
        if self.is_pair(room)
            && self.keeper(call, room, |keeper, _| Ok(keeper.is_apart(said.state)))?
        {
            self.pair_is_apart(call, room, member)?;
        }
        match &opened.content {
            Content::Room(word) if word.room == conversation => match &word.step {
                RoomStep::Greeting { entry, known } => {
                    self.heard_greeting(call, room, member, entry, known)
                }
                RoomStep::Leave => self.heard_leave(call, room, member),
                RoomStep::Mine(keys) => self.heard_mine(call, room, member, keys),
                _ => self.drop_letter(None, DropReason::Room),
            },
            Content::Room(_) => self.drop_letter(None, DropReason::Content),
            _ => {
                let told = Told {
                    member,
                    leaf: said.leaf,
                    first: said.first_said.unwrap_or(said.epoch),
                    sealed: said.epoch,
                    aside: false,
                    bytes: said.plaintext,
                };
                self.take_said(call, room, told, &opened, way)
            }
        }
    }

    /// A member said again to me alone what they said to all. Id, author and what the
    /// order is made of are as they were: it is the same message or none.
    fn said_again(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        told: Told,
        key: &[u8],
        way: Way<'_>,
    ) -> Result<(), StorageError> {
        let wall = call.cx.wall();
        let known = self.rooms.find(room)?;
        let origin = known.origin(key)?;
        let opened = content::open(&told.bytes, &origin, wall).ok();
        let opened = opened.filter(|opened| {
            let lamport = opened.stamp.lamport;
            told.first <= told.sealed && known.tail.lamport.may_be_followed_by(lamport)
        });
        match opened {
            Some(opened) => self.take_said(call, room, told, &opened, way),
            None => self.drop_letter(None, DropReason::Content),
        }
    }

    /// Takes in what is kept and shown, unless it is there.
    fn take_said(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        told: Told,
        opened: &Opened,
        way: Way<'_>,
    ) -> Result<(), StorageError> {
        if self.devices.meet_in(room) {
            // Nothing is said among devices that anybody is shown.
            return self.drop_letter(None, DropReason::Content);
        }
        match &opened.content {
            Content::Post(_)
            | Content::Edit { .. }
            | Content::Delete { .. }
            | Content::Reaction { .. }
            | Content::Unreact { .. }
            | Content::Unsupported { .. } => {}
            _ => return self.drop_letter(None, DropReason::Content),
        }
        let known = self.rooms.find(room)?;
        let by = known.members.get(&told.member);
        let by_author = way.from.is_some() && way.from == by.map(|by| &*by.key);
        let owed = match known.is_wide() && (told.aside || by_author) {
            true => Owed::DeliveredBack,
            false => Owed::Delivered,
        };
        // What the lost machine of who restored says is none of mine.
        let own = known.is_own_device(told.member);
        if !own && (self.is_blocked_pair(room) || self.is_usurped_pair(room)) {
            // It stays unconfirmed with whoever said it.
            return Ok(());
        }
        let known = self.rooms.find(room)?;
        let author = known.person(told.member);
        if !self.is_new_here(call, &opened.id)? {
            if own {
                self.owe_to_own(call, author, opened.id);
                return Ok(());
            }
            return self
                .owe_in_room(call, room.place(), opened.id, owed)
                .map(drop);
        }
        if !own {
            let now = call.cx.now();
            self.echoes.note(room.place(), opened.id, now);
        }
        let wall = call.cx.wall();
        let (kind, target) = classify(&opened.content);
        let base = self.rooms.find(room)?.base;
        let record = MessageRecord {
            contact: room.place(),
            position: Position {
                epoch: told.first.saturating_add(base),
                lamport: opened.stamp.lamport.get(),
                leaf: told.leaf,
                id: opened.id,
            },
            mine: own,
            author: Some(author).filter(|_| !own),
            kind,
            target,
            sent_at: opened.stamp.shown_at(wall),
            state: match own {
                // How far it got, the device knows that said it.
                true => MessageState::Accepted,
                false => MessageState::Delivered,
            },
            times: MessageTimes {
                accepted: way.network.map(|network| (network, wall)),
                delivered: Some(wall).filter(|_| !own),
                vanishes: crate::messenger::vanish::fixed_end(opened, kind),
                ..MessageTimes::default()
            },
            owed: match own {
                true => Owed::Nothing,
                false => owed,
            },
            letter: None,
            sealed_epoch: told.sealed,
            content: told.bytes,
        };
        self.take_note_in(call, room, author, record, &opened.content)
    }

    /// Whether a message is not here, or here as hearsay, which it takes the place of.
    fn is_new_here(
        &mut self,
        call: &mut Call<'_, '_>,
        id: &MessageId,
    ) -> Result<bool, StorageError> {
        if !call.storage.has_message(id)? {
            return Ok(true);
        }
        let known = call.storage.message(id)?;
        let hearsay = known.is_some_and(|known| known.is_handed_on());
        if hearsay {
            call.storage.remove_message(id)?;
        }
        Ok(hearsay)
    }

    fn take_note_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        mut record: MessageRecord,
        content: &Content,
    ) -> Result<(), StorageError> {
        debug_assert!(record.kind != MessageKind::Control);
        if record.mine {
            // Nobody will read it here for it to begin.
            let mut times = record.times.clone();
            self.begin_to_vanish(call, &record, &mut times)?;
            record.times = times;
        }
        let record = &record;
        let stands = self.find_place(call, record, content)?;
        if stands {
            call.storage.add_message(record)?;
        }
        let delay = self.receipt_delay_in(room);
        let to = member.place();
        self.debts
            .add(call.cx, delay, to, *record.id(), record.owed, false);
        self.gather_early(room, member, *record.id(), call.cx.now());
        let known = self.rooms.find(room)?;
        known.roll.note_use();
        let before = known.tail.last;
        known.note(record.position);
        if !stands {
            return Ok(());
        }
        self.seen_before(call, room, &record.position)?;
        self.show_new(call, record, content, before)?;
        match record.times.vanishes {
            Some(_) => self.plan_vanishing(call),
            None => Ok(()),
        }
    }

    /// Another device of mine is to know that I have what it said. Should that be lost, it
    /// says it again.
    fn owe_to_own(&mut self, call: &mut Call<'_, '_>, me: MemberId, message: MessageId) {
        let delay = self.config.receipt_delay;
        let to = me.place();
        self.debts
            .add(call.cx, delay, to, message, Owed::Delivered, false);
    }

    /// Somebody said something to me alone.
    fn heard_aside(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        aside: Aside,
        way: Way<'_>,
    ) -> Result<(), StorageError> {
        let wall = call.cx.wall();
        let known = self.rooms.find(room)?;
        let conversation = known.record.conversation;
        let origin = known.origin(&aside.key)?;
        if !known.is_mine() {
            return Ok(());
        }
        let author = known.member_by(&aside.author, &aside.key);
        let gone = author.is_some_and(|author| author.gone.is_some());
        let Ok(opened) = content::open(&aside.content, &origin, wall) else {
            return self.drop_letter(None, DropReason::Content);
        };
        let member = self.member_for(call, room, &aside.author, &aside.key)?;
        let sent = opened.stamp.sent.min(wall);
        self.heard_of(call, room, member, sent)?;
        let known = self.rooms.find(room)?;
        known.roll.note_sign(member, &known.heralds(), sent);
        let meeting = self.devices.meet_in(room);
        match opened.content {
            Content::Receipts(receipts) => self.confirmed_in(call, room, member, &receipts),
            // Whoever is out is answered nothing.
            _ if gone => self.drop_letter(None, DropReason::Room),
            // I know what I write.
            Content::Typing(_) if self.rooms.find(room)?.is_own(member) => Ok(()),
            Content::Typing(_) => {
                let member = self.rooms.find(room)?.person(member);
                self.hear_typing_in(call, room, member, &opened.stamp);
                Ok(())
            }
            Content::Room(
                word @ RoomWord {
                    step:
                        RoomStep::Share(_)
                        | RoomStep::Paired(_)
                        | RoomStep::Seen(_)
                        | RoomStep::Begun(_)
                        | RoomStep::Further(_)
                        | RoomStep::Piece(_)
                        | RoomStep::Entitled(_)
                        | RoomStep::Come { .. },
                    ..
                },
            ) if meeting => self.device_said(call, member, word),
            Content::Room(word) if word.room == conversation => match word.step {
                RoomStep::Roster(entries) => {
                    self.heard_roster(call, room, (&aside.author, &aside.key), &entries)
                }
                RoomStep::Mine(keys) => self.heard_mine(call, room, member, &keys),
                RoomStep::Missing(keys) => self.heard_missing(call, room, member, &keys),
                RoomStep::Ask(state) => self.asked_for(call, room, member, state),
                RoomStep::Again { epoch, message } => {
                    let told = Told {
                        member,
                        leaf: aside.leaf,
                        first: epoch,
                        sealed: aside.epoch,
                        aside: true,
                        bytes: message,
                    };
                    self.said_again(call, room, told, &aside.key, way)
                }
                RoomStep::Past(all) => {
                    self.heard_past(call, room, (&aside.key, way.with_welcome), all)
                }
                RoomStep::Roll(mark) => self.heard_roll(call, room, member, mark),
                RoomStep::Here { mark, readiness } => {
                    self.heard_here(call, room, member, mark, readiness)
                }
                RoomStep::Dismissed { account, out } => {
                    self.heard_dismissed(call, room, member, &account, out)
                }
                RoomStep::Passed(names) => self.heard_passed(room, member, &names),
                RoomStep::Tallies(tallies) => {
                    let state = aside.state;
                    let there =
                        self.keeper(call, room, |keeper, lent| keeper.members_of(lent, state))?;
                    self.heard_tallies(call, room, member, &there, &tallies)
                }
                _ => self.drop_letter(None, DropReason::Room),
            },
            _ => self.drop_letter(None, DropReason::Content),
        }
    }
}
