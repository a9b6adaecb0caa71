//! What the keeper of a room's branches tells, and what is done about it, in the
//! same transaction.

use core::time::Duration;

use hushwing_delivery::{Keep, LetterId, MailboxId};
use hushwing_sansio::StorageError;

use crate::branches::{CommitHash, Keeper, MakeFault, Told, Wish, WishFault};
use crate::content::MAX_TIMER;
use crate::event::RoomFault;
use crate::letter::LetterBody;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{MailboxState, MailboxUse, MemberRecord, PublishingRecord, RoomStanding};
use crate::{Event, MemberId, Refusal, RoomId};

/// How long a commit of mine rests after a network took it: rivals made at the
/// same time may arrive meanwhile.
const REST: Duration = Duration::from_secs(2);
/// Between two looks of a keeper at the calendar.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a mailbox that another replaced is still listened to.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// Mailboxes of a room that are listened to beside the one that is told.
const MOST_LEAVING: usize = 3;
/// How long a room is listened to that I was removed from, and what waits for
/// others who were removed is kept: a branch that undoes it may still come.
pub(super) const FAREWELL: Duration = Duration::from_secs(4 * 24 * 60 * 60);

impl Messenger {
    /// I want a change of a room.
    pub(super) fn want(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        wish: Wish,
    ) -> Result<(), StorageError> {
        let wished = self.keeper(call, room, |keeper, lent| keeper.wish(lent, wish))?;
        match wished {
            Ok((_, told)) => self.act_on(call, room, told)?,
            Err(WishFault::Package | WishFault::Full) => {
                let reason = RoomFault::Sense;
                self.tell(Event::RoomUnchanged { room, reason });
            }
        }
        self.count_changes(room)
    }

    /// The same, for a command.
    pub(super) fn change_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        wish: Wish,
    ) -> Result<crate::Reply, Stop> {
        self.want(call, room, wish)?;
        if self.is_broken_room(room.place()) {
            return Err(Refusal::Broken.into());
        }
        self.tell_room(room);
        self.show_room(room)
    }

    fn count_changes(&mut self, room: RoomId) -> Result<(), StorageError> {
        let keeper = self.rooms.keepers.get(&room);
        let open = keeper.map_or(0, |keeper| keeper.open_intents().count());
        self.rooms.find(room)?.changing = open;
        Ok(())
    }

    /// Acts on what the keeper told, in its order.
    pub(super) fn act_on(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        told: Vec<Told>,
    ) -> Result<(), StorageError> {
        let any = !told.is_empty();
        for one in told {
            match one {
                Told::Publish { commit, bytes } => self.publish(call, room, commit, &bytes)?,
                Told::Followed { left, entered, .. } => {
                    self.followed(call, room, !left.is_empty(), entered.len())?;
                }
                Told::Welcome { to, bytes, .. } => self.welcome_to(call, room, &to, &bytes)?,
                // What I am follows from the state all of this leads to.
                Told::Removed | Told::Settled(_) => {}
                // It comes by itself.
                Told::Waits(_, MakeFault::TooSoon | MakeFault::Full) => {}
                // Who leaves wants no more than that.
                Told::Waits(..) | Told::GivenUp(..) if !self.rooms.find(room)?.is_mine() => {}
                Told::Waits(_, fault) | Told::GivenUp(_, fault) => {
                    let reason = match fault {
                        MakeFault::NotIn | MakeFault::Rules => RoomFault::NotAllowed,
                        _ => RoomFault::Sense,
                    };
                    self.tell(Event::RoomUnchanged { room, reason });
                }
                Told::Forgotten(_) => {
                    let oldest = self.rooms.keepers.get(&room).map(|k| k.oldest_epoch());
                    let oldest = oldest.unwrap_or(0);
                    self.say_again_in(call, room, 0..oldest)?;
                    self.let_package_go(call, room)?;
                }
            }
        }
        if any {
            self.take_stand(call, room)?;
            self.count_changes(room)?;
            self.tell_room(room);
        }
        self.stay_if_last(call, room)
    }

    /// Sends a commit of mine to all who are in the state it was made in.
    fn publish(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        commit: CommitHash,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let body = LetterBody::room(&known.record.account, bytes);
        let to: Vec<MemberId> = known.others().map(|member| member.member).collect();
        let mut letters = Vec::new();
        for member in to {
            let body = body.clone();
            let letter = self.post_to_member(call, room, member, body, Keep::UntilAccepted)?;
            letters.extend(letter.map(|letter| letter.0));
        }
        if letters.is_empty() {
            // Nobody can be written to: they ask for it when they hear of it.
            return self.published(call, room, commit);
        }
        let ours = letters.iter().map(|letter| (*letter, room));
        self.rooms.publishing.extend(ours);
        let record = &mut self.rooms.find(room)?.record;
        record.publishing.push(PublishingRecord {
            commit: commit.0,
            letters,
        });
        self.save_room(call, room)
    }

    fn published(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        commit: CommitHash,
    ) -> Result<(), StorageError> {
        let told = self.keeper(call, room, |keeper, lent| {
            keeper.published(lent, commit, REST)
        })?;
        self.act_on(call, room, told)
    }

    /// A letter with a commit of mine was taken by a network, or given up;
    /// `false` if it is none. When the first is taken, or none is left, the
    /// commit counts as published.
    pub(super) fn commit_left(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: LetterId,
        taken: bool,
    ) -> Result<bool, StorageError> {
        let Some(room) = self.rooms.publishing.remove(&letter.0) else {
            return Ok(false);
        };
        self.within(call, room.place(), |this, call| {
            let publishing = &mut this.rooms.find(room)?.record.publishing;
            let of = |one: &PublishingRecord| one.letters.contains(&letter.0);
            let Some(at) = publishing.iter().position(of) else {
                return Ok(());
            };
            let Some(one) = publishing.get_mut(at) else {
                return Ok(());
            };
            one.letters.retain(|other| *other != letter.0);
            if !taken && !one.letters.is_empty() {
                return this.save_room(call, room);
            }
            let one = publishing.remove(at);
            for letter in one.letters {
                this.rooms.publishing.remove(&letter);
            }
            this.save_room(call, room)?;
            this.published(call, room, CommitHash(one.commit))
        })?;
        Ok(true)
    }

    /// Another state is followed.
    fn followed(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        rewound: bool,
        entered: usize,
    ) -> Result<(), StorageError> {
        let turns = self.refresh(call, room)?;
        for member in &turns.gone {
            self.call_back_welcome(call, room, *member)?;
        }
        for member in turns.back {
            self.welcome_again(call, room, member)?;
            self.resume_debts_to(call, room, member)?;
        }
        if rewound {
            let epoch = self.rooms.keepers.get(&room).map_or(0, |k| k.epoch());
            let entered = u64::try_from(entered).unwrap_or(u64::MAX);
            let common = epoch.saturating_sub(entered);
            self.say_again_in(call, room, common.saturating_add(1)..u64::MAX)?;
        }
        if !turns.gone.is_empty() {
            // Whoever is out knows where I am written to, also should I be brought back.
            self.rooms.find(room)?.record.exposed = true;
            self.save_room(call, room)?;
        }
        match self.rooms.find(room)?.record.standing {
            RoomStanding::Leaving => self.leave_further(call, room),
            _ => self.replace_room_mailbox(call, room),
        }
    }

    /// Reads who is in a room now, and what it calls itself. If I am not in it,
    /// what I knew stays: another branch may bring me back.
    pub(super) fn refresh(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Turns, StorageError> {
        let (members, policy, stewards, key) = self.keeper(call, room, |keeper, lent| {
            let members = keeper.members(lent)?;
            let policy = keeper.policy(lent)?;
            Ok((members, policy, keeper.stewards()?, keeper.signature_key()))
        })?;
        let known = self.rooms.find(room)?;
        let first = core::mem::replace(&mut known.key, key).is_empty();
        let Some(policy) = policy else {
            known.stewards.clear();
            known.disappear_after = None;
            return Ok(Turns::default());
        };
        known.stewards = stewards;
        let disappear = policy.disappear_after().map(|after| after.min(MAX_TIMER));
        let otherwise = core::mem::replace(&mut known.disappear_after, disappear) != disappear;
        let otherwise = otherwise && !first;
        let mut there = Vec::new();
        for member in &members {
            let key = &member.signature_key;
            there.push(self.member_for(call, room, &member.account, key)?);
            let known = self.rooms.find(room)?;
            if known.key == *key {
                known.leaf = member.leaf;
            }
        }
        let turns = self.mark_present(call, room, &there)?;
        let known = self.rooms.find(room)?;
        if let Some(name) = crate::content::shown::clean_name(&policy.name)
            && known.record.name != name
        {
            known.record.name = name;
            self.save_room(call, room)?;
        }
        if otherwise {
            self.tell_kept(call, room.place())?;
        }
        self.count_changes(room)?;
        Ok(turns)
    }

    fn mark_present(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        there: &[MemberId],
    ) -> Result<Turns, StorageError> {
        let now = call.cx.wall();
        let known = self.rooms.find(room)?;
        let my_name = known.record.my_name.clone();
        let mut turns = Turns::default();
        for (number, member) in &mut known.members {
            let present = there.contains(number);
            let renamed = member.mine && member.name != my_name;
            if member.present == present && !renamed {
                continue;
            }
            if member.present && !present && !member.mine {
                member.gone = Some(now);
                turns.gone.push(*number);
            }
            if present && member.gone.take().is_some() {
                turns.back.push(*number);
            }
            member.present = present;
            if renamed {
                member.name.clone_from(&my_name);
            }
            call.storage.put_member(member)?;
        }
        Ok(turns)
    }

    /// Whether I am in a room follows from the state that is followed, and from
    /// nothing that was told on the way there: a branch that removes me can lose.
    fn take_stand(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        let keeper = self.rooms.keepers.get(&room);
        let inside = keeper.map(Keeper::is_member);
        let record = &self.rooms.find(room)?.record;
        match (record.standing, inside) {
            (RoomStanding::Member | RoomStanding::Leaving, Some(false)) => self.removed(call, room),
            (RoomStanding::Left, Some(true)) if record.may_return => self.returned(call, room),
            _ => Ok(()),
        }
    }

    /// I am not in the state that is followed.
    fn removed(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let record = &mut self.rooms.find(room)?.record;
        let left = record.standing == RoomStanding::Leaving;
        record.standing = RoomStanding::Left;
        record.ended = Some(now);
        // Nobody is to bring me back where I wanted to go.
        record.may_return = !left;
        self.save_room(call, room)?;
        self.give_up_said(call, room)?;
        match left {
            true => self.end_stay(call, room),
            false => Ok(()),
        }
    }

    /// The branch that removed me lost: all is as before.
    fn returned(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        let record = &mut self.rooms.find(room)?.record;
        record.standing = RoomStanding::Member;
        record.ended = None;
        record.may_return = false;
        self.save_room(call, room)?;
        self.be_back(call, room)
    }

    /// I am in it as before, and did not listen for a while: what was called back
    /// leaves again, and others are told where to write.
    pub(super) fn be_back(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let bare = self.rooms.find(room)?.record.mailbox.is_none();
        if bare {
            self.open_room_mailbox(call, room)?;
        }
        self.say_again_in(call, room, 0..u64::MAX)?;
        self.resume_room_debts(call, room)?;
        self.greet_room(call, room)
    }

    /// I am out, and nothing undoes it any more.
    pub(super) fn end_stay(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let record = &mut self.rooms.find(room)?.record;
        record.may_return = false;
        record.asked.clear();
        self.fail_said(call, room)?;
        self.close_room_mailbox(call, room)
    }

    /// What is to be seen to in a room now and then.
    pub(super) fn tend_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let known = self.rooms.find(room)?;
        let old = |since| since + GRACE <= wall;
        let leaving = known.record.leaving.iter();
        let over: Vec<u64> = leaving
            .filter(|one| old(one.since))
            .map(|one| one.mailbox)
            .collect();
        for mailbox in over {
            self.close_mailbox(call, MailboxId(mailbox))?;
            let record = &mut self.rooms.find(room)?.record;
            record.leaving.retain(|one| one.mailbox != mailbox);
            self.save_room(call, room)?;
        }
        self.replace_room_mailbox(call, room)?;
        self.let_go_of_the_gone(call, room)?;
        self.let_package_go(call, room)?;
        let known = self.rooms.find(room)?;
        let ended = known.record.ended.is_some_and(|at| at + FAREWELL <= wall);
        let lasts = known.record.may_return || known.record.mailbox.is_some();
        match known.record.standing {
            RoomStanding::Leaving if ended && !known.holds_office() => self.removed(call, room),
            RoomStanding::Left if ended && lasts => self.end_stay(call, room),
            RoomStanding::Member if known.daily <= now => {
                known.daily = now + DAY;
                self.tick(call, room)
            }
            _ => Ok(()),
        }
    }

    /// Puts a mailbox in the place of one that somebody who is out knows. One at
    /// a time, and no more than a few in a day: who adds and removes without end
    /// does not fill my relay.
    pub(super) fn replace_room_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let mut mailboxes = self.mailboxes.values();
        let opening = mailboxes.any(|record| {
            let comes = matches!(record.state, MailboxState::Opening | MailboxState::Due);
            record.owner == MailboxUse::Room(room) && comes
        });
        let record = &self.rooms.find(room)?.record;
        let due = record.exposed
            && record.standing == RoomStanding::Member
            && record.mailbox.is_some()
            && record.leaving.len() < MOST_LEAVING;
        match due && !opening {
            true => self.open_room_mailbox(call, room),
            false => Ok(()),
        }
    }

    /// Nothing waits any more for those whose removal nothing undoes.
    fn let_go_of_the_gone(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let wall = call.cx.wall();
        let members = self.rooms.find(room)?.members.values();
        let gone = members.filter(|member| member.gone.is_some_and(|at| at + FAREWELL <= wall));
        let gone: Vec<_> = gone.map(|member| member.member).collect();
        for member in &gone {
            self.owe_nothing_to(call, room, *member)?;
            let Some(record) = self.rooms.find(room)?.members.get(member).cloned() else {
                continue;
            };
            if record.welcome.is_some() || !record.addresses.is_empty() {
                self.cancel_letters_to(call, room, &record.addresses)?;
                let addresses = Vec::new();
                let welcome = None;
                self.save_member(
                    call,
                    MemberRecord {
                        addresses,
                        welcome,
                        ..record
                    },
                )?;
            }
        }
        match gone.is_empty() {
            true => Ok(()),
            false => self.give_up_on(call, &gone),
        }
    }
}

/// Who went out of a room, and who came back as they were.
#[derive(Default)]
pub(super) struct Turns {
    gone: Vec<MemberId>,
    back: Vec<MemberId>,
}
